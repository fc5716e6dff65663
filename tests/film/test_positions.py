"""The position scanner against tomllib: it finds the same keys, on the lines where they were written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splatfilm.film.positions import Place, dotted, key_lines

SCALARS = (
    "1",
    "-1_000",
    "0xdead_beef",
    "1.5e-3",
    "-inf",
    "nan",
    "true",
    "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00",
    "07:32:00",
    '""',
    "''",
    r'"a \" # ] } \\"',
    r"'c:\new # [x] = '",
    '"ü=👍"',
    '"""one line"""',
    '"""\n[not.a.table]\nnot = "a key" # not a comment\n"""',
    '"""ends in quotes"""""',
    '"""a \\"""\n escaped \\\\"""',
    "'''\n[[no]]\n''two'' \\'''",
    "''''quoted'''''",
)
KEYS = ("a", "b-1", "C_2", "3", "1979-05-27", '"quo.ted"', '"a\\"b"', '"\\u00fc\\n"', "'lit\"eral # ='", '""', "'[x]'")
GAPS = ("", "\n", "  \n\t", " # a ] comment \" '''\n", "\n\n")
SPACES = ("", " ", "\t ")


class Writer:
    """Writes random TOML and remembers on which line it wrote what."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.expected: dict[Place, int] = {}

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def some(self, most: int) -> range:
        return range(self.draw(st.integers(0, most)))

    def here(self, place: Place, override: bool = True) -> None:
        line = self.text.count("\n") + 1
        if override:
            self.expected[place] = line
        else:
            self.expected.setdefault(place, line)

    def value(self, place: Place, depth: int) -> None:
        kind = self.pick("scalar", "scalar", "array", "inline") if depth else "scalar"
        if kind == "scalar":
            self.text += self.pick(*SCALARS)
        elif kind == "array":
            self.text += "["
            for index in self.some(3):
                self.text += self.pick(*GAPS)
                self.here((*place, index))
                self.value((*place, index), depth - 1)
                self.text += self.pick(*GAPS) + "," + self.pick(*GAPS)
            self.text += self.pick(*GAPS) + "]"
        else:
            self.text += "{"
            for number, key in enumerate(self.keys(3)):
                self.text += "," if number else ""
                self.text += self.pick(*SPACES)
                self.pair(place, key, depth - 1)
                self.text += self.pick(*SPACES)
            self.text += "}"

    def keys(self, most: int) -> list[str]:
        return list(self.draw(st.lists(st.sampled_from(KEYS), max_size=most, unique=True)))

    def pair(self, place: Place, key: str, depth: int) -> None:
        ways = [key, *self.keys(2)] if self.pick(True, False, False) else [key]
        for way in ways:
            place = (*place, plain(way))
            self.here(place)
        self.text += self.pick(".", " . ", "\t.").join(ways) + self.pick("=", " = ", "\t= ")
        self.value(place, depth)

    def table(self, place: Place, way: list[str], depth: int) -> None:
        """The pairs of a table whose header stands, then its tables."""
        own = self.keys(3)
        for key in own:
            self.text += self.pick(*SPACES)
            self.pair(place, key, 2)
            self.text += self.pick("\n", " # [c]\n", "\n\n")
        if depth == 0:
            return
        for key in [key for key in self.keys(2) if plain(key) not in map(plain, own)]:
            if self.pick(True, False):
                self.header([*way, key], (*place, plain(key)), depth)
            else:
                self.headers([*way, key], (*place, plain(key)), depth)

    def header(self, way: list[str], place: Place, depth: int) -> None:
        if self.pick(True, False, False):  # a table that only the header of a table inside it mentions
            way, place = [*way, "b-1"], (*place, "b-1")
            self.here(place[:-1])
        self.here(place)
        space = self.pick(*SPACES)
        self.text += f"[{space}{self.pick('.', ' . ').join(way)}{space}] # [x]\n"
        self.table(place, way, depth - 1)

    def headers(self, way: list[str], place: Place, depth: int) -> None:
        for index in range(1 + len(self.some(2))):
            self.here(place, override=False)
            self.here((*place, index))
            self.text += f"[[{'.'.join(way)}]]\n"
            self.table((*place, index), way, depth - 1)


def plain(key: str) -> str:
    (name,) = tomllib.loads(f"{key} = 0")
    return name


def places(value: Any, place: Place = ()) -> set[Place]:
    """Every key path in what tomllib read."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {place} if place else set()
    for step, inner in items:
        found |= places(inner, (*place, step))
    return found


@given(st.data())
def test_every_key_that_tomllib_knows_is_found_on_its_line(data: st.DataObject) -> None:
    writer = Writer(data.draw)
    writer.table((), [], 3)
    values = tomllib.loads(writer.text)
    assert set(writer.expected) == places(values), "the writer knows what it wrote"
    assert key_lines(writer.text) == writer.expected


def test_lines_of_a_text_counted_by_hand() -> None:
    text = '\n# c\na.b = 1\n[t.u]\nx = [\n  1,\n  {y = 2},\n]\n[t]\n[[s]]\n[s.q]\n[[s]]\nm = """\n\n"""\nn = 0'
    assert key_lines(text) == {
        ("a",): 3,
        ("a", "b"): 3,
        ("t",): 9,
        ("t", "u"): 4,
        ("t", "u", "x"): 5,
        ("t", "u", "x", 0): 6,
        ("t", "u", "x", 1): 7,
        ("t", "u", "x", 1, "y"): 7,
        ("s",): 10,
        ("s", 0): 10,
        ("s", 0, "q"): 11,
        ("s", 1): 12,
        ("s", 1, "m"): 13,
        ("s", 1, "n"): 16,
    }


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (("shots", 2, "lens", "focal_mm"), "shots[2].lens.focal_mm"),
        (("a b", "c"), '"a b".c'),
        (('say "x"',), '"say \\"x\\""'),
        ((), ""),
    ],
)
def test_places_are_written_as_toml_would(place: Place, written: str) -> None:
    assert dotted(place) == written
