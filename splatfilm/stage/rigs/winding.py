"""Which way the triangles of a mesh are wound: trims and buttons often are the other way round than their cloth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from splatfilm.stage.rigs.rig import Ints, Rig

SAME = 1e-5  # metres: vertices that are nearer are one, whatever seams of textures divide them
CLOSED = 0.1  # of a piece's edges that have one triangle at most: more, and it has no inside


@lru_cache(maxsize=8)
def wound_outwards(rig: Rig) -> Ints:  # [T, 3]
    """The mesh's triangles, those of closed pieces that are wound inwards turned over."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = rig.mesh.triangles
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    piece = _pieces(rig.mesh.vertices, triangles)
    count = int(piece.max()) + 1
    sums = [np.bincount(piece, corners[:, :, k].mean(axis=1), count) for k in range(3)]
    middle = np.stack(sums, axis=1) / np.bincount(piece, minlength=count)[:, None]
    a, b, c = (corners - middle[piece][:, None]).transpose(1, 0, 2)
    volume = np.bincount(piece, (np.cross(a, b) * c).sum(axis=1), count)
    inwards = (volume < 0) & (_open_share(rig.mesh.vertices, triangles, piece, count) <= CLOSED)
    return np.where(inwards[piece][:, None], triangles[:, ::-1], triangles)


def _merged(vertices: NDArray[np.floating], triangles: Ints) -> NDArray[np.int64]:  # [T, 3]
    """Triangles by their places instead of their vertices."""
    cells = np.round(vertices / SAME).astype(np.int64)
    _, place = np.unique(cells, axis=0, return_inverse=True)
    found: NDArray[np.int64] = place.reshape(-1)[triangles]
    return found


def _pieces(vertices: NDArray[np.floating], triangles: Ints) -> NDArray[np.int64]:  # [T]
    """Which connected piece each triangle is of."""
    places = _merged(vertices, triangles)
    label = np.arange(int(places.max()) + 1)
    while True:
        before = label.copy()
        least = label[places].min(axis=1)
        for corner in range(3):
            np.minimum.at(label, places[:, corner], least)
        label = label[label]
        if np.array_equal(label, before):
            break
    return np.unique(label[places[:, 0]], return_inverse=True)[1].reshape(-1).astype(np.int64)


def _open_share(
    vertices: NDArray[np.floating], triangles: Ints, piece: NDArray[np.int64], count: int
) -> NDArray[np.float64]:  # [count]
    """The share of each piece's edges that only one triangle has."""
    places = _merged(vertices, triangles)
    pairs = np.sort(np.concatenate([places[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    _, number, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    alone = times[number.reshape(-1)] == 1
    whose = np.tile(piece, 3)
    found: NDArray[np.float64] = np.bincount(whose, alone, count) / np.bincount(whose, minlength=count)
    return found
