"""Cloth that falls by itself: the quilt is dropped on the bed and keeps the folds it lands in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from studio import bpy


def fall(
    points: NDArray[np.float64], rest: NDArray[np.float64], obstacles: list[bpy.types.Object], frames: int = 45
) -> NDArray[np.float64]:
    """Where a sheet comes to rest.

    `points` [rows, columns, 3] is where it starts, `rest` the same sheet lying unstretched; `obstacles` stop it.
    """
    rows, columns = points.shape[:2]
    quads = [
        [i * columns + j, i * columns + j + 1, (i + 1) * columns + j + 1, (i + 1) * columns + j]
        for i in range(rows - 1)
        for j in range(columns - 1)
    ]
    mesh = bpy.data.meshes.new("falling")
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], quads)
    sheet = bpy.data.objects.new("falling", mesh)
    bpy.context.scene.collection.objects.link(sheet)
    sheet.shape_key_add(name="start", from_mix=False)
    key = sheet.shape_key_add(name="rest", from_mix=False)
    key.data.foreach_set("co", rest.astype(np.float32).ravel())
    for obstacle in obstacles:
        collision = obstacle.modifiers.new("collision", "COLLISION")
        collision.settings.thickness_outer = 0.012
        collision.settings.cloth_friction = 40
    cloth = sheet.modifiers.new("cloth", "CLOTH")
    s = cloth.settings
    s.quality, s.mass, s.air_damping = 5, 0.5, 3.0
    s.tension_stiffness = s.compression_stiffness = 12
    s.bending_stiffness, s.shear_stiffness = 0.9, 6
    s.rest_shape_key = key
    cloth.collision_settings.distance_min = 0.012
    cloth.collision_settings.use_self_collision = True
    cloth.collision_settings.self_distance_min = 0.014
    scene = bpy.context.scene
    cloth.point_cache.frame_start, cloth.point_cache.frame_end = 1, frames
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
    landed = sheet.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    result = np.empty(rows * columns * 3, np.float32)
    landed.vertices.foreach_get("co", result)
    scene.frame_set(1)
    bpy.data.objects.remove(sheet)
    for obstacle in obstacles:
        obstacle.modifiers.clear()
    return result.reshape(rows, columns, 3).astype(float)


def smoother(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sheet at twice the resolution, its new points on smooth curves between the old (Catmull-Rom)."""

    def along(p: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
        middle = (-padded[:-3] + 9 * padded[1:-2] + 9 * padded[2:-1] - padded[3:]) / 16
        result = np.empty((2 * len(p) - 1, *p.shape[1:]))
        result[::2], result[1::2] = p, middle
        return result

    return along(along(points).swapaxes(0, 1)).swapaxes(0, 1)


def calmed(points: NDArray[np.float64], rounds: int) -> NDArray[np.float64]:
    """The sheet with its finest crumples smoothed away, its edges left where they are."""
    p = points.copy()
    for _ in range(rounds):
        around = (p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]) / 4
        p[1:-1, 1:-1] = 0.5 * p[1:-1, 1:-1] + 0.5 * around
    return p
