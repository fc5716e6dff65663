"""Changing a film file's text without disturbing what a person wrote in it: comments, order, spelling stay.

Values inside a shot are set with tomlkit. Whole shots are moved, copied and taken out as blocks of lines, because a
comment above a shot belongs to that shot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array, InlineTable, Table

from splatfilm.base.errors import InputError
from splatfilm.film.positions import key_lines


def set_in_shot(text: str, index: int, values: Mapping[str, Any]) -> str:
    """The text with keys of shot `index` set; None takes a key out. A dict becomes an inline table, merged."""
    document = tomlkit.parse(text)
    shots: Any = document["shots"]
    table = shots[index]
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif isinstance(value, Mapping):
            _merge(table, key, value)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            table[key] = _rows(value)
        else:
            table[key] = value
    return tomlkit.dumps(document)


def move_shot(text: str, index: int, to: int) -> str:
    """The text with shot `index` standing at place `to`."""
    blocks = _Blocks(text)
    blocks.shots.insert(to, blocks.shots.pop(index))
    return blocks.text()


def delete_shot(text: str, index: int) -> str:
    """The text without shot `index` and the comments above it."""
    blocks = _Blocks(text)
    del blocks.shots[index]
    return blocks.text()


def duplicate_shot(text: str, index: int, values: Mapping[str, Any]) -> str:
    """The text with a copy of shot `index` right behind it, in which `values` are set; its comments are not copied."""
    blocks = _Blocks(text)
    copied = [line for line in blocks.shots[index] if not line.lstrip().startswith("#")]
    blocks.shots.insert(index + 1, ["\n", *_trimmed(copied)] if blocks.shots[index][-1].strip() else _trimmed(copied))
    return set_in_shot(blocks.text(), index + 1, values)


def add_shot(text: str, at: int, values: Mapping[str, Any]) -> str:
    """The text with a new shot at place `at`."""
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = _inline(value) if isinstance(value, Mapping) else value
    lines = ["[[shots]]\n", *tomlkit.dumps(table).splitlines(keepends=True)]
    blocks = _Blocks(text)
    if blocks.shots:
        blocks.shots.insert(at, [*lines, "\n"])
        return blocks.text()
    return text.rstrip("\n") + "\n\n" + "".join(lines)


def _merge(table: Table, key: str, value: Mapping[str, Any]) -> None:
    if not isinstance(table.get(key), Table | InlineTable):
        table[key] = _inline({k: v for k, v in value.items() if v is not None})
        return
    inside: Any = table[key]
    for name, item in value.items():
        if item is None:
            inside.pop(name, None)
        else:
            inside[name] = item
    if not inside:
        del table[key]


def _inline(value: Mapping[str, Any]) -> InlineTable:
    made = tomlkit.inline_table()
    made.update({k: v for k, v in value.items() if v is not None})
    return made


def _rows(values: list[Mapping[str, Any]]) -> Array:
    rows = tomlkit.array()
    for value in values:
        rows.append(_inline(value))
    return rows.multiline(len(values) > 1)


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [*lines, "\n"]


class _Blocks:
    """The lines before the shots, the lines of each shot with the comments above it, and the lines after them."""

    def __init__(self, text: str) -> None:
        parsed = tomlkit.parse(text)
        shots = parsed.get("shots")
        if shots is not None and not isinstance(shots, AoT):
            raise InputError.at("film file", "shots are written as one array; write each as [[shots]] to reorder them")
        text = text if text.endswith("\n") else text + "\n"
        lines = text.splitlines(keepends=True)
        places = key_lines(text)
        starts = [self._with_comments(lines, places["shots", i]) for i in range(len(shots or []))]
        if not starts:
            self.before, self.shots, self.after = lines, [], []
            return
        last = places["shots", len(starts) - 1]
        others = [line for place, line in places.items() if line > last and place[0] != "shots"]
        end = self._with_comments(lines, min(others)) if others else len(lines) + 1
        between = [line for p, line in places.items() if starts[0] <= line < last and p[0] != "shots"]
        if between:
            raise InputError.at("film file", "other tables stand between the shots", "shots", min(between))
        ends = [*starts[1:], end]
        self.before = lines[: starts[0] - 1]
        self.shots = [lines[a - 1 : b - 1] for a, b in zip(starts, ends, strict=True)]
        self.after = lines[end - 1 :]

    @staticmethod
    def _with_comments(lines: list[str], line: int) -> int:
        while line > 1 and lines[line - 2].lstrip().startswith("#"):
            line -= 1
        return line

    def text(self) -> str:
        shots = [block if block[-1:] and not block[-1].strip() else [*block, "\n"] for block in self.shots]
        if shots and not self.after:
            shots[-1] = _trimmed(shots[-1])[:-1]
        return "".join(line for block in (self.before, *shots, self.after) for line in block)
