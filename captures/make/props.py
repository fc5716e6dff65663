"""The props, each standing at the origin of its own table, in the light of a soft tent."""

from __future__ import annotations

import numpy as np
from build_mesh import Build
from light import lamp, toward
from studio import bpy


def mug() -> None:
    """A thrown mug, 9.5 cm tall, the handle towards +x."""
    cup = Build("mug", "pottery", "enamel")
    wall = [
        (0.0, 0.003),
        (0.030, 0.003),
        (0.034, 0.0),
        (0.038, 0.004),
        (0.0405, 0.02),
        (0.0415, 0.05),
        (0.0412, 0.075),
        (0.0425, 0.090),
        (0.0425, 0.0935),
    ]
    heights = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(np.array(wall), axis=0).T))])
    cup.turned([(r, z) for r, z in wall], (0, 0, 0), sides=96, wrap=1.0)
    for face in range(len(cup.uvs)):  # the wall's picture goes once around and from foot to lip
        cup.uvs[face] = cup.uvs[face] / [1.0, heights[-1]]
    cup.turned(
        [
            (0.0425, 0.0935),
            (0.0415, 0.0955),
            (0.0395, 0.0945),
            (0.0378, 0.088),
            (0.0372, 0.05),
            (0.035, 0.014),
            (0.022, 0.008),
            (0, 0.007),
        ],
        (0, 0, 0),
        sides=96,
        slot=1,
    )
    bend = np.linspace(-1.32, 1.32, 22)
    path = [(0.0385 + 0.030 * np.cos(a) - 0.005, 0.0, 0.049 + 0.030 * np.sin(a)) for a in bend]
    cup.tube(path, [0.0062 + 0.0012 * abs(np.sin(a)) ** 3 for a in bend], 20, 1, (0.62, 0.68, 0.74))
    cup.finish()


def book() -> None:
    """A cloth-bound book lying on its back, 14.5 x 20.5 x 2.8 cm, the spine towards -x."""
    volume = Build("book", "cover", "book cloth", "pages")
    plum = (0.42, 0.16, 0.24)
    w, h, t = 0.145, 0.205, 0.028
    for z, name in ((0.0015, 1), (t - 0.0015, 1)):
        volume.box((w, h, 0.003), (0, 0, z), (0, 0, 0.3), "y", 0.0012, name, tint=plum)
    volume.box((w - 0.008, h - 0.008, t - 0.006), (-0.002, 0, t / 2), (0, 0, 0.3), "y", 0.001, 2)
    arc = np.linspace(-np.pi / 2, np.pi / 2, 12)
    spine = np.stack(
        [
            [(-w / 2 - 0.004 * np.cos(a), y, t / 2 + (t / 2) * np.sin(a)) for a in arc]
            for y in np.linspace(-h / 2, h / 2, 8)
        ]
    )
    volume.surface(spine, slot=1, tint=plum)
    for y in (-0.06, 0.06):
        band = np.stack(
            [
                [(-w / 2 - 0.0048 * np.cos(a), y + dy, t / 2 + (t / 2 + 0.0003) * np.sin(a)) for a in arc]
                for dy in (-0.003, 0.003)
            ]
        )
        volume.surface(band, slot=1, tint=(1.0, 0.72, 0.3))
    top = np.array(
        [
            [(-w / 2 + 0.001, -h / 2 + 0.001, t + 0.0003), (w / 2 - 0.001, -h / 2 + 0.001, t + 0.0003)],
            [(-w / 2 + 0.001, h / 2 - 0.001, t + 0.0003), (w / 2 - 0.001, h / 2 - 0.001, t + 0.0003)],
        ]
    )
    volume.surface(top, np.array([[(0, 0), (1, 0)], [(0, 1), (1, 1)]], float), 0, smooth=False)
    ribbon = np.stack(
        [[(x, -h / 2 - 0.03 * s, t / 2 * (1 - s) + 0.002) for x in (0.02, 0.027)] for s in np.linspace(-0.3, 1, 8)]
    )
    volume.surface(ribbon, slot=1, tint=(0.9, 0.35, 0.2))
    volume.finish()


def toothbrush() -> None:
    """A wooden toothbrush lying on its back along x, 18 cm, bristles up."""
    brush = Build("toothbrush", "pine", "rust", "knit")
    t = np.linspace(0, 1, 40)
    along = -0.09 + 0.18 * t
    half = 0.0062 - 0.0026 * np.exp(-(((t - 0.76) / 0.08) ** 2)) + 0.0006 * np.cos(9 * t)
    half[0] = half[-1] = 0.0005
    half[1] = half[-2] = half[1] * 0.75
    angle = np.linspace(0, 2 * np.pi, 21)
    rise = 0.006 + 0.003 * np.sin(t * 3.1) ** 2
    body = np.stack(
        [
            np.stack([np.full_like(angle, a), h * np.cos(angle), r + 0.62 * h * np.sin(angle)], -1)
            for a, h, r in zip(along, half, rise, strict=True)
        ]
    )
    brush.surface(body, np.stack(np.meshgrid(np.linspace(0, 0.04, 21), along), -1)[..., ::-1])
    for k in range(9):
        for j in (-1, 0, 1):
            x, y = 0.053 + 0.0038 * k, j * 0.0032
            brush.tube(
                [
                    (x, y, 0.0085),
                    (x + brush.random.normal(0, 0.0004), y * 1.12, 0.019 + brush.random.normal(0, 0.0004)),
                ],
                0.0014,
                8,
                1 if k % 4 == 0 else 2,
                (1, 1, 1) if k % 4 == 0 else (2.0, 2.0, 2.2),
            )
    brush.finish()


def light_tent(height: float = 0.0, scale: float = 1.0) -> None:
    """Three soft boxes and a bright world: every side of a prop keeps its colour. `scale` up for an actor."""
    world = bpy.context.scene.world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (1, 0.97, 0.93, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.55
    for at, colour, energy in (
        ((0.7, -0.5, 0.9), (1.0, 0.9, 0.76), 11),
        ((-0.8, -0.3, 0.7), (0.85, 0.92, 1.0), 7),
        ((0.1, 0.9, 0.8), (1.0, 0.97, 0.92), 6),
    ):
        place = (at[0] * scale, at[1] * scale, at[2] * scale + height)
        box = lamp("AREA", f"soft box {energy}", place, colour, energy * scale**2 * 1.25)
        box.data.shape, box.data.size = "SQUARE", 0.6 * scale
        toward(box, (-at[0], -at[1], 0.04 - at[2]))
        box.visible_camera = False
