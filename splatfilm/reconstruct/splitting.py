"""More splats where the pictures lack them: the ones that err most are split in two along their longest axis.

Growth by sampling (`mcmc`) puts new splats where there is opacity, over a whole training. When a trained asset gets
new pictures there are few steps and much to keep: capacity goes where the error is, and nothing else moves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.splats import Splats

APART = 0.7
"""Of a standard deviation: how far each half lies from the middle. With sqrt(1 - 0.7^2) of the length, mean and
variance of the two together are those of the one."""


_IN_THE_MIDDLE = math.exp(-0.5 * APART**2 / (1 - APART**2))  # what a half weighs where the two meet
_MOST_OPAQUE = 0.98  # of a half: from there opacities can still be learnt
_CEILING = 1 - 1e-6  # of an opacity: its logit must be finite


def parameters_of(splats: Splats) -> Gaussians:
    """Splats as an optimiser holds them."""
    opacities = splats.opacities.double().clamp(1e-6, _CEILING)
    return {
        "means": splats.means.clone(),
        "log_scales": splats.scales.double().log().float(),
        "quats": splats.quats.clone(),
        "logits": torch.log(opacities / (1 - opacities)).float(),
        "sh0": splats.sh[:, :1].clone(),
        "sh_rest": splats.sh[:, 1:].clone(),
    }


def split_in_two(gaussians: Gaussians, rows: Tensor, opaque: bool = False) -> Gaussians:  # rows: [M] int64
    """The splats with those of `rows` halved: one half keeps the row, the other one comes at the end.

    With `opaque` the two halves together hide as much in their middle as the one did; otherwise they keep its opacity.
    """
    axis = gaussians["log_scales"][rows].argmax(dim=1)
    length = gaussians["log_scales"][rows].gather(1, axis[:, None]).exp()
    quats = gaussians["quats"][rows]
    w, x, y, z = (quats / torch.linalg.vector_norm(quats, dim=1, keepdim=True)).unbind(1)
    columns = torch.stack(
        [
            torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)], 1),
            torch.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], 1),
            torch.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], 1),
        ],
        1,
    )  # [M, axis, 3]
    along = columns[torch.arange(len(rows), device=rows.device), axis] * (APART * length)
    result = {name: torch.cat([values, values[rows]]) for name, values in gaussians.items()}
    new = torch.arange(len(rows), device=rows.device) + len(gaussians["means"])
    result["means"][rows] += along
    result["means"][new] -= along
    for half in (rows, new):
        result["log_scales"][half, axis] += 0.5 * math.log(1 - APART * APART)
        if opaque:
            whole = torch.sigmoid(gaussians["logits"][rows])
            each = ((1 - (1 - whole).sqrt()) / _IN_THE_MIDDLE).clamp(max=_MOST_OPAQUE)
            result["logits"][half] = torch.logit(each)
    return result
