"""Does every camera stand free? A camera in a cupboard photographs the inside of the cupboard."""

from __future__ import annotations

import numpy as np
from plan import View
from studio import bpy

NEAR = 0.18  # metres that a camera keeps from everything


def _spread(count: int) -> np.ndarray:  # [count, 3]
    """Directions spread evenly over the sphere (Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1)


def crowded(views: list[View]) -> list[str]:
    """What is wrong with where cameras stand, one line each: too near to something, or shut in."""
    scene, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    troubles = []
    for view in views:
        nearest, name = np.inf, ""
        for way in _spread(160):
            hit, place, _, _, thing, _ = scene.ray_cast(graph, view.eye, way.tolist(), distance=2.0)
            away = float(np.linalg.norm(np.subtract(place, view.eye))) if hit else np.inf
            if away < nearest:
                nearest, name = away, thing.name
        ahead, place, _, _, thing, _ = scene.ray_cast(graph, view.eye, np.subtract(view.target, view.eye).tolist())
        clear = float(np.linalg.norm(np.subtract(place, view.eye))) if ahead else np.inf
        if nearest < NEAR:
            troubles.append(f"{view.name} at {view.eye} is {nearest:.2f} m from {name}")
        elif clear < 0.35:
            troubles.append(f"{view.name} at {view.eye} looks at {thing.name} from {clear:.2f} m")
    return troubles
