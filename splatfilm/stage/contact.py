"""Contact shadows: cast and set take light from one another where they are close.

A splat set has its light baked in, so whoever is put into it floats. Here the member of the cast hides a part of the
light around each splat of the set (and of the rest of the cast), and the set hides a part of what reaches the member.
That is a property of the scene at a scene frame and of no camera: all shots of a moment see the same shadow. Splats out
of reach keep their bits.

What the twenty cones of `csrc/contact.cpp` meet would have sent some light of its own; `Contact.strength` says how
much of the hidden light is gone, and all of it agrees best with path-traced footage (benchmarks/truth.py). A splat that
keeps the share a of its light is drawn sqrt(a) as bright in the display-referred values that splats blend in.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.film.model import Contact
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats

CELLS_ACROSS = 48  # of the lattice over a member's diagonal
SMALLEST_CELL, LARGEST_CELL = 0.01, 0.035  # metres
REACH_OF_DIAGONAL = 0.6
"""Something small takes little light from afar: nothing reaches farther than this share of its own diagonal."""
FAINTEST = 0.1  # opacity: splats below it say nothing about where a member is
OUTLIERS = 0.002  # share of a member's splats at either end of an axis that do not count as its extent
_SAMPLE = 4096  # splats that an extent is found with
PATCH = 0.8  # of a cell: within it, neighbours of a member that face one way count as one
_BEYOND = 4  # cells around its extent that still belong to a member

Box = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The lowest and the highest corner, metres."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Neighbours that face one way, each lot as one splat: for a light that changes over centimetres that is enough.

    They are found at rest, once, and stay together when the body moves.
    """

    rows: NDArray[np.int64]  # [P] of the splats that stand for them
    areas: NDArray[np.float32]  # [P] what all that they stand for blocks, square metres over pi
    sides: NDArray[np.float32]  # [P] -1..1: whether the shortest axis points outwards
    patch: NDArray[np.int32]  # [N] of every splat; -1 for one that is not to be seen


@dataclass(frozen=True, eq=False)
class Body:
    """Rows of a member of the cast, counted from the end of the set, and how large it is at rest.

    `standing` names where it is, in which pose and look: equal names, equal splats. None is equal to nothing.
    """

    rows: slice
    diagonal: float  # metres
    standing: Hashable = None
    takes_part: bool = True
    patches: Patches | None = None  # None: they are found in every pose anew


def extent(means: NDArray[np.float32], opacities: NDArray[np.float32]) -> NDArray[np.float64]:  # [N, 3], [N] -> [2, 3]
    """The lowest and the highest corner of where splats are, without strays; found with some thousands of them."""
    return extent_of([(means, opacities)])


def extent_of(parts: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> NDArray[np.float64]:  # -> [2, 3]
    """`extent` of all parts together: means and opacities of each."""
    count, before = sum(len(means) for means, _ in parts), 0
    every, points, opaque = max(1, count // _SAMPLE), [], []
    for means, opacities in parts:
        first = -before % every
        points.append(means[first::every])
        opaque.append(opacities[first::every])
        before += len(means)
    some = np.concatenate(points)
    solid = some[np.concatenate(opaque) >= FAINTEST]
    solid = solid if len(solid) else some
    cut = int(OUTLIERS * len(solid))
    ordered = np.partition(np.ascontiguousarray(solid.T), [cut, len(solid) - 1 - cut], axis=1)
    return ordered[:, [cut, len(solid) - 1 - cut]].T.astype(np.float64)


def diagonal(splats: Splats) -> float:
    """How large splats are from corner to corner, metres."""
    low, high = extent(splats.means.cpu().numpy(), splats.opacities.cpu().numpy())
    return float(np.sqrt(((high - low) ** 2).sum()))


@dataclass(frozen=True, eq=False)
class _Lattice:
    """The cells that a body fills, and how finely and how far it is looked around there."""

    standing: Hashable
    bounds: Box  # of every splat
    solid: tuple[list[int], list[int]]  # the first cell, and how many
    cell: float
    reach: float

    @cached_property
    def concerns(self) -> Box:
        """Where splats may shade it, or be shaded by it."""
        low, beyond = np.array(self.solid[0]), math.ceil(self.reach / self.cell) + 3
        high = low + np.array(self.solid[1])
        return (low - beyond) * self.cell, (high + beyond) * self.cell


@dataclass(eq=False)
class Known:
    """What was found out before, for a set that stands still: around it, and about bodies by their number."""

    setting: Splats | None = None
    surroundings: Any = None  # of the kernels
    lattices: dict[int, _Lattice] = field(default_factory=dict)
    occluders: dict[int, Any] = field(default_factory=dict)  # of the kernels
    patches: dict[int, Patches] = field(default_factory=dict)
    shadows: dict[tuple[int, int], Any] = field(default_factory=dict)
    """What the kernels said of a body and the set (by that body twice), and of a body on another."""

    def around(self, setting: Splats) -> Any:
        """What the kernels know about a set."""
        from splatfilm.render.kernels import array, extension

        if self.setting is not setting:
            arrays = [array(part) for part in (setting.means, setting.quats, setting.scales, setting.opacities)]
            self.setting, self.surroundings = setting, extension().Surroundings(*arrays)
            self.shadows.clear()
        return self.surroundings

    def body(self, number: int, body: Body, arrays: Arrays, contact: Contact) -> _Lattice:
        """The lattice of a body, filled."""
        from splatfilm.render.kernels import extension

        before, standing = self.lattices.get(number), (body.standing, body.rows.start, body.diagonal, contact.radius)
        if body.standing is None or before is None or before.standing != standing:
            found = self.lattices[number] = _lattice(arrays, body, contact, standing)
            own = body.patches or _patches([part[body.rows] for part in arrays])
            self.patches[number] = own
            if body.takes_part:
                occluder = self.occluders.setdefault(number, extension().Occluder())
                occluder.fill(*arrays, body.rows.start, own.rows, own.areas, *found.solid, found.cell, found.reach)
            for pair in [pair for pair in self.shadows if number in pair]:
                del self.shadows[pair]
        return self.lattices[number]


Arrays = Sequence[NDArray[np.float32]]
Geometry = tuple[Tensor, Tensor, Tensor, Tensor]
"""Means, quaternions, scales, opacities."""


def _solid(arrays: Arrays, rows: slice, cell: float) -> tuple[list[int], list[int]]:
    """The first cell that splats fill, and how many along each axis."""
    low, high = extent(arrays[0][rows], arrays[3][rows])
    first = np.floor(low / cell).astype(int) - _BEYOND
    size = np.floor(high / cell).astype(int) + _BEYOND + 1 - first
    return first.tolist(), size.tolist()


def _cell(across: float) -> float:
    return min(max(across / CELLS_ACROSS, SMALLEST_CELL), LARGEST_CELL)


def _lattice(arrays: Arrays, body: Body, contact: Contact, standing: Hashable) -> _Lattice:
    from splatfilm.render.kernels import extension

    corners = np.array(extension().bounds(arrays[0][body.rows])).reshape(2, 3)
    reach = min(contact.radius, REACH_OF_DIAGONAL * body.diagonal)
    cell = min(_cell(body.diagonal), reach / 3)
    return _Lattice(standing, (corners[0], corners[1]), _solid(arrays, body.rows, cell), cell, reach)


def patches(parts: Sequence[Splats]) -> Patches:
    """The patches of a closed body: it is outside where there is less of it."""
    from splatfilm.render.kernels import array

    names = ("means", "quats", "scales", "opacities")
    return _patches([np.concatenate([array(getattr(part, name)) for part in parts]) for name in names])


def _patches(arrays: Arrays) -> Patches:
    from splatfilm.render.kernels import extension

    low, high = extent(arrays[0], arrays[3])
    cell = _cell(float(np.sqrt(((high - low) ** 2).sum())))
    return Patches(*extension().patches(*arrays, *_solid(arrays, slice(None), cell), cell, PATCH * cell))


def _meet(one: Box, other: Box) -> bool:
    return bool((one[1] >= other[0]).all() and (one[0] <= other[1]).all())


def visibility(
    setting: Splats, cast: Geometry, bodies: Sequence[Body], contact: Contact, known: Known | None = None
) -> Tensor:  # -> [N]
    """The share of its light that each splat of the set, then of the cast, keeps: 1 out of reach. On the CPU.

    A pure function of its arguments: the same bits at any thread count. `known` keeps what was found out from call to
    call; a body whose `standing` is the same as before must be.
    """
    from splatfilm.render.kernels import array, extension

    known = known or Known()
    surroundings = known.around(setting)
    arrays = [array(part) for part in cast]
    lattices = [known.body(number, body, arrays, contact) for number, body in enumerate(bodies)]
    kept = np.ones(len(setting) + len(arrays[0]), dtype=np.float32)
    rows = [kept[len(setting) + body.rows.start : len(setting) + body.rows.stop] for body in bodies]
    keep, keep_patches, strength = extension().keep, extension().keep_patches, contact.strength
    for number, body in enumerate(bodies):
        if not body.takes_part:
            continue
        occluder, own = known.occluders[number], known.patches[number]
        if (number, number) not in known.shadows:
            found = surroundings.contact(occluder, *arrays, body.rows.start, own.rows, own.sides)
            known.shadows[number, number] = found
        of_set, shares, of_own = known.shadows[number, number]
        keep(of_set, shares, strength, kept)
        keep_patches(own.patch, of_own, strength, rows[number])
        for k, other in enumerate(bodies):
            if k == number or not _meet(lattices[k].bounds, lattices[number].concerns):
                continue
            theirs = known.patches[k]
            if (number, k) not in known.shadows:
                known.shadows[number, k] = occluder.shade(*arrays, other.rows.start, theirs.rows)
            keep_patches(theirs.patch, known.shadows[number, k], strength, rows[k])
    return torch.from_numpy(kept)


def darkened(splats: Splats, kept: Tensor) -> Splats:  # [N]
    """The same splats with the share `kept` of their light; those that keep all of it keep their bits."""
    rows = torch.nonzero(kept < 1)[:, 0].to(splats.device)
    if not len(rows):
        return splats
    factor = kept[kept < 1].sqrt().to(splats.device)
    sh = splats.sh.clone()
    own = sh[rows] * factor[:, None, None]
    own[:, 0] += ((factor - 1) * (0.5 / SH_C0))[:, None]  # colour = SH + 0.5, and all of it is darkened
    sh[rows] = own
    return dataclasses.replace(splats, sh=sh)
