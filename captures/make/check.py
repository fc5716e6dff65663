"""Does the truth agree with itself? Held-out depth, reprojected into its neighbours, meets their depth.

Co-visible pixels are those that land inside the neighbour on a continuous surface that faces the same way and does not
stand in front of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plan import View
from truth import rays, read_truth

AGREE = {"set": 0.01, "character": 0.004, "prop": 0.002}  # metres
IN_FRONT = 3  # tolerances by which another surface in front hides a point
SMOOTH = 3  # tolerances over which the four pixels around may differ and still be one surface
SAME_WAY = 0.8  # cosine between two pixels' normals on one surface


def agreement(view: View, neighbour: View, truths: Path, size: tuple[int, int], agree: float) -> tuple[int, int]:
    """(pixels that agree within `agree` metres, co-visible pixels) of one pair."""
    w, h = size
    here, facing = read_truth(truths / f"{view.name}.exr")
    there, facing_there = read_truth(truths / f"{neighbour.name}.exr")
    seen = np.isfinite(here)
    points = view.pose()[:3, 3] + rays(view, size)[seen] * here[seen][:, None]
    local = (points - neighbour.pose()[:3, 3]) @ neighbour.pose()[:3, :3]
    z, n = -local[:, 2], facing[seen]
    ahead = z > 0.05
    local, z, n = local[ahead], z[ahead], n[ahead]
    f = neighbour.focal * w
    x, y = f * local[:, 0] / z + w / 2 - 0.5, -f * local[:, 1] / z + h / 2 - 0.5
    inside = (x >= 0) & (x < w - 1) & (y >= 0) & (y < h - 1)
    x, y, z, n = x[inside], y[inside], z[inside], n[inside]
    i, j = y.astype(int), x.astype(int)
    around = np.stack([there[i, j], there[i, j + 1], there[i + 1, j], there[i + 1, j + 1]])
    with np.errstate(invalid="ignore"):
        one = np.isfinite(around).all(0) & (around.max(0) - around.min(0) < SMOOTH * agree)
    a, b = x - j, y - i
    weights = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b])
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 1 / (weights / around).sum(0)
    same_way = (facing_there[np.round(y).astype(int), np.round(x).astype(int)] * n).sum(-1) > SAME_WAY
    both = one & same_way & ~(found < z - IN_FRONT * agree)
    return int((np.abs(found - z)[both] < agree).sum()), int(both.sum())


def check(name: str, kind: str, views: list[View], truths: Path, size: tuple[int, int]) -> bool:
    """Print the agreement of every held-out view with its four nearest neighbours; True when 99 % agree in all."""
    total, agree = np.zeros(2, dtype=int), AGREE[kind]
    for view in (v for v in views if v.held_out):
        forward = -view.pose()[:3, 2]
        others = [v for v in views if v is not view and forward @ -v.pose()[:3, 2] > 0.6]
        others.sort(key=lambda v: float(np.linalg.norm(np.subtract(v.eye, view.eye))))
        mine = np.sum([agreement(view, other, truths, size, agree) for other in others[:4]], axis=0)
        print(f"{name} {view.name}: {mine[0] / max(mine[1], 1):.4%} of {mine[1]} co-visible within {agree * 1000:g} mm")
        total += mine
    share = total[0] / max(total[1], 1)
    print(f"{name}: {share:.4%} of {total[1]} co-visible pixels agree within {agree * 1000:g} mm (wanted: 99 %)")
    return bool(share >= 0.99)
