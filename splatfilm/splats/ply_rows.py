"""The numbers of a PLY element, whatever its encoding, as plain tables.

Reads block by block, so that a file of any size passes through a few megabytes, and never believes a count that
`PlyHeader.check_size` has not compared with the file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.splats.ply_header import Element, PlyHeader

Table = NDArray[np.float32] | NDArray[np.float64]
BLOCK_BYTES = 1 << 22  # about what a processor's second cache holds


def tables(header: PlyHeader, element: Element, names: Sequence[str]) -> Iterator[tuple[int, Table]]:
    """The columns `names` of `element`, in that order, as (first row, [rows, len(names)]) blocks.

    float32 when every column asked for is float32 on disk, else float64, which holds every other type exactly.
    Raises `InputError` when the data end early or cannot be parsed. `header.check_size` must have passed.
    """
    if element.has_lists:
        header.refuse(f'element "{element.name}" holds lists, which splats do not have')
    try:
        with header.path.open("rb") as stream:
            stream.seek(header.offset)
            for earlier in header.elements:
                if earlier is element:
                    break
                _skip(header, earlier, stream)
            reader = _binary if header.order else _ascii
            yield from reader(header, element, names, stream)
    except OSError as error:
        raise InputError.at(header.path, f"cannot be read: {error.strerror or error}") from error


def _binary(
    header: PlyHeader, element: Element, names: Sequence[str], stream: IO[bytes]
) -> Iterator[tuple[int, Table]]:
    stride = element.row_bytes
    block = max(1, BLOCK_BYTES // max(1, stride))
    columns = np.array([element.names.index(name) for name in names], dtype=np.intp)
    only_floats = header.order == "<" and all(p.code == "f4" for p in element.properties)
    codes = {p.name: p.code for p in element.properties}
    wide = np.float32 if all(codes[name] == "f4" for name in names) else np.float64
    for start in range(0, element.count, block):
        rows = min(block, element.count - start)
        data = stream.read(rows * stride)
        if len(data) < rows * stride:
            found = start * stride + len(data)
            header.refuse(
                f'is cut short: element "{element.name}" takes {element.count * stride:,} bytes, {found:,} found'
            )
        if only_floats:
            yield start, np.frombuffer(data, dtype="<f4").reshape(rows, -1)[:, columns]
            continue
        packed = np.frombuffer(data, dtype=element.row_dtype(header.order))
        table = np.empty((rows, len(names)), dtype=wide)
        for column, name in enumerate(names):
            table[:, column] = packed[name]
        yield start, table


def _ascii(header: PlyHeader, element: Element, names: Sequence[str], stream: IO[bytes]) -> Iterator[tuple[int, Table]]:
    width = len(element.names)
    columns = [element.names.index(name) for name in names]
    block = max(1, BLOCK_BYTES // (12 * width))
    for start in range(0, element.count, block):
        rows = min(block, element.count - start)
        lines = [line.decode("latin-1") for line in islice(stream, rows)]
        if len(lines) < rows:
            found = start + len(lines)
            header.refuse(f'is cut short: element "{element.name}" has {element.count:,} rows, {found:,} lines found')
        numbers = _numbers(header, element, lines, start)
        yield start, numbers[:, columns]


def _numbers(header: PlyHeader, element: Element, lines: list[str], start: int) -> NDArray[np.float64]:
    """All numbers of some lines; on failure the first line that is wrong, found one by one, is named."""
    width = len(element.names)
    rows = [line.split() for line in lines]
    if all(len(words) == width for words in rows) and not any("_" in line for line in lines):
        with contextlib.suppress(ValueError):
            return np.array(rows, dtype=np.float64)
    for row, words in enumerate(rows, start):
        place = f'element "{element.name}", row {row}'
        if len(words) != width:
            raise InputError.at(header.path, f"has {len(words)} numbers, must have {width}", place=place)
        for name, word in zip(element.names, words, strict=True):
            if not _is_number(word):
                raise InputError.at(header.path, f"{name} is {word[:40]!r}, not a number", place=place)
    raise AssertionError("numbers that parse one by one do not parse together")


def _is_number(word: str) -> bool:
    """Python also reads 1_000 as a number, which no PLY means."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _skip(header: PlyHeader, element: Element, stream: IO[bytes]) -> None:
    """Move past an element that nobody asked for."""
    if not header.order:
        for _ in islice(stream, element.count):
            pass
    elif not element.has_lists:
        stream.seek(element.count * element.row_bytes, 1)
    else:
        _skip_lists(header, element, stream)


def _skip_lists(header: PlyHeader, element: Element, stream: IO[bytes]) -> None:
    for row in range(element.count):
        for column in element.properties:
            length = 1
            if column.length_code:
                code = np.dtype(header.order + column.length_code)
                data = stream.read(code.itemsize)
                if len(data) < code.itemsize:
                    header.refuse(f'is cut short in element "{element.name}", row {row}')
                length = int(np.frombuffer(data, dtype=code)[0])
            size = length * int(column.code[1])
            if not 0 <= size <= header.size - stream.tell():
                header.refuse(
                    f'element "{element.name}", row {row}: {column.name} declares {length:,} items, past the end'
                )
            stream.seek(size, 1)
