"""The set: a bedroom with a window on its long wall and a bathroom behind a doorway. Metres, Z up, floor at 0.

Bedroom x 0..4.2, y 0..3.6; bathroom x 4.32..6.4, y 0..2.5; rooms 2.55 high. The window is in the wall y = 3.6, the
doorway in the wall x = 4.2. The bed's head stands against x = 0.
"""

from __future__ import annotations

import math

import bpy
import numpy as np
from palette import linear
from shapes import backdrop, box, cushion, glowing, lathe, painted, ripples, sheet, tube

HEIGHT = 2.55
BEDROOM = (4.2, 3.6)
BATHROOM = (4.32, 6.4, 2.5)  # x from, x to, y to
DOOR = (0.75, 1.6, 2.05)  # y from, y to, height
WINDOW = (1.35, 2.95, 0.85, 2.1)  # x from, x to, z from, z to
TABLE_TOP = 0.56  # of the bedside table
TABLE = (0.30, 1.12)


def build() -> None:
    """Model and light the whole set."""
    shell()
    window()
    bed()
    bedside()
    wardrobe()
    corner()
    floor_and_walls()
    bathroom()
    light()


def shell() -> None:
    """Floors, walls and ceilings, each a slab of its own so that textures lie true."""
    x, y = BEDROOM
    plaster, rose = painted("plaster buff", 1.6), painted("plaster rose", 1.7)
    box((x, y, 0.1), (x / 2, y / 2, -0.05), painted("pine", 1.3, 0.4, 0.55), 0)
    box((x + 2.6, y, 0.1), (x / 2 + 1.2, y / 2, HEIGHT + 0.05), painted("plaster ceiling", 1.9), 0)
    box((0.12, y, HEIGHT), (-0.06, y / 2, HEIGHT / 2), painted("wallpaper", 0.9, 0.1), 0)
    box((x, 0.12, HEIGHT), (x / 2, -0.06, HEIGHT / 2), rose, 0)
    x0, x1, z0, z1 = WINDOW
    for size, centre in (
        ((x0, 0.2, HEIGHT), (x0 / 2, y + 0.1, HEIGHT / 2)),
        ((x - x1, 0.2, HEIGHT), ((x + x1) / 2, y + 0.1, HEIGHT / 2)),
        ((x1 - x0, 0.2, z0), ((x0 + x1) / 2, y + 0.1, z0 / 2)),
        ((x1 - x0, 0.2, HEIGHT - z1), ((x0 + x1) / 2, y + 0.1, (HEIGHT + z1) / 2)),
    ):
        box(size, centre, plaster, 0)
    d0, d1, dz = DOOR
    for size, centre in (
        ((0.12, d0, HEIGHT), (x + 0.06, d0 / 2, HEIGHT / 2)),
        ((0.12, y - d1, HEIGHT), (x + 0.06, (y + d1) / 2, HEIGHT / 2)),
        ((0.12, d1 - d0, HEIGHT - dz), (x + 0.06, (d0 + d1) / 2, (HEIGHT + dz) / 2)),
    ):
        box(size, centre, plaster, 0)
    frame = painted("paint sage", 0.8)
    for yy in (d0 - 0.045, d1 + 0.045):
        box((0.2, 0.09, dz + 0.09), (x + 0.06, yy, (dz + 0.09) / 2), frame)
    box((0.2, d1 - d0 + 0.18, 0.09), (x + 0.06, (d0 + d1) / 2, dz + 0.045), frame)
    skirting = painted("paint cream", 0.9)
    box((x, 0.025, 0.13), (x / 2, 0.0125, 0.065), skirting)
    box((x, 0.025, 0.13), (x / 2, y - 0.0125, 0.065), skirting)
    box((0.025, y, 0.13), (0.0125, y / 2, 0.065), skirting)
    box((0.025, y - d1 - 0.09, 0.13), (x - 0.0125, (y + d1 + 0.09) / 2, 0.065), skirting)


def window() -> None:
    """Frame, sill, curtains on a rail, and the town outside."""
    x0, x1, z0, z1 = WINDOW
    y, middle = BEDROOM[1], (x0 + x1) / 2
    wood = painted("paint cream", 0.7)
    for xx in (x0 + 0.03, middle, x1 - 0.03):
        box((0.055, 0.07, z1 - z0), (xx, y + 0.1, (z0 + z1) / 2), wood)
    for zz in (z0 + 0.03, z0 + 0.82, z1 - 0.03):
        box((x1 - x0, 0.06, 0.055), (middle, y + 0.1, zz), wood)
    box((x1 - x0 + 0.24, 0.24, 0.04), (middle, y - 0.03, z0 - 0.02), painted("oak", 0.9, 0.4))
    plant(x0 + 0.3, y - 0.03, z0)
    brass = painted("brass", 0.3, 0.2, 0.4)
    tube([(x0 - 0.5, y - 0.09, z1 + 0.14), (x1 + 0.5, y - 0.09, z1 + 0.14)], 0.013, brass)
    cloth = painted("curtain", 0.6, 0.3, 0.95)
    for left, width, folds in ((x0 - 0.45, 0.5, 5), (x1 - 0.02, 0.47, 5)):
        sway = ripples(int(left * 100) % 97, 4, 1.2)
        sheet(
            (left, y - 0.09, 0.1), (width, 0, 0), (0, 0, z1 + 0.03),
            lambda u, v, n=folds, s=sway: (
                0.055 * (0.6 + 0.4 * v) * np.sin(2 * math.pi * n * u + 0.6 * s(u, v)) + 0.012 * s(u, v)
            ),
            cloth, (160, 40), 0.003,
        )  # fmt: skip
    sheet((-9, y + 14, -3), (24, 0, 0), (0, 0, 13), lambda u, v: 0 * u, backdrop("sky", 2.6), (2, 2))
    houses = (
        ("facade", -3.2, 3.4, 3.1, "roof"),
        ("brick", 0.4, 2.9, 2.3, "roof slate"),
        ("facade", 3.6, 3.3, 3.4, "roof"),
        ("brick", 7.2, 3.2, 2.7, "roof"),
    )
    for i, (wall, hx, wide, tall, tiles) in enumerate(houses):
        hy = y + 8.2 + 0.7 * (i % 2)
        box((wide, 3, tall), (hx + wide / 2, hy + 1.5, tall / 2 - 1), painted(wall, 1.9), 0.02)
        roof = box((wide + 0.3, 2.6, 0.12), (hx + wide / 2, hy + 0.9, tall - 0.35), painted(tiles, 1.2), 0.02)
        roof.rotation_euler[0] = 0.75
        for wx in np.arange(hx + 0.5, hx + wide - 0.4, 0.95):
            for wz in np.arange(0.2, tall - 1.6, 1.05):
                box((0.5, 0.08, 0.7), (wx, hy, wz), painted("leaded", 0.7), 0.01)
                box((0.62, 0.1, 0.06), (wx, hy - 0.02, wz - 0.38), painted("paint cream", 0.6))
    for tx, ty, size in ((0.2, y + 6.0, 1.0), (4.4, y + 5.4, 1.25), (2.7, y + 7.0, 0.8)):
        tree(tx, ty, size)


def tree(x: float, y: float, size: float) -> None:
    """A street tree of leaf clumps."""
    tube([(x, y, -1.5), (x + 0.05, y, 0.2), (x, y, 0.9 * size)], 0.07 * size, painted("walnut", 0.5))
    rng = np.random.default_rng(int(x * 31 + 100))
    for _ in range(16):
        offset = rng.normal(0, 0.36 * size, 3)
        cushion(
            (0.8 * size, 0.8 * size, 0.65 * size),
            (x + offset[0], y + offset[1], 1.25 * size + offset[2]),
            _leaves(),
            int(rng.integers(99)),
        )


def _leaves() -> bpy.types.Material:
    return painted("foliage", 0.5, 0.9, 0.9)


def plant(x: float, y: float, z: float) -> None:
    """A pot plant on the sill."""
    lathe(
        [(0.05, 0), (0.062, 0.02), (0.075, 0.1), (0.078, 0.11), (0.068, 0.11), (0.06, 0.09), (0, 0.09)],
        (x, y, z),
        painted("pottery", 0.22),
    )
    rng = np.random.default_rng(5)
    leaf = painted("paint sage", 0.4, 0.3, 0.6)
    for i in range(16):
        a, reach, rise = 2.4 * i, rng.uniform(0.06, 0.15), rng.uniform(0.08, 0.26)
        across = (0.028 * math.sin(a), -0.028 * math.cos(a), 0.0)
        out = (reach * math.cos(a), reach * math.sin(a), rise)
        sheet(
            (x - across[0] / 2, y - across[1] / 2, z + 0.09),
            across,
            out,
            lambda u, v: 0.02 * np.sin(math.pi * v) - 0.01 * (u - 0.5) ** 2,
            leaf,
            (4, 12),
        )


def bed() -> None:
    """A wooden bed, made and slept in: mattress, sheet, quilt with folds, pillows, a throw at the foot."""
    oak = painted("walnut", 1.1, 0.4, 0.5)
    box((0.06, 1.56, 0.78), (0.05, 2.45, 0.55), oak, 0.02)
    for y in (1.85, 2.25, 2.65, 3.05):
        box((0.02, 0.3, 0.45), (0.088, y, 0.66), painted("cherry", 0.9, 0.4), 0.008)
    box((0.05, 1.5, 0.42), (2.1, 2.45, 0.30), oak, 0.015)
    for y in (1.71, 3.19):
        box((2.05, 0.04, 0.2), (1.08, y, 0.31), oak, 0.01)
    for x in (0.06, 2.09):
        for y in (1.7, 3.2):
            box((0.07, 0.07, 0.62), (x, y, 0.31), oak, 0.012)
    box((2.0, 1.44, 0.22), (1.07, 2.45, 0.40), painted("ticking", 0.5, 0.2, 0.95), 0.06)
    box((1.98, 1.46, 0.03), (1.07, 2.45, 0.52), painted("sheet", 0.5, 0.2, 0.95), 0.015)
    lump, crease = ripples(3, 7, 2.6), ripples(9, 9, 7.0)

    def quilted(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        side = np.minimum(v, 1 - v)
        fall = -0.24 * np.clip(1 - side / 0.10, 0, 1) ** 1.6
        body = (
            0.045 * lump(u, v) * np.clip(side / 0.12, 0, 1)
            + 0.008 * crease(u, v)
            + 0.012 * np.sin(u * 31) * np.sin(v * 27)
        )
        turned = 0.05 * np.exp(-(((u - 0.03) / 0.05) ** 2))
        return body + fall + turned + 0.06

    sheet(
        (0.66, 1.60, 0.53),
        (1.42, 0.03, 0.0),
        (0, 1.72, 0),
        quilted,
        painted("quilt", 1.25, 0.5, 0.95),
        (110, 130),
        0.03,
    )
    for i, (y, cloth) in enumerate(((2.08, "ticking rust"), (2.82, "sheet"))):
        cushion((0.46, 0.68, 0.2), (0.34, y, 0.66), painted(cloth, 0.45, 0.25, 0.95), 20 + i, 0.05 - 0.12 * i, -0.5)
    cushion((0.36, 0.38, 0.16), (0.55, 2.40, 0.68), painted("knit", 0.3, 0.7, 0.95), 31, 0.4, -0.75)
    fold = ripples(12, 6, 3.0)
    sheet(
        (1.62, 1.56, 0.64),
        (0.42, 0.02, 0),
        (0.0, 1.80, 0),
        lambda u, v: 0.018 * fold(u, v) - 0.30 * np.clip(1 - np.minimum(v, 1 - v) / 0.09, 0, 1) ** 1.5 + 0.01,
        painted("knit plum", 0.35, 0.8, 0.95),
        (40, 120),
        0.015,
    )


def bedside() -> None:
    """Table with a drawer, a lamp, and a clock."""
    x, y = TABLE
    wood = painted("cherry", 0.7, 0.4, 0.5)
    box((0.44, 0.44, 0.035), (x, y, TABLE_TOP - 0.0175), wood, 0.012)
    box((0.40, 0.40, 0.16), (x, y, TABLE_TOP - 0.12), painted("oak", 0.7, 0.4, 0.5), 0.008)
    box((0.02, 0.32, 0.11), (x + 0.205, y, TABLE_TOP - 0.12), wood, 0.006)
    lathe(
        [(0, 0), (0.012, 0.003), (0.016, 0.012), (0.0, 0.02)], (x + 0.216, y, TABLE_TOP - 0.12), painted("brass", 0.2)
    ).rotation_euler[1] = math.pi / 2
    for dx in (-0.17, 0.17):
        for dy in (-0.17, 0.17):
            lathe([(0.014, 0), (0.024, TABLE_TOP - 0.2)], (x + dx, y + dy, 0), wood)
    lx, ly = x - 0.09, y - 0.06
    lathe(
        [
            (0, 0),
            (0.085, 0.002),
            (0.085, 0.015),
            (0.03, 0.03),
            (0.045, 0.09),
            (0.06, 0.14),
            (0.04, 0.2),
            (0.013, 0.22),
            (0.013, 0.3),
        ],
        (lx, ly, TABLE_TOP),
        painted("vase", 0.3, 0.2, 0.4),
    )
    shade = painted("shade", 0.3, 0.3, 0.95)
    shade.node_tree.nodes["Principled BSDF"].inputs["Emission Color"].default_value = (*linear("buff light"), 1)
    shade.node_tree.nodes["Principled BSDF"].inputs["Emission Strength"].default_value = 0.55
    lathe([(0.15, 0.27), (0.135, 0.36), (0.1, 0.47)], (lx, ly, TABLE_TOP), shade)
    box((0.09, 0.12, 0.11), (x - 0.1, y + 0.14, TABLE_TOP + 0.055), painted("paint teal", 0.3), 0.02, 0.3)
    box((0.012, 0.085, 0.075), (x - 0.058, y + 0.153, TABLE_TOP + 0.057), painted("enamel", 0.2), 0.004, 0.3)


def wardrobe() -> None:
    """A painted country wardrobe with panelled doors."""
    x0, wide, deep, tall = 0.35, 1.25, 0.58, 1.98
    body, panel = painted("paint teal", 1.0, 0.4), painted("paint mustard", 0.9, 0.4)
    box((wide, deep, tall - 0.1), (x0 + wide / 2, deep / 2 + 0.01, tall / 2), body, 0.012)
    box((wide + 0.12, deep + 0.08, 0.07), (x0 + wide / 2, deep / 2 + 0.02, tall - 0.02), painted("walnut", 0.9), 0.02)
    box((wide + 0.06, deep + 0.04, 0.1), (x0 + wide / 2, deep / 2 + 0.02, 0.06), painted("walnut", 0.9), 0.012)
    for i in range(2):
        cx = x0 + wide * (0.26 + 0.48 * i)
        box((0.54, 0.03, 1.66), (cx, deep + 0.02, 1.0), body, 0.008)
        for z, h in ((0.52, 0.56), (1.36, 0.78)):
            box((0.38, 0.02, h), (cx, deep + 0.036, z), panel, 0.012)
            box((0.30, 0.012, h - 0.1), (cx, deep + 0.048, z), painted("print botanical", 0.5, 0.1), 0.006)
        lathe(
            [(0, 0), (0.012, 0.003), (0.02, 0.02), (0, 0.03)],
            (x0 + wide / 2 + (0.035 if i else -0.035), deep + 0.035, 0.98),
            painted("brass", 0.2),
        ).rotation_euler[0] = -math.pi / 2
    box((0.5, 0.34, 0.2), (x0 + 0.4, 0.3, tall + 0.115), painted("wicker", 0.3, 0.8), 0.03, 0.08)
    box((0.42, 0.3, 0.16), (x0 + 0.92, 0.28, tall + 0.095), painted("ticking rust", 0.3), 0.03, -0.1)


def corner() -> None:
    """By the window: a chair with a cardigan, a small desk with books and a vase."""
    wood = painted("oak", 0.8, 0.4, 0.5)
    box((0.55, 1.0, 0.035), (3.88, 2.75, 0.74), wood, 0.01)
    box((0.5, 0.92, 0.1), (3.88, 2.75, 0.67), painted("pine", 0.8), 0.006)
    for dx in (-0.22, 0.22):
        for dy in (-0.44, 0.44):
            box((0.05, 0.05, 0.72), (3.88 + dx, 2.75 + dy, 0.36), wood, 0.008)
    for i, (cloth, h) in enumerate(
        (("paint rust", 0.24), ("paint teal", 0.21), ("ticking", 0.26), ("paint mustard", 0.22), ("leaded", 0.2))
    ):
        box((0.17, 0.035 + 0.008 * (i % 3), h), (3.98, 2.42 + 0.052 * i, 0.76 + h / 2), painted(cloth, 0.35), 0.004)
    lathe(
        [(0, 0), (0.05, 0.002), (0.075, 0.08), (0.06, 0.16), (0.035, 0.2), (0.045, 0.24)],
        (3.9, 3.05, 0.757),
        painted("vase", 0.3, 0.2, 0.4),
    )
    rng = np.random.default_rng(8)
    for i in range(7):
        a, r = 0.9 * i, rng.uniform(0.05, 0.13)
        tip = (3.9 + r * math.cos(a), 3.05 + r * math.sin(a), 1.16 + rng.uniform(0, 0.16))
        tube(
            [(3.9, 3.05, 0.95), (3.9 + 0.4 * r * math.cos(a), 3.05 + 0.4 * r * math.sin(a), 1.08), tip],
            0.003,
            painted("paint sage", 0.3),
        )
        cushion((0.06, 0.06, 0.045), tip, painted(("paint rust", "paint mustard", "paint cream")[i % 3], 0.12), i)
    seat = (3.25, 2.72)
    box((0.42, 0.42, 0.04), (*seat, 0.45), painted("wicker", 0.25, 0.8), 0.015, 0.25)
    c, s = math.cos(0.25), math.sin(0.25)
    for dx in (-0.18, 0.18):
        for dy in (-0.18, 0.18):
            box(
                (0.035, 0.035, 0.45 if dx > 0 else 0.92),
                (seat[0] + c * dx - s * dy, seat[1] + s * dx + c * dy, 0.225 if dx > 0 else 0.46),
                painted("cherry", 0.6),
                0.008,
                0.25,
            )
    for z in (0.62, 0.75, 0.88):
        box((0.02, 0.36, 0.06), (seat[0] - 0.18 * c, seat[1] - 0.18 * s, z), painted("cherry", 0.6), 0.008, 0.25)


def floor_and_walls() -> None:
    """Rug, slippers, pictures."""
    wave = ripples(21, 5, 2.0)
    sheet(
        (1.75, 0.55, 0.004),
        (1.9, 0.1, 0),
        (-0.06, 1.1, 0),
        lambda u, v: 0.004 + 0.004 * (1 + wave(u, v)),
        painted("kilim", 1.15, 0.6, 0.98),
        (60, 40),
        0.012,
    )
    for i, turn in enumerate((0.15, -0.1)):
        cushion(
            (0.26, 0.1, 0.07), (1.0 + 0.02 * i, 1.36 - 0.13 * i, 0.04), painted("knit plum", 0.2, 0.7), 60 + i, turn
        )
    pictures = (
        ("print moon", 0.5, 0.62, (0.02, 2.15, 1.6), 0),
        ("print botanical", 0.36, 0.46, (0.02, 2.85, 1.52), 0),
        ("print shapes", 0.55, 0.42, (2.5, 0.02, 1.55), 1),
        ("print cat", 0.4, 0.5, (3.35, 0.02, 1.5), 1),
    )
    for texture, wide, tall, (x, y, z), wall in pictures:
        rim = painted("walnut", 0.5, 0.4, 0.5)
        size = (0.03, wide + 0.07, tall + 0.07) if wall == 0 else (wide + 0.07, 0.03, tall + 0.07)
        box(size, (x, y, z), rim, 0.008)
        if wall == 0:
            sheet(
                (x + 0.017, y - wide / 2, z - tall / 2),
                (0, wide, 0),
                (0, 0, tall),
                lambda u, v: 0 * u,
                _print(texture),
                (2, 2),
            )
        else:
            sheet(
                (x + wide / 2, y + 0.017, z - tall / 2),
                (-wide, 0, 0),
                (0, 0, tall),
                lambda u, v: 0 * u,
                _print(texture),
                (2, 2),
            )


def _print(texture: str) -> bpy.types.Material:
    """A print behind no glass: matte paper, the picture once over its sheet."""
    material = painted(texture, 1.0, 0.05, 0.9).copy()
    nodes, links = material.node_tree.nodes, material.node_tree.links
    where = nodes.new("ShaderNodeTexCoord")
    for node in [n for n in nodes if n.bl_idname == "ShaderNodeTexImage"]:
        node.projection = "FLAT"
        links.new(where.outputs["UV"], node.inputs["Vector"])
    return material


def bathroom() -> None:
    """Tiles, washbasin on a stand, framed panel, shelf with jars, towels, a mat."""
    x0, x1, y1 = BATHROOM
    tiles, floor = painted("bath tiles", 0.75, 0.4, 0.4), painted("floor tiles", 0.8, 0.4, 0.45)
    upper = painted("plaster rose", 1.5)
    middle = (x0 + x1) / 2
    box((x1 - x0 + 0.12, y1, 0.1), (middle - 0.06, y1 / 2, -0.05), floor, 0)
    for z, tall, material in ((0.65, 1.3, tiles), (1.3 + (HEIGHT - 1.3) / 2, HEIGHT - 1.3, upper)):
        box((0.12, y1, tall), (x1 + 0.06, y1 / 2, z), material, 0)
        box((x1 - x0, 0.12, tall), (middle, -0.06, z), material, 0)
        box((x1 - x0, 0.12, tall), (middle, y1 + 0.06, z), material, 0)
    rim = painted("paint sage", 0.5)
    box((0.04, y1, 0.035), (x1 - 0.01, y1 / 2, 1.31), rim, 0.008)
    box((x1 - x0, 0.04, 0.035), (middle, 0.01, 1.31), rim, 0.008)
    bx, by = x1 - 0.26, 1.15
    box((0.46, 0.72, 0.05), (bx, by, 0.8), painted("oak", 0.7, 0.4), 0.012)
    box((0.42, 0.66, 0.46), (bx, by, 0.54), painted("paint teal", 0.7), 0.01)
    for dy in (-0.165, 0.165):
        box((0.015, 0.29, 0.38), (bx - 0.215, by + dy, 0.54), painted("paint sage", 0.5), 0.008)
    for dy in (-0.29, 0.29):
        box((0.05, 0.05, 0.3), (bx - 0.16, by + dy, 0.16), painted("oak", 0.5), 0.008)
    lathe(
        [(0, 0.012), (0.12, 0.02), (0.175, 0.09), (0.19, 0.125), (0.2, 0.125), (0.205, 0.11), (0.16, 0.02), (0.1, 0)],
        (bx - 0.02, by, 0.825),
        painted("enamel", 0.35, 0.2, 0.35),
    )
    metal = painted("brass", 0.2, 0.2, 0.4)
    tube(
        [
            (bx + 0.2, by, 0.83),
            (bx + 0.2, by, 1.02),
            (bx + 0.19, by, 1.06),
            (bx + 0.12, by, 1.07),
            (bx + 0.08, by, 1.01),
        ],
        0.013,
        metal,
    )
    for dy in (-0.09, 0.09):
        lathe([(0.014, 0), (0.014, 0.05), (0.03, 0.055), (0.03, 0.075), (0, 0.08)], (bx + 0.19, by + dy, 0.825), metal)
    wall = x1 - 0.02
    for dy, dz, wide, tall in (
        (0, 0.36, 0.66, 0.06),
        (0, -0.36, 0.66, 0.06),
        (0.30, 0, 0.06, 0.66),
        (-0.30, 0, 0.06, 0.66),
    ):
        box((0.05, wide, tall), (wall, by + dy, 1.68 + dz), painted("walnut", 0.5, 0.4), 0.012)
    box((0.02, 0.58, 0.7), (wall, by, 1.68), painted("pewter", 0.5, 0.3, 0.6), 0)
    box((0.15, 0.62, 0.025), (x1 - 0.085, by, 1.24), painted("oak", 0.6), 0.006)
    for i, (texture, r, h) in enumerate(
        (("pottery", 0.035, 0.1), ("vase", 0.03, 0.13), ("leaded", 0.032, 0.08), ("brass", 0.028, 0.06))
    ):
        lathe(
            [(0, 0), (r, 0.002), (r * 1.05, h * 0.7), (r * 0.7, h * 0.85), (r * 0.72, h), (0, h)],
            (x1 - 0.09, by - 0.23 + 0.14 * i, 1.253),
            painted(texture, 0.18),
        )
    tube([(5.0, y1 - 0.07, 1.15), (5.75, y1 - 0.07, 1.15)], 0.011, metal)
    drape = ripples(44, 5, 2.0)
    sheet(
        (5.08, y1 - 0.085, 0.55),
        (0.5, 0, 0),
        (0, 0, 0.62),
        lambda u, v: 0.012 * drape(u, v) + 0.02 * np.sin(14 * u),
        painted("towel", 0.5, 0.7, 0.98),
        (60, 50),
        0.012,
    )
    box((0.62, 0.45, 0.5), (4.72, 2.18, 0.25), painted("wicker", 0.3, 0.8), 0.04, 0.12)
    cushion((0.55, 0.42, 0.22), (4.72, 2.18, 0.54), painted("towel teal", 0.4, 0.7, 0.98), 70, 0.3)
    sheet(
        (5.15, 0.85, 0.006),
        (0.55, 0.03, 0),
        (-0.02, 0.75, 0),
        lambda u, v: 0.012 + 0.004 * drape(u, v),
        painted("towel teal", 0.4, 0.8, 0.98),
        (40, 40),
        0.012,
    )
    box((0.5, 0.03, 0.62), (5.25, 0.02, 1.75), painted("walnut", 0.5), 0.01)
    sheet((5.46, 0.038, 1.49), (-0.42, 0, 0), (0, 0, 0.52), lambda u, v: 0 * u, _print("print botanical"), (2, 2))
    lathe([(0.16, 0), (0.12, 0.09), (0.03, 0.12)], (middle, 1.2, HEIGHT - 0.16), glowing(linear("buff light"), 2.0))


def light() -> None:
    """Soft daylight from the window, sky fill, warm practicals."""
    x0, x1, z0, z1 = WINDOW
    _area(
        ((x0 + x1) / 2, BEDROOM[1] + 0.45, (z0 + z1) / 2), (math.radians(-90), 0, 0), (1.7, 1.4), 75, (1.0, 0.93, 0.84)
    )
    _area((2.1, 1.7, HEIGHT - 0.06), (0, 0, 0), (2.6, 2.0), 22, (1.0, 0.95, 0.88))
    _area((5.35, 1.2, HEIGHT - 0.22), (0, 0, 0), (0.9, 0.9), 22, (1.0, 0.9, 0.78))
    bulb = bpy.data.lights.new("lamp", "POINT")
    bulb.energy, bulb.color, bulb.shadow_soft_size = 5.0, (1.0, 0.72, 0.42), 0.05
    lamp = bpy.data.objects.new("lamp", bulb)
    lamp.location = (TABLE[0] - 0.09, TABLE[1] - 0.06, TABLE_TOP + 0.36)
    bpy.context.collection.objects.link(lamp)
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.55, 0.68, 0.85, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.9
    bpy.context.scene.world = world


def _area(
    at: tuple[float, float, float],
    turn: tuple[float, float, float],
    size: tuple[float, float],
    watts: float,
    colour: tuple[float, float, float],
) -> None:
    data = bpy.data.lights.new("area", "AREA")
    data.shape, data.size, data.size_y = "RECTANGLE", *size
    data.energy, data.color = watts, colour
    thing = bpy.data.objects.new("area", data)
    thing.location, thing.rotation_euler = at, turn
    bpy.context.collection.objects.link(thing)
