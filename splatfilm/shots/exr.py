"""OpenEXR files: float channels and a typed header, written to the same bytes every time. The only module that imports
OpenEXR.

Lossless ZIP, scan lines from the top, no date of writing. Attributes have the names and types of the OpenEXR standard
attributes where there is one; what is ours begins with `splatfilm:`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, MissingPartError, SplatfilmError
from splatfilm.base.files import atomic_path
from splatfilm.render.backends import threads_wanted

Channel = NDArray[np.float16] | NDArray[np.float32]

SUFFIX = ".exr"

_RATE = "framesPerSecond"
_RATE_HOLDER = "0" * 10
"""OpenEXR's Python module has no way to give an attribute of type rational. `framesPerSecond` is therefore written as a
text of such a length that the attribute takes as many bytes as the rational one (7 + 4 + 10 = 9 + 4 + 8: the type's
name with its NUL, the size, the value), and is then replaced in place."""

_SILENCE = threading.Lock()
"""Held while a file is read, one at a time: of a damaged one the library prints a warning among the results that we
print, on top of what it raises."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a file: [H, W] channels by name. The only part of a file needs no name."""

    channels: Mapping[str, Channel]
    name: str = ""


@dataclass(frozen=True)
class Timecode:
    """An SMPTE timecode as OpenEXR packs it. `field` is the second frame of a pair at rates above 30."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool = False
    field: bool = False


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels, the first and the last column and row of it; (0, 0) is the picture's first pixel."""

    left: int
    top: int
    right: int
    bottom: int


def write_exr(path: Path, parts: Sequence[Part], attributes: Mapping[str, Any]) -> None:
    """Write a file atomically; every part has all the attributes.

    Attributes are text, whole numbers, floats, a `Fraction` (only `framesPerSecond`), a `Timecode`, a `Window`, or
    tuples of 2 (a vector), 8 (chromaticities) or 16 floats (a matrix by rows). Raises `StorageError` when the disk
    refuses and `MissingPartError` without the library.
    """
    library = _library()
    header = {name: _native(library, name, value) for name, value in attributes.items()}
    fixed = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    stored = [
        library.Part(
            {**header, **fixed, **({"name": part.name} if part.name else {})},
            {name: np.ascontiguousarray(values) for name, values in part.channels.items()},
            part.name,
        )
        for part in parts
    ]
    with atomic_path(path) as temporary:
        try:
            if len(stored) == 1:
                library.File(stored[0].header, stored[0].channels, _threads()).write(str(temporary))
            else:
                library.File(stored, _threads()).write(str(temporary))
        except RuntimeError as error:  # the library knows no other error, a full disk included
            raise OSError(str(error)) from error
        _put_rate(temporary, attributes.get(_RATE))


def read_exr(path: Path) -> tuple[dict[str, Channel], dict[str, str]]:
    """Every channel of a file (`part/channel` of many parts) and the texts in its first header.

    Raises `InputError` when it is no whole EXR file.
    """
    file = _opened(path, header_only=False)
    channels: dict[str, Channel] = {}
    for part in file.parts:
        prefix = f"{part.name()}/" if len(file.parts) > 1 else ""
        channels.update({prefix + name: channel.pixels for name, channel in part.channels.items()})
    if any(values is None or values.ndim != 2 for values in channels.values()):
        raise InputError.at(path, "not a whole EXR picture: pixels are missing")
    return channels, _texts(file)


def read_exr_text(path: Path) -> dict[str, str]:
    """The texts in a file's header; empty when it says nothing or is no EXR file."""
    try:
        return _texts(_opened(path, header_only=True))
    except InputError:
        return {}


def hash_channels(channels: Mapping[str, Channel]) -> str:
    """SHA-256 over the channels by name: name, type, width and height, then rows from the top, little-endian."""
    digest = hashlib.sha256()
    for name in sorted(channels):
        values = channels[name]
        height, width = values.shape
        digest.update(f"{name} {values.dtype.name} {width}x{height}\n".encode())
        digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False)).data.cast("B"))
    return digest.hexdigest()


def qualified(parts: Sequence[Part]) -> dict[str, Channel]:
    """The channels of `parts` under the names that `read_exr` gives them."""
    many = len(parts) > 1
    return {(f"{p.name}/{n}" if many else n): values for p in parts for n, values in p.channels.items()}


def _threads() -> int:
    """Threads that compress one file; 0 compresses on the calling one. The bytes are the same with any number."""
    wanted = threads_wanted()
    return wanted if wanted > 1 else 0


@functools.lru_cache(maxsize=1)
def _library() -> Any:
    """The module, with as many threads as it may use: all files share them, and without them files ask in vain."""
    try:
        import OpenEXR
    except ImportError as error:
        raise MissingPartError(f"EXR files need the package OpenEXR ({error}): pip install OpenEXR") from error
    if hasattr(OpenEXR, "set_global_thread_count"):  # from 3.5 on
        OpenEXR.set_global_thread_count(_threads())
    return OpenEXR


def _native(library: Any, name: str, value: Any) -> Any:
    """An attribute as the library wants it."""
    if isinstance(value, Fraction):
        if name != _RATE:
            raise SplatfilmError(f"{name} cannot be a fraction: only {_RATE} can")
        return _RATE_HOLDER
    if isinstance(value, Timecode):
        flags = (int(value.drop), 0, int(value.field), 0, 0, 0)
        return library.TimeCode(value.hours, value.minutes, value.seconds, value.frames, *flags, *[0] * 8)
    if isinstance(value, Window):
        return np.array([value.left, value.top], np.int32), np.array([value.right, value.bottom], np.int32)
    if isinstance(value, tuple) and len(value) == 8:
        return tuple(map(float, value))
    if isinstance(value, tuple):
        return np.array(value, dtype=np.float32).reshape((4, 4) if len(value) == 16 else len(value))
    return value


def _put_rate(path: Path, rate: Fraction | None) -> None:
    """Put the rational in the place that was held for it, in every part's header."""
    if rate is None:
        return
    holder = f"{_RATE}\0string\0".encode() + struct.pack("<I", len(_RATE_HOLDER)) + _RATE_HOLDER.encode()
    number = f"{_RATE}\0rational\0".encode() + struct.pack("<IiI", 8, rate.numerator, rate.denominator)
    data = path.read_bytes()
    assert len(holder) == len(number)
    assert holder in data
    path.write_bytes(data.replace(holder, number))


def _opened(path: Path, header_only: bool) -> Any:
    library = _library()
    if not path.is_file():
        raise InputError.at(path, "no such file")
    try:
        with _SILENCE, contextlib.redirect_stdout(io.StringIO()):
            file = library.File(str(path), separate_channels=True, header_only=header_only, num_threads=0)
    except (RuntimeError, ValueError, MemoryError, UnicodeDecodeError) as error:
        raise InputError.at(path, f"not a whole EXR picture: {error}") from error
    if not file.parts:
        raise InputError.at(path, "not a whole EXR picture: pixels are missing")
    return file


def _texts(file: Any) -> dict[str, str]:
    return {name: value for name, value in file.header().items() if isinstance(value, str)}
