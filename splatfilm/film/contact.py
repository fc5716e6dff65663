"""Contact shadows in a film file: `[film.contact]` for every shot, a shot's `contact` for that one."""

from __future__ import annotations

from splatfilm.film import fields
from splatfilm.film.model import Contact
from splatfilm.film.source import Table, shown

CONTACT_KEYS = ("strength", "radius", "beauty")
RADIUS_LIMITS = (0.05, 5.0)  # metres


def film_contact(head: Table) -> Contact | None:
    """`[film.contact]`: what holds for every shot that does not say otherwise; none when it is not there."""
    return read_contact(head, None)


def read_contact(table: Table, base: Contact | None) -> Contact | None:
    """The `contact` of a table: true or false, or a table of what differs from `base`; `base` where there is none."""
    found = table.values.get("contact")
    if "contact" not in table.values:
        return base
    if isinstance(found, bool):
        return (base or Contact()) if found else None
    if not isinstance(found, dict):
        table.fail(f"found {shown(found)}, expected true, false or a table with {', '.join(CONTACT_KEYS)}", "contact")
        return base
    inside = table.inside("contact")
    assert inside is not None, "it was found to be a table"
    inside.only(CONTACT_KEYS)
    start = base or Contact()
    strength = fields.number(inside, "strength", start.strength, 0, 1)
    radius = fields.number(inside, "radius", start.radius, *RADIUS_LIMITS, "metres")
    beauty = inside.values.get("beauty", start.beauty)
    if not isinstance(beauty, bool):
        inside.fail(f"found {shown(beauty)}, expected true or false", "beauty")
        beauty = start.beauty
    return Contact(start.strength if strength is None else strength, start.radius if radius is None else radius, beauty)


def touches(table: Table) -> bool:
    """Whether a cast member takes part in contact shadows; `contact = false` leaves it out."""
    found = table.values.get("contact", True)
    if isinstance(found, bool):
        return found
    table.fail(f"found {shown(found)}, expected true or false", "contact")
    return True
