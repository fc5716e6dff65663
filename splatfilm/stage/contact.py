"""Contact shadows: cast and set take light from one another where they are close.

A splat set has its light baked in, so whoever is put into it floats. Here the member of the cast hides a part of the
light around each splat of the set (and of the rest of the cast), and the set hides a part of what reaches the member.
That is a property of the scene at a scene frame and of no camera: all shots of a moment see the same shadow. Splats out
of reach keep their bits.

Half of what the twenty cones of `csrc/contact.cpp` meet is light of the sky and the lamps, half is light between
surfaces, which nobody here knows; so `Contact.strength` says how much of the hidden light is gone. A splat that keeps
the share a of its light is drawn sqrt(a) as bright in the display-referred values that splats blend in (gamma 2).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.film.model import Contact
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats

if TYPE_CHECKING:
    from splatfilm.stage.stage import Span

CELLS_ACROSS = 48  # of the lattice over a member's diagonal
SMALLEST_CELL, LARGEST_CELL = 0.01, 0.025  # metres
REACH_OF_DIAGONAL = 1.0
"""Something small takes little light from afar: nothing reaches farther than this share of its own diagonal."""
FAINTEST = 0.1  # opacity: splats below it say nothing about where a member is
OUTLIERS = 0.002  # share of a member's splats at either end of an axis that do not count as its extent


@dataclass(frozen=True)
class Body:
    """Rows of a member of the cast among the staged splats, and how large it is at rest."""

    rows: slice
    diagonal: float  # metres


def bodies_of(spans: Sequence[Span], diagonals: dict[str, float]) -> tuple[Body, ...]:
    """The members that take part: those in `diagonals`, layers of one member together."""
    found = []
    for name, own in groupby(spans[1:], key=lambda span: span.member):
        layers = list(own)
        if name in diagonals:
            found.append(Body(slice(layers[0].start, layers[-1].stop), diagonals[name]))
    return tuple(found)


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


def visibility(splats: Splats, set_count: int, bodies: Sequence[Body], contact: Contact) -> Tensor:  # -> [N]
    """The share of its light that each splat keeps, 1 out of reach; rows 0..set_count are the set. On the CPU.

    A pure function of its arguments: the same bits at any thread count.
    """
    from splatfilm.render.kernels import array, extension

    arrays = [array(part) for part in (splats.means, splats.quats, splats.scales, splats.opacities)]
    kept = np.ones(len(splats), dtype=np.float32)
    lost = np.empty_like(kept)
    for body in bodies:
        if body.rows.stop <= body.rows.start:
            continue
        reach = min(contact.radius, REACH_OF_DIAGONAL * body.diagonal)
        cell = min(max(body.diagonal / CELLS_ACROSS, SMALLEST_CELL), LARGEST_CELL, reach / 3)
        low, high = extent(arrays[0][body.rows], arrays[3][body.rows])
        first = np.floor((low - reach) / cell).astype(int)
        size = np.ceil((high + reach) / cell).astype(int) - first + 2
        rows = (set_count, body.rows.start, body.rows.stop)
        extension().contact(*arrays, rows, first.tolist(), size.tolist(), cell, reach, lost)
        kept *= np.float32(1) - np.float32(contact.strength) * lost
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
