"""The bathroom: 2.28 x 2.9 m of hand-made tiles beyond the doorway, basin and mirror straight ahead.

The mirror's glass is a dull pewter panel: a mirror shows a second room that no photogrammetry can place.
"""

from __future__ import annotations

import numpy as np
from bedroom import DOOR
from build_mesh import Build
from joinery import Wall, face, floor_tiles, framed, plant, tiles
from palette import linear

WEST, EAST = Wall("x", 4.72, (0.9, 3.8), 1), Wall("x", 7.0, (0.9, 3.8), -1)
SOUTH, NORTH = Wall("y", 0.9, (4.72, 7.0), 1), Wall("y", 3.8, (4.72, 7.0), -1)
WINDOW = (5.45, 6.15, 1.35, 2.2)
CEILING = 2.6


def _tint(name: str, gain: float = 1.5) -> tuple[float, float, float]:
    r, g, b = linear(name) * gain
    return (float(r), float(g), float(b))


def make_bathroom() -> None:
    _shell()
    _basin()
    _mirror()
    _tub()
    _small_things()


def _shell() -> None:
    floor = Build("bathroom floor", "cement")
    floor_tiles(floor, (4.72, 7.12), (0.9, 3.9), (_tint("cream", 1.25), _tint("terracotta", 1.5)))
    floor.finish()
    base = Build("bathroom grout", "grout")
    base.surface(
        np.array([[(4.7, 0.9, -0.006), (7.0, 0.9, -0.006)], [(4.7, 3.8, -0.006), (7.0, 3.8, -0.006)]]), smooth=False
    )
    base.finish()
    walls = Build("bathroom walls", "plaster rose", "grout", "ceiling")
    tops = {"west": 1.35, "south": 1.35, "north": 1.35, "east": 2.1}
    for wall, top, holes in (
        (WEST, tops["west"], [DOOR]),
        (SOUTH, tops["south"], []),
        (NORTH, tops["north"], [WINDOW]),
        (EAST, tops["east"], []),
    ):
        face(walls, wall, (0, top), holes, 1)
        face(walls, wall, (top, CEILING), holes, 0)
    walls.surface(
        np.array([[(4.72, 0.9, CEILING), (7.0, 0.9, CEILING)], [(4.72, 3.8, CEILING), (7.0, 3.8, CEILING)]]),
        slot=2,
        smooth=False,
    )
    walls.finish()
    palette = [
        _tint("aqua"),
        _tint("aqua", 1.2),
        _tint("aqua deep"),
        _tint("aqua", 1.8),
        _tint("sage pale", 1.3),
        _tint("teal", 1.5),
        _tint("rust", 1.6),
    ]
    tiled = Build("bathroom tiles", "tile")
    gap = (DOOR[0] - 0.06, DOOR[1] + 0.06, DOOR[2], DOOR[3])
    for wall, top, holes in (
        (WEST, tops["west"], [gap]),
        (SOUTH, tops["south"], []),
        (NORTH, tops["north"], []),
        (EAST, tops["east"], []),
    ):
        tiles(tiled, wall, (0, top), palette, holes)
    tiled.finish()
    rail = Build("bathroom rail", "cream", "walnut")
    for wall, top in ((SOUTH, 1.35), (NORTH, 1.35), (EAST, 2.1)):
        a, b = wall.along
        rail.box(
            wall.size(b - a, 0.035, 0.035), wall.point((a + b) / 2, top + 0.017, 0.017), grain=wall.grain, bevel=0.008
        )
    rail.box((0.035, 1.65, 0.035), (4.737, 2.97, 1.367), grain="y", bevel=0.008)
    for x in (5.3, 6.5):
        rail.box(
            (0.12, 2.9, 0.14),
            (x, 2.35, CEILING - 0.06),
            (0, rail.random.normal(0, 0.7), 0),
            "y",
            0.012,
            1,
            tint=rail.vary(0.07),
        )
    rail.finish()
    window = Build("bathroom window", "cream", "leaded", "oak")
    a, b, low, high = WINDOW
    m = (a + b) / 2
    window.surface(
        np.array([[(a, 3.86, low), (b, 3.86, low)], [(a, 3.86, high), (b, 3.86, high)]]),
        np.array([[(0, 0), (1, 0)], [(0, 1), (1, 1)]], float),
        1,
        smooth=False,
    )
    for x in (a, b):
        window.box((0.07, 0.12, high - low + 0.1), (x, 3.81, (low + high) / 2), grain="z", bevel=0.008)
    window.box((b - a + 0.14, 0.12, 0.08), (m, 3.81, high + 0.03), bevel=0.008)
    window.box((b - a + 0.2, 0.2, 0.04), (m, 3.79, low - 0.01), bevel=0.01, slot=2)
    window.finish()


def _basin() -> None:
    stand = Build("washstand", "teal", "pine", "brass", "walnut")
    x, y, h = 6.74, 1.6, 0.80
    stand.box((0.46, 0.94, h - 0.14), (x + 0.01, y, h / 2 + 0.02), grain="z", bevel=0.008, slot=0, edge=1)
    stand.box((0.52, 1.02, 0.04), (x, y, h), (0, 0, 0.3), "y", 0.012, 3, 1)
    for side in (-1, 1):
        cy = y + side * 0.225
        for dy in (-0.175, 0.175):
            stand.box(
                (0.024, 0.07, 0.56),
                (x - 0.23, cy + dy, 0.43),
                grain="z",
                bevel=0.006,
                slot=0,
                edge=1,
                tint=stand.vary(0.06),
            )
        for z in (0.19, 0.675):
            stand.box(
                (0.022, 0.29, 0.075), (x - 0.23, cy, z), grain="y", bevel=0.006, slot=0, edge=1, tint=stand.vary(0.06)
            )
        stand.box(
            (0.014, 0.24, 0.37), (x - 0.226, cy, 0.43), grain="z", bevel=0.01, slot=0, edge=1, tint=stand.vary(0.08)
        )
        stand.turned(
            [(0, 0), (0.008, 0), (0.008, 0.014), (0.017, 0.022), (0, 0.036)],
            (x - 0.243, y + side * 0.05, 0.5),
            (0, -90, 0),
            16,
            2,
        )
    for dx in (-0.2, 0.2):
        for dy in (-0.42, 0.42):
            stand.box((0.06, 0.06, 0.1), (x + dx, y + dy, 0.05), bevel=0.01, slot=0, edge=1)
    stand.finish()
    basin = Build("washbasin", "enamel", "brass")
    at = (6.70, 1.6, 0.82)
    outside = [(0.10, 0.0), (0.13, 0.012), (0.19, 0.06), (0.225, 0.12), (0.235, 0.148)]
    lip = [(0.235, 0.148), (0.236, 0.158), (0.225, 0.162), (0.215, 0.155)]
    inside = [(0.215, 0.155), (0.195, 0.10), (0.14, 0.045), (0.06, 0.026), (0.022, 0.024)]
    white, blue = (1, 1, 1), (0.22, 0.36, 0.66)
    stretch = (0.86, 1.12)
    basin.turned(outside, at, sides=56, tint=white, stretch=stretch)
    basin.turned(lip, at, sides=56, tint=blue, stretch=stretch)
    basin.turned(inside, at, sides=56, tint=white, stretch=stretch)
    for band, z in ((0.206, 0.085), (0.229, 0.128)):
        basin.turned([(band + 0.003, z - 0.005), (band + 0.006, z + 0.005)], at, sides=56, tint=blue, stretch=stretch)
    for r, z in ((0.2, 0.112), (0.158, 0.0595)):
        basin.turned([(r - 0.004, z - 0.001), (r, z + 0.004)], at, sides=56, tint=blue, stretch=stretch)
    basin.turned([(0.0, 0.027), (0.026, 0.027), (0.03, 0.023)], at, slot=1, sides=20)
    path = [(6.935, 1.6, 0.82 + 0.22 * t) for t in np.linspace(0, 1, 6)]
    path += [(6.935 - 0.075 + 0.075 * np.cos(a), 1.6, 1.04 + 0.06 * np.sin(a)) for a in np.linspace(0.2, np.pi, 10)] + [
        (6.786, 1.6, 1.0)
    ]
    basin.tube(path, 0.014, 14, 1)
    basin.turned([(0.03, 0), (0.03, 0.012), (0.018, 0.02)], (6.935, 1.6, 0.82), slot=1, sides=20)
    for y in (1.5, 1.7):
        basin.turned(
            [(0.022, 0), (0.022, 0.01), (0.01, 0.02), (0.01, 0.055), (0.014, 0.06), (0, 0.065)],
            (6.93, y, 0.82),
            slot=1,
            sides=16,
        )
        basin.tube([(6.93, y - 0.032, 0.872), (6.93, y + 0.032, 0.872)], 0.008, 8, 1)
        basin.tube([(6.898, y, 0.872), (6.962, y, 0.872)], 0.008, 8, 1)
    basin.finish()


def _mirror() -> None:
    mirror = Build("mirror frame", "ochre", "panel", "walnut worn")
    y, z, w, h = 1.6, 1.68, 0.62, 0.74
    mirror.surface(
        np.array(
            [
                [(6.972, y + w / 2, z - h / 2), (6.972, y - w / 2, z - h / 2)],
                [(6.972, y + w / 2, z + h / 2), (6.972, y - w / 2, z + h / 2)],
            ]
        ),
        slot=1,
        smooth=False,
    )
    for dz in (-1, 1):
        mirror.box((0.035, w + 0.16, 0.08), (6.968, y, z + dz * (h / 2 + 0.04)), (0, 0, 0), "y", 0.014, 0, 2)
        mirror.box((0.045, w + 0.02, 0.018), (6.965, y, z + dz * (h / 2)), (0, 0, 0), "y", 0.005, 2)
    for dy in (-1, 1):
        mirror.box((0.035, 0.08, h), (6.968, y + dy * (w / 2 + 0.04), z), (0, 0, 0), "z", 0.014, 0, 2)
        mirror.box((0.045, 0.018, h), (6.965, y + dy * w / 2, z), (0, 0, 0), "z", 0.005, 2)
        for dz in (-1, 1):
            mirror.turned(
                [(0, 0), (0.03, 0), (0.026, 0.01), (0.012, 0.016), (0, 0.02)],
                (6.95, y + dy * (w / 2 + 0.04), z + dz * (h / 2 + 0.04)),
                (0, -90, 0),
                16,
                2,
            )
    mirror.finish()
    lamps = Build("wall lamps", "brass", "globe")
    for y in (1.02, 2.18):
        lamps.turned([(0, 0), (0.045, 0), (0.04, 0.012), (0.015, 0.02)], (6.985, y, 1.66), (0, -90, 0), 20)
        lamps.tube([(6.98, y, 1.66), (6.92, y, 1.63), (6.88, y, 1.66), (6.88, y, 1.70)], 0.009, 10)
        angle = np.linspace(-1.35, 1.5, 14)
        lamps.turned([(0.068 * np.cos(a), 0.068 * np.sin(a)) for a in angle], (6.88, y, 1.775), slot=1)
        lamps.turned([(0.03, 0), (0.034, 0.02), (0.02, 0.025)], (6.88, y, 1.69), slot=0, sides=16)
    lamps.finish()
    shelf = Build("bathroom shelf", "walnut", "brass", "vase", "pottery", "book cloth", "pine", "wicker")
    shelf.box((0.13, 0.98, 0.026), (6.92, 1.6, 1.16), (0, 0, 0.2), "y", 0.007)
    for y in (1.2, 2.0):
        shelf.tube([(6.97, y, 1.08), (6.94, y, 1.09), (6.89, y, 1.147)], 0.007, 8, 1)
    things = (
        (1.2, 0.030, 0.13, 2, (1, 1, 1)),
        (1.29, 0.024, 0.10, 4, (0.85, 0.45, 0.3)),
        (1.38, 0.034, 0.075, 3, (1, 1, 1)),
        (1.82, 0.026, 0.12, 4, (0.5, 0.6, 0.4)),
        (1.9, 0.032, 0.08, 3, (0.9, 0.8, 0.6)),
        (2.0, 0.022, 0.15, 4, (0.45, 0.5, 0.6)),
    )
    for y, r, tall, slot, tint in things:
        at = (6.918, y, 1.173)
        shelf.turned(
            [(0, 0), (r, 0), (r * 1.04, 0.01), (r, tall * 0.7), (r * 0.45, tall * 0.84), (r * 0.42, tall), (0, tall)],
            at,
            sides=24,
            slot=slot,
            tint=tint,
            wrap=1.0 if slot in (2, 3) else 0.2,
        )
        shelf.turned(
            [(0, tall * 0.99), (r * 0.5, tall), (r * 0.48, tall + 0.018), (0, tall + 0.02)], at, sides=16, slot=5
        )
    shelf.finish()


def _tub() -> None:
    """A freestanding tub, rust outside, enamel inside, on brass feet."""
    tub = Build("bathtub", "rust", "enamel", "brass")
    cx, cy = 5.72, 3.30
    angle = np.linspace(0, 2 * np.pi, 73)

    def ring(a: float, b: float, z: float, tilt: float) -> np.ndarray:
        c, s = np.cos(angle), np.sin(angle)
        e = 2 / 2.8
        x = a * np.sign(c) * np.abs(c) ** e
        y = b * np.sign(s) * np.abs(s) ** e
        return np.stack([cx + x, cy + y, z + tilt * (x / a) ** 2 * np.where(x > 0, 1.0, 0.5)], -1)

    out = np.stack(
        [
            ring(*p)
            for p in (
                (0.45, 0.20, 0.13, 0),
                (0.58, 0.26, 0.16, 0),
                (0.66, 0.31, 0.3, 0),
                (0.71, 0.335, 0.5, 0.02),
                (0.74, 0.345, 0.575, 0.04),
            )
        ]
    )
    lip = np.stack(
        [
            ring(*p)
            for p in (
                (0.74, 0.345, 0.575, 0.04),
                (0.775, 0.38, 0.585, 0.042),
                (0.78, 0.385, 0.6, 0.045),
                (0.76, 0.365, 0.612, 0.045),
                (0.715, 0.33, 0.6, 0.045),
            )
        ]
    )
    into = np.stack(
        [
            ring(*p)
            for p in (
                (0.715, 0.33, 0.6, 0.045),
                (0.68, 0.305, 0.45, 0.02),
                (0.62, 0.27, 0.25, 0),
                (0.5, 0.2, 0.19, 0),
                (0.02, 0.02, 0.18, 0),
            )
        ]
    )
    tub.surface(out, slot=0)
    tub.surface(lip, slot=1)
    tub.surface(into, slot=1)
    for dx in (-0.42, 0.42):
        for dy in (-0.2, 0.2):
            tub.turned(
                [(0, 0), (0.04, 0), (0.045, 0.03), (0.02, 0.09), (0.04, 0.17)], (cx + dx, cy + dy, 0), slot=2, sides=16
            )
    tub.finish()
    towel = Build("towel on the tub", "towel")
    u, v = np.meshgrid(np.linspace(0, 1, 30), np.linspace(0, 1, 70))
    s = (v - 0.42) * 0.95
    y = np.clip(2.925 + s, 2.905, 3.005) + np.where(s < -0.02, 0.012 * np.sin(u * 9 + 1), 0.01 * np.sin(u * 8))
    z = np.where(s < -0.02, 0.632 + (s + 0.02), np.where(s > 0.08, 0.632 - (s - 0.08), 0.632)) + 0.004 * np.sin(11 * u)
    towel.surface(np.stack([5.14 + 0.42 * u + 0.02 * (v - 0.5), y - 0.012 * (s < -0.02), z], -1), np.stack([u, v], -1))
    towel.finish()


def _small_things() -> None:
    basket = Build("laundry basket", "wicker", "linen rust", "ticking")
    at = (4.99, 2.5, 0)
    profile = [
        (0, 0.005),
        (0.17, 0.005),
        (0.18, 0.02),
        (0.215, 0.42),
        (0.225, 0.43),
        (0.22, 0.45),
        (0.2, 0.44),
        (0.185, 0.2),
    ]
    basket.turned(profile, at, sides=48)
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.linspace(0, 1, 16))
    lump = 0.43 + 0.10 * (1 - v**2) + 0.03 * np.sin(3 * u + 4 * v) * v + 0.02 * np.sin(7 * u - 6 * v) * v
    basket.surface(
        np.stack([at[0] + 0.2 * v * np.cos(u), at[1] + 0.2 * v * np.sin(u), lump], -1),
        np.stack([v * np.cos(u), v * np.sin(u)], -1) * 0.3,
        1,
    )
    basket.finish()
    mat = Build("bath mat", "towel teal")
    u, v = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 50))
    x, y = 5.78 + 0.52 * u + 0.03 * v, 1.2 + 0.82 * v
    mat.surface(np.stack([x, y, 0.014 + 0.004 * np.sin(9 * x) * np.sin(11 * y)], -1), np.stack([u, v], -1))
    mat.finish()
    rail = Build("towel rail", "brass", "towel teal", "towel")
    rail.tube([(6.985, 2.5, 1.3), (6.92, 2.5, 1.3), (6.92, 3.2, 1.3), (6.985, 3.2, 1.3)], 0.011, 10)
    rail.finish()
    for name, y0, material, drop in (
        ("hanging towel", 2.56, "towel teal", 0.62),
        ("hanging hand towel", 2.9, "towel", 0.46),
    ):
        towel = Build(name, material)
        u, v = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 90))
        s = (v - 0.45) * drop * 2
        fold = 0.010 * np.sin(u * 11 + y0) + 0.006 * np.sin(u * 23 + 3 * v)
        across = np.clip(s, -0.025, 0.025) / 0.025
        z = 1.313 - np.maximum(np.abs(s) - 0.03, 0) - 0.012 * np.abs(across) ** 2
        x = 6.92 + across * (0.022 + 0.010 * np.minimum(np.abs(s) * 2, 1)) + fold * np.minimum(np.abs(s) * 5, 1)
        towel.surface(
            np.stack([np.minimum(x, 6.975), y0 + 0.28 * u + 0.01 * np.sin(4 * v), z], -1), np.stack([u, v], -1)
        )
        towel.finish()
    stool = Build("stool", "pine", "towel", "linen rust", "ticking rust", "leaf", "soil", "vase")
    stool.box((0.34, 0.34, 0.035), (6.72, 2.75, 0.45), (0, 0, 8), "x", 0.014)
    for dx in (-0.12, 0.12):
        for dy in (-0.12, 0.12):
            stool.box(
                (0.035, 0.035, 0.44), (6.72 + dx * 1.1, 2.75 + dy * 1.1, 0.22), (-dy * 30, dx * 30, 8), "z", 0.008
            )
    for k in range(3):
        stool.box(
            (0.27, 0.24, 0.05),
            (6.72, 2.75, 0.495 + 0.047 * k),
            (0, 0, 10 - 7 * k),
            "y",
            0.022,
            2 if k % 2 else 3,
            tint=stool.vary(0.05),
        )
    plant(stool, (6.72, 3.5, 0.0), 1.05, 20, 6, 4, 5)
    stool.finish()
    art = Build("bathroom pictures", "walnut worn", "shapes", "moon")
    framed(art, SOUTH, (5.85, 1.80), (0.56, 0.43), 1)
    framed(art, WEST, (2.9, 1.85), (0.36, 0.48), 2)
    art.finish()
