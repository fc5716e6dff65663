"""How frames are refined: in `[film.refine]` for every shot, in a shot's `refine` for that one."""

from __future__ import annotations

from typing import cast

from splatfilm.film import fields
from splatfilm.film.model import REFINE_LOOKS, Refine, RefineLook
from splatfilm.film.source import Source, Table

_KEYS = ("look", "strength", "grain")
MOST_GRAIN = 4


def film_refine(source: Source) -> Refine:
    """`[film.refine]`: what holds for every shot that does not say otherwise; without it nothing is refined."""
    head = source.values.get("film")
    if not isinstance(head, dict) or "refine" not in head or (table := source.table.inside("film", "refine")) is None:
        return Refine()
    table.only((*_KEYS, "seed"))
    read = _read(table, Refine(look="natural"))
    seed = fields.name(table, "seed", read.seed)
    return Refine(read.look, read.strength, read.grain, seed or read.seed)


def shot_refine(shot: Table, base: Refine) -> Refine:
    """A shot's `refine = "clean"`, or `refine = { look = "clean", strength = 0.5 }`; what is not said is the film's."""
    if "refine" not in shot.values:
        return base
    if isinstance(shot.values["refine"], dict):
        table = shot.inside("refine")
        assert table is not None, "it is a table"
        table.only(_KEYS)
        return _read(table, base)
    look = fields.choice(shot, "refine", base.look, REFINE_LOOKS)
    return Refine(cast(RefineLook, look or base.look), base.strength, base.grain, base.seed)


def _read(table: Table, base: Refine) -> Refine:
    """What the table says, and `base` where it says nothing; what is wrong is noted and counts as not said."""
    look = fields.choice(table, "look", base.look, REFINE_LOOKS)
    strength = fields.number(table, "strength", base.strength, 0, 1)
    grain = fields.number(table, "grain", base.grain, 0, MOST_GRAIN)
    return Refine(
        cast(RefineLook, look or base.look),
        base.strength if strength is None else strength,
        base.grain if grain is None else grain,
        base.seed,
    )
