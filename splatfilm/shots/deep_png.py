"""Reading the 16-bit RGB pictures that `encode_png` writes; Pillow knows only eight bits a colour channel.

Of PNG it reads what we write and wrote: no interlace, no palette, one filter of two for all rows. Anything else is left
to Pillow.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEEP_RGB = (16, 2, 0, 0, 0)  # bit depth, colour type, compression, filter method, no interlace
_SUB, _UP = 1, 2  # filters: bytes less those of the pixel to the left, or above
_STEP = 6  # bytes of a pixel
_LARGEST = 1 << 30  # bytes of pixels; 16384 x 16384 of them are never asked for in 16-bit PNG


def read_deep_rgb(path: Path) -> NDArray[np.uint16] | None:  # [H, W, 3]
    """The pixels of a 16-bit RGB PNG; None when the file is anything else. Raises `InputError` when it is not whole."""
    try:
        with path.open("rb") as stream:
            head = stream.read(29)
            if len(head) < 29 or head[:8] != _SIGNATURE or tuple(head[24:29]) != _DEEP_RGB:
                return None
            data = head + stream.read()
    except OSError:
        return None
    width, height = struct.unpack(">II", head[16:24])
    row = width * _STEP + 1
    if not 0 < row * height <= _LARGEST:
        raise InputError.at(path, f"not a whole PNG picture: {width}x{height} pixels are too many")
    try:
        decoder = zlib.decompressobj()
        raw = decoder.decompress(_pixel_data(data), row * height)
    except (zlib.error, struct.error, ValueError) as error:
        raise InputError.at(path, f"not a whole PNG picture: {error}") from error
    if len(raw) != row * height:
        raise InputError.at(path, "not a whole PNG picture: pixels are missing")
    rows = np.frombuffer(raw, np.uint8).reshape(height, row)
    kind = int(rows[0, 0])
    if kind not in (_SUB, _UP) or (rows[:, 0] != kind).any():
        raise InputError.at(path, "not a picture as Splatfilm writes it: its rows are stored under another filter")
    # The filter undone: sums along rows or columns, modulo 256, of each of the six bytes of a pixel for itself.
    stored = np.cumsum(rows[:, 1:].reshape(height, width, _STEP), axis=1 if kind == _SUB else 0, dtype=np.uint8)
    return stored.view(">u2").astype(np.uint16)


def _pixel_data(data: bytes) -> bytes:
    """The contents of all IDAT chunks, each held against its checksum."""
    parts: list[bytes] = []
    at = len(_SIGNATURE)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        (check,) = struct.unpack_from(">I", data, at + 8 + size)
        if zlib.crc32(kind + body) != check:
            raise ValueError(f"the checksum of {kind!r} is wrong")
        if kind == b"IEND":
            return b"".join(parts)
        if kind == b"IDAT":
            parts.append(body)
        at += 12 + size
    raise ValueError("the file ends too early")
