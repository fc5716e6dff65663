"""The same camera at the same moment of the story, twice: is it the same picture? (REV, docs/compare.md)"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from splatfilm.compare import pixels
from splatfilm.compare.scores import Better, CameraFollowing, Revisit, Score
from splatfilm.compare.views import Clip, Mask, Picture, ShotTruth, to_bytes

MOST_PAIRS = 32
CLOSE_DEGREES = 5.0
CLOSE_TRAVEL = 0.1  # of the camera's way (WorldExam's success)


def revisit_pairs(a: ShotTruth, b: ShotTruth) -> tuple[tuple[int, int], ...]:
    """Frames (i of A, j of B) with the same camera at the same state of the scene, at most `MOST_PAIRS`, spread evenly.

    Within one shot, i < j.
    """
    if a.scene != b.scene or a.size != b.size:
        return ()
    seen: dict[bytes, list[int]] = {}
    for index in range(len(a)):
        seen.setdefault(_moment(a, index), []).append(index)
    found: list[tuple[int, int]] = []
    for other in range(len(b)):
        same = [i for i in seen.get(_moment(b, other), ()) if a is not b or i < other]
        if same:
            found.append((same[0], other))
    return spread(found, MOST_PAIRS)


def _moment(truth: ShotTruth, index: int) -> bytes:
    camera = truth.cameras[index]
    state = truth.states[index] if truth.states else ""
    return camera.pose.tobytes() + repr((camera.fx, camera.fy, camera.cx, camera.cy, camera.distortion, state)).encode()


def spread(items: Sequence[tuple[int, int]], most: int) -> tuple[tuple[int, int], ...]:
    """At most `most` of the items, evenly chosen, with the first and the last."""
    if len(items) <= most:
        return tuple(items)
    return tuple(items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int))


def measure_revisit(
    a: Clip,
    b: Clip,
    pairs: Sequence[tuple[int, int]],
    wrong: Clip | None = None,
    whole: tuple[Clip, Clip] | None = None,
) -> Revisit:
    """REV_PSNR, REV_SSIM and REV_dE over pairs of frames (index in A, index in B); medians, because decibels may be
    infinite. `wrong` is a clip of another shot, for the null. `whole` are the same clips as large as they were made,
    where what is exact, and the decibels, are found.
    """
    mask = _kept(a, b)
    whole_mask = mask if whole is None else _kept(*whole)
    rows: dict[str, list[tuple[int, float]]] = {"psnr": [], "ssim": [], "colour": []}
    nulls: dict[str, list[float]] = {"psnr": [], "ssim": [], "colour": []}
    exact = 0
    for i, j in pairs:
        one, two = a.frames[i], b.frames[j]
        found = pixels.differences(one, two, mask)
        large = (one, two) if whole is None else (whole[0].frames[i], whole[1].frames[j])
        exact += _equal(*large, whole_mask)
        if whole is not None:
            found["psnr"] = pixels.psnr(*large, whole_mask)
        for name, value in found.items():
            rows[name].append((j, value))
        if wrong is not None and len(wrong):
            for name, value in pixels.differences(one, wrong.frames[j % len(wrong)], mask).items():
                nulls[name].append(value)
    note = "" if pairs else "no camera of these shots comes back at the same moment of the story"

    def score(title: str, key: str, unit: str, better: Better, ceiling: float) -> Score:
        value = statistics.median(v for _, v in rows[key]) if rows[key] else None
        null = statistics.median(nulls[key]) if nulls[key] else None
        return Score(title, value, unit, better, ceiling, null, tuple(rows[key]), note)

    return Revisit(
        score("REV_PSNR", "psnr", "dB", "higher", float("inf")),
        score("REV_SSIM", "ssim", "", "higher", 1.0),
        score("REV_dE", "colour", "dE00", "lower", 0.0),
        exact,
        tuple(pairs),
    )


def measure_return(clip: Clip, following: CameraFollowing, truth: ShotTruth) -> Revisit:
    """A revisit inside one clip whose camera drifted: the return frame nearest to the first frame's found camera.

    As WorldExam does it: of the frames of the second half the one whose found pose is closest to the first frame's;
    success when it is within 5 degrees and a tenth of the way the camera went. `success` is 1 or 0.
    """
    found = {frame.index: np.array(frame.pose).reshape(4, 4) for frame in following.frames if frame.pose is not None}
    start, late = found.get(0), [index for index in sorted(found) if index >= len(truth) // 2]
    if start is None or not late:
        missing = Score("REV_SUCCESS", None, "share", note="the cameras of the start and of the return were not found")
        nothing = measure_revisit(clip, clip, [])
        return replace(nothing, success=missing)
    travel = max(float(np.linalg.norm(pose[:3, 3] - start[:3, 3])) for pose in found.values())
    rated = [(_angle(start, found[i]), float(np.linalg.norm(found[i][:3, 3] - start[:3, 3])), i) for i in late]
    turned, moved, nearest = min(rated, key=lambda r: r[0] / CLOSE_DEGREES + r[1] / max(CLOSE_TRAVEL * travel, 1e-9))
    good = turned < CLOSE_DEGREES and moved <= CLOSE_TRAVEL * travel
    result = measure_revisit(clip, clip, [(0, nearest)])
    success = Score("REV_SUCCESS", float(good), "share", ceiling=1.0, note=f"{turned:.2f} deg and {moved:.3f} m away")
    return replace(result, success=success)


def _angle(one: np.ndarray, two: np.ndarray) -> float:
    cosine = (np.trace(one[:3, :3].T @ two[:3, :3]) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _equal(one: Picture, two: Picture, mask: Mask | None) -> bool:
    """Whether two pictures are the same to the bit, where `mask` is True."""
    same = to_bytes(one) == to_bytes(two)
    return bool(same.all() if mask is None else same[mask].all())


def _kept(a: Clip, b: Clip) -> Mask | None:
    """Where neither clip is masked; None: everywhere."""
    masks = [clip.mask for clip in (a, b) if clip.mask is not None]
    return np.asarray(~np.any(masks, axis=0)) if masks else None
