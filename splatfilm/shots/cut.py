"""The cut: the newest finished take of every shot, in film order, as one H.264 file that plays everywhere.

Colour is converted and tagged explicitly. Left to itself the encoder's RGB to YUV conversion uses the matrix of BT.601
while players read a file of this size as BT.709: every colour shifts. Here the matrix is BT.709 at limited range, and
frames and stream say so. The transfer tag is BT.709 too, as it is for every review file: pictures are sRGB display
values and pass through unchanged.

The cut is a pure function of the frames' pixels: one thread in FFmpeg and in x264 (with more, the bytes vary from run
to run), every shot begins with a key frame, the rate is an exact fraction. It is made anew only when that changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from splatfilm.base.errors import InputError, Problem, StorageError
from splatfilm.base.files import atomic_path, read_json, write_json
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import Progress
from splatfilm.shots.names import spell_frames
from splatfilm.shots.pictures import Pixels, hash_pixels, read_picture
from splatfilm.shots.takes import Take

FORMAT = "splatfilm-cut"
VERSION = 1
ENCODER = {
    "codec": "libx264",
    "preset": "medium",
    "crf": "16",
    "profile": "high",
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0",
}
PIXEL_FORMAT = "yuv420p"
_BT709 = 1  # ISO/IEC 23091-2: colour primaries, transfer characteristics and matrix all number BT.709 as 1
_LIMITED = 1  # FFmpeg's AVCOL_RANGE_MPEG


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


def make_cut(path: Path, shots: Sequence[CutShot], about: Cut, progress: Progress) -> CutResult:
    """Write the cut to `path`, unless it is there and up to date.

    Raises `InputError` when a take lacks frames or its frames have another size, `StorageError` when the disk refuses.
    """
    _check(shots, about)
    count = sum(len(shot.frames) for shot in shots)
    key = cut_key(shots, about)
    record_path = path.with_suffix(".cut.json")
    if _is_current(path, record_path, key):
        return CutResult(path, count, False)
    progress.start("cut", count, "frames")
    with contextlib.suppress(OSError):
        record_path.unlink(missing_ok=True)
    with atomic_path(path) as temporary:
        try:
            _encode(temporary, shots, about, progress)
        except OSError as error:  # PyAV's own errors are no OSErrors unless the system refused
            raise StorageError(f"{path}: cannot write: {error.strerror or error}") from error
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
        "rate": str(about.rate),
        "size": list(about.size),
        "timecode": about.timecode,
        "shots": [{"shot": s.name, "take": s.take.name, "frames": [s.frames[0], s.frames[-1]]} for s in shots],
        "encoder": ENCODER,
    }
    write_json(record_path, record)
    return CutResult(path, count, True)


@dataclass(frozen=True)
class Cut:
    """What a cut is beside its frames. `timecode` is that of its first frame."""

    title: str
    rate: Fraction
    size: tuple[int, int]  # width, height in pixels
    timecode: str


def cut_key(shots: Sequence[CutShot], about: Cut) -> str:
    """The hash of everything that decides the cut's bytes with one build of the encoder."""
    return hash_value(
        {
            "format": [FORMAT, VERSION],
            "frames": [[s.take.frame(f).pictures["beauty"].sha256 for f in s.frames] for s in shots],
            "shots": [s.name for s in shots],
            "about": [about.title, about.rate, list(about.size), about.timecode],
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


def _check(shots: Sequence[CutShot], about: Cut) -> None:
    problems: list[Problem] = []
    for shot in shots:
        where = str(shot.take.folder)
        missing = [f for f in shot.frames if f not in shot.take.frames]
        if missing:
            problems.append(
                Problem(where, "", f"frames {spell_frames(missing)} of shot {shot.name} are not in this take")
            )
        size = tuple(shot.take.header.get("size", about.size))
        if size != about.size:
            expected = f"{about.size[0]}x{about.size[1]}"
            problems.append(
                Problem(where, "", f"the take is {size[0]}x{size[1]}, the cut is {expected}: render it again")
            )
    if problems:
        raise InputError(problems)


def _encode(path: Path, shots: Sequence[CutShot], about: Cut, progress: Progress) -> None:
    import av
    from av.video.frame import PictureType

    width, height = (side + side % 2 for side in about.size)
    if (width, height) != about.size:
        progress.say(f"the cut is {width}x{height}: video needs even sides, so the last row or column is doubled")
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            container.metadata["title"] = about.title
            stream: Any = container.add_stream(ENCODER["codec"], rate=about.rate)
            stream.width, stream.height, stream.pix_fmt = width, height, PIXEL_FORMAT
            stream.time_base = 1 / about.rate
            stream.metadata["timecode"] = about.timecode
            context = stream.codec_context
            context.options = {name: value for name, value in ENCODER.items() if name != "codec"}
            context.thread_count = 1
            context.time_base = 1 / about.rate
            _tag(context)
            for index, (pixels, first) in enumerate(_pictures(shots)):
                frame = _converted(pixels, width, height)
                frame.pts, frame.time_base = index, 1 / about.rate
                frame.pict_type = PictureType.I if first else PictureType.NONE
                container.mux(stream.encode(frame))
                progress.advance(index + 1)
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise OSError(error.errno, str(error.strerror)) from error


def _pictures(shots: Sequence[CutShot]) -> Iterator[tuple[Pixels, bool]]:
    """Beauty pixels in order, and whether a shot begins with them. A frame whose pixels changed is refused."""
    for shot in shots:
        for frame in shot.frames:
            picture = shot.take.frame(frame).pictures["beauty"]
            pixels, _ = read_picture(shot.take.folder / picture.file)
            if hash_pixels(pixels) != picture.sha256:
                raise InputError.at(shot.take.folder / picture.file, "its pixels are not the ones that were rendered")
            yield pixels, frame == shot.frames[0]


def _converted(pixels: Pixels, width: int, height: int) -> Any:  # [H, W, 3] uint8 -> av.VideoFrame
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    if pixels.shape[:2] != (height, width):
        grow = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
        pixels = np.pad(pixels, grow, mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    result: Any = frame.reformat(
        format=PIXEL_FORMAT,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND,
        threads=1,
    )
    _tag(result)
    return result


def _tag(target: Any) -> None:
    target.colorspace = _BT709
    target.color_primaries = _BT709
    target.color_trc = _BT709
    target.color_range = _LIMITED
