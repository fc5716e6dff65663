"""Where the photographer stands: every photograph of every capture, as (eye, target) in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Stand:
    """One photograph: its name, where the camera is, what it looks at, and whether it is held out."""

    name: str
    eye: Point
    target: Point
    held_out: bool = False


def _circuit(
    room: tuple[float, float, float, float], heights: tuple[float, ...], count: int, turn: float
) -> list[tuple[Point, Point]]:
    """Round the room along its walls at several heights, looking across it and, in turn, to either side."""
    x0, x1, y0, y1 = room
    cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    stands = []
    for level, z in enumerate(heights):
        for i in range(count):
            a = 2 * math.pi * (i + level / len(heights)) / count
            k = max(abs(math.cos(a)), abs(math.sin(a)))
            eye = (cx + rx * math.cos(a) / k, cy + ry * math.sin(a) / k, z)
            aside = turn * (-1, 0, 1)[(i + level) % 3]
            b = a + math.pi + aside
            stands.append(
                (eye, (eye[0] + 2 * math.cos(b), eye[1] + 2 * math.sin(b), z + (-0.35, -0.15, -0.6)[level % 3]))
            )
    return stands


def _around(target: Point, radius: float, heights: tuple[float, ...], angles: np.ndarray) -> list[tuple[Point, Point]]:
    """A closer look at something from several sides."""
    return [
        ((target[0] + radius * math.cos(a), target[1] + radius * math.sin(a), z), target)
        for z in heights
        for a in angles
    ]


def flat() -> list[Stand]:
    """Both rooms at three heights, the doorway from both sides, details, and the window."""
    rows: list[tuple[Point, Point]] = []
    rows += _circuit((0.75, 3.55, 0.85, 1.45), (1.5,), 9, 0.7)
    rows += _circuit((2.35, 3.7, 0.8, 3.1), (0.75, 1.45, 1.95), 8, 0.75)
    rows += _around((1.2, 2.4, 0.6), 1.75, (1.1, 1.7), np.radians((-75, -48, -20, 8)))
    rows += _around((0.32, 1.15, 0.7), 1.15, (0.85, 1.25), np.radians((-12, 22, 50)))
    rows += [((x, 2.0, z), (2.15, 3.6, 1.45)) for x in (2.45, 3.0, 3.5) for z in (1.3, 1.7)]
    rows += [
        ((x, y, z), (5.4, 1.15, 1.0))
        for x, y, z in ((3.0, 1.2, 1.5), (3.6, 1.0, 1.2), (3.75, 1.4, 1.6), (4.15, 1.2, 1.5))
    ]
    rows += [((x, y, z), (2.0, 1.9, 0.9)) for x, y, z in ((5.0, 1.2, 1.5), (4.6, 1.1, 1.2), (5.6, 1.3, 1.6))]
    rows += _circuit((4.75, 5.75, 0.45, 1.85), (0.95, 1.5), 8, 0.55)
    rows += _around((6.15, 1.15, 1.1), 0.95, (1.2, 1.6), np.radians((140, 165, 190, 218)))
    rows = [row for row in rows if not (row[0][0] > 3.5 and row[0][1] > 2.2 and row[0][2] < 1.0)]  # inside the desk
    held = [
        ((3.45, 0.75, 1.5), (0.9, 2.4, 0.8)), ((2.5, 1.3, 1.35), (0.9, 2.5, 0.75)),
        ((1.35, 1.05, 0.95), (0.3, 1.15, 0.65)),
        ((2.8, 2.2, 1.5), (2.1, 3.6, 1.4)), ((3.3, 1.15, 1.5), (5.5, 1.2, 1.1)), ((5.1, 1.25, 1.5), (6.2, 1.15, 1.15)),
        ((5.45, 0.6, 1.35), (6.1, 1.4, 1.0)), ((3.4, 2.6, 1.7), (0.8, 1.2, 0.9)),
    ]  # fmt: skip
    return [Stand(f"{i:03d}", eye, target) for i, (eye, target) in enumerate(rows)] + [
        Stand(f"held_{i:02d}", eye, target, True) for i, (eye, target) in enumerate(held)
    ]
