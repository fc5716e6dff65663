"""An actor: layers of splats on one rig, put into a pose.

Each layer is bound by itself and moved by itself, so that what one layer is changes no bit of another. What a frame
costs is one pass over the splats in the compiled kernels, and the face: only splats on triangles that a blendshape can
move.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.base.rigid import IDENTITY, Similarity
from splatfilm.base.threads import one_torch_thread
from splatfilm.splats import Splats, transformed
from splatfilm.stage import deform
from splatfilm.stage.drape import Drape, drape_of
from splatfilm.stage.face import Borrowed, Playing, Zone, cached_unseen, seeded
from splatfilm.stage.normals import smooth_normals, splat_normals
from splatfilm.stage.rigs.binding import Binding, Moved, ShapeCage, binding_key, cached_binding, shape_cage
from splatfilm.stage.rigs.bones import bone_matrices, dual_quaternions
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.skeleton import Pose, rest_pose
from splatfilm.stage.rigs.surface import Nearest, nearest, normals
from splatfilm.stage.shell import KEPT_IN, kept_in, outside
from splatfilm.stage.unseen import unseen

COVERED_METRES = 0.05  # how far below a garment something may lie and still be hidden by it
_STRAIGHT_BELOW = 0.5  # cosine: what lies beside a garment's hem is not below it


@dataclass(frozen=True, eq=False)
class BoundLayer:
    """A layer's splats in the rig's space, at rest, with what carries them."""

    rest: Splats
    carriers: deform.Carriers
    cage: ShapeCage | None
    drape: Drape | None = None
    zones: tuple[Zone, ...] = ()
    borrowed: Borrowed | None = None  # the light of seeds, where there are any

    def photographed(self, splats: Splats) -> Splats:
        """Of the layer's splats, however they stand, those that were photographed."""
        return splats if self.borrowed is None else splats.only(slice(0, self.borrowed.count))

    def lit(self, gains: Tensor) -> Tensor:  # of those that were photographed -> [N, 3]
        """What the colours of all of the layer's splats are multiplied by in a light."""
        return gains if self.borrowed is None else self.borrowed.lit(gains)

    def only(self, rows: NDArray[np.int64]) -> BoundLayer:  # [M] ascending
        """Some of the splats alone: each where and as it would be among all of them, to the bit."""
        chosen = torch.from_numpy(rows).to(self.rest.device)
        place = np.full(len(self.rest), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        return BoundLayer(
            self.rest.only(chosen),
            deform.Carriers(self.carriers.joints[chosen], self.carriers.weights[chosen]),
            None if self.cage is None else self.cage.only(place),
            None if self.drape is None else self.drape.only(chosen),
            tuple(zone.only(place) for zone in self.zones),
            None if self.borrowed is None else self.borrowed.only(rows),
        )

    def posed(self, rig: Rig, pose: Pose, place: Similarity) -> Splats:
        """The splats in a pose, the rig's space brought into the scene by `place`."""
        with one_torch_thread():
            return self.moved(Carried.by(rig, pose, place))

    def moved(self, carried: Carried) -> Splats:
        """The splats as bones and blendshapes carry them."""
        return self.standing(carried, self.drape)

    def among(self, layer: BoundLayer, whole: Splats, rows: NDArray[np.int64]) -> Splats:
        """What `moved` gives of these rows of a layer, from `whole`, which it has given of that layer, to the bit."""
        taken = torch.from_numpy(rows).to(whole.device)
        parts: dict[str, Any] = {}
        for name in ("means", "quats", "scales", "opacities", "stretches", "turns"):
            value = getattr(whole, name)
            if value is not getattr(layer.rest, name):
                parts[name] = None if value is None else value[taken]
        return dataclasses.replace(self.rest, **parts)

    def standing(self, carried: Carried, drape: Drape | None = None) -> Splats:
        """Where `moved` has the splats, and how turned; not how cloth is stretched."""
        rest, shapes, face = self.rest, None, Playing(self.zones, carried.weights)
        if carried.weights.any() and (self.cage is not None or self.zones):
            means = rest.means.detach().cpu().numpy().copy()
            own = [] if self.cage is None else [self.cage.move(carried.weights, means, deform.MOST_STRETCH)]
            found = Moved.joined([*own, *face.move(means)])
            moved, opacities = torch.from_numpy(means).to(rest.device), face.shaded(rest.opacities)
            rest = dataclasses.replace(rest, means=moved, opacities=opacities)
            if len(found.rows):
                shapes = [torch.from_numpy(part).to(rest.device) for part in (found.rows, found.turns, found.stretches)]
        if carried.scale != 1.0:
            rest = dataclasses.replace(rest, means=rest.means * carried.scale, scales=rest.scales * carried.scale)
        skin = deform.skinned(rest, self.carriers, carried.bones)
        if drape is not None:
            skin = dataclasses.replace(skin, stretches=drape.stretches(carried.bones, carried.scale))
        return skin if shapes is None else deform.reshaped(skin, *shapes)


@dataclass(frozen=True, eq=False)
class Carried:
    """A pose of a rig in its place, as all of its layers are carried by it."""

    bones: Tensor  # [B, 8] dual quaternions
    weights: NDArray[np.float64]  # [S] of the rig's blendshapes
    scale: float

    @staticmethod
    def by(rig: Rig, pose: Pose, place: Similarity) -> Carried:
        """What a pose does, the rig's space brought into the scene by `place`."""
        matrices = bone_matrices(rig.skeleton, rig.inverse_binds, pose).copy()
        matrices[:, :3, 3] *= place.scale
        bones = torch.from_numpy(dual_quaternions(matrices, dataclasses.replace(place, scale=1.0)))
        return Carried(bones, pose.shape_weights(rig.shape_names), place.scale)


def bound_layer(
    rig: Rig, splats: Splats, sha256: str, parts: tuple[str, ...], cache: str | PathLike[str] | None
) -> BoundLayer:
    """Bind splats that stand in the rig's space. `sha256` names them in the cache; raises `ValueError` for parts."""
    means, key = splats.means.detach().cpu().numpy(), binding_key(rig, sha256, parts)
    binding = cached_binding(cache, key, rig, means, parts)
    cage = shape_cage(rig, binding, means)
    if cage is None:
        return BoundLayer(splats, _carriers(binding, splats.device), None, drape_of(rig, binding, splats.device))
    plain = BoundLayer(splats.to("cpu"), _carriers(binding, torch.device("cpu")), cage)

    def shaped(weights: Mapping[str, float]) -> Splats:
        rest = rest_pose(rig.skeleton)
        return plain.posed(rig, Pose(rest.translations, rest.rotations, weights), IDENTITY)

    found = cached_unseen(cache, key, lambda: unseen(rig, parts, shaped))
    face = seeded(rig, splats, binding, found, lambda some: splat_normals(rig, some, parts))
    drape = drape_of(rig, face.binding, splats.device)
    return BoundLayer(face.splats, _carriers(face.binding, splats.device), cage, drape, face.zones, face.borrowed)


def _carriers(binding: Binding, device: torch.device) -> deform.Carriers:
    return deform.Carriers(
        torch.from_numpy(np.ascontiguousarray(binding.joints)).to(device),
        torch.from_numpy(np.ascontiguousarray(binding.weights)).to(device),
    )


def in_rig_space(splats: Splats, place: Similarity) -> Splats:
    """Splats of a file, brought into the rig's space once."""
    return splats if place == IDENTITY else transformed(splats, place)


def covered(
    rig: Rig, means: NDArray[np.float32], parts: tuple[str, ...], own: tuple[str, ...] = ()
) -> NDArray[np.bool_]:  # [N, 3] -> [N]
    """Which splats the mesh's `parts` keep in, so that whoever wears those does not show them.

    Splats of a layer that hangs on the parts `own` are judged by the point that they hang on: they stand in a blur of
    a centimetre or two about it, and some of them outside of what is worn over it. What can be looked at past an edge,
    a cuff in a wider one or the neck in a collar, stays. Without `own` what lies straight below is hidden.
    """
    hidden = np.zeros(len(means), dtype=bool)
    if rig.mesh is None or not parts:
        return hidden
    corners = rig.mesh.vertices[rig.mesh.triangles[parts_named(rig.mesh, parts)]]
    points = means.astype(np.float64)
    if own:
        points = _on(points, rig.mesh.vertices[rig.mesh.triangles[outside(rig, own)]])[0]
        return kept_in(points, smooth_normals(rig, means.astype(np.float64), outside(rig, own)), corners) > KEPT_IN
    low, high = corners.min(axis=(0, 1)) - COVERED_METRES, corners.max(axis=(0, 1)) + COVERED_METRES
    near = np.nonzero(np.all((points > low) & (points < high), axis=1))[0]
    if not len(near):
        return hidden
    at, found = _on(points[near], corners)
    depth = ((at - points[near]) * normals(corners)[found.triangle]).sum(axis=1)
    hidden[near] = (depth > _STRAIGHT_BELOW * found.distance) & (found.distance < COVERED_METRES) & (depth > 0)
    return hidden


def _on(points: NDArray[np.float64], corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], Nearest]:
    """The nearest point on triangles [T, 3, 3] for each of the points."""
    found = nearest(points, corners)
    at: NDArray[np.float64] = (found.barycentric[..., None] * corners[found.triangle]).sum(axis=1)
    return at, found
