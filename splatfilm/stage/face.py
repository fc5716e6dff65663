"""The parts of a face that no photograph shows, in motion: how seeds appear, and what is before them goes.

`unseen` finds, once, what a layer lacks. Each blendshape of it has seeds, which lie on the mesh as it is at the shape's
full weight and are carried by their triangles from there. How far such a part is open or closed is linear in the
weights of all shapes: by how much they move its triangles as its own shape does. Nothing jumps, and a face at rest
keeps its bits.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_value
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.splats.posed import quaternions, rotation_matrices
from splatfilm.stage.neighbours import neighbours
from splatfilm.stage.rigs.binding import Binding, Moved, ShapeCage, frames
from splatfilm.stage.rigs.rig import Rig, best_weights
from splatfilm.stage.rigs.surface import normals
from splatfilm.stage.unseen import LEVELS, UNSEEN_VERSION, Unseen

_SOLID = 0.1  # opacity of a splat that a seed may be lit as
_HOSTS = 12  # such splats that it is lit as
_NEARBY = 0.03  # metres to the farthest of them
_ALIKE = 0.05  # metres that are as bad as a right angle between them is by its cosine
_THERE = 0.06  # of the shape's full weight: from there seeds are all there
_THICK = 0.25  # of a seed's deviation along its triangle, across it
_SQUEEZED = 16.0  # how much shorter or longer than at its shape's full weight a seed may be

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Zone:
    """One part of a face in a layer: its seeds, what carries them, and what goes when they come."""

    reach: Array  # [S] how much each of the rig's shapes opens or closes it
    cage: ShapeCage | None  # of the seeds, by their rows in the layer; None when none of them is there
    opacities: NDArray[np.float32]  # [M] of seeds that are all there
    faint: NDArray[np.int64]  # [F] rows of photographed splats
    kept: NDArray[np.float32]  # [LEVELS + 1, F]
    lag: float  # of the shape's full weight: from where on what is before the seeds begins to go

    def only(self, place: NDArray[np.int64]) -> Zone:  # [N]
        """The zone when of all splats only those with a `place` of 0 or more are left, there."""
        here = place[self.faint] >= 0
        seeds = np.zeros(0, dtype=bool) if self.cage is None else place[self.cage.rows] >= 0
        cage = None if self.cage is None else self.cage.only(place)
        kept = np.ascontiguousarray(self.kept[:, here])
        return Zone(self.reach, cage, self.opacities[seeds], place[self.faint][here], kept, self.lag)

    def open(self, weights: Array) -> float:  # [S]
        """How far its shape is on its way, whatever shapes took it there: 0 to 1."""
        return float(min(max(float(self.reach @ weights), 0.0), 1.0))

    def shade(self, level: float, opacities: NDArray[np.float32]) -> None:  # [N], written
        """Seeds come, and what is before them goes."""
        if self.cage is not None:
            there = min(level / _THERE, 1.0)
            opacities[self.cage.rows] = self.opacities * np.float32(there * there * (3 - 2 * there))
        at = max(level - self.lag, 0.0) / (1 - self.lag) * LEVELS
        below = min(int(at), LEVELS - 1)
        past = np.float32(at - below)
        opacities[self.faint] *= (1 - past) * self.kept[below] + past * self.kept[below + 1]


@dataclass(frozen=True, eq=False)
class Borrowed:
    """The light of seeds: a mean of what falls on photographed splats that are near and face alike."""

    count: int  # splats that were photographed; seeds come after them
    hosts: Tensor  # [M, K] int64
    shares: Tensor  # [M, K] summing to 1

    def only(self, rows: NDArray[np.int64]) -> Borrowed:  # [N] ascending
        """The light of the seeds among some of the splats, of which all `lenders` must be."""
        count, seeds = int((rows < self.count).sum()), rows[rows >= self.count] - self.count
        place = np.full(self.count, -1, dtype=np.int64)
        place[rows[:count]] = np.arange(count)
        chosen = torch.from_numpy(seeds).to(self.hosts.device)
        return Borrowed(count, torch.from_numpy(place).to(chosen)[self.hosts[chosen]], self.shares[chosen])

    @property
    def lenders(self) -> NDArray[np.int64]:
        """The splats that lend light, ascending: seeds look the same whatever is worn as long as these are there."""
        found: NDArray[np.int64] = np.unique(self.hosts.cpu().numpy())
        return found

    def lit(self, gains: Tensor) -> Tensor:  # [count, 3] -> [count + M, 3]
        """The gains of all splats."""
        own = torch.nn.functional.embedding_bag(self.hosts, gains, mode="sum", per_sample_weights=self.shares)
        return torch.cat([gains, own])


@dataclass(frozen=True, eq=False)
class Seeded:
    """Splats with seeds after them: how all of them hang on the rig, the zones, and as what seeds are lit."""

    splats: Splats
    binding: Binding
    zones: tuple[Zone, ...]
    borrowed: Borrowed | None


Facing = Callable[[Splats], Array | None]
"""The outward normals of splats at rest."""


def seeded(rig: Rig, splats: Splats, binding: Binding, found: Sequence[Unseen], facing: Facing) -> Seeded:
    """Splats with the seeds of what they lack, which are not to be seen at rest."""
    if not found:
        return Seeded(splats, binding, (), None)
    zones, parts, hung, first = [], [splats], [binding], len(splats)
    for one in found:
        rows = np.arange(first, first + len(one), dtype=np.int64)
        zone, seeds = _zone(rig, one, rows, splats)
        zones.append(zone)
        parts.append(seeds)
        hung.append(_hung(rig, one))
        first += len(one)
    whole = _joined(parts)
    return Seeded(whole, _joined_bindings(hung), tuple(zones), _borrowed(whole, len(splats), facing))


def _borrowed(whole: Splats, count: int, facing: Facing) -> Borrowed:
    """For each seed the photographed splats that show something, are near and face alike."""
    means = whole.means.cpu().numpy().astype(np.float64)
    seeds = means[count:]
    near = (means[:count] > seeds.min(axis=0) - _NEARBY) & (means[:count] < seeds.max(axis=0) + _NEARBY)
    some = np.nonzero(near.all(axis=1) & (whole.opacities.cpu().numpy()[:count] > _SOLID))[0]
    some = some if len(some) else np.arange(count)
    points = np.concatenate([means[some], seeds])
    towards = facing(
        whole.only(torch.from_numpy(np.concatenate([some, np.arange(count, len(means))])).to(whole.device))
    )
    if towards is not None:  # seeds know better
        towards[len(some) :] = rotation_matrices(whole.quats[count:].double())[:, :, 2].cpu().numpy()
    space = points if towards is None else np.concatenate([points, _ALIKE * towards], axis=1)
    chosen, away = neighbours(space[len(some) :], space[: len(some)], _HOSTS)
    share = np.maximum(1 - (away / away[:, -1:].clip(1e-9)) ** 2, 1e-6)  # none comes or goes at once from seed to seed
    share /= share.sum(axis=1, keepdims=True)
    return Borrowed(count, *(torch.from_numpy(p).to(whole.device) for p in (some[chosen], share.astype(np.float32))))


def _zone(rig: Rig, one: Unseen, rows: NDArray[np.int64], like: Splats) -> tuple[Zone, Splats]:
    mesh = rig.mesh
    assert mesh is not None, "seeds lie on a mesh"
    used, triangle = np.unique(np.stack([one.triangle, one.known], axis=1), axis=0, return_inverse=True)
    vertices, corners = np.unique(mesh.triangles[used[:, 0]], return_inverse=True)
    corners = np.ascontiguousarray(corners.reshape(-1, 3), dtype=np.int64)
    place = np.full(len(mesh.vertices), -1, dtype=np.int64)
    place[vertices] = np.arange(len(vertices))
    offsets = np.zeros((len(mesh.shapes), len(vertices), 3))
    for own, shape in zip(offsets, mesh.shapes, strict=True):
        here = place[shape.vertices] >= 0
        own[place[shape.vertices[here]]] = shape.offsets[here]
    rest = mesh.vertices[vertices].astype(np.float64)
    towards = offsets[rig.shape_names.index(one.shape)]
    # Those whose colours were seen at rest lie as they do there, the others as they do at the shape's full weight.
    lie = rest[corners] + np.where(used[:, 1], 0.0, 1.0)[:, None, None] * towards[corners]
    inverse = np.asarray(np.linalg.inv(frames(lie)), dtype=np.float64)
    triangle = np.ascontiguousarray(triangle.reshape(-1), dtype=np.int64)
    none, own = np.zeros((len(rows), 3)), np.zeros_like(rest)
    cage = ShapeCage(rows, triangle, one.shares, none, corners, own, inverse, offsets, rest)
    means = (one.shares[..., None] * lie[triangle]).sum(axis=1)
    facing = one.side[:, None] * normals(lie)[triangle]
    # A lid is there before the eye goes, or one would see through both; lips that part are not bridged for a moment.
    lag = 0.0 if one.known.any() else _THERE
    zone = Zone(_reach(offsets, towards), cage, one.opacities, one.rows, one.kept, lag)
    return zone, _discs(one, means, facing, like)


def _reach(offsets: Array, towards: Array) -> Array:  # [S, V, 3], [V, 3] -> [S]
    """By how much of its own shape each of the others opens or closes a zone, but for moving it as a whole."""
    apart = towards - towards.mean(axis=0)
    found: Array = ((offsets - offsets.mean(axis=1, keepdims=True)) * apart).sum(axis=(1, 2)) / (apart**2).sum()
    return found


def _discs(one: Unseen, means: Array, facing: Array, like: Splats) -> Splats:
    """Flat splats across their triangles' normals."""
    side = np.cross(facing, np.eye(3)[np.abs(facing).argmin(axis=1)])
    side /= np.sqrt((side**2).sum(axis=1, keepdims=True))
    turns = quaternions(torch.from_numpy(np.stack([side, np.cross(facing, side), facing], axis=-1)))
    count, sh = len(means), np.zeros((len(means), like.sh.shape[1], 3), dtype=np.float32)
    sh[:, 0] = (one.colours - 0.5) / SH_C0
    scales = torch.from_numpy(one.deviations[:, None] * np.array([1, 1, _THICK], dtype=np.float32))
    means_, opacities = torch.from_numpy(means.astype(np.float32)), torch.zeros(count)
    return Splats(means_, turns.float(), scales, opacities, torch.from_numpy(sh), like.mode).to(like.device)


def _joined(parts: Sequence[Splats]) -> Splats:
    names = ("means", "quats", "scales", "opacities", "sh")
    means, quats, scales, opacities, sh = (torch.cat([getattr(part, name) for part in parts]) for name in names)
    return Splats(means, quats, scales, opacities, sh, parts[0].mode)


def _hung(rig: Rig, one: Unseen) -> Binding:
    mesh = rig.mesh
    assert mesh is not None, "seeds lie on a mesh"
    held = mesh.triangles[one.triangle]
    shares = (mesh.weights[held] * one.shares[..., None]).astype(np.float64)
    kept, share, _ = best_weights(mesh.joints[held].reshape(len(one), -1), shares.reshape(len(one), -1))
    return Binding(kept, share, one.triangle.astype(np.int32), one.shares, np.zeros(len(one)))


def _joined_bindings(parts: Sequence[Binding]) -> Binding:
    names = ("joints", "weights", "triangle", "barycentric", "distance")
    return Binding(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(eq=False)
class Playing:
    """The zones of a layer at the weights of a frame."""

    zones: tuple[Zone, ...]
    weights: Array

    def move(self, means: NDArray[np.float32]) -> list[Moved]:  # [N, 3], written
        """Carries the seeds of zones that are not at rest, before bones do."""
        cages = [zone.cage for zone in self.zones if zone.open(self.weights) > 0]
        return [cage.move(self.weights, means, _SQUEEZED) for cage in cages if cage is not None]

    def shaded(self, opacities: Tensor) -> Tensor:  # [N]
        """Opacities as they are now; the very same ones where no zone is open."""
        open_ = [(zone, zone.open(self.weights)) for zone in self.zones]
        if not any(level > 0 for _, level in open_):
            return opacities
        now = opacities.detach().cpu().numpy().copy()
        for zone, level in open_:
            if level > 0:
                zone.shade(level, now)
        return torch.from_numpy(now).to(opacities.device)


def cached_unseen(
    folder: str | PathLike[str] | None, binding_name: str, find: Callable[[], tuple[Unseen, ...]]
) -> tuple[Unseen, ...]:
    """What a layer lacks, from `folder`, or found and kept there beside its binding; `None` keeps nothing."""
    if folder is None:
        return find()
    path = Path(folder) / f"unseen-{hash_value(['unseen', UNSEEN_VERSION, binding_name])[:24]}.npz"
    known = _read(path)
    if known is None:
        known = find()
        _write(path, known)
    return known


_FIELDS = ("triangle", "shares", "known", "side", "colours", "deviations", "opacities", "rows", "kept")


def _write(path: Path, found: Sequence[Unseen]) -> None:
    stream = io.BytesIO()
    arrays = {f"{one.shape}.{name}": getattr(one, name) for one in found for name in _FIELDS}
    np.savez(stream, allow_pickle=False, shapes=np.array([one.shape for one in found], dtype=str), **arrays)
    write_bytes(path, stream.getvalue())


def _read(path: Path) -> tuple[Unseen, ...] | None:
    """What was kept; None where nothing is, or it cannot be read: it holds nothing that cannot be found again."""
    try:
        with np.load(path, allow_pickle=False) as file:
            shapes = [str(name) for name in file["shapes"]]
            return tuple(Unseen(name, *(file[f"{name}.{field}"] for field in _FIELDS)) for name in shapes)
    except Exception:  # zipfile raises its own kinds for a damaged archive
        return None
