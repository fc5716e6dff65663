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
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.film.model import Contact
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats

CELLS_ACROSS = 48  # of the lattice over a member's diagonal
SMALLEST_CELL, LARGEST_CELL = 0.01, 0.025  # metres
REACH_OF_DIAGONAL = 1.0
"""Something small takes little light from afar: nothing reaches farther than this share of its own diagonal."""
FAINTEST = 0.1  # opacity: splats below it say nothing about where a member is
OUTLIERS = 0.002  # share of a member's splats at either end of an axis that do not count as its extent
_SAMPLE = 4096  # splats that an extent is found with
_BEYOND = 4  # cells around its extent that still belong to a member

Box = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The lowest and the highest corner, metres."""


@dataclass(frozen=True)
class Body:
    """Rows of a member of the cast, counted from the end of the set, and how large it is at rest.

    `standing` names where it is, in which pose and look: equal names, equal splats. None is equal to nothing.
    """

    rows: slice
    diagonal: float  # metres
    standing: Hashable = None
    takes_part: bool = True


def extent(means: NDArray[np.float32], opacities: NDArray[np.float32]) -> NDArray[np.float64]:  # [N, 3], [N] -> [2, 3]
    """The lowest and the highest corner of where splats are, without strays; found with some thousands of them."""
    every = max(1, len(means) // _SAMPLE)
    some = means[::every]
    solid = some[opacities[::every] >= FAINTEST]
    solid = solid if len(solid) else some
    cut = int(OUTLIERS * len(solid))
    ordered = np.partition(solid, [cut, len(solid) - 1 - cut], axis=0)
    return ordered[[cut, len(solid) - 1 - cut]].astype(np.float64)


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

    @property
    def concerns(self) -> Box:
        """Where splats may shade it, or be shaded by it."""
        low, beyond = np.array(self.solid[0]), math.ceil(self.reach / self.cell) + 3
        high = low + np.array(self.solid[1])
        return (low - beyond) * self.cell, (high + beyond) * self.cell


@dataclass(frozen=True, eq=False)
class _Shadow:
    """Rows that lose light to a body, and the share of it, while everything in its reach stands as `standing` says."""

    standing: tuple[Hashable, ...]
    rows: NDArray[np.int64]
    lost: NDArray[np.float32]


@dataclass(eq=False)
class Known:
    """What was found out before, for a set that stands still: around it, and about bodies by their number."""

    setting: Splats | None = None
    surroundings: Any = None  # of the kernels
    lattices: dict[int, _Lattice] = field(default_factory=dict)
    shadows: dict[int, _Shadow] = field(default_factory=dict)

    def around(self, setting: Splats) -> Any:
        """What the kernels know about a set."""
        from splatfilm.render.kernels import array, extension

        if self.setting is not setting:
            arrays = [array(part) for part in (setting.means, setting.quats, setting.scales, setting.opacities)]
            self.setting, self.surroundings = setting, extension().Surroundings(*arrays)
            self.shadows.clear()
        return self.surroundings


Arrays = Sequence[NDArray[np.float32]]
Geometry = tuple[Tensor, Tensor, Tensor, Tensor]
"""Means, quaternions, scales, opacities."""


def _lattice(arrays: Arrays, body: Body, contact: Contact) -> _Lattice:
    from splatfilm.render.kernels import extension

    corners = np.array(extension().bounds(arrays[0][body.rows])).reshape(2, 3)
    low, high = extent(arrays[0][body.rows], arrays[3][body.rows])
    reach = min(contact.radius, REACH_OF_DIAGONAL * body.diagonal)
    cell = min(max(body.diagonal / CELLS_ACROSS, SMALLEST_CELL), LARGEST_CELL, reach / 3)
    first = np.floor(low / cell).astype(int) - _BEYOND
    size = np.floor(high / cell).astype(int) + _BEYOND + 1 - first
    standing = (body.standing, body.rows.start, body.diagonal, contact.radius)
    return _Lattice(standing, (corners[0], corners[1]), (first.tolist(), size.tolist()), cell, reach)


def _meet(one: Box, other: Box) -> bool:
    return bool((one[1] >= other[0]).all() and (one[0] <= other[1]).all())


def visibility(
    setting: Splats, cast: Geometry, bodies: Sequence[Body], contact: Contact, known: Known | None = None
) -> Tensor:  # -> [N]
    """The share of its light that each splat of the set, then of the cast, keeps: 1 out of reach. On the CPU.

    A pure function of its arguments: the same bits at any thread count. `known` keeps what was found out from call to
    call; a body whose `standing` is the same as before must be.
    """
    from splatfilm.render.kernels import array

    known = known or Known()
    surroundings = known.around(setting)
    arrays = [array(part) for part in cast]
    for number, body in enumerate(bodies):
        before, standing = known.lattices.get(number), (body.standing, body.rows.start, body.diagonal, contact.radius)
        if body.standing is None or before is None or before.standing != standing:
            known.lattices[number] = _lattice(arrays, body, contact)
    count = len(arrays[0])
    kept = np.ones(len(setting) + count, dtype=np.float32)
    for number, body in enumerate(bodies):
        if not body.takes_part:
            continue
        lattice = known.lattices[number]
        near = [
            (other.rows.start, other.rows.stop, other.standing)
            for k, other in enumerate(bodies)
            if other is body or _meet(known.lattices[k].bounds, lattice.concerns)
        ]
        still = (count, contact.radius, body.rows.start, *near)
        shadow = known.shadows.get(number)
        if shadow is None or shadow.standing != still or any(one[2] is None for one in near):
            rows = (body.rows.start, body.rows.stop)
            found = surroundings.contact(*arrays, rows, *lattice.solid, lattice.cell, lattice.reach)
            shadow = known.shadows[number] = _Shadow(still, *found)
        kept[shadow.rows] *= np.float32(1) - np.float32(contact.strength) * shadow.lost
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
