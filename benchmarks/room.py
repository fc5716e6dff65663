"""A furnished room of splats with a figure in it: what a captured set is like, from a seed.

Splats lie flat on walls, furniture and a figure, with log-normal sizes, opacities from Beta(0.8, 0.8) and spherical
harmonics to degree 3; three in a hundred float free, as in every real reconstruction.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.splats.splats import Splats

ROOM = (6.0, 5.0, 3.0)  # metres: x, y, z up
FURNITURE = [  # centre, size
    ((-1.8, 1.6, 0.4), (2.0, 1.0, 0.8)),  # sofa
    ((0.3, 0.6, 0.37), (1.4, 0.8, 0.74)),  # table
    ((2.6, 0.0, 1.0), (0.5, 1.8, 2.0)),  # shelf
    ((1.2, 0.9, 0.45), (0.5, 0.5, 0.9)),  # chair
    ((-2.5, -1.8, 0.25), (0.8, 0.8, 0.5)),  # box
]
FIGURE = ((0.9, -0.6, 0.9), (0.26, 0.2, 0.9))  # an ellipsoid: centre, radii
Array = NDArray[np.float64]


def _box(rng: np.random.Generator, count: int, centre: Array, size: Array) -> tuple[Array, Array]:
    """Points on the faces of a box, evenly by area, and the faces' normals."""
    areas = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1]])
    axis = rng.choice(3, count, p=areas / areas.sum())
    points = rng.uniform(-0.5, 0.5, (count, 3))
    side = rng.choice([-0.5, 0.5], count)
    points[np.arange(count), axis] = side
    normals = np.zeros((count, 3))
    normals[np.arange(count), axis] = np.sign(side)
    return centre + points * size, normals


def _turned_to(rng: np.random.Generator, normals: Array) -> Array:
    """Quaternions wxyz that turn the z axis to `normals`, with any spin about it."""
    w = 1.0 + normals[:, 2]
    quats = np.stack([w, -normals[:, 1], normals[:, 0], np.zeros(len(w))], 1)
    quats[w < 1e-6] = (0, 1, 0, 0)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    spin = rng.uniform(0, math.pi, len(w))
    c, s = np.cos(spin), np.sin(spin)
    w, x, y, z = quats.T
    return np.stack([w * c - z * s, x * c + y * s, y * c - x * s, z * c + w * s], 1)


def furnished_room(count: int, seed: int = 0) -> Splats:
    """`count` splats of the room."""
    rng = np.random.default_rng(seed)
    floaters = count * 3 // 100
    figure = count * 8 // 100
    furniture = (count * 30 // 100) // len(FURNITURE)
    walls = count - floaters - figure - furniture * len(FURNITURE)
    parts = [_box(rng, walls, np.array([0, 0, ROOM[2] / 2]), np.array(ROOM))]
    parts += [_box(rng, furniture, np.array(centre), np.array(size)) for centre, size in FURNITURE]
    directions = rng.normal(size=(figure, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = np.array(FIGURE[1])
    outward = directions / radii
    parts.append((np.array(FIGURE[0]) + directions * radii, outward / np.linalg.norm(outward, axis=1, keepdims=True)))
    anywhere = rng.uniform(-0.5, 0.5, (floaters, 3)) * np.array(ROOM) + (0, 0, ROOM[2] / 2)
    loose = rng.normal(size=(floaters, 3))
    parts.append((anywhere, loose / np.linalg.norm(loose, axis=1, keepdims=True)))
    means = np.concatenate([points for points, _ in parts])
    quats = _turned_to(rng, np.concatenate([normals for _, normals in parts]))

    spacing = math.sqrt(2 * (ROOM[0] * ROOM[1] + ROOM[0] * ROOM[2] + ROOM[1] * ROOM[2]) / count)
    scales = np.exp(rng.normal(math.log(0.8 * spacing), 0.6, (count, 3)))
    scales[:, 2] *= 0.15
    sh = rng.normal(size=(count, 16, 3)) * 0.05
    sh[:, 0] = rng.normal(0.0, 0.8, (count, 3))
    order = rng.permutation(count)
    arrays = (means, quats, scales, rng.beta(0.8, 0.8, count), sh)
    return Splats(*(torch.tensor(a[order], dtype=torch.float32) for a in arrays))


def _looking(eye: tuple[float, float, float], at: tuple[float, float, float]) -> Array:
    forward = np.subtract(at, eye)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


def repeated_room(count: int) -> Splats:
    """As many times the room of 100 000 splats as `count` has hundred thousands, each copy shaken and made finer.

    In no more memory than its splats take, and in the order of no space: a copy after the other, each at random.
    """
    part = furnished_room(100_000)
    copies, generator = count // len(part), torch.Generator().manual_seed(0)
    stored = (part.means, part.quats, part.scales * copies**-0.5, part.opacities, part.sh)
    fields = [torch.empty(count, *field.shape[1:]) for field in stored]
    for filled, field in zip(fields, stored, strict=True):
        for copy in filled.view(copies, *field.shape):
            copy.copy_(field)
    for copy in fields[0].view(copies, -1, 3):
        copy += 0.02 * torch.randn(copy.shape, generator=generator)
    return Splats(*fields)


def camera_towards(
    eye: tuple[float, float, float], at: tuple[float, float, float], millimetres: float, width: int, height: int
) -> Camera:
    """From `eye` towards `at`, on a filmback 36 mm wide."""
    focal = millimetres / 36 * width
    return Camera(_looking(eye, at), focal, focal, width / 2, height / 2, width, height)


def corner_camera(width: int, height: int) -> Camera:
    """Inside, from a corner across the room, with a 24 mm lens."""
    return camera_towards((-2.7, -2.2, 1.6), (1.0, 0.8, 1.1), 24, width, height)


def outside_camera(width: int, height: int) -> Camera:
    """From outside with the whole room in view."""
    return camera_towards((-7.0, -6.0, 4.5), (0, 0, 1.3), 28, width, height)
