"""From a rendered frame to picture files and back: the one place where colours become bytes.

As PNG, `beauty` is 8- or 16-bit RGB in display-referred sRGB (the splats blend there, so nothing is converted);
`alpha` is 8- or 16-bit grey coverage; depths are 16-bit grey in whole millimetres along the optical axis, 0 where
nothing is, 65535 for everything at 65.535 m and beyond; `normal` is 16-bit RGB, -1 to 1 on 1 to 65535 with 32768 for
0. Values are rounded half up after clamping. PNG files carry the frame key and the hash of their own pixels as text, so
a picture found without its manifest still says what it is. What PNG cannot hold goes to `layers.py`.

The encoder is our own because it runs beside the renderer: a fixed Up filter and run-length deflate encode four times
as fast as Pillow's fastest setting, in smaller files, and with the interpreter lock released.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from splatfilm.base.errors import InputError, SplatfilmError
from splatfilm.base.hashing import hash_bytes
from splatfilm.shots.deep_png import read_deep_rgb
from splatfilm.shots.values import pass_values

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.render.passes import PassFrame

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

PICTURES_VERSION = 1
"""Goes into every frame key: a change of rounding, depth unit or colour space makes every frame a new one."""

KEY_TEXT = "splatfilm:frame"
PIXELS_TEXT = "splatfilm:pixels"
PICTURE_TEXT = "splatfilm:picture"  # the key of a picture that the frame's key does not decide alone

DEPTHS = ("depth", "depth-median", "depth-front")

DEPTH_LIMIT = 65535  # millimetres, the largest 16-bit value

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP_FILTER = (
    2  # PNG specification, section 9.2: each byte minus the byte above; files are a seventh smaller than with Sub
)
_GREY, _RGB = 0, 2  # PNG colour types
_UNREADABLE = (  # what Pillow raises for files that are no whole pictures, or absurdly large ones
    OSError,
    UnidentifiedImageError,
    SyntaxError,
    ValueError,
    zlib.error,
    struct.error,
    Image.DecompressionBombError,
)
_TEXT_LIMIT = 4096  # characters in one text chunk; ours hold a hash


def quantise(pass_name: str, frame: Frame | PassFrame, bits: int = 8) -> Pixels:  # -> [H, W, 3] or [H, W]
    """The bytes of one pass: uint8 or uint16 for beauty and alpha, uint16 millimetres for depths, uint16 for normals.

    Raises `SplatfilmError` when the renderer gave NaN, which no picture can hold.
    """
    values = pass_values(frame, pass_name).astype(np.float32, copy=False)
    if np.isnan(values.min(initial=0.0)):
        raise SplatfilmError(f"the renderer gave NaN in {pass_name}: the splats or the camera hold extreme values")
    if pass_name in DEPTHS:
        return _half_up(values * 1000.0, DEPTH_LIMIT).astype("<u2")
    if pass_name == "normal":
        return _half_up(values * 32767.0 + 32768.0, 65535).astype("<u2")
    if bits == 16:
        return _half_up(np.clip(values, 0.0, 1.0) * 65535.0, 65535).astype("<u2")
    return _half_up(np.clip(values, 0.0, 1.0) * 255.0, 255).astype(np.uint8)


def is_saturated(pass_name: str, pixels: Pixels) -> bool:
    """True when a depth picture holds distances that 16 bits of millimetres cannot."""
    return pass_name in DEPTHS and bool((pixels == DEPTH_LIMIT).any())


def eight_bit(pixels: Pixels) -> NDArray[np.uint8]:
    """Display-referred pixels as screens and videos take them; 16 bits are rounded to the nearest of 8."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    return ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def hash_pixels(pixels: Pixels) -> str:
    """SHA-256 of the pixels as they lie in the picture: rows from the top, RGB interleaved, 16 bit little-endian."""
    little = pixels if pixels.dtype.itemsize == 1 else pixels.astype("<u2", copy=False)
    return hash_bytes(np.ascontiguousarray(little).data.cast("B"))


def encode_png(pixels: Pixels, text: Mapping[str, str]) -> bytes:
    """A PNG file of [H, W, 3] or [H, W] pixels, uint8 or uint16. The same pixels and text give the same bytes."""
    height, width = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    colour = _RGB if pixels.ndim == 3 else _GREY
    parts = [_SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))]
    if colour == _RGB:
        parts.append(_chunk(b"sRGB", b"\0"))  # rendering intent: perceptual
    parts += [_chunk(b"tEXt", f"{name}\0{value}".encode("latin-1")) for name, value in text.items()]
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    parts += [_chunk(b"IDAT", deflate.compress(_filtered_rows(pixels)) + deflate.flush()), _chunk(b"IEND", b"")]
    return b"".join(parts)


def read_picture(path: Path) -> tuple[Pixels, dict[str, str]]:
    """Pixels and text of a PNG that `encode_png` wrote. Raises `InputError` when it is not whole."""
    deep = read_deep_rgb(path)
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            pixels = np.asarray(image) if deep is None else deep
            text = {str(k): str(v) for k, v in getattr(image, "text", {}).items() if len(str(v)) <= _TEXT_LIMIT}
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except _UNREADABLE as error:
        raise InputError.at(path, f"not a whole PNG picture: {error}") from error
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError.at(path, f"expected 8 or 16 bit a channel, found {pixels.dtype}")
    return pixels, text


def read_text(path: Path) -> dict[str, str]:
    """What a PNG says about itself, without decoding its pixels; empty when it says nothing or is no PNG."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return {str(k): str(v) for k, v in image.info.items() if isinstance(v, str)}
    except _UNREADABLE:
        return {}


def _half_up(values: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    rounded: NDArray[np.float32] = np.floor(np.clip(values, 0.0, float(limit)) + np.float32(0.5))
    return np.minimum(rounded, np.float32(limit))


def _filtered_rows(pixels: Pixels) -> bytes:
    """Every row as PNG stores it: the filter's number, then the bytes under the Up filter, 16 bit big-endian."""
    stored = pixels if pixels.dtype.itemsize == 1 else pixels.astype(">u2")
    height = stored.shape[0]
    flat = np.ascontiguousarray(stored).view(np.uint8).reshape(height, -1)
    rows = np.empty((height, flat.shape[1] + 1), np.uint8)
    rows[:, 0] = _UP_FILTER
    rows[:1, 1:] = flat[:1]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return rows.tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
