"""A shot's markers: `markers = [{ frame = 1258, name = "the yawn" }]`, remarks that people leave on the clock."""

from __future__ import annotations

from splatfilm.film import fields
from splatfilm.film.fields import REQUIRED
from splatfilm.film.model import Marker
from splatfilm.film.source import Table

LAST_FRAME = 9_999_999


def read_markers(shot: Table) -> tuple[Marker, ...]:
    """The markers that are right, by frame; what is wrong is noted, also a second marker on a frame."""
    found: dict[int, Marker] = {}
    for table in fields.array(shot, "markers"):
        table.only(("frame", "name"))
        frame = fields.number(table, "frame", REQUIRED, 0, LAST_FRAME)
        name = fields.text(table, "name", REQUIRED)
        if frame is None or name is None:
            continue
        if frame != int(frame):
            table.fail(f"found {fields.plain(frame)}, expected a whole scene frame", "frame")
        elif int(frame) in found:
            table.fail(f"found a second marker on frame {int(frame)}, expected one", "frame")
        else:
            found[int(frame)] = Marker(int(frame), name)
    return tuple(found[frame] for frame in sorted(found))
