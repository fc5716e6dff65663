"""How a clip holds together within one shot (FWE, DWE, FLK; docs/compare.md). Worth nothing without the guards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare.agreement import some
from splatfilm.compare.following import FLOOR_DEGREES, FLOOR_METRES, camera_of
from splatfilm.compare.motion import Motion, measure_motion
from splatfilm.compare.pixels import grey, squared_error
from splatfilm.compare.scores import CameraFollowing, Score, Stability
from splatfilm.compare.views import Clip, Mask, ShotTruth, View
from splatfilm.compare.warp import Sight, carried, comparable, sight

LOCATED_ENOUGH = 0.9  # of the frames: below it the camera is not known well enough for DWE
MOST_DEPTH_STEPS = 12  # from frames that cameras are looked for in, so that their views are drawn already
NO_CV2 = "needs OpenCV: pip install 'splatfilm[compare]'"


def measure_stability(
    clip: Clip,
    truth: ShotTruth,
    following: CameraFollowing | None = None,
    motion: Motion | None = None,
    ours: Motion | None = None,
) -> Stability:
    """The within-shot figures of a clip; `motion` and `ours` where they were measured already."""
    motion = motion or measure_motion(clip.frames, clip.mask)
    ours = ours or measure_motion(truth.clip().frames, clip.mask)
    error, reference = motion.mean("error"), ours.mean("error")
    note = "" if error is not None else NO_CV2 if motion.mean("motion") is None else "the flow holds nowhere"
    ratio = error / reference if error is not None and reference else None
    return Stability(
        Score("FWE", error, "MSE", "lower", reference, per_frame=motion.rows("error"), note=note),
        Score("FWE_RATIO", ratio, "ratio", "lower", 1.0, note=note),
        Score("FWE_COVERAGE", motion.mean("coverage"), "share", "neither", ours.mean("coverage"), note=note),
        Score("FLOW", motion.mean("motion"), "px", "neither", ours.mean("motion"), per_frame=motion.rows("motion")),
        _depth_error(clip, truth, following),
        _flicker(clip, truth),
    )


def _depth_error(clip: Clip, truth: ShotTruth, following: CameraFollowing | None) -> Score:
    """DWE: each frame against the next one, carried over by our depth; ceiling: our own frames."""
    cameras = _cameras(truth, following)
    if cameras is None:
        return Score("DWE", None, "MSE", "lower", note="the camera was not found in nine of ten frames")
    errors, ours, rows = [], [], []
    for index in depth_steps(min(len(clip), len(truth))):
        if (way := _way(truth, index, cameras)) is None:
            continue
        good = way.good if clip.mask is None else way.good & ~clip.mask
        if good.any():
            value = squared_error(carried(clip.frames[index + 1], way.where), clip.frames[index])[good]
            errors.append(float(value.mean(dtype=np.float64)))
            rows.append((index, errors[-1]))
            ours.append(float(way.ours[good].mean(dtype=np.float64)))
    if not errors:
        return Score("DWE", None, "MSE", "lower", note="nothing stands still from frame to frame")
    return Score("DWE", float(np.mean(errors)), "MSE", "lower", float(np.mean(ours)), per_frame=tuple(rows))


def depth_steps(count: int) -> list[int]:
    """Frames that are held against the next one: every other of those that a report looks at."""
    looked_at = [index for index in some(count, 2 * MOST_DEPTH_STEPS) if index < count - 1]
    return looked_at if len(looked_at) <= MOST_DEPTH_STEPS else looked_at[::2]


@dataclass(frozen=True, eq=False)
class _Way:
    """From one frame of a shot to the next: where its pixels lie there, which of them count, and our own error."""

    where: Sight
    good: Mask
    ours: NDArray[np.float32]  # [H, W]


def _way(truth: ShotTruth, index: int, cameras: dict[int, Camera]) -> _Way | None:
    """The way from a frame to the next; None where a camera was not found. Worked out once for our own cameras."""
    pair = [cameras.get(i) for i in (index, index + 1)]
    if pair[0] is None or pair[1] is None:
        return None
    if all(camera is truth.cameras[i] for i, camera in enumerate(pair, index)):
        return truth.once(("way", index), lambda: _walked(truth, index, truth.views[index], truth.views[index + 1]))
    if truth.see is None:
        return None
    here, there = (truth.see(i, camera) for i, camera in enumerate(pair, index) if camera is not None)
    return _walked(truth, index, here, there)


def _walked(truth: ShotTruth, index: int, here: View, there: View) -> _Way:
    where = sight(there, here)
    good = comparable(there, here, where, _still(truth, index, index + 1))
    return _Way(where, good, squared_error(carried(there.picture, where), here.picture))


def _cameras(truth: ShotTruth, following: CameraFollowing | None) -> dict[int, Camera] | None:
    """The cameras to use: prescribed where they were kept (or are given), found ones where they can be drawn from.

    None when they are not known.
    """
    prescribed = dict(enumerate(truth.cameras))
    if following is None:
        return prescribed
    if following.located.value is None or following.located.value < LOCATED_ENOUGH:
        return None
    if kept(following) or truth.see is None:
        return prescribed
    found = {frame.index: camera_of(frame, truth.cameras[frame.index]) for frame in following.frames}
    return {index: camera for index, camera in found.items() if camera is not None}


def kept(following: CameraFollowing) -> bool:
    """Whether the camera was followed as exactly as can be told."""
    turned, moved = following.rotation.value, following.translation.value
    return turned is not None and moved is not None and turned <= FLOOR_DEGREES and moved <= FLOOR_METRES


def _still(truth: ShotTruth, i: int, j: int) -> NDArray[np.bool_]:
    if not truth.placed:
        return np.ones(len(truth.objects), bool)
    return np.array([one == two for one, two in zip(truth.placed[i], truth.placed[j], strict=True)])


def _flicker(clip: Clip, truth: ShotTruth) -> Score:
    """FLK: how much the brightness of whole frames shivers, faster than a second; ceiling: ours."""
    count = min(len(clip), len(truth))
    if count < 3:
        return Score("FLK", None, "levels", "lower", note="needs three frames")
    mask = None if clip.mask is None else ~clip.mask
    fast = _fast(_brightness(clip, count, mask), truth.rate)
    ours_fast = _fast(own_brightness(truth, count, mask), truth.rate)
    rows = tuple((i, float(v)) for i, v in enumerate(fast))
    return Score("FLK", float(fast.std()), "levels", "lower", float(ours_fast.std()), per_frame=rows)


def own_brightness(
    truth: ShotTruth, count: int, mask: Mask | None = None, known: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:  # [count]
    """The mean luma of our own frames, in levels, where `mask` is True; found once where nothing is masked.

    `known` where it was found elsewhere.
    """
    if mask is not None:
        return _brightness(truth.clip(), count, mask)
    return truth.once(("brightness", count), lambda: _brightness(truth.clip(), count, None) if known is None else known)


def _brightness(clip: Clip, count: int, mask: Mask | None) -> NDArray[np.float64]:  # [count]
    lumas = (grey(clip.frames[index]) for index in range(count))
    return np.array([255 * float((g if mask is None else g[mask]).mean(dtype=np.float64)) for g in lumas])


def _fast(values: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """What is left when the slow part, a quadratic about each frame over one second, is taken away.

    A running mean would call a steady pan a flicker at both ends of the shot.
    """
    half = max(2, round(rate / 2))
    out = np.empty_like(values)
    for index in range(len(values)):
        before, after = min(index, half), min(len(values) - 1 - index, half)
        out[index] = values[index] - values[index - before : index + after + 1] @ _slow(before, after)
    return out


@lru_cache(maxsize=512)
def _slow(before: int, after: int) -> NDArray[np.float64]:  # [before + 1 + after]
    """The weights whose sum over a window is the value at its own frame of the quadratic that fits it best."""
    times = np.arange(-before, after + 1, dtype=np.float64)
    degree = max(min(2, len(times) - 2), 0)
    weights: NDArray[np.float64] = np.linalg.pinv(np.vander(times, degree + 1, increasing=True))[0]
    return weights
