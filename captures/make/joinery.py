"""Things both rooms are made of: walls with openings, boards, tiles, frames, cloth that hangs, small pottery."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from build_mesh import Build, Vector, euler

Span = tuple[float, float]


@dataclass(frozen=True)
class Wall:
    """A wall's face: it stands at `at` on `axis` ("x" or "y"), spans `along` on the other, looks to `side` (+1, -1)."""

    axis: str
    at: float
    along: Span
    side: int

    def point(self, t: float, z: float, out: float = 0.0) -> Vector:
        """The point `t` along the wall at height `z`, `out` metres into the room."""
        deep = self.at + self.side * out
        return (deep, t, z) if self.axis == "x" else (t, deep, z)

    def size(self, length: float, height: float, depth: float) -> Vector:
        return (depth, length, height) if self.axis == "x" else (length, depth, height)

    @property
    def grain(self) -> str:
        return "y" if self.axis == "x" else "x"


Hole = tuple[float, float, float, float]  # from, to along the wall; bottom, top


def face(build: Build, wall: Wall, heights: Span, holes: Sequence[Hole] = (), slot: int = 0) -> None:
    """The wall's surface between two heights, with openings, textured in the room's own metres."""
    ts = sorted({*wall.along, *(t for h in holes for t in h[:2])})
    zs = sorted({*heights, *(min(max(z, heights[0]), heights[1]) for h in holes for z in h[2:])})
    for t0, t1 in itertools.pairwise(ts):
        for z0, z1 in itertools.pairwise(zs):
            t, z = (t0 + t1) / 2, (z0 + z1) / 2
            if any(h[0] < t < h[1] and h[2] < z < h[3] for h in holes):
                continue
            points = np.array([[wall.point(t0, z0), wall.point(t1, z0)], [wall.point(t0, z1), wall.point(t1, z1)]])
            uv = np.array([[(t0, z0), (t1, z0)], [(t0, z1), (t1, z1)]]) + 3.7 * wall.at
            build.surface(points, uv, slot, smooth=False)


def panelling(build: Build, wall: Wall, top: float, gaps: Sequence[Span] = ()) -> None:
    """Painted tongue-and-groove up to `top`, with a skirting board and a rail, broken at `gaps`."""
    t = wall.along[0]
    while t < wall.along[1] - 0.02:
        width = min(0.105 + build.random.normal(0, 0.003), wall.along[1] - t)
        middle = t + width / 2
        if not any(a < middle < b for a, b in gaps):
            tilt = build.random.normal(0, 0.0012)
            build.box(
                wall.size(width - 0.004, top, 0.018),
                wall.point(middle, top / 2, 0.009 + tilt),
                (0, 0, build.random.normal(0, 0.15)),
                "z",
                0.004,
                tint=build.vary(0.07),
            )
        t += width
    edges = [wall.along[0], *sorted(e for g in gaps for e in g), wall.along[1]]
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a > 0.05:
            build.box(
                wall.size(b - a, 0.14, 0.03),
                wall.point((a + b) / 2, 0.07, 0.015),
                grain=wall.grain,
                tint=build.vary(0.05),
            )
            build.box(
                wall.size(b - a, 0.045, 0.05),
                wall.point((a + b) / 2, top + 0.02, 0.025),
                grain=wall.grain,
                tint=build.vary(0.05),
            )


def boards(build: Build, x: Span, y: Span, width: float = 0.135) -> None:
    """A floor of boards along x, each its own length, height and colour; the top is z = 0."""
    row = y[0]
    while row < y[1]:
        w = min(width + build.random.normal(0, 0.006), y[1] - row)
        start = x[0] - build.random.uniform(0, 1.0)
        while start < x[1]:
            length = build.random.uniform(1.0, 1.9)
            a, b = max(start, x[0]), min(start + length, x[1])
            if b - a > 0.02 and w > 0.02:
                build.box(
                    (b - a - 0.003, w - 0.004, 0.03),
                    ((a + b) / 2, row + w / 2, -0.015 + build.random.normal(0, 0.0008)),
                    (build.random.normal(0, 0.12), 0, 0),
                    "x",
                    0.003,
                    tint=build.vary(0.13),
                )
            start += length
        row += w


def tiles(
    build: Build, wall: Wall, heights: Span, tints: Sequence[Vector], holes: Sequence[Hole] = (), pitch: float = 0.15
) -> None:
    """Hand-made tiles, none quite flat or alike; the top row takes the last tint."""
    columns = max(1, round((wall.along[1] - wall.along[0]) / pitch))
    rows = max(1, round((heights[1] - heights[0]) / pitch))
    dt, dz = (wall.along[1] - wall.along[0]) / columns, (heights[1] - heights[0]) / rows
    for r in range(rows):
        for c in range(columns):
            t, z = wall.along[0] + (c + 0.5) * dt, heights[0] + (r + 0.5) * dz
            if any(h[0] - dt / 3 < t < h[1] + dt / 3 and h[2] - dz / 3 < z < h[3] + dz / 3 for h in holes):
                continue
            base = np.array(tints[-1] if r == rows - 1 else tints[int(build.random.choice(len(tints) - 1))])
            turn = build.random.normal(0, 0.7, 3)
            turn[1 if wall.axis == "y" else 0] *= 0.6
            build.box(
                wall.size(dt - 0.006, dz - 0.006, 0.012),
                wall.point(t, z, 0.006),
                turn,
                wall.grain,
                0.004,
                tint=base * np.array(build.vary(0.09)),
            )


def floor_tiles(build: Build, x: Span, y: Span, tints: Sequence[Vector], pitch: float = 0.2) -> None:
    """Cement tiles laid as a chequerboard; the top is z = 0."""
    for i in range(round((x[1] - x[0]) / pitch)):
        for j in range(round((y[1] - y[0]) / pitch)):
            centre = (x[0] + (i + 0.5) * pitch, y[0] + (j + 0.5) * pitch, -0.01 + build.random.normal(0, 0.0006))
            tint = np.array(tints[(i + j) % len(tints)]) * np.array(build.vary(0.08))
            build.box(
                (pitch - 0.005, pitch - 0.005, 0.02),
                centre,
                (*build.random.normal(0, 0.12, 2), build.random.normal(0, 0.25)),
                "x",
                0.003,
                tint=tint,
            )


def framed(
    build: Build, wall: Wall, centre: tuple[float, float], size: tuple[float, float], art: int, rail: float = 0.035
) -> None:
    """A picture (material slot `art`) in a frame (slot 0), hung a little out of true."""
    t, z = centre
    w, h = size
    for dz in (-1, 1):
        build.box(
            wall.size(w + 2 * rail, rail, 0.028),
            wall.point(t, z + dz * (h + rail) / 2, 0.02),
            (0, 0, 0),
            wall.grain,
            0.005,
        )
    for dt in (-1, 1):
        build.box(wall.size(rail, h, 0.026), wall.point(t + dt * (w + rail) / 2, z, 0.02), (0, 0, 0), "z", 0.005)
    flip = -1 if (wall.axis == "x") != (wall.side < 0) else 1
    a, b = (t - flip * w / 2, t + flip * w / 2)
    points = np.array(
        [
            [wall.point(a, z - h / 2, 0.017), wall.point(b, z - h / 2, 0.017)],
            [wall.point(a, z + h / 2, 0.017), wall.point(b, z + h / 2, 0.017)],
        ]
    )
    build.surface(points, np.array([[(1, 0), (0, 0)], [(1, 1), (0, 1)]], float), art, smooth=False)


def hanging(
    build: Build, start: Vector, end: Vector, drop: float, folds: float, slot: int = 0, gather: float = 0.0
) -> None:
    """Cloth hung from `start` to `end` in soft folds that change all the way down, drawn in by `gather`."""
    a, b = np.array(start, float), np.array(end, float)
    rows, columns = 60, 150
    s, d = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    length = float(np.linalg.norm(b - a))
    phase = build.random.uniform(0, 6, 6)
    wander = 0.09 * np.sin(2.3 * s * np.pi + phase[0] + 2.4 * d) + 0.05 * np.sin(5.1 * s + phase[1] - 3 * d)
    wave = np.sin(2 * np.pi * folds * (s + 0.18 * wander) + phase[2]) + 0.35 * np.sin(
        4.3 * np.pi * folds * (s + 0.1 * wander) + phase[3]
    )
    depth = (0.022 + 0.030 * d) * (0.75 + 0.4 * np.sin(3 * s + phase[4]))
    waist = np.exp(-(((d - 0.58) / 0.22) ** 2)) * gather
    along = 0.5 + (s - 0.5) * (1 - waist) + 0.008 * np.sin(9 * d + phase[5]) + 0.35 * gather * waist
    normal = np.cross((b - a) / length, [0, 0, 1.0])
    points = a + along[..., None] * (b - a) + (wave * depth)[..., None] * normal
    points[..., 2] -= drop * d + 0.006 * wave
    u = s * length * 1.7
    build.surface(points, np.stack([u, drop * (1 - d)], -1), slot)


def pillow(build: Build, at: Vector, size: Vector, turn: Vector, slot: int = 0) -> None:
    """A stuffed pillow: plump in the middle, pinched corners, wrinkles running from them."""
    n = 46
    v, u = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    plump = np.clip((1 - np.abs(u) ** 2.6) * (1 - np.abs(v) ** 2.6), 0, 1) ** 0.5
    k = build.random.uniform(0, 6, 6)
    corner = np.abs(u * v) ** 2
    wrinkle = (
        0.05 * np.sin(9 * (u + v * 0.4) + k[0]) * np.sin(6 * v + k[1]) + 0.05 * np.sin(14 * (u - v) + k[2]) * corner
    )
    dent = 0.24 * np.exp(-((u - 0.1 * np.sin(k[3])) ** 2 / 0.2 + (v + 0.1) ** 2 / 0.25))
    for side in (1, -1):
        height = side * plump * (0.5 + wrinkle * plump - (dent if side > 0 else 0))
        inward = 1 - 0.06 * (u**2 * (1 - v**2) + v**2 * (1 - u**2)) + 0.03 * corner
        points = np.stack([u * inward * size[0] / 2, v * inward * size[1] / 2, height * size[2]], -1)
        grid = points if side > 0 else points[::-1]
        uv = np.stack([v * size[1] / 2, u * size[0] / 2], -1) + k[4]
        build.surface(grid @ euler(turn).T + np.array(at, float), uv if side > 0 else uv[::-1], slot)


def plant(build: Build, at: Vector, height: float, leaves: int, pot: int = 0, stem: int = 1, soil: int = 2) -> None:
    """A potted plant: broad bent leaves on leaning stems."""
    x, y, z = at
    r = 0.13 * height / 0.9 + 0.02
    build.turned(
        [
            (0, 0),
            (r * 0.72, 0),
            (r * 0.8, 0.02),
            (r, r * 1.5),
            (r * 1.08, r * 1.52),
            (r * 1.08, r * 1.7),
            (r * 0.95, r * 1.7),
            (r * 0.9, r * 1.5),
        ],
        at,
        slot=pot,
        wrap=1.0,
    )
    build.turned([(0, r * 1.55), (r * 0.93, r * 1.52)], at, slot=soil)
    rng = build.random
    for k in range(leaves):
        angle = 2.4 * k + rng.normal(0, 0.3)
        reach, rise = height * rng.uniform(0.22, 0.42), height * rng.uniform(0.35, 0.8)
        t = np.linspace(0, 1, 9)
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        spine = (
            np.array([x, y, z + r * 1.5])
            + np.outer(reach * t**1.6, out)
            + np.outer(rise * np.sin(t * 1.75) / np.sin(1.75) * 0.9, [0, 0, 1.0])
        )
        build.tube(spine[:6], 0.006, 6, stem, (0.6, 0.7, 0.45))
        side = np.cross(out, [0, 0, 1.0])
        half = 0.055 * (height / 0.9) * np.sin(np.pi * np.clip((t - 0.35) / 0.65, 0, 1) ** 0.8)[4:]
        s = np.linspace(-1, 1, 5)
        rows = (
            spine[4:, None]
            + (half[:, None] * s)[..., None] * side
            + (-0.25 * half[:, None] * (1 - s**2))[..., None] * np.array([0, 0, 1.0])
        )
        green = np.array([0.42, 0.72, 0.30]) * rng.uniform(0.65, 1.25)
        build.surface(rows, None, stem, green)
