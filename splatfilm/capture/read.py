"""The one door through which captures come in: which layout it is, and whether what it says is true.

Everything about the files is checked here but their pixels: those are decoded when they are needed, or by
`splatfilm capture`. All problems of a capture are raised at once.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from splatfilm.base.errors import InputError, Problem
from splatfilm.cameras import Camera
from splatfilm.capture.layouts import list_capture
from splatfilm.capture.listing import Listed, Listing
from splatfilm.capture.model import Capture, Photograph, SparsePoints, Split
from splatfilm.capture.sheet import read_sheet, to_world

HOLD_OUT_EVERY = 8  # by name, where the capture does not say (Barron et al. 2022, and everybody since)
_FEWEST_TO_SPLIT = 4
_ORIENTATION = 0x0112  # EXIF
_QUARTER_TURNS = {3: 2, 6: 3, 8: 1}  # EXIF orientation -> counter-clockwise turns; mirrored ones are not photographs
_NAMES_SHOWN = 3


def read_capture(folder: str | os.PathLike[str], strict: bool = False) -> Capture:
    """Read a capture: nerfstudio's or Blender's `transforms*.json`, or COLMAP's `images` and `sparse`.

    Photographs that are listed but not there are left out with a note, as long as some are there; with `strict` they
    are refused. Raises one `InputError` with every problem.
    """
    path = Path(folder)
    if not path.is_dir():
        raise InputError.at(path, "no such folder" if not path.exists() else "is not a folder; a capture is one")
    sheet = read_sheet(path)
    listing = list_capture(path)
    notes = list(listing.notes)
    there, missing = _there(listing)
    _judge_missing(path, listing, missing, notes, strict)
    looked = [_look(listed, notes) for listed in there]
    problems = [*_repeated(there), *(found for found in looked if isinstance(found, Problem))]
    if problems:
        raise InputError(problems)
    world = to_world(sheet)
    photographs = [_in_world(found, world) for found in looked if isinstance(found, Photograph)]
    photographs.sort(key=lambda photograph: photograph.name)
    return Capture(
        path=path,
        photographs=_split(path, photographs, there),
        points=_points_in_world(listing.points, world),
        notes=tuple(dict.fromkeys(notes)),
        sheet=sheet,
        layout=listing.layout,
        descriptions=listing.descriptions,
    )


def _there(listing: Listing) -> tuple[list[Listed], list[str]]:
    there = [listed for listed in listing.photographs if listed.image.is_file()]
    missing = [listed.name for listed in listing.photographs if not listed.image.is_file()]
    return there, missing


def _judge_missing(path: Path, listing: Listing, missing: Sequence[str], notes: list[str], strict: bool) -> None:
    total = len(listing.photographs)
    if not missing:
        return
    shown = ", ".join(missing[:_NAMES_SHOWN]) + (", ..." if len(missing) > _NAMES_SHOWN else "")
    if len(missing) == total:
        raise InputError.at(path, f"none of the {total} listed photographs is there: {shown}")
    message = f"{len(missing)} of {total} listed photographs have no file: {shown}"
    if strict:
        raise InputError([Problem(str(path), name, "is listed, but has no file") for name in missing])
    notes.append(f"{message}; they are left out")


def _repeated(there: Sequence[Listed]) -> list[Problem]:
    counts = Counter(listed.name for listed in there)
    twice = [listed for listed in there if counts[listed.name] > 1]
    return [
        Problem(str(listed.description), listed.place, f"{listed.name} is listed {counts[listed.name]} times")
        for listed in {listed.name: listed for listed in twice}.values()
    ]


def _look(listed: Listed, notes: list[str]) -> Photograph | Problem:
    """The photograph with a camera that fits its file, or what is wrong. Reads the file's header only."""
    try:
        with Image.open(listed.image) as picture:
            size = picture.size
            matte = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            # A PNG may hold EXIF behind its pixels, and asking for it would decode them all.
            told = picture.format != "PNG" or "exif" in picture.info
            turns = _QUARTER_TURNS.get(picture.getexif().get(_ORIENTATION, 1), 0) if told else 0
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return Problem(str(listed.image), "", "is not a picture that can be read (JPEG, PNG, TIFF or WebP expected)")
    except (OSError, SyntaxError, ValueError) as error:
        return Problem(str(listed.image), "", f"cannot be read: {error}")
    camera, turned = _fitting(listed.camera, size, turns)
    if camera is None:
        said = f"{listed.camera.width}x{listed.camera.height}"
        return Problem(
            str(listed.description),
            listed.place,
            f"says that {listed.name} is {said}, but the file is {size[0]}x{size[1]}, which is another shape",
        )
    if (camera.width, camera.height) != (listed.camera.width, listed.camera.height):
        share = camera.width / listed.camera.width
        notes.append(
            f"photographs are {share:.4g} times the size that the intrinsics are for, which were scaled to fit"
        )
    if turned:
        notes.append("photographs are turned by their EXIF orientation, as their intrinsics are")
    if listed.mask is not None and not listed.mask.is_file():
        return Problem(str(listed.description), listed.place, f"names the mask {listed.mask.name}, which is not there")
    return Photograph(listed.name, listed.image, camera, listed.split or "train", listed.mask, matte, turned)


def _fitting(camera: Camera, size: tuple[int, int], turns: int) -> tuple[Camera | None, int]:
    """(the camera at the file's size, quarter turns); None when the shapes disagree.

    Pixels are taken as stored, like COLMAP and nerfstudio do; they are turned only where the intrinsics are for the
    turned picture and not for the stored one.
    """
    if _same_shape(camera, size):
        return camera.scaled(*size) if size != (camera.width, camera.height) else camera, 0
    upright = size[::-1]
    if turns % 2 and _same_shape(camera, upright):
        return camera.scaled(*upright) if upright != (camera.width, camera.height) else camera, turns
    return None, 0


def _same_shape(camera: Camera, size: tuple[int, int]) -> bool:
    """Whether a picture is the camera's at another scale, within one pixel of rounding."""
    width, height = size
    return (
        abs(height - camera.height * width / camera.width) <= 1
        and abs(width - camera.width * height / camera.height) <= 1
    )


def _in_world(photograph: Photograph, world: NDArray[np.float64]) -> Photograph:
    scale = np.cbrt(np.linalg.det(world[:3, :3]))
    pose = photograph.camera.pose.copy()
    pose[:3, :3] = world[:3, :3] / scale @ pose[:3, :3]
    pose[:3, 3] = world[:3, :3] @ pose[:3, 3]
    return dataclasses.replace(photograph, camera=dataclasses.replace(photograph.camera, pose=pose))


def _points_in_world(points: SparsePoints | None, world: NDArray[np.float64]) -> SparsePoints | None:
    if points is None or not len(points.positions):
        return None
    turned = (points.positions.astype(np.float64)[:, None, :] * world[:3, :3]).sum(axis=2)
    return SparsePoints(turned.astype(np.float32), points.colours)


def _split(path: Path, photographs: Sequence[Photograph], there: Sequence[Listed]) -> tuple[Photograph, ...]:
    """The capture's own split, or every eighth photograph by name held out."""
    if any(listed.split is not None for listed in there):
        result = tuple(photographs)
    else:
        splits: list[Split] = [
            "test" if i % HOLD_OUT_EVERY == 0 and len(photographs) >= _FEWEST_TO_SPLIT else "train"
            for i in range(len(photographs))
        ]
        result = tuple(dataclasses.replace(p, split=s) for p, s in zip(photographs, splits, strict=True))
    if not any(photograph.split == "train" for photograph in result):
        raise InputError.at(path, "no photograph is for training: all are held out")
    return result
