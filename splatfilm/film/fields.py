"""The kinds of values that a film file holds, each read and judged by one function.

Every function takes a `Table` and a key and returns the value, `default` when the key is not there, or None after it
has noted what is wrong. `REQUIRED` as the default notes a missing key as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeGuard, TypeVar

from splatfilm.base import curves
from splatfilm.base.errors import did_you_mean
from splatfilm.film.model import FrameRange
from splatfilm.film.source import Table, shown

LAST_FRAME = 9_999_999
"""The highest scene frame: frame numbers are whole and stand in file names."""

LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # no file may be called this on Windows
NAME_RULE = f"letters, digits, _ and - (not first), at most {LONGEST_NAME}"


class Required:
    """The default of a key that must be there."""


REQUIRED: Final = Required()

T = TypeVar("T")
D = TypeVar("D")


def _read(
    table: Table, key: str, default: D | Required, expected: str, judge: Callable[[Any], T | None]
) -> T | D | None:
    """The value of `key` as `judge` returns it; when `judge` returns None the value is noted as not `expected`."""
    if key not in table.values:
        if isinstance(default, Required):
            table.fail(f"missing, expected {expected}", key)
            return None
        return default
    judged = judge(table.values[key])
    if judged is None:
        table.fail(f"found {shown(table.values[key])}, expected {expected}", key)
    return judged


def text(table: Table, key: str, default: D | Required, longest: int = 200) -> str | D | None:
    """One line of text with something in it."""

    def judge(value: Any) -> str | None:
        good = isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= longest
        return value if good else None

    return _read(table, key, default, f"one line of text, at most {longest} characters", judge)


def name(table: Table, key: str, default: D | Required) -> str | D | None:
    """A name that can become a file name anywhere."""
    expected = f"a name ({NAME_RULE})"
    if isinstance(value := table.values.get(key), str) and _RESERVED.fullmatch(value):
        expected = "another name: Windows keeps this one for itself"
    return _read(table, key, default, expected, lambda value: value if is_name(value) else None)


def is_name(value: Any) -> TypeGuard[str]:
    """Whether `value` is a text that can become a file name on every system."""
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_NAME
        and _NAME.fullmatch(value) is not None
        and _RESERVED.fullmatch(value) is None
    )


def choice(table: Table, key: str, default: D | Required, allowed: Iterable[str], what: str = "") -> str | D | None:
    """One of a few words; `what` names their kind (`a set`) when there may be many of them."""
    allowed = tuple(allowed)
    return _one_of(table, (key,), table.values.get(key, REQUIRED), default, allowed, what)


def _one_of(
    table: Table, steps: tuple[str | int, ...], value: Any, default: D | Required, allowed: tuple[str, ...], what: str
) -> str | D | None:
    options = ", ".join(allowed[:20]) + (", ..." if len(allowed) > 20 else "")
    expected = f"{what} ({options})" if what else f"one of {options}"
    if isinstance(value, Required):
        if isinstance(default, Required):
            table.fail(f"missing, expected {expected}", *steps)
            return None
        return default
    if isinstance(value, str) and value in allowed:
        return value
    near = did_you_mean(value[:LONGEST_NAME], allowed) if isinstance(value, str) else ""
    table.fail(f"found {shown(value)}, expected {expected}{near}", *steps)
    return None


def easing(table: Table, key: str, default: curves.Easing) -> curves.Easing | None:
    """A name of `curves.EASINGS`, or four numbers of a timing curve."""
    value = table.values.get(key, default)
    try:
        return curves.easing(value)
    except (ValueError, OverflowError):
        names = ", ".join(curves.EASINGS)
        near = did_you_mean(value[:LONGEST_NAME], curves.EASINGS) if isinstance(value, str) else ""
        curve = "four numbers [x1, y1, x2, y2] of a timing curve, x1 and x2 from 0 to 1"
        table.fail(f"found {shown(value)}, expected one of {names}, or {curve}{near}", key)
        return None


def choices(table: Table, key: str, allowed: Iterable[str]) -> tuple[str, ...] | None:
    """An array of different words out of a few; an absent key is an empty one."""
    allowed = tuple(allowed)
    found = table.values.get(key, [])
    if not isinstance(found, list):
        table.fail(f"found {shown(found)}, expected an array of {', '.join(allowed)}", key)
        return None
    good = True
    for index, value in enumerate(found):
        if _one_of(table, (key, index), value, REQUIRED, allowed, "") is None:
            good = False
        elif value in found[:index]:
            table.fail(f"{shown(value)} stands here twice", key, index)
            good = False
    return tuple(found) if good else None


def number(table: Table, key: str, default: D | Required, low: float, high: float, unit: str = "") -> float | D | None:
    """A finite number from `low` to `high`."""
    return _read(table, key, default, _range_words(low, high, unit), lambda value: as_number(value, low, high))


def _range_words(low: float, high: float, unit: str) -> str:
    return f"a number from {plain(low)} to {plain(high)}{' ' if unit else ''}{unit}"


def plain(value: float) -> str:
    """A number without an exponent: `0.000001`, `9999999`, `1050.5`."""
    return f"{value:f}".rstrip("0").rstrip(".")


def as_number(value: Any, low: float, high: float) -> float | None:
    """`value` as a float when it is a number (no boolean, no NaN) from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None  # NaN compares false, a huge int compares exactly


def numbers(
    table: Table, key: str, default: D | Required, count: int, low: float, high: float, what: str
) -> tuple[float, ...] | D | None:
    """An array of `count` finite numbers from `low` to `high`; `what`: what they are (`[x, y, z] in metres`)."""

    def judge(value: Any) -> tuple[float, ...] | None:
        if not isinstance(value, list) or len(value) != count:
            return None
        judged = [as_number(item, low, high) for item in value]
        for index, item in enumerate(judged):
            if item is None:
                found = shown(value[index])
                table.fail(f"found {found}, expected {_range_words(low, high, '')}: {what}", key, index)
        return tuple(item if item is not None else math.nan for item in judged)

    result = _read(table, key, default, what, judge)
    if isinstance(result, tuple) and any(math.isnan(item) for item in result):
        return None
    return result


def frames(table: Table, key: str, default: D | Required) -> FrameRange | D | None:
    """Two whole scene frames in order, the first and the last."""
    wanted = f"[first, last], whole frames from 0 to {LAST_FRAME}"

    def whole(value: Any) -> bool:
        two = isinstance(value, list) and len(value) == 2
        return two and all(type(frame) is int and 0 <= frame <= LAST_FRAME for frame in value)

    def judge(value: Any) -> FrameRange | None:
        return FrameRange(*value) if whole(value) and value[0] <= value[1] else None

    value = table.values.get(key)
    if isinstance(value, list) and len(value) == 2 and judge(value) is None:
        reason = "the first frame comes after the last" if whole(value) else f"expected {wanted}"
        table.fail(f"found [{shown(value[0])}, {shown(value[1])}], {reason}", key)
        return None
    return _read(table, key, default, wanted, judge)


def switch(table: Table, key: str, default: bool) -> bool:
    """True or false; `default` where it is not given or neither."""
    value = table.values.get(key, default)
    if isinstance(value, bool):
        return value
    table.fail(f"found {shown(value)}, expected true or false", key)
    return default


def count(table: Table, key: str, least: int, most: int) -> int | None:
    """A whole number; None where there is none."""

    def judge(value: Any) -> int | None:
        return value if type(value) is int and least <= value <= most else None

    return _read(table, key, None, f"a whole number from {least} to {most}", judge)


def existing(table: Table, key: str, kind: Literal["file", "folder"], default: Required | None) -> Path | None:
    """A path that is there, relative to the film file's folder; gives it absolute."""
    wanted = f"a {kind}, as a path from the film file's folder"
    given = _read(table, key, default, wanted, lambda v: v if isinstance(v, str) and v.strip() else None)
    if given is None:
        return None
    try:
        path = (Path(table.source.path).parent / given).resolve()
        found = "file" if path in table.source.pending or path.is_file() else "folder" if path.is_dir() else None
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL, no entry, links in a circle
        table.fail(f"found {shown(given)}, which cannot be a path here: {error}", key)
        return None
    if found == kind:
        table.source.files[(*table.place, key)] = path
        return path
    if found:
        table.fail(f"{shown(given)} is a {found}, expected a {kind}", key)
    else:
        table.fail(f"no such {kind}: {shown(given)} (looked for {path}){_near_path(path, given)}", key)
    return None


def _near_path(missing: Path, given: str) -> str:
    if "\\" in given:
        return "; write folders with /, on every system"
    if given.startswith("~"):
        return "; ~ is not expanded in a film file"
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    try:
        return did_you_mean(missing.name, sorted(entry.name for entry in missing.parent.iterdir())[:1000])
    except OSError:
        return ""


def tables(table: Table, key: str) -> list[tuple[str, Table]]:
    """The named tables inside the table `key`; notes bad names, names alike but for case, and what is no table."""
    inside = table.inside(key) if key in table.values else None
    if inside is None:
        return []
    seen: dict[str, str] = {}
    found = []
    for own_name in inside.values:
        if not is_name(own_name):
            inside.fail(f"found {shown(own_name)}, expected a name ({NAME_RULE})", own_name)
        twin = seen.setdefault(own_name.casefold(), own_name)
        if twin != own_name:
            inside.fail(f"differs from {shown(twin)} only in case; names become file names", own_name)
        one = inside.inside(own_name)
        if one is not None:
            found.append((own_name, one))
    return found


def array(table: Table, key: str) -> list[Table]:
    """The tables of the array of tables `key`, an absent key being an empty one; notes what is no table."""
    found = table.values.get(key, [])
    if not isinstance(found, list):
        table.fail(f"found {shown(found)}, expected an array of tables ([[{key}]])", key)
        return []
    return [one for index in range(len(found)) if (one := table.inside(key, index)) is not None]


def note_falling(table: Table, key: str, frame_of: Mapping[int, float]) -> None:  # index in the array -> its frame
    """Note where the frames of the array `key` do not rise."""
    highest: float | None = None
    for index, frame in frame_of.items():
        if highest is not None and frame <= highest:
            table.fail(f"found {plain(frame)} after {plain(highest)}, expected frames that rise", key, index, "frame")
        highest = frame if highest is None else max(highest, frame)


def note_outside(table: Table, key: str, frames: FrameRange, clock: FrameRange, whose: str) -> None:
    """Note a range that is not wholly inside `clock`."""
    if frames.first not in clock or frames.last not in clock:
        table.fail(
            f"found [{frames.first}, {frames.last}], outside {whose}, which has [{clock.first}, {clock.last}]", key
        )
