"""The continuity supervisor on a small real film: rendered, then spoilt on disk, then caught."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_film import build_film

from splatfilm.base.errors import InputError
from splatfilm.cli.main import main
from splatfilm.compare.pairs import film_pairs
from splatfilm.compare.supervise import Supervising, Supervision, supervise
from splatfilm.compare.truth import TruthOptions, film_clips, film_truth
from splatfilm.compare.views import NOTHING
from splatfilm.film import load
from splatfilm.film.model import ContinuityGoal
from splatfilm.shots import RenderOptions, render_shots


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film's folder, rendered once; copy it before spoiling it."""
    folder = tmp_path_factory.mktemp("small")
    film = load(build_film(folder))
    render_shots(film, RenderOptions(out=folder / "out"))
    return folder


@pytest.fixture
def film_folder(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the rendered film."""
    return Path(shutil.copytree(rendered, tmp_path / "film"))


def look_after(folder: Path, **more: object) -> Supervision:
    asked = Supervising(TruthOptions(folder / "out"), pairs=4, **more)  # type: ignore[arg-type]
    return supervise(load(folder / "film.toml"), asked)


def pictures(folder: Path, shot: str, refined: bool = False) -> list[Path]:
    root = folder / "out" / "small" / ("refined" if refined else "") / "shots" / shot
    return sorted(root.glob("v001/*beauty*.png"))


def move_crate(folder: Path, shot: str, refined: bool = False) -> None:
    """Plant a fault: the frames of one shot as they are when the crate stands 20 cm to the side."""
    faulty = folder / "faulty"
    text = build_film(faulty).read_text()
    (faulty / "film.toml").write_text(text.replace("position = [0.0, 0.9, 0.0]", "position = [0.2, 0.9, 0.0]"))
    render_shots(load(faulty / "film.toml"), RenderOptions(out=faulty / "out", shots=(shot,)))
    for good, bad in zip(pictures(folder, shot, refined), pictures(faulty, shot), strict=True):
        good.unlink()
        shutil.copy(bad, good)


def refine(folder: Path, strength: float) -> None:
    """Stand-in for refinement: every frame a little different, in the place where refined frames lie."""
    root = folder / "out" / "small"
    shutil.copytree(root / "shots", root / "refined" / "shots")
    for number, path in enumerate(sorted((root / "refined").rglob("*beauty*.png"))):
        pixels = np.asarray(Image.open(path)).astype(float)
        grain = np.random.default_rng(number).normal(0, 255 * strength, pixels.shape)
        path.unlink()
        Image.fromarray(np.clip(pixels + grain + 0.5, 0, 255).astype(np.uint8)).save(path)


def test_a_bare_film_is_exact(film_folder: Path) -> None:
    found = look_after(film_folder)
    assert found.holds and found.worst is None
    assert {f.kind: f.reached for f in found.findings} == {
        "frames": 1.0,
        "cut": 1.0,
        "follow-up": 1.0,
        "revisit": math.inf,
    }
    revisit = next(pair.revisit for pair in found.scores.pairs if pair.revisit is not None)
    assert revisit.exact == 3 and revisit.pairs == ((0, 0), (1, 1), (2, 2))
    assert revisit.psnr.null is not None and revisit.psnr.null < 25
    assert found.shown == dict.fromkeys(("010_wide", "020_side", "030_wide_again"), "bare v001")


def test_a_prop_moved_in_one_shots_frames_is_caught_and_named(film_folder: Path) -> None:
    move_crate(film_folder, "020_side")
    found = look_after(film_folder)
    assert not found.holds
    worst = found.worst
    assert worst is not None and worst.kind == "cut" and "020_side" in (worst.a, worst.b)
    assert worst.worst is not None and worst.worst.object == "crate"
    assert worst.at is not None and {1010, 1011, 1012} & set(worst.at)
    frames = {f.a: f for f in found.findings if f.kind == "frames"}
    assert [name for name, f in frames.items() if f.verdict == "fails"] == ["020_side"]
    assert "3 of 3 frames are not what the scene gives" in frames["020_side"].why
    cut = next(pair.continuity for pair in found.scores.pairs if (pair.a, pair.b) == ("010_wide", "020_side"))
    assert cut is not None
    objects = {item.object: item.value for item in cut.objects}
    assert objects["crate"] is not None and objects["room"] is not None
    assert objects["crate"] < 0.6 and objects["room"] > objects["crate"] + 0.2


def test_a_prop_that_moved_fails_its_cut_even_where_the_picture_as_a_whole_is_good_enough(film_folder: Path) -> None:
    move_crate(film_folder, "020_side")
    asked = Supervising(TruthOptions(film_folder / "out"), pairs=2)
    found = supervise(load(film_folder / "film.toml"), asked, ContinuityGoal(fsc=0.7, revisit=35))
    cut = next(f for f in found.findings if f.kind == "cut")
    assert cut.reached is not None and cut.reached > 0.7
    assert cut.verdict == "fails" and cut.why == "the crate is not the same in both"


def test_a_prop_moved_in_refined_frames_is_caught_and_the_bare_frames_still_hold(film_folder: Path) -> None:
    refine(film_folder, 0.004)
    move_crate(film_folder, "020_side", refined=True)
    found = look_after(film_folder)
    assert set(found.shown.values()) == {"refined v001"}
    assert found.worst is not None and found.worst.worst is not None and found.worst.worst.object == "crate"
    assert look_after(film_folder, refined=False).holds


def test_refined_frames_are_held_to_the_goal_and_not_to_the_bit(film_folder: Path) -> None:
    refine(film_folder, 0.004)
    found = look_after(film_folder)
    assert not [f for f in found.findings if f.kind == "frames"]
    revisit = next(f for f in found.findings if f.kind == "revisit")
    assert revisit.wanted == 35.0 and revisit.verdict == "holds"
    assert revisit.reached is not None and 40 < revisit.reached < 48, (
        "two grains of sd 0.004: -20 log10(0.0057) = 45 dB"
    )
    strict = supervise(
        load(film_folder / "film.toml"),
        Supervising(TruthOptions(film_folder / "out"), pairs=2),
        ContinuityGoal(fsc=0.5, revisit=60),
    )
    assert [f.kind for f in strict.findings if f.verdict == "fails"] == ["revisit"]


def test_the_verb_prints_a_table_names_the_worst_and_exits_with_3(
    film_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(film_folder)
    assert main(["continuity", "film.toml", "--pairs", "4"]) == 0
    said = capsys.readouterr().out
    assert "The film holds together." in said and "exact" in said
    move_crate(film_folder, "020_side")
    assert main(["continuity", ".", "--pairs", "4"]) == 3
    said = capsys.readouterr().out
    assert "Worst: cut" in said and "the crate changed" in said and "FAILS" in said
    assert main(["continuity", ".", "--pairs", "4", "--json"]) == 3
    value = json.loads(capsys.readouterr().out)
    assert value["holds"] is False
    stored = json.loads((film_folder / "out/small/continuity/continuity.json").read_text())
    assert stored["schema"] == "splatfilm.continuity/1" and stored["holds"] is False
    table = (film_folder / "out/small/continuity/continuity.csv").read_text().splitlines()
    assert table[0].startswith("method,given,kind,a,b,take,object,name,value")
    assert any(",crate,OBJ," in line for line in table)


def test_the_film_file_sets_its_own_goal(film_folder: Path) -> None:
    file = film_folder / "film.toml"
    text = file.read_text()
    assert load(file).continuity == ContinuityGoal(0.95, 35.0)
    file.write_text(text.replace("[assets.room]", "[film.continuity]\nfsc = 0.8\nrevisit = 30\n\n[assets.room]"))
    assert load(file).continuity == ContinuityGoal(0.8, 30.0)
    file.write_text(text.replace("[assets.room]", "[film.continuity]\nfsc = 1.5\nrevist = 30\n\n[assets.room]"))
    with pytest.raises(InputError) as caught:
        load(file)
    assert 'did you mean "revisit"' in str(caught.value) and "from 0 to 1" in str(caught.value)


def test_a_film_that_was_not_rendered_says_so(tmp_path: Path) -> None:
    build_film(tmp_path)
    with pytest.raises(InputError, match="not rendered yet: shot 010_wide, 020_side, 030_wide_again"):
        look_after(tmp_path)


def test_views_of_the_truth_are_drawn_once_and_kept(film_folder: Path) -> None:
    film, options = load(film_folder / "film.toml"), TruthOptions(film_folder / "out")
    truth = film_truth(film, options)["020_side"]
    view = truth.views[1]
    files = {path: path.stat().st_mtime_ns for path in (film_folder / "out/small/continuity/views").iterdir()}
    again = film_truth(film, options)["020_side"].views[1]
    assert np.array_equal(view.picture, again.picture) and np.array_equal(view.depth, again.depth)
    assert np.array_equal(view.ids, again.ids)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    torn = max(files, key=lambda path: path.stat().st_mtime_ns)
    torn.write_bytes(b"PK torn")
    assert np.array_equal(film_truth(film, options)["020_side"].views[1].depth, view.depth)


def test_the_truth_knows_depth_objects_and_what_stands_still(film_folder: Path) -> None:
    film, options = load(film_folder / "film.toml"), TruthOptions(film_folder / "out")
    truths = film_truth(film, options)
    view = truths["010_wide"].views[0]
    assert truths["010_wide"].objects == ("room", "crate")
    assert {0, 1} <= set(np.unique(view.ids)) <= {NOTHING, 0, 1}
    assert 2.0 < np.median(view.depth[view.ids == 1]) < 3.0, "the crate's front is 2.3 m from the camera"
    assert np.array_equal(view.picture, film_clips(film, options, False)["010_wide"][1].frames[0])
    assert len(set(truths["010_wide"].states)) == 1 and truths["010_wide"].states == truths["020_side"].states[:3]
    kinds = [(pair.kind, pair.a, pair.b) for pair in film_pairs(truths)]
    assert kinds[0] == ("follow-up", "010_wide", "020_side")
    assert ("revisit", "010_wide", "030_wide_again") in kinds


def test_the_supervisor_does_without_opencv(film_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from splatfilm.compare import vision

    monkeypatch.setattr(vision, "available", lambda: False)
    move_crate(film_folder, "020_side")
    found = look_after(film_folder)
    assert found.worst is not None and found.worst.worst is not None and found.worst.worst.object == "crate"


def test_a_camera_that_comes_back_after_the_crate_was_moved_finds_the_rest_as_it_was(film_folder: Path) -> None:
    file = film_folder / "film.toml"
    keys = "keys = [{ frame = 1004, position = [0.0, 0.9, 0.0] }, { frame = 1008, position = [0.3, 0.9, 0.0] }]"
    file.write_text(file.read_text().replace("position = [0.0, 0.9, 0.0]", keys))
    render_shots(load(file), RenderOptions(out=film_folder / "out"))
    found = look_after(film_folder)
    (revisit,) = [f for f in found.findings if f.kind == "revisit"]
    assert (revisit.a, revisit.b, revisit.wanted) == ("010_wide", "030_wide_again", 60.0)
    assert revisit.reached is not None and revisit.reached > 70
    assert revisit.why.startswith("without crate, which moved; ")
    cut = next(pair.continuity for pair in found.scores.pairs if (pair.a, pair.b) == ("010_wide", "020_side"))
    assert cut is not None and {item.object for item in cut.objects} == {"room"}, "what moved is not held against it"
    assert found.holds


def test_shots_that_do_not_follow_each_other_are_compared_too_and_a_shot_alone_is_named(
    film_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    side = film_folder / "side.json"
    side.write_text(side.read_text().replace("[0, 1.0, 0.5]", "[-1.5, -4.0, 1.4]"))
    render_shots(load(film_folder / "film.toml"), RenderOptions(out=film_folder / "out"))
    found = look_after(film_folder)
    follow_ups = [(f.kind, f.a, f.b, f.verdict) for f in found.findings if f.kind in ("cut", "follow-up")]
    assert follow_ups == [
        ("cut", "010_wide", "020_side", "nothing to compare"),
        ("cut", "020_side", "030_wide_again", "nothing to compare"),
        ("follow-up", "010_wide", "030_wide_again", "holds"),
    ]
    assert found.alone == ("020_side",) and found.follow_ups == [1.0]
    cuts = look_after(film_folder, cuts_only=True)
    assert [f.kind for f in cuts.findings if f.b] == ["cut", "cut", "revisit"]
    refine(film_folder, 0.004)  # of the range: 48 dB, and more where black cuts half of it off
    assert found.against_scene == dict.fromkeys(found.shown, math.inf)
    assert look_after(film_folder).against_scene["020_side"] == pytest.approx(49.5, abs=1.5)
    assert main(["continuity", str(film_folder), "--out", str(film_folder / "out"), "--pairs", "2", "-q"]) == 0
    said = capsys.readouterr().out
    assert "held against no other shot, only against the bare scene: 020_side (" in said


def test_takes_of_another_refiner_are_held_to_the_same_goal(
    film_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refine(film_folder, 0.004)
    rival = film_folder / "rival"
    shutil.move(film_folder / "out/small/refined/shots", rival)
    assert set(look_after(film_folder).shown.values()) == {"bare v001"}
    found = look_after(film_folder, takes=rival)
    assert set(found.shown.values()) == {"refined v001"}
    (revisit,) = [f for f in found.findings if f.kind == "revisit"]
    assert revisit.reached is not None and 40 < revisit.reached < 48
    asked = ["continuity", str(film_folder), "--out", str(film_folder / "out"), "--pairs", "2", "-q"]
    assert main([*asked, "--takes", str(rival), "--revisit", "60"]) == 3
    said = capsys.readouterr().out
    assert "2 of 2 cuts, 3 pairs of shots in all, share enough to be compared: FSC " in said
    (film_folder / "empty").mkdir()
    assert main([*asked, "--takes", str(film_folder / "empty")]) == 3
    assert "holds no finished take of a shot" in capsys.readouterr().err


def test_a_film_that_was_edited_after_it_was_rendered_is_told(film_folder: Path) -> None:
    file = film_folder / "film.toml"
    file.write_text(file.read_text().replace("frames = [1010, 1012]", "frames = [1010, 1011]"))
    with pytest.raises(InputError, match="its take has 3 frames of 192x108, the film asks for 2"):
        look_after(film_folder)
    assert main(["continuity", str(file), "--out", str(film_folder / "out"), "-q"]) == 3
