"""A TOML file in hand: its values, the line of each, and the problems found so far.

Reading a film file never stops at the first mistake. Whoever finds one notes it here and goes on; at the end
`raise_problems` raises them all, in the order of the file.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.film.positions import Place, dotted, key_lines

MOST_BYTES = 8 << 20
"""A film file larger than this is refused: five thousand shots take less than a tenth of it."""


@dataclass
class Source:
    """The file as read. `path` is what the user called it; `files` are the paths in it that are there, absolute."""

    path: str
    values: dict[str, Any]
    lines: Mapping[Place, int]
    problems: list[Problem] = field(default_factory=list)
    files: dict[Place, Path] = field(default_factory=dict)
    pending: frozenset[Path] = frozenset()  # files that count as being there: an editor writes them when it saves

    def line(self, place: Place) -> int:
        """The line of `place`, or of the nearest table around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, message: str) -> Problem:
        """A problem at `place`."""
        return Problem(self.path, dotted(place), message, self.line(place))

    def fail(self, place: Place, message: str) -> None:
        """Note a problem."""
        self.problems.append(self.problem(place, message))

    def in_order(self) -> list[Problem]:
        """The problems noted so far, from the top of the file to its end."""
        return sorted(self.problems, key=lambda problem: problem.line)

    def raise_problems(self) -> None:
        """Raise `InputError` with every problem noted, if there is any."""
        if self.problems:
            raise InputError(self.in_order())

    @property
    def table(self) -> Table:
        """The whole file."""
        return Table(self, (), self.values)


@dataclass(frozen=True)
class Table:
    """One table of the file: its values and the way to it."""

    source: Source
    place: Place
    values: Mapping[str, Any]

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.source.line(self.place)

    def fail(self, message: str, *steps: str | int) -> None:
        """Note a problem of this table, or of what lies `steps` inside it."""
        self.source.fail((*self.place, *steps), message)

    def only(self, allowed: Iterable[str]) -> None:
        """Note every key that is not one of `allowed`."""
        allowed = tuple(allowed)
        for key in self.values:
            if key not in allowed:
                self.fail(f"unknown key, expected one of {', '.join(allowed)}{did_you_mean(key[:64], allowed)}", key)

    def inside(self, *steps: str | int) -> Table | None:
        """The table that lies `steps` inside; notes a problem and gives None when something else is there."""
        value: Any = self.values
        for step in steps:
            value = value[step]
        if isinstance(value, dict):
            return Table(self.source, (*self.place, *steps), value)
        self.fail(f"found {shown(value)}, expected a table", *steps)
        return None


def read_toml(path: str | PathLike[str]) -> Source:
    """The file's values and lines. Raises `InputError`: unreadable, too large, not UTF-8, not TOML (with line)."""
    return parse_toml(path, read_text(path))


def parse_toml(path: str | PathLike[str], text: str) -> Source:
    """The values and lines of a film file's `text`, which need not be what the disk holds; raises as `read_toml`."""
    try:
        return Source(str(path), tomllib.loads(text), key_lines(text))
    except RecursionError:
        raise InputError.at(path, "not valid TOML: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and numbers too long to be converted
        raise InputError(_syntax_problem(str(path), text, error)) from error


def shown(value: Any) -> str:
    """A value as an error message shows it: short, on one line, in TOML's own spelling."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False)
    if isinstance(value, int) and value.bit_length() > 128:
        return "an enormous number"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return "a table"
    return str(value)


def read_text(path: str | PathLike[str]) -> str:
    """A film file's text. Raises `InputError` when it is missing, unreadable, too large or not UTF-8."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except IsADirectoryError:
        raise InputError.at(path, "a folder, expected a film file (film.toml)") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError:
        raise InputError.at(path, "not a file name") from None
    if len(data) > MOST_BYTES:
        raise InputError.at(path, f"larger than {MOST_BYTES >> 20} MiB: this is no film file")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError.at(path, f"not UTF-8 text: byte 0x{data[error.start]:02x}", line=line) from error


def _syntax_problem(path: str, text: str, error: ValueError) -> Problem:
    """`tomllib` writes the position into its message: `... (at line 3, column 5)` or `(at end of document)`."""
    message = str(error)
    found = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if found is None:
        return Problem(path, "", f"not valid TOML: {message}")
    what = message[: found.start()]
    if found[1] is None:
        return Problem(path, "", f"not valid TOML: {what}, at the end of the file", text.count("\n") + 1)
    return Problem(path, "", f"not valid TOML: {what} (column {found[2]})", int(found[1]))
