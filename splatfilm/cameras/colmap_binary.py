"""COLMAP's binary files: little-endian records without a header, so every count is checked against what is there."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.cameras.colmap_model import (
    MODEL_NAMES,
    PARAMETERS,
    ColmapCamera,
    ColmapImage,
    camera_from,
    checked_model,
)

_OBSERVATION = 24  # bytes: x, y, number of the point
_TRACK_ELEMENT = 8  # bytes: number of the image, index of the observation


class _Cursor:
    """Takes values from the front of a file's bytes, and knows where it is when they run out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data = path.read_bytes()
        except OSError as error:
            raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
        self.offset = 0

    def take(self, layout: str, what: str) -> tuple[Any, ...]:
        """Values of a `struct` layout. Raises `InputError` when the file ends before them."""
        values = struct.Struct("<" + layout)
        self.need(values.size, what)
        result = values.unpack_from(self._data, self.offset)
        self.offset += values.size
        return result

    def count(self, smallest: int, what: str) -> int:
        """A 64-bit count of records of at least `smallest` bytes, all of which must fit into the rest of the file."""
        start = self.offset
        (number,) = self.take("Q", f"the number of {what}")
        left = len(self._data) - self.offset
        if number * smallest > left:
            self.fail(
                f"{number} {what} do not fit into the {left} bytes that follow: truncated or no COLMAP file", start
            )
        return int(number)

    def text(self, what: str) -> str:
        """A name that ends with a zero byte."""
        end = self._data.find(b"\0", self.offset)
        if end < 0:
            self.fail(f"truncated in {what}", len(self._data))
        raw = self._data[self.offset : end]
        self.offset = end + 1
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.fail(f"{what} is no UTF-8 text", end - len(raw))

    def skip(self, size: int, what: str) -> None:
        """Pass over `size` bytes."""
        self.need(size, what)
        self.offset += size

    def need(self, size: int, what: str) -> None:
        if self.offset + size > len(self._data):
            missing = self.offset + size - len(self._data)
            self.fail(f"truncated in {what}: {missing} bytes are missing", self.offset)

    def end(self) -> None:
        """Check that nothing follows."""
        left = len(self._data) - self.offset
        if left:
            self.fail(f"{left} bytes follow the last record: no COLMAP file of a known version", self.offset)

    def fail(self, message: str, offset: int) -> NoReturn:
        raise InputError.at(self.path, message, f"byte {offset}")


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """`cameras.bin`: lenses by camera number. Raises `InputError`."""
    cursor = _Cursor(path)
    cameras: dict[int, ColmapCamera] = {}
    for _ in range(cursor.count(24, "cameras")):
        start = cursor.offset
        number, model, width, height = cursor.take("IiQQ", "a camera")
        name = checked_model(path, MODEL_NAMES.get(model, f"number {model}"), f"byte {start}")
        parameters = cursor.take("d" * len(PARAMETERS[name]), f"the parameters of camera {number}")
        cameras[number] = ColmapCamera(name, width, height, parameters)
    cursor.end()
    return cameras


def read_images(path: Path, cameras: Mapping[int, ColmapCamera]) -> list[ColmapImage]:
    """`images.bin`: registered images with their poses. Raises `InputError`."""
    cursor = _Cursor(path)
    images = []
    for _ in range(cursor.count(73, "images")):
        start = cursor.offset
        number, *numbers, camera_id = cursor.take("I7dI", "an image")
        name = cursor.text(f"the name of image {number}")
        observations = cursor.count(_OBSERVATION, f"observations of image {name}")
        cursor.skip(observations * _OBSERVATION, f"the observations of image {name}")
        if camera_id not in cameras:
            cursor.fail(f"image {name} was taken by camera {camera_id}, which is not in the cameras file", start)
        try:
            camera = camera_from(cameras[camera_id], numbers[:4], numbers[4:])
        except ValueError as error:
            cursor.fail(f"image {name}: {error}", start)
        images.append(ColmapImage(number, camera_id, name, camera))
    cursor.end()
    return images


def read_points(path: Path) -> tuple[list[Any], list[Any], list[Any]]:
    """`points3D.bin`: positions, colours and errors in the order of the points' numbers. Raises `InputError`."""
    cursor = _Cursor(path)
    points = []
    for _ in range(cursor.count(51, "points")):
        start = cursor.offset
        number, x, y, z, red, green, blue, error = cursor.take("Q3d3Bd", "a point")
        if not np.isfinite((x, y, z)).all():
            cursor.fail(f"point {number} is at ({x}, {y}, {z}): expected finite numbers", start)
        track = cursor.count(_TRACK_ELEMENT, f"track elements of point {number}")
        cursor.skip(track * _TRACK_ELEMENT, f"the track of point {number}")
        points.append((number, (x, y, z), (red, green, blue), error))
    cursor.end()
    points.sort(key=lambda point: point[0])
    return [p[1] for p in points], [p[2] for p in points], [p[3] for p in points]
