"""Points and the points beside them: the nearest, the k nearest, one of each cell, and what hangs together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.stage.rigs.surface import nearest

Points = NDArray[np.float64]
Rows = NDArray[np.int64]

_AT_ONCE = 4_000_000  # distances that are held at once


def closest(points: Points, others: Points) -> tuple[Rows, Points]:  # [N, 3], [M, 3] -> [N], [N] metres
    """The nearest of the others for each point, the first of several, and how far it is."""
    found = nearest(points, np.repeat(others[:, None, :], 3, axis=1))
    return found.triangle, found.distance


def neighbours(points: Points, others: Points, count: int) -> tuple[Rows, Points]:  # [N, D], [M, D] -> [N, k], [N, k]
    """The `count` nearest of the others (all, where they are fewer), the nearest first, and how far they are."""
    k = min(count, len(others))
    rows, far = np.empty((len(points), k), dtype=np.int64), np.empty((len(points), k))
    step = max(1, _AT_ONCE // max(1, len(others)))
    for start in range(0, len(points), step):
        own = points[start : start + step]
        away = np.zeros((len(own), len(others)))
        for axis in range(points.shape[1]):  # axis by axis: products of matrices differ from processor to processor
            away += (own[:, None, axis] - others[None, :, axis]) ** 2
        some = np.sort(np.argpartition(away, k - 1, axis=1)[:, :k], axis=1)
        near = np.take_along_axis(away, some, axis=1)
        order = np.argsort(near, axis=1, kind="stable")
        rows[start : start + step] = np.take_along_axis(some, order, axis=1)
        far[start : start + step] = np.sqrt(np.take_along_axis(near, order, axis=1))
    return rows, far


def thinned(points: Points, apart: float) -> Rows:  # [N, 3] -> [M] ascending
    """One point of each cell of that size: the nearest to its middle, the first of several."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    cells = np.floor(points / apart).astype(np.int64)
    away = ((points - (cells + 0.5) * apart) ** 2).sum(axis=1)
    number = _numbers(cells)
    order = np.lexsort((away, number))
    own = number[order]
    return np.sort(order[np.concatenate([[True], own[1:] != own[:-1]])])


def lots(points: Points, apart: float) -> Rows:  # [N, 3] -> [N]
    """Which lot each point is of: those hang together whose cells of that size touch."""
    cells, own = np.unique(np.floor(points / apart).astype(np.int64), axis=0, return_inverse=True)
    number, size = _numbers(cells), cells.max(axis=0) - cells.min(axis=0) + 3
    order, pairs = np.argsort(number), []
    for step in np.ndindex(3, 3, 3):
        x, y, z = np.array(step) - 1
        beside = number + (x * size[1] + y) * size[2] + z
        at = np.searchsorted(number[order], beside).clip(max=len(number) - 1)
        there = number[order[at]] == beside
        pairs.append(np.stack([np.nonzero(there)[0], order[at[there]]], axis=1))
    found: Rows = connected(len(cells), np.concatenate(pairs))[own.reshape(-1)]
    return found


def connected(count: int, pairs: Rows) -> Rows:  # [P, 2] -> [count]
    """Which lot each of `count` things is of when pairs hang together: the number of the lot's first thing."""
    label = np.arange(count)
    while True:
        one, other = label[pairs[:, 0]], label[pairs[:, 1]]
        apart = one != other
        if not apart.any():
            return label
        np.minimum.at(label, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while (label[label] != label).any():
            label = label[label]


def _numbers(cells: Rows) -> Rows:  # [N, 3] -> [N]
    """One number for each cell, with room for one more around them."""
    low = cells.min(axis=0) - 1
    size = cells.max(axis=0) - low + 2
    own = cells - low
    found: Rows = (own[:, 0] * size[1] + own[:, 1]) * size[2] + own[:, 2]
    return found
