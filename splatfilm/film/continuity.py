"""What a film asks of its own continuity: `[film.continuity]`."""

from __future__ import annotations

from splatfilm.film import fields
from splatfilm.film.model import ContinuityGoal
from splatfilm.film.source import Source

KEYS = ("fsc", "revisit")
MOST_DECIBELS = 100.0


def film_continuity(source: Source) -> ContinuityGoal:
    """What the table says, and the defaults where it says nothing; what is wrong is noted and counts as not said."""
    goal = ContinuityGoal()
    head = source.values.get("film")
    if not isinstance(head, dict) or "continuity" not in head:
        return goal
    table = source.table.inside("film", "continuity")
    if table is None:
        return goal
    table.only(KEYS)
    fsc = fields.number(table, "fsc", goal.fsc, 0, 1)
    revisit = fields.number(table, "revisit", goal.revisit, 0, MOST_DECIBELS, "dB")
    return ContinuityGoal(goal.fsc if fsc is None else fsc, goal.revisit if revisit is None else revisit)
