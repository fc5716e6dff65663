"""Clips of any kind made comparable: the same framing, the same number of frames, never enlarged.

A clip is read one frame at a time, whatever its length: turned upright, its letterbox cut off, cropped to the film's
shape about the middle, brought down by area to the size that pictures are looked at in or, where the clip is smaller,
to the clip's own (our pictures are then brought down to that too). Frames are chosen by the time they are shown at, the
nearest one, never blended. What was done is said in remarks; what cannot be compared is refused by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.files import atomic_path, read_json, write_json
from splatfilm.base.hashing import hash_value
from splatfilm.compare.manifest import ClipEntry, pictures_in
from splatfilm.shots.video import VideoFacts, decode_video, read_video_facts

CONFORM_VERSION = 1
"""Part of the name of every conformed clip on disk; grows when the same clip would give other pixels."""

Bytes = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom in the clip's pixels

BLACK = 24  # 8-bit level: a bar is no brighter than this anywhere (limited-range noise about black included)
LEAST_BAR = 0.01  # share of a side: thinner dark edges are pictures
MOST_BAR = 0.4
LOOKED_AT = 8  # frames in which letterbox is looked for
RATE_SLACK = 0.005  # relative: 23.976 for 24 is told, 24.0001 is not


@dataclass(frozen=True)
class Target:
    """What a clip is brought to: the film's picture, as large as it is looked at, and the shot's length."""

    size: tuple[int, int]  # width, height in pixels
    frames: int
    rate: float  # frames a second


@dataclass(frozen=True, eq=False)
class Conformed:
    """A clip on disk, frame i of it for frame i of the shot. `frames` is mapped from `path`, so it costs no memory.

    `mask` is True where a watermark was declared. `shown` are the clip's own frame numbers.
    """

    path: Path
    frames: Bytes  # [F, H, W, 3]
    mask: NDArray[np.bool_] | None  # [H, W]
    remarks: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()
    key: str = ""  # hash of all that decides it
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        return int(self.frames.shape[2]), int(self.frames.shape[1])


@dataclass(frozen=True, eq=False)
class Source:
    """A clip looked at but not decoded. `decode` gives (seconds, [H, W, 3] RGB) of its frames, one at a time."""

    decode: Callable[[], Iterator[tuple[float, Bytes]]]
    times: tuple[float, ...]
    size: tuple[int, int]
    facts: Mapping[str, Any]
    pixel_aspect: float = 1.0
    remarks: tuple[str, ...] = ()


def open_clip(entry: ClipEntry, rate: float) -> Source:
    """A clip's file or folder of pictures, looked at but not decoded; pictures are `entry.rate` or `rate` apart.

    Raises `InputError` for what cannot be compared: no video in it, HDR, a size other than the manifest's.
    """
    source = _open_pictures(entry, rate) if entry.path.is_dir() else _open_video(entry)
    if entry.size is not None and entry.size != source.size:
        raise InputError.at(
            entry.path,
            f"is {source.size[0]}x{source.size[1]}, the manifest says {entry.size[0]}x{entry.size[1]}",
            entry.place + ".size",
        )
    return source


def conform(entry: ClipEntry, target: Target, folder: Path) -> Conformed:
    """The clip brought to `target`, made once and kept in `folder` under the hash of all that decides it.

    Raises `InputError` naming the clip where it cannot be compared.
    """
    key = _key(entry, target)
    stored, record = folder / f"{key}.npy", folder / f"{key}.json"
    with contextlib.suppress(InputError, OSError, ValueError, KeyError):
        value = read_json(record)
        return _load(stored, value)
    source = open_clip(entry, target.rate)
    remarks = [*source.remarks, *_declared(entry, source)]
    wanted, more = _timing(entry, source, target)
    crop, cropped = _framing(entry, source, target)
    size = _size(crop, target)
    remarks += [*more, *cropped]
    if size != target.size:
        remarks.append(f"smaller than the film: both are measured at {size[0]}x{size[1]}")
    with atomic_path(stored) as temporary:
        frames = open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(target.frames, size[1], size[0], 3))
        for place, pixels in _brought(entry, source, wanted, (crop, size)):
            frames[place] = pixels
        frames.flush()
        del frames
    boxes = [_scaled_box(box, crop, size) for box in entry.mask]
    value = {"remarks": remarks, "shown": wanted, "facts": dict(source.facts), "mask": boxes}
    write_json(record, value)
    return _load(stored, value)


def conformed_frames(entry: ClipEntry, target: Target) -> Iterator[tuple[int, Bytes]]:
    """The frames that `conform` would keep, with the place of each in the shot, one at a time, kept nowhere."""
    source = open_clip(entry, target.rate)
    wanted, _ = _timing(entry, source, target)
    crop, _ = _framing(entry, source, target)
    yield from _brought(entry, source, wanted, (crop, _size(crop, target)))


def _load(stored: Path, value: Mapping[str, Any]) -> Conformed:
    frames = np.load(stored, mmap_mode="r")
    mask = None
    if value["mask"]:
        mask = np.zeros(frames.shape[1:3], bool)
        for left, top, right, bottom in value["mask"]:
            mask[top:bottom, left:right] = True
    return Conformed(stored, frames, mask, tuple(value["remarks"]), tuple(value["shown"]), stored.stem, value["facts"])


def _key(entry: ClipEntry, target: Target) -> str:
    neutral = replace(entry, path=Path(), place="", notes="", prompt="")
    asked = [neutral.first, neutral.last, neutral.crop, neutral.mask, neutral.rate, neutral.size, neutral.frames]
    value = [CONFORM_VERSION, entry.sha256, asked, target.size, target.frames, target.rate]
    return hash_value(value)[:24]


def _brought(
    entry: ClipEntry, source: Source, wanted: list[int], framing: tuple[Box, tuple[int, int]]
) -> Iterator[tuple[int, Bytes]]:
    """Decode once, from the beginning, and bring the frames that are wanted to their framing; each with its place."""
    places: dict[int, list[int]] = {}
    for place, index in enumerate(wanted):
        places.setdefault(index, []).append(place)
    last, count = max(wanted), 0
    for _, pixels in source.decode():
        for place in places.get(count, ()):
            yield place, _resized(pixels, *framing)
        count += 1
        if count > last:
            return
    raise InputError.at(
        entry.path,
        f"is damaged: {count} of its {len(source.times)} frames can be decoded, and the shot needs frame {last} "
        f'(give "out": {max(0, count - 1)} to compare what is whole)',
        entry.place,
    )


def _resized(pixels: Bytes, crop: Box, size: tuple[int, int]) -> Bytes:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(size, Image.Resampling.BOX, box=crop))


# ---- time ----------------------------------------------------------------------------------------------------------


def _timing(entry: ClipEntry, source: Source, target: Target) -> tuple[list[int], list[str]]:
    """The clip's frame for every frame of the shot: linear in time from the first to the last, the nearest one."""
    count = len(source.times)
    first = entry.first if entry.first is not None else 0
    last = entry.last if entry.last is not None else count - 1
    if last >= count or first >= count:
        raise InputError.at(
            entry.path, f"has frames 0 to {count - 1}, the manifest asks for {first} to {last}", entry.place + ".out"
        )
    times = np.array(source.times)
    asked = times[first] + (times[last] - times[first]) * np.linspace(0, 1, max(2, target.frames))[: target.frames]
    wanted = [int(np.abs(times - time).argmin()) for time in asked]
    remarks = []
    if last - first + 1 != target.frames:
        remarks.append(f"{last - first + 1} frames stand for the shot's {target.frames}, nearest in time")
    own = float(times[last] - times[first])
    due = (target.frames - 1) / target.rate
    if own > 0 and due > 0 and abs(own / due - 1) > 0.02:
        remarks.append(f"played {own / due:.2f} times as fast as it was made")
    return wanted, remarks


# ---- framing -------------------------------------------------------------------------------------------------------


def _framing(entry: ClipEntry, source: Source, target: Target) -> tuple[Box, list[str]]:
    """The part of the clip's picture that is compared: its crop or without its letterbox, then the film's shape."""
    width, height = source.size
    remarks = []
    if entry.crop is not None:
        left, top, w, h = entry.crop
        if w < 1 or h < 1 or left + w > width or top + h > height:
            raise InputError.at(
                entry.path, f"is {width}x{height}, its crop {list(entry.crop)} leaves it", entry.place + ".crop"
            )
        box: Box = (left, top, left + w, top + h)
    else:
        box = _without_bars(source)
        if box != (0, 0, width, height):
            bars = f"{box[0]:.0f}, {width - box[2]:.0f}, {box[1]:.0f} and {height - box[3]:.0f}"
            remarks.append(f"letterbox cut off: {bars} pixels left, right, above and below")
    shape = target.size[0] / target.size[1] / source.pixel_aspect  # in stored pixels
    own = (box[2] - box[0]) / (box[3] - box[1])
    if own > shape * 1.005:
        spare = (box[2] - box[0] - shape * (box[3] - box[1])) / 2
        box = (box[0] + spare, box[1], box[2] - spare, box[3])
        remarks.append(f"wider than the film: {100 * 2 * spare / width:.0f} % cropped at the sides")
    elif own < shape / 1.005:
        spare = (box[3] - box[1] - (box[2] - box[0]) / shape) / 2
        box = (box[0], box[1] + spare, box[2], box[3] - spare)
        remarks.append(f"taller than the film: {100 * 2 * spare / height:.0f} % cropped above and below")
    return box, remarks


def _without_bars(source: Source) -> Box:
    """The picture inside black bars that are there in every frame that was looked at, on both sides alike."""
    step = max(1, len(source.times) // LOOKED_AT)
    width, height = source.size
    brightest: NDArray[np.uint8] | None = None
    down = across = (0, 0)
    for index, (_, pixels) in enumerate(source.decode()):
        if index % step:
            continue
        grey = pixels.max(axis=2)
        brightest = grey if brightest is None else np.maximum(brightest, grey)
        down, across = _dark(brightest, 1), _dark(brightest, 0)
        if min(down) < LEAST_BAR * height and min(across) < LEAST_BAR * width:
            return 0, 0, width, height  # one more frame can only be brighter
    top, bottom = _bars(down, height)
    left, right = _bars(across, width)
    return left, top, width - right, height - bottom


def _dark(brightest: NDArray[np.uint8], axis: int) -> tuple[int, int]:
    """How many rows (columns for axis 0) are dark before and after the picture; all of them where nothing is lit."""
    length = brightest.shape[1 - axis]
    lit = np.flatnonzero(np.percentile(brightest, 99.5, axis=axis) > BLACK)
    return (int(lit[0]), int(length - 1 - lit[-1])) if len(lit) else (length, length)


def _bars(dark: tuple[int, int], length: int) -> tuple[int, int]:
    """Bars before and after the picture; none unless there are some on both sides, of much the same width."""
    before, after = dark
    alike = abs(before - after) <= max(2, 0.1 * max(before, after))
    if alike and LEAST_BAR * length <= min(before, after) and max(before, after) <= MOST_BAR * length:
        return before, after
    return 0, 0


def _size(crop: Box, target: Target) -> tuple[int, int]:
    """The target's size, or the largest of its shape that needs no enlarging."""
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    share = min(1.0, width / target.size[0], height / target.size[1])
    if share > 0.999:
        return target.size
    return max(1, int(share * target.size[0] + 0.5)), max(1, int(share * target.size[1] + 0.5))


def _scaled_box(box: tuple[int, int, int, int], crop: Box, size: tuple[int, int]) -> list[int]:
    """A box of the clip's pixels in the conformed picture, grown to whole pixels: left, top, right, bottom."""
    sx, sy = size[0] / (crop[2] - crop[0]), size[1] / (crop[3] - crop[1])
    left, top = np.floor((box[0] - crop[0]) * sx), np.floor((box[1] - crop[1]) * sy)
    right, bottom = np.ceil((box[0] + box[2] - crop[0]) * sx), np.ceil((box[1] + box[3] - crop[1]) * sy)
    return [int(np.clip(v, 0, limit)) for v, limit in zip((left, top, right, bottom), (*size, *size), strict=True)]


# ---- sources -------------------------------------------------------------------------------------------------------


def _open_video(entry: ClipEntry) -> Source:
    facts = read_video_facts(entry.path)
    if facts.hdr:
        raise InputError.at(
            entry.path, f"is tagged HDR or wide gamut ({facts.hdr}); export it as ordinary BT.709 video", entry.place
        )
    remarks = []
    if facts.rotation:
        remarks.append(f"turned by {facts.rotation} degrees, as it says")
    if facts.is_variable:
        remarks.append("variable frame rate: frames are taken by the time they are shown at")
    if not facts.matrix:
        remarks.append("says nothing of its colour matrix: read as BT.709")
    if facts.pixel_aspect != 1:
        remarks.append(f"pixels of {float(facts.pixel_aspect):.3f}:1 made square")
    if not facts.has_audio:
        remarks.append("no sound (sound is not compared)")
    value = {"codec": facts.codec, "pixels": facts.pixel_format, "matrix": facts.matrix, "rate": round(facts.rate, 3)}
    value |= {"bits_per_second": round(facts.bit_rate), "frames": len(facts.times), "size": list(facts.size)}
    aspect = float(facts.pixel_aspect)
    told = (*remarks, *_rate_remark(entry, facts))
    return Source(partial(decode_video, entry.path), facts.times, facts.size, value, aspect, told)


def _rate_remark(entry: ClipEntry, facts: VideoFacts) -> list[str]:
    if entry.rate is None or not facts.rate or abs(facts.rate / entry.rate - 1) <= RATE_SLACK:
        return []
    return [f"runs at {facts.rate:.3f} frames a second, the manifest says {entry.rate:g}"]


def _declared(entry: ClipEntry, source: Source) -> list[str]:
    if entry.frames is not None and entry.frames != len(source.times):
        return [f"holds {len(source.times)} frames, the manifest says {entry.frames}"]
    return []


def _open_pictures(entry: ClipEntry, rate: float) -> Source:
    paths = tuple(pictures_in(entry.path))
    first = _open_picture(paths[0])
    size = first.shape[1], first.shape[0]
    times = tuple(index / (entry.rate or rate) for index in range(len(paths)))
    facts: dict[str, Any] = {"codec": paths[0].suffix[1:].lower(), "rate": entry.rate or rate, "frames": len(paths)}
    facts |= {"size": list(size), "bits_per_second": None}
    return Source(partial(_decode_pictures, paths, times, size), times, size, facts)


def _decode_pictures(
    paths: Sequence[Path], times: Sequence[float], size: tuple[int, int]
) -> Iterator[tuple[float, Bytes]]:
    for path, time in zip(paths, times, strict=True):
        pixels = _open_picture(path)
        if (pixels.shape[1], pixels.shape[0]) != size:
            found = f"{pixels.shape[1]}x{pixels.shape[0]}"
            raise InputError.at(path, f"is {found}, the pictures before it are {size[0]}x{size[1]}")
        yield time, pixels


def _open_picture(path: Path) -> Bytes:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError.at(path, f"cannot be decoded: {error}") from error
