"""Finished frames on disk as what measures look at: whole where every bit counts, small everywhere else.

A full-HD picture takes 40 ms to decode and 25 MB as floats. It is decoded when it is asked for and then let go; what is
remembered of it is the picture at the size that is measured at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.compare.memory import MEMORY
from splatfilm.compare.views import Clip, Picture, Sizable, brought_down, from_bytes, to_bytes
from splatfilm.shots.exr import SUFFIX, hash_channels, read_exr
from splatfilm.shots.pictures import eight_bit, hash_pixels, read_picture
from splatfilm.shots.takes import Take

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture file's pixels in eight bits, and the hash of what it holds, as a take's manifest records it."""

    pixels: Bytes  # [H, W, 3]
    sha256: str


class Files(Sizable[Bytes]):
    """Picture files in eight bits, decoded when they are asked for. Raises `InputError` for a damaged one."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)

    def __len__(self) -> int:
        return len(self._files)

    def at(self, place: int) -> Bytes:
        return _decoded(self._files[place]).pixels

    def small(self, place: int, size: tuple[int, int]) -> Bytes:
        return self.decoded(place, size).pixels

    def decoded(self, place: int, size: tuple[int, int] | None) -> Decoded:
        """A picture, brought down to `size` where that is given, with the hash of what its file holds."""
        file = self._files[place]
        if size is None:
            return _decoded(file)

        def make() -> Decoded:
            whole = _decoded(file)
            return Decoded(np.ascontiguousarray(brought_down(whole.pixels, size)), whole.sha256)

        return MEMORY.once((str(file), _stamp(file), size), make)


class TakeFrames(Sizable[Picture]):
    """The beauty frames of a take by place, ascending by scene frame, decoded when they are asked for.

    Raises `InputError` for a damaged one.
    """

    def __init__(self, take: Take) -> None:
        records = [take.frames[frame].pictures["beauty"] for frame in sorted(take.frames)]
        self._files = Files([take.folder / record.file for record in records])
        self._recorded = tuple(record.sha256 for record in records)

    def __len__(self) -> int:
        return len(self._files)

    def at(self, place: int) -> Picture:
        return from_bytes(self._files[place])

    def small(self, place: int, size: tuple[int, int]) -> Bytes:
        return self._files.small(place, size)

    def is_as_recorded(self, place: int, size: tuple[int, int] | None = None) -> bool:
        """Whether the file holds the pixels that were rendered; `size`: at which it is looked at anyway."""
        try:
            return self._files.decoded(place, size).sha256 == self._recorded[place]
        except InputError:
            return False


class OwnFrames(Sizable[Picture]):
    """A shot's bare pictures: finished ones where they are what was planned and rendered, else `draw`n.

    `places` gives for each frame its place in `finished`; None where there is none, or not the planned one.
    """

    def __init__(
        self, finished: TakeFrames | None, places: tuple[int | None, ...], draw: Callable[[int], Picture]
    ) -> None:
        self._finished, self._places, self._draw = finished, places, draw
        self._own = object()  # whose drawn pictures those are that are remembered

    def __len__(self) -> int:
        return len(self._places)

    def at(self, place: int) -> Picture:
        there = self._there(place, None)
        return self._draw(place) if there is None else there[0].at(there[1])

    def small(self, place: int, size: tuple[int, int]) -> Bytes:
        if (there := self._there(place, size)) is not None:
            return there[0].small(there[1], size)
        key = (self._own, place, size)
        return MEMORY.once(key, lambda: brought_down(to_bytes(self._draw(place)), size))

    def _there(self, place: int, size: tuple[int, int] | None) -> tuple[TakeFrames, int] | None:
        finished, there = self._finished, self._places[place]
        if finished is None or there is None or not finished.is_as_recorded(there, size):
            return None
        return finished, there


def take_clip(take: Take) -> Clip:
    """The frames of a take on disk."""
    return Clip(TakeFrames(take))


def _decoded(file: Path) -> Decoded:
    if file.suffix == SUFFIX:
        channels, _ = read_exr(file)
        named = {name.rsplit("/", 1)[-1]: values for name, values in channels.items()}
        return Decoded(_display(np.stack([named[c].astype(np.float64) for c in "RGB"], -1)), hash_channels(channels))
    pixels, _ = read_picture(file)
    return Decoded(eight_bit(pixels), hash_pixels(pixels))


def _display(linear: NDArray[np.float64]) -> Bytes:
    """A beauty pass that was written as linear EXR, back in sRGB (IEC 61966-2-1)."""
    low = np.clip(linear, 0, None)
    picture = np.where(low <= 0.0031308, low * 12.92, 1.055 * low ** (1 / 2.4) - 0.055)
    return to_bytes(picture.astype(np.float32))


def _stamp(file: Path) -> tuple[int, int] | None:
    """What tells that a file is no longer the one that was looked at."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
