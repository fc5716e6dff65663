"""What is held to the bit is looked at whole; what is a matter of degree is measured, and kept, small."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_film import build_film

from splatfilm.compare import memory
from splatfilm.compare.finished import Files
from splatfilm.compare.supervise import Supervising, Supervision, supervise
from splatfilm.compare.truth import TruthOptions, film_truth
from splatfilm.compare.views import Chosen, kept_size, scaled_clip, scaled_truth, small_of, working_size
from splatfilm.film import load
from splatfilm.shots import RenderOptions, render_shots


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    render_shots(load(build_film(folder)), RenderOptions(out=folder / "out"))
    return folder


@pytest.fixture
def film_folder(rendered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rendered, tmp_path / "film"))


def supervised(folder: Path, width: int | None) -> Supervision:
    return supervise(load(folder / "film.toml"), Supervising(TruthOptions(folder / "out"), pairs=4, width=width))


def change_one_value(path: Path, by: int) -> None:
    """One value of one pixel, in the file of a finished frame."""
    pixels = np.asarray(Image.open(path)).copy()
    pixels[50, 90, 1] = int(pixels[50, 90, 1]) + (by if pixels[50, 90, 1] < 128 else -by)
    path.unlink()
    Image.fromarray(pixels).save(path)


def frame(folder: Path, shot: str, place: int) -> Path:
    return sorted((folder / "out/small/shots" / shot / "v001").glob("*beauty*.png"))[place]


def test_a_film_is_held_to_the_bit_whole_and_measured_small(film_folder: Path) -> None:
    found = supervised(film_folder, 128)
    assert found.holds and (found.size, found.working) == ((192, 108), (128, 72))
    reached = {finding.kind: finding.reached for finding in found.findings}
    assert reached == {"frames": 1.0, "cut": 1.0, "follow-up": 1.0, "revisit": math.inf}
    assert set(found.against_scene.values()) == {math.inf}
    stored = json.loads(found.files[0].read_text())
    assert stored["size"] == [192, 108] and stored["working_size"] == [128, 72]


def test_a_film_no_wider_than_the_working_width_is_measured_as_it_is(film_folder: Path) -> None:
    assert supervised(film_folder, None).working == (192, 108)
    assert working_size((192, 108), 640) == (192, 108) and working_size((1920, 1080), 640) == (640, 360)


def test_one_value_that_differs_by_one_level_fails_its_frame_and_its_revisit(film_folder: Path) -> None:
    change_one_value(frame(film_folder, "030_wide_again", 1), 1)
    found = supervised(film_folder, 64)
    frames = {finding.a: finding for finding in found.findings if finding.kind == "frames"}
    assert [name for name, finding in frames.items() if finding.verdict == "fails"] == ["030_wide_again"]
    assert "1 of 3 frames are not what the scene gives, by up to 1 levels, first 1021" in frames["030_wide_again"].why
    (revisit,) = [finding for finding in found.findings if finding.kind == "revisit"]
    assert revisit.verdict == "fails" and revisit.why == "2 of 3 frames exact"
    assert revisit.reached == pytest.approx(-10 * math.log10((1 / 255) ** 2 / (192 * 108 * 3)), abs=0.01)


def test_no_view_is_kept_larger_than_it_is_measured(film_folder: Path) -> None:
    supervised(film_folder, 64)
    views = list((film_folder / "out/small/continuity/views").iterdir())
    assert views
    for path in views:
        with np.load(path) as view:
            assert set(view.files) == {"depth", "ids"} and view["depth"].shape == (36, 64)


def test_a_frame_that_was_painted_over_is_not_taken_for_the_scene(film_folder: Path) -> None:
    film, options = load(film_folder / "film.toml"), TruthOptions(film_folder / "out", stored=True)
    good = film_truth(film, options)["010_wide"].clip().frames[1]
    change_one_value(frame(film_folder, "010_wide", 1), 90)
    again = film_truth(film, options)["010_wide"]
    assert np.array_equal(again.clip().frames[1], good)
    small = scaled_truth(again, 96, 54)
    assert np.array_equal(small.clip().frames[1], scaled_clip(again.clip(), (96, 54)).frames[1])
    assert np.array_equal(small.views[1].picture, small.clip().frames[1])


def test_a_file_is_decoded_once_for_a_size_until_it_changes(film_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splatfilm.compare.finished.MEMORY", memory.Memory())
    path = frame(film_folder, "010_wide", 0)
    pictures = Files([path])
    first = pictures.small(0, (96, 54))
    assert first.shape == (54, 96, 3) and pictures.small(0, (96, 54)) is first
    assert small_of(Chosen(pictures, (0, 0)), 1, (96, 54)) is first
    change_one_value(path, 100)
    assert not np.array_equal(pictures.small(0, (96, 54)), first)


def test_clips_are_kept_as_large_as_a_pane_or_as_they_are_measured() -> None:
    assert kept_size((1920, 1080)) == (640, 360)
    assert kept_size((1920, 1080), 960) == (960, 540)
    assert kept_size((320, 180)) == (320, 180)
    assert kept_size((1080, 1920)) == (203, 361), "a portrait film is shown 360 high"
