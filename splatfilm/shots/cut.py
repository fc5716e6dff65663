"""The cut: the newest finished take of every shot, in film order, as one H.264 file that plays everywhere.

The cut is a pure function of its frames' pixels, and is made anew only when these or the encoder's settings change.
Every shot begins with a key frame, so an editor can cut at it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.files import atomic_path, read_json, write_json
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import Progress
from splatfilm.render.backends import threads_wanted
from splatfilm.shots.names import spell_frames
from splatfilm.shots.pictures import Pixels, eight_bit, hash_pixels, read_picture
from splatfilm.shots.takes import Take
from splatfilm.shots.video import ENCODER, Reel, Strip, encode_strips

FORMAT = "splatfilm-cut"
VERSION = 2


@dataclass(frozen=True)
class CutShot:
    """One shot in the cut: the take whose beauty frames it shows."""

    name: str
    take: Take
    frames: tuple[int, ...]


@dataclass(frozen=True)
class CutResult:
    """The cut on disk. `made` is False when it was there already, made of the same frames."""

    path: Path
    frames: int
    made: bool


def make_cut(path: Path, shots: Sequence[CutShot], reel: Reel, progress: Progress) -> CutResult:
    """Write the cut to `path`, unless it is there and up to date.

    Raises `InputError` when a take lacks frames or its frames have another size, `StorageError` when the disk refuses.
    """
    _check(shots, reel)
    count = sum(len(shot.frames) for shot in shots)
    key = cut_key(shots, reel)
    record_path = path.with_suffix(".cut.json")
    if _is_current(path, record_path, key):
        return CutResult(path, count, False)
    if reel.encoded_size != reel.size:
        width, height = reel.encoded_size
        progress.say(f"the cut is {width}x{height}: video needs even sides, so the last row or column is doubled")
    progress.start("cut", count, "frames")
    with contextlib.suppress(OSError):
        record_path.unlink(missing_ok=True)
    with atomic_path(path) as temporary:
        encode_strips(temporary, [_strip(shot) for shot in shots], reel, progress.advance, threads_wanted())
    progress.finish(str(path))
    stat = path.stat()
    record = {
        "format": FORMAT,
        "version": VERSION,
        "key": key,
        "file": path.name,
        "bytes": stat.st_size,
        "mtime_ns": stat.st_mtime_ns,
        "frames": count,
        "rate": str(reel.rate),
        "size": list(reel.size),
        "timecode": reel.timecode,
        "shots": [{"shot": s.name, "take": s.take.name, "frames": [s.frames[0], s.frames[-1]]} for s in shots],
        "encoder": ENCODER,
    }
    write_json(record_path, record)
    return CutResult(path, count, True)


def cut_key(shots: Sequence[CutShot], reel: Reel) -> str:
    """The hash of everything that decides the cut's bytes with one build of the encoder."""
    return hash_value(
        {
            "format": [FORMAT, VERSION],
            "frames": [[s.take.frame(f).pictures["beauty"].sha256 for f in s.frames] for s in shots],
            "shots": [s.name for s in shots],
            "reel": [reel.title, reel.rate, list(reel.size), reel.timecode],
            "encoder": ENCODER,
        }
    )


def _is_current(path: Path, record_path: Path, key: str) -> bool:
    if not (path.is_file() and record_path.is_file()):
        return False
    with contextlib.suppress(InputError, KeyError, TypeError, OSError):
        record = read_json(record_path)
        stat = path.stat()
        return [record["key"], record["bytes"], record["mtime_ns"]] == [key, stat.st_size, stat.st_mtime_ns]
    return False


def _check(shots: Sequence[CutShot], reel: Reel) -> None:
    problems: list[Problem] = []
    for shot in shots:
        where = str(shot.take.folder)
        missing = [f for f in shot.frames if f not in shot.take.frames]
        if missing:
            problems.append(
                Problem(where, "", f"frames {spell_frames(missing)} of shot {shot.name} are not in this take")
            )
        size = tuple(shot.take.header.get("size", reel.size))
        if size != reel.size:
            expected = f"{reel.size[0]}x{reel.size[1]}"
            problems.append(
                Problem(where, "", f"the take is {size[0]}x{size[1]}, the cut is {expected}: render it again")
            )
    if problems:
        raise InputError(problems)


def _strip(shot: CutShot) -> Strip:
    """The beauty pixels of a shot. A frame whose pixels changed is refused."""

    def read(place: int) -> Pixels:
        picture = shot.take.frame(shot.frames[place]).pictures["beauty"]
        pixels, _ = read_picture(shot.take.folder / picture.file)
        if hash_pixels(pixels) != picture.sha256:
            raise InputError.at(shot.take.folder / picture.file, "its pixels are not the ones that were rendered")
        return eight_bit(pixels)

    return Strip(len(shot.frames), read)
