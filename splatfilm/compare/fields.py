"""The kinds of values that a `baseline.json` holds, each read and judged by one function.

Whoever finds something wrong notes it and goes on, so that one run names every mistake of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splatfilm.base.errors import Problem, did_you_mean

_SHOWN = 60  # characters of a wrong value that are repeated


@dataclass
class Notes:
    """The file and what is wrong with it so far."""

    path: str
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """One object of the file, and the way to it (`methods[2].clips[0]`)."""

    notes: Notes
    place: str
    values: Mapping[str, Any]

    def fail(self, key: str, message: str) -> None:
        """Note a problem of `key`."""
        place = f"{self.place}.{key}" if self.place and key else self.place or key
        self.notes.problems.append(Problem(self.notes.path, place, message))

    def only(self, allowed: Iterable[str]) -> None:
        """Note every key that is none of `allowed`."""
        allowed = tuple(allowed)
        for key in self.values:
            if key not in allowed:
                self.fail(key, f"unknown key, expected one of {', '.join(allowed)}{did_you_mean(key, allowed)}")

    def text(self, key: str, default: str | None = None, longest: int = 20_000) -> str:
        """A text; `default` None requires it to be there and not empty. Unknown (null) is the default."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or len(value) > longest or (default is None and not value.strip()):
            self.fail(key, _wrong(self.values, key, f"text of at most {longest} characters"))
            return default or ""
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of a few words."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if value not in allowed:
            near = did_you_mean(value, allowed) if isinstance(value, str) else ""
            self.fail(key, _wrong(self.values, key, f"one of {', '.join(allowed)}") + near)
            return default or allowed[0]
        return str(value)

    def choices(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Some of a few words."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fail(key, _wrong(self.values, key, f"an array of {', '.join(allowed)}"))
            return ()
        for item in value:
            if item not in allowed:
                near = did_you_mean(item, allowed) if isinstance(item, str) else ""
                self.fail(key, f"found {_shown(item)}, expected some of {', '.join(allowed)}{near}")
        return tuple(str(item) for item in value if item in allowed)

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`; None where it is unknown."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.fail(key, _wrong(self.values, key, f"a number from {low:g} to {high:g}, or null where it is unknown"))
            return None
        return float(value)

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int | None:
        """A whole number from `low` to `high`; `default` where it is unknown."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fail(key, _wrong(self.values, key, f"a whole number from {low} to {high}, or null"))
            return default
        return value

    def wholes(self, key: str, count: int, low: int = 0, high: int = 1 << 20) -> tuple[int, ...] | None:
        """`count` whole numbers; None where they are unknown."""
        value = self.values.get(key)
        if value is None:
            return None
        if not is_wholes(value, count, low, high):
            self.fail(key, _wrong(self.values, key, f"{count} whole numbers from {low} to {high}, or null"))
            return None
        return tuple(value)

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fail(key, _wrong(self.values, key, "true or false"))
            return default
        return value

    def table(self, key: str, required: bool = False) -> Table | None:
        """An object inside."""
        value = self.values.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, dict):
            self.fail(key, _wrong(self.values, key, "an object"))
            return None
        return Table(self.notes, f"{self.place}.{key}" if self.place else key, value)

    def tables(self, key: str) -> list[Table]:
        """The objects of an array; an absent key is an empty one."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(key, _wrong(self.values, key, "an array of objects"))
            return []
        found = []
        for index, item in enumerate(value):
            place = f"{self.place}.{key}[{index}]" if self.place else f"{key}[{index}]"
            if isinstance(item, dict):
                found.append(Table(self.notes, place, item))
            else:
                self.notes.problems.append(Problem(self.notes.path, place, f"found {_shown(item)}, expected an object"))
        return found


def is_wholes(value: Any, count: int, low: int = 0, high: int = 1 << 20) -> bool:
    """Whether `value` is a list of `count` whole numbers in range."""
    return (
        isinstance(value, list)
        and len(value) == count
        and all(isinstance(item, int) and not isinstance(item, bool) and low <= item <= high for item in value)
    )


def _wrong(values: Mapping[str, Any], key: str, expected: str) -> str:
    return f"found {_shown(values[key])}, expected {expected}" if key in values else f"missing, expected {expected}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
