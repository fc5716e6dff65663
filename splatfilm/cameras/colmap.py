"""COLMAP's reconstructions: cameras, posed images and points from the classic three files, binary or text.

COLMAP's poses are world-to-camera; here they become camera-to-world of the same OpenCV axes, in COLMAP's own world,
which has no fixed up direction and no scale. Format: https://colmap.github.io/format.html. The `rigs` and `frames`
files of COLMAP 3.12 and later repeat what stands in the images here and are not read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.cameras import colmap_binary, colmap_text
from splatfilm.cameras.colmap_model import ColmapImage, ColmapModel


def read_colmap(folder: str | os.PathLike[str]) -> ColmapModel:
    """Read `cameras`, `images` and, when it is there, `points3D` from a folder, `.bin` before `.txt` as COLMAP does.

    Raises `InputError` naming the file and the byte or line: missing files, truncation, an unknown or unusable camera
    model, numbers that make no camera, an image without its camera, no image at all.
    """
    base = Path(folder)
    for reader, suffix in ((colmap_binary, "bin"), (colmap_text, "txt")):
        cameras_file, images_file, points_file = (base / f"{n}.{suffix}" for n in ("cameras", "images", "points3D"))
        if cameras_file.is_file() and images_file.is_file():
            images = reader.read_images(images_file, reader.read_cameras(cameras_file))
            if not images:
                raise InputError.at(images_file, "holds no registered image")
            points = reader.read_points(points_file) if points_file.is_file() else ([], [], [])
            return _model(images, points)
    raise InputError.at(folder, "is no COLMAP reconstruction: expected cameras and images, as .bin or .txt")


def write_colmap_text(folder: str | os.PathLike[str], model: ColmapModel) -> None:
    """Write `cameras.txt`, `images.txt` and `points3D.txt`, each atomically; observations of points are not kept.

    Raises `ValueError` for a lens that no COLMAP model describes and `StorageError` when the disk refuses.
    """
    colmap_text.write_model(Path(folder), model)


def _model(images: list[ColmapImage], points: tuple[list[Any], list[Any], list[Any]]) -> ColmapModel:
    positions, colours, errors = points
    return ColmapModel(
        tuple(sorted(images, key=lambda image: image.name)),
        np.array(positions, dtype=np.float64).reshape(-1, 3),
        np.array(colours, dtype=np.uint8).reshape(-1, 3),
        np.array(errors, dtype=np.float64).reshape(-1),
    )
