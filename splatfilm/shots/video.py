"""Pictures to a video file: our one door to PyAV (FFmpeg).

Colour is converted and tagged explicitly. Left to itself the encoder's RGB to YUV conversion uses the matrix of BT.601
while players read a file of this size as BT.709: every colour shifts. Here the matrix is BT.709 at limited range, and
frames and stream say so. The transfer tag is BT.709 too, as it is for every review file: pictures are sRGB display
values and pass through unchanged. With one thread in FFmpeg and one in x264 the same pictures give the same bytes; with
more, in either, they vary from run to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import MissingPartError
from splatfilm.shots.pictures import Pixels

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
class Reel:
    """What a video is beside its pictures. `timecode` is that of the first one, SMPTE, `;` for drop-frame."""

    title: str
    rate: Fraction  # frames a second
    size: tuple[int, int]  # width, height in pixels
    timecode: str

    @property
    def encoded_size(self) -> tuple[int, int]:
        """4:2:0 video has even sides: the last row or column of an odd picture is doubled."""
        return self.size[0] + self.size[0] % 2, self.size[1] + self.size[1] % 2


def encode_video(
    path: Path, pictures: Iterable[tuple[Pixels, bool]], reel: Reel, advance: Callable[[int], None]
) -> None:
    """Write an MP4 of 8-bit RGB pictures, each with whether a shot begins with it (a key frame).

    `advance` is told how many are encoded. Raises `OSError` when the disk refuses and `MissingPartError`
    when this build of FFmpeg has no H.264 encoder.
    """
    import av
    from av.video.frame import PictureType

    width, height = reel.encoded_size
    if ENCODER["codec"] not in av.codecs_available:
        raise MissingPartError("this build of PyAV has no H.264 encoder; `pip install av` brings one that has")
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            container.metadata["title"] = reel.title
            stream: Any = container.add_stream(ENCODER["codec"], rate=reel.rate)
            stream.width, stream.height, stream.pix_fmt = width, height, PIXEL_FORMAT
            stream.time_base = 1 / reel.rate
            stream.metadata["timecode"] = reel.timecode
            context = stream.codec_context
            context.options = {name: value for name, value in ENCODER.items() if name != "codec"}
            context.thread_count = 1
            context.time_base = 1 / reel.rate
            _tag(context)
            for index, (pixels, first) in enumerate(pictures):
                frame = _converted(pixels, width, height)
                frame.pts, frame.time_base = index, 1 / reel.rate
                frame.pict_type = PictureType.I if first else PictureType.NONE
                container.mux(stream.encode(frame))
                advance(index + 1)
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise OSError(error.errno, f"{error.strerror} (FFmpeg)") from error


def _converted(picture: Pixels, width: int, height: int) -> Any:  # [H, W, 3] uint8 -> av.VideoFrame
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    grow = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    pixels: NDArray[np.uint8] = np.pad(picture, grow, mode="edge").astype(np.uint8, copy=False)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    result: Any = frame.reformat(
        format=PIXEL_FORMAT,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_careful(Interpolation),
    )
    _tag(result)
    return result


def _careful(interpolation: Any) -> Any:
    """Bicubic chroma, with exact rounding where PyAV can ask for it (18 and newer)."""
    quality = interpolation.BICUBIC
    for flag in ("FULL_CHR_H_INP", "ACCURATE_RND"):
        quality |= getattr(interpolation, flag, quality)
    return quality


def _tag(target: Any) -> None:
    target.colorspace = _BT709
    target.color_primaries = _BT709
    target.color_trc = _BT709
    target.color_range = _LIMITED
