"""The light of a cast member in a film file: `light = "set"`, or a table of how."""

from __future__ import annotations

import dataclasses
import math
from typing import cast, get_args

from splatfilm.film import fields
from splatfilm.film.fields import REQUIRED
from splatfilm.film.model import FrameRange, Lamp, LampKind, Light
from splatfilm.film.source import Table, shown

LIGHT_KEYS = ("strength", "exposure", "highlights", "bounce", "worn_shadows")
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
    bounce = fields.number(inside, "bounce", plain.bounce, 0, 1)
    worn_shadows = fields.switch(inside, "worn_shadows", plain.worn_shadows)
    if strength is None or exposure is None or highlights is None or bounce is None:
        return None
    return Light(strength, exposure, highlights, bounce, worn_shadows)


LAMP_KEYS: dict[str, tuple[str, ...]] = {
    "sun": ("direction",),
    "point": ("position",),
    "panel": ("position", "direction", "size"),
    "sky": (),
}
BRIGHTEST = 1e5  # of a lamp, watts
FAR = (-1e4, 1e4)  # metres
PLACE = "[x, y, z] in metres"
WAY = "[x, y, z], the way that the light goes"
SIZE = "[width, height] in metres"


def read_lamps(table: Table, key: str, clock: FrameRange | None = None) -> tuple[Lamp, ...]:
    """The lamps of a scene, which has a `clock`, or of a studio: an array of tables. Those that are right."""
    found = [_switched(inside, clock) for inside in fields.array(table, key)]
    return tuple(lamp for lamp in found if lamp is not None)


def _switched(table: Table, clock: FrameRange | None) -> Lamp | None:
    """A lamp, and when it is on."""
    lamp = _lamp(table, () if clock is None else ("frames",))
    if lamp is None or clock is None:
        return lamp
    frames = fields.frames(table, "frames", None)
    if frames is not None:
        fields.note_outside(table, "frames", frames, clock, "the scene")
    return dataclasses.replace(lamp, frames=frames)


def _lamp(table: Table, more: tuple[str, ...]) -> Lamp | None:
    kind = fields.choice(table, "kind", REQUIRED, get_args(LampKind), "a lamp")
    if kind is None:
        return None
    window = table.inside("window") if kind == "sun" and "window" in table.values else None
    table.only(("kind", "strength", "colour", *LAMP_KEYS[kind], *(("window",) if kind == "sun" else ()), *more))
    strength = fields.number(table, "strength", REQUIRED, 0, BRIGHTEST)
    colour = fields.numbers(table, "colour", (1.0, 1.0, 1.0), 3, 0, 100, "[red, green, blue], linear")
    own = set(LAMP_KEYS[kind])
    nowhere, below, none = (0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 0.0)
    position = fields.numbers(table, "position", REQUIRED if "position" in own else nowhere, 3, *FAR, PLACE)
    direction = fields.numbers(table, "direction", REQUIRED if "direction" in own else below, 3, *FAR, WAY)
    size = fields.numbers(table, "size", REQUIRED if "size" in own else none, 2, 0, FAR[1], SIZE)
    if strength is None or colour is None or position is None or direction is None or size is None:
        return None
    length = math.sqrt(sum(value * value for value in direction))
    if length == 0:
        table.fail("found no length, expected the way that the light goes", "direction")
        return None
    x, y, z = (value / length for value in direction)
    red, green, blue = colour
    a, b, c = position
    lamp = Lamp(cast(LampKind, kind), strength, (red, green, blue), (a, b, c), (x, y, z), (size[0], size[1]))
    return lamp if window is None else _through(lamp, window)


def _through(sun: Lamp, window: Table) -> Lamp | None:
    """A sun that comes into a room by one window, an upright rectangle."""
    window.only(("position", "facing", "size"))
    position = fields.numbers(window, "position", REQUIRED, 3, *FAR, PLACE)
    facing = fields.numbers(window, "facing", REQUIRED, 2, *FAR, "[x, y], from the window into the room")
    size = fields.numbers(window, "size", REQUIRED, 2, 0, FAR[1], SIZE)
    if position is None or facing is None or size is None:
        return None
    length = math.hypot(*facing)
    if length == 0 or facing[0] * sun.direction[0] + facing[1] * sun.direction[1] <= 0:
        window.fail(f"found {list(facing)}, expected a way into the room that the sun's light goes too", "facing")
        return None
    x, y, z = position
    inwards = (facing[0] / length, facing[1] / length, 0.0)
    return dataclasses.replace(sun, position=(x, y, z), size=(size[0], size[1]), facing=inwards)
