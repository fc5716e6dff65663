"""nerfstudio's `camera_path.json`, in the dialects that its viewers and its Blender and Maya add-ons have written.

What all of them agree on, and nerfstudio's renderer reads: `camera_path`, one entry a frame, each with a row-major
camera-to-world matrix of OpenGL axes and a vertical field of view in degrees. What differs: `keyframes[].matrix` is a
row-major list from the viewer and a string of column-major numbers from the add-ons; sizes may be floats; `aspect` may
be anything. Poses stand in nerfstudio's normalised world: see `normalisation`. Source: nerfstudio 1.1.5,
`cameras/camera_paths.py`, `viewer/render_panel.py`, `scripts/blender/nerfstudio_blender.py`.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.files import write_bytes
from splatfilm.base.rigid import quaternion_from_matrix
from splatfilm.cameras.axes import (
    RIGID_TOLERANCE,
    from_opengl,
    nearest_rigid,
    rigidity_problem,
    to_opengl,
    without_scale,
)
from splatfilm.cameras.document import LARGEST_NUMBER, SMALLEST_NUMBER, Document, as_number, describe
from splatfilm.cameras.lens import Lens
from splatfilm.cameras.normalisation import FILE, Normalisation, find_normalisation
from splatfilm.cameras.path import CameraKey, CameraPath, Quaternion, Vector

Array = NDArray[np.float64]

FILMBACK_MM = (36.0, 24.0)
"""The filmback given to a camera that only knows a field of view; any would give the same picture."""

_OTHER_CAMERAS = ("fisheye", "equirectangular", "omnidirectional", "vr180")
_VIEWER_TRANSITION = 0.5  # seconds between keyframes where the file is silent, as nerfstudio's viewer loads it
_VIEWER_RATE = 24.0


def recognises(value: Any) -> bool:
    """Whether a parsed JSON file has what every camera_path.json has."""
    return isinstance(value, dict) and ("camera_path" in value or "keyframes" in value)


def from_document(document: Document, first_frame: int = 1001) -> CameraPath:
    """A camera path whose keys are the file's frames, one a scene frame from `first_frame` on.

    A file with keyframes only (saved before rendering) becomes keys at the keyframes' times, joined by our own spline.
    Poses are brought into the capture's world when `dataparser_transforms.json` lies beside. Raises `InputError`.
    """
    values = document.value
    _check_camera_type(document, values.get("camera_type"))
    entries = values.get("camera_path") or []
    keyframes = values.get("keyframes") or []
    for name, given in (("camera_path", entries), ("keyframes", keyframes)):
        if not isinstance(given, list):
            document.refuse(f"expected a list, found {describe(given)}", name)
    if not entries and not keyframes:
        document.refuse("holds no cameras: camera_path and keyframes are both empty")
    normalisation = find_normalisation(document.path.parent)
    notes = _notes(values, normalisation)
    if entries:
        times: list[float] = list(range(len(entries)))
        views = [_view(document, entry, f"camera_path[{i}]", "camera_to_world") for i, entry in enumerate(entries)]
    else:
        notes.append("it holds keyframes only: the camera moves between them on Splatfilm's own curve")
        views = [_view(document, entry, f"keyframes[{i}]", "matrix") for i, entry in enumerate(keyframes)]
        times = _keyframe_times(document, keyframes)
        if values.get("is_cycle") and len(views) > 1:
            views.append(views[0])
    document.finish()
    scales = sorted(
        {f"{view.scale:.6g}" for view in views if view is not None and abs(view.scale - 1) > RIGID_TOLERANCE}
    )
    if scales:
        notes.append(f"its cameras are scaled by {', '.join(scales[:3])}, which does not change what they see")
    try:
        return _path([first_frame + t for t in times], views, normalisation, tuple(notes))  # type: ignore[arg-type]
    except ValueError as error:
        document.refuse(str(error))


def write_nerfstudio_path(
    path: str | os.PathLike[str],
    camera: CameraPath,
    frames: Sequence[float],
    size: tuple[int, int],
    rate: Fraction,
    normalisation: Normalisation | None = None,
) -> None:
    """Write `camera` at scene `frames` for pictures of `size` as nerfstudio's viewer would, atomically.

    With `normalisation` the poses are brought from the capture's world into the run's. nerfstudio plays a path at
    (number of frames) / `seconds`, which comes out as exactly `rate`.
    """
    width, height = size

    def entry(frame: float, name: str) -> dict[str, Any]:
        view = camera.at(frame, width, height)
        pose = to_opengl(view.pose) if normalisation is None else normalisation.from_capture(to_opengl(view.pose))
        fov = 2 * math.degrees(math.atan2(height / 2, view.fy))
        return {name: pose.reshape(-1).tolist(), "fov": fov, "aspect": width / height}

    moments = [key.frame for key in camera.keys if frames[0] <= key.frame <= frames[-1]] or [frames[0]]
    lasting = [None, *(float((b - a) / rate) for a, b in itertools.pairwise(moments))]
    keyframes = [
        entry(frame, "matrix")
        | {"override_transition_enabled": seconds is not None, "override_transition_sec": seconds}
        for frame, seconds in zip(moments, lasting, strict=True)
    ]
    value = {
        "default_fov": keyframes[0]["fov"],
        "default_transition_sec": float(len(frames) / rate / max(len(moments) - 1, 1)),
        "keyframes": keyframes,
        "camera_type": "perspective",
        "render_height": height,
        "render_width": width,
        "fps": int(rate) if rate.denominator == 1 else float(rate),
        "seconds": float(len(frames) / rate),
        "is_cycle": False,
        "smoothness_value": 0.0,
        "camera_path": [entry(frame, "camera_to_world") for frame in frames],
    }
    write_bytes(path, json.dumps(value, allow_nan=False).encode())


# ---- reading ---------------------------------------------------------------------------------------------------------


def _check_camera_type(document: Document, value: Any) -> None:
    if value is None:
        return
    name = value.lower() if isinstance(value, str) else describe(value)
    if name in _OTHER_CAMERAS or not isinstance(value, str):
        document.refuse(f"{name} cameras cannot be rendered: expected perspective", "camera_type")


class _View(NamedTuple):
    """One entry of the file."""

    pose: Array  # [4, 4] our axes, the file's world
    fov: float  # vertical, degrees
    scale: float  # of the matrix; the add-on divides by that of the NeRF's mesh


def _view(document: Document, entry: Any, place: str, name: str) -> _View | None:
    if not isinstance(entry, dict):
        document.problem(place, f"expected an object with {name} and fov, found {describe(entry)}")
        return None
    if name not in entry:
        document.problem(place, f"missing: {name}; found {', '.join(list(entry)[:8]) or 'nothing'}")
        return None
    matrix = _matrix(document, entry[name], f"{place}.{name}", keyframe=name == "matrix")
    given = entry.get("fov")
    if given is None:
        given = document.value.get("default_fov")
    if given is None:
        document.problem(place, "missing: fov, the vertical field of view in degrees")
        return None
    fov = document.number(given, f"{place}.fov", above=0, below=180)
    return None if matrix is None or fov is None else _View(from_opengl(nearest_rigid(matrix[0])), fov, matrix[1])


def _matrix(document: Document, value: Any, place: str, keyframe: bool) -> tuple[Array, float] | None:
    """A pose and its scale from 16 numbers in a list, in four rows, or in a string. Keyframes' may be column-major."""
    flat = _parsed(value) if isinstance(value, str) else value
    if isinstance(flat, list) and len(flat) == 4 and all(isinstance(row, list) for row in flat):
        flat = [number for row in flat for number in row]
    numbers = document.numbers(flat if isinstance(flat, list) else value, place, 16, "a 4x4 matrix of 16 numbers")
    if numbers is None:
        return None
    matrix = np.array(numbers).reshape(4, 4)
    still = np.abs(matrix - (0, 0, 0, 1)).max(axis=1)[3] <= RIGID_TOLERANCE  # a row-major matrix ends like this
    turned = np.abs(matrix[:, 3] - (0, 0, 0, 1)).max() <= RIGID_TOLERANCE  # and a column-major one like this
    if keyframe and turned and (not still or isinstance(value, str)):
        matrix = matrix.T
    pose, scale = without_scale(matrix)
    wrong = rigidity_problem(pose)
    if wrong:
        document.problem(place, wrong)
        return None
    return pose, scale


def _parsed(text: str) -> Any:
    """The numbers that a string holds, with or without brackets and commas."""
    try:
        return [float(word) for word in text.replace("[", " ").replace("]", " ").replace(",", " ").split()]
    except ValueError:
        return None


def _keyframe_times(document: Document, keyframes: list[Any]) -> list[float]:
    """Scene frames from the first keyframe on at which the keyframes stand (and, in a cycle, at which it closes)."""
    values = document.value
    rate = _positive(values.get("fps"), _VIEWER_RATE)
    gaps = len(keyframes) - (0 if values.get("is_cycle") else 1)
    even = _positive(values.get("seconds"), 0.0) / max(gaps, 1) or _VIEWER_TRANSITION
    default = _positive(values.get("default_transition_sec"), even)
    times = [0.0]
    for i in [*range(1, len(keyframes)), *([0] if values.get("is_cycle") and len(keyframes) > 1 else [])]:
        entry = keyframes[i] if isinstance(keyframes[i], dict) else {}
        seconds = default
        if entry.get("override_transition_enabled") and entry.get("override_transition_sec") is not None:
            place = f"keyframes[{i}].override_transition_sec"
            seconds = document.number(entry["override_transition_sec"], place, above=0) or default
        times.append(times[-1] + seconds * rate)
    return times


def _positive(value: Any, otherwise: float) -> float:
    number = as_number(value)
    return number if number is not None and SMALLEST_NUMBER <= number <= LARGEST_NUMBER else otherwise


def _path(
    frames: list[float], views: list[_View], normalisation: Normalisation | None, notes: tuple[str, ...]
) -> CameraPath:
    focals = [FILMBACK_MM[1] / 2 / math.tan(math.radians(view.fov) / 2) for view in views]
    zooms = min(focals) != max(focals)
    keys = []
    for frame, view, focal in zip(frames, views, focals, strict=True):
        placed = view.pose if normalisation is None else normalisation.to_capture(view.pose)
        position: Vector = tuple(placed[:3, 3].tolist())
        rotation: Quaternion = tuple(quaternion_from_matrix(placed[:3, :3]).tolist())
        keys.append(CameraKey(frame, position, rotation, focal_mm=focal if zooms else None))
    return CameraPath(tuple(keys), Lens(focals[0], FILMBACK_MM, gate="vertical"), notes=notes)


def _notes(values: dict[str, Any], normalisation: Normalisation | None) -> list[str]:
    """What the file says that a film does otherwise."""
    notes = []
    if normalisation is None:
        notes.append(f"no {FILE} beside it: its poses are taken as they are, in the world of the nerfstudio run")
    width, height, rate = (_positive(values.get(name), 0) for name in ("render_width", "render_height", "fps"))
    if width and height:
        notes.append(f"it was made for pictures of {width:g}x{height:g}; the vertical field of view is kept")
    if rate:
        notes.append(f"it was made for {rate:g} frames a second; one of its frames is one scene frame")
    entries = values.get("camera_path") or []
    if any(isinstance(entry, dict) and entry.get("render_time") is not None for entry in entries):
        notes.append("its render_time is not used: time belongs to the scene")
    if values.get("crop"):
        notes.append("its crop box is not used")
    return notes
