"""Where staged splats lie at rest: the space to which what is anchored to a set, an actor or a prop is nailed.

A thing that only stands somewhere rests in the axes of its own file, in metres; what a rig or an ambient motion moves
also has a rest position for each of its splats. So a point on a sleeve has one address, however the arm is held.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.base.rigid import Similarity, matrix_from_quaternion
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices


@dataclass(frozen=True, eq=False)
class Resting:
    """How the splats of one member came to where they stand.

    `place` brought their rest space into the scene. `means` are the rest positions of splats that something moves one
    by one; None where `place` says everything.
    """

    space: str  # the name of the rest space: asset and member
    member: str
    start: int
    stop: int
    place: Similarity
    means: Tensor | None = None  # [N, 3] in rest units
    turns_hold_place: bool = False  # whether the splats' turns hold the place's rotation as well


def unplaced(points: Tensor, place: Similarity) -> Tensor:  # [..., 3] world -> [..., 3] metres at rest
    """Points of the scene in the axes of a thing that `place` brought there; lengths stay those of the scene."""
    r = matrix_from_quaternion(place.rotation).tolist()
    x, y, z = (points[..., axis].double() - place.translation[axis] for axis in range(3))
    turned = [(r[0][axis] * x + r[1][axis] * y) + r[2][axis] * z for axis in range(3)]
    return torch.stack(turned, -1).to(points.dtype)


def rest_features(splats: Splats, resting: Resting) -> Tensor:  # [N, 12]
    """What takes a point of the scene near each splat to rest: R^T row by row, then the shift, in scene metres.

    X = R^T (x - mean) + s rest, with R how far the splat has turned since its rest and s the scale of its place.
    """
    assert resting.means is not None, "only splats that are moved one by one"
    rows = slice(resting.start, resting.stop)
    now = splats.means[rows].double()
    count = len(now)
    if splats.turns is None:
        turn = torch.eye(3, dtype=torch.float64, device=now.device).expand(count, 3, 3)
    else:
        turn = rotation_matrices(splats.turns[rows].double())
    if not resting.turns_hold_place:
        turn = turn @ torch.from_numpy(matrix_from_quaternion(resting.place.rotation)).to(turn)
    back = turn.transpose(-1, -2)
    shift = resting.means.double() * resting.place.scale - (back * now[:, None, :]).sum(-1)
    return torch.cat([back.reshape(count, 9), shift], 1).float()
