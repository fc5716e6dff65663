"""What no photograph of a face shows, because it was photographed with open eyes and a closed mouth: lids, the mouth.

The rig knows where it is: its mesh, closed and opened by the blendshapes that ARKit names. On what of it is seen then,
splats are seeded that nothing photographed. What was seen at rest as well has the colour that the photographed splats
show there; the rest of a lid that of its seen part, out of its fold's shadow; a mouth's inside darkens with its depth.
Photographed splats that would lie before it, an eyeball's or those that span the lips, become fainter, level by level.

All this is found once, when splats are bound; `face` plays it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from splatfilm.cameras import Camera
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices, symmetric
from splatfilm.stage.neighbours import closest, lots, neighbours, thinned
from splatfilm.stage.region import AHEAD, Region
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.sight import Heights, Spread, along, views

UNSEEN_VERSION = 1
"""Raised whenever the same rig and splats would be given other seeds."""
LEVELS = 8
"""Steps between rest and a shape's full weight in which it is found what lies before the seeds."""

Posed = Callable[[Mapping[str, float]], Splats]
"""The photographed splats, on the CPU, with blendshapes at those weights and no bone moved."""

_EYES, _JAW = ("eyeBlinkLeft", "eyeBlinkRight"), "jawOpen"
_FEWEST = 12  # seeds that were hidden at rest, and as many that were seen, or nothing is seeded
_APART = 0.0015  # metres between seeds
_APART_ELSEWHERE = 0.0036  # and deep inside of a mouth and around it
_AT_LIPS = 0.006  # metres from where a mouth's inside begins
_SPREAD, _OPAQUE = 0.75, 0.97  # a seed's deviation, of how far seeds are apart, and how opaque it is
_ROUND_MOUTH = (0.010, 0.022)  # metres around a mouth's inside: seeded too, and thinning out to there
_TOGETHER = 0.004  # metres: cells that hang together where they touch
_DEEP = 0.0025  # metres: so deep in a mouth it is darker by e
_DARKEST = (0.035, 0.022, 0.02)  # of a mouth's inside, display-referred
_ALIKE = 80  # seeds nearby, seen at rest, that say what colour one has that was not
_BRIGHTER = 0.6  # share of those that are darker: a fold's shadow is not a lid's colour
_IN_THE_FOLD = (0.004, 0.009)  # metres from what was hidden at rest: in its fold's shadow, and out of it
_STAYS = 0.5  # of how far the farthest moves: what moves less stays in its fold
_EVEN = 7  # neighbours that smooth what was guessed
_BEHIND_LIDS, _BEHIND_LIPS = 0.005, 0.004  # metres behind seeds that are cleared with what is before them
_LIDS, _LIPS = (0.3, 0.8), (0.01, 0.12)  # of a splat before the seeds: at less it stays, at more it goes
_AROUND = (0.03, 0.06, 0.012)  # metres to the sides of seeds, before and above them, where something may hide them
_CELL = 1.5 * _APART  # of the map of seeds that splats are held against
_FRONT = views((-40.0, -15.0, 15.0, 40.0), (-25.0, 0.0, 25.0))
_FROM_AFAR, _PIXEL = 1.0, 0.0007  # metres: how colours are looked at
_COVERED = 0.5  # of a pixel, for it to say what colour something has
_TURNED = 0.05  # cosine towards the eye of what is seen edge-on, or from behind

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Unseen:
    """What is seeded for one blendshape, and what it makes fainter."""

    shape: str
    triangle: Rows  # [M] of the rig's mesh
    shares: Floats  # [M, 3] of its corners
    known: NDArray[np.bool_]  # [M] whether it is as it is seen at rest; otherwise as it is at the shape's full weight
    side: NDArray[np.float32]  # [M] 1 or -1: whether its triangle is wound as it is to be seen
    colours: NDArray[np.float32]  # [M, 3] display-referred
    deviations: NDArray[np.float32]  # [M] metres along the triangle
    opacities: NDArray[np.float32]  # [M] when it is all there
    rows: Rows  # [F] of the photographed splats, ascending
    kept: NDArray[np.float32]  # [LEVELS + 1, F] share of their opacity at each level; 1 at rest

    def __len__(self) -> int:
        return len(self.triangle)


def unseen(rig: Rig, parts: tuple[str, ...], posed: Posed) -> tuple[Unseen, ...]:
    """Everything that a layer on the mesh's `parts` lacks. None without a mesh, shapes, or anything to learn from."""
    mesh, found = rig.mesh, []
    for shape in () if mesh is None else mesh.shapes:
        if shape.name not in (*_EYES, _JAW):
            continue
        assert mesh is not None, "it has shapes"
        try:
            region = Region(mesh, parts, shape)
        except ValueError:  # another layer's
            continue
        one = _found(region, shape.name, posed)
        if one is not None:
            found.append(one)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Seeds:
    """Points on a region where splats are seeded."""

    spread: Spread
    hidden: NDArray[np.bool_]  # [M] at rest
    apart: Floats  # [M] metres


def _found(region: Region, shape: str, posed: Posed) -> Unseen | None:
    """What is lacking of a region; None where nothing is, or nothing can be said of it."""
    mouth, before = shape == _JAW, region.heights(0.0, _FRONT)
    seeds = _seeds(region, mouth, before)
    if seeds.hidden.sum() < _FEWEST or (~seeds.hidden).sum() < _FEWEST:
        return None
    points = seeds.spread.at(region.corners(1.0))
    away = closest(points, points[seeds.hidden])[1]  # from what was hidden
    seen, sure = _looked_at(region, seeds.spread, before, posed({}))
    colours = _in_mouth(points, seen, sure * ~seeds.hidden) if mouth else _on_lids(region, seeds, away, seen, sure)
    if colours is None:
        return None
    near, far = _ROUND_MOUTH
    edge = _eased((far - away) / (far - near)) if mouth else np.ones(len(away))
    floats = region.sides[seeds.spread.triangle], colours, _SPREAD * seeds.apart, _OPAQUE * edge
    numbers = [part.astype(np.float32) for part in floats]
    triangle = region.triangles[seeds.spread.triangle]
    known, fainter = ~seeds.hidden & mouth, _fainter(region, shape, seeds, posed)
    return Unseen(shape, triangle, seeds.spread.shares, known, numbers[0], numbers[1], numbers[2], numbers[3], *fainter)


def _seeds(region: Region, mouth: bool, before: Heights) -> _Seeds:
    """Where to seed: what is seen at the shape's full weight of lids or, of a mouth, of its inside and around it."""
    spread, full = region.surface, region.corners(1.0)
    if not mouth:
        spread = spread.only(region.touched[spread.triangle])
    after = region.heights(1.0, _FRONT)
    spread = spread.only(np.any(after.seen(spread.at(full), region.facing(spread, 1.0)), axis=0))
    hidden = ~np.asarray(np.any(before.seen(spread.at(region.corners(0.0)), None), axis=0))
    if mouth:
        rows = _in_and_around(spread.at(full), hidden)
        spread, hidden = spread.only(rows), hidden[rows]
    points = spread.at(full)
    chosen = thinned(points, _APART)
    if not mouth or hidden[chosen].all() or not hidden[chosen].any():
        return _Seeds(spread.only(chosen), hidden[chosen], np.full(len(chosen), _APART))
    far, inside = np.zeros(len(chosen), dtype=bool), hidden[chosen]
    flat = points[chosen] * np.array([1.0, 0.0, 1.0])  # lips are seen before what is far behind them
    far[inside] = closest(points[chosen[inside]], points[chosen[~inside]])[1] > _AT_LIPS
    far[~inside] = closest(flat[~inside], flat[inside])[1] > _AT_LIPS
    plain = chosen[far][thinned(points[chosen[far]], _APART_ELSEWHERE)]
    chosen = np.concatenate([chosen[~far], plain])
    apart = np.repeat([_APART, _APART_ELSEWHERE], [len(chosen) - len(plain), len(plain)])
    return _Seeds(spread.only(chosen), hidden[chosen], apart)


def _in_and_around(points: Floats, hidden: NDArray[np.bool_]) -> Rows:
    """Of what an open jaw shows anew the largest piece that hangs together, and what is around it."""
    rows = np.nonzero(hidden)[0]
    if not len(rows):
        return rows
    lot = lots(points[rows], _TOGETHER)
    inside = rows[lot == np.bincount(lot).argmax()]
    near = ~hidden & (closest(points, points[inside[thinned(points[inside], _APART)]])[1] < _ROUND_MOUTH[1])
    near[inside] = True
    return np.nonzero(near)[0]


def _looked_at(region: Region, spread: Spread, before: Heights, rest: Splats) -> tuple[Floats, Floats]:
    """The colours of points as splats show them at rest from before the face, and how sure they are: [N, 3], [N].

    Points on the far side of an edge have the edge's: they are not to be told from it in a picture.
    """
    from splatfilm.render import render

    points, facing = spread.at(region.corners(0.0)), region.facing(spread, 0.0)
    total, weights = np.zeros((len(points), 3)), np.zeros(len(points))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = int(np.ceil(np.sqrt(((points - middle) ** 2).sum(axis=1).max()) / _PIXEL)) + 2
    focal = _FROM_AFAR / _PIXEL
    for view, seen in zip(_FRONT, before.seen(points, None), strict=True):
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2] = view[0], -view[1], -view[2]
        pose[:3, 3] = middle + _FROM_AFAR * view[2]
        with torch.no_grad():
            frame = render(rest, Camera(pose, focal, focal, half, half, 2 * half, 2 * half), backend="cpu")
        own = points - pose[:3, 3]
        x, y = (np.floor(focal * along(own, pose[:3, k]) / along(own, pose[:3, 2]) + half) for k in (0, 1))
        at = tuple(part.clip(0, 2 * half - 1).astype(np.int64) for part in (y, x))
        cover = frame.alpha.numpy()[at].astype(np.float64)
        weight = np.maximum(along(facing, view[2]), _TURNED) ** 2 * seen * (cover > _COVERED)
        colour = frame.beauty.clamp(0, 1).numpy()[at] / np.maximum(cover, 1e-3)[:, None]
        total += weight[:, None] * np.clip(colour, 0, 1)
        weights += weight
    return total / np.maximum(weights, 1e-12)[:, None], weights


def _in_mouth(points: Floats, seen: Floats, sure: Floats) -> Floats | None:  # -> [M, 3]
    """What a mouth's seeds show: what is seen there at rest and, deeper and deeper in, less and less of it."""
    good = np.nonzero(sure > 0)[0]
    if len(good) < _FEWEST:
        return None
    nearest, deep = closest(points, points[good])
    dark = np.exp(-np.maximum(deep - 1.5 * _APART, 0.0) / _DEEP)[:, None]
    guessed = seen[good[nearest]] * dark + np.array(_DARKEST) * (1 - dark)
    return _smoothed(points, np.where(sure > 0, 1.0, 0.0)[:, None], seen, guessed)


def _on_lids(region: Region, seeds: _Seeds, away: Floats, seen: Floats, sure: Floats) -> Floats | None:  # -> [M, 3]
    """What lids show: what is seen of them at rest, but what comes out of a fold is taken for what lies before it."""
    near, far = _IN_THE_FOLD
    clear = _eased((away - near) / (far - near))
    moved = np.sqrt((seeds.spread.at(region.offsets) ** 2).sum(axis=1))
    stays = 1 - _eased(moved / (_STAYS * moved.max()))
    good = np.nonzero((sure > 0) & (clear > 0.5))[0]
    if len(good) < _FEWEST:
        return None
    points = seeds.spread.at(region.corners(1.0))
    alike = good[neighbours(points, points[good], _ALIKE)[0]]
    bright = seen.sum(axis=1)[alike]
    bright = bright >= np.sort(bright, axis=1)[:, int(_BRIGHTER * (alike.shape[1] - 1)), None]
    guessed = (seen[alike] * bright[..., None]).sum(axis=1) / bright.sum(axis=1, keepdims=True)
    trust = np.where((sure > 0) & ~seeds.hidden, np.maximum(clear, stays), 0.0)[:, None]
    return _smoothed(points, trust, seen, guessed)


def _smoothed(points: Floats, trust: Floats, seen: Floats, guessed: Floats) -> Floats:
    """Colours as they are seen or guessed; what is guessed blends into what is around it."""
    mixed = trust * seen + (1 - trust) * guessed
    found: Floats = trust * mixed + (1 - trust) * mixed[neighbours(points, points, _EVEN)[0]].mean(axis=1)
    return found


def _fainter(region: Region, shape: str, seeds: _Seeds, posed: Posed) -> tuple[Rows, NDArray[np.float32]]:
    """Which photographed splats lie before the seeds, and what is left of them at each level."""
    mouth = shape == _JAW
    shown = seeds.spread.only(seeds.hidden) if mouth else seeds.spread
    ends = [shown.at(region.corners(weight)) for weight in (0.0, 1.0)]
    around = region.about(np.concatenate(ends), np.array(_AROUND))
    shares = [np.zeros(len(posed({})))]
    for level in range(1, LEVELS + 1):
        corners = region.corners(level / LEVELS)
        points = shown.at(corners)
        open_ = Heights(around.at(corners), AHEAD).seen(points, region.facing(shown, level / LEVELS))
        splats = posed({shape: level / LEVELS})
        near = _near(splats, points)
        spots, share = _spots(splats, near), shares[-1].copy()
        for view, own in zip(AHEAD, open_, strict=True):
            if own.any() and len(near):
                below = Heights(points[own], view[None], _CELL).above(spots)[0].reshape(len(near), -1)
                before = (below > -np.inf) & (below < (_BEHIND_LIPS if mouth else _BEHIND_LIDS))
                share[near] = np.maximum(share[near], before.mean(axis=1))
        shares.append(share)
    stays, goes = _LIPS if mouth else _LIDS
    left = 1 - _eased((np.stack(shares) - stays) / (goes - stays))
    rows = np.nonzero(left[-1] < 1)[0]
    return rows, np.ascontiguousarray(left[:, rows], dtype=np.float32)


def _near(splats: Splats, points: Floats) -> Rows:
    """Rows of splats that reach points, or stand a little before them."""
    means = splats.means.numpy().astype(np.float64)
    reach = 2.5 * splats.scales.numpy().max(axis=1) + 0.01
    low, high = points.min(axis=0) - reach.max(), points.max(axis=0) + reach.max()
    some = np.nonzero(((means > low) & (means < high)).all(axis=1))[0]
    return some[closest(means[some], points)[1] < reach[some]] if len(some) else some


def _spots(splats: Splats, rows: Rows) -> Floats:  # -> [len(rows) * 96, 3]
    """Points spread as splats are."""
    own = splats.only(torch.from_numpy(rows))
    axes = rotation_matrices(own.quats) * own.scales[:, None, :]
    if own.stretches is not None:
        stretch = symmetric(own.stretches)
        axes = torch.stack([(stretch * axes[:, None, :, k]).sum(dim=2) for k in range(3)], dim=2)
    columns, ball = axes.numpy().astype(np.float64), _normal_points()
    spots = own.means.numpy().astype(np.float64)[:, None, :]
    for k in range(3):
        spots = spots + ball[None, :, k, None] * columns[:, None, :, k]
    found: Floats = spots.reshape(-1, 3)
    return found


def _normal_points() -> Floats:  # [96, 3]
    """Points spread as a normal distribution is: on three spheres, each for a third of it."""
    k = np.arange(32) + 0.5
    z, turn = 1 - 2 * k / 32, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    return np.concatenate([radius * ball for radius in (0.93, 1.54, 2.25)])  # chi with 3 degrees, at 1/6, 3/6 and 5/6


def _eased(past: Floats) -> Floats:
    """From 0 to 1, smoothly."""
    past = np.clip(past, 0.0, 1.0)
    return past * past * (3 - 2 * past)
