"""Shapes and materials for the modelling scripts: boxes, lathes, cloth, and textures mapped in metres.

Everything is measured in metres, Z up. A shape is placed by its centre unless it says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import bmesh
import bpy
import numpy as np
from mathutils import Vector

TEXTURES = Path(__file__).resolve().parent / "painted"
"""Where `textures.paint_all` keeps its pictures."""

Point = tuple[float, float, float]
_materials: dict[str, bpy.types.Material] = {}


def forget_materials() -> None:
    """After the file was emptied, materials must be made anew."""
    _materials.clear()


def painted(
    texture: str, metres: float = 1.0, bump: float = 0.3, rough: float = 0.75, turn: float = 0.0
) -> bpy.types.Material:
    """A material from one painted texture, projected along the axes of the object; one repeat is `metres` wide."""
    key = f"{texture} {metres} {bump} {rough} {turn}"
    if key in _materials:
        return _materials[key]
    material = bpy.data.materials.new(key)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Specular IOR Level"].default_value = 0.25
    where = nodes.new("ShaderNodeTexCoord")
    mapping = nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = (1 / metres,) * 3
    mapping.inputs["Rotation"].default_value = (turn, turn, turn)
    links.new(where.outputs["Object"], mapping.inputs["Vector"])
    colour = _picture(nodes, texture, "sRGB")
    height = _picture(nodes, f"{texture}-height", "Non-Color")
    for node in (colour, height):
        node.projection, node.projection_blend = "BOX", 0.15
        links.new(mapping.outputs["Vector"], node.inputs["Vector"])
    links.new(colour.outputs["Color"], shader.inputs["Base Color"])
    relief = nodes.new("ShaderNodeBump")
    relief.inputs["Strength"].default_value = bump
    relief.inputs["Distance"].default_value = 0.01
    links.new(height.outputs["Color"], relief.inputs["Height"])
    links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    _materials[key] = material
    return material


def glowing(colour: Sequence[float], strength: float) -> bpy.types.Material:
    """A surface that gives light; linear colour."""
    material = bpy.data.materials.new("glow")
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Emission Color"].default_value = (*colour, 1)
    shader.inputs["Emission Strength"].default_value = strength
    return material


def backdrop(texture: str, strength: float) -> bpy.types.Material:
    """A painted backing that lights itself, stretched once over its plane."""
    material = bpy.data.materials.new(f"backdrop {texture}")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes.new("ShaderNodeEmission")
    shader.inputs["Strength"].default_value = strength
    where = nodes.new("ShaderNodeTexCoord")
    picture = _picture(nodes, texture, "sRGB")
    links.new(where.outputs["UV"], picture.inputs["Vector"])
    links.new(picture.outputs["Color"], shader.inputs["Color"])
    links.new(shader.outputs["Emission"], nodes["Material Output"].inputs["Surface"])
    return material


def _picture(nodes: bpy.types.Nodes, name: str, space: str) -> bpy.types.Node:
    node = nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(TEXTURES / f"{name}.png"), check_existing=True)
    node.image.colorspace_settings.name = space
    return node


def box(
    size: Point, centre: Point, material: bpy.types.Material, bevel: float = 0.006, heading: float = 0.0
) -> bpy.types.Object:
    """A box with softened edges, turned by `heading` radians about Z."""
    mesh = bpy.data.meshes.new("box")
    shape = bmesh.new()
    bmesh.ops.create_cube(shape, size=1.0)
    for vertex in shape.verts:
        vertex.co = Vector(a * b for a, b in zip(vertex.co, size, strict=True))
    shape.to_mesh(mesh)
    shape.free()
    thing = _placed(mesh, centre, material)
    thing.rotation_euler[2] = heading
    if bevel:
        edge = thing.modifiers.new("edge", "BEVEL")
        edge.width, edge.segments = min(bevel, 0.4 * min(size)), 2
    return thing


def lathe(
    profile: Sequence[tuple[float, float]], base: Point, material: bpy.types.Material, steps: int = 48
) -> bpy.types.Object:
    """A body turned about Z: `profile` is (radius, height above `base`) from the bottom up."""
    angles = np.linspace(0, 2 * math.pi, steps, endpoint=False)
    points = [(r * math.cos(a), r * math.sin(a), z) for r, z in profile for a in angles]
    faces = [
        (i * steps + j, i * steps + (j + 1) % steps, (i + 1) * steps + (j + 1) % steps, (i + 1) * steps + j)
        for i in range(len(profile) - 1)
        for j in range(steps)
    ]
    mesh = bpy.data.meshes.new("lathe")
    mesh.from_pydata(points, [], faces)
    return _smooth(_placed(mesh, base, material))


def sheet(
    corner: Point, across: Point, along: Point, lift: Callable[[np.ndarray, np.ndarray], np.ndarray],
    material: bpy.types.Material, cells: tuple[int, int] = (80, 80), thick: float = 0.0,
) -> bpy.types.Object:  # fmt: skip
    """Cloth: a parallelogram from `corner` along two edges, lifted along its normal by `lift(u, v)` m, u, v in 0..1."""
    u, v = np.meshgrid(np.linspace(0, 1, cells[0] + 1), np.linspace(0, 1, cells[1] + 1), indexing="ij")
    a, b = np.array(across), np.array(along)
    normal = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    points = u[..., None] * a + v[..., None] * b + lift(u, v)[..., None] * normal
    n, m = cells[0] + 1, cells[1] + 1
    faces = [
        (i * m + j, (i + 1) * m + j, (i + 1) * m + j + 1, i * m + j + 1) for i in range(n - 1) for j in range(m - 1)
    ]
    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], faces)
    uvs = mesh.uv_layers.new(name="UVMap")
    flat_u, flat_v = u.ravel(), v.ravel()
    for loop in mesh.loops:
        uvs.data[loop.index].uv = (flat_u[loop.vertex_index], flat_v[loop.vertex_index])
    thing = _smooth(_placed(mesh, corner, material))
    if thick:
        body = thing.modifiers.new("thickness", "SOLIDIFY")
        body.thickness, body.offset = thick, -1.0
    return thing


def cushion(
    size: Point, centre: Point, material: bpy.types.Material, seed: int, heading: float = 0.0, tilt: float = 0.0
) -> bpy.types.Object:
    """A pillow: a flattened, puffed ball with a seam and a few dents."""
    mesh = bpy.data.meshes.new("cushion")
    shape = bmesh.new()
    bmesh.ops.create_cube(shape, size=2.0)
    bmesh.ops.subdivide_edges(shape, edges=shape.edges[:], cuts=20, use_grid_fill=True)
    dents = ripples(seed, 5)
    for vertex in shape.verts:
        x, y, z = vertex.co
        puff = (1 - x**4) * (1 - y**4)
        dent = 0.08 * float(dents(np.array(x / 2 + 0.5), np.array(y / 2 + 0.5)))
        pinch = 1 - 0.06 * (1 - (x * y) ** 2) * (x * x + y * y) / 2
        vertex.co = Vector(
            (
                x * size[0] / 2 * pinch,
                y * size[1] / 2 * pinch,
                size[2] / 2 * z * (0.12 + 0.88 * puff**0.5 + dent * puff),
            )
        )
    shape.to_mesh(mesh)
    shape.free()
    thing = _smooth(_placed(mesh, centre, material))
    thing.rotation_euler = (0.0, tilt, heading)
    return thing


def tube(points: Sequence[Point], radius: float, material: bpy.types.Material) -> bpy.types.Object:
    """A round bar through points."""
    curve = bpy.data.curves.new("tube", "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution = "3D", radius, 6
    spline = curve.splines.new("NURBS")
    spline.points.add(len(points) - 1)
    for control, point in zip(spline.points, points, strict=True):
        control.co = (*point, 1)
    spline.use_endpoint_u, spline.order_u = True, 3
    thing = bpy.data.objects.new("tube", curve)
    thing.data.materials.append(material)
    bpy.context.collection.objects.link(thing)
    return thing


def ripples(seed: int, count: int = 8, highest: float = 4.0) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A smooth random height field on 0..1 squared, about -1..1."""
    rng = np.random.default_rng(seed)
    waves = rng.uniform(-highest, highest, (count, 2)), rng.uniform(0, 2 * math.pi, count)

    def height(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        total = sum(np.sin(2 * math.pi * (f[0] * u + f[1] * v) + p) for f, p in zip(*waves, strict=True))
        return np.asarray(total) / math.sqrt(count)

    return height


def _placed(mesh: bpy.types.Mesh, at: Point, material: bpy.types.Material) -> bpy.types.Object:
    thing = bpy.data.objects.new(mesh.name, mesh)
    thing.location = at
    thing.data.materials.append(material)
    bpy.context.collection.objects.link(thing)
    return thing


def _smooth(thing: bpy.types.Object) -> bpy.types.Object:
    for face in thing.data.polygons:
        face.use_smooth = True
    return thing
