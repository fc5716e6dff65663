"""One video per shot with every method in a grid, so that players cannot drift apart: one decoder, one clock.

Every frame is a key frame, so a page can go to any of them at once. Beside it a contact sheet: the first, second
quarter, middle, last quarter and last frame of every lane, as one picture.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from splatfilm.base.files import atomic_path, write_bytes
from splatfilm.base.hashing import hash_value
from splatfilm.compare.rows import Bytes, RowClip
from splatfilm.compare.views import PANE, small_of
from splatfilm.shots.video import Reel, encode_video

ATLAS_VERSION = 2
WIDEST, TALLEST = 4096, 2304  # px; what every decoder takes (H.264 level 5.1)
SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
SHEET_PANE = 320  # px wide: the first screen shows them larger than a contact sheet does
SHEET_FRAMES = 5
JPEG_QUALITY = 80

ENCODER = {
    "codec": "libx264",
    "preset": "veryfast",
    "crf": "13",
    "g": "1",
    "bf": "0",
    "profile": "high",
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0",
}


@dataclass(frozen=True)
class Lane:
    """One clip's place in the atlas."""

    method: str
    take: int
    clip: RowClip


@dataclass(frozen=True)
class Layout:
    """The grid: lane n stands in column n % columns, row n // columns."""

    columns: int
    rows: int
    pane: tuple[int, int]  # px, even


def lay_out(lanes: int, size: tuple[int, int]) -> Layout:
    """The grid that fits decoders with the largest panes. Raises `ValueError` for more lanes than fit at all."""
    fit = min(1.0, PANE[0] / size[0], PANE[1] / size[1])
    for scale in SCALES:
        width, height = (max(2, 2 * round(side * fit * scale / 2)) for side in size)
        columns = max(1, min(lanes, WIDEST // width, math.ceil(math.sqrt(lanes))))
        rows = math.ceil(lanes / columns)
        if rows * height <= TALLEST and columns * width <= WIDEST:
            return Layout(columns, rows, (width, height))
    raise ValueError(f"{lanes} takes of one shot do not fit on one page: leave methods out with --method")


def write_atlas(path: Path, lanes: Sequence[Lane], layout: Layout, rate: Fraction) -> Path:
    """The atlas of a shot, made where `path` is not there yet (its name tells what is in it)."""
    if not path.exists():
        size = layout.columns * layout.pane[0], layout.rows * layout.pane[1]
        reel = Reel("compare", rate, size, "00:00:00:00")
        with atomic_path(path) as temporary:
            encode_video(temporary, _pictures(lanes, layout), reel, lambda done: None, ENCODER)
    return path


def atlas_key(lanes: Sequence[Lane], layout: Layout) -> str:
    """The hash of what an atlas shows."""
    shown = [[lane.method, lane.take, lane.clip.identity, list(lane.clip.size)] for lane in lanes]
    return hash_value([ATLAS_VERSION, shown, [layout.columns, layout.rows, *layout.pane], ENCODER])[:24]


def _pictures(lanes: Sequence[Lane], layout: Layout) -> Iterator[tuple[Bytes, bool]]:
    width, height = layout.pane
    page = np.zeros((layout.rows * height, layout.columns * width, 3), np.uint8)
    first = {lane.clip.identity: number for number, lane in reversed(list(enumerate(lanes)))}
    for index in range(len(lanes[0].clip.frames)):
        for number, lane in enumerate(lanes):
            top, left = number // layout.columns * height, number % layout.columns * width
            pane = page[top : top + height, left : left + width]
            if (same := first[lane.clip.identity]) < number:  # two methods with the same pictures: looked at once
                above, before = same // layout.columns * height, same % layout.columns * width
                pane[:] = page[above : above + height, before : before + width]
            else:
                pane[:] = _shown(lane.clip, index, layout.pane)
        yield page, True


def _shown(clip: RowClip, index: int, size: tuple[int, int]) -> Bytes:
    if clip.size[0] >= size[0] and clip.size[1] >= size[1]:
        return small_of(clip.frames, index, size)
    return shown(clip.frames[index], size)


def shown(pixels: Bytes, size: tuple[int, int]) -> Bytes:
    """Pixels as a person looks at them: by area where they come down, smoothly where they must be enlarged."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return np.asarray(pixels)
    how = Image.Resampling.BOX if pixels.shape[1] >= size[0] else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, how))


def sheet_frames(count: int) -> list[int]:
    """The frames of a contact sheet: first, a quarter, middle, three quarters, last."""
    return [round(place * (count - 1) / (SHEET_FRAMES - 1)) for place in range(SHEET_FRAMES)]


def write_sheet(path: Path, lanes: Sequence[Lane], size: tuple[int, int]) -> tuple[int, int]:
    """A JPEG with a row a lane and a column a frame; gives the size of one of its pictures."""
    pane = SHEET_PANE, max(2, round(SHEET_PANE * size[1] / size[0]))
    if not path.exists():
        page = Image.new("RGB", (SHEET_FRAMES * pane[0], len(lanes) * pane[1]))
        for row, lane in enumerate(lanes):
            for column, index in enumerate(sheet_frames(len(lane.clip.frames))):
                pixels = np.ascontiguousarray(lane.clip.frames[index])
                picture = Image.fromarray(pixels).resize(pane, Image.Resampling.LANCZOS)
                page.paste(picture, (column * pane[0], row * pane[1]))
        stream = io.BytesIO()
        page.save(stream, "JPEG", quality=JPEG_QUALITY)
        write_bytes(path, stream.getvalue())
    return pane


def sweep(folder: Path, keep: set[str]) -> None:
    """Remove the atlases and sheets of earlier reports from the cache."""
    for path in folder.glob("*"):
        if path.stem not in keep:
            with contextlib.suppress(OSError):
                path.unlink()
