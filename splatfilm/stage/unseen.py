"""What no photograph of a face shows, because it was photographed with open eyes and a closed mouth: lids, the mouth.

The rig knows where it is: its mesh, closed and opened by the blendshapes that ARKit names. On what of it is seen then,
splats are seeded that nothing photographed. What of it was seen at rest as well has the colour that the photographed
splats show there; the rest of a lid that of its seen part; a mouth's inside darkens with its depth. The splats of the
photographs that would then lie before it, an eyeball's or those that span the lips, are made fainter, level by level.

All this is found once, when splats are bound; `face` plays it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from splatfilm.cameras import Camera
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices, symmetric
from splatfilm.stage.rigs.rig import Rig, Shape, parts_named
from splatfilm.stage.rigs.surface import normals
from splatfilm.stage.sight import Heights, Spread, Ways, spread, thinned, ways

UNSEEN_VERSION = 1
"""Raised whenever the same rig and splats would be given other seeds."""
LEVELS = 8
"""Steps between rest and a shape's full weight in which it is found what lies before the seeds."""

Posed = Callable[[Mapping[str, float]], Splats]
"""The photographed splats, on the CPU, with blendshapes at those weights and no bone moved."""

_EYES = ("eyeBlinkLeft", "eyeBlinkRight")
_JAW = "jawOpen"
_TOUCHED = 0.002  # of a shape's farthest offset: a vertex that moves less is not a lid's
_APART = 0.0014  # metres between seeds
_APART_ELSEWHERE = 0.0028  # and deep inside of a mouth and around it
_AT_LIPS = 0.006  # metres from where the mouth's inside begins
_OPAQUE = 0.97
_SPREAD = 0.75  # of that: a seed's deviation
_FEWEST = 12  # seeds of a part, and as many of them seen at rest
_ROUND_MOUTH = (0.010, 0.022)  # metres around a mouth's inside: seeded too, and thinning out to there
_TOGETHER = 0.006  # metres: what is farther from a mouth's inside is not of it
_DEEP = 0.0025  # metres: so deep in a mouth it is darker by e
_DARKEST = (0.035, 0.022, 0.02)  # of a mouth's inside
_ALIKE = 80  # seeds nearby, seen at rest, that say what colour one has that was not
_BRIGHTER = 0.6  # share of those that are darker: a fold's shadow is not a lid's colour
_IN_THE_FOLD = (0.004, 0.009)  # metres from what was hidden at rest: in its fold's shadow, and out of it
_BESIDE = 0.005  # metres before a mouth's inside, or behind a lid, that are cleared
_LIDS, _LIPS = (0.3, 0.8), (0.01, 0.12)  # of a splat before the seeds: at less it stays, at more it goes
_AROUND = 0.012  # metres around seeds in which something may lie before them
_STAYS = 0.5  # of how far the farthest moves: what moves less stays in its fold
_EVEN = 7  # neighbours that smooth what was guessed
_FRONT = ways((-40.0, -20.0, 0.0, 20.0, 40.0), (-25.0, 0.0, 25.0))
_AHEAD = ways((-25.0, 0.0, 25.0), (0.0,))
_FROM_AFAR = 1.0  # metres: from there colours are looked at
_PIXEL = 0.0007  # metres

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Unseen:
    """What is seeded for one blendshape, and what it makes fainter."""

    shape: str
    triangle: NDArray[np.int64]  # [M] of the rig's mesh
    known: NDArray[np.bool_]  # [M] whether it is as it is seen at rest; otherwise as it is at the shape's full weight
    shares: Floats  # [M, 3] of its corners
    side: NDArray[np.float32]  # [M] 1 or -1: whether its triangle is wound as it is to be seen
    colours: NDArray[np.float32]  # [M, 3] display-referred
    deviations: NDArray[np.float32]  # [M] metres along the triangle
    opacities: NDArray[np.float32]  # [M] when it is all there
    rows: NDArray[np.int64]  # [F] of the photographed splats, ascending
    kept: NDArray[np.float32]  # [LEVELS + 1, F] share of their opacity at each level; 1 at rest

    def __len__(self) -> int:
        return len(self.triangle)


def unseen(rig: Rig, parts: tuple[str, ...], posed: Posed) -> tuple[Unseen, ...]:
    """Everything that a layer on the mesh's `parts` lacks. None without a mesh, shapes, or anything to learn from."""
    if rig.mesh is None or not rig.mesh.shapes:
        return ()
    found = []
    for shape in rig.mesh.shapes:
        if shape.name in (*_EYES, _JAW) and len(shape.vertices):
            one = _Place(rig, parts, shape).unseen(posed)
            if one is not None:
                found.append(one)
    return tuple(found)


class _Place:
    """Where on the mesh a blendshape shows what was hidden."""

    def __init__(self, rig: Rig, parts: tuple[str, ...], shape: Shape) -> None:
        assert rig.mesh is not None, "there is a mesh"
        mesh, self.shape = rig.mesh, shape
        far = np.sqrt((shape.offsets**2).sum(axis=1))
        moved = np.zeros(len(mesh.vertices), dtype=bool)
        moved[shape.vertices[far > _TOUCHED * far.max()]] = True
        own = parts_named(mesh, parts)
        touched = moved[mesh.triangles].any(axis=1) & own
        corners = mesh.vertices[mesh.triangles[touched]].reshape(-1, 3)
        self.empty = not len(corners)
        if self.empty:
            return
        reach = 0.02 + np.abs(shape.offsets).max()
        low, high = corners.min(axis=0) - reach, corners.max(axis=0) + reach
        middle = mesh.vertices[mesh.triangles].mean(axis=1)
        self.chosen = np.nonzero(own & (middle > low).all(axis=1) & (middle < high).all(axis=1))[0]
        self.touched = touched[self.chosen]
        self.rest = mesh.vertices[mesh.triangles[self.chosen]].astype(np.float64)
        offsets = np.zeros_like(mesh.vertices)
        offsets[shape.vertices] = shape.offsets
        self.offsets = offsets[mesh.triangles[self.chosen]]
        self.surface = spread((self.rest, self.full))
        self.sides = np.ones(len(self.chosen))  # [T] -1 where triangles are wound the other way
        self.sides = self._outsides(_pieces(self.rest))

    @property
    def full(self) -> Floats:
        """The corners at the shape's full weight."""
        return self.rest + self.offsets

    def _outsides(self, piece: NDArray[np.int64]) -> Floats:  # [T] -> [T]
        """For each piece of the mesh whether what is seen of it faces the eye, as its triangles are wound."""
        found = np.zeros(int(piece.max()) + 1)
        for level in (0.0, 1.0):
            below = self.heights(level, _AHEAD).above(self.surface.at(self.rest + level * self.offsets))
            facing = self._facing(self.surface, level)
            for own, view in zip(below, _AHEAD, strict=True):
                found += np.bincount(piece[self.surface.triangle], (own <= 0) * (facing @ view[2]), len(found))
        return np.where(found < 0, -1.0, 1.0)[piece]

    def heights(self, level: float, views: Ways) -> Heights:
        """What is seen at a weight of the shape."""
        return Heights(self.surface.at(self.rest + level * self.offsets), views)

    def _facing(self, seeds: Spread, level: float) -> Floats:
        """The outward normals of points at a weight of the shape."""
        found: Floats = (self.sides[:, None] * normals(self.rest + level * self.offsets))[seeds.triangle]
        return found

    def unseen(self, posed: Posed) -> Unseen | None:
        """What is lacking here."""
        if self.empty:
            return None
        before, after = self.heights(0.0, _FRONT), self.heights(1.0, _FRONT)
        seeds = self.surface
        if self.shape.name != _JAW:
            seeds = seeds.only(self.touched[seeds.triangle])
        seeds = seeds.only(after.seen(seeds.at(self.full), self._facing(seeds, 1.0)).any(axis=0))
        hidden = ~before.seen(seeds.at(self.rest), None).any(axis=0)
        if self.shape.name == _JAW:
            seeds, hidden = self._mouth(seeds, hidden)
        seeds, hidden, apart = self._thinned(seeds, hidden)
        if hidden.sum() < _FEWEST or (~hidden).sum() < _FEWEST:
            return None
        points, mouth = seeds.at(self.full), self.shape.name == _JAW
        away = cKDTree(points[hidden]).query(points)[0]  # from what was hidden
        colours = self._colours(seeds, away, before, posed({}))
        if colours is None:
            return None
        rows, kept = self._fainter(seeds, hidden, posed)
        close, far = _ROUND_MOUTH
        edge = _eased((far - away) / (far - close)) if mouth else np.ones(len(away))
        triangle = self.chosen[seeds.triangle]
        floats = self.sides[seeds.triangle], colours, _SPREAD * apart, _OPAQUE * edge
        numbers = (part.astype(np.float32) for part in floats)
        return Unseen(self.shape.name, triangle, ~hidden & mouth, seeds.shares, *numbers, rows, kept)

    def _thinned(self, seeds: Spread, hidden: NDArray[np.bool_]) -> tuple[Spread, NDArray[np.bool_], Floats]:
        """Seeds as far from one another as they are to be, and how far that is."""
        points = seeds.at(self.full)
        chosen = thinned(points, _APART) if len(points) else np.zeros(0, dtype=np.int64)
        apart = np.full(len(chosen), _APART)
        if self.shape.name == _JAW and hidden[chosen].any() and not hidden[chosen].all():
            far = np.zeros(len(chosen), dtype=bool)
            for side in (hidden[chosen], ~hidden[chosen]):
                other = cKDTree(points[chosen[~side]])
                far[side] = other.query(points[chosen[side]])[0] > _AT_LIPS
            plain = chosen[far][thinned(points[chosen[far]], _APART_ELSEWHERE)]
            chosen = np.concatenate([chosen[~far], plain])
            apart = np.repeat([_APART, _APART_ELSEWHERE], [len(chosen) - len(plain), len(plain)])
        return seeds.only(chosen), hidden[chosen], apart

    def _mouth(self, seeds: Spread, hidden: NDArray[np.bool_]) -> tuple[Spread, NDArray[np.bool_]]:
        """Of what an open jaw shows anew the largest piece that hangs together, and what is around it."""
        points = seeds.at(self.full)
        inside = _largest(points, np.nonzero(hidden)[0])
        if not len(inside):
            return seeds.only(inside), hidden[inside]
        near = cKDTree(points[inside]).query(points, distance_upper_bound=_ROUND_MOUTH[1])[0] < _ROUND_MOUTH[1]
        near &= ~hidden
        near[inside] = True
        rows = np.nonzero(near)[0]
        return seeds.only(rows), hidden[rows]

    def _colours(self, seeds: Spread, away: Floats, before: Heights, rest: Splats) -> Floats | None:
        """What seeds show: what is seen there at rest or, of hidden ones (`away` is 0), what they are taken to be."""
        found, sure = _looked_at(seeds.at(self.rest), self._facing(seeds, 0.0), before, rest)
        mouth = self.shape.name == _JAW
        near, far = (0.0, 1e-9) if mouth else _IN_THE_FOLD
        clear, moved = _eased((away - near) / (far - near)), np.sqrt((seeds.at(self.offsets) ** 2).sum(axis=1))
        stays = 1 - _eased(moved / (_STAYS * moved.max()))  # and its fold with it
        trust = np.where((sure > 0) & (away > 0), np.maximum(clear, stays), 0.0)[:, None]
        good = np.nonzero((sure > 0) & (clear > 0.5))[0]
        if len(good) < _FEWEST:
            return None
        points, known = seeds.at(self.full), found[good]
        deep, alike = cKDTree(points[good]).query(points, k=min(_ALIKE, len(good)))
        if mouth:
            dark = np.exp(-np.maximum(deep[:, :1] - 1.5 * _APART, 0.0) / _DEEP)
            guessed = known[alike[:, 0]] * dark + np.array(_DARKEST) * (1 - dark)
        else:
            bright = known.sum(axis=1)[alike]
            bright = bright >= np.quantile(bright, _BRIGHTER, axis=1, keepdims=True)
            guessed = (known[alike] * bright[..., None]).sum(axis=1) / bright.sum(axis=1, keepdims=True)
        mixed = trust * found + (1 - trust) * guessed
        even = mixed[cKDTree(points).query(points, k=min(_EVEN, len(points)))[1]].mean(axis=1)
        return trust * mixed + (1 - trust) * even

    def _fainter(
        self, seeds: Spread, hidden: NDArray[np.bool_], posed: Posed
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Which photographed splats lie before the seeds, and what is left of them at each level."""
        mouth = self.shape.name == _JAW
        shown = seeds.only(hidden) if mouth else seeds
        shares = [np.zeros(len(posed({})))]
        for level in range(1, LEVELS + 1):
            weight = level / LEVELS
            points = shown.at(self.rest + weight * self.offsets)
            surface = self.surface.at(self.rest + weight * self.offsets)
            around = (surface > points.min(axis=0) - _AROUND) & (surface < points.max(axis=0) + _AROUND)
            free = Heights(surface[around.all(axis=1)], _AHEAD).seen(points, self._facing(shown, weight))
            splats = posed({self.shape.name: weight})
            near = _near(splats, points)
            spots = _spots(splats, near)
            share = np.zeros(len(splats))
            for view, open_ in zip(_AHEAD, free, strict=True):
                if open_.any():
                    below = Heights(points[open_], view[None], 1.5 * _APART).above(spots)[0].reshape(len(near), -1)
                    before = (below > -np.inf) & (below < (_APART if mouth else _BESIDE))
                    share[near] = np.maximum(share[near], before.mean(axis=1))
            shares.append(np.maximum(share, shares[-1]))
        stays, goes = _LIPS if mouth else _LIDS
        left = 1 - _eased((np.stack(shares) - stays) / (goes - stays))
        rows = np.nonzero(left[-1] < 1)[0]
        return rows, left[:, rows].astype(np.float32)


def _pieces(corners: Floats) -> NDArray[np.int64]:  # [T, 3, 3] -> [T]
    """Which piece each triangle is of: those hang together that share a corner's place."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, place = np.unique(np.round(corners.reshape(-1, 3) * 1e7).astype(np.int64), axis=0, return_inverse=True)
    held = place.reshape(-1, 3)
    count = int(held.max()) + 1
    links = (np.ones(2 * len(held)), (np.repeat(held[:, 0], 2), held[:, 1:].ravel()))
    _, lot = connected_components(coo_array(links, shape=(count, count)), directed=False)
    found: NDArray[np.int64] = lot[held[:, 0]]
    return found


def _eased(past: Floats) -> Floats:
    """From 0 to 1, smoothly."""
    past = np.clip(past, 0.0, 1.0)
    return past * past * (3 - 2 * past)


def _largest(points: Floats, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of these rows the largest lot whose points are near one another."""
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return rows
    some = rows[thinned(points[rows], _TOGETHER / 3)]
    tree = cKDTree(points[some])
    _, lot = connected_components(tree.sparse_distance_matrix(tree, _TOGETHER), directed=False)
    best = np.bincount(lot).argmax()
    own: NDArray[np.int64] = rows[lot[tree.query(points[rows])[1]] == best]
    return own


def _looked_at(points: Floats, facing: Floats, before: Heights, rest: Splats) -> tuple[Floats, Floats]:
    """The colours of points as splats show them from before the face, and how sure they are: [N, 3], [N]."""
    from splatfilm.render import render

    total, weights = np.zeros((len(points), 3)), np.zeros(len(points))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = int(np.ceil(np.sqrt(((points - middle) ** 2).sum(axis=1).max()) / _PIXEL)) + 2
    for view, seen in zip(_FRONT, before.seen(points, None), strict=True):
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2] = view[0], -view[1], -view[2]
        pose[:3, 3] = middle + _FROM_AFAR * view[2]
        focal = _FROM_AFAR / _PIXEL
        with torch.no_grad():
            frame = render(rest, Camera(pose, focal, focal, half, half, 2 * half, 2 * half), backend="cpu")
        cover = frame.alpha.numpy().astype(np.float64)
        own = (points - pose[:3, 3]) @ pose[:3, :3]
        x, y = (np.clip((focal * own[:, k] / own[:, 2] + half).astype(int), 0, 2 * half - 1) for k in (0, 1))
        weight = np.where(seen, np.maximum(facing @ view[2], 0.05) ** 2, 0.0) * (cover[y, x] > 0.5)
        colour = frame.beauty.clamp(0, 1).numpy()[y, x] / np.maximum(cover[y, x], 1e-3)[:, None]
        total += weight[:, None] * np.clip(colour, 0, 1)
        weights += weight
    return total / np.maximum(weights, 1e-12)[:, None], weights


def _near(splats: Splats, points: Floats) -> NDArray[np.int64]:
    """Rows of splats that reach points, or stand a little before them."""
    means, reach = splats.means.numpy(), 2.5 * splats.scales.numpy().max(axis=1) + 0.01
    low, high = points.min(axis=0) - reach.max(), points.max(axis=0) + reach.max()
    some = np.nonzero(((means > low) & (means < high)).all(axis=1))[0]
    if not len(some):
        return some
    return some[cKDTree(points).query(means[some])[0] < reach[some]]


def _spots(splats: Splats, rows: NDArray[np.int64]) -> Floats:  # -> [len(rows) * 96, 3]
    """Points spread as splats are."""
    own = splats.only(torch.from_numpy(rows))
    axes = rotation_matrices(own.quats) * own.scales[:, None, :]
    if own.stretches is not None:
        axes = symmetric(own.stretches) @ axes
    spots = torch.from_numpy(_normal_points().astype(np.float32)) @ axes.transpose(1, 2) + own.means[:, None, :]
    found: Floats = spots.reshape(-1, 3).numpy().astype(np.float64)
    return found


def _normal_points() -> Floats:  # [96, 3]
    """Points spread as a normal distribution is: on spheres about which equal shares of it lie."""
    k = np.arange(32) + 0.5
    z, turn = 1 - 2 * k / 32, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    return np.concatenate([radius * ball for radius in (0.93, 1.54, 2.25)])  # sixths of chi with 3 degrees


def coefficients(colours: NDArray[np.float32], count: int) -> NDArray[np.float32]:  # [M, 3] -> [M, K, 3]
    """Display-referred colours as they are from everywhere."""
    sh = np.zeros((len(colours), count, 3), dtype=np.float32)
    sh[:, 0] = (colours - 0.5) / SH_C0
    return sh
