"""Takes with more than PNG: which files a shot gets, what is kept, shared and made anew."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest
from tiny_film import TinyFilm

pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.render import memory
from splatfilm.render.memory import NotEnoughMemoryError
from splatfilm.shots.exr import read_exr
from splatfilm.shots.make import make_film
from splatfilm.shots.pictures import read_picture
from splatfilm.shots.report import verify_shots
from splatfilm.shots.schedule import RenderOptions, ShotResult, render_shots

ALL = '["beauty", "alpha", "depth", "depth-median", "depth-front", "normal", "position", "motion", "id"]'


@pytest.fixture
def full(tiny: TinyFilm) -> TinyFilm:
    """The tiny film whose first shot asks for every pass."""
    tiny.edit('passes = ["beauty", "alpha", "depth"]', f"passes = {ALL}")
    return tiny


def asking(tiny: TinyFilm, **keys: str) -> TinyFilm:
    """The film with keys in `[film]`."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    tiny.edit("size = [96, 54]\n", f"size = [96, 54]\n{lines}")
    return tiny


def go(tiny: TinyFilm, **options) -> dict[str, ShotResult]:  # type: ignore[no-untyped-def]
    results = render_shots(load(tiny.path), RenderOptions(out=tiny.out, **options))
    return {result.shot: result for result in results}


def counts(result: ShotResult) -> tuple[str, int, int, int]:
    return result.take.name, result.drawn, result.shared, result.kept


def test_every_pass_becomes_the_file_that_holds_it(full: TinyFilm) -> None:
    go(full, shots=("010",), frames=(1010,))
    names = sorted(path.name for path in full.take("010").glob("tiny_*"))
    png = ("alpha", "beauty", "depth", "depth-front", "depth-median")
    exr = ("id", "motion", "normal", "position")
    assert names == sorted(
        [f"tiny_010_{name}_v001.1010.png" for name in png] + [f"tiny_010_{name}_v001.1010.exr" for name in exr]
    )


def test_a_second_run_draws_nothing_and_verifies(full: TinyFilm) -> None:
    assert counts(go(full)["010"]) == ("v001", 12, 0, 0)
    assert counts(go(full)["010"]) == ("v001", 0, 0, 12)
    assert [(r.frames, r.problems) for r in verify_shots(load(full.path), RenderOptions(out=full.out))] == [
        (12, ()),
        (10, ()),
    ]


@pytest.mark.parametrize("layout", ["exr", "exr-parts"])
def test_one_file_holds_all_passes_and_the_cut_still_has_its_pictures(full: TinyFilm, layout: str) -> None:
    made = make_film(load(asking(full, files=layout).path), RenderOptions(out=full.out))
    assert made.cut.is_file()
    take = full.take("010")
    assert len(list(take.glob("*_layers_v001.*.exr"))) == len(list(take.glob("*_beauty_v001.*.png"))) == 12
    channels, text = read_exr(take / "tiny_010_layers_v001.1010.exr")
    assert len(channels) == 29
    assert text["splatfilm:timecode"] == "01:00:00:09"
    beauty, _ = read_picture(take / "tiny_010_beauty_v001.1010.png")
    red = channels["R" if layout == "exr" else "beauty/R"].astype(np.float64)
    encoded = np.where(red <= 0.0031308, red * 12.92, 1.055 * np.maximum(red, 1e-9) ** (1 / 2.4) - 0.055)
    alpha = channels["A" if layout == "exr" else "beauty/A"] > 0.999
    assert np.abs(np.clip(encoded, 0, 1) * 255 - beauty[..., 0])[alpha].max() < 0.75


def test_the_same_frame_is_the_same_file_to_the_byte(full: TinyFilm) -> None:
    asking(full, files="exr")
    go(full, shots=("010",))
    go(full, shots=("010",), take="new")
    for frame in range(1001, 1013):
        first, second = (full.take("010", n) / f"tiny_010_layers_v00{n}.{frame}.exr" for n in (1, 2))
        assert first.read_bytes() == second.read_bytes()
        assert not first.samefile(second)


def test_a_still_moment_is_drawn_once_and_every_file_has_its_own_timecode(full: TinyFilm) -> None:
    """Shot 010 holds from 1001 to 1006; 1006 is about to move, so only its motion differs."""
    asking(full, files="exr")
    result = go(full, shots=("010",))["010"]
    assert counts(result) == ("v001", 12, 0, 0)
    said = [read_exr(full.take("010") / f"tiny_010_layers_v001.{frame}.exr")[1] for frame in (1001, 1005, 1006)]
    assert [text["splatfilm:timecode"] for text in said] == ["01:00:00:00", "01:00:00:04", "01:00:00:05"]
    assert said[0]["splatfilm:pixels"] == said[1]["splatfilm:pixels"] != said[2]["splatfilm:pixels"]
    assert said[0]["splatfilm:frame"] == said[2]["splatfilm:frame"]
    previews = {path.stat().st_ino for path in full.frames("010")[:5]}
    assert len(previews) == 1


def test_another_colour_makes_new_files_and_shares_what_it_does_not_touch(full: TinyFilm) -> None:
    go(full)
    asking(full, colour="acescg")
    assert counts(go(full)["010"]) == ("v001", 0, 0, 12), "no file of this film holds linear colour"
    full.edit('colour = "acescg"', 'files = "exr"\ncolour = "acescg"')
    result = go(full)["010"]
    assert counts(result) == ("v002", 12, 0, 0)
    full.edit('colour = "acescg"', 'colour = "linear-srgb"')
    result = go(full)["010"]
    assert counts(result) == ("v003", 12, 0, 0)
    assert result.reasons == ("the files or headers of layers changed since v002",)
    full.edit('colour = "linear-srgb"', 'colour = "acescg"')
    result = go(full)["010"]
    assert counts(result) == ("v004", 0, 12, 0), "the second take has these files"
    assert (full.take("010", 2) / "tiny_010_layers_v002.1001.exr").samefile(
        full.take("010", 4) / "tiny_010_layers_v004.1001.exr"
    )


def test_a_longer_shot_before_moves_the_timecode_and_so_the_headers(full: TinyFilm) -> None:
    asking(full, files="exr")
    assert counts(go(full)["020"]) == ("v001", 10, 0, 0)
    full.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 1]), (1013, [1, -4, 1]))
    full.edit("frames = [1001, 1012]", "frames = [1001, 1013]")
    result = go(full)["020"]
    assert result.take.name == "v002"
    text = read_exr(full.take("020", 2) / "tiny_020_layers_v002.1016.exr")[1]
    assert text["splatfilm:timecode"] == "01:00:00:13"


def test_motion_looks_one_frame_ahead_and_the_rest_does_not(full: TinyFilm) -> None:
    """A camera key after the shot's end changes where the camera is at 1013: only the motion of 1012 can see it."""
    full.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 1]), (1014, [1, -4, 1]))
    go(full, shots=("010",))
    full.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 1]), (1014, [3, -4, 1]))
    result = go(full, shots=("010",))["010"]
    assert counts(result) == ("v002", 1, 11, 0)
    assert result.reasons == ("the files or headers of motion changed since v001",)


def test_passes_of_the_command_line_leave_the_shot_s_own_take_as_good_as_it_was(full: TinyFilm) -> None:
    go(full, shots=("020",))
    result = go(full, shots=("020",), passes=("normal", "id"))["020"]
    assert counts(result) == ("v002", 10, 0, 0)
    assert result.reasons == ("v001 lacks the pass normal, id",)
    assert counts(go(full, shots=("020",))["020"]) == ("v002", 0, 0, 10), "more passes than asked for are no harm"


def test_renaming_a_cast_member_touches_ids_only(full: TinyFilm) -> None:
    go(full, shots=("010",))
    full.edit('name = "mug"\nasset', 'name = "cup"\nasset')
    result = go(full, shots=("010",))["010"]
    assert result.reasons == ("the files or headers of id changed since v001",)


def test_an_unfinished_take_is_continued_and_a_damaged_file_of_it_made_anew(full: TinyFilm) -> None:
    asking(full, files="exr")
    go(full, shots=("010",), frames=(1007, 1008, 1009))
    take = full.take("010")
    whole = (take / "tiny_010_layers_v001.1008.exr").read_bytes()
    (take / "journal.jsonl").unlink()
    victim = take / "tiny_010_layers_v001.1008.exr"
    victim.unlink()
    victim.write_bytes(whole[:-200])
    result = go(full, shots=("010",))["010"]
    assert result.take.name == "v001" and result.kept == 2
    assert victim.read_bytes() == whole
    assert not stat.S_IMODE(victim.stat().st_mode) & 0o222
    assert not list(take.glob(".writing-*"))


def test_verify_finds_an_exr_whose_pixels_were_painted_over(full: TinyFilm) -> None:
    asking(full, files="exr")
    go(full, shots=("010",), frames=tuple(range(1001, 1013)))
    victim, other = (full.take("010") / f"tiny_010_layers_v001.{frame}.exr" for frame in (1008, 1009))
    victim.unlink()
    victim.write_bytes(other.read_bytes())
    (found,) = verify_shots(load(full.path), RenderOptions(out=full.out, shots=("010",)))
    assert [problem.path for problem in found.problems] == [str(victim)]


def test_a_disk_without_hard_links_gets_copies_of_exr_files(full: TinyFilm, monkeypatch: pytest.MonkeyPatch) -> None:
    asking(full, files="exr")
    go(full, shots=("010",))
    monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError(1, "not permitted")))
    full.edit('colour = "linear-srgb"\n', "") if 'colour = "linear-srgb"' in full.path.read_text() else None
    full.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1.2, -4, 1]))
    result = go(full, shots=("010",))["010"]
    assert result.shared > 0 and result.take.name == "v002"
    first, second = (full.take("010", n) / f"tiny_010_layers_v00{n}.1002.exr" for n in (1, 2))
    assert first.read_bytes() == second.read_bytes() and not first.samefile(second)


def test_the_manifest_names_files_colour_and_the_keys_of_pictures(full: TinyFilm) -> None:
    asking(full, files="exr", colour="acescg")
    go(full, shots=("010",))
    manifest = json.loads((full.take("010") / "manifest.json").read_text())
    assert manifest["files"] == "exr" and manifest["colour"] == "acescg"
    pictures = manifest["frames"][0]["passes"]
    assert set(pictures) == {"beauty", "layers"}
    assert "key" not in pictures["beauty"]
    assert len(pictures["layers"]["key"]) == 64


def test_sixteen_bit_png_is_made_verified_and_cut(tiny: TinyFilm) -> None:
    made = make_film(load(asking(tiny, files="png16").path), RenderOptions(out=tiny.out))
    assert made.cut.is_file() and made.contact_sheet.is_file()
    pixels, _ = read_picture(tiny.frames("010")[0])
    assert pixels.dtype == np.uint16 and len(np.unique(pixels)) > 256
    assert all(not found.problems for found in verify_shots(load(tiny.path), RenderOptions(out=tiny.out)))


def test_the_actor_s_own_motion_is_in_the_motion_pass(full: TinyFilm) -> None:
    """Shot 020's camera stands still and the mug slides from 1020 on: only the mug's pixels move."""
    go(full, shots=("020",), frames=(1025,), passes=("motion", "id"))
    take = full.take("020")
    motion, _ = read_exr(take / "tiny_020_motion_v001.1025.exr")
    ids, _ = read_exr(take / "tiny_020_id_v001.1025.exr")
    from splatfilm.shots.cryptomatte import id_float

    mug = np.zeros((54, 96), np.float32)
    for layer in ("00", "01", "02"):
        for of_id, of_coverage in (("R", "G"), ("B", "A")):
            found = ids[f"crypto_object{layer}.{of_id}"] == id_float("mug")
            mug += np.where(found, ids[f"crypto_object{layer}.{of_coverage}"], 0)
    length = np.hypot(motion["forward.u"], motion["forward.v"])
    assert length[mug > 0.5].min() > 0.1
    assert not length[mug == 0].any()
    assert np.allclose(motion["forward.u"], -motion["backward.u"], atol=0.1)


def test_more_passes_than_memory_allows_are_refused_before_anything_is_drawn(
    full: TinyFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("splatfilm.shots.drawing.memory_available", lambda: 1 << 20)
    with pytest.raises(NotEnoughMemoryError, match=r"motion, id.* needs .* MiB of memory, and 1 MiB are free"):
        go(full, shots=("010",))
    assert memory.memory_available() != 1 << 20
    assert not list(full.take("010").glob("tiny_*"))


@pytest.mark.parametrize(
    ("passes", "message"),
    [
        (("dept",), r'no pass "dept".*did you mean "depth"'),
        (("beauty", "uv"), r'no pass "uv", only beauty'),
    ],
)
def test_passes_that_do_not_exist_are_refused(full: TinyFilm, passes: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        go(full, passes=passes)


def test_png_is_not_asked_to_hold_positions(tiny: TinyFilm) -> None:
    asking(tiny, files="png")
    with pytest.raises(InputError, match=r'"position" holds metres of either sign, which PNG cannot'):
        go(tiny, passes=("position",))
    tiny.edit('passes = ["beauty", "alpha", "depth"]', 'passes = ["motion", "depth"]')
    with pytest.raises(InputError, match=r'shots\[0\]\.passes\[0\]: "motion" holds fractions of pixels'):
        load(tiny.path)


def test_blur_is_in_the_picture_and_its_mattes_and_not_in_what_measures(full: TinyFilm) -> None:
    go(full, shots=("020",), frames=(1025,), passes=("normal", "motion", "id"))
    full.edit("size = [96, 54]\n", "size = [96, 54]\nlens = { shutter_angle = 180, samples = 4 }\n")
    result = go(full, shots=("020",), frames=(1025,), passes=("normal", "motion", "id"))["020"]
    assert result.drawn == 1
    sharp, blurred = (result_of(full, number) for number in (1, 2))
    for name in ("beauty", "id"):
        assert sharp[name] != blurred[name]
    for name in ("normal", "motion"):
        assert sharp[name] == blurred[name]


def result_of(film: TinyFilm, number: int) -> dict[str, str]:
    """Hashes of the pictures of frame 1025 of a take that is not finished."""
    lines = (film.take("020", number) / "journal.jsonl").read_text().splitlines()
    return {name: picture["sha256"] for name, picture in json.loads(lines[1])["passes"].items()}
