"""A rig out of a glTF file: skin, meshes, blendshapes; and its animations as the file samples them.

glTF is Y up; here everything is turned to Z up, (x, y, z) -> (x, -z, y), joints' own axes included, so that a pose in
one space is the same pose in the other. A file's nodes above the skeleton are folded into its topmost joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.stage.rigs.bones import quaternions_from_matrices
from splatfilm.stage.rigs.glb import Gltf, read_gltf
from splatfilm.stage.rigs.rig import ProxyMesh, Rig, Shape, best_weights
from splatfilm.stage.rigs.skeleton import ROOT, Array, Joint, Skeleton, ordered, rest_pose, world_transforms

TURN_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""Y up to Z up."""
_TINY = 1e-9  # metres: a blendshape's offset below it is none
_BIND_DEGREES, _BIND_METRES = 1.0, 0.005  # how far rest and bind pose may differ before it is said

Path_ = Literal["translation", "rotation", "scale", "weights"]


@dataclass(frozen=True, eq=False)
class RawChannel:
    """One animated property as the file samples it, turned to Z up.

    `values` [K, n] hold vectors [3], quaternions wxyz [4] or one weight for each shape; with CUBICSPLINE [K, 3, n]:
    tangent in, value, tangent out, tangents per second. `node` is a joint's name; for weights the mesh node's name.
    """

    node: str
    path: Path_
    interpolation: Literal["STEP", "LINEAR", "CUBICSPLINE"]
    times: Array  # [K] seconds
    values: Array


@dataclass(frozen=True, eq=False)
class RawAnimation:
    """An animation of a glTF file. `shapes` maps mesh nodes to the names of the shapes that their weights drive."""

    name: str
    channels: tuple[RawChannel, ...]
    shapes: Mapping[str, tuple[str, ...]]


def z_up(vectors: ArrayLike) -> Array:  # [..., 3] -> [..., 3]
    """Vectors (or the vector parts of quaternions) from Y up to Z up."""
    v = np.asarray(vectors, dtype=np.float64)
    return np.stack([v[..., 0], -v[..., 2], v[..., 1]], axis=-1)


def z_up_rotations(xyzw: ArrayLike) -> Array:  # [..., 4] xyzw -> [..., 4] wxyz
    """glTF's quaternions as ours: order, and the basis they turn."""
    q = np.asarray(xyzw, dtype=np.float64)
    return np.concatenate([q[..., 3:], z_up(q[..., :3])], axis=-1)


def read_rig(path: str | PathLike[str]) -> Rig:
    """The first skin of a glTF file, all meshes that it carries, and the names of the file's animations.

    Raises `InputError` for a file that is damaged, has no skin, or whose joints are unknown or their own ancestors.
    """
    file = read_gltf(path)
    skins = file.items("skins")
    if not skins:
        file.refuse("skins", "has no skin: export the mesh together with its armature")
    nodes = _Nodes(file)
    skeleton, at = _skeleton(file, nodes, skins[0])
    joints = list(skins[0]["joints"])
    world = world_transforms(skeleton, rest_pose(skeleton))
    slots = np.array([at[joint] for joint in joints], dtype=np.int64)
    binds, frame = _inverse_binds(file, skins[0], slots, world)
    notes: list[str] = _bind_notes(skeleton, world, binds)
    mesh = _mesh(file, nodes, slots, frame, notes)
    if len(skins) > 1:
        notes.append(f"the file has {len(skins)} skins; the first is used")
    names = tuple(_animation_name(a, i) for i, a in enumerate(file.items("animations")))
    return Rig(skeleton, binds, mesh, names, tuple(notes))


def read_animations(path: str | PathLike[str]) -> tuple[RawAnimation, ...]:
    """Every animation of a glTF file as it is sampled there. Raises `InputError` for a file that is damaged."""
    file = read_gltf(path)
    nodes = _Nodes(file)
    return tuple(_animation(file, nodes, i, animation) for i, animation in enumerate(file.items("animations")))


class _Nodes:
    """The file's nodes: names that are unique, parents, local transforms."""

    def __init__(self, file: Gltf) -> None:
        self.file, self.values = file, file.items("nodes")
        seen: dict[str, int] = {}
        self.names: list[str] = []
        for i, node in enumerate(self.values):
            name = str(node.get("name") or f"node{i}")
            seen[name] = seen.get(name, 0) + 1
            self.names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
        self.parents: list[int | None] = [None] * len(self.values)
        for i, node in enumerate(self.values):
            for child in node.get("children", []):
                file.item("nodes", child, f"nodes[{i}].children")
                self.parents[child] = i

    def joint(self, index: int, parent: int) -> Joint:
        """A node as a joint, turned to Z up."""
        node, place = self.values[index], f"nodes[{index}]"
        if "matrix" in node:
            m = np.asarray(node["matrix"], dtype=np.float64).reshape(4, 4).T
            m = TURN_UP @ m @ TURN_UP.T
            sizes = np.linalg.norm(m[:3, :3], axis=0)
            if not np.all(sizes > 1e-12):
                self.file.refuse(f"{place}.matrix", "flattens space: a joint needs a matrix that can be undone")
            rotation = quaternions_from_matrices(m[None, :3, :3] / sizes)[0]
            return Joint(self.names[index], parent, _three(m[:3, 3]), _four(rotation), _three(sizes))
        t = self._numbers(node, place, "translation", [0, 0, 0])
        q = np.array(self._numbers(node, place, "rotation", [0, 0, 0, 1]))
        s = self._numbers(node, place, "scale", [1, 1, 1])
        if np.linalg.norm(q) < 1e-6:
            self.file.refuse(f"{place}.rotation", "is a zero quaternion")
        if not np.all(np.abs(s) > 1e-12):
            self.file.refuse(f"{place}.scale", "holds a 0: a joint's scale must not flatten space")
        rotation = z_up_rotations(q / np.linalg.norm(q))
        return Joint(self.names[index], parent, _three(z_up(t)), _four(rotation), (s[0], s[2], s[1]))

    def _numbers(self, node: Any, place: str, key: str, default: list[float]) -> list[float]:
        found = node.get(key, default)
        good = isinstance(found, list) and len(found) == len(default)
        if not good or not all(isinstance(n, int | float) and np.isfinite(n) for n in found):
            self.file.refuse(f"{place}.{key}", f"expected {len(default)} finite numbers, found {found!r}")
        return [float(n) for n in found]

    def matrix(self, index: int) -> Array:
        """A node's local transform, Z up."""
        joint = self.joint(index, ROOT)
        one = Skeleton((joint,))
        result: Array = world_transforms(one, rest_pose(one))[0]
        return result


def _skeleton(file: Gltf, nodes: _Nodes, skin: Any) -> tuple[Skeleton, dict[int, int]]:
    """The skin's joints and the nodes between and above them, parents first; and node -> joint."""
    listed = skin.get("joints")
    if not isinstance(listed, list) or not listed:
        file.refuse("skins[0].joints", "expected at least one joint")
    for joint in listed:
        file.item("nodes", joint, "skins[0].joints")
    if len(set(listed)) != len(listed):
        file.refuse("skins[0].joints", "names a joint twice")
    wanted = _with_ancestors(file, nodes, listed)
    rank = {node: i for i, node in enumerate(wanted)}
    pairs = [
        (nodes.names[node], rank.get(parent) if (parent := nodes.parents[node]) is not None else None)
        for node in wanted
    ]
    order = ordered(pairs)
    at: dict[int, int] = {}
    joints = []
    for number, i in enumerate(order):
        node = wanted[i]
        above = nodes.parents[node]
        joints.append(nodes.joint(node, at.get(above, ROOT) if above is not None else ROOT))
        at[node] = number
    return Skeleton(tuple(joints)), at


def _with_ancestors(file: Gltf, nodes: _Nodes, listed: list[int]) -> list[int]:
    """The joints, the nodes between them, and the nodes above them that do not stand still at the origin."""
    moved = {c.get("target", {}).get("node") for a in file.items("animations") for c in a.get("channels", [])}
    keep, known = list(listed), set(listed)
    for joint in listed:
        chain: list[int] = []
        seen = {joint}
        above = nodes.parents[joint]
        while above is not None and above not in known:
            if above in seen:
                cycle = " -> ".join(nodes.names[n] for n in [*chain, above])
                file.refuse("nodes", f"joints are their own ancestors: {nodes.names[joint]} -> {cycle}")
            seen.add(above)
            chain.append(above)
            above = nodes.parents[above]
        if above is None:  # reached the top: only what moves or is moved matters
            while chain and chain[-1] not in moved and np.allclose(nodes.matrix(chain[-1]), np.eye(4), atol=1e-9):
                chain.pop()
        keep += chain
        known.update(chain)
    _refuse_cycles(file, nodes, keep)
    return keep


def _refuse_cycles(file: Gltf, nodes: _Nodes, listed: list[int]) -> None:
    for start in listed:
        chain, at = [start], nodes.parents[start]
        while at is not None:
            if at in chain:
                cycle = " -> ".join(nodes.names[n] for n in [*chain[chain.index(at) :], at])
                file.refuse("nodes", f"joints are their own ancestors: {cycle}")
            chain.append(at)
            at = nodes.parents[at]


def _inverse_binds(file: Gltf, skin: Any, slots: NDArray[np.int64], world: Array) -> tuple[Array, Array]:
    """Every joint's inverse bind in the rig's space, and the matrix from mesh space to it.

    Mesh space is the rig's but for the transform that exporters leave above a skeleton (a scale of 0.01, a quarter
    turn): what the first joint does to the mesh at rest. Joints that the skin does not list are bound as they rest.
    """
    binds = np.array(np.linalg.inv(world), dtype=np.float64)
    if "inverseBindMatrices" not in skin:
        return binds, np.eye(4)
    given = file.array(skin["inverseBindMatrices"], "skins[0].inverseBindMatrices", "MAT4")
    if len(given) < len(slots):
        file.refuse("skins[0].inverseBindMatrices", f"has {len(given)} matrices for {len(slots)} joints")
    matrices = TURN_UP @ given[: len(slots)].reshape(-1, 4, 4).transpose(0, 2, 1) @ TURN_UP.T
    if np.any(np.abs(np.linalg.det(matrices)) < 1e-18):
        file.refuse("skins[0].inverseBindMatrices", "holds a matrix that cannot be undone")
    top = int(np.argmin(slots))
    frame: Array = world[slots[top]] @ matrices[top]
    binds[slots] = matrices @ np.linalg.inv(frame)
    return binds, frame


def _bind_notes(skeleton: Skeleton, world: Array, binds: Array) -> list[str]:
    """Where the nodes' rest pose is not the pose that the mesh was bound in."""
    moved = world @ binds
    linear = moved[:, :3, :3] / np.cbrt(np.abs(np.linalg.det(moved[:, :3, :3])))[:, None, None]
    angles = np.degrees(np.arccos(np.clip((np.trace(linear, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    at = np.linalg.inv(binds)[:, :3, 3]
    shifts = np.linalg.norm(world[:, :3, 3] - at, axis=1)
    off = (angles > _BIND_DEGREES) | (shifts > _BIND_METRES)
    if not off.any():
        return []
    worst = int(np.argmax(np.where(off, angles + 100 * shifts, -1)))
    return [
        f"{int(off.sum())} of {len(off)} joints do not rest in the pose that the mesh is bound in (most: "
        f'"{skeleton.names[worst]}", {angles[worst]:.1f} degrees and {1000 * shifts[worst]:.0f} mm); splats are bound '
        "in the bind pose, so the actor must have been captured in it"
    ]


def _mesh(file: Gltf, nodes: _Nodes, slots: NDArray[np.int64], frame: Array, notes: list[str]) -> ProxyMesh | None:
    """Every mesh that the first skin carries, put together."""
    pieces: list[_Piece] = []
    for i, node in enumerate(nodes.values):
        if "mesh" in node and node.get("skin") == 0:
            pieces += _pieces(file, nodes.names[i], node["mesh"], len(slots))
    if not pieces:
        return None
    base, vertices, lost = 0, [], 0
    triangles, joints, weights, part = [], [], [], []
    parts = tuple(dict.fromkeys(piece.part for piece in pieces))
    shapes: dict[str, list[tuple[NDArray[np.int64], Array]]] = {}
    for piece in pieces:
        kept, share, less = best_weights(piece.joints, piece.weights)
        lost += less
        joints.append(slots[kept].astype(np.int32))
        weights.append(share)
        vertices.append(piece.vertices @ frame[:3, :3].T + frame[:3, 3])
        triangles.append(piece.triangles + base)
        part.append(np.full(len(piece.triangles), parts.index(piece.part), dtype=np.int32))
        for name, offsets in piece.shapes.items():
            moved = offsets @ frame[:3, :3].T
            rows = np.nonzero(np.abs(moved).max(axis=1) > _TINY)[0]
            shapes.setdefault(name, []).append((rows + base, moved[rows]))
        base += len(piece.vertices)
    if lost:
        notes.append(f"{lost} vertices hang on more than four joints; the four heaviest are kept")
    found = tuple(
        Shape(name, np.concatenate([r for r, _ in rows]).astype(np.int32), np.concatenate([o for _, o in rows]))
        for name, rows in shapes.items()
    )
    return ProxyMesh(
        np.concatenate(vertices),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(joints),
        np.concatenate(weights),
        parts,
        np.concatenate(part),
        found,
    )


@dataclass(frozen=True, eq=False)
class _Piece:
    """One primitive of a mesh, in mesh space, Z up."""

    part: str
    vertices: Array  # [V, 3]
    triangles: NDArray[np.int64]  # [T, 3]
    joints: NDArray[np.int64]  # [V, 4 or 8] into the skin's list
    weights: Array  # [V, 4 or 8]
    shapes: Mapping[str, Array]  # name -> [V, 3]


def _pieces(file: Gltf, part: str, index: Any, joint_count: int) -> list[_Piece]:
    mesh = file.item("meshes", index, "nodes.mesh")
    result = []
    for p, primitive in enumerate(mesh.get("primitives", [])):
        place = f"meshes[{index}].primitives[{p}]"
        names = primitive.get("attributes", {})
        if primitive.get("mode", 4) != 4 or "POSITION" not in names or "JOINTS_0" not in names:
            continue
        vertices = z_up(file.array(names["POSITION"], place, "VEC3"))
        sets = [k for k in range(8) if f"JOINTS_{k}" in names and f"WEIGHTS_{k}" in names]
        joints = np.concatenate([file.array(names[f"JOINTS_{k}"], place, "VEC4") for k in sets], axis=1)
        weights = np.concatenate([file.array(names[f"WEIGHTS_{k}"], place, "VEC4") for k in sets], axis=1)
        if joints.shape != weights.shape or len(joints) != len(vertices):
            file.refuse(place, "has joints, weights and positions of different lengths")
        if joints[weights > 0].max(initial=0) >= joint_count:
            file.refuse(
                f"{place}.attributes.JOINTS_0", f"names joint {int(joints.max())} of {joint_count}: unknown joint"
            )
        joints = np.where(weights > 0, joints, 0).astype(np.int64)
        if "indices" in primitive:
            corners = file.array(primitive["indices"], place, "SCALAR")
        else:
            corners = np.arange(len(vertices))
        if corners.max(initial=0) >= len(vertices) or len(corners) % 3:
            file.refuse(f"{place}.indices", "does not make whole triangles of the vertices that are there")
        shapes = _targets(file, mesh, primitive, place, len(vertices))
        result.append(_Piece(part, vertices, corners.reshape(-1, 3), joints, weights.astype(np.float64), shapes))
    return result


def _target_names(mesh: Any, count: int) -> list[str]:
    names = (mesh.get("extras") or {}).get("targetNames", [])
    return [str(names[k]) if k < len(names) else f"shape{k}" for k in range(count)]


def _targets(file: Gltf, mesh: Any, primitive: Any, place: str, count: int) -> dict[str, Array]:
    targets = primitive.get("targets", [])
    result: dict[str, Array] = {}
    for name, target in zip(_target_names(mesh, len(targets)), targets, strict=True):
        if "POSITION" in target:
            offsets = z_up(file.array(target["POSITION"], f"{place}.targets", "VEC3"))
            if len(offsets) != count:
                file.refuse(f"{place}.targets", f'"{name}" moves {len(offsets)} vertices of {count}')
            result[name] = offsets
    return result


def _animation_name(animation: Any, index: int) -> str:
    return str(animation.get("name") or f"animation{index}")


def _animation(file: Gltf, nodes: _Nodes, index: int, animation: Any) -> RawAnimation:
    place = f"animations[{index}]"
    samplers = animation.get("samplers", [])
    channels: list[RawChannel] = []
    shapes: dict[str, tuple[str, ...]] = {}
    for c, channel in enumerate(animation.get("channels", [])):
        here = f"{place}.channels[{c}]"
        target, number = channel.get("target", {}), channel.get("sampler")
        node, path = target.get("node"), target.get("path")
        if node is None or path not in ("translation", "rotation", "scale", "weights"):
            continue
        file.item("nodes", node, here)
        if not isinstance(number, int) or not 0 <= number < len(samplers):
            file.refuse(here, f"refers to samplers[{number!r}] of {len(samplers)}")
        if path == "weights":
            mesh = file.item("meshes", nodes.values[node].get("mesh"), here)
            primitives = mesh.get("primitives") or [{}]
            shapes[nodes.names[node]] = tuple(_target_names(mesh, len(primitives[0].get("targets", []))))
        width = len(shapes[nodes.names[node]]) if path == "weights" else 4 if path == "rotation" else 3
        channels.append(_channel(file, samplers[number], nodes.names[node], path, here, width))
    return RawAnimation(_animation_name(animation, index), tuple(channels), shapes)


def _channel(file: Gltf, sampler: Any, node: str, path: Path_, place: str, width: int) -> RawChannel:
    how = sampler.get("interpolation", "LINEAR")
    if how not in ("STEP", "LINEAR", "CUBICSPLINE"):
        file.refuse(place, f"has the interpolation {how!r}, expected STEP, LINEAR or CUBICSPLINE")
    times = file.array(sampler.get("input"), place, "SCALAR").astype(np.float64)
    values = file.array(sampler.get("output"), place).astype(np.float64)
    triple = 3 if how == "CUBICSPLINE" else 1
    if np.any(np.diff(times) <= 0):
        file.refuse(place, "has times that do not rise")
    if values.size != len(times) * triple * width or width == 0:
        file.refuse(place, f"has {values.size} values, expected {len(times)} x {triple * width}")
    shaped = values.reshape((len(times), 3, width) if triple == 3 else (len(times), width))
    if path == "translation":
        shaped = z_up(shaped)
    elif path == "rotation":
        shaped = z_up_rotations(shaped)
    elif path == "scale":
        shaped = shaped[..., (0, 2, 1)]
    return RawChannel(node, path, how, times, shaped)


def _three(values: ArrayLike) -> tuple[float, float, float]:
    x, y, z = np.asarray(values, dtype=np.float64).tolist()
    return x, y, z


def _four(values: ArrayLike) -> tuple[float, float, float, float]:
    w, x, y, z = np.asarray(values, dtype=np.float64).tolist()
    return w, x, y, z
