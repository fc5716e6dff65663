"""Where a clip's camera really was, found in our own scene, and how far from where it should have been.

Because depth and scale are ours, one frame is enough to find its camera in metres: keypoints that our render and the
clip's frame share, and the points in the scene that they lie on, leave one pose (LOC, ROT, TRA; docs/compare.md).
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare import vision
from splatfilm.compare.agreement import some
from splatfilm.compare.scores import CameraFollowing, LocatedFrame, Score
from splatfilm.compare.views import NOTHING, Clip, Mask, ShotTruth, View
from splatfilm.compare.warp import points_of, sample

FLOOR_DEGREES, FLOOR_METRES = 0.05, 0.006
"""What the method itself errs by at 320x180 (measured in benchmarks/compare.py): below it, "kept" is all to be said."""

FAR_DEGREES = 2.0
"""A camera found this far off is looked for once more, from a render of where it was found."""

STILL_METRES = 1e-3  # a way shorter than this is no way
EDGE = 0.02  # of depth: a point whose neighbours differ by more lies on an edge, and its depth is anybody's


def follow_camera(clip: Clip, truth: ShotTruth, every: int = 1, most: int | None = None) -> CameraFollowing:
    """Find the camera of every `every`-th frame; `most`: of so many frames, spread evenly.

    Raises `MissingPartError` without OpenCV.
    """
    restless = _restless(truth)
    located = []
    for index in some(min(len(clip), len(truth)), most)[::every]:
        camera = truth.cameras[index]
        known = truth.once(("landmarks", index), partial(_own_landmarks, truth, index, restless))
        found = locate(clip, index, known)
        if found is not None and truth.see is not None and _away(found[0], camera)[0] > FAR_DEGREES:
            nearer = truth.see(index, _moved(camera, found[0]))
            found = locate(clip, index, landmarks(nearer, restless)) or found
        located.append(_located(index, found, camera))
    return _summary(located, truth)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Keypoints of our own view, and the points of the scene that they lie on."""

    keypoints: vision.Keypoints
    points: NDArray[np.float32]  # [N, 3] metres, world; NaN on an edge of depth
    camera: Camera


def landmarks(view: View, restless: NDArray[np.bool_]) -> Landmarks:
    """What a view offers to find cameras by: what stands still."""
    steady = view.ids != NOTHING
    steady &= ~restless[np.maximum(view.ids, 0)]
    ours = vision.keypoints(view.picture).where(steady)
    x, y = ours.places.T
    points = sample(points_of(view.depth, view.camera).astype(np.float32), x, y, holes=~_flat(view))
    return Landmarks(ours, points, view.camera)


def _own_landmarks(truth: ShotTruth, index: int, restless: NDArray[np.bool_]) -> Landmarks:
    return landmarks(truth.views[index], restless)


def locate(clip: Clip, index: int, ours: Landmarks) -> tuple[NDArray[np.float64], int] | None:
    """Camera-to-world and inliers of one frame of a clip, by our landmarks from near by; None when not found."""
    theirs = vision.keypoints_of(clip, index).where(None if clip.mask is None else ~clip.mask)
    known, seen = vision.matched(ours.keypoints, theirs)
    points, places = ours.points[known], theirs.places[seen]
    good = np.isfinite(points).all(axis=-1)
    return vision.solve_pose(points[good].astype(np.float64), places[good], ours.camera)


def _flat(view: View) -> Mask:
    """Pixels whose depth agrees with all four neighbours'."""
    depth = view.depth
    flat = depth > 0
    for axis in (0, 1):
        step = np.abs(np.diff(depth, axis=axis)) > EDGE * np.minimum(
            np.delete(depth, 0, axis=axis), np.delete(depth, -1, axis=axis)
        )
        first = np.pad(step, [(0, 1) if a == axis else (0, 0) for a in (0, 1)])
        second = np.pad(step, [(1, 0) if a == axis else (0, 0) for a in (0, 1)])
        flat &= ~(first | second)
    return flat


def _restless(truth: ShotTruth) -> NDArray[np.bool_]:  # [objects]
    """Objects that do not stand still during the shot: another method's copy of them would stand elsewhere."""
    if not truth.placed:
        return np.zeros(len(truth.objects), bool)
    return np.array([len(set(states)) > 1 for states in zip(*truth.placed, strict=True)])


def _moved(camera: Camera, pose: NDArray[np.float64]) -> Camera:
    return Camera(
        pose, camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height, camera.distortion, camera.lens
    )


def camera_of(frame: LocatedFrame, prescribed: Camera) -> Camera | None:
    """The camera that a frame was found at; None when it was not found."""
    return None if frame.pose is None else _moved(prescribed, np.array(frame.pose).reshape(4, 4))


def _away(pose: NDArray[np.float64], camera: Camera) -> tuple[float, float]:
    """Degrees and metres from where a camera should be."""
    cosine = (np.trace(pose[:3, :3].T @ camera.pose[:3, :3]) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))), float(np.linalg.norm(pose[:3, 3] - camera.position))


def _located(index: int, found: tuple[NDArray[np.float64], int] | None, camera: Camera) -> LocatedFrame:
    if found is None:
        return LocatedFrame(index, 0, None, None, None)
    return LocatedFrame(index, found[1], tuple(found[0].reshape(-1).tolist()), *_away(found[0], camera))


def _summary(frames: list[LocatedFrame], truth: ShotTruth) -> CameraFollowing:
    there = [f for f in frames if f.rotation is not None and f.translation is not None]
    share = len(there) / len(frames) if frames else None
    none = "" if there else "no frame could be found in the scene"
    turned = tuple((f.index, f.rotation) for f in there if f.rotation is not None)
    moved = tuple((f.index, f.translation) for f in there if f.translation is not None)
    rotation = statistics.median(v for _, v in turned) if turned else None
    translation = statistics.median(v for _, v in moved) if moved else None
    kept = "at or below what the method itself errs by"
    travel = truth.travel
    way = 100 * translation / travel if translation is not None and travel > STILL_METRES else None
    return CameraFollowing(
        Score("LOC", share, "share", "higher", 1.0, 0.0, note=none),
        Score(
            "ROT",
            rotation,
            "deg",
            "lower",
            FLOOR_DEGREES,
            per_frame=turned,
            note=none or (kept if rotation is not None and rotation <= FLOOR_DEGREES else ""),
        ),
        Score(
            "TRA",
            translation,
            "m",
            "lower",
            FLOOR_METRES,
            per_frame=moved,
            note=none or (kept if translation is not None and translation <= FLOOR_METRES else ""),
        ),
        Score("TRA_SHARE", way, "%", "lower", note=none or ("" if way is not None else "the camera stands still")),
        tuple(frames),
    )
