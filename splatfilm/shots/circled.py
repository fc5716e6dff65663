"""The circled take of a shot: the one that somebody chose, kept beside the takes. Nothing chosen means the newest."""

from __future__ import annotations

from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_json
from splatfilm.shots.takes import Take, find_takes, newest_finished

CIRCLED = "circled.json"


def circled_number(shot_folder: Path) -> int | None:
    """The number of the circled take; None when none is. Raises `InputError` when the note cannot be read."""
    path = shot_folder / CIRCLED
    if not path.exists():
        return None
    value = read_json(path)
    number = value.get("take") if isinstance(value, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise InputError.at(path, 'expected {"take": NUMBER} (delete the file to circle none)')
    return number


def circle(shot_folder: Path, number: int | None) -> None:
    """Circle a take, or none. Raises `InputError` listing the takes when there is no finished one of that number."""
    path = shot_folder / CIRCLED
    if number is None:
        path.unlink(missing_ok=True)
        return
    finished = [take.number for take in find_takes(shot_folder) if take.finished]
    if number not in finished:
        there = ", ".join(f"v{n:03d}" for n in finished) or "none"
        raise InputError.at(shot_folder, f"there is no finished take v{number:03d}; there is {there}")
    write_json(path, {"take": number})


def chosen_take(shot_folder: Path) -> Take | None:
    """The circled take where it is there and finished, else the newest finished one, else None."""
    number = circled_number(shot_folder)
    for take in find_takes(shot_folder):
        if take.number == number and take.finished:
            return take
    return newest_finished(shot_folder)
