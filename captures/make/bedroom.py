# ruff: noqa: RUF005 - what is added here are arrays
"""The bedroom: 4.6 x 3.8 m under beams, a bed just left, a window on the roofs.

The window is in the wall y = 3.8, the bed's head at x = 0, the door to the bathroom in the wall x = 4.6.
"""

from __future__ import annotations

import numpy as np
from build_mesh import Build
from cloth import calmed, fall, smoother
from joinery import Wall, boards, face, framed, hanging, panelling, pillow, plant
from studio import bpy

WEST, EAST = Wall("x", 0.0, (0, 3.8), 1), Wall("x", 4.6, (0, 3.8), -1)
SOUTH, NORTH = Wall("y", 0.0, (0, 4.6), 1), Wall("y", 3.8, (0, 4.6), -1)
WINDOW = (1.9, 3.3, 0.85, 2.25)
DOOR = (1.15, 2.05, 0.0, 2.1)
CEILING = 2.7
PANEL_TOP = 0.86


def make_bedroom() -> None:
    _shell()
    _window()
    _door()
    _bed()
    _bedside()
    _wardrobe()
    _chest()
    _corner()


def _shell() -> None:
    floor = Build("bedroom floor", "floor")
    boards(floor, (0, 4.72), (0, 3.8))
    floor.finish()
    walls = Build("bedroom walls", "plaster", "wallpaper")
    face(walls, WEST, (0, CEILING), slot=1)
    face(walls, SOUTH, (0, CEILING))
    face(walls, NORTH, (0, CEILING), [WINDOW])
    face(walls, EAST, (0, CEILING), [DOOR])
    walls.finish()
    panels = Build("bedroom panelling", "sage")
    for wall, gaps in ((WEST, []), (SOUTH, []), (NORTH, [(1.84, 3.36)]), (EAST, [(1.05, 2.15)])):
        panelling(panels, wall, PANEL_TOP, gaps)
    panelling(panels, Wall("y", 3.8, (1.86, 3.34), -1), 0.74)
    panels.finish()
    ceiling = Build("bedroom ceiling", "ceiling", "walnut")
    ceiling.surface(
        np.array([[(0, 0, CEILING), (4.6, 0, CEILING)], [(0, 3.8, CEILING), (4.6, 3.8, CEILING)]]), smooth=False
    )
    for x in (0.75, 2.0, 3.25, 4.4):
        ceiling.box(
            (0.15, 3.8, 0.17),
            (x, 1.9, CEILING - 0.08),
            (0, ceiling.random.normal(0, 0.6), ceiling.random.normal(0, 0.3)),
            "y",
            0.012,
            1,
            tint=ceiling.vary(0.08),
        )
    for wall in (WEST, EAST, SOUTH, NORTH):
        length = wall.along[1]
        ceiling.box(
            wall.size(length, 0.07, 0.05), wall.point(length / 2, CEILING - 0.035, 0.025), grain=wall.grain, slot=1
        )
    ceiling.finish()


def _window() -> None:
    a, b, low, high = WINDOW
    frame = Build("window", "cream", "oak", "iron")
    middle, tall = (a + b) / 2, high - low
    for x in (a, b):
        frame.box(
            (0.09, 0.035, tall + 0.2),
            (x + (-0.045 if x == a else 0.045), 3.785, (low + high) / 2),
            grain="z",
            bevel=0.008,
        )
        frame.box((0.03, 0.26, tall), (x, 3.92, (low + high) / 2), grain="z")
    frame.box((b - a + 0.26, 0.045, 0.13), (middle, 3.782, high + 0.065), bevel=0.008)
    frame.box((b - a, 0.26, 0.03), (middle, 3.92, high))
    frame.box((b - a + 0.3, 0.36, 0.045), (middle, 3.80, low - 0.02), (0, 0, 0.2), bevel=0.012, slot=1)
    for leaf, turn in ((-1, 0), (1, 0)):
        x0 = middle + leaf * (b - a) / 4
        w, y = (b - a) / 2, 3.95
        for x in (x0 - w / 2 + 0.03, x0 + w / 2 - 0.03):
            frame.box(
                (0.055, 0.045, tall - 0.03), (x, y, (low + high) / 2), (0, 0, turn), "z", 0.006, tint=frame.vary(0.03)
            )
        for z in (low + 0.045, high - 0.045):
            frame.box((w, 0.045, 0.06), (x0, y, z), grain="x", bevel=0.006, tint=frame.vary(0.03))
        frame.box((0.028, 0.035, tall - 0.1), (x0, y, (low + high) / 2), (0, 0, 0), "z", 0.005)
        for k in (1, 2):
            frame.box((w - 0.1, 0.035, 0.026), (x0, y, low + tall * k / 3), grain="x", bevel=0.005)
    frame.box((0.02, 0.05, 0.11), (middle + 0.035, 3.905, 1.5), slot=2, bevel=0.006)
    frame.finish()
    curtains = Build("curtains", "curtain", "iron", "brass")
    hanging(curtains, (1.38, 3.66, 2.40), (1.98, 3.66, 2.40), 2.36, 6, gather=0.34)
    hanging(curtains, (3.22, 3.66, 2.40), (3.84, 3.66, 2.40), 2.36, 6, gather=0.30)
    curtains.tube([(1.25, 3.66, 2.42), (3.97, 3.66, 2.42)], 0.013, slot=1)
    for x in (1.23, 3.99):
        curtains.turned(
            [(0, -0.03), (0.02, -0.02), (0.028, 0), (0.02, 0.02), (0, 0.03)], (x, 3.66, 2.42), (0, 90, 0), 16, 2
        )
    curtains.finish()
    sill = Build("window sill things", "vase", "leaf", "soil", "pottery")
    plant(sill, (2.12, 3.80, 0.853), 0.34, 13, 3, 1, 2)
    sill.turned(
        [(0, 0), (0.045, 0), (0.06, 0.03), (0.062, 0.08), (0.03, 0.13), (0.022, 0.18), (0.03, 0.2), (0.024, 0.195)],
        (3.08, 3.80, 0.853),
        slot=0,
        wrap=1.0,
    )
    sill.finish()


def _door() -> None:
    a, b, _, high = DOOR
    door = Build("doorway", "cream", "oak")
    for x, side in ((4.585, 1), (4.735, -1)):
        for y in (a - 0.045, b + 0.045):
            door.box((0.035, 0.1, high + 0.06), (x, y, high / 2 + 0.03), (0, 0, 0), "z", 0.008, tint=door.vary(0.04))
        door.box((0.045, b - a + 0.3, 0.12), (x, (a + b) / 2, high + 0.06), (0.2 * side, 0, 0), "y", 0.01)
    for y in (a, b):
        door.box((0.15, 0.03, high), (4.66, y, high / 2), grain="z", tint=door.vary(0.04))
    door.box((0.15, b - a, 0.03), (4.66, (a + b) / 2, high), grain="y")
    door.box((0.16, b - a, 0.024), (4.66, (a + b) / 2, 0.004), grain="y", bevel=0.008, slot=1)
    door.finish()


def _bed() -> None:
    bed = Build("bed", "cherry", "walnut worn", "sheet")
    for y in (0.93, 2.47):
        bed.box((0.075, 0.075, 1.22), (0.075, y, 0.61), (0, 0, bed.random.normal(0, 0.6)), "z", 0.012, 0, 1)
        bed.turned([(0, 0), (0.03, 0.005), (0.05, 0.035), (0.03, 0.075), (0, 0.085)], (0.075, y, 1.22))
        bed.box((0.07, 0.07, 0.46), (2.2, y, 0.23), (0, 0, bed.random.normal(0, 0.6)), "z", 0.012, 0, 1)
        bed.box((2.1, 0.035, 0.16), (1.13, y, 0.29), grain="x", bevel=0.006, slot=0, edge=1)
    for k in range(9):
        y = 1.03 + k * (2.37 - 1.03) / 8
        bed.box(
            (0.022, 0.15, 0.62), (0.075, y, 0.78), (bed.random.normal(0, 0.4), 0, 0), "z", 0.006, 0, 1, bed.vary(0.1)
        )
    bed.box((0.05, 1.56, 0.11), (0.075, 1.7, 1.11), (0.3, 0, 0), "y", 0.014, 0, 1)
    bed.box((0.04, 1.5, 0.08), (0.075, 1.7, 0.48), grain="y", bevel=0.01)
    bed.box((0.035, 1.5, 0.22), (2.2, 1.7, 0.30), grain="y", bevel=0.008, slot=0, edge=1)
    n = 60
    x, y = np.meshgrid(np.linspace(0.12, 2.17, n), np.linspace(0.96, 2.44, n))
    edge = np.minimum(np.minimum(x - 0.12, 2.17 - x), np.minimum(y - 0.96, 2.44 - y))
    z = (
        0.53
        - 0.07 * np.exp(-edge / 0.03)
        + 0.004 * (edge < 1e-6)
        - 0.018 * np.exp(-(((x - 1.0) / 0.6) ** 2) - ((y - 1.9) / 0.35) ** 2)
    )
    z += np.clip(edge / 0.08, 0, 1) * (
        0.007 * np.sin(11 * x + 5 * y) * np.sin(7 * y - 3 * x) + 0.005 * np.sin(23 * y + 9 * x)
    )
    bed.surface(np.stack([x, y, z], -1), slot=2)
    for ya in (0.96, 2.44):
        xs, zs = np.meshgrid(np.linspace(0.12, 2.17, 30), np.linspace(0.3, 0.466, 6))
        grid = np.stack([xs, ya + (0.012 if ya > 2 else -0.012) * np.sin((zs - 0.3) / 0.17 * np.pi), zs], -1)
        bed.surface(grid, slot=2)
    ys, zs = np.meshgrid(np.linspace(0.96, 2.44, 30), np.linspace(0.3, 0.466, 6))
    bed.surface(np.stack([2.17 + 0.01 * np.sin((zs - 0.3) / 0.17 * np.pi), ys, zs], -1), slot=2)
    bed.finish()
    pillows = Build("pillows", "ticking", "ticking rust", "linen rust")
    pillow(pillows, (0.42, 1.34, 0.66), (0.46, 0.68, 0.20), (4, -24, 4))
    pillow(pillows, (0.40, 2.05, 0.64), (0.46, 0.68, 0.19), (-3, -16, -9))
    pillow(pillows, (0.66, 1.22, 0.69), (0.36, 0.38, 0.16), (5, -42, 14), 2)
    pillows.finish()
    _quilt()


def _quilt() -> None:
    """The quilt, thrown back at the window's side by someone who just got up."""
    form = Build("mattress form", "sheet")
    form.box((2.06, 1.52, 0.5), (1.14, 1.7, 0.285), bevel=0.05)
    ground = Build("ground form", "sheet")
    ground.box((6, 6, 0.1), (1, 1.7, -0.05), bevel=0)
    obstacles = [form.finish(), ground.finish()]
    n = 72
    u, v = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    x, y = 0.86 + 1.72 * u, 0.58 + 2.24 * v
    rest = np.stack([x, y, np.full_like(x, 0.62)], -1)
    rest[..., :2] += 0.028 * (rest[..., :2] - np.array([1.7, 1.7]))
    start = np.stack([x, y, 0.60 + 0.02 * np.sin(5 * x + 3) * np.sin(6 * y) + 0.015 * np.sin(13 * y + 4 * x)], -1)
    normal = np.array([-0.72, 0.69])
    normal /= np.linalg.norm(normal)
    beyond = (start[..., :2] - np.array([1.28, 2.14])) @ normal
    folded = np.maximum(beyond, 0)
    start[..., :2] -= 2 * folded[..., None] * normal
    start[..., 2] += 0.075 * (1 - np.exp(-folded / 0.03)) + 0.03 * np.sin(9 * x) * (beyond > 0)
    landed = smoother(smoother(calmed(fall(start, rest, obstacles), 5)))
    for obstacle in obstacles:
        bpy.data.objects.remove(obstacle)
    m = landed.shape[0]
    uv = np.stack(np.meshgrid(np.linspace(0, 1, m), np.linspace(0, 1, m)), -1)
    landed[..., 2] += 0.005 * np.sqrt(np.abs(np.sin(uv[..., 0] * 10 * np.pi) * np.sin(uv[..., 1] * 10 * np.pi)))
    quilt = Build("quilt", "quilt")
    quilt.surface(landed, uv)
    thing = quilt.finish()
    solid = thing.modifiers.new("thickness", "SOLIDIFY")
    solid.thickness, solid.offset = 0.022, 0.0


def _bedside() -> None:
    table = Build("bedside table", "cherry", "walnut worn", "brass")
    table.box((0.46, 0.44, 0.032), (0.27, 2.86, 0.545), (0, 0, 1.2), "y", 0.01, 0, 1)
    for x in (0.09, 0.45):
        for y in (2.68, 3.04):
            table.box((0.04, 0.04, 0.53), (x, y, 0.265), (0, 0, 1.2), "z", 0.008, 0, 1)
    table.box((0.38, 0.37, 0.15), (0.265, 2.86, 0.45), (0, 0, 1.2), "y", 0.004, tint=table.vary(0.08))
    table.box((0.016, 0.31, 0.11), (0.463, 2.865, 0.45), (0, 0, 1.2), "y", 0.008, 0, 1, table.vary(0.1))
    table.turned(
        [(0, 0), (0.008, 0), (0.009, 0.012), (0.017, 0.02), (0.012, 0.03), (0, 0.032)],
        (0.468, 2.866, 0.45),
        (0, 90, 0),
        16,
        2,
    )
    table.box((0.40, 0.40, 0.02), (0.265, 2.86, 0.13), (0, 0, 1.2), "y", 0.005)
    table.finish()
    lamp = Build("bedside lamp", "vase", "brass", "shade")
    at = (0.20, 2.95, 0.561)
    lamp.turned(
        [
            (0, 0),
            (0.07, 0),
            (0.075, 0.012),
            (0.045, 0.03),
            (0.075, 0.08),
            (0.085, 0.13),
            (0.06, 0.19),
            (0.022, 0.225),
            (0.016, 0.25),
            (0, 0.25),
        ],
        at,
        slot=0,
        wrap=1.0,
    )
    lamp.turned([(0.012, 0.25), (0.012, 0.32)], at, slot=1, sides=12)
    pleats = [(0.155, 0.29), (0.15, 0.30), (0.1, 0.47), (0.1, 0.48)]
    lamp.turned(pleats, at, (1.5, -2, 0), 64, 2)
    lamp.turned([(r - 0.004, z) for r, z in pleats[::-1]], at, (1.5, -2, 0), 64, 2)
    lamp.finish()
    under = Build("books under the table", "book cloth", "pages")
    for k, (w, tint) in enumerate(
        (((0.2, 0.27), (0.30, 0.42, 0.45)), ((0.19, 0.25), (0.75, 0.35, 0.2)), ((0.16, 0.23), (0.85, 0.65, 0.3)))
    ):
        turn = (0, 0, under.random.normal(0, 9))
        z = 0.157 + 0.038 * k
        under.box((w[0], w[1], 0.034), (0.26, 2.86, z), turn, "y", 0.003, tint=tint)
        under.box((w[0] - 0.01, w[1] - 0.012, 0.027), (0.266, 2.86, z), turn, "y", 0.001, 1)
    under.finish()


def _wardrobe() -> None:
    x0, x1, d, h = 2.5, 3.72, 0.58, 2.02
    wardrobe = Build("wardrobe", "walnut", "walnut worn", "brass")
    m = (x0 + x1) / 2
    wardrobe.box((x1 - x0, 0.025, h - 0.1), (m, 0.05, h / 2), grain="z")
    for x in (x0 + 0.02, x1 - 0.02):
        wardrobe.box((0.04, d, h - 0.06), (x, d / 2 + 0.03, h / 2 + 0.03), grain="z", bevel=0.006, slot=0, edge=1)
    wardrobe.box((x1 - x0 + 0.1, d + 0.06, 0.05), (m, d / 2 + 0.03, h + 0.01), (0, 0, 0.2), "x", 0.014, 0, 1)
    wardrobe.box((x1 - x0 + 0.06, d + 0.03, 0.03), (m, d / 2 + 0.03, h - 0.03), grain="x", bevel=0.01)
    wardrobe.box((x1 - x0 + 0.04, d + 0.02, 0.12), (m, d / 2 + 0.03, 0.12), grain="x", bevel=0.012, slot=0, edge=1)
    for x in (x0 + 0.06, x1 - 0.06):
        wardrobe.turned([(0, 0), (0.03, 0), (0.045, 0.03), (0.035, 0.06)], (x, d - 0.03, 0), slot=0)
    y = d + 0.035
    for side in (-1, 1):
        cx = m + side * (x1 - x0 - 0.08) / 4
        w = (x1 - x0 - 0.08) / 2 - 0.006
        for x in (cx - w / 2 + 0.045, cx + w / 2 - 0.045):
            wardrobe.box((0.09, 0.028, 1.74), (x, y, 1.07), (0, 0, 0), "z", 0.006, 0, 1, wardrobe.vary(0.07))
        for z, t in ((0.25, 0.11), (0.92, 0.09), (1.88, 0.11)):
            wardrobe.box((w - 0.18, 0.026, t), (cx, y, z), (0, 0, 0), "x", 0.006, 0, 1, wardrobe.vary(0.07))
        for z, t in ((0.59, 0.58), (1.40, 0.86)):
            wardrobe.box((w - 0.17, 0.01, t), (cx, y - 0.012, z), grain="z", bevel=0.002, tint=wardrobe.vary(0.08))
            wardrobe.box(
                (w - 0.27, 0.018, t - 0.1),
                (cx, y - 0.008, z),
                grain="z",
                bevel=0.012,
                slot=0,
                edge=1,
                tint=wardrobe.vary(0.1),
            )
        wardrobe.turned(
            [(0, 0), (0.009, 0), (0.009, 0.015), (0.019, 0.026), (0.013, 0.04), (0, 0.043)],
            (m + side * 0.045, y + 0.013, 1.0),
            (-90, 0, 0),
            16,
            2,
        )
    wardrobe.finish()
    top = Build("on the wardrobe", "linen rust", "iron", "wicker", "walnut")
    top.box((0.62, 0.38, 0.19), (2.87, 0.3, 2.14), (0, 0, 6), "x", 0.022, 0, tint=(0.75, 0.62, 0.5))
    for x in (2.68, 3.06):
        top.box((0.04, 0.40, 0.2), (x, 0.3 + (x - 2.87) * 0.1, 2.14), (0, 0, 6), "y", 0.012, 3)
    top.turned([(0, 0), (0.18, 0), (0.19, 0.2), (0.195, 0.205), (0.195, 0.25), (0, 0.26)], (3.43, 0.3, 2.045), slot=2)
    top.finish()


def _chest() -> None:
    chest = Build("chest of drawers", "teal", "pine", "brass")
    x0, x1, d, h = 0.62, 1.78, 0.42, 0.84
    m = (x0 + x1) / 2
    chest.box((x1 - x0, d - 0.02, h - 0.1), (m, d / 2 + 0.02, h / 2 + 0.03), grain="z", bevel=0.006, slot=0, edge=1)
    chest.box((x1 - x0 + 0.06, d + 0.04, 0.035), (m, d / 2 + 0.02, h), (0, 0, 0.3), "x", 0.01, 1)
    for k in range(3):
        z = 0.20 + k * 0.235
        for side in (-1, 1):
            cx = m + side * (x1 - x0) / 4
            chest.box(
                (0.53, 0.025, 0.205),
                (cx, d + 0.018, z),
                (chest.random.normal(0, 0.3), 0, chest.random.normal(0, 0.25)),
                "x",
                0.009,
                0,
                1,
                chest.vary(0.08),
            )
            chest.turned(
                [(0, 0), (0.008, 0), (0.008, 0.012), (0.019, 0.02), (0.015, 0.032), (0, 0.035)],
                (cx, d + 0.03, z),
                (-90, 0, 0),
                16,
                2,
            )
    for x in (x0 + 0.05, x1 - 0.05):
        for y in (0.07, d - 0.03):
            chest.box((0.06, 0.06, 0.09), (x, y, 0.045), bevel=0.01, slot=0, edge=1)
    chest.finish()
    top = Build("on the chest", "pottery", "vase", "book cloth", "pages", "pine", "brass")
    top.turned(
        [(0, 0), (0.055, 0), (0.09, 0.06), (0.10, 0.14), (0.07, 0.23), (0.04, 0.28), (0.055, 0.31), (0.045, 0.305)],
        (0.86, 0.22, 0.857),
        slot=0,
        wrap=1.0,
    )
    for k in range(7):
        a = k * 0.9
        stem = [
            (
                0.86 + 0.03 * np.cos(a) + 0.13 * np.cos(a) * t * t,
                0.22 + 0.03 * np.sin(a) + 0.12 * np.sin(a) * t * t,
                1.13 + (0.3 + 0.03 * (k % 3)) * t,
            )
            for t in np.linspace(0, 1, 7)
        ]
        top.tube(stem, 0.004, 6, 4, (0.6, 0.62, 0.35))
        x, y, z = stem[-1]
        top.turned(
            [(0, -0.03), (0.02, -0.02), (0.026, 0.0), (0.018, 0.03), (0, 0.045)],
            (x, y, z),
            tuple(top.random.normal(0, 18, 3)),
            10,
            4,
            (1.0, 0.55, 0.28) if k % 2 else (0.95, 0.78, 0.4),
        )
    widths = (0.034, 0.026, 0.04, 0.022, 0.03, 0.036, 0.028)
    tints = (
        (0.7, 0.3, 0.2),
        (0.35, 0.45, 0.45),
        (0.9, 0.75, 0.45),
        (0.5, 0.28, 0.34),
        (0.55, 0.62, 0.45),
        (0.8, 0.55, 0.25),
        (0.3, 0.38, 0.5),
    )
    x = 1.18
    for width, tint in zip(widths, tints, strict=True):
        tall, lean = top.random.uniform(0.19, 0.25), top.random.normal(0, 1.2)
        top.box((width, 0.15, tall), (x + width / 2, 0.17, 0.857 + tall / 2), (0, lean, 0), "z", 0.003, 2, tint=tint)
        top.box(
            (width - 0.008, 0.148, tall + 0.001),
            (x + width / 2, 0.165, 0.857 + tall / 2 - 0.002),
            (0, lean, 0),
            "z",
            0.001,
            3,
        )
        x += width + 0.002
    top.box((0.13, 0.03, 0.17), (1.60, 0.2, 0.94), (-12, 0, -14), "z", 0.006, 4)
    top.finish()


def _corner() -> None:
    art = Build("pictures", "walnut worn", "cat", "moon", "shapes", "botanical", "brass")
    framed(art, WEST, (1.22, 1.72), (0.40, 0.52), 1)
    framed(art, WEST, (2.02, 1.80), (0.50, 0.66), 2)
    framed(art, SOUTH, (1.22, 1.72), (0.78, 0.60), 3)
    framed(art, EAST, (2.82, 1.62), (0.46, 0.60), 4)
    framed(art, NORTH, (0.80, 1.72), (0.34, 0.44), 4)
    art.finish()
    rug = Build("rug", "kilim", "sheet")
    n = 60
    u, v = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    turn = np.radians(3.0)
    lx, ly = (u - 0.5) * 2.3, (v - 0.5) * 1.48
    x, y = 3.12 + lx * np.cos(turn) - ly * np.sin(turn), 1.72 + lx * np.sin(turn) + ly * np.cos(turn)
    z = (
        0.010
        + 0.004 * np.sin(7 * x + 2 * y) * np.sin(5 * y - x)
        + 0.018 * np.exp(-(((u - 0.965) / 0.02) ** 2)) * np.exp(-(((v - 0.3) / 0.2) ** 2))
    )
    rug.surface(np.stack([x, y, z], -1), np.stack([v, u], -1))
    for end in (0, -1):
        for k in range(74):
            p = np.array([x[int(k * n / 74), end], y[int(k * n / 74), end], 0.008])
            p[1] += (k * n / 74 - int(k * n / 74)) * 1.48 / n
            out = np.array([np.cos(turn), np.sin(turn), 0]) * (-1 if end == 0 else 1)
            q = p + out * rug.random.uniform(0.045, 0.065) + [0, rug.random.normal(0, 0.008), -0.003]
            rug.tube([p, (p + q) / 2 + [0, 0, 0.002], q], 0.0035, 5, 1)
    rug.finish()
    chair = Build("chair", "pine", "ochre", "knit", "wicker")
    c = np.array([4.12, 3.02, 0.0])
    for dx in (-0.18, 0.18):
        for dy in (-0.18, 0.18):
            tall = 0.92 if dx > 0 else 0.44
            chair.box((0.036, 0.036, tall), c + [dx, dy, tall / 2], (0, 2.5 if dx > 0 else -2, 0), "z", 0.008, 1, 0)
    chair.box((0.42, 0.42, 0.03), c + [0, 0, 0.45], (0, 0, 2), "y", 0.012, 3)
    for z in (0.62, 0.74, 0.86):
        chair.box((0.02, 0.36, 0.06), c + [0.19 + (z - 0.45) * 0.03, 0, z], (0, 2.5, 0), "y", 0.008, 1, 0)
    for z in (0.16, 0.24):
        chair.box((0.02, 0.36, 0.022), c + [-0.18, 0, z], grain="y", slot=1)
        chair.box((0.36, 0.02, 0.022), c + [0, -0.18, z], grain="x", slot=1)
        chair.box((0.36, 0.02, 0.022), c + [0, 0.18, z], grain="x", slot=1)
    for k in range(3):
        chair.box(
            (0.34 - 0.015 * k, 0.31, 0.055),
            c + [-0.01 + 0.008 * k, 0.01, 0.495 + 0.05 * k],
            (0, 0, 4 - 5 * k),
            "y",
            0.024,
            2,
            tint=chair.vary(0.05),
        )
    chair.finish()
    green = Build("plant", "pottery", "leaf", "soil")
    plant(green, (4.25, 0.42, 0.0), 1.25, 26)
    green.finish()
    pendant = Build("pendant", "wicker", "iron")
    shade = [(0.05, 0.22), (0.12, 0.2), (0.19, 0.11), (0.22, 0.0), (0.215, -0.01)]
    pendant.turned(shade, (2.62, 1.75, 2.12), slot=0)
    pendant.turned([(r - 0.006, z) for r, z in shade[::-1]], (2.62, 1.75, 2.12), slot=0)
    pendant.tube([(2.62, 1.75, 2.33), (2.62, 1.75, 2.7)], 0.006, 8, 1)
    pendant.finish()
    pegs = Build("peg rail", "pine", "linen rust")
    pegs.box((0.025, 0.8, 0.09), (4.585, 0.55, 1.62), grain="y", bevel=0.008)
    for k in range(4):
        pegs.turned(
            [(0, 0), (0.011, 0), (0.009, 0.05), (0.016, 0.06), (0, 0.07)],
            (4.575, 0.25 + 0.2 * k, 1.62),
            (0, -80, 0),
            12,
        )
    hanging(pegs, (4.53, 0.36, 1.63), (4.53, 0.54, 1.63), 0.75, 2.2, 1)
    pegs.finish()
