"""Pictures to a video file and back: our one door to PyAV (FFmpeg).

Colour is converted and tagged explicitly. Left to itself the encoder's RGB to YUV conversion uses the matrix of BT.601
while players read a file of this size as BT.709: every colour shifts. Here the matrix is BT.709 at limited range, and
frames and stream say so. The transfer tag is BT.709 too, as it is for every review file: pictures are sRGB display
values and pass through unchanged. With one thread in FFmpeg and one in x264 the same pictures give the same bytes; with
more, in either, they vary from run to run. So a film is encoded in pieces that begin with key frames, several at once,
by one thread each: its bytes follow from where the pieces begin, which the shots alone decide.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.shots.pictures import Pixels

ENCODER = {
    "codec": "libx264",
    "preset": "faster",
    "crf": "15.5",
    "profile": "high",
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0",
}
"""As true as `medium` at 16 (50.5 dB of luma over the sample film in full HD) with six tenths of the work."""

PIECE = 240  # frames: a longer shot is encoded in several pieces
ENCODERS_BYTES = 2 << 30  # of all encoders that work at once
_ENCODER_BYTES = 80  # a pixel, of one: the pictures that x264 looks ahead at, and its references
_AHEAD = 3  # pictures of a piece that are read while it is encoded
_LOOK = 0.1  # seconds between looks at how far the pieces are

PIXEL_FORMAT = "yuv420p"
_BT709 = 1  # ISO/IEC 23091-2: colour primaries, transfer characteristics and matrix all number BT.709 as 1
_LIMITED = 1  # FFmpeg's AVCOL_RANGE_MPEG
_FULL = 2  # FFmpeg's AVCOL_RANGE_JPEG


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
    path: Path,
    pictures: Iterable[tuple[Pixels, bool]],
    reel: Reel,
    advance: Callable[[int], None],
    encoder: Mapping[str, str] = ENCODER,
) -> None:
    """Write an MP4 of 8-bit RGB pictures, each with whether a shot begins with it (a key frame).

    `encoder` holds `codec` and FFmpeg's options for it. `advance` is told how many are encoded. Raises
    `OSError` when the disk refuses and `MissingPartError` when this build of FFmpeg has no H.264 encoder.
    """
    from av.video.frame import PictureType

    with _opened(path, reel, encoder) as (container, stream):
        for index, (pixels, first) in enumerate(pictures):
            kind = PictureType.I if first else PictureType.NONE
            container.mux(stream.encode(_frame(pixels, reel, index, kind)))
            advance(index + 1)
        container.mux(stream.encode(None))


@contextmanager
def _opened(path: Path, reel: Reel, encoder: Mapping[str, str]) -> Iterator[tuple[Any, Any]]:
    """An MP4 that is written, and its one stream. Raises as `encode_video` does."""
    import av

    if encoder["codec"] not in av.codecs_available:
        raise MissingPartError("this build of PyAV has no H.264 encoder; `pip install av` brings one that has")
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            container.metadata["title"] = reel.title
            stream: Any = container.add_stream(encoder["codec"], rate=reel.rate)
            stream.time_base = 1 / reel.rate
            stream.metadata["timecode"] = reel.timecode
            _set_up(stream.codec_context, reel, encoder)
            yield container, stream
    except av.error.FFmpegError as error:
        raise OSError(error.errno, f"{error.strerror} (FFmpeg)") from error


def _set_up(context: Any, reel: Reel, encoder: Mapping[str, str]) -> None:
    context.width, context.height = reel.encoded_size
    context.pix_fmt = PIXEL_FORMAT
    context.options = {name: value for name, value in encoder.items() if name != "codec"}
    context.thread_count = 1
    context.time_base = 1 / reel.rate
    context.framerate = reel.rate
    _tag(context)


def _frame(pixels: Pixels, reel: Reel, index: int, kind: Any) -> Any:
    frame = _converted(pixels, *reel.encoded_size)
    frame.pts, frame.time_base, frame.pict_type = index, 1 / reel.rate, kind
    return frame


# ---- a film of many shots ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """The pictures of one shot, each read when it is its turn, in whatever thread."""

    count: int
    read: Callable[[int], Pixels]  # by place from 0


def encode_strips(
    path: Path,
    strips: Sequence[Strip],
    reel: Reel,
    advance: Callable[[int], None],
    threads: int,
    encoder: Mapping[str, str] = ENCODER,
) -> None:
    """Write an MP4 of 8-bit RGB pictures, every strip beginning with a key frame: the same bytes with any `threads`.

    Memory grows neither with the film nor with its shots. Raises what `encode_video` and reading a picture do.
    """
    pieces = pieces_of([strip.count for strip in strips])
    width, height = reel.encoded_size
    side_by_side = max(1, min(threads, ENCODERS_BYTES // (_ENCODER_BYTES * width * height)))
    with (
        _opened(path, reel, encoder) as (container, stream),
        ThreadPoolExecutor(side_by_side, "read-frames") as readers,
        ThreadPoolExecutor(side_by_side, "encode-pieces") as encoders,
    ):
        work = _Pieces(strips, reel, encoder, readers)
        waiting: deque[Future[list[Any]]] = deque()
        try:
            left = iter(pieces)
            while True:
                waiting.extend(
                    encoders.submit(work.encode, p) for p in itertools.islice(left, side_by_side + 1 - len(waiting))
                )
                if not waiting:
                    return
                while not waiting[0].done():
                    wait(list(waiting)[:1], _LOOK)
                    advance(work.done)
                for packet in waiting.popleft().result():
                    packet.stream = stream
                    container.mux(packet)
                advance(work.done)
        finally:
            work.stop()


@dataclass(frozen=True)
class Piece:
    """Pictures that one encoder encodes: (strip, place in it) of each. `start` is the first one's place in the film."""

    start: int
    pictures: tuple[tuple[int, int], ...]
    is_last: bool


def pieces_of(counts: Sequence[int], longest: int = PIECE) -> list[Piece]:
    """Strips of so many pictures in pieces, in order: a strip is one piece, or several where it is longer.

    None but the last piece is a single picture: H.264 wants two key frames in a row to be told apart by a number
    (ITU-T H.264, 7.4.3, idr_pic_id), and encoders that know nothing of each other all begin with the same.
    """
    parts: list[list[tuple[int, int]]] = []
    for strip, count in enumerate(counts):
        cuts = [round(k * count / -(-count // longest)) for k in range(-(-count // longest) + 1)] if count else [0]
        for first, after in itertools.pairwise(cuts):
            part = [(strip, place) for place in range(first, after)]
            if parts and parts[-1][-1][1] == 0:  # it ends with a strip's first picture, a key frame
                parts[-1] += part
            else:
                parts.append(part)
    starts = itertools.accumulate((len(part) for part in parts), initial=0)
    return [Piece(start, tuple(part), part is parts[-1]) for start, part in zip(starts, parts, strict=False)]


class _Pieces:
    """Encodes pieces, each by an encoder of its own, whichever thread asks; `done` counts the pictures of all."""

    def __init__(
        self, strips: Sequence[Strip], reel: Reel, encoder: Mapping[str, str], readers: ThreadPoolExecutor
    ) -> None:
        self._strips, self._reel, self._encoder, self._readers = strips, reel, encoder, readers
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self.done = 0

    def stop(self) -> None:
        """Nobody waits for pieces that are not done."""
        self._stopped.set()

    def encode(self, piece: Piece) -> list[Any]:
        """The packets of a piece, where they lie in the film."""
        import av
        from av.codec.context import Flags
        from av.video.frame import PictureType

        context: Any = av.CodecContext.create(self._encoder["codec"], "w")
        _set_up(context, self._reel, self._encoder)
        context.flags |= Flags.global_header
        packets: list[Any] = []
        last = len(piece.pictures) - 1
        for index, ((_, place), pixels) in enumerate(zip(piece.pictures, self._read(piece), strict=False)):
            kind = PictureType.I if place == 0 or not index else PictureType.NONE
            if index == last and not piece.is_last:
                kind = PictureType.P  # not a key frame, since the next piece begins with one
            packets += context.encode(_frame(pixels, self._reel, index, kind))
            with self._lock:
                self.done += 1
        packets += context.encode(None)
        for packet in packets:
            packet.pts, packet.dts = packet.pts + piece.start, packet.dts + piece.start
        return packets

    def _read(self, piece: Piece) -> Iterator[Pixels]:
        """Pictures in order, some of them read ahead; ends early when nobody waits any more."""
        ahead: deque[Future[Pixels]] = deque()
        left = iter(piece.pictures)
        try:
            while not self._stopped.is_set():
                for strip, place in itertools.islice(left, _AHEAD - len(ahead)):
                    ahead.append(self._readers.submit(self._strips[strip].read, place))
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


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


# ---- videos of others ----------------------------------------------------------------------------------------------

MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
"""Names of ISO/IEC 23091-2 matrix numbers; 2 (unspecified) and anything else is untagged."""

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
WIDE_PRIMARIES = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says about its first video stream. `times` are when its frames are shown, in seconds, rising.

    `size` is what is shown: pixels after rotation, before pixels are made square. `matrix` is empty where the file does
    not say it, which is read as BT.709. `bit_rate` counts the video's own bytes.
    """

    codec: str
    size: tuple[int, int]
    times: tuple[float, ...]
    rotation: int  # degrees counter-clockwise by which stored frames are turned to be shown: 0, 90, 180, 270
    pixel_aspect: Fraction
    pixel_format: str
    matrix: str
    full_range: bool
    transfer: int
    primaries: int
    bit_rate: float  # bits a second
    has_audio: bool

    @property
    def rate(self) -> float:
        """Frames a second on average; 0 of a single frame."""
        span = self.times[-1] - self.times[0]
        return (len(self.times) - 1) / span if span > 0 else 0.0

    @property
    def is_variable(self) -> bool:
        """Whether frames follow each other in uneven steps (more than a fifth from the median step)."""
        steps = np.diff(np.array(self.times))
        return len(steps) > 1 and bool((np.abs(steps - np.median(steps)) > 0.2 * np.median(steps)).any())

    @property
    def hdr(self) -> str:
        """What makes it a picture that an SDR screen cannot show as it is; empty for ordinary video."""
        names = [HDR_TRANSFERS.get(self.transfer, ""), WIDE_PRIMARIES.get(self.primaries, "")]
        return ", ".join(name for name in names if name)


def read_video_facts(path: Path) -> VideoFacts:
    """What a video file says, from its packets and its first frame. Raises `InputError` when it holds no video."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError.at(path, "holds no video")
            stream = container.streams.video[0]
            times, volume = [], 0
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size:
                    times.append(packet.pts * packet.time_base)
                    volume += packet.size
            has_audio = bool(container.streams.audio)
        with av.open(str(path)) as container:
            frame = next(container.decode(container.streams.video[0]), None)
            context = container.streams.video[0].codec_context
            if frame is None or not times:
                raise InputError.at(path, "no frame of it can be decoded")
            return _facts(frame, context, sorted(float(time) for time in times), volume, has_audio)
    except (av.error.FFmpegError, StopIteration, UnicodeDecodeError) as error:
        raise InputError.at(path, f"cannot be read as a video: {getattr(error, 'strerror', error)}") from error
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error


def decode_video(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(seconds, [H, W, 3] RGB) of every frame that can be decoded, in the order of showing, one at a time.

    Turned upright; colour by the file's own matrix and range, BT.709 at limited range where it does not say. Ends
    without an error where the data does: count what came.
    """
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    spaces = {5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M, 4: Colorspace.FCC}
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for frame in container.decode(stream):
                if frame.is_corrupt or frame.pts is None:
                    continue
                frame_range = ColorRange.JPEG if _is_full(frame) else ColorRange.MPEG
                shown = frame.reformat(
                    format="rgb24",
                    src_colorspace=spaces.get(int(frame.colorspace), Colorspace.ITU709),
                    dst_colorspace=Colorspace.ITU709,
                    src_color_range=frame_range,
                    dst_color_range=ColorRange.JPEG,
                    interpolation=_careful(Interpolation),
                )
                pixels = np.rot90(shown.to_ndarray(), _turns(frame)).astype(np.uint8, copy=False)
                yield float(frame.pts * (frame.time_base or 0)), np.ascontiguousarray(pixels)
    except av.error.FFmpegError:
        return


def _facts(frame: Any, context: Any, times: list[float], volume: int, has_audio: bool) -> VideoFacts:
    turns = _turns(frame)
    size = (frame.width, frame.height) if turns % 2 == 0 else (frame.height, frame.width)
    aspect = Fraction(context.sample_aspect_ratio or 1)
    span = (times[-1] - times[0]) * len(times) / max(1, len(times) - 1)
    return VideoFacts(
        codec=str(context.name),
        size=size,
        times=tuple(times),
        rotation=90 * turns,
        pixel_aspect=aspect if turns % 2 == 0 else 1 / aspect,
        pixel_format=str(frame.format.name),
        matrix=MATRICES.get(int(frame.colorspace), ""),
        full_range=_is_full(frame),
        transfer=int(context.color_trc),
        primaries=int(context.color_primaries),
        bit_rate=8 * volume / span if span > 0 else 0.0,
        has_audio=has_audio,
    )


def _turns(frame: Any) -> int:
    """Quarter turns counter-clockwise that bring a stored frame upright."""
    quarters: int = round(int(frame.rotation) / 90)
    return quarters % 4


def _is_full(frame: Any) -> bool:
    return int(frame.color_range) == _FULL or frame.format.name.startswith(("yuvj", "rgb", "gbr", "bgr"))
