"""The props: a mug and a book, each modelled at the origin, standing on z = 0."""

from __future__ import annotations

import math

import bpy
from shapes import box, lathe, painted, tube


def mug() -> None:
    """A stoneware mug, 9.5 cm high, handle along +x."""
    clay = painted("pottery", 0.16, 0.25, 0.45)
    lathe(
        [
            (0, 0.003), (0.034, 0), (0.039, 0.006), (0.042, 0.05), (0.043, 0.092), (0.041, 0.095), (0.038, 0.09),
            (0.036, 0.02), (0, 0.012),
        ],
        (0, 0, 0), clay, 72,
    )  # fmt: skip
    tube(
        [
            (0.038, 0, 0.078),
            (0.06, 0, 0.084),
            (0.078, 0, 0.065),
            (0.074, 0, 0.035),
            (0.055, 0, 0.02),
            (0.038, 0, 0.026),
        ],
        0.0065,
        clay,
    )
    lathe([(0, 0.075), (0.0372, 0.075)], (0, 0, 0), painted("walnut", 0.1, 0.05, 0.3))


def book() -> None:
    """A cloth-bound book lying flat, 21 x 14 x 2.8 cm, its spine along -x."""
    box((0.136, 0.204, 0.022), (0.003, 0, 0.014), painted("pages", 0.05, 0.3, 0.9), 0.001)
    cloth = painted("cover", 0.22, 0.3, 0.9)
    for z in (0.0015, 0.0265):
        box((0.145, 0.212, 0.003), (0.002, 0, z), cloth, 0.0012)
    spine = box((0.003, 0.212, 0.028), (-0.0705, 0, 0.014), cloth, 0.0012)
    spine.rotation_euler = (0, 0, 0)


def studio_light() -> None:
    """A light tent: soft light from three sides and above."""
    for angle, watts in ((0.6, 1.6), (2.8, 0.9), (4.7, 1.2)):
        data = bpy.data.lights.new("soft", "AREA")
        data.size, data.energy = 0.6, watts
        thing = bpy.data.objects.new("soft", data)
        thing.location = (0.8 * math.cos(angle), 0.8 * math.sin(angle), 0.7)
        thing.rotation_euler = (math.radians(48), 0, angle + math.pi / 2)
        bpy.context.collection.objects.link(thing)
    world = bpy.data.worlds.new("tent")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 0.97, 0.93, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.55
    bpy.context.scene.world = world
