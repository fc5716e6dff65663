"""On which line of a TOML text each key stands.

`tomllib` gives values without positions, and so does every small TOML library, yet an error in a film file is only
useful with its line. This scanner follows a text that `tomllib` has already read without complaint, so it checks
nothing: it only has to step over values correctly. The tests hold it to `tomllib`, path for path.
"""

from __future__ import annotations

import bisect
import re
import tomllib

Place = tuple[str | int, ...]
"""The way to a value: keys of tables and indices (from 0) of arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_SCALAR = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})'''  # up to two quotes more belong to the text
    r"""|'''.*?'''(?:'{0,2})"""
    r'''|"(?:[^"\\]|\\.)*"'''
    r"""|'[^']*'"""
    r"""|[^,\]}#\n]+""",  # numbers, booleans, dates
    re.DOTALL,
)


def key_lines(text: str) -> dict[Place, int]:  # Place -> line, counted from 1
    """The line of every key, table and array element of `text`, which must be valid TOML with `\\n` line ends.

    A table stands where its header is, or else where a key or a header first mentions it.
    """
    return _Scanner(text).scan()


def dotted(place: Place) -> str:
    """`("shots", 2, "lens", "focal_mm")` as `shots[2].lens.focal_mm`; keys that need quotes get them."""
    words: list[str] = []
    for step in place:
        if isinstance(step, int):
            words.append(f"[{step}]")
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", step) is not None
            words.append(("." if words else "") + (step if bare else '"' + step.replace('"', '\\"') + '"'))
    return "".join(words)


class _Scanner:
    """A cursor in the text and what has been found so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[Place, int] = {}
        self._elements: dict[Place, int] = {}  # how many tables each array of tables has so far

    def scan(self) -> dict[Place, int]:
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._array_header()
            elif self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _line(self) -> int:
        return bisect.bisect_left(self._line_ends, self._at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None, f"not the TOML that tomllib read, at character {self._at}"
        self._at = match.end()
        return match.group()

    def _keys(self) -> list[str]:
        """A dotted key, with the cursor left behind it."""
        keys = []
        while True:
            self._skip(_SPACES)
            keys.append(_unquoted(self._skip(_KEY)))
            self._skip(_SPACES)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _inside(self, place: Place) -> Place:
        """A header that names an array of tables means the array's last table."""
        return (*place, self._elements[place] - 1) if place in self._elements else place

    def _header(self) -> Place:
        line = self._line()
        self._at += 1
        place: Place = ()
        for key in self._keys():
            place = (*place, key)
            self._lines.setdefault(place, line)
            place = self._inside(place)
        self._at += 1
        self._lines[place] = line
        return place

    def _array_header(self) -> Place:
        line = self._line()
        self._at += 2
        *way, last = self._keys()
        self._at += 2
        place: Place = ()
        for key in way:
            self._lines.setdefault((*place, key), line)
            place = self._inside((*place, key))
        place = (*place, last)
        self._lines.setdefault(place, line)
        self._elements[place] = self._elements.get(place, 0) + 1
        element = self._inside(place)
        self._lines[element] = line
        return element

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for key in self._keys():
            place = (*place, key)
            self._lines.setdefault(place, line)
        self._at += 1  # the equals sign
        self._skip(_SPACES)
        self._value(place)

    def _value(self, place: Place) -> None:
        """Step over a value that stands at the cursor, noting what is inside it."""
        opening = self._text[self._at]
        if opening not in "[{":
            self._skip(_SCALAR)
            return
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._text[self._at] not in "]}":
            if opening == "[":
                element = (*place, index)
                self._lines[element] = self._line()
                self._value(element)
                index += 1
            else:
                self._pair(place)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
            self._skip(_BLANK)
        self._at += 1


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] == '"':
        (name,) = tomllib.loads(f"{key} = 0")
        return str(name)
    return key
