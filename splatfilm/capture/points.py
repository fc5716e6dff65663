"""Sparse points from a PLY file: the little of PLY that structure-from-motion tools write. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.capture.model import SparsePoints

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_HEADER_LIMIT = 1 << 16
_GREY = 128


def read_points(path: Path) -> SparsePoints:
    """Positions and colours (grey when there are none). Raises `InputError` unless everything is whole and finite."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    end = data.find(b"end_header", 0, _HEADER_LIMIT)
    if not data.startswith(b"ply") or end < 0:
        raise InputError.at(path, "is not a PLY file: expected a header from `ply` to `end_header`")
    body = data.find(b"\n", end) + 1
    order, count, fields = _header(path, data[:end].decode("ascii", "replace"))
    table = _ascii(path, data[body:], count, fields) if order == "ascii" else _binary(path, data[body:], count, fields)
    for axis in "xyz":
        if axis not in table:
            raise InputError.at(path, f"points have no property {axis}; found {', '.join(table)}", "element vertex")
    positions = np.stack([table[axis] for axis in "xyz"], axis=1).astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if bad.size:
        raise InputError.at(
            path, f"{bad.size} points are NaN or infinite, the first is point {bad[0]}", f"vertex {bad[0]}"
        )
    return SparsePoints(positions, _colours(table, count))


def _header(path: Path, text: str) -> tuple[str, int, list[tuple[str, str]]]:
    """(byte order, number of points, fields) of the first element, which must be `vertex`."""
    order, element, count = "", "", 0
    fields: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words[:1] == ["format"]:
            order = {"ascii": "ascii", "binary_little_endian": "<", "binary_big_endian": ">"}.get(words[1], "")
        elif words[:1] == ["element"]:
            if element == "vertex":
                break
            element = words[1]
            if element != "vertex":
                raise InputError.at(path, f"the first element is {element}, expected vertex", line=number)
            if not words[2:3] or not words[2].isdigit():
                raise InputError.at(path, "the number of points is missing", line=number)
            count = int(words[2])
        elif words[:1] == ["property"]:
            if len(words) != 3 or words[1] not in _TYPES:
                raise InputError.at(path, f"property `{line}` is not a plain number", line=number)
            fields.append((words[2], (order if order in "<>" else "") + _TYPES[words[1]]))
    if not order or not fields:
        raise InputError.at(path, "the PLY header names no known format or no vertex properties")
    return order, count, fields


def _binary(path: Path, data: bytes, count: int, fields: list[tuple[str, str]]) -> dict[str, NDArray[np.generic]]:
    record = np.dtype(fields)
    if len(data) < count * record.itemsize:
        found = len(data) // record.itemsize
        raise InputError.at(
            path, f"is cut off: the header promises {count} points, {found} are there", f"point {found}"
        )
    table = np.frombuffer(data, dtype=record, count=count)
    return {name: table[name] for name, _ in fields}


def _ascii(path: Path, data: bytes, count: int, fields: list[tuple[str, str]]) -> dict[str, NDArray[np.generic]]:
    try:
        numbers = np.array(data.split()[: count * len(fields)], dtype=np.float64)
    except ValueError as error:
        raise InputError.at(path, f"holds something that is not a number: {error}") from None
    if numbers.size < count * len(fields):
        found = numbers.size // len(fields)
        raise InputError.at(
            path, f"is cut off: the header promises {count} points, {found} are there", f"point {found}"
        )
    columns = numbers.reshape(count, len(fields)).T
    return {name: column.astype(kind) for (name, kind), column in zip(fields, columns, strict=True)}


def _colours(table: dict[str, NDArray[np.generic]], count: int) -> NDArray[np.uint8]:
    channels = [table.get(name, table.get(f"diffuse_{name}")) for name in ("red", "green", "blue")]
    if any(channel is None for channel in channels):
        return np.full((count, 3), _GREY, dtype=np.uint8)
    colours = np.stack([channel for channel in channels if channel is not None], axis=1)
    if colours.dtype.kind == "f":
        colours = np.clip(np.nan_to_num(colours) * 255, 0, 255).round()
    return colours.astype(np.uint8)
