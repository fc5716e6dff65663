"""Small scenes with everything in view that a renderer can get wrong."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.splats.splats import SH_BASIS_COUNTS, RenderMode, Splats


def splats_of(tensors: tuple[Tensor, ...], mode: RenderMode) -> Splats:
    return Splats(*tensors, mode=mode)


def tensors_of(splats: Splats) -> tuple[Tensor, ...]:
    return (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)


def random_camera(rng: np.random.Generator, width: int = 37, height: int = 29) -> Camera:
    """Looks from about (0, 0, -3) at the origin, with unequal focal lengths and an off-centre principal point."""
    pose = np.eye(4)
    angle = rng.uniform(-0.3, 0.3, 3)
    for axis in range(3):
        c, s = math.cos(angle[axis]), math.sin(angle[axis])
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = c
        turn[i, j], turn[j, i] = -s, s
        pose[:3, :3] = turn @ pose[:3, :3]
    pose[:3, 3] = -3.0 * pose[:3, 2] + rng.uniform(-0.3, 0.3, 3)
    focal = rng.uniform(20, 60)
    return Camera(
        pose,
        focal,
        focal * rng.uniform(0.8, 1.2),
        width * rng.uniform(0.3, 0.7),
        height * rng.uniform(0.3, 0.7),
        width,
        height,
    )


def random_splats(rng: np.random.Generator, count: int = 120, degree: int = 3, mode: RenderMode = "classic") -> Splats:
    """Around the origin; some behind the camera, some nearer than the near plane, some far outside the picture."""
    means = rng.normal(size=(count, 3)) * 0.8
    tenth = count // 10
    means[:tenth] += (0, 0, -6)  # behind
    means[tenth : 2 * tenth] *= (8, 8, 1)  # beside the picture, some with a foot in it
    means[2 * tenth : 3 * tenth] = (0, 0, -3.0) + rng.normal(size=(tenth, 3)) * 0.05  # in front of the lens
    quats = rng.normal(size=(count, 4)) * rng.uniform(0.5, 2.0, (count, 1))
    scales = np.exp(rng.normal(-2.5, 0.9, (count, 3)))
    opacities = np.concatenate([rng.uniform(0.0, 1.0, count - tenth), np.ones(tenth)])
    sh = rng.normal(size=(count, SH_BASIS_COUNTS[degree], 3)) * 0.3
    parts = (means, quats, scales, opacities, sh)
    return splats_of(tuple(torch.tensor(p, dtype=torch.float32) for p in parts), mode)
