"""Where splats come from and go to: splats as samples of a distribution (Kheradmand et al. 2024).

"3D Gaussian Splatting as Markov Chain Monte Carlo", NeurIPS 2024. A splat that faded is moved onto one that is needed,
new splats are born the same way until the budget is full, and noise lets splats of low opacity explore. Opacity and
scale of the copies are chosen so that the picture stays as it was (its equation 9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.reconstruct.settings import Growth

MOST_COPIES = 51  # of one splat in one round, the original included; as in the authors' code
_GATE_STEEPNESS = 100.0  # of the noise over opacity (the paper's k and t: sigmoid(-k (o - (1 - t)))
_GATE_OPACITY = 0.005
_GATE_REACH = 0.1  # opacity above which the gate is under 1e-4 and noise is not drawn

Moments = dict[str, tuple[Tensor, Tensor]]
_BINOMIALS = np.array(
    [[math.comb(n, j) for j in range(1, MOST_COPIES + 1)] for n in range(MOST_COPIES + 1)], dtype=float
)
_J = np.arange(1, MOST_COPIES + 1)


@dataclass(frozen=True)
class Round:
    """What one round did."""

    moved: int
    added: int


def split_opacity(
    opacities: NDArray[np.float64],  # [M] 0..1
    copies: NDArray[np.int64],  # [M] 1..MOST_COPIES, the original included
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # [M], [M]
    """(opacity of each copy, factor on its scales) such that n copies on one spot look like the one splat they replace.

    Equation 9 of the paper: o' = 1 - (1 - o)^(1/n),
    s' = s o / sum_{i=1..n} sum_{k<i} C(i-1,k) (-1)^k o'^(k+1) / sqrt(k+1).
    The double sum is written with the hockey-stick identity: sum_{j=1..n} C(n,j) (-1)^(j-1) o'^j / sqrt(j).
    """
    each = 1 - (1 - opacities) ** (1 / copies)
    signs = np.where(_J % 2 == 1, 1.0, -1.0)
    terms = _BINOMIALS[copies] * signs * each[:, None] ** _J / np.sqrt(_J)
    return each, opacities / terms.sum(axis=1)


def relocate_and_grow(
    gaussians: Gaussians, moments: Moments, growth: Growth, budget: int, random: np.random.Generator
) -> tuple[Gaussians, Moments, Round]:
    """One round: dead splats move onto living ones, then new ones are born up to the budget.

    The living are drawn in proportion to their opacity. Adam's moments of everything that moved start at zero again.
    Returns new tensors; the given ones are not to be used any more.
    """
    opacities = torch.sigmoid(gaussians["logits"]).cpu().numpy().astype(np.float64)
    alive = np.flatnonzero(opacities > growth.dead)
    if not alive.size:
        return gaussians, moments, Round(0, 0)
    dead = np.flatnonzero(opacities <= growth.dead)
    sources = _draw(opacities, alive, dead.size, random)
    gaussians, moments = _copied(gaussians, moments, opacities, sources, growth.dead, dead)

    opacities = torch.sigmoid(gaussians["logits"]).cpu().numpy().astype(np.float64)
    count = opacities.size
    born = max(0, min(budget, int(count * (1 + growth.by)) + 1) - count)
    parents = _draw(opacities, np.arange(count), born, random)
    gaussians, moments = _copied(gaussians, moments, opacities, parents, growth.dead, np.arange(count, count + born))
    return gaussians, moments, Round(dead.size, born)


def explore(gaussians: Gaussians, strength: float, extent: float, random: np.random.Generator) -> None:
    """Noise on the means of splats of low opacity, shaped by their covariance (the paper's equation 8), in place.

    `strength` has no unit: the covariance is measured in the scene's extent, so that noise does not depend on the unit
    of length.
    """
    chosen = torch.nonzero(gaussians["logits"] < math.log(_GATE_REACH / (1 - _GATE_REACH))).flatten()
    if not chosen.numel():
        return
    drawn = torch.from_numpy(random.standard_normal((chosen.numel(), 3), dtype=np.float32)).to(chosen.device)
    opacity = torch.sigmoid(gaussians["logits"][chosen])
    gate = torch.sigmoid(-_GATE_STEEPNESS * (opacity - _GATE_OPACITY))
    quats = gaussians["quats"][chosen]
    quats = quats / torch.linalg.vector_norm(quats, dim=1, keepdim=True)
    variances = torch.exp(2 * gaussians["log_scales"][chosen])
    noise = _turned(quats, variances * _turned(quats * quats.new_tensor([1, -1, -1, -1]), drawn))
    gaussians["means"][chosen] += noise * (gate * (strength / extent))[:, None]


def _turned(quats: Tensor, vectors: Tensor) -> Tensor:  # [N, 4] unit, [N, 3] -> [N, 3]
    w, u = quats[:, :1], quats[:, 1:]
    cross = torch.linalg.cross(u, vectors)
    turned: Tensor = vectors + 2 * (w * cross + torch.linalg.cross(u, cross))
    return turned


def _draw(
    opacities: NDArray[np.float64], among: NDArray[np.int64], number: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """`number` members of `among`, drawn in proportion to opacity, with repetition."""
    cumulative = np.cumsum(opacities[among])
    at = np.searchsorted(cumulative, random.random(number) * cumulative[-1], side="right")
    drawn: NDArray[np.int64] = among[np.minimum(at, among.size - 1)]
    return drawn


def _copied(
    gaussians: Gaussians,
    moments: Moments,
    opacities: NDArray[np.float64],
    sources: NDArray[np.int64],
    least_opacity: float,
    targets: NDArray[np.int64],
) -> tuple[Gaussians, Moments]:
    """Every source shares its place with its copies in `targets`; targets past the end are new rows."""
    if not sources.size:
        return gaussians, moments
    parents, counts = np.unique(sources, return_counts=True)
    copies = np.minimum(counts + 1, MOST_COPIES)
    each, factor = split_opacity(np.minimum(opacities[parents], 1 - 1e-6), copies)
    each = np.clip(each, least_opacity, 1 - 1e-6)
    device = gaussians["means"].device
    rows = torch.from_numpy(parents).to(device)
    gaussians["logits"][rows] = torch.from_numpy(np.log(each / (1 - each)).astype(np.float32)).to(device)
    gaussians["log_scales"][rows] += torch.from_numpy(np.log(factor).astype(np.float32)).to(device)[:, None]

    count = opacities.size
    source_rows = torch.from_numpy(sources).to(device)
    new_rows = torch.from_numpy(targets).to(device)
    born = int((targets >= count).sum())
    grown: Gaussians = {}
    grown_moments: Moments = {}
    for name, values in gaussians.items():
        pair = moments[name]
        if born:
            values = torch.cat([values, values.new_zeros(born, *values.shape[1:])])
            pair = tuple(torch.cat([m, m.new_zeros(born, *m.shape[1:])]) for m in pair)  # type: ignore[assignment]
        values[new_rows] = values[source_rows]
        for moment in pair:
            moment[new_rows] = 0
            moment[rows] = 0
        grown[name], grown_moments[name] = values, pair
    return grown, grown_moments
