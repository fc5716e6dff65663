"""Follow-up continuity FSC: two shots of one scene from two cameras, do they show the same scene? (docs/compare.md)

Everything is held between two lines on the very same pairs of frames: the ceiling, which our own frames reach (never
perfect, since a warped picture is resampled), and the null, which unrelated pictures reach (never zero). What depends
on the scene alone is the `Ground`; it is laid once and serves every method that kept the cameras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare import pixels, vision
from splatfilm.compare.epipolar import epipolar_inliers
from splatfilm.compare.guards import copy_guard, failed
from splatfilm.compare.memory import Owner
from splatfilm.compare.overlap import MOST_PAIRS, Seer, overlapping, seer, still
from splatfilm.compare.scores import CameraFollowing, Continuity, Guard, ObjectScore, Score
from splatfilm.compare.stability import NO_CV2
from splatfilm.compare.views import Clip, Frames, Mask, Picture, ShotTruth, View
from splatfilm.compare.warp import Sight, carried, comparable, sight

FEWEST_PIXELS = 400  # co-visible, for an object to be judged
FEWEST_MATCHES = 30  # a pair in our own frames: with fewer, the set has too little texture for EPI
LEAST_SPAN = 1.0  # dB between null and ceiling: with less, nothing can be told apart


@dataclass(frozen=True, eq=False)
class Take(Owner):
    """One shot by one method: the clip, our truth of the shot, where its cameras were found, what guards say."""

    clip: Clip
    truth: ShotTruth
    following: CameraFollowing | None = None
    guards: tuple[Guard, ...] = ()

    @property
    def seer(self) -> Seer:
        """How our scene is looked at to judge it: through the cameras that it was found to have."""
        return self.once("seer", lambda: seer(self.truth, self.following, len(self.clip)))


@dataclass(frozen=True)
class Figures:
    """What a pair of pictures came to: dB and dE00 over the co-visible pixels, and squared error by object."""

    psnr: float
    colour: float
    errors: dict[int, tuple[float, int]] = field(default_factory=dict)  # object -> (sum of squared errors, pixels)


@dataclass(frozen=True)
class PairGround:
    """One pair of frames: what ours reaches on it, and what unrelated pictures reach."""

    i: int
    j: int
    ceiling: Figures
    nulls: tuple[Figures, ...]  # the wrong shot first, where A's picture is a wrong one for B
    matches: int | None  # that fit both cameras, between our own frames
    masked: float  # share of B's picture that is not compared


@dataclass(frozen=True, eq=False)
class Ground:
    """The pairs of two shots that can be compared: A is carried into B.

    After a close-up, A sees too little of B's wide, but the wide sees all of the close-up: then they stand here the
    other way round, and `turned` says so.
    """

    a: Seer
    b: Seer
    pairs: tuple[PairGround, ...]
    turned: bool = False


def lay_ground(
    a: Seer, b: Seer, other_scene: Frames = (), most: int = MOST_PAIRS, masks: Sequence[Mask | None] = ()
) -> Ground:
    """Choose pairs of frames and measure ceiling and null on them.

    `other_scene` are frames of another scene in the same size, for the null; `masks` what clips do not count.
    """
    if a.truth.scene != b.truth.scene:
        return Ground(a, b, ())
    turned = False
    if not (pairs := overlapping(a, b, most)) and (pairs := overlapping(b, a, most, whole=True)):
        a, b, masks, turned = b, a, tuple(reversed(masks)), True
    return Ground(a, b, tuple(_pair_ground(a, b, pair, other_scene, masks) for pair in pairs), turned)


def measure_follow_up(
    a: Take, b: Take, other_scene: Frames = (), ground: Ground | None = None, most: int = MOST_PAIRS
) -> Continuity:
    """FSC of two takes of the same method, with its vector, its objects and its guards.

    `ground` saves work where it was laid for the prescribed cameras; it is laid anew for takes with other cameras.
    """
    eyes = a.seer, b.seer
    prescribed = all(eye.found is None for eye in eyes)
    masks = (a.clip.mask, b.clip.mask)
    if ground is None or not prescribed or any(mask is not None for mask in masks):
        ground = lay_ground(*eyes, other_scene, most, masks)
    if not ground.pairs:
        return _incomparable("no two of their frames see enough of the same from similar sides")
    span = _mean([p.ceiling.psnr for p in ground.pairs]) - _mean([n.psnr for p in ground.pairs for n in p.nulls])
    if span < LEAST_SPAN:
        return _incomparable("our own frames agree no better than unrelated ones: too little is to be seen")
    first, second = (b, a) if ground.turned else (a, b)
    rows = [_measure_pair(first.clip, second.clip, ground, pair) for pair in ground.pairs]

    copied = copy_guard(a.clip, b.clip, (a.truth, b.truth), lambda i, j: (eyes[0].likely(i), eyes[1].likely(j)))
    return _continuity(ground, rows, (*a.guards, *b.guards, copied))


def _incomparable(why: str) -> Continuity:
    fsc, pho, col, epi = (Score(name, None, "", note=f"not comparable: {why}") for name in ("FSC", "PHO", "COL", "EPI"))
    psnr, colour = Score("WARP_PSNR", None, "dB"), Score("WARP_dE", None, "dE00", "lower")
    return Continuity(fsc, pho, col, epi, psnr, colour, not_comparable=why)


# ---- one pair of frames ----------------------------------------------------------------------------------------------


def _pair_ground(
    a: Seer, b: Seer, pair: tuple[int, int], other_scene: Frames, masks: Sequence[Mask | None]
) -> PairGround:
    i, j = pair
    view_a, view_b = a.view(i), b.view(j)
    seen = _seen(a, b, pair, masks)
    moved = seen.carry(view_a.picture)
    ceiling = seen.figures(moved, view_b.picture)
    nulls = [seen.figures(moved, np.full_like(view_b.picture, view_b.picture.mean(axis=(0, 1))))]
    if len(other_scene) and other_scene[j % len(other_scene)].shape == view_b.picture.shape:
        nulls.append(seen.figures(moved, other_scene[j % len(other_scene)]))
    if view_a.picture.shape == view_b.picture.shape:
        pasted = seen.figures(moved, view_a.picture)
        if (
            pasted.psnr < (nulls[0].psnr + ceiling.psnr) / 2
        ):  # else both cameras stand nearly at one place: no wrong shot
            nulls.insert(0, pasted)
    return PairGround(
        i,
        j,
        ceiling,
        tuple(nulls),
        seen.matches(a.keypoints(i), b.keypoints(j)) if vision.available() else None,
        1 - float(seen.mask.mean()),
    )


def _measure_pair(a: Clip, b: Clip, ground: Ground, pair: PairGround) -> tuple[Figures, int | None]:
    seen = _seen(ground.a, ground.b, (pair.i, pair.j), (a.mask, b.mask))
    figures = seen.figures(seen.carry(a.frames[pair.i]), b.frames[pair.j])
    if pair.matches is None:
        return figures, None
    return figures, seen.matches(vision.keypoints_of(a, pair.i), vision.keypoints_of(b, pair.j))


def _seen(a: Seer, b: Seer, pair: tuple[int, int], masks: Sequence[Mask | None]) -> _Seen:
    """What two frames share, found once where nothing is masked."""
    i, j = pair

    def look() -> _Seen:
        return _Seen.of(a.view(i), b.view(j), still(a.truth, i, b.truth, j), masks)

    if any(mask is not None for mask in masks):
        return look()
    return a.once(("seen", b.number, i, j), look)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What two views share, ready to bring pictures from the one into the other."""

    cameras: tuple[Camera, Camera]
    objects: NDArray[np.int16]  # [H, W] of B
    where: Sight
    mask: Mask
    counted: tuple[Mask, Mask]  # where matches are looked for in A and in B

    @classmethod
    def of(cls, a: View, b: View, unmoved: NDArray[np.bool_], masks: Sequence[Mask | None]) -> _Seen:
        where = sight(a, b)
        mask = comparable(a, b, where, unmoved)
        counted = [unmoved[np.maximum(view.ids, 0)] for view in (a, b)]
        for side, hidden in enumerate(masks):
            if hidden is None:
                continue
            counted[side] = counted[side] & ~hidden
            if side:
                mask &= ~hidden
            else:
                mask &= carried(np.repeat(hidden[..., None], 3, -1).astype(np.float32), where)[..., 0] == 0
        return cls((a.camera, b.camera), b.ids, where, mask, (counted[0], counted[1]))

    def carry(self, picture: Picture) -> Picture:
        return carried(picture, self.where)

    def figures(self, moved: Picture, picture: Picture) -> Figures:
        places = np.flatnonzero(self.mask)
        if not len(places):
            return Figures(0.0, 100.0)
        one, two = moved.reshape(-1, 3)[places], picture.reshape(-1, 3)[places]
        error = pixels.squared_error(one, two)
        colour = pixels.mean_colour_difference(one, two)
        objects = self.objects.reshape(-1)[places]
        sums = np.bincount(objects, weights=error)
        counts = np.bincount(objects)
        errors = {int(k): (float(sums[k]), int(counts[k])) for k in np.flatnonzero(counts)}
        mse = float(error.mean(dtype=np.float64))
        return Figures(min(pixels.decibels(mse), pixels.CLEAREST), colour, errors)

    def matches(self, one: vision.Keypoints, two: vision.Keypoints) -> int:
        """How many matches fit both cameras."""
        p, q = vision.matches(one.where(self.counted[0]), two.where(self.counted[1]))
        return epipolar_inliers(p, q, *self.cameras)


# ---- all pairs together ----------------------------------------------------------------------------------------------


def _continuity(ground: Ground, rows: Sequence[tuple[Figures, int | None]], guards: tuple[Guard, ...]) -> Continuity:
    psnr = _score("WARP_PSNR", "dB", ground, [r[0].psnr for r in rows], "psnr")
    colour = _score("WARP_dE", "dE00", ground, [r[0].colour for r in rows], "colour")
    pho, col = _share("PHO", psnr), _share("COL", colour)
    epi = _epi(ground, [r[1] for r in rows])
    terms = [term.value for term in (pho, col, epi) if term.value is not None]
    objects = tuple(_objects(ground, [r[0] for r in rows]))
    judged = [item for item in objects if item.value is not None]
    blocked = failed(guards)
    fsc = float(np.prod(terms) ** (1 / len(terms)))
    note = f"blocked: {blocked}" if blocked else epi.note if epi.value is None else ""
    worst = min(range(len(rows)), key=lambda k: rows[k][0].psnr - ground.pairs[k].ceiling.psnr)
    per_frame = tuple((p.j, _held(r[0].psnr, p)) for p, r in zip(ground.pairs, rows, strict=True))
    recovered = "recovered" in (ground.a.cameras, ground.b.cameras)
    return Continuity(
        Score("FSC", None if blocked else fsc, "", "higher", 1.0, 0.0, per_frame, note),
        pho,
        col,
        epi,
        psnr,
        colour,
        objects,
        min(judged, key=lambda item: item.value if item.value is not None else 1.0, default=None),
        _indices(ground, ground.pairs[worst]),
        tuple(_indices(ground, pair) for pair in ground.pairs),
        "recovered" if recovered else "prescribed",
        Score("MASKED", _mean([pair.masked for pair in ground.pairs]), "share", "neither"),
        guards,
        blocked,
    )


def _indices(ground: Ground, pair: PairGround) -> tuple[int, int]:
    """(index in the first shot, index in the second), whichever was carried into the other."""
    return (pair.j, pair.i) if ground.turned else (pair.i, pair.j)


def _score(name: str, unit: str, ground: Ground, values: list[float], what: str) -> Score:
    ceiling = _mean([getattr(pair.ceiling, what) for pair in ground.pairs])
    null = _mean([_mean([getattr(figures, what) for figures in pair.nulls]) for pair in ground.pairs])
    rows = tuple((pair.j, value) for pair, value in zip(ground.pairs, values, strict=True))
    return Score(name, _mean(values), unit, "higher" if what == "psnr" else "lower", ceiling, null, rows)


def _share(name: str, score: Score) -> Score:
    """Where a score lies between its null (0) and its ceiling (1)."""
    assert score.value is not None and score.ceiling is not None and score.null is not None, "measured by _score"
    span = score.ceiling - score.null
    value = float(np.clip((score.value - score.null) / span, 0, 1)) if abs(span) > 1e-9 else 1.0
    return Score(name, value, "", "higher", 1.0, 0.0)


def _held(value: float, pair: PairGround) -> float:
    null = _mean([figures.psnr for figures in pair.nulls])
    return float(np.clip((value - null) / max(pair.ceiling.psnr - null, LEAST_SPAN), 0, 1))


def _epi(ground: Ground, values: list[int | None]) -> Score:
    ceiling = [pair.matches for pair in ground.pairs if pair.matches is not None]
    found = [value for value in values if value is not None]
    if not ceiling or len(found) < len(ceiling):
        return Score("EPI", None, "", note=NO_CV2)
    if _mean(ceiling) < FEWEST_MATCHES:
        few = f"{_mean(ceiling):.0f} matches a pair in our own frames"
        return Score("EPI", None, "", note=f"EPI left out: the set has too little texture ({few})")
    rows = tuple((pair.j, float(value)) for pair, value in zip(ground.pairs, found, strict=True))
    return Score("EPI", min(1.0, sum(found) / sum(ceiling)), "", "higher", 1.0, 0.0, rows)


def _objects(ground: Ground, figures: Sequence[Figures]) -> list[ObjectScore]:
    """PHO of every object, from all pairs together; the null is the wrong shot."""
    result = []
    for index, name in enumerate(ground.b.truth.objects):
        there = [k for k, row in enumerate(figures) if index in row.errors]
        if not there:
            continue
        pairs = [ground.pairs[k] for k in there]
        pixel_count = sum(figures[k].errors[index][1] for k in there)
        ours = _pooled([pair.ceiling for pair in pairs], index)
        null = _pooled([pair.nulls[0] for pair in pairs], index)
        found = _pooled([figures[k] for k in there], index)
        span = ours - null
        judged = pixel_count >= FEWEST_PIXELS and span >= LEAST_SPAN
        value = float(np.clip((found - null) / span, 0, 1)) if judged else None
        worst = max(zip(there, pairs, strict=True), key=lambda item: _worse(figures[item[0]], item[1].ceiling, index))
        result.append(ObjectScore(name, value, found, ours, null, pixel_count, _indices(ground, worst[1])))
    return result


def _worse(found: Figures, ours: Figures, index: int) -> float:
    """How much more squared error, in all, an object of this pair has than ours has."""
    return found.errors[index][0] - ours.errors.get(index, (0.0, 0))[0]


def _pooled(figures: Sequence[Figures], index: int) -> float:
    sums = [f.errors[index] for f in figures if index in f.errors]
    mse = sum(error for error, _ in sums) / max(sum(count for _, count in sums), 1)
    return min(pixels.decibels(mse), pixels.CLEAREST)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
