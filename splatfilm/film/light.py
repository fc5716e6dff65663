"""The light of a cast member in a film file: `light = "set"`, or a table of how."""

from __future__ import annotations

from splatfilm.film import fields
from splatfilm.film.model import Light
from splatfilm.film.source import Table, shown

LIGHT_KEYS = ("strength", "exposure", "highlights")
EXPOSURE_LIMITS = (-6.0, 6.0)  # stops
HIGHLIGHTS_LIMITS = (1.0, 100.0)


def read_light(table: Table) -> Light | None:
    """`light` of a cast member: "own" (as photographed, the default), "set", or a table of what differs from "set"."""
    found = table.values.get("light", "own")
    if found == "own":
        return None
    if found == "set":
        return Light()
    if not isinstance(found, dict):
        table.fail(f'found {shown(found)}, expected "own", "set" or a table with {", ".join(LIGHT_KEYS)}', "light")
        return None
    inside = table.inside("light")
    assert inside is not None, "it was found to be a table"
    inside.only(LIGHT_KEYS)
    plain = Light()
    strength = fields.number(inside, "strength", plain.strength, 0, 1)
    exposure = fields.number(inside, "exposure", plain.exposure, *EXPOSURE_LIMITS, "stops")
    highlights = fields.number(inside, "highlights", plain.highlights, *HIGHLIGHTS_LIMITS)
    if strength is None or exposure is None or highlights is None:
        return None
    return Light(strength, exposure, highlights)
