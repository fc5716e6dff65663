"""Frames to disk beside the renderer: a few threads encode and write while the next frames are drawn.

The queue is bounded, so a slow disk slows the renderer rather than filling the memory. A frame enters the take's
journal once all its pictures are whole under their final names. The first error stops everything and comes out where
frames are handed in; an interruption lets the frames that were already drawn be finished.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from splatfilm.base.errors import StorageError
from splatfilm.base.files import write_bytes
from splatfilm.shots.names import picture_name
from splatfilm.shots.pictures import (
    KEY_TEXT,
    PIXELS_TEXT,
    Pixels,
    encode_png,
    hash_pixels,
    is_saturated,
    quantise,
)
from splatfilm.shots.takes import FrameRecord, Journal, PictureRecord

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame

WRITERS = 2  # threads; encoding 1920x1080 takes one of them about 60 ms
QUEUE = 4  # frames drawn ahead of the writers


@dataclass(frozen=True)
class Destination:
    """Where the frames of one take go and what they are called."""

    folder: Path
    film: str
    shot: str
    take: int

    def name(self, pass_name: str, frame: int) -> str:
        return picture_name(self.film, self.shot, pass_name, self.take, frame)


class FrameWriter:
    """Use as a context manager; `put` frames; after the block `records` holds every frame that was written."""

    def __init__(self, destination: Destination, journal: Journal) -> None:
        self.records: dict[int, FrameRecord] = {}
        self._destination = destination
        self._journal = journal
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="write-frames")
        self._pending: deque[Future[list[FrameRecord]]] = deque()

    def put(self, numbers: Sequence[int], key: str, passes: Sequence[str], frame: Frame) -> None:
        """Hand in a drawn frame and the scene frames that it is; blocks while the queue is full.

        Raises what writing an earlier frame raised.
        """
        pixels = {name: quantise(name, frame) for name in passes}
        while len(self._pending) >= QUEUE or (self._pending and self._pending[0].done()):
            self._collect()
        self._pending.append(self._pool.submit(self._write, tuple(numbers), key, pixels))

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._pending:
                if error is None:
                    self._collect()
                elif (failed := self._pending.popleft().exception()) is not None:
                    error.add_note(f"and while frames were being written: {failed}")
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _collect(self) -> None:
        self.records.update({record.frame: record for record in self._pending.popleft().result()})

    def _write(self, numbers: tuple[int, ...], key: str, pixels: Mapping[str, Pixels]) -> list[FrameRecord]:
        saturated = tuple(name for name, values in pixels.items() if is_saturated(name, values))
        digests = {name: hash_pixels(values) for name, values in pixels.items()}
        for name, values in pixels.items():
            path = self._destination.folder / self._destination.name(name, numbers[0])
            write_bytes(path, encode_png(values, {KEY_TEXT: key, PIXELS_TEXT: digests[name]}))
            make_read_only(path)
        records: list[FrameRecord] = []
        for number in numbers:
            pictures = {name: PictureRecord(self._destination.name(name, number), digests[name]) for name in pixels}
            record = FrameRecord(number, key, pictures, saturated)
            if records:
                share_pictures(self._destination.folder, records[0], self._destination.folder, record)
            self._journal.add(record)
            records.append(record)
        return records


def share_pictures(source: Path, existing: FrameRecord, folder: Path, wanted: FrameRecord) -> None:
    """Give a take the pictures of a frame that exists elsewhere: a hard link where the disk can, else a copy.

    Raises `StorageError`.
    """
    for name, picture in wanted.pictures.items():
        origin, final = source / existing.pictures[name].file, folder / picture.file
        with contextlib.suppress(OSError):
            final.unlink(missing_ok=True)
            os.link(origin, final)
            continue
        try:
            data = origin.read_bytes()
        except OSError as error:
            raise StorageError(f"{origin}: cannot be read: {error.strerror or error}") from error
        write_bytes(final, data)
        make_read_only(final)


def make_read_only(path: Path) -> None:
    """Hinder programs from writing into a finished frame, which other takes may share through hard links."""
    with contextlib.suppress(OSError):
        path.chmod(path.stat().st_mode & 0o555)
