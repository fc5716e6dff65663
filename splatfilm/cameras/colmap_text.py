"""COLMAP's text files. Every line that cannot be read is told at once, with its number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.files import write_bytes
from splatfilm.cameras.colmap_model import (
    PARAMETERS,
    ColmapCamera,
    ColmapImage,
    ColmapModel,
    camera_from,
    checked_model,
    colmap_lens,
    world_to_camera,
)

_MOST_PROBLEMS = 50


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """`cameras.txt`: lenses by camera number. Raises `InputError`."""
    cameras: dict[int, ColmapCamera] = {}
    problems: list[Problem] = []
    for line, text in _records(path):
        words = text.split()
        try:
            if len(words) < 4:
                raise ValueError(f"expected CAMERA_ID MODEL WIDTH HEIGHT PARAMS..., found {text!r}")
            name = checked_model(path, words[1], line=line)
            parameters = _numbers(words[4:], len(PARAMETERS[name]), " ".join(PARAMETERS[name]))
            width, height = (_whole(word, "a size in pixels") for word in words[2:4])
            cameras[_whole(words[0], "a camera's number")] = ColmapCamera(name, width, height, parameters)
        except ValueError as error:
            problems.append(Problem(str(path), "", str(error), line))
        except InputError as error:
            problems += error.problems
    _raise(problems)
    return cameras


def read_images(path: Path, cameras: Mapping[int, ColmapCamera]) -> list[ColmapImage]:
    """`images.txt`: registered images with their poses; the line of observations after each is passed over."""
    images = []
    problems: list[Problem] = []
    for line, text in _records(path, followed=True):
        words = text.split(maxsplit=9)
        try:
            if len(words) < 10:
                raise ValueError(f"expected IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, found {text!r}")
            numbers = _numbers(words[1:8], 7, "QW QX QY QZ TX TY TZ")
            number, camera_id = _whole(words[0], "an image's number"), _whole(words[8], "a camera's number")
            name = words[9].rstrip()
            if camera_id not in cameras:
                raise ValueError(f"image {name} was taken by camera {camera_id}, which is not in the cameras file")
            images.append(
                ColmapImage(number, camera_id, name, camera_from(cameras[camera_id], numbers[:4], numbers[4:]))
            )
        except ValueError as error:
            problems.append(Problem(str(path), "", str(error), line))
    _raise(problems)
    return images


def read_points(path: Path) -> tuple[list[Any], list[Any], list[Any]]:
    """`points3D.txt`: positions, colours and errors in the order of the points' numbers."""
    points = []
    problems: list[Problem] = []
    for line, text in _records(path):
        words = text.split(maxsplit=8)
        try:
            if len(words) < 8:
                raise ValueError(f"expected POINT3D_ID X Y Z R G B ERROR TRACK..., found {text!r}")
            x, y, z, error = _numbers([*words[1:4], words[7]], 4, "X Y Z ERROR")
            colour = tuple(_whole(word, "a colour of 0 to 255") for word in words[4:7])
            if max(colour) > 255:
                raise ValueError(f"expected colours of 0 to 255, found {' '.join(words[4:7])}")
            points.append((_whole(words[0], "a point's number"), (x, y, z), colour, error))
        except ValueError as wrong:
            problems.append(Problem(str(path), "", str(wrong), line))
    _raise(problems)
    points.sort(key=lambda point: point[0])
    return [p[1] for p in points], [p[2] for p in points], [p[3] for p in points]


def write_model(folder: Path, model: ColmapModel) -> None:
    """Write the three files; cameras that are the same share one number. Raises `ValueError`, `StorageError`."""
    lenses: dict[ColmapCamera, int] = {}
    lines = []
    for image in model.images:
        number = lenses.setdefault(colmap_lens(image.camera), len(lenses) + 1)
        rotation, translation = world_to_camera(image.camera)
        pose = " ".join(map(repr, (*rotation, *translation)))
        lines += [f"{image.image_id} {pose} {number} {image.name}", ""]
    cameras = [
        f"{number} {lens.model} {lens.width} {lens.height} {' '.join(map(repr, lens.parameters))}"
        for lens, number in lenses.items()
    ]
    points = [
        f"{i} {' '.join(map(repr, position))} {' '.join(map(str, colour))} {error!r}"
        for i, (position, colour, error) in enumerate(
            zip(model.positions.tolist(), model.colours.tolist(), model.errors.tolist(), strict=True), start=1
        )
    ]
    for name, head, body in (
        ("cameras", "CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]", cameras),
        ("images", "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of POINTS2D[]", lines),
        ("points3D", "POINT3D_ID X Y Z R G B ERROR TRACK[]", points),
    ):
        write_bytes(folder / f"{name}.txt", "\n".join([f"# {head}", *body, ""]).encode())


def _records(path: Path, followed: bool = False) -> Iterator[tuple[int, str]]:
    """Number and text of each line that holds a record; with `followed` the line after each is passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError.at(path, f"not a text file: byte {error.start} is no UTF-8") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    numbered = iter(enumerate(lines, start=1))
    for number, text in numbered:
        if text.strip() and not text.lstrip().startswith("#"):
            yield number, text.strip()
            if followed:
                next(numbered, None)


def _numbers(words: list[str], count: int, meaning: str) -> tuple[float, ...]:
    if len(words) != count:
        raise ValueError(f"expected {count} numbers ({meaning}), found {len(words)}")
    values = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            raise ValueError(f"expected a number, found {word!r}") from None
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number, found {word}")
        values.append(value)
    return tuple(values)


def _whole(word: str, meaning: str) -> int:
    if not word.isascii() or not word.isdigit():
        raise ValueError(f"expected {meaning}, a whole number, found {word!r}")
    return int(word)


def _raise(problems: list[Problem]) -> None:
    if problems:
        rest = len(problems) - _MOST_PROBLEMS
        more = [Problem(problems[0].path, "", f"and {rest} more problems")] if rest > 0 else []
        raise InputError(problems[:_MOST_PROBLEMS] + more)
