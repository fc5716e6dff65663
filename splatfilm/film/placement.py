"""Where things stand: `position`, `heading` or `rotation`, and `scale` as one similarity transform."""

from __future__ import annotations

import math
from dataclasses import dataclass

from splatfilm.base.rigid import IDENTITY_QUATERNION, Similarity, multiply, quaternion_about
from splatfilm.film import fields
from splatfilm.film.source import Table

PLACE_KEYS = ("position", "heading", "rotation", "scale")
FARTHEST = 1e6  # metres, along each axis: float32 splats are still right to some centimetres there
MOST_DEGREES = 360_000.0
SMALLEST_SCALE, LARGEST_SCALE = 1e-6, 1e6


@dataclass(frozen=True)
class Placement:
    """What a table says about a place; None where it says nothing."""

    position: tuple[float, ...] | None = None  # metres
    rotation: tuple[float, float, float, float] | None = None  # quaternion wxyz
    scale: float | None = None

    def over(self, base: Similarity) -> Similarity:
        """The whole place, with what is not said taken from `base`."""
        x, y, z = self.position or base.translation
        return Similarity(self.rotation or base.rotation, (x, y, z), self.scale or base.scale)


def placement(table: Table) -> Placement:
    """Read the place keys of `table`, noting what is wrong; what is wrong counts as not said."""
    position = fields.numbers(table, "position", None, 3, -FARTHEST, FARTHEST, "[x, y, z] in metres")
    scale = fields.number(table, "scale", None, SMALLEST_SCALE, LARGEST_SCALE)
    if "heading" in table.values and "rotation" in table.values:
        table.fail("heading and rotation both say how it is turned, expected one of them", "rotation")
    heading = fields.number(table, "heading", None, -MOST_DEGREES, MOST_DEGREES, "degrees about Z")
    angles = fields.numbers(
        table, "rotation", None, 3, -MOST_DEGREES, MOST_DEGREES, "[x, y, z] in degrees about the fixed axes, x first"
    )
    if heading is not None:
        return Placement(position, about_fixed_axes((0.0, 0.0, heading)), scale)
    return Placement(position, about_fixed_axes(angles) if angles is not None else None, scale)


def about_fixed_axes(degrees: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The quaternion that turns about the world's x axis first, then about its y, then about its z axis."""
    x, y, z = (quaternion_about(axis, math.radians(angle)) for axis, angle in zip(_AXES, degrees, strict=True))
    w, i, j, k = (float(value) for value in multiply(z, multiply(y, x)))
    return (w, i, j, k) if any(degrees) else IDENTITY_QUATERNION


_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
