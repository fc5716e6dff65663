"""The switches of lens and shutter: in `[film.lens]` for every shot, in a shot's `lens` for that one."""

from __future__ import annotations

from splatfilm.film import fields
from splatfilm.film.model import Optics
from splatfilm.film.source import Table, shown

OPTICS_KEYS = ("depth_of_field", "shutter_angle", "shutter_phase", "samples")
MOST_SAMPLES = 4096
_WANTED_SAMPLES = f'"auto" or a whole number from 1 to {MOST_SAMPLES}'


def read_optics(table: Table, base: Optics) -> Optics:
    """What the table says, and `base` where it says nothing; what is wrong is noted and counts as not said."""
    angle = fields.number(table, "shutter_angle", base.shutter_angle, 0, 360, "degrees")
    angle = base.shutter_angle if angle is None else angle
    # A phase that was said for another angle may not fit this one: then the shutter keeps its place as well as it can.
    inherited = max(base.shutter_phase, -angle)
    phase = fields.number(table, "shutter_phase", inherited, -360, 0, "degrees")
    phase = inherited if phase is None else phase
    if phase < -angle:
        table.fail(
            f"found {fields.plain(phase)}, but the shutter of {fields.plain(angle)} degrees would be closed at the "
            f"frame; expected a number from {fields.plain(-angle)} (it closes there) to 0 (it opens there)",
            "shutter_phase",
        )
        phase = inherited
    return Optics(
        fields.switch(table, "depth_of_field", base.depth_of_field), angle, phase, _samples(table, base.samples)
    )


def _samples(table: Table, default: int | None) -> int | None:
    value = table.values.get("samples", "auto" if default is None else default)
    if value == "auto" and isinstance(value, str):
        return None
    if type(value) is int and 1 <= value <= MOST_SAMPLES:
        return value
    table.fail(f"found {shown(value)}, expected {_WANTED_SAMPLES}", "samples")
    return default
