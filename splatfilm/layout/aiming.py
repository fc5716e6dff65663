"""Turning a camera so that a point appears at a chosen place in the frame, with a level horizon or a chosen roll.

A place in the frame is (x, y) in 0..1 from the left and the top edge; (0.5, 0.5) is the centre. Everything works on
many frames at once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.cameras import Lens

Array = NDArray[np.float64]
CENTRE = (0.5, 0.5)


def recorded_mm(lens: Lens, size: tuple[int, int]) -> tuple[float, float]:
    """(width, height) in mm of what a picture of `size` pixels records, in the lens's own (desqueezed) millimetres."""
    width, height = size
    if lens.gate == "horizontal":
        across = lens.filmback_mm[0] * lens.squeeze
        return across, across * height / width
    return lens.filmback_mm[1] * width / height, lens.filmback_mm[1]


def level_rotations(forward: ArrayLike) -> Array:  # [F, 3] -> [F, 3, 3] camera-to-world
    """Cameras that look along `forward` (any length but zero) with a level horizon; straight down +Y is up."""
    sight = np.asarray(forward, dtype=np.float64)
    sight = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    level = np.hypot(sight[:, 0], sight[:, 1])
    safe = np.where(level > 1e-9, level, 1.0)
    right = np.stack([sight[:, 1] / safe, -sight[:, 0] / safe, np.zeros_like(safe)], axis=-1)
    right[level <= 1e-9] = (1.0, 0.0, 0.0)
    right[(level <= 1e-9) & (sight[:, 2] > 0)] = (-1.0, 0.0, 0.0)
    return np.stack([right, np.cross(sight, right), sight], axis=-1)


def rolled(rotations: Array, roll: Array) -> Array:  # [F, 3, 3], [F] radians -> [F, 3, 3]
    """The same cameras turned about their line of sight; positive lowers the right side of the camera."""
    c, s = np.cos(roll), np.sin(roll)
    turn = np.zeros((len(roll), 3, 3))
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1], turn[:, 2, 2] = c, -s, s, c, 1.0
    turned: Array = rotations @ turn
    return turned


def aimed(position: Array, point: Array, offset_mm: Array, focal_mm: Array, roll: Array) -> Array:
    """Camera-to-world rotations [F, 3, 3] that put `point` at `offset_mm` from the centre of the frame.

    `position`, `point`: [F, 3] metres; `offset_mm`: [F, 2] right and down; `focal_mm`, `roll` (radians): [F]. With the
    camera's axes right r, down d and forward f of heading p and tilt t, the sight (a, b, c) of the point in the
    levelled camera meets the world direction v where v_z = c sin t - b cos t: that gives the tilt, then the heading.
    Where no level camera can put the point there (it is almost above) the nearest tilt is taken. Raises `ValueError`
    when a camera stands at its point.
    """
    way = point - position
    length = np.linalg.norm(way, axis=-1)
    if np.any(length < 1e-9):
        raise ValueError("a camera cannot look at the point where it stands")
    v = way / length[:, None]
    sight = np.stack([offset_mm[:, 0], offset_mm[:, 1], focal_mm], axis=-1)
    sight = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    cos, sin = np.cos(roll), np.sin(roll)
    a = cos * sight[:, 0] - sin * sight[:, 1]
    b = sin * sight[:, 0] + cos * sight[:, 1]
    c = sight[:, 2]
    tilt = np.arctan2(b, c) + np.arcsin(np.clip(v[:, 2] / np.hypot(b, c), -1.0, 1.0))
    heading = np.arctan2(v[:, 1], v[:, 0]) - np.arctan2(-a, c * np.cos(tilt) + b * np.sin(tilt))
    return rolled(headed(heading, tilt), roll)


def headed(heading: Array, tilt: Array) -> Array:  # [F] radians each -> [F, 3, 3]
    """Level cameras that look towards `heading` (0 along +X, counter-clockwise from above) and `tilt` up."""
    ch, sh, ct, st = np.cos(heading), np.sin(heading), np.cos(tilt), np.sin(tilt)
    zero = np.zeros_like(ch)
    forward = np.stack([ct * ch, ct * sh, st], axis=-1)
    right = np.stack([sh, -ch, zero], axis=-1)
    down = np.stack([st * ch, st * sh, -ct], axis=-1)
    return np.stack([right, down, forward], axis=-1)


def heading_and_tilt(rotation: Array) -> tuple[float, float]:  # [3, 3] -> radians
    """Where a camera looks: heading and tilt, as `headed` takes them."""
    x, y, z = rotation[:, 2].tolist()
    return math.atan2(y, x), math.asin(min(max(z, -1.0), 1.0))


def offset_mm(place: tuple[float, float], recorded: tuple[float, float]) -> tuple[float, float]:
    """How far from the centre of the frame a place lies, in mm right and down."""
    return (place[0] - 0.5) * recorded[0], (place[1] - 0.5) * recorded[1]
