"""Where the photographer stood: every photograph of every capture as an eye and a target, in metres.

The flat is shot as a person would: once around each room at knee, breast and raised-arm height, then the doorway from
both sides, then everything a close shot might look at. Held-out views stand where the film's cameras will go.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """One photograph; `focal` is in widths of the picture."""

    name: str
    eye: Point
    target: Point
    focal: float
    held_out: bool = False

    def pose(self) -> NDArray[np.float64]:  # [4, 4] camera-to-world, OpenGL axes
        eye, target = np.array(self.eye, float), np.array(self.target, float)
        back = (eye - target) / np.linalg.norm(eye - target)
        right = np.cross([0, 0, 1.0], back)
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(back, right), back, eye
        return pose


BEDROOM = [
    (4.0, 1.0),
    (4.22, 1.55),
    (4.15, 2.3),
    (3.55, 3.2),
    (2.75, 3.3),
    (2.3, 2.9),
    (1.45, 3.05),
    (0.95, 3.15),
    (1.95, 0.62),
    (2.2, 0.85),
    (3.2, 1.05),
    (2.85, 2.2),
]
HEIGHTS = (0.72, 1.3, 1.9)
BATHROOM = [(5.05, 1.22), (5.0, 2.05), (5.55, 2.75), (6.25, 2.7), (6.15, 1.15), (5.55, 1.55)]
CLEAR_OF_ACTOR = 0.35  # metres from her axis; a ring around a hand also passes through her
WIDE = 0.64  # focal length of the walk-around, in picture widths: 76 degrees across, 16 mm on Super 35

DETAILS: list[tuple[Point, Point, float]] = [
    ((1.6, 2.9, 1.25), (0.1, 2.75, 0.75), 0.8),
    ((1.15, 2.75, 1.0), (0.2, 2.9, 0.66), 0.8),
    ((0.95, 3.2, 1.05), (0.25, 2.8, 0.62), 0.8),
    ((1.0, 2.55, 0.75), (0.2, 2.92, 0.66), 0.8),
    ((1.55, 1.7, 1.35), (0.0, 1.7, 1.1), WIDE),
    ((1.7, 2.35, 1.5), (0.1, 1.2, 1.2), 0.75),
    ((1.5, 1.2, 1.45), (0.3, 2.2, 0.8), 0.75),
    ((2.55, 1.75, 1.25), (0.6, 1.75, 0.7), 0.8),
    ((2.9, 0.95, 1.0), (1.3, 2.2, 0.55), 0.75),
    ((2.6, 2.0, 1.45), (2.6, 6.0, 1.35), 0.8),
    ((2.2, 2.45, 1.5), (3.1, 6.0, 1.1), 0.8),
    ((3.1, 2.45, 1.6), (2.2, 6.0, 1.2), 0.8),
    ((2.6, 2.9, 1.35), (2.6, 6.0, 1.0), 0.8),
    ((2.5, 3.2, 1.5), (1.2, 6.5, 0.6), 0.7),
    ((2.75, 3.2, 1.5), (4.2, 6.5, 0.6), 0.7),
    ((2.9, 2.3, 1.2), (3.1, 0.3, 1.1), WIDE),
    ((3.75, 1.75, 1.5), (2.9, 0.3, 1.6), 0.75),
    ((2.0, 0.85, 1.4), (1.0, 0.1, 1.1), WIDE),
    ((1.75, 0.95, 1.3), (0.6, 0.1, 1.0), 0.7),
    ((2.9, 2.8, 1.3), (1.2, 0.1, 1.2), 0.75),
    ((2.4, 2.4, 1.6), (3.6, 1.4, 0.0), WIDE),
    ((2.6, 2.6, 1.1), (1.7, 0.9, 2.6), WIDE),
    ((3.0, 2.9, 1.1), (4.3, 2.9, 0.7), 0.75),
    ((3.2, 1.5, 1.2), (4.4, 0.5, 0.9), 0.75),
    ((3.3, 1.6, 1.5), (6.8, 1.6, 1.25), 0.9),
    ((2.7, 2.1, 1.2), (6.8, 1.4, 1.1), 0.8),
    ((4.25, 1.6, 1.5), (6.8, 1.7, 1.1), WIDE),
    ((4.66, 1.6, 1.35), (6.9, 1.9, 1.0), WIDE),
    ((4.66, 1.55, 1.55), (6.3, 2.9, 0.7), WIDE),
    ((4.95, 1.6, 1.5), (2.6, 1.7, 1.0), WIDE),
    ((5.5, 1.6, 1.4), (2.6, 1.75, 1.0), 0.8),
    ((4.7, 1.65, 1.2), (1.5, 2.1, 0.8), WIDE),
    ((6.0, 1.35, 1.35), (6.9, 1.7, 1.15), 0.7),
    ((6.05, 1.95, 1.4), (6.9, 1.5, 1.1), 0.7),
    ((6.15, 1.6, 1.55), (6.95, 1.6, 1.45), WIDE),
    ((6.1, 1.75, 1.25), (6.75, 1.6, 0.85), 0.75),
    ((5.6, 1.9, 1.3), (5.6, 3.5, 0.7), WIDE),
    ((5.9, 2.2, 1.6), (5.7, 3.8, 1.5), 0.7),
]
HELD_OUT: list[tuple[Point, Point, float]] = [
    ((4.05, 1.15, 1.45), (1.2, 2.2, 0.8), 0.72),
    ((3.0, 1.75, 1.3), (0.6, 1.9, 0.8), 0.9),
    ((1.3, 2.9, 1.0), (0.25, 2.85, 0.7), 0.9),
    ((2.45, 2.3, 1.5), (2.7, 6.0, 1.25), 0.85),
    ((3.5, 1.6, 1.45), (6.8, 1.6, 1.2), 0.9),
    ((4.8, 1.6, 1.45), (6.8, 1.7, 1.1), 0.7),
    ((5.9, 1.7, 1.45), (6.9, 1.6, 1.25), 0.75),
    ((1.9, 0.8, 1.5), (3.4, 3.2, 0.9), 0.7),
]


def flat(dense: bool = False) -> list[View]:
    """The flat's photographs; `dense` walks around twice as closely and holds out 15 views."""
    rows: list[tuple[Point, Point, float]] = []
    for ring, centre, heights in ((BEDROOM, (2.2, 1.8), HEIGHTS), (BATHROOM, (5.8, 2.1), (0.85, 1.6))):
        for level, z in enumerate(heights):
            for i, (x, y) in enumerate(_denser(ring) if dense else ring):
                if not dense and len(ring) > 8 and (i + level) % 2:
                    continue
                aside = np.radians((-38, 0, 38)[(i // (1 if dense else 2) + level) % 3])
                heading = np.arctan2(centre[1] - y, centre[0] - x) + aside
                fall = (-0.15, -0.35, -0.55)[level]
                rows.append(((x, y, z), (x + 2 * np.cos(heading), y + 2 * np.sin(heading), z + fall * 1.4), WIDE))
    rows += DETAILS
    if dense:
        rows += [_nudged(row, k) for k, row in enumerate(DETAILS) if k % 2]
    held = HELD_OUT + [_nudged(row, k + 1) for k, row in enumerate(HELD_OUT[:7])] if dense else HELD_OUT
    return _named(rows, held)


def _denser(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stations between the stations."""
    between = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in itertools.pairwise(ring)]
    stations = [p for pair in zip(ring, between, strict=False) for p in pair] + ring[-1:]
    return [(x, y) for x, y in stations if not (x < 2.15 and 0.85 < y < 2.6)]  # nobody stands in the bed


def _nudged(row: tuple[Point, Point, float], k: int) -> tuple[Point, Point, float]:
    """The same thing seen from a step aside."""
    rng = np.random.default_rng([17, k])
    eye, target, focal = row
    shift = rng.uniform(-1, 1, 3) * (0.16, 0.16, 0.14)
    return (eye[0] + shift[0], eye[1] + shift[1], eye[2] + shift[2]), target, focal


def tabletop(distance: float, height: float, count: int = 24, held: int = 4) -> list[View]:
    """Round a prop at three heights, closer from above, and a few held-out views between."""
    rows: list[Point] = []
    levels = ((12, 0.42), (34, 0.36), (62, 0.22))
    target = (0.004, 0.0, height)
    for elevation, share in levels:
        n = round(count * share)
        rows += [_orbit(target, distance, 2 * np.pi * (k + 0.13 * elevation) / n, elevation) for k in range(n)]
    held_rows = [_orbit(target, distance, 2 * np.pi * (k + 0.35) / held, (22, 48)[k % 2]) for k in range(held)]
    return _named([(e, target, 1.75) for e in rows], [(e, target, 1.75) for e in held_rows])


def turntable() -> list[View]:
    """Round an actor: the whole figure, the upper body, the face, each hand, and from below; eight held out."""
    rows: list[tuple[Point, Point, float]] = []

    def ring(
        target: Point,
        distance: float,
        elevations: tuple[float, ...],
        count: int,
        focal: float,
        arc: tuple[float, float] = (0, 360),
    ) -> None:
        for level, elevation in enumerate(elevations):
            for k in range(count):
                angle = np.radians(arc[0] + (arc[1] - arc[0]) * (k + 0.5 * (level % 2)) / count)
                rows.append((_orbit(target, distance, float(angle), elevation), target, focal))

    ring((0, 0, 0.83), 2.55, (-4, 14, 38), 12, 1.95)
    ring((0, 0, 1.22), 1.45, (4, 26), 8, 1.75)
    ring((0, 0, 1.49), 0.72, (-10, 8, 32), 5, 1.80, (-175, 5))
    ring((0, 0.02, 1.52), 0.74, (12,), 4, 1.80, (20, 160))
    for side in (1, -1):
        ring((0.54 * side, -0.02, 0.85), 0.55, (-8, 30), 5, 1.9)
    ring((0, 0, 0.95), 1.8, (-26,), 8, 1.6)  # from below: what a raised arm shows, and a hem
    for side in (1, -1):
        ring((0.36 * side, 0, 1.08), 0.8, (-38,), 3, 1.6, (-90 + 60 * side, 270 + 60 * side))
    held = [
        (_orbit((0, 0, 0.86), 2.3, np.radians(a), e), (0.0, 0.0, 0.86), 1.85)
        for a, e in ((-70, 8), (20, 20), (110, 4), (200, 26))
    ]
    held += [
        (_orbit((0, 0, 1.47), 0.8, np.radians(a), e), (0.0, 0.0, 1.47), 1.8)
        for a, e in ((-98, 2), (-60, 18), (-130, -4))
    ]
    held += [(_orbit((0, 0, 1.15), 1.5, np.radians(-40), 12), (0.0, 0.0, 1.15), 1.8)]
    return [view for view in _named(rows, held) if np.hypot(*view.eye[:2]) > CLEAR_OF_ACTOR]


def _orbit(target: Point, distance: float, angle: float, elevation: float) -> Point:
    e = np.radians(elevation)
    return (
        target[0] + distance * float(np.cos(e) * np.cos(angle)),
        target[1] + distance * float(np.cos(e) * np.sin(angle)),
        target[2] + distance * float(np.sin(e)),
    )


def _named(rows: list[tuple[Point, Point, float]], held: list[tuple[Point, Point, float]]) -> list[View]:
    views = [View(f"train-{k + 1:03d}", e, t, f) for k, (e, t, f) in enumerate(rows)]
    return views + [View(f"test-{k + 1:03d}", e, t, f, True) for k, (e, t, f) in enumerate(held)]
