"""Morning: a low warm sun through the window, the sky's soft light around it, and practicals left on from the night."""

from __future__ import annotations

import numpy as np
from studio import bpy

SUN_TRAVELS = (-0.52, -0.74, -0.47)


def lamp(
    kind: str, name: str, at: tuple[float, float, float], colour: tuple[float, float, float], energy: float
) -> bpy.types.Object:
    """A new lamp in the scene; watts."""
    data = bpy.data.lights.new(name, kind)
    data.color, data.energy = colour, energy
    thing = bpy.data.objects.new(name, data)
    thing.location = at
    bpy.context.scene.collection.objects.link(thing)
    return thing


def toward(thing: bpy.types.Object, direction: tuple[float, float, float]) -> None:
    """Point a lamp."""
    from mathutils import Vector

    thing.rotation_euler = Vector(direction).to_track_quat("-Z", "Y").to_euler()


def light_flat() -> None:
    """The flat's light. Exposed so that the window holds its sky and the corners keep their colour."""
    world = bpy.context.scene.world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.75, 0.82, 0.95, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.25
    world.cycles.sampling_method = "NONE"
    sun = lamp("SUN", "sun", (0, 0, 5), (1.0, 0.80, 0.55), 7.2)
    sun.data.angle = np.radians(1.6)
    toward(sun, SUN_TRAVELS)
    window = lamp("AREA", "window light", (2.6, 4.02, 1.55), (0.84, 0.92, 1.0), 150)
    window.data.shape, window.data.size, window.data.size_y = "RECTANGLE", 1.38, 1.38
    toward(window, (0, -1, -0.12))
    bath = lamp("AREA", "leaded light", (5.8, 3.84, 1.78), (1.0, 0.95, 0.86), 42)
    bath.data.shape, bath.data.size, bath.data.size_y = "RECTANGLE", 0.68, 0.82
    toward(bath, (0, -1, -0.2))
    for name, at, energy, size in (
        ("bedside", (0.20, 2.95, 0.94), 9, 0.05),
        ("pendant", (2.62, 1.75, 2.16), 20, 0.08),
        ("globe south", (6.80, 1.02, 1.775), 7, 0.07),
        ("globe north", (6.80, 2.18, 1.775), 7, 0.07),
    ):
        bulb = lamp("POINT", name, at, (1.0, 0.72, 0.42), energy)
        bulb.data.shadow_soft_size = size
    fill = lamp("AREA", "bounce", (2.3, 1.9, 2.45), (1.0, 0.93, 0.82), 64)
    fill.data.shape, fill.data.size, fill.data.size_y = "RECTANGLE", 3.4, 2.8
    fill2 = lamp("AREA", "bathroom bounce", (5.85, 2.2, 2.35), (1.0, 0.93, 0.84), 34)
    fill2.data.shape, fill2.data.size, fill2.data.size_y = "RECTANGLE", 1.5, 2.0
    for thing in bpy.data.objects:
        if thing.type == "LIGHT":
            thing.visible_camera = False
