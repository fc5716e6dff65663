"""Does the truth agree with itself? Held-out depth, reprojected into its neighbours, meets their depth.

Co-visible pixels are those that land inside the neighbour on a continuous surface and are not behind a nearer one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plan import View
from truth import rays, read_truth

AGREE = 0.01  # metres
NEARER = 0.03  # metres by which another surface in front hides a point
SMOOTH = 0.03  # metres over which the four pixels around may differ and still be one surface


def agreement(view: View, neighbour: View, truths: Path, size: tuple[int, int]) -> tuple[int, int]:
    """(pixels that agree within a centimetre, co-visible pixels) of one pair."""
    w, h = size
    here, _ = read_truth(truths / f"{view.name}.exr")
    there, _ = read_truth(truths / f"{neighbour.name}.exr")
    seen = np.isfinite(here)
    points = view.pose()[:3, 3] + rays(view, size)[seen] * here[seen][:, None]
    local = (points - neighbour.pose()[:3, 3]) @ neighbour.pose()[:3, :3]
    z = -local[:, 2]
    ahead = z > 0.05
    local, z = local[ahead], z[ahead]
    f = neighbour.focal * w
    x, y = f * local[:, 0] / z + w / 2 - 0.5, -f * local[:, 1] / z + h / 2 - 0.5
    inside = (x >= 0) & (x < w - 1) & (y >= 0) & (y < h - 1)
    x, y, z = x[inside], y[inside], z[inside]
    i, j = y.astype(int), x.astype(int)
    around = np.stack([there[i, j], there[i, j + 1], there[i + 1, j], there[i + 1, j + 1]])
    with np.errstate(invalid="ignore"):
        one = np.isfinite(around).all(0) & (around.max(0) - around.min(0) < SMOOTH)
    a, b = x - j, y - i
    weights = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b])
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 1 / (weights / around).sum(0)
    both = one & ~(found < z - NEARER)
    return int((np.abs(found - z)[both] < AGREE).sum()), int(both.sum())


def check(name: str, views: list[View], truths: Path, size: tuple[int, int]) -> bool:
    """Print the agreement of every held-out view with its four nearest neighbours; True when 99 % agree in all."""
    total = np.zeros(2, dtype=int)
    for view in (v for v in views if v.held_out):
        forward = -view.pose()[:3, 2]
        others = [v for v in views if v is not view and forward @ -v.pose()[:3, 2] > 0.6]
        others.sort(key=lambda v: float(np.linalg.norm(np.subtract(v.eye, view.eye))))
        mine = np.sum([agreement(view, other, truths, size) for other in others[:4]], axis=0)
        print(f"{name} {view.name}: {mine[0] / max(mine[1], 1):.4%} of {mine[1]} co-visible pixels within 1 cm")
        total += mine
    share = total[0] / max(total[1], 1)
    print(f"{name}: {share:.4%} of {total[1]} co-visible pixels agree within 1 cm (wanted: 99 %)")
    return bool(share >= 0.99)
