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
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Body:
    """Rows of a member of the cast among the staged splats, and how large it is at rest.

    `standing` names where it is, in which pose and look: equal names, equal splats.
    """

    rows: slice
    diagonal: float  # metres
    standing: Hashable = None
    takes_part: bool = True


def extent(means: NDArray[np.float32], opacities: NDArray[np.float32]) -> NDArray[np.float64]:  # [N, 3], [N] -> [2, 3]
    """The lowest and the highest corner of where splats are, without strays."""
    solid = means[opacities >= FAINTEST]
    solid = solid if len(solid) else means
    cut = int(OUTLIERS * len(solid))
    ordered = np.partition(solid, [cut, len(solid) - 1 - cut], axis=0)
    return ordered[[cut, len(solid) - 1 - cut]].astype(np.float64)


def diagonal(splats: Splats) -> float:
    """How large splats are from corner to corner, metres."""
    low, high = extent(splats.means.cpu().numpy(), splats.opacities.cpu().numpy())
    return float(np.sqrt(((high - low) ** 2).sum()))


def _meets(means: NDArray[np.float32], corners: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bool:
    """Whether the box about splats meets another."""
    return bool((means.max(axis=0) >= corners[0]).all() and (means.min(axis=0) <= corners[1]).all())


@dataclass(frozen=True, eq=False)
class Shadow:
    """What a body hid from whom, the last time that it and everything in its reach stood as `standing` says."""

    standing: tuple[Hashable, ...]
    lost: NDArray[np.float32]  # [N] share of the light, 0 out of reach


def visibility(
    splats: Splats, set_count: int, bodies: Sequence[Body], contact: Contact, known: dict[int, Shadow] | None = None
) -> Tensor:  # -> [N]
    """The share of its light that each splat keeps, 1 out of reach; rows 0..set_count are the set. On the CPU.

    A pure function of its arguments: the same bits at any thread count. `known` keeps the shadows of bodies that stand
    still, by their number, from call to call; the set must be the same in all of them.
    """
    from splatfilm.render.kernels import array, extension

    arrays = [array(part) for part in (splats.means, splats.quats, splats.scales, splats.opacities)]
    kept = np.ones(len(splats), dtype=np.float32)
    for number, body in enumerate(bodies):
        if not body.takes_part:
            continue
        low, high = extent(arrays[0][body.rows], arrays[3][body.rows])
        reach = min(contact.radius, REACH_OF_DIAGONAL * body.diagonal)
        cell = min(max(body.diagonal / CELLS_ACROSS, SMALLEST_CELL), LARGEST_CELL, reach / 3)
        first = np.floor((low - reach) / cell).astype(int)
        size = np.ceil((high + reach) / cell).astype(int) - first + 2
        near = [
            (other.rows.start, other.rows.stop, other.standing)
            for other in bodies
            if other is body or _meets(arrays[0][other.rows], (first * cell, (first + size) * cell))
        ]
        standing = (len(splats), contact.radius, body.rows.start, *near)
        shadow = None if known is None else known.get(number)
        if shadow is None or shadow.standing != standing:
            shadow = Shadow(standing, np.empty_like(kept))
            rows = (set_count, body.rows.start, body.rows.stop)
            extension().contact(*arrays, rows, first.tolist(), size.tolist(), cell, reach, shadow.lost)
        if known is not None:
            known[number] = shadow
        kept *= np.float32(1) - np.float32(contact.strength) * shadow.lost
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
