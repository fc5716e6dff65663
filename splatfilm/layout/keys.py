"""What a rig plays, as keys of a camera file: exactly, one key a frame, or by hand-sized keys within a tolerance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import quaternion_from_matrix
from splatfilm.cameras import CameraKey, CameraPath, Easings, Lens
from splatfilm.layout.rigs import Played

Array = NDArray[np.float64]

LINEAR = Easings.alike("linear")
WITHIN_METRES = 0.002
WITHIN_RADIANS = math.radians(0.05)
WITHIN_ZOOM = 0.002  # of the focal length


def exact_path(played: Played, frames: Sequence[float], lens: Lens) -> CameraPath:
    """A path that is at every whole frame where the rig is, to the bit of its numbers; one key where nothing moves."""
    keys = [_key(played, frames, i, LINEAR) for i in range(len(frames))]
    first = keys[0]
    if all(_same(first, key) for key in keys):
        keys = [first]
    return CameraPath(tuple(keys), _lens(played, lens))


def fitted_path(played: Played, frames: Sequence[float], lens: Lens) -> CameraPath:
    """Few smooth keys that stay within 2 mm, 0.05 degrees and 0.2 % of focal length of the rig at every frame.

    Begins with the ends and adds a key where the path is worst until it holds everywhere.
    """
    chosen = {0, len(frames) - 1}
    while True:
        order = sorted(chosen)
        path = CameraPath(tuple(_key(played, frames, i) for i in order), _lens(played, lens))
        wrong = _errors(path, played, frames)
        worst = [max(range(a, b + 1), key=wrong.__getitem__) for a, b in itertools.pairwise(order)]
        more = {i for i in worst if wrong[i] > 1.0} - chosen
        if not more:
            return path
        chosen |= more


def _lens(played: Played, lens: Lens) -> Lens:
    return lens.replaced(
        focal_mm=float(played.focal_mm[0]), focus_m=None if played.focus_m is None else float(played.focus_m[0])
    )


def _key(played: Played, frames: Sequence[float], i: int, easing: Easings | None = None) -> CameraKey:
    w, x, y, z = quaternion_from_matrix(played.rotations[i]).tolist()
    px, py, pz = played.positions[i].tolist()
    return CameraKey(
        float(frames[i]),
        (px, py, pz),
        rotation=(w, x, y, z),
        focal_mm=_if_keyed(played.focal_mm, i),
        focus_m=None if played.focus_m is None else _if_keyed(played.focus_m, i),
        easing=easing or Easings(),
    )


def _if_keyed(values: Array, i: int) -> float | None:
    return float(values[i]) if np.any(values != values[0]) else None


def _same(a: CameraKey, b: CameraKey) -> bool:
    return (a.position, a.rotation, a.focal_mm, a.focus_m) == (b.position, b.rotation, b.focal_mm, b.focus_m)


def _errors(path: CameraPath, played: Played, frames: Sequence[float]) -> list[float]:
    """How wrong the path is at every frame, in tolerances."""
    errors = []
    for i, frame in enumerate(frames):
        pose = path.pose_at(frame)
        metres = float(np.linalg.norm(pose[:3, 3] - played.positions[i]))
        turn = float(np.linalg.norm(pose[:3, :3] - played.rotations[i])) / math.sqrt(2)
        zoom = abs(path.lens_at(frame).focal_mm / float(played.focal_mm[i]) - 1)
        errors.append(max(metres / WITHIN_METRES, turn / WITHIN_RADIANS, zoom / WITHIN_ZOOM))
    return errors
