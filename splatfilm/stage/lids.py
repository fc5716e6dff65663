"""Eyelids that no photograph shows: whoever was photographed had open eyes, so nothing was learnt of closed lids.

When a face closes its eyes, the rig's lids go over the eyeballs, and there are no splats on them. Here the splats of an
eye take on the colour of the skin around it as far down as the lid is, with a dark line where lashes meet.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.stage import deform
from splatfilm.stage.clips.roles import SIDES, find_roles
from splatfilm.stage.rigs.rig import Rig

_BLINKS = {"left": "eyeBlinkLeft", "right": "eyeBlinkRight"}
_ROUND = 1.15  # radii of an eyeball: as far as that, what is there is taken for the eye
_SKIN = 1.9  # radii: as far as that, for the skin around it
_OPAQUE = 0.3  # opacity: fainter splats do not say what colour skin has
_FEWEST = 8  # splats that an eye, and the skin around it, must have
_SOFT = 0.4  # radii that the lid's edge is wide
_LASHES, _LINE, _DARK = -0.3, 0.13, 0.6  # radii above the middle, radii wide, and how much darker


@dataclass(frozen=True, eq=False)
class Lid:
    """One eye of a layer: its splats, and what they show when the blendshape number `shape` closes it."""

    shape: int
    rows: Tensor  # [M] int64
    heights: Tensor  # [M] radii above the eye's middle
    skin: Tensor  # [3] coefficients of the first band

    def only(self, place: Tensor) -> Lid:  # [N] int64
        """The lid when of all splats only those with a `place` of 0 or more are left, there."""
        here = place[self.rows] >= 0
        return dataclasses.replace(self, rows=place[self.rows][here], heights=self.heights[here])

    def over(self, sh: Tensor, weight: float) -> None:
        """Closes the eye by `weight` 0..1 in coefficients [N, K, 3], which are written."""
        edge = 1 + _SOFT / 2 - (2 + _SOFT) * min(weight, 1.0)
        past = ((self.heights - edge) / _SOFT + 0.5).clamp(0, 1)
        cover = (past * past * (3 - 2 * past))[:, None]
        line = _DARK * min(weight, 1.0) * torch.exp(-(((self.heights - _LASHES) / _LINE) ** 2))[:, None]
        shown = (self.skin + 0.5 / SH_C0) * (1 - line) - 0.5 / SH_C0  # colour = SH + 0.5
        own = sh[self.rows] * (1 - cover[:, None])
        own[:, 0] += shown * cover
        sh[self.rows] = own


def lids_of(rig: Rig, rest: Splats, carriers: deform.Carriers) -> tuple[Lid, ...]:
    """The eyes among a layer's splats; none where the rig has no eyes that blink."""
    roles = find_roles(rig.skeleton)
    found = []
    means, first = rest.means.cpu().numpy(), rest.sh[:, 0].cpu().numpy()
    joints, weights = carriers.joints.cpu().numpy()[:, 0], carriers.weights.cpu().numpy()[:, 0]
    for side in SIDES:
        if f"eye.{side}" not in roles or _BLINKS[side] not in rig.shape_names:
            continue
        own = (joints == roles[f"eye.{side}"]) & (weights > 0.5)
        if own.sum() < _FEWEST:
            continue
        middle = _joint(rig, roles[f"eye.{side}"])
        away = np.sqrt(((means - middle) ** 2).sum(axis=1))
        radius = float(np.median(away[own]))
        rows = np.nonzero(own | (away < _ROUND * radius))[0]
        skin = ~own & (away > _ROUND * radius) & (away < _SKIN * radius) & (rest.opacities.cpu().numpy() > _OPAQUE)
        if skin.sum() < _FEWEST:
            continue
        heights = np.clip((means[rows, 2] - middle[2]) / radius, -1, 1)
        numbers = (rows, heights.astype(np.float32), np.median(first[skin], axis=0).astype(np.float32))
        found.append(Lid(rig.shape_names.index(_BLINKS[side]), *(torch.from_numpy(n).to(rest.device) for n in numbers)))
    return tuple(found)


def closed(
    skin: Splats, lids: tuple[Lid, ...], weights: NDArray[np.float64]
) -> Splats:  # weights [S] of the rig's shapes
    """The same splats with the lids where the weights of the rig's blendshapes put them; itself with open eyes."""
    moved = [(lid, float(weights[lid.shape])) for lid in lids if weights[lid.shape] > 0]
    if not moved:
        return skin
    sh = skin.sh.clone()
    for lid, weight in moved:
        lid.over(sh, weight)
    return dataclasses.replace(skin, sh=sh)


def _joint(rig: Rig, number: int) -> NDArray[np.float64]:
    """Where a joint is in the pose that splats are bound in."""
    return np.asarray(np.linalg.inv(rig.inverse_binds[number])[:3, 3], dtype=np.float64)
