"""The `[[scenes.NAME.ambient]]` of a film file: what stirs in a scene by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast, get_args

from splatfilm.film import fields
from splatfilm.film.fields import REQUIRED
from splatfilm.film.model import Ambient, AmbientHeld, AmbientKind, Vector
from splatfilm.film.source import Table

MOST_METRES = 10.0
FARTHEST = 1e5
_KEYS = ("kind", "member", "box", "amount", "period", "direction", "held", "wavelength", "seed")
_AMOUNT = {"sway": (0.02, MOST_METRES, "metres"), "flicker": (0.1, 1.0, ""), "steam": (0.5, 1.0, "")}


def read_ambient(scene: Table, members: Iterable[str]) -> tuple[Ambient, ...]:
    """Every ambient motion of a scene that is right; `members` are the set and the cast by name."""
    members = tuple(members)
    found = [_ambient(table, members) for table in fields.array(scene, "ambient")]
    return tuple(one for one in found if one is not None)


def _ambient(table: Table, members: tuple[str, ...]) -> Ambient | None:
    table.only(_KEYS)
    kind = fields.choice(table, "kind", REQUIRED, get_args(AmbientKind))
    member = fields.choice(table, "member", members[0] if members else REQUIRED, members, "the set or a cast member")
    box = _box(table)
    usual, most, unit = _AMOUNT[kind or "sway"]
    amount = fields.number(table, "amount", usual, 0, most, unit)
    period = fields.number(table, "period", 4.0, 0.05, 3600, "seconds")
    wavelength = fields.number(table, "wavelength", 0.8, 0.01, 1000, "metres")
    direction = _direction(table)
    held = fields.choice(table, "held", "top", get_args(AmbientHeld))
    seed = fields.name(table, "seed", "1")
    values = (kind, member, box, amount, period, wavelength, direction, held, seed)
    if any(value is None for value in values):
        return None
    return Ambient(
        cast(AmbientKind, kind),
        cast(str, member),
        cast("tuple[Vector, Vector]", box),
        cast(float, amount),
        cast(float, period),
        cast(float, wavelength),
        cast(Vector, direction),
        cast(AmbientHeld, held),
        cast(str, seed),
    )


def _box(table: Table) -> tuple[Vector, Vector] | None:
    """`{ from = [x, y, z], to = [x, y, z] }`."""
    if "box" not in table.values:
        table.fail("missing, expected a box { from = [x, y, z], to = [x, y, z] } in metres", "box")
        return None
    inside = table.inside("box")
    if inside is None:
        return None
    inside.only(("from", "to"))
    corners = [
        fields.numbers(inside, key, REQUIRED, 3, -FARTHEST, FARTHEST, "[x, y, z] in metres") for key in ("from", "to")
    ]
    low, high = corners
    if low is None or high is None:
        return None
    if not all(a < b for a, b in zip(low, high, strict=True)):
        inside.fail("expected every coordinate to be greater than the one of `from`", "to")
        return None
    return cast(Vector, low), cast(Vector, high)


def _direction(table: Table) -> Vector | None:
    found = fields.numbers(table, "direction", (1.0, 0.0, 0.0), 3, -1e6, 1e6, "[x, y, z], which way it moves")
    if found is None:
        return None
    length = math.sqrt(sum(part * part for part in found))
    if length == 0:
        table.fail("found [0, 0, 0], expected a direction", "direction")
        return None
    return cast(Vector, tuple(part / length for part in found))
