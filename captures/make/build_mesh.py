"""Building meshes: boxes with soft edges, swept and turned surfaces, many parts gathered into one object.

Every part carries its own UVs in metres, so a texture keeps its size on everything, and a tint that multiplies it,
so no two boards or tiles are alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from studio import bpy

Vector = Sequence[float]
White = (1.0, 1.0, 1.0)
AXES = {"x": 0, "y": 1, "z": 2}


def euler(degrees: Vector) -> NDArray[np.float64]:  # [3, 3]
    """Rotation about the fixed axes x, then y, then z."""
    a, b, c = np.radians(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx


def _box_template(size: NDArray[np.float64], bevel: float) -> tuple[NDArray[np.float64], list[list[int]], list[bool]]:
    """A box with rounded edges about the origin: vertices, faces, and which faces are edges."""
    import bmesh

    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1.0)
    bmesh.ops.scale(bm, vec=list(size), verts=bm.verts)
    edges: set[int] = set()
    if bevel > 0:
        width = min(bevel, 0.3 * float(size.min()))
        made = bmesh.ops.bevel(bm, geom=list(bm.edges), offset=width, segments=2, profile=0.5, affect="EDGES")
        bm.faces.index_update()
        edges = {face.index for face in made["faces"]}
    bm.verts.index_update()
    vertices = np.array([v.co[:] for v in bm.verts])
    faces = [[v.index for v in f.verts] for f in bm.faces]
    soft = [f.index in edges for f in bm.faces]
    bm.free()
    return vertices, faces, soft


class Build:
    """One object in the making: parts are added, then `finish` hands it to the scene."""

    def __init__(self, name: str, *materials: str, seed: int = 0) -> None:
        self.name, self.materials = name, materials
        self.random = np.random.default_rng([seed, *name.encode()])
        self.vertices: list[NDArray[np.float64]] = []
        self.faces: list[list[int]] = []
        self.uvs: list[NDArray[np.float64]] = []
        self.slots: list[int] = []
        self.tints: list[Vector] = []
        self.smooth: list[bool] = []
        self.count = 0

    def _add(self, vertices: NDArray[np.float64]) -> int:
        start = self.count
        self.vertices.append(vertices)
        self.count += len(vertices)
        return start

    def _face(self, face: list[int], uv: NDArray[np.float64], slot: int, tint: Vector, smooth: bool) -> None:
        self.faces.append(face)
        self.uvs.append(uv)
        self.slots.append(slot)
        self.tints.append(tint)
        self.smooth.append(smooth)

    def vary(self, amount: float) -> Vector:
        """A random tint: lighter or darker by about `amount`, a touch warmer or cooler."""
        value = 1 + self.random.normal(0, amount)
        warm = self.random.normal(0, amount * 0.3)
        return (value * (1 + warm), value, value * (1 - warm))

    def box(
        self,
        size: Vector,
        at: Vector,
        turn: Vector = (0, 0, 0),
        grain: str = "x",
        bevel: float = 0.004,
        slot: int = 0,
        edge: int | None = None,
        tint: Vector = White,
    ) -> Build:
        """A box of `size` with its centre `at`; `grain` is the axis of the box along which U runs."""
        vertices, faces, soft = _box_template(np.array(size, float), bevel)
        g = AXES[grain]
        offset = self.random.uniform(0, 7, 2)
        start = self._add(vertices @ euler(turn).T + np.array(at, float))
        for face, is_edge in zip(faces, soft, strict=True):
            corners = vertices[face]
            normal = np.abs(np.cross(corners[1] - corners[0], corners[2] - corners[0]))
            n = int(normal.argmax())
            u, v = (g, 3 - g - n) if n != g else ((g + 1) % 3, (g + 2) % 3)
            uv = corners[:, [u, v]] + offset
            self._face([start + i for i in face], uv, slot if edge is None or not is_edge else edge, tint, is_edge)
        return self

    def surface(
        self,
        points: NDArray[np.float64],  # [rows, columns, 3]
        uv: NDArray[np.float64] | None = None,  # [rows, columns, 2]
        slot: int = 0,
        tint: Vector = White,
        smooth: bool = True,
    ) -> Build:
        """A sheet through a grid of points; without `uv` lengths along the rows and columns are used (metres)."""
        rows, columns = points.shape[:2]
        if uv is None:
            du = np.linalg.norm(np.diff(points, axis=1), axis=-1).mean(0)
            dv = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(1)
            u, v = np.concatenate([[0], np.cumsum(du)]), np.concatenate([[0], np.cumsum(dv)])
            uv = np.stack(np.meshgrid(u, v), -1)
        start = self._add(points.reshape(-1, 3))
        for i in range(rows - 1):
            for j in range(columns - 1):
                corner = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
                face = [start + a * columns + b for a, b in corner]
                self._face(face, np.array([uv[a, b] for a, b in corner]), slot, tint, smooth)
        return self

    def turned(
        self,
        profile: Sequence[Vector],
        at: Vector,
        turn: Vector = (0, 0, 0),
        sides: int = 40,
        slot: int = 0,
        tint: Vector = White,
        stretch: Vector = (1, 1),
        wrap: float | None = None,
    ) -> Build:
        """A turned part: `profile` of (radius, height) upwards, about z; `wrap`: U runs 0..wrap once around."""
        profile_array = np.array(profile, float)
        angle = np.linspace(0, 2 * np.pi, sides + 1)
        r, z = profile_array[:, :1], profile_array[:, 1:]
        points = np.stack([r * np.cos(angle) * stretch[0], r * np.sin(angle) * stretch[1], z + 0 * angle], -1)
        around = wrap if wrap is not None else 2 * np.pi * float(r.max())
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(profile_array, axis=0).T))])
        u, v = np.meshgrid(np.linspace(0, around, sides + 1), along)
        return self.surface(points @ euler(turn).T + np.array(at, float), np.stack([u, v], -1), slot, tint)

    def tube(
        self,
        path: Sequence[Vector],
        radius: float | Sequence[float],
        sides: int = 10,
        slot: int = 0,
        tint: Vector = White,
    ) -> Build:
        """A round rod along a path of points, closed at both ends."""
        p = np.array(path, float)
        tangent = np.gradient(p, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
        side = np.cross(tangent[0], [0, 0, 1.0])
        if np.linalg.norm(side) < 1e-3:
            side = np.cross(tangent[0], [1.0, 0, 0])
        radii = np.broadcast_to(np.asarray(radius, float), len(p))
        rings = []
        angle = np.linspace(0, 2 * np.pi, sides + 1)[:, None]
        for k in range(len(p)):
            side = side - tangent[k] * (side @ tangent[k])
            side /= np.linalg.norm(side)
            up = np.cross(tangent[k], side)
            rings.append(p[k] + radii[k] * (np.cos(angle) * side + np.sin(angle) * up))
        cap = [np.broadcast_to(p[0], rings[0].shape), *rings, np.broadcast_to(p[-1], rings[0].shape)]
        return self.surface(np.stack(cap), None, slot, tint)

    def finish(self) -> bpy.types.Object:
        """Make the object and link it into the scene."""
        mesh = bpy.data.meshes.new(self.name)
        mesh.from_pydata(np.concatenate(self.vertices).tolist(), [], self.faces)
        mesh.uv_layers.new(name="metres").data.foreach_set("uv", np.concatenate(self.uvs).astype(np.float32).ravel())
        corners = np.repeat(np.array(self.tints), [len(f) for f in self.faces], axis=0)
        tint = mesh.color_attributes.new("tint", "FLOAT_COLOR", "CORNER")
        tint.data.foreach_set("color", np.hstack([corners, np.ones((len(corners), 1))]).astype(np.float32).ravel())
        mesh.polygons.foreach_set("material_index", self.slots)
        mesh.polygons.foreach_set("use_smooth", self.smooth)
        for name in self.materials:
            mesh.materials.append(bpy.data.materials[name])
        mesh.update()
        thing = bpy.data.objects.new(self.name, mesh)
        bpy.context.scene.collection.objects.link(thing)
        return thing
