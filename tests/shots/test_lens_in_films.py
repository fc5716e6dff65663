"""Films through lenses that bend, and with more drawn than is shown: which files hold what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from tiny_film import FILM, TinyFilm, camera_file

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.shots.exr import read_exr
from splatfilm.shots.pictures import read_picture
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.schedule import RenderOptions, plan_film, render_shots

LENS = 'distortion = { model = "brown-conrady", coefficients = [-0.15, 0.02] }\n'
PASSES = ("beauty", "depth", "id")


def write(tiny: TinyFilm, files: str, lens: str, shot: str = "") -> None:
    """The tiny film with other files, a `[film.lens]`, and a `lens` of its second shot."""
    head = f'size = [96, 54]\nfiles = "{files}"\n' + (f"\n[film.lens]\n{lens}" if lens else "")
    text = FILM.replace("size = [96, 54]\n", head)
    tiny.path.write_text(text.replace("frames = [1016, 1025]\n", f"frames = [1016, 1025]\n{shot}"))


def drawn(
    tiny: TinyFilm, files: str, lens: str, passes: tuple[str, ...] = ("beauty", "depth", "id")
) -> dict[str, Path]:
    """One frame's files, by their endings."""
    write(tiny, files, lens)
    options = RenderOptions(
        out=tiny.out, shots=("010",), frames=(1008,), take="new", passes=PASSES if files != "auto" else None
    )
    (result,) = render_shots(load(tiny.path), options)
    files_of_it = result.take.folder.glob("*.1008.*")
    return {path.name.split("010_")[1].split("_")[0] + path.suffix: path for path in files_of_it}


def keys(tiny: TinyFilm, lens: str, shot: str = "") -> ShotPlan:
    write(tiny, "auto", lens, shot)
    return plan_film(load(tiny.path), RenderOptions(out=tiny.out)).plans["020"]


@pytest.mark.parametrize("kind", ["exr", "exr-parts"])
def test_overscan_is_the_data_window_about_the_same_picture(tiny: TinyFilm, kind: str) -> None:
    plain, wide = drawn(tiny, kind, ""), drawn(tiny, kind, "overscan = 0.1\n")
    parts = OpenEXR.File(str(wide["layers.exr"]), separate_channels=True).parts
    for part in parts:
        data, display = (np.array(part.header[name]).tolist() for name in ("dataWindow", "displayWindow"))
        assert data == [[-10, -6], [105, 59]]  # 9.6 and 5.4 pixels, rounded up
        assert display == [[0, 0], [95, 53]]
    before, _ = read_exr(plain["layers.exr"])
    after, _ = read_exr(wide["layers.exr"])
    assert before.keys() == after.keys() and len(before) >= 5
    for name, values in before.items():
        assert after[name].shape == (66, 116)
        assert np.array_equal(after[name][6:60, 10:106], values), name
    assert np.array_equal(read_picture(plain["beauty.png"])[0], read_picture(wide["beauty.png"])[0])


def test_a_lens_bends_the_picture_and_changes_its_key(tiny: TinyFilm) -> None:
    straight, bent = keys(tiny, ""), keys(tiny, LENS)
    assert not set(straight.keys.values()) & set(bent.keys.values())
    assert bent.cameras[1016].distortion is not None
    pictures = [read_picture(drawn(tiny, "auto", lens)["beauty.png"])[0] for lens in ("", LENS)]
    assert (pictures[0] != pictures[1]).any()


def test_ids_are_of_the_same_samples_as_the_blurred_alpha(tiny: TinyFilm) -> None:
    sharp, blurred = (
        read_exr(drawn(tiny, "exr", f"shutter_angle = {angle}\nsamples = 16\n")["layers.exr"])[0] for angle in (0, 360)
    )
    ranks = [f"crypto_object0{layer}.{channel}" for layer in range(3) for channel in ("G", "A")]
    for channels in (sharp, blurred):
        coverage = sum(channels[name] for name in ranks)
        assert np.abs(coverage - channels["A"].astype(np.float32)).max() < 1e-3  # half of 1 is right to 5e-4
    assert np.abs(blurred["A"].astype(np.float32) - sharp["A"].astype(np.float32)).max() > 0.05
    write(tiny, "exr", "shutter_angle = 360\n")
    plan = plan_film(load(tiny.path), RenderOptions(out=tiny.out, passes=("beauty", "id"))).plans["010"]
    plain = plan_film(load(tiny.path), RenderOptions(out=tiny.out, passes=("beauty", "depth"))).plans["010"]
    assert plan.keys == plain.keys, "what becomes of a frame is not in its key"


def test_a_shot_s_own_lens_wins_over_the_film_s_and_that_over_the_camera_file_s(tiny: TinyFilm) -> None:
    text = camera_file((1001, [3, -3, 1]))
    own = '"focal_mm": 24.0, "overscan": 0.5, "distortion": {"model": "kannala-brandt", "coefficients": [0.01]}'
    (tiny.folder / "still.json").write_text(text.replace('"focal_mm": 24.0', own))
    camera = keys(tiny, "").cameras[1016]
    assert camera.distortion is not None and camera.distortion.model == "kannala-brandt"
    assert camera.overscan == (48, 27, 48, 27)
    camera = keys(tiny, LENS + "overscan = 0.25\n", "lens = { overscan = 0 }\n").cameras[1016]
    assert camera.distortion is not None and camera.distortion.coefficients == (-0.15, 0.02)
    assert camera.overscan == (0, 0, 0, 0)
    camera = keys(tiny, "squeeze = 2\n", "lens = { squeeze = 1.5 }\n").cameras[1016]
    assert camera.lens is not None and camera.lens.squeeze == 1.5


@pytest.mark.parametrize(
    ("lens", "place", "message"),
    [
        ("overscan = 1.5\n", "film.lens.overscan", "found 1.5, expected a number from 0 to 1"),
        (
            'distortion = { model = "brown" }\n',
            "film.lens.distortion.model",
            'found "brown", expected one of brown-',
        ),
        (
            'distortion = { model = "brown-conrady" }\n',
            "film.lens.distortion.coefficients",
            "missing, expected [k1, k2",
        ),
        (LENS.replace("0.02", '"k2"'), "film.lens.distortion.coefficients", 'found "k2" among the numbers'),
        (LENS.replace("0.02", "nan"), "film.lens.distortion.coefficients", "found nan among the numbers"),
        (
            LENS.replace("0.02", "1, 2, 3, 4, 5, 6, 7, 8"),
            "film.lens.distortion.coefficients",
            "expected 1 to 8 numbers",
        ),
        (LENS.replace("0.02", "12000"), "film.lens.distortion.coefficients", "k2 = 12000: expected at most 10000"),
        ("t_stop = 2\n", "film.lens.t_stop", "unknown key"),
        ("distortion = 3\n", "film.lens.distortion", "found 3, expected a table"),
    ],
)
def test_a_lens_that_cannot_be_is_refused_at_its_place(tiny: TinyFilm, lens: str, place: str, message: str) -> None:
    write(tiny, "auto", lens)
    with pytest.raises(InputError) as refused:
        load(tiny.path)
    found = [(problem.place, problem.message) for problem in refused.value.problems]
    assert any(where == place and message in said for where, said in found), found


@pytest.mark.parametrize(
    ("lens", "message"),
    [
        ('"overscan": -0.1', "expected a part of the picture from 0 to 1, found -0.1"),
        ('"distortion": {"model": "kannala_brandt", "coefficients": [0]}', "expected brown-conrady or kannala-brandt"),
        ('"distortion": {"model": "kannala-brandt", "coefficients": [1, 2, 3, 4, 5]}', "expected 1 to 4 numbers"),
        ('"distortion": {"model": "kannala-brandt", "coefficients": ["a"]}', "expected a number"),
        ('"distortion": {"model": "kannala-brandt"}', "missing: coefficients"),
    ],
)
def test_a_camera_file_s_lens_is_judged_too(tiny: TinyFilm, lens: str, message: str) -> None:
    text = camera_file((1001, [3, -3, 1]))
    (tiny.folder / "still.json").write_text(text.replace('"focal_mm": 24.0', f'"focal_mm": 24.0, {lens}'))
    with pytest.raises(InputError, match=message):
        keys(tiny, "")
