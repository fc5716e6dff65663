"""What is known of a surface before it is learnt: points on it among a capture's points, and the inside of a body.

Splats of a body are seen through wherever they are not quite opaque, and what is behind has the same colour in every
photograph: its far side. In other light, or bent, it shows. So a body on a rig is learnt around a core, which
has any colour, another each step, and must not be seen.
"""

from __future__ import annotations

import numpy as np
import torch

from splatfilm.capture import SparsePoints
from splatfilm.reconstruct.initialise import neighbour_distance, on_surface
from splatfilm.splats import Splats

DEPTH = 0.025  # metres that a core lies below the surface
_POINTS = 8000  # of a surface that a core is made from
_CLEAR = 0.9  # of the depth: what lies nearer to another side is no core
_FLAT, _WIDE = 0.002, 0.010  # metres, one deviation across and, at most, along
_CHUNK = 500  # points compared with the surface at a time


def found_points(points: SparsePoints | None) -> SparsePoints | None:
    """The points that were found in photographs; none where there are none."""
    if points is None or points.normals is None:
        return points
    found = ~points.normals.any(axis=1)
    return SparsePoints(points.positions[found], points.colours[found]) if found.any() else None


def surface_of(points: SparsePoints | None) -> SparsePoints | None:
    """The points that lie on a known surface; none where there are none."""
    if points is None or points.normals is None:
        return None
    known = points.normals.any(axis=1)
    return SparsePoints(points.positions[known], points.colours[known], points.normals[known]) if known.any() else None


def core_of(surface: SparsePoints) -> Splats | None:
    """Opaque splats inside of a surface, `DEPTH` below it; none where it is thin everywhere."""
    assert surface.normals is not None, "a surface has normals"
    kept = np.unique(np.linspace(0, len(surface.positions) - 1, _POINTS).round().astype(int))
    inside = surface.positions[kept] - np.float32(DEPTH) * surface.normals[kept]
    deep = np.concatenate(
        [_distance(part, surface.positions) > _CLEAR * DEPTH for part in np.array_split(inside, _parts(len(inside)))]
    )
    if deep.sum() < 2:
        return None
    chosen = SparsePoints(inside[deep], surface.colours[kept][deep], surface.normals[kept][deep])
    made = on_surface(chosen, 1.0)
    wide = np.minimum(neighbour_distance(chosen.positions.astype(np.float64)), _WIDE).astype(np.float32)
    scales = np.stack([wide, wide, np.full_like(wide, _FLAT)], axis=1)
    opaque = torch.full((len(wide),), 0.99)
    return Splats(made["means"], made["quats"], torch.from_numpy(scales), opaque, made["sh0"])


def _parts(count: int) -> int:
    return max(1, -(-count // _CHUNK))


def _distance(points: np.ndarray, others: np.ndarray) -> np.ndarray:  # [n, 3], [m, 3] -> [n]
    squares = ((points**2).sum(axis=1)[:, None] - 2 * points @ others.T) + (others**2).sum(axis=1)
    result: np.ndarray = np.sqrt(np.maximum(squares.min(axis=1), 0))
    return result
