"""Frames to disk beside the renderer: a few threads encode and write while the next frames are drawn.

The queue is bounded, so a slow disk slows the renderer rather than filling the memory. A frame enters the take's
journal once all its pictures are whole under their final names. The first error stops everything and comes out where
frames are handed in; an interruption lets the frames that were already drawn be finished.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from splatfilm import __version__
from splatfilm.base.errors import StorageError
from splatfilm.base.files import write_bytes
from splatfilm.cameras.camera import Margins
from splatfilm.film.model import Colour
from splatfilm.shots.exr import hash_channels, qualified, write_exr
from splatfilm.shots.files import PictureFile
from splatfilm.shots.layers import parts_of, values_of
from splatfilm.shots.names import picture_name
from splatfilm.shots.pictures import (
    KEY_TEXT,
    PICTURE_TEXT,
    PIXELS_TEXT,
    Pixels,
    encode_png,
    hash_pixels,
    is_saturated,
    quantise,
)
from splatfilm.shots.takes import FrameRecord, Journal, PictureRecord
from splatfilm.shots.wanted import Wanted

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.render.passes import PassFrame

WRITERS = 2  # threads; encoding 1920x1080 takes one of them about 60 ms
QUEUE = 4  # frames drawn ahead of the writers
QUEUE_BYTES = 512 << 20  # and no more of them than this, so that large frames do not pile up; one may always wait
SOFTWARE = f"splatfilm {__version__}"


@dataclass(frozen=True)
class Destination:
    """Where the frames of one take go and what they are called."""

    folder: Path
    film: str
    shot: str
    take: int

    def name(self, picture: PictureFile, frame: int) -> str:
        return picture_name(self.film, self.shot, picture.name, self.take, frame, picture.suffix)


@dataclass(frozen=True, eq=False)
class FrameJob:
    """What is to become of one drawn frame: the scene frames that it is, the files, and what each of them says."""

    numbers: tuple[int, ...]
    key: str
    pictures: tuple[PictureFile, ...]
    wanted: Mapping[int, Wanted]  # by scene frame
    colour: Colour = "linear-srgb"
    overscan: Margins = (0, 0, 0, 0)  # what was drawn beyond the picture, which only EXR files hold

    @property
    def objects(self) -> tuple[str, ...]:
        """The names that ids stand for."""
        request = self.wanted[self.numbers[0]].request
        return request.objects if request else ()


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A frame as it waits to be written: pixels of PNG pictures, values of the passes that go into EXR files."""

    pixels: Mapping[str, Pixels]
    values: Mapping[str, NDArray[Any]]

    @property
    def size(self) -> int:  # bytes
        return sum(array.nbytes for array in (*self.pixels.values(), *self.values.values()))


class FrameWriter:
    """Use as a context manager; `put` frames; after the block `records` holds every frame that was written."""

    def __init__(self, destination: Destination, journal: Journal) -> None:
        self.records: dict[int, FrameRecord] = {}
        self._destination = destination
        self._journal = journal
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="write-frames")
        self._pending: deque[tuple[Future[list[FrameRecord]], int]] = deque()  # with the bytes that wait

    def put(self, job: FrameJob, frame: Frame | PassFrame) -> None:
        """Hand in a drawn frame and what is to become of it; blocks while the queue is full.

        Raises what writing an earlier frame raised.
        """
        exr_passes = [name for picture in job.pictures if picture.is_exr for name in picture.passes]
        prepared = _Prepared(
            {
                p.name: within(quantise(p.name, frame, 16 if p.kind == "png16" else 8), job.overscan)
                for p in job.pictures
                if not p.is_exr
            },
            values_of(frame, exr_passes),
        )
        while self._pending and (self._is_full(prepared.size) or self._pending[0][0].done()):
            self._collect()
        self._pending.append((self._pool.submit(self._write, job, prepared), prepared.size))

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._pending:
                if error is None:
                    self._collect()
                elif (failed := self._pending.popleft()[0].exception()) is not None:
                    error.add_note(f"and while frames were being written: {failed}")
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _is_full(self, more: int) -> bool:
        return len(self._pending) >= QUEUE or sum(size for _, size in self._pending) + more > QUEUE_BYTES

    def _collect(self) -> None:
        self.records.update({record.frame: record for record in self._pending.popleft()[0].result()})

    def _write(self, job: FrameJob, prepared: _Prepared) -> list[FrameRecord]:
        saturated = tuple(name for name, pixels in prepared.pixels.items() if is_saturated(name, pixels))
        pictures: dict[int, dict[str, PictureRecord]] = {number: {} for number in job.numbers}
        for picture in job.pictures:
            for number, written in self._write_picture(job, picture, prepared).items():
                pictures[number][picture.name] = written
        records = [FrameRecord(number, job.key, pictures[number], saturated) for number in job.numbers]
        for record in records:
            self._journal.add(record)
        return records

    def _write_picture(
        self, job: FrameJob, picture: PictureFile, prepared: _Prepared
    ) -> dict[int, PictureRecord]:  # by scene frame
        """One picture under the name of every frame it is of: one file and links to it where all of them are alike."""
        if picture.is_exr:
            parts = parts_of(picture, prepared.values, job.colour, job.objects)
            digest = hash_channels(qualified(parts))
        else:
            pixels = prepared.pixels[picture.name]
            digest = hash_pixels(pixels)
        written: dict[str | None, PictureRecord] = {}  # by key
        records: dict[int, PictureRecord] = {}
        for number in job.numbers:
            key = job.wanted[number].keys.get(picture.name)
            record = PictureRecord(self._destination.name(picture, number), digest, key)
            path = self._destination.folder / record.file
            said = {KEY_TEXT: job.key, PIXELS_TEXT: digest, **({} if key is None else {PICTURE_TEXT: key})}
            if key in written:
                share_picture(self._destination.folder / written[key].file, path)
            elif picture.is_exr:
                write_exr(path, parts, {**job.wanted[number].headers[picture.name], **said, "software": SOFTWARE})
                make_read_only(path)
            else:
                write_bytes(path, encode_png(pixels, said))
                make_read_only(path)
            records[number] = written[key] = record
        return records


def within(pixels: Pixels, overscan: Margins) -> Pixels:  # [H, W, ...]
    """The picture without the overscan about it."""
    left, top, right, bottom = overscan
    height, width = pixels.shape[:2]
    return cast("Pixels", np.ascontiguousarray(pixels[top : height - bottom, left : width - right]))


def share_pictures(source: Path, existing: FrameRecord, folder: Path, wanted: FrameRecord) -> None:
    """Give a take the pictures of a frame that exists elsewhere: a hard link where the disk can, else a copy.

    Raises `StorageError`.
    """
    for name, picture in wanted.pictures.items():
        share_picture(source / existing.pictures[name].file, folder / picture.file)


def share_picture(origin: Path, final: Path) -> None:
    """One file under another name as well. Raises `StorageError`."""
    with contextlib.suppress(OSError):
        final.unlink(missing_ok=True)
        os.link(origin, final)
        return
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
