"""Reading JSON files of cameras so that every mistake in them is told at once, each with its line.

A `Document` is a parsed file and the problems found in it so far. The readers ask it for numbers, vectors and objects
by key path (`keys[3].position`); it checks them, remembers what was wrong, and raises everything together at the end.
Where a line is needed the text is scanned a second time: a file without problems pays nothing for it.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, NoReturn

from splatfilm.base.errors import InputError, Problem, did_you_mean

LARGEST_FILE = 64 << 20
"""Bytes. A camera path of 100 000 frames as nerfstudio writes it takes about 50 MB."""

LARGEST_NUMBER, SMALLEST_NUMBER = 1e12, 1e-9
"""No frame, metre, millimetre or pixel lies beyond; within, nothing that is computed from them overflows."""

MOST_PROBLEMS = 50
"""Problems told about one file; a hundred thousand lines of the same complaint help nobody."""


@dataclass
class Document:
    """A JSON file in memory. `value` is what it holds; `problems` grows while it is read."""

    path: Path
    text: str
    value: Any
    problems: list[Problem] = field(default_factory=list)
    found: int = 0  # how often something was wrong so far, told or not
    unspoken: int = 0  # problems beyond `MOST_PROBLEMS`

    def problem(self, place: str, message: str) -> None:
        """Remember that something is wrong at the key path `place`; the same thing is told once."""
        self.found += 1
        problem = Problem(str(self.path), place, message)
        if len(self.problems) >= MOST_PROBLEMS:
            self.unspoken += 1
        elif problem not in self.problems:
            self.problems.append(problem)

    def refuse(self, message: str, place: str = "") -> NoReturn:
        """Raise everything found so far and this: nothing further can be read."""
        self.problem(place, message)
        self.finish()
        raise AssertionError("finish() raises when there are problems")

    def finish(self) -> None:
        """Raise one `InputError` with every problem, in the order of the file, if there are any."""
        if not self.problems:
            return
        lines = lines_of(self.text, [p.place for p in self.problems])
        found = [Problem(p.path, p.place, p.message, lines.get(p.place, 0)) for p in self.problems]
        found.sort(key=lambda p: p.line)
        if self.unspoken:
            found.append(Problem(str(self.path), "", f"and {self.unspoken} more problems"))
        raise InputError(found)

    # ---- what readers ask for ----------------------------------------------------------------------------------------

    def object(self, value: Any, place: str, allowed: Iterable[str], required: Iterable[str] = ()) -> dict[str, Any]:
        """`value` as an object with only `allowed` keys and all `required` ones; empty when it is none."""
        if not isinstance(value, dict):
            self.problem(place, f"expected an object, found {describe(value)}")
            return {}
        names = list(allowed)
        for key in value:
            if key not in names:
                where = f"{place}.{key}" if place else key
                self.problem(where, f"unknown key; known here: {', '.join(names)}{did_you_mean(key, names)}")
        missing = [key for key in required if key not in value]
        if missing:
            self.problem(place, f"missing: {', '.join(missing)}")
        return value

    def number(self, value: Any, place: str, above: float | None = None, below: float | None = None) -> float | None:
        """`value` as a finite float of a sane size between `above` and `below`; None after telling that it is not."""
        number = as_number(value)
        if number is None:
            self.problem(place, f"expected a number, found {describe(value)}")
        elif not math.isfinite(number):
            self.problem(place, f"expected a finite number, found {number}")
        elif abs(number) > LARGEST_NUMBER:
            self.problem(place, f"expected a number of at most {LARGEST_NUMBER:g}, found {number:g}")
        elif above == 0 and 0 < number < SMALLEST_NUMBER:
            self.problem(place, f"expected a number of at least {SMALLEST_NUMBER:g}, found {number:g}")
        elif above is not None and number <= above:
            self.problem(place, f"expected a number greater than {above:g}, found {number:g}")
        elif below is not None and number >= below:
            self.problem(place, f"expected a number less than {below:g}, found {number:g}")
        else:
            return number
        return None

    def numbers(
        self, value: Any, place: str, count: int, meaning: str, above: float | None = None
    ) -> tuple[float, ...] | None:
        """`value` as `count` numbers (see `number`); `meaning` says in a problem what they would be."""
        if not isinstance(value, list) or len(value) != count:
            found = f"{len(value)} values" if isinstance(value, list) else describe(value)
            self.problem(place, f"expected {meaning}, found {found}")
            return None
        result = tuple(self.number(item, f"{place}[{i}]", above) for i, item in enumerate(value))
        return None if None in result else result  # type: ignore[return-value]


def open_document(path: str | os.PathLike[str], largest: int = LARGEST_FILE) -> Document:
    """Read and parse a JSON file. Raises `InputError` when it is missing, too large, no text or no JSON."""
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > largest:
            raise InputError.at(path, f"is {size / 2**20:.0f} MiB large: at most {largest >> 20} MiB are read")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except UnicodeDecodeError as error:
        raise InputError.at(path, f"not a text file: byte {error.start} is no UTF-8") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    repeated: list[str] = []
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, repeated))
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg} (column {error.colno})"
        raise InputError.at(path, message, line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise InputError.at(path, f"not valid JSON: {error}") from error
    document = Document(file, text, value)
    for key in repeated:
        document.problem("", f'an object gives "{key}" twice')
    return document


def describe(value: Any) -> str:
    """A value as an error message shows it: short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def as_number(value: Any) -> float | None:
    """A JSON number as a float (infinite when it is too large for one), None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def lines_of(text: str, places: Iterable[str]) -> dict[str, int]:
    """The line, from 1, on which the value at each key path stands, or its nearest parent's when it is not there."""
    wanted = set(places)
    everything = {place: [place[: m.start()] for m in re.finditer(r"[.\[]", place)][::-1] for place in wanted}
    offsets = _offsets(text, wanted.union(*everything.values()) if everything else wanted)
    result = {}
    for place, parents in everything.items():
        for candidate in (place, *parents):
            if candidate in offsets:
                result[place] = text.count("\n", 0, offsets[candidate]) + 1
                break
    return result


# ---- where things stand in the text ----------------------------------------------------------------------------------

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^,\]}\s]+")


def _offsets(text: str, wanted: set[str]) -> dict[str, int]:
    """Offsets of the values (for members of objects: of their names) at the `wanted` key paths of valid JSON text."""
    found: dict[str, int] = {}
    stack: list[tuple[str, int]] = []  # (path of an open container, index in a list or -1 in an object)
    position, place, start = 0, "", -1

    while True:
        position = _end(_SPACE, text, position)
        if place and place in wanted:
            found.setdefault(place, start if start >= 0 else position)
        character = text[position]
        if character in "{[":
            stack.append((place, 0 if character == "[" else -1))
            position = _end(_SPACE, text, position + 1)
        else:
            position = scanstring(text, position + 1)[1] if character == '"' else _end(_SCALAR, text, position)
        while stack:  # step over what follows a value, up to the next one
            position = _end(_SPACE, text, position)
            parent, index = stack[-1]
            if text[position] in "}]":
                stack.pop()
                position += 1
                continue
            if text[position] == ",":
                position = _end(_SPACE, text, position + 1)
            if index < 0:
                start = position
                name, position = scanstring(text, position + 1)
                position = _end(_SPACE, text, position) + 1
                place = f"{parent}.{name}" if parent else name
            else:
                stack[-1] = (parent, index + 1)
                place, start = f"{parent}[{index}]", -1
            break
        if not stack:
            return found


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    assert match is not None, "only text that the JSON parser has accepted is scanned"
    return match.end()


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        repeated += [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    return result
