"""How frames are refined: in `[film.refine]` for every shot, in a shot's `refine` for that one."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from splatfilm.film import fields
from splatfilm.film.model import REFINE_LOOKS, Refine, RefineLook
from splatfilm.film.refine_model import model_settings
from splatfilm.film.source import Source, Table

_KEYS = ("look", "strength", "grain")
MOST_GRAIN = 4
STEPS = (2, 8)  # from noise to a picture: with one, noise would be all that the refiner sees of the change


def film_refine(source: Source) -> Refine:
    """`[film.refine]`: what holds for every shot that does not say otherwise; without it nothing is refined."""
    head = source.values.get("film")
    if not isinstance(head, dict) or "refine" not in head or (table := source.table.inside("film", "refine")) is None:
        return Refine()
    table.only((*_KEYS, "seed", "model", "bake", "steps"))
    read = _read(table, Refine(look="natural"))
    seed = fields.name(table, "seed", read.seed)
    inner = table.inside("model") if "model" in table.values else None
    model = None if inner is None else model_settings(inner)
    steps = fields.count(table, "steps", *STEPS) if "steps" in table.values else None
    if steps is not None and model is not None:
        table.fail("is of the scene refiner, and a model takes its place: say [film.refine.model] steps", "steps")
    return replace(read, seed=seed or read.seed, model=model, steps=steps)


def film_bake(source: Source) -> bool:
    """`bake` in `[film.refine]`: whether captured assets are refined into their splats; so they are unless it says no.

    A film that is not refined at all shows its assets as they were captured.
    """
    head = source.values.get("film")
    table = head.get("refine") if isinstance(head, dict) else None
    if not isinstance(table, dict):
        return False
    value = table.get("bake", True)
    if isinstance(value, bool):
        return value
    if (inside := source.table.inside("film", "refine")) is not None:
        inside.fail(f"expected true or false, found {value!r}", "bake")
    return False


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
    return replace(base, look=cast(RefineLook, look or base.look))


def _read(table: Table, base: Refine) -> Refine:
    """What the table says, and `base` where it says nothing; what is wrong is noted and counts as not said."""
    look = fields.choice(table, "look", base.look, REFINE_LOOKS)
    strength = fields.number(table, "strength", base.strength, 0, 1)
    grain = fields.number(table, "grain", base.grain, 0, MOST_GRAIN)
    return replace(
        base,
        look=cast(RefineLook, look or base.look),
        strength=base.strength if strength is None else strength,
        grain=base.grain if grain is None else grain,
    )
