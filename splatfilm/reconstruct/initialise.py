"""The first splats: on the points that structure-from-motion found, or spread through what the cameras see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from splatfilm.cameras import Camera
from splatfilm.capture import SparsePoints
from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.render.constants import COLOUR_OFFSET, SH_C0

if TYPE_CHECKING:
    from splatfilm.reconstruct.trainer import View

FIRST_OPACITY = 0.5  # Kheradmand et al. 2024 start at 0.5, with scales a tenth of the spacing
_RANDOM_OPACITY = 0.1
_OF_A_SURFACE = 0.3  # of the budget: first splats where the surface is known; the others grow where detail is
_ALONG, _ACROSS = 0.8, 0.2  # of their spacing: how far those reach along the surface, and across it
_FACING = 0.3  # cosine: a photograph that sees a point at a flatter angle says little of its colour
_LEAF = 48  # points compared with each other in one block of the neighbour search
_NEAR, _FAR = 0.15, 2.5  # depths of random points, in extents of the scene

Points = NDArray[np.float64]


def scene_extent(cameras: Sequence[Camera], points: SparsePoints | None) -> float:
    """A length that stands for the scene: 1.1 times the reach of the cameras from their middle (Kerbl et al. 2023).

    Cameras that all stand on one spot say nothing; then the median distance of the points, or 1 m.
    """
    positions = np.stack([c.position for c in cameras])
    middle = positions.mean(axis=0)
    reach = float(np.linalg.norm(positions - middle, axis=1).max())
    if reach > 1e-6:
        return 1.1 * reach
    if points is not None and len(points.positions):
        return max(1e-6, float(np.median(np.linalg.norm(points.positions - middle, axis=1))))
    return 1.0


def from_points(points: SparsePoints, budget: int, extent: float, random: np.random.Generator) -> Gaussians:
    """One splat a point, as wide as its neighbours are far; a random part of the points when they exceed the budget."""
    positions, colours = points.positions.astype(np.float64), points.colours
    if len(positions) > budget:
        kept = np.sort(random.permutation(len(positions))[:budget])
        positions, colours = positions[kept], colours[kept]
    spacing = np.clip(neighbour_distance(positions), 1e-5 * extent, 0.2 * extent)
    return _gaussians(positions, colours / 255.0, spacing, FIRST_OPACITY)


def on_surface(points: SparsePoints, extent: float) -> Gaussians:
    """One splat a point of a surface, lying flat on it."""
    assert points.normals is not None, "a surface has normals"
    positions = points.positions.astype(np.float64)
    spacing = np.clip(neighbour_distance(positions), 1e-5 * extent, 0.2 * extent)
    made = _gaussians(positions, points.colours / 255.0, spacing, FIRST_OPACITY)
    made["log_scales"] += torch.tensor([math.log(_ALONG), math.log(_ALONG), math.log(_ACROSS)])
    # From the third axis to the normal by the shortest way; where they are opposite a half turn about the first.
    x, y, z = points.normals.astype(np.float64).T
    quats = np.stack([1 + z, -y, x, np.zeros_like(z)], axis=1)
    quats[z < -0.999999] = (0, 1, 0, 0)
    quats /= np.sqrt((quats**2).sum(axis=1, keepdims=True))
    made["quats"] = torch.from_numpy(quats.astype(np.float32))
    return made


def chosen_points(
    points: SparsePoints, views: Sequence[View], budget: int, own: Sequence[NDArray[np.bool_]] | None = None
) -> SparsePoints:
    """Some points of a surface, as densely as photographs show it from nearby, in the mean colour that they show.

    `points` come in the order of their surface. `own` says for each view which pixels show the surface; otherwise what
    lies before it is not known and counts too. What no photograph looks at is grey, and has the fewest points.
    """
    assert points.normals is not None, "a surface has normals"
    total, weights = np.zeros((len(points.positions), 3)), np.zeros(len(points.positions))
    finest = np.zeros(len(points.positions))  # pixels a metre
    for number, view in enumerate(views):
        camera = view.camera
        away = points.positions - camera.position
        local = away @ camera.pose[:3, :3]
        far = np.sqrt((away**2).sum(axis=1))
        facing = -(away * points.normals).sum(axis=1) / np.maximum(far, 1e-9)
        depth = np.maximum(local[:, 2], 1e-9)
        column = np.floor(camera.fx * local[:, 0] / depth + camera.cx).astype(int)
        row = np.floor(camera.fy * local[:, 1] / depth + camera.cy).astype(int)
        shown = (local[:, 2] > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
        at = np.nonzero(shown & (facing > _FACING))[0]
        share = facing[at]
        if view.matte is not None:
            share = share * (view.matte.cpu().numpy()[row[at], column[at]] > 0.99)
        if own is not None:
            share = share * own[number][row[at], column[at]]
        total[at] += share[:, None] * view.colour.cpu().numpy()[row[at], column[at]]
        weights[at] += share
        finest[at] = np.maximum(finest[at], share * camera.fx / depth[at])
    count = min(max(1, int(_OF_A_SURFACE * budget)), len(points.positions))
    grown = np.cumsum(np.maximum(finest, 0.3 * finest.mean() + 1e-9))
    kept = np.unique(np.searchsorted(grown, (np.arange(count) + 0.5) / count * grown[-1]))
    mean = np.where(weights[:, None] > 0, total / np.maximum(weights, 1e-9)[:, None], 0.5)
    colours = (mean[kept] * 255 + 0.5).clip(0, 255).astype(np.uint8)
    return SparsePoints(points.positions[kept], colours, points.normals[kept])


def from_frusta(cameras: Sequence[Camera], count: int, extent: float, random: np.random.Generator) -> Gaussians:
    """Grey splats at random pixels and depths of random cameras, evenly in inverse depth."""
    which = random.integers(len(cameras), size=count)
    u, v, w = random.random((3, count))
    depth = 1 / (w / (_NEAR * extent) + (1 - w) / (_FAR * extent))
    positions = np.empty((count, 3))
    for index, camera in enumerate(cameras):
        rows = which == index
        x = (u[rows] * camera.width - camera.cx) / camera.fx
        y = (v[rows] * camera.height - camera.cy) / camera.fy
        rays = np.stack([x, y, np.ones_like(x)], axis=1) * depth[rows, None]
        positions[rows] = (rays[:, :, None] * camera.pose[:3, :3].T[None]).sum(axis=1) + camera.position
    spacing = np.clip(neighbour_distance(positions), 1e-5 * extent, 0.2 * extent)
    return _gaussians(positions, random.uniform(0.3, 0.7, (count, 3)), spacing, _RANDOM_OPACITY)


def neighbour_distance(positions: Points, neighbours: int = 3) -> NDArray[np.float64]:  # [N, 3] -> [N]
    """Root mean square distance to the nearest neighbours; exact up to 48 points, a few per cent too far above.

    Points are sorted into blocks by halving along the widest side, and compared within their block; a second sorting in
    a turned frame finds the neighbours that the first one cut off.
    """
    if len(positions) < 2:
        return np.full(len(positions), np.inf)
    turned = positions @ np.array([[0.8, 0.0, 0.6], [-0.36, 0.8, 0.48], [-0.48, -0.6, 0.64]])
    shifted = positions @ np.array([[0.6, 0.64, -0.48], [0.0, 0.6, 0.8], [0.8, -0.48, 0.36]])
    best = [_within_blocks(frame, neighbours) for frame in (positions, turned, shifted)]
    nearest = np.minimum(np.minimum(best[0], best[1]), best[2])
    distance: NDArray[np.float64] = np.sqrt(nearest.mean(axis=1))
    return distance


def _within_blocks(positions: Points, neighbours: int) -> NDArray[np.float64]:  # [N, 3] -> [N, k] squared distances
    count = len(positions)
    halvings = max(0, math.ceil(math.log2(count / _LEAF)))
    blocks = [np.arange(count)]
    for _ in range(halvings):
        blocks = [half for block in blocks for half in _halved(positions, block)]
    result = np.empty((count, neighbours))
    for block in blocks:
        inside = positions[block]
        squares = ((inside[:, None] - inside[None]) ** 2).sum(axis=2)
        np.fill_diagonal(squares, np.inf)
        squares.sort(axis=1)
        found = squares[:, :neighbours]
        missing = neighbours - min(neighbours, len(block) - 1)
        if missing:
            found = np.concatenate([found[:, : neighbours - missing], np.repeat(found[:, :1], missing, axis=1)], axis=1)
        result[block] = found
    return result


def _halved(positions: Points, block: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    inside = positions[block]
    axis = int(np.argmax(inside.max(axis=0) - inside.min(axis=0)))
    order = np.argsort(inside[:, axis], kind="stable")
    middle = len(block) // 2
    return block[order[:middle]], block[order[middle:]]


def _gaussians(positions: Points, colours: Points, spacing: NDArray[np.float64], opacity: float) -> Gaussians:
    count = len(positions)
    quats = np.zeros((count, 4))
    quats[:, 0] = 1
    sh0 = ((colours - COLOUR_OFFSET) / SH_C0)[:, None, :]
    arrays = {
        "means": positions,
        "log_scales": np.repeat(np.log(spacing)[:, None], 3, axis=1),
        "quats": quats,
        "logits": np.full(count, math.log(opacity / (1 - opacity))),
        "sh0": sh0,
        "sh_rest": np.zeros((count, 0, 3)),
    }
    return {name: torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)) for name, values in arrays.items()}
