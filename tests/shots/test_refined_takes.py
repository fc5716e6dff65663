"""Refined takes beside the bare ones: keys, resumption, looks by shot, the cut, guards, and a refiner that fails."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_film import TinyFilm

from splatfilm.film import load
from splatfilm.refine.apply import Settings, reach_of_look, refine_frame
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.looks import LOOKS
from splatfilm.refine.stored import FOLDER, StoredRefiner, describe_refiner, find_refiner
from splatfilm.shots.make import make_film
from splatfilm.shots.pictures import read_picture
from splatfilm.shots.refine_drawing import RefinedDrawer
from splatfilm.shots.refining import RefinedShot, plan_refine, refine_shots, refined_plan, request_of
from splatfilm.shots.schedule import RenderOptions, plan_film

FRAMES = (1004, 1005, 1009)


@pytest.fixture
def natural(tiny: TinyFilm) -> TinyFilm:
    """The tiny film with a look, its second shot without one."""
    tiny.edit("size = [96, 54]\n", 'size = [96, 54]\n[film.refine]\nlook = "natural"\n')
    tiny.path.write_text(tiny.path.read_text() + 'refine = "off"\n')
    return tiny


def options(film: TinyFilm, **more: object) -> RenderOptions:
    return RenderOptions(out=film.out, backend="cpu", **more)  # type: ignore[arg-type]


def refine(film: TinyFilm, **more: object) -> dict[str, RefinedShot]:
    return refine_shots(load(film.path), options(film, **more))


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.png"))}


class Sharp:
    """A refiner for tests: more contrast between neighbours, and NaN at one scene frame."""

    def __init__(self, broken: float | None = None) -> None:
        self.broken, self.calls = broken, 0

    def __call__(self, frame: BareFrame) -> torch.Tensor:
        self.calls += 1
        if frame.scene_frame == self.broken:
            return torch.full_like(frame.beauty, float("nan"))
        return frame.beauty + 0.1 * (frame.beauty - torch.roll(frame.beauty, 1, 1))


def store_refiner(film: TinyFilm, weights: bytes = b"weights") -> Path:
    folder = film.folder / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "weights.bin").write_bytes(weights)
    describe_refiner(folder, version=1, reach=1, facts={"trained on": "nothing"})
    return folder


def test_refined_frames_stand_beside_bare_ones_which_stay_as_they_are(natural: TinyFilm) -> None:
    bare_only = refine(natural, frames=FRAMES, shots=("010",), look="off")
    assert bare_only == {}
    before = pictures(natural.take("010"))
    done = refine(natural, frames=FRAMES, shots=("010",))
    assert pictures(natural.take("010")) == before
    folder = natural.out / "tiny" / "refined" / "shots" / "010" / "v001"
    refined = pictures(folder)
    assert set(refined) == {name for name in before if "_beauty_" in name and name[-8:-4] in "1004 1005 1009"}
    assert done["010"].result.drawn == 3
    name = "tiny_010_beauty_v001.1004.png"
    bare, _ = read_picture(natural.take("010") / name)
    other, _ = read_picture(folder / name)
    difference = np.abs(bare.astype(int) - other.astype(int))
    assert difference.max() > 1
    assert np.abs(difference.mean()) < 4


def test_a_second_run_refines_nothing_and_a_new_seed_everything(natural: TinyFilm) -> None:
    first = refine(natural, frames=FRAMES, shots=("010",))["010"]
    second = refine(natural, frames=FRAMES, shots=("010",))["010"]
    assert (second.result.drawn, second.result.kept) == (0, 3)
    natural.edit('look = "natural"\n', 'look = "natural"\nseed = "other"\n')
    third = refine(natural, frames=FRAMES, shots=("010",))["010"]
    assert third.result.drawn == 3
    assert third.result.take.name == "v002"
    assert first.result.take.frames[1004].pictures != third.result.take.frames[1004].pictures


def test_refining_again_elsewhere_gives_the_same_bytes(natural: TinyFilm, tmp_path: Path) -> None:
    refine(natural, frames=FRAMES, shots=("010",))
    refine_shots(load(natural.path), RenderOptions(tmp_path / "again", ("010",), FRAMES[::-1], backend="cpu"))
    one, other = (pictures(root / "tiny" / "refined") for root in (natural.out, tmp_path / "again"))
    assert one == other
    assert len(one) == 3


def test_keys_hold_what_refinement_adds_and_nothing_else(natural: TinyFilm) -> None:
    def keys(held_to: float = 1.0) -> dict[int, str]:
        planned = plan_film(load(natural.path), options(natural, shots=("010",)))
        return dict(refined_plan(plan_refine(planned, options(natural))["010"], held_to).keys)

    first = keys()
    natural.edit('title = "Tiny film"', 'title = "Another title"')
    assert keys() == first
    assert set(keys(0.5).values()).isdisjoint(first.values())
    store_refiner(natural)
    trained = keys()
    assert set(trained.values()).isdisjoint(first.values())
    store_refiner(natural, b"other weights")
    assert set(keys().values()).isdisjoint(trained.values())


def test_the_cut_shows_refined_shots_and_off_gives_the_bare_film_again(natural: TinyFilm) -> None:
    film = load(natural.path)
    refined = make_film(film, options(natural))
    shots = {shot["shot"]: shot for shot in refined.summary["shots"]}
    assert shots["010"]["folder"] == "refined/shots/010/v001"
    assert shots["010"]["refine"] == "natural"
    assert shots["020"]["folder"] == "shots/020/v001"
    again = make_film(film, options(natural))
    assert not again.changed
    bare = make_film(film, options(natural, look="off"))
    assert bare.changed
    assert [shot["folder"] for shot in bare.summary["shots"]] == ["shots/010/v001", "shots/020/v001"]


def test_a_frame_on_which_the_refiner_fails_stays_bare_and_is_reported(
    natural: TinyFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    natural.edit('look = "natural"', 'look = "clean"')
    store_refiner(natural)
    network = Sharp(broken=1009.0)
    monkeypatch.setattr(StoredRefiner, "open", lambda self, device: network)
    refine(natural, frames=FRAMES, shots=("010",))
    refined = natural.out / "tiny" / "refined" / "shots" / "010"
    report = json.loads((refined / "guards.json").read_text())
    assert report["kept_bare"] == {"1009": "the refiner gave NaN or Inf"}
    names = {frame: f"tiny_010_beauty_v001.{frame}.png" for frame in FRAMES}
    pixels = {
        frame: [read_picture(f / name)[0] for f in (natural.take("010"), refined / "v001")]
        for frame, name in names.items()
    }
    assert np.array_equal(*pixels[1009])
    assert not np.array_equal(*pixels[1005])


def test_a_shot_that_fails_its_guards_is_lowered_as_a_whole_and_the_report_says_why(
    natural: TinyFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refiner that draws other stripes with every scene frame: no view of a place agrees with another."""
    natural.edit('look = "natural"', 'look = "clean"')
    store_refiner(natural)

    def flickers(frame: BareFrame) -> torch.Tensor:
        columns = torch.arange(frame.size[1]) + int(frame.scene_frame) * 2
        return frame.beauty + 0.15 * ((columns // 2 % 2) * 2.0 - 1.0)[None, :, None]

    monkeypatch.setattr(StoredRefiner, "open", lambda self, device: flickers)
    done = refine(natural, frames=FRAMES, shots=("010",))["010"]
    assert done.held_to < 1
    assert "disagree" in " ".join(done.report["lowered"])
    keys = {record.key for record in done.result.take.frames.values()}
    planned = plan_film(load(natural.path), options(natural, shots=("010",)))
    plan = refined_plan(plan_refine(planned, options(natural))["010"], done.held_to)
    assert keys <= set(plan.keys.values())


def test_moving_a_prop_changes_nothing_beyond_its_footprint_and_the_reach(natural: TinyFilm) -> None:
    """Bare pixels that change, dilated by what the look reaches; identical to the bit beyond it."""

    def drawn() -> tuple[BareFrame, torch.Tensor]:
        planned = plan_film(load(natural.path), options(natural, shots=("020",), look="natural"))
        plans = plan_refine(planned, options(natural, look="natural"))
        plan = plans["020"]
        drawer = RefinedDrawer(planned, plans, "cpu")
        _, bare = drawer.bare(plan, plan.bare, 1016, request_of(None, plan.members))
        look = replace(plan.look, lock_px=1.5 * 640 / 96, stock=None)
        return bare, refine_frame(bare, Sharp(), Settings(look, "1"), plan.spaces).beauty

    (bare, refined), _ = drawn(), natural.edit("[0.0, 0.0, 0.2]", "[0.15, 0.0, 0.2]")
    other_bare, other = drawn()
    changed = (bare.beauty != other_bare.beauty).any(-1) | (bare.canonical != other_bare.canonical).any(-1)
    reach = reach_of_look(replace(LOOKS["natural"], lock_px=1.5 * 640 / 96), 1, 96)
    assert reach == 7 + 5
    near = torch.nn.functional.max_pool2d(changed[None, None].float(), 2 * reach + 1, 1, reach)[0, 0].bool()
    assert changed.any()
    assert not near.all()
    assert torch.equal(refined[~near], other[~near])
    assert not torch.equal(refined, other)


def test_a_refiner_whose_files_changed_is_refused(natural: TinyFilm) -> None:
    folder = store_refiner(natural)
    assert find_refiner(natural.folder / "room.ply") is not None
    (folder / "weights.bin").write_bytes(b"something else")
    with pytest.raises(Exception, match=r"weights\.bin.*train the refiner again"):
        find_refiner(natural.folder / "room.ply")


def test_exr_files_are_refined_too(natural: TinyFilm) -> None:
    pytest.importorskip("OpenEXR")
    natural.edit("size = [96, 54]\n", 'size = [96, 54]\nfiles = "exr"\n')
    done = refine(natural, frames=(1004,), shots=("010",))["010"]
    found = {path.name.split("_")[2]: path.suffix for path in done.result.take.folder.glob("tiny_*")}
    assert found == {"beauty": ".png", "layers": ".exr"}
    assert refine(natural, frames=(1004,), shots=("010",))["010"].result.kept == 1


def test_ambient_motion_enters_the_keys_of_the_frames_that_it_moves(natural: TinyFilm) -> None:
    def keys() -> dict[int, str]:
        return dict(plan_film(load(natural.path), options(natural, shots=("010",))).plans["010"].keys)

    still = keys()
    natural.edit(
        "[[scenes.kitchen.cast]]",
        '[[scenes.kitchen.ambient]]\nkind = "sway"\nbox = { from = [-1, -1, -1], to = [1, 1, 1] }\namount = 0.1\n'
        "\n[[scenes.kitchen.cast]]",
    )
    stirred = keys()
    assert still[1002] == still[1003]  # the camera holds
    assert len({*stirred.values()}) == len(stirred)
    assert set(stirred.values()).isdisjoint(still.values())
    refine(natural, frames=(1002, 1003), shots=("010",), look="off")
    one, other = (read_picture(path)[0] for path in natural.frames("010"))
    assert not np.array_equal(one, other)


@pytest.mark.slow
def test_a_killed_refine_goes_on_where_it_was(natural: TinyFilm) -> None:
    command = [sys.executable, "-m", "splatfilm", "refine", str(natural.path), "--shot", "010", "-o", str(natural.out)]
    folder = natural.out / "tiny" / "refined" / "shots" / "010" / "v001"
    process = subprocess.Popen([*command, "--backend", "cpu"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*.png"))) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = len(list(folder.glob("tiny*.png")))
    assert there >= 3
    done = refine(natural, shots=("010",))["010"]
    assert done.result.take.finished
    assert done.result.take.name == "v001"
    assert done.result.kept >= 2


def test_refined_frames_have_the_contact_shadows_of_bare_ones(natural: TinyFilm) -> None:
    refine(natural, frames=FRAMES[:1], shots=("010",))
    without = pictures(natural.out / "tiny" / "refined")
    natural.edit("[film.refine]\n", "[film.contact]\nradius = 2.0\n[film.refine]\n")
    done = refine(natural, frames=FRAMES[:1], shots=("010",))
    assert done["010"].result.drawn == 1
    assert len(set(pictures(natural.out / "tiny" / "refined").values()) - set(without.values())) == 1
