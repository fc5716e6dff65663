"""Takes: the versions of a shot on disk, what each of them holds, and whether it is still whole.

A take is a folder `v001` of picture files. While it is being rendered, a journal gains one line a frame; when every
frame is there, `manifest.json` takes its place and the take is finished for good: nothing in it is written again. What
is asked of a finished take afterwards is answered from its manifest; whether its files are still the ones that were
written is told by their size and time, and by decoding them again where those are not known or differ.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, StorageError
from splatfilm.base.files import TEMPORARY_PREFIX, read_json, write_bytes, write_json
from splatfilm.shots.names import JOURNAL, MANIFEST, SEEN, take_name, take_number

FORMAT = "splatfilm-take"
VERSION = 1


@dataclass(frozen=True)
class PictureRecord:
    """One picture of one frame on disk: the file's name in the take's folder and the SHA-256 of its decoded pixels.

    `key` is the hash of what decides the picture, where the frame's key alone does not (`shots/wanted.py`).
    """

    file: str
    sha256: str
    key: str | None = None

    def as_json(self) -> dict[str, str]:
        value = {"file": self.file, "sha256": self.sha256}
        return value if self.key is None else {**value, "key": self.key}

    @classmethod
    def from_json(cls, value: Any) -> PictureRecord:
        """Raises `KeyError`, `TypeError` or `ValueError` when `value` is no such record."""
        key = value.get("key")
        return cls(_plain_name(value["file"]), str(value["sha256"]), None if key is None else str(key))


@dataclass(frozen=True)
class FrameRecord:
    """One frame of a take. `key` is the hash of everything that decided its pixels."""

    frame: int
    key: str
    pictures: Mapping[str, PictureRecord]  # by pass
    saturated: tuple[str, ...] = ()  # passes with values that the picture could not hold

    def as_json(self) -> dict[str, Any]:
        passes = {name: picture.as_json() for name, picture in self.pictures.items()}
        value: dict[str, Any] = {"frame": self.frame, "key": self.key, "passes": passes}
        return {**value, "saturated": list(self.saturated)} if self.saturated else value

    @classmethod
    def from_json(cls, value: Any) -> FrameRecord:
        """Raises `KeyError`, `TypeError` or `ValueError` when `value` is no such record."""
        pictures = {str(name): PictureRecord.from_json(item) for name, item in value["passes"].items()}
        return cls(int(value["frame"]), str(value["key"]), pictures, tuple(map(str, value.get("saturated", ()))))


@dataclass(frozen=True)
class Take:
    """One take as it stands on disk. `header` is what the manifest or the journal says beside the frames."""

    folder: Path
    number: int
    finished: bool
    frames: Mapping[int, FrameRecord]
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return take_name(self.number)

    def frame(self, frame: int) -> FrameRecord:
        return self.frames[frame]


def find_takes(shot_folder: Path) -> list[Take]:
    """Every take of a shot, oldest first. Raises `InputError` when a manifest cannot be read."""
    try:
        entries = [(number, entry) for entry in shot_folder.iterdir() if (number := take_number(entry.name))]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{shot_folder}: cannot be read: {error.strerror or error}") from error
    return [read_take(folder, number) for number, folder in sorted(entries)]


def newest_finished(shot_folder: Path) -> Take | None:
    """The take that the cut shows; None when no take is finished."""
    return next((take for take in reversed(find_takes(shot_folder)) if take.finished), None)


def read_take(folder: Path, number: int) -> Take:
    """The take in `folder`. Raises `InputError` when its manifest is damaged."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        header, frames = _read_journal(folder / JOURNAL)
        return Take(folder, number, False, frames, header)
    value = read_json(manifest)
    try:
        if value["format"] != FORMAT:
            raise ValueError(f"its format is {value['format']!r}")
        if value["version"] != VERSION:
            raise ValueError(f"its version is {value['version']!r}, this Splatfilm reads {VERSION}")
        records = [FrameRecord.from_json(item) for item in value["frames"]]
        header = {key: item for key, item in value.items() if key != "frames"}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError.at(
            manifest, f"not the manifest of a take: {error!s} (restore it, or move the take away)"
        ) from error
    return Take(folder, number, True, {record.frame: record for record in records}, header)


def tidy(shot_folder: Path) -> None:
    """Remove what killed processes left half-written in a shot's takes. Only for the process that holds the lock."""
    with contextlib.suppress(OSError):
        for take in [entry for entry in shot_folder.iterdir() if take_number(entry.name)]:
            sweep(take)
            if (take / MANIFEST).exists():
                (take / JOURNAL).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove files that a killed process left half-written in a folder."""
    with contextlib.suppress(OSError):
        for path in folder.glob(TEMPORARY_PREFIX + "*"):
            with contextlib.suppress(OSError):
                path.unlink()


class Journal:
    """The records of a take that is being rendered: a header line, then one line a frame, safe from a kill.

    A line is appended in one write, so a kill leaves at most one line cut short, which reading skips. Threads may share
    it.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.path = folder / JOURNAL
        self._lock = threading.Lock()
        if not self.path.exists():
            write_bytes(self.path, (json.dumps({"header": dict(header)}) + "\n").encode("utf-8"))
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_APPEND)
            if os.lseek(self._handle, 0, os.SEEK_END):
                os.lseek(self._handle, -1, os.SEEK_END)
                if os.read(self._handle, 1) != b"\n":
                    os.write(self._handle, b"\n")  # ends the line that a kill cut short
        except OSError as error:
            raise StorageError(f"{self.path}: cannot write: {error.strerror or error}") from error

    def add(self, record: FrameRecord) -> None:
        """Append one frame. Raises `StorageError`."""
        line = (json.dumps(record.as_json()) + "\n").encode("utf-8")
        with self._lock:
            try:
                written = os.write(self._handle, line)
            except OSError as error:
                raise StorageError(f"{self.path}: cannot write: {error.strerror or error}") from error
            if written != len(line):
                raise StorageError(f"{self.path}: cannot write: the disk is full")

    def close(self) -> None:
        os.close(self._handle)


def finish(take: Take, header: Mapping[str, Any]) -> Take:
    """Write the manifest of a take whose frames are all there, and drop its journal."""
    records = [take.frames[frame] for frame in sorted(take.frames)]
    value = {"format": FORMAT, "version": VERSION, **header, "frames": [record.as_json() for record in records]}
    write_json(take.folder / MANIFEST, value)
    Seen(take.folder).note(records)
    with contextlib.suppress(OSError):
        (take.folder / JOURNAL).unlink(missing_ok=True)
    return Take(take.folder, take.number, True, take.frames, dict(header))


class Seen:
    """Size and time of picture files when their pixels were last known to be right.

    Kept beside the manifest but not in it: it holds for this copy of the take on this disk only. Without it, or after
    the take was copied, pictures are decoded once more and it is written anew.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stats: dict[str, list[int]] = {}
        with contextlib.suppress(InputError):
            value = read_json(folder / SEEN)
            if isinstance(value, dict):
                self._stats = value

    def knows(self, picture: PictureRecord) -> bool:
        """True when the file still has the size and time that it had when its pixels were right."""
        found = _stat(self._folder / picture.file)
        return found is not None and self._stats.get(picture.file) == found

    def note(self, records: list[FrameRecord]) -> None:
        """Remember the files of `records` as they are now. A disk that refuses costs only time at the next check."""
        for record in records:
            for picture in record.pictures.values():
                stat = _stat(self._folder / picture.file)
                if stat is not None:
                    self._stats[picture.file] = stat
        with contextlib.suppress(StorageError):
            write_json(self._folder / SEEN, self._stats)


def _stat(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _read_journal(path: Path) -> tuple[dict[str, Any], dict[int, FrameRecord]]:
    """What a journal says; lines that a kill cut short are skipped. A take without one holds nothing yet."""
    header: dict[str, Any] = {}
    frames: dict[int, FrameRecord] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return header, frames
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from error
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            value = json.loads(line)
            if "header" in value:
                header = dict(value["header"])
            else:
                record = FrameRecord.from_json(value)
                frames[record.frame] = record
    return header, frames


def _plain_name(name: Any) -> str:
    """A manifest may only name files in its own folder."""
    text = str(name)
    if Path(text).name != text:
        raise ValueError(f"{text!r} is not a file in the take's folder")
    return text
