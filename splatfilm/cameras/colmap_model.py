"""What a COLMAP reconstruction holds, and what its lenses and poses mean as cameras of ours.

Camera models with their numbers: COLMAP `src/colmap/sensor/models.h`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.base.rigid import matrix_from_quaternion, quaternion_from_matrix
from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import Distortion

Array = NDArray[np.float64]

MODEL_NAMES = {
    0: "SIMPLE_PINHOLE",
    1: "PINHOLE",
    2: "SIMPLE_RADIAL",
    3: "RADIAL",
    4: "OPENCV",
    5: "OPENCV_FISHEYE",
    6: "FULL_OPENCV",
    7: "FOV",
    8: "SIMPLE_RADIAL_FISHEYE",
    9: "RADIAL_FISHEYE",
    10: "THIN_PRISM_FISHEYE",
    11: "RAD_TAN_THIN_PRISM_FISHEYE",
    12: "SIMPLE_DIVISION",
    13: "DIVISION",
    14: "SIMPLE_FISHEYE",
    15: "FISHEYE",
    16: "EUCM",
    17: "EQUIRECTANGULAR",
}
"""COLMAP's number of each camera model, as of 4.2."""

PARAMETERS = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
    "OPENCV_FISHEYE": ("fx", "fy", "cx", "cy", "k1", "k2", "k3", "k4"),
    "FULL_OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
}
"""The camera models that can be used here, with the order of their parameters."""

_BROWN = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")  # the order of `Distortion`


@dataclass(frozen=True)
class ColmapCamera:
    """One lens of a reconstruction, in COLMAP's terms."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ColmapImage:
    """One registered image. `name` is its path below the folder of images, as COLMAP keeps it."""

    image_id: int
    camera_id: int
    name: str
    camera: Camera


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """A reconstruction. Images are ordered by name; points by their number in COLMAP."""

    images: tuple[ColmapImage, ...]
    positions: Array  # [M, 3]
    colours: NDArray[np.uint8]  # [M, 3] sRGB
    errors: Array  # [M] mean reprojection error, px


def checked_model(file: Path, name: str, place: str = "", line: int = 0) -> str:
    """`name` when it is a model that can be used; otherwise an `InputError` that says which are."""
    if name in PARAMETERS:
        return name
    what = "cannot be used" if name in MODEL_NAMES.values() else "is no camera model of COLMAP"
    guess = did_you_mean(name, PARAMETERS)
    raise InputError.at(file, f"{name} {what}: expected {', '.join(PARAMETERS)}{guess}", place, line)


def camera_from(lens: ColmapCamera, rotation: Sequence[float], translation: Sequence[float]) -> Camera:
    """The camera of an image with this world-to-camera quaternion (wxyz) and translation. Raises `ValueError`."""
    world_to_camera = matrix_from_quaternion(rotation)
    pose = np.eye(4)
    pose[:3, :3] = world_to_camera.T
    pose[:3, 3] = -world_to_camera.T @ np.asarray(translation, dtype=np.float64)
    values: Mapping[str, float] = dict(zip(PARAMETERS[lens.model], lens.parameters, strict=True))
    fx = values.get("fx", values.get("f", 0.0))
    fy = values.get("fy", fx)
    size = lens.width, lens.height
    return Camera(pose, fx, fy, values["cx"], values["cy"], *size, _distortion(lens.model, values))


def colmap_lens(camera: Camera) -> ColmapCamera:
    """The COLMAP camera of the simplest model that is exactly `camera`. Raises `ValueError` when there is none."""
    focal = {"f": camera.fx, "fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    if camera.distortion is None or camera.distortion.is_zero:
        model = "SIMPLE_PINHOLE" if camera.fx == camera.fy else "PINHOLE"
    elif camera.distortion.model == "kannala-brandt":
        model = "OPENCV_FISHEYE"
        focal |= dict(zip(("k1", "k2", "k3", "k4"), camera.distortion.coefficients, strict=True))
    else:
        given = dict(zip(_BROWN, camera.distortion.coefficients, strict=False))
        model = "FULL_OPENCV" if any(given.get(name) for name in _BROWN[4:]) else "OPENCV"
        focal |= dict.fromkeys(_BROWN, 0.0) | given
    return ColmapCamera(model, camera.width, camera.height, tuple(focal[name] for name in PARAMETERS[model]))


def world_to_camera(camera: Camera) -> tuple[list[float], list[float]]:
    """COLMAP's quaternion (wxyz) and translation of a camera."""
    view = camera.world_to_camera()
    return quaternion_from_matrix(view[:3, :3]).tolist(), view[:3, 3].tolist()


def _distortion(model: str, values: Mapping[str, float]) -> Distortion | None:
    if model == "OPENCV_FISHEYE":
        return Distortion("kannala-brandt", tuple(values[name] for name in ("k1", "k2", "k3", "k4")))
    distortion = Distortion("brown-conrady", tuple(values.get(name, 0.0) for name in _BROWN))
    return None if distortion.is_zero else distortion
