"""The header of a PLY file: what it declares, believed only as far as the file's size bears it out.

PLY: G. Turk, "The PLY polygon file format", 1994. Headers come from every tool under the sun, so both type
vocabularies (`float`, `float32`), Windows line endings and comments anywhere are taken; a header that contradicts
itself or the file's length is refused before any memory is set aside for it.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import NoReturn

import numpy as np

from splatfilm.base.errors import InputError, did_you_mean

LONGEST_HEADER = 1 << 18  # bytes; real splat headers are under 4 KiB
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CODES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip


@dataclass(frozen=True)
class Property:
    """A column. `code` is a numpy type without byte order; `length_code` a list's length's, empty for a scalar."""

    name: str
    code: str
    length_code: str = ""


@dataclass(frozen=True)
class Element:
    """A table. `count` is what the header says: check it against the file with `PlyHeader.check_size`."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.properties)

    @property
    def has_lists(self) -> bool:
        return any(p.length_code for p in self.properties)

    @property
    def row_bytes(self) -> int:
        """Size of a binary row without lists."""
        return sum(int(p.code[1]) for p in self.properties)

    @property
    def shortest_row(self) -> int:
        """Bytes that a row takes at least, a list being empty."""
        return sum(int((p.length_code or p.code)[1]) for p in self.properties)

    def row_dtype(self, order: str) -> np.dtype[np.void]:
        return np.dtype([(p.name, order + p.code) for p in self.properties])


@dataclass(frozen=True)
class PlyHeader:
    """A header that agrees with itself. `offset` is where the data begin, `size` the length of the file in bytes."""

    path: Path
    order: str  # "<", ">" or "" for ascii
    elements: tuple[Element, ...]
    comments: tuple[str, ...] = field(default=())
    offset: int = 0
    size: int = 0

    def element(self, name: str) -> Element | None:
        return next((element for element in self.elements if element.name == name), None)

    def check_size(self) -> None:
        """Raise `InputError` unless the file can hold, and for binary exactly holds, what the header declares."""
        found = self.size - self.offset
        if not self.order:
            # A number takes a digit and a separator; the last one may lack the separator.
            expected = sum(element.count * 2 * len(element.properties) for element in self.elements)
            if found + 1 < expected:
                self.refuse(
                    f"is cut short: at least {expected - 1:,} bytes of numbers are declared, {found:,} are there"
                )
            return
        expected = sum(element.count * element.shortest_row for element in self.elements)
        if found < expected:
            self.refuse(f"is cut short: {expected:,} bytes of data are declared, {found:,} are there")
        extra = found - expected
        if extra and not any(element.has_lists for element in self.elements) and not self._only_blank_after(expected):
            self.refuse(
                f"has {extra:,} bytes more than the {expected:,} bytes of data that its header declares; "
                "it may have been changed by a transfer in text mode"
            )

    def refuse(self, message: str) -> NoReturn:
        raise InputError.at(self.path, message)

    def _only_blank_after(self, length: int) -> bool:
        if self.size - self.offset - length > 64:
            return False
        with self.path.open("rb") as stream:
            stream.seek(self.offset + length)
            return not stream.read(65).strip(b"\r\n \0")


def read_header(path: str | PathLike[str]) -> PlyHeader:
    """Parse the header of a PLY file. Raises `InputError` with the line that is wrong."""
    location = Path(path)
    try:
        status = location.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError.at(path, "is a folder" if stat.S_ISDIR(status.st_mode) else "is not an ordinary file")
        with location.open("rb") as stream:
            head = stream.read(LONGEST_HEADER)
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except (OSError, ValueError) as error:
        raise InputError.at(path, f"cannot be read: {error}") from error
    return _Parser(location, status.st_size).parse(head)


class _Parser:
    """Reads header lines one by one, remembering where it is for messages."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.line = 0
        self.format: str | None = None
        self.elements: dict[str, tuple[int, dict[str, Property]]] = {}
        self.comments: list[str] = []

    def parse(self, head: bytes) -> PlyHeader:
        position = 0
        while True:
            end = head.find(b"\n", position)
            if end < 0:
                self._no_end(head)
            text = head[position:end].decode("utf-8", errors="replace").strip()
            position = end + 1
            self.line += 1
            if self.line == 1:
                if text != "ply":
                    self._refuse(f'a PLY file begins with a line "ply", found {_shown(text)}')
            elif text == "end_header":
                break
            else:
                self._take(text)
        if self.format is None:
            self._refuse("the header has no format line")
        elements = tuple(Element(name, count, tuple(found.values())) for name, (count, found) in self.elements.items())
        return PlyHeader(self.path, FORMATS[self.format], elements, tuple(self.comments), position, self.size)

    def _take(self, text: str) -> None:
        words = text.split()
        keyword = words[0] if words else ""
        if keyword in ("comment", "obj_info"):
            self.comments.append(text[len(keyword) :].strip())
        elif keyword == "format":
            self._take_format(words)
        elif keyword == "element":
            self._take_element(words)
        elif keyword == "property":
            self._take_property(words)
        elif keyword:
            known = ("format", "comment", "obj_info", "element", "property", "end_header")
            self._refuse(f"unknown header line {_shown(text)}{did_you_mean(keyword, known)}")

    def _take_format(self, words: list[str]) -> None:
        if len(words) < 2 or words[1] not in FORMATS:
            found = _shown(" ".join(words[1:]))
            self._refuse(f"format is {found}, must be {', '.join(FORMATS)}")
        if self.format is not None:
            self._refuse("a second format line")
        self.format = words[1]

    def _take_element(self, words: list[str]) -> None:
        if len(words) != 3 or not (words[2].isascii() and words[2].isdecimal() and len(words[2]) < 19):
            self._refuse(f"expected `element <name> <count>`, found {_shown(' '.join(words))}")
        if words[1] in self.elements:
            self._refuse(f"a second element {_shown(words[1])}")
        self.elements[words[1]] = int(words[2]), {}

    def _take_property(self, words: list[str]) -> None:
        if not self.elements:
            self._refuse("a property before any element")
        is_list = len(words) == 5 and words[1] == "list"
        if not is_list and len(words) != 3:
            self._refuse(f"expected `property <type> <name>`, found {_shown(' '.join(words))}")
        for kind in words[2:4] if is_list else words[1:2]:
            if kind not in _CODES:
                self._refuse(f"unknown type {_shown(kind)}{did_you_mean(kind, _CODES)}; types are {', '.join(_CODES)}")
        element, (_, properties) = next(reversed(self.elements.items()))
        name = words[-1]
        if name in properties:
            self._refuse(f"a second property {_shown(name)} in element {_shown(element)}")
        if is_list:
            length = _CODES[words[2]]
            if length[0] == "f":
                self._refuse(f"the length of list {_shown(name)} must be a whole number, not {words[2]}")
            properties[name] = Property(name, _CODES[words[3]], length)
        else:
            properties[name] = Property(name, _CODES[words[1]])

    def _no_end(self, head: bytes) -> NoReturn:
        if not head.startswith(b"ply"):
            raise InputError.at(
                self.path, f'a PLY file begins with a line "ply", found {_shown(repr(head[:16])[2:-1])}'
            )
        if len(head) >= LONGEST_HEADER:
            raise InputError.at(self.path, f"no end_header line in the first {LONGEST_HEADER:,} bytes")
        raise InputError.at(self.path, f"is cut short in its header: {self.size:,} bytes and no end_header line")

    def _refuse(self, message: str) -> NoReturn:
        raise InputError.at(self.path, message, place="PLY header", line=self.line)


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'
