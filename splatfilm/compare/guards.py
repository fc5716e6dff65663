"""Checks that a score means something: a frozen, blurred or copied clip wins every comparison it should lose.

A failed guard blocks the score of its shot, and its reason is printed instead (docs/compare.md, Guards).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from splatfilm.cameras.camera import Camera
from splatfilm.compare import vision
from splatfilm.compare.epipolar import epipolar_inliers, tolerance
from splatfilm.compare.motion import Motion, measure_motion
from splatfilm.compare.pixels import clipped_share, laplacian_variance, psnr
from splatfilm.compare.scores import Guard
from splatfilm.compare.views import Clip, Mask, Picture, ShotTruth

LOCKED_OFF = 0.05  # px a frame: below it our own shot hardly moves, and nothing can be said about moving less
LOCKED_OFF_CHANGE = 0.25  # levels a frame: the same, where OpenCV is not here
DETAIL_FRAMES = 24
COPY_TIMES = 3.0
COPY_FEWEST = 20  # matches, below which a copy is not to be told from chance
COPY_DECIBELS = 10.0  # nearer to shot A than our own second angle is, where OpenCV is not here
COPY_CLEAR = 30.0  # dB

CamerasOf = Callable[[int, int], tuple[Camera, Camera]]
"""(frame of A, frame of B) -> their cameras."""


@dataclass(frozen=True)
class Allowed:
    """What guards let through, as shares of our own figures; `clipped` is how much more of a picture may be clipped."""

    detail: tuple[float, float] = (0.5, 1.5)
    motion: tuple[float, float] = (0.5, 2.0)
    clipped: float = 0.1


def shot_guards(
    clip: Clip,
    truth: ShotTruth,
    motion: Motion | None = None,
    ours: Motion | None = None,
    allowed: Allowed = Allowed(),
) -> tuple[Guard, ...]:
    """DETAIL, MOTION and RANGE of one clip; `motion` and `ours` where they were measured already."""
    motion = motion or measure_motion(clip.frames, clip.mask)
    ours = ours or measure_motion(truth.clip().frames, clip.mask)
    return (_detail(clip, truth, allowed), _motion(motion, ours, allowed), _range(clip, truth, allowed))


def failed(guards: Sequence[Guard]) -> str:
    """Why a score is blocked; empty when every guard passed."""
    return "; ".join(dict.fromkeys(guard.reason for guard in guards if not guard.passed))


def _some(clip: Clip, truth: ShotTruth) -> list[int]:
    count = min(len(clip), len(truth))
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, DETAIL_FRAMES)).round()}) if count else []


def _ours(truth: ShotTruth, index: int, mask: Mask | None, figure: Callable[[Picture, Mask | None], float]) -> float:
    """A figure of our own frame, worked out once where nothing of it is masked."""
    if mask is not None:
        return figure(truth.clip().frames[index], mask)
    return truth.once((figure.__name__, index), lambda: figure(truth.clip().frames[index], None))


def _detail(clip: Clip, truth: ShotTruth, allowed: Allowed) -> Guard:
    """The median of the Laplacian's variance, as a share of ours."""
    mask = None if clip.mask is None else ~clip.mask
    rows = []
    for index in _some(clip, truth):
        ours = _ours(truth, index, mask, laplacian_variance)
        if ours > 0:
            rows.append((index, laplacian_variance(clip.frames[index], mask) / ours))
    low, high = allowed.detail
    text = f"{low:g} to {high:g} of ours"
    if not rows:
        return Guard("DETAIL", True, None, text)
    value = statistics.median(v for _, v in rows)
    reason = ""
    if value < low:
        reason = f"blurred or flat: {_share(value)} of the fine detail"
    elif value > high:
        reason = f"noisy: {_share(value)} of the fine detail"
    return Guard("DETAIL", not reason, value, text, reason, tuple(rows))


def _motion(motion: Motion, ours: Motion, allowed: Allowed) -> Guard:
    """Mean flow as a share of ours; without OpenCV the mean change from frame to frame."""
    name, least = ("motion", LOCKED_OFF) if ours.mean("motion") is not None else ("change", LOCKED_OFF_CHANGE)
    reference, value = ours.mean(name), motion.mean(name)
    low, high = allowed.motion
    text = f"{low:g} to {high:g} of ours"
    if reference is None or value is None or reference < least:
        return Guard("MOTION", True, None, text + " (our own shot does not move enough to tell)")
    share = value / reference
    reason = ""
    if share < low:
        reason = f"frozen or too still: {_share(share)} of the motion"
    elif share > high:
        reason = f"moves too much: {_share(share)} of the motion"
    return Guard("MOTION", not reason, share, text, reason, motion.rows(name))


def _range(clip: Clip, truth: ShotTruth, allowed: Allowed) -> Guard:
    """The share of pixels that are black or white through and through, beyond ours."""
    mask = None if clip.mask is None else ~clip.mask
    some = _some(clip, truth)
    text = f"at most {100 * allowed.clipped:g} % of the picture more than ours"
    if not some:
        return Guard("RANGE", True, None, text)
    rows = tuple((i, clipped_share(clip.frames[i], mask)) for i in some)
    value = float(np.mean([v for _, v in rows]))
    ours = float(np.mean([_ours(truth, i, mask, clipped_share) for i in some]))
    reason = "" if value <= ours + allowed.clipped else f"{100 * value:.0f} % of the picture is clipped"
    return Guard("RANGE", not reason, value, text, reason, rows)


def copy_guard(a: Clip, b: Clip, truths: tuple[ShotTruth, ShotTruth], cameras: CamerasOf | None = None) -> Guard:
    """Whether the second shot is the first one over again, held against what the two cameras must see.

    Fails where far more matches between the shots follow one flat mapping (or none at all) than follow the two
    cameras' geometry, and more than do so between our own frames. `cameras` gives found cameras.
    """
    text = f"matches of a flat copy at most {COPY_TIMES:g} times those that fit both cameras"
    worst: tuple[float, str] = (0.0, "")
    for i, j in _opposite(a, b):
        one, two = a.frames[i], b.frames[j]
        if one.shape != two.shape:
            continue
        pair = (truths[0].cameras[i], truths[1].cameras[j]) if cameras is None else cameras(i, j)
        if vision.available():
            theirs = vision.keypoints_of(a, i), vision.keypoints_of(b, j)
            found = _copied(theirs, partial(_own_pair, truths, i, j), pair)
        else:
            found = _alike(psnr(one, two), psnr(truths[0].clip().frames[i], truths[1].clip().frames[j]))
        worst = max(worst, found)
    return Guard("COPY", not worst[1], worst[0], text, worst[1])


def _opposite(a: Clip, b: Clip) -> list[tuple[int, int]]:
    """Frames that a copy would make alike: the same place in both shots, and the cut itself."""
    last_a, last_b = len(a) - 1, len(b) - 1
    if min(last_a, last_b) < 0:
        return []
    both = min(last_a, last_b)
    return list(dict.fromkeys([(0, 0), (both // 2, both // 2), (both, both), (last_a, 0)]))


def own_keypoints(truth: ShotTruth, index: int) -> vision.Keypoints:
    """The keypoints of our own frame, found once."""
    return truth.once(("keypoints", index), lambda: vision.keypoints(truth.clip().frames[index]))


def _own_pair(truths: tuple[ShotTruth, ShotTruth], i: int, j: int) -> tuple[vision.Keypoints, vision.Keypoints]:
    return own_keypoints(truths[0], i), own_keypoints(truths[1], j)


def _alike(near: float, truly: float) -> tuple[float, str]:
    """Without keypoints: how near the second shot is to the first, dB, and how near our own second angle is."""
    copied = near > COPY_CLEAR and near > truly + COPY_DECIBELS
    return (float(copied), "the first shot over again" if copied else "")


def _copied(
    theirs: tuple[vision.Keypoints, vision.Keypoints],
    ours: Callable[[], tuple[vision.Keypoints, vision.Keypoints]],
    pair: tuple[Camera, Camera],
) -> tuple[float, str]:
    """How much more a copy than a second angle, and the reason where it is too much."""
    within = tolerance(pair[1])
    p, q = vision.matches(*theirs)
    flat = max(_unmoved(p, q, within), vision.homography_inliers(p, q, within))
    fitting = epipolar_inliers(p, q, *pair)
    ratio = flat / max(fitting, 1)
    if flat < COPY_FEWEST or ratio <= COPY_TIMES:
        return ratio, ""
    p, q = vision.matches(*ours())
    by_right = max(_unmoved(p, q, within), vision.homography_inliers(p, q, within))
    if flat <= 1.5 * by_right:
        return ratio, ""
    return ratio, f"the first shot over again: {flat} matches of a flat copy, {fitting} that fit both cameras"


def _unmoved(p: np.ndarray, q: np.ndarray, within: float) -> int:
    return int((np.linalg.norm(p - q, axis=1) < within).sum()) if len(p) else 0


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value < 10 else f"{value:.0f} times"
