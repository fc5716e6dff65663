"""What the window looks out on: a stop-motion town of small plaster houses before a painted sky."""

from __future__ import annotations

import numpy as np
from build_mesh import Build
from palette import linear


def make_outside() -> None:
    sky = Build("sky", "sky")
    angle = np.linspace(np.radians(-5), np.radians(185), 50)
    u, v = np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 12))
    x = 2.6 + 17 * np.cos(angle)[None, ::-1] * np.ones_like(v)
    y = 3.9 + 14 * np.sin(angle)[None, ::-1] * np.ones_like(v)
    sky.surface(np.stack([x, y, -4.5 + 13 * v], -1), np.stack([u * 2, v], -1))
    dome = sky.finish()
    dome.visible_shadow = dome.visible_diffuse = dome.visible_glossy = False
    town = Build("town", "facade", "roof", "roof slate", "brick", "teal", "globe", "cream")
    rng = town.random
    paints = ("cream", "rose", "mustard", "sage pale", "sky", "terracotta", "linen")
    for row, (y, count, ground) in enumerate(((7.2, 5, -1.15), (9.8, 8, -0.6), (12.8, 11, 0.0))):
        span = 1.45 + 0.12 * row
        for k in range(count):
            x = 2.6 + (k - (count - 1) / 2) * span * 1.08 + rng.normal(0, 0.1)
            if row == 0 and abs(x - 3.8) < 0.5:
                continue
            _house(
                town,
                (x, y + rng.normal(0, 0.25), ground - 2.6),
                (span * rng.uniform(0.78, 0.96), 1.3, 2.5 + rng.uniform(0.0, 0.6)),
                linear(paints[(k * 3 + row) % 7]) * 1.15,
            )
    for k in range(9):
        x, y = 2.6 + (k - 4) * 1.9 + rng.normal(0, 0.3), 8.4 + rng.normal(0, 0.2) + (k % 2) * 2.7
        for _ in range(5):
            r = rng.uniform(0.28, 0.45)
            at = (x + rng.normal(0, 0.2), y + rng.normal(0, 0.2), -1.35 + (k % 2) * 0.7 + rng.normal(0, 0.18))
            arc = np.linspace(-np.pi / 2, np.pi / 2, 8)
            town.turned(
                [(r * np.cos(a) * (1 + 0.08 * rng.normal()), r * np.sin(a)) for a in arc],
                at,
                tuple(rng.normal(0, 20, 3)),
                14,
                4,
                (0.75 + rng.normal(0, 0.1), 0.85, 0.35),
            )
    town.finish()


def _house(town: Build, at: tuple[float, float, float], size: tuple[float, float, float], paint: np.ndarray) -> None:
    """A gabled house looking at us: windows with frames, a chimney, a bit crooked."""
    x, y, z = at
    w, d, h = size
    rng = town.random
    brick = rng.uniform() < 0.25
    town.box(
        (w, d, h),
        (x, y, z + h / 2),
        (0, 0, rng.normal(0, 2)),
        "x",
        0.02,
        3 if brick else 0,
        tint=(1, 1, 1) if brick else tuple(paint),
    )
    rise, front = rng.uniform(0.55, 0.95), rng.uniform() < 0.5
    slot = 1 if rng.uniform() < 0.65 else 2
    top = z + h
    e = 0.1
    if front:  # gable to us
        ridge = [(x, y - d / 2 - e, top + rise), (x, y + d / 2 + e, top + rise)]
        for side in (-1, 1):
            eave = [
                (x + side * (w / 2 + e), y - d / 2 - e, top - 0.1),
                (x + side * (w / 2 + e), y + d / 2 + e, top - 0.1),
            ]
            town.surface(np.array([eave, ridge]), slot=slot, smooth=False)
        town.surface(
            np.array(
                [
                    [(x - w / 2, y - d / 2, top), (x + w / 2, y - d / 2, top)],
                    [(x, y - d / 2, top + rise), (x, y - d / 2, top + rise)],
                ]
            ),
            slot=3 if brick else 0,
            tint=(1, 1, 1) if brick else tuple(paint),
            smooth=False,
        )
    else:
        for side in (-1, 1):
            eave = [
                (x - w / 2 - e, y + side * (d / 2 + e), top - 0.1),
                (x + w / 2 + e, y + side * (d / 2 + e), top - 0.1),
            ]
            ridge = [(x - w / 2 - e, y, top + rise * 0.8), (x + w / 2 + e, y, top + rise * 0.8)]
            town.surface(np.array([eave, ridge]), slot=slot, smooth=False)
    cx = x + rng.choice([-1, 1]) * w * 0.27
    town.box((0.18, 0.18, 0.7), (cx, y, top + rise * 0.65), (0, 0, rng.normal(0, 4)), "x", 0.01, 3)
    town.box((0.23, 0.23, 0.06), (cx, y, top + rise * 0.65 + 0.36), grain="x", slot=0)
    columns = 2 if w < 1.15 else 3
    for r in range(3):
        for c in range(columns):
            wx, wz = x + (c - (columns - 1) / 2) * w / columns, top - 0.45 - 0.75 * r
            lit = rng.uniform() < 0.12
            town.box(
                (0.2, 0.03, 0.32),
                (wx, y - d / 2 - 0.005, wz),
                (0, 0, 0),
                "z",
                0.004,
                5 if lit else 4,
                tint=(1, 0.85, 0.5) if lit else (0.45, 0.5, 0.55),
            )
            for dx in (-0.11, 0.0, 0.11):
                town.box((0.025, 0.03, 0.34), (wx + dx, y - d / 2 - 0.015, wz), grain="z", slot=6)
            town.box((0.24, 0.05, 0.03), (wx, y - d / 2 - 0.02, wz - 0.18), grain="x", slot=6)
            if rng.uniform() < 0.55:
                shutter = tuple(np.array([0.5, 0.75, 0.6]) * rng.uniform(0.6, 1.1))
                for side in (-1, 1):
                    town.box(
                        (0.1, 0.02, 0.34), (wx + side * 0.17, y - d / 2 - 0.015, wz), grain="z", slot=4, tint=shutter
                    )
