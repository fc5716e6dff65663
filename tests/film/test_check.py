"""The deep check: camera files, captures and splats that a film names, all problems at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.cameras import CameraKey, CameraPath
from splatfilm.film import FrameRange
from splatfilm.film.check import Readers, check, uncovered
from splatfilm.film.report import film_report


def camera_file(path: Path, *frames: float, focal_mm: tuple[float, float] = (35, 35)) -> None:
    """A camera that moves from the first to the last of `frames`."""
    keys = [
        {"frame": frame, "position": [index, 0, 1.6], "look_at": [0, 5, 1], "focal_mm": focal_mm[index > 0]}
        for index, frame in enumerate(frames)
    ]
    path.write_text(json.dumps({"format": "splatfilm-camera", "version": 1, "keys": keys}))


@pytest.fixture
def film_with_cameras(film_file: Path) -> Path:
    """The valid film, with camera files that last as long as its shots."""
    camera_file(film_file.parent / "wide.json", 1001, 1048)
    camera_file(film_file.parent / "cameras" / "close.json", 1049, 1120, focal_mm=(40, 80))
    return film_file


def content(_: Path) -> Iterable[str]:
    """A reader that finds nothing wrong."""
    return ()


def refusing(path: Path) -> Iterable[str]:
    """A reader that finds everything wrong."""
    raise InputError.at(path, "refused")


GOOD = Readers(content, content)


def test_a_good_film_has_no_problems(film_with_cameras: Path) -> None:
    found = check(film_with_cameras, GOOD)
    assert found.problems == found.remarks == ()
    assert found.film is not None and found.film.name == "kitchen"


def test_every_asset_file_is_read_once_and_its_problems_and_remarks_are_kept(film_with_cameras: Path) -> None:
    read: list[str] = []

    def remarking(path: Path) -> Iterable[str]:
        read.append(path.name)
        return ["two photographs have no file"]

    found = check(film_with_cameras, Readers(remarking, refusing))
    folder = film_with_cameras.parent
    assert read == ["flat"], "two looks come from this capture"
    assert found.remarks == ((str(folder / "captures/flat"), "two photographs have no file"),)
    assert [str(problem) for problem in found.problems] == [f"{folder / 'mug.ply'}: refused"]


def test_a_camera_that_ends_before_its_shot_is_a_problem_of_the_shot(film_with_cameras: Path) -> None:
    camera_file(film_with_cameras.parent / "wide.json", 1001, 1040.5)
    camera_file(film_with_cameras.parent / "cameras" / "close.json", 1050, 1120)
    problems = check(film_with_cameras, GOOD).problems
    assert [(problem.path, problem.line, problem.place, problem.message) for problem in problems] == [
        (
            str(film_with_cameras),
            48,
            "shots[0].camera",
            "the camera's move ends before the shot does: it is keyed on scene frames 1001 to 1040.5, "
            "the shot shows 1001 to 1048",
        ),
        (
            str(film_with_cameras),
            54,
            "shots[1].camera",
            "the camera's move begins after the shot does: it is keyed on scene frames 1050 to 1120, "
            "the shot shows 1049 to 1120",
        ),
    ]


def test_a_camera_with_one_key_covers_every_shot() -> None:
    still = CameraKey(1001, (0, 0, 1), look_at=(0, 1, 1))
    moved = CameraKey(1010, (1, 0, 1), look_at=(0, 1, 1))
    assert uncovered(CameraPath((still,)), FrameRange(2000, 3000)) is None
    assert uncovered(CameraPath((still, moved)), FrameRange(1001, 1010)) is None
    assert "ends before" in str(uncovered(CameraPath((still, moved)), FrameRange(1001, 1011)))
    assert "begins after" in str(uncovered(CameraPath((still, moved)), FrameRange(1000, 1010)))


def test_problems_of_all_files_come_at_once(film_with_cameras: Path) -> None:
    folder = film_with_cameras.parent
    (folder / "wide.json").write_text('{"format": "splatfilm-camera", "version": 1, "keys": []}')
    (folder / "cameras" / "close.json").write_text("{")
    film_with_cameras.write_text(film_with_cameras.read_text().replace('rate = "24000/1001"', "rate = 0"))
    found = check(film_with_cameras, Readers(refusing, refusing))
    assert found.film is None
    files = [Path(problem.path).relative_to(folder).as_posix() for problem in found.problems]
    assert files == ["film.toml", "captures/flat", "mug.ply", "wide.json", "cameras/close.json"]


def test_what_is_never_used_is_remarked(film_with_cameras: Path) -> None:
    more = '[assets.attic]\nkind = "set"\nlooks.day.splats = "mug.ply"\n[scenes.night]\nset = "flat"\nframes = [1, 2]\n'
    film_with_cameras.write_text(film_with_cameras.read_text() + more)
    assert [remark for _, remark in check(film_with_cameras, GOOD).remarks] == [
        'the asset "attic" stands in no scene',
        'the scene "night" is in no shot',
    ]


def test_the_report_counts_frames_seconds_and_timecodes(film_with_cameras: Path) -> None:
    film = check(film_with_cameras, GOOD).film
    assert film is not None
    report = film_report(film)
    assert (report["frames"], report["rate"]) == (120, "24000/1001")
    assert report["seconds"] == pytest.approx(5.005)
    assert report["timecode"] == {"in": "10:00:00:00", "out": "10:00:05:00"}
    first, second = report["shots"]
    assert first["timecode"] == {"in": "10:00:00:00", "out": "10:00:02:00"}
    assert (second["timecode"]["in"], second["count"], second["camera"]) == ("10:00:02:00", 72, "cameras/close.json")
    assert [lens["focal_mm"] for lens in first["lens"]] == [35, 35]
    assert [lens["focal_mm"] for lens in second["lens"]] == [50, 50], "the shot's lens replaces the file's zoom"
    assert second["lens"][0]["filmback_mm"] == [24.89, 18.66]
    assert json.dumps(report)


def test_the_report_stands_even_when_a_camera_file_does_not(film_with_cameras: Path) -> None:
    film = check(film_with_cameras, GOOD).film
    assert film is not None
    (film_with_cameras.parent / "wide.json").write_text("{")
    assert film_report(film)["shots"][0]["lens"] is None
