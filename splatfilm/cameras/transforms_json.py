"""nerfstudio's `transforms.json`, and its instant-ngp and Blender relatives: posed photographs as plain records.

Read as nerfstudio 1.1.5's dataparsers read them (`nerfstudio_dataparser.py`, `instant_ngp_dataparser.py`,
`blender_dataparser.py`): an intrinsic given for the whole file wins over a frame's own; frames come in the order of
their file names; `transform_matrix` is camera-to-world with OpenGL axes in a world with Z up. What is not done here is
what nerfstudio does for training: turning, centring and scaling the poses. Nothing here opens a photograph, except to
learn its size where the file does not tell.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.base.files import write_json
from splatfilm.cameras.axes import from_opengl, nearest_rigid, to_opengl
from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import Distortion
from splatfilm.cameras.document import Document, as_number, describe, open_document
from splatfilm.cameras.normalisation import rigid_3x4

Array = NDArray[np.float64]

FILE = "transforms.json"
SPLITS = ("train", "val", "test")
PERSPECTIVE_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
FISHEYE_MODEL = "OPENCV_FISHEYE"
_UNUSABLE_MODELS = (
    "EQUIRECTANGULAR",
    "OMNIDIRECTIONALSTEREO_L",
    "OMNIDIRECTIONALSTEREO_R",
    "VR180_L",
    "VR180_R",
    "ORTHOPHOTO",
    "FISHEYE624",
)
_COEFFICIENTS = ("k1", "k2", "k3", "k4", "p1", "p2")  # the order of nerfstudio's distortion_params


@dataclass(frozen=True, eq=False)
class PosedImage:
    """One frame of a transforms.json. Paths are as the file writes them, relative to its folder."""

    file_path: str
    camera: Camera  # in the world of the file
    mask_path: str | None = None  # black: ignore
    depth_path: str | None = None  # 16 or 32 bit, millimetres, 0 = unknown


@dataclass(frozen=True, eq=False)
class Transforms:
    """A transforms.json, or the three files of a Blender data set.

    `splits` holds for "train", "val" and "test" which of `images` they are, by index; empty when the files do not say.
    `applied_transform` [4, 4] and `applied_scale` led from the original data's world into the file's.
    """

    folder: Path
    images: tuple[PosedImage, ...]
    splits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ply_file_path: str | None = None
    applied_transform: Array | None = None
    applied_scale: float = 1.0
    notes: tuple[str, ...] = ()

    def image_path(self, image: PosedImage) -> Path:
        """Where the photograph lies; whether it does is not checked."""
        return _image_file(self.folder, image.file_path)


def recognises(value: Any) -> bool:
    """Whether a parsed JSON file is a transforms.json."""
    frames = value.get("frames") if isinstance(value, dict) else None
    return isinstance(frames, list) and any(isinstance(f, dict) and "transform_matrix" in f for f in frames)


def read_transforms(path: str | os.PathLike[str]) -> Transforms:
    """Read a transforms.json, or a folder with one or with transforms_train.json, _val and _test.

    Raises one `InputError` with everything that is wrong.
    """
    file = Path(path)
    if not file.is_dir():
        return _read_file(file)
    if (file / FILE).is_file():
        return _read_file(file / FILE)
    parts = {split: file / f"transforms_{split}.json" for split in SPLITS}
    found = {split: _read_file(part) for split, part in parts.items() if part.is_file()}
    if not found:
        raise InputError.at(path, f"holds no {FILE} and no transforms_train.json")
    images = [image for part in found.values() for image in part.images]
    splits, start = {}, 0
    for split, part in found.items():
        splits[split] = tuple(range(start, start + len(part.images)))
        start += len(part.images)
    notes = tuple(dict.fromkeys(note for part in found.values() for note in part.notes))
    first = next(iter(found.values()))
    return Transforms(
        file, tuple(images), splits, first.ply_file_path, first.applied_transform, first.applied_scale, notes
    )


def write_transforms(path: str | os.PathLike[str], transforms: Transforms) -> None:
    """Write `transforms` as nerfstudio's ns-process-data does, atomically; intrinsics once when all cameras share them.

    Raises `ValueError` for a lens that nerfstudio cannot hold (brown-conrady beyond k1, k2, k3, p1, p2; two models in
    one file) and `StorageError` when the disk refuses.
    """
    if not transforms.images:
        raise ValueError("a transforms.json needs at least one frame")
    lenses = [_lens_values(image.camera) for image in transforms.images]
    models = {image.camera.distortion.model if image.camera.distortion else None for image in transforms.images}
    if "kannala-brandt" in models and len(models) > 1:
        raise ValueError("one transforms.json holds fisheye cameras or others, and not both")
    shared = all(lens == lenses[0] for lens in lenses)
    value: dict[str, Any] = dict(lenses[0]) if shared else {}
    value["camera_model"] = FISHEYE_MODEL if "kannala-brandt" in models else "OPENCV"
    value["frames"] = [
        _frame_values(image, {} if shared else lens) for image, lens in zip(transforms.images, lenses, strict=True)
    ]
    if transforms.applied_transform is not None:
        value["applied_transform"] = transforms.applied_transform[:3].tolist()
    if transforms.applied_scale != 1:
        value["applied_scale"] = transforms.applied_scale
    if transforms.ply_file_path is not None:
        value["ply_file_path"] = transforms.ply_file_path
    for split, members in transforms.splits.items():
        value[f"{split}_filenames"] = [transforms.images[i].file_path for i in members]
    write_json(path, value)


def default_split(count: int, fraction: float = 0.9) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of `count` photographs nerfstudio trains on and which it holds out when nothing says: (train, held out).

    `fraction` of them, evenly spread with the first and the last, are for training.
    """
    train = np.linspace(0, count - 1, math.ceil(count * fraction), dtype=int)
    return train, np.setdiff1d(np.arange(count), train)


# ---- reading ---------------------------------------------------------------------------------------------------------


def _read_file(path: Path) -> Transforms:
    document = open_document(path)
    top = document.value
    if not isinstance(top, dict) or not isinstance(top.get("frames"), list):
        document.refuse(f'expected an object with a list "frames", found {describe(top)}')
    if not top["frames"]:
        document.refuse("expected at least one frame, found none", "frames")
    model = _model(document, top)
    entries = _in_order(document, top["frames"])
    sizes = _Sizes(document, [_image_file(path.parent, frame["file_path"]) for _, frame in entries])
    images = []
    for i, entry in entries:
        place = f"frames[{i}]"
        # ns-process-data writes the model into each frame when there are several; nerfstudio itself then forgets it.
        own = "camera_model" not in top and "camera_model" in entry
        image = _image(document, top, entry, (place, _model(document, entry, place) if own else model, sizes))
        if image is not None:
            images.append(image)
    _all_or_none(document, entries, "mask_path")
    _all_or_none(document, entries, "depth_file_path")
    splits = _splits(document, top, images)
    applied = rigid_3x4(document, top["applied_transform"], "applied_transform") if "applied_transform" in top else None
    scale = document.number(top["applied_scale"], "applied_scale", above=0) if "applied_scale" in top else 1.0
    ply = top.get("ply_file_path")
    if ply is not None and not isinstance(ply, str):
        document.problem("ply_file_path", f"expected a path, found {describe(ply)}")
    document.finish()
    return Transforms(path.parent, tuple(images), splits, ply, applied, scale or 1.0, _notes(top, entries))


def _model(document: Document, values: Mapping[str, Any], place: str = "") -> str:
    """`FISHEYE_MODEL` or "OPENCV" for a file or a frame; tells of what cannot be used and of what nobody knows."""
    if "camera_model" not in values:
        return FISHEYE_MODEL if values.get("is_fisheye") is True else "OPENCV"
    name = values["camera_model"]
    if name in PERSPECTIVE_MODELS:
        return "OPENCV"
    if name != FISHEYE_MODEL:
        known = (*PERSPECTIVE_MODELS, FISHEYE_MODEL)
        what = "cannot be used" if name in _UNUSABLE_MODELS else "is no camera model"
        guess = did_you_mean(name, known) if isinstance(name, str) else ""
        where = f"{place}.camera_model" if place else "camera_model"
        document.problem(where, f"{describe(name)} {what}: expected {', '.join(known)}{guess}")
    return FISHEYE_MODEL


def _in_order(document: Document, frames: list[Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The readable frames with their place in the file, in the order of their file names as nerfstudio has them."""
    entries = []
    for i, frame in enumerate(frames):
        if not isinstance(frame, dict):
            document.problem(f"frames[{i}]", f"expected an object, found {describe(frame)}")
        elif not isinstance(frame.get("file_path"), str) or not frame["file_path"]:
            document.problem(f"frames[{i}]", f"missing: file_path; found {describe(frame.get('file_path'))}")
        elif "transform_matrix" not in frame:
            document.problem(f"frames[{i}]", "missing: transform_matrix")
        else:
            entries.append((i, frame))
    return sorted(entries, key=lambda item: Path(item[1]["file_path"]))


class _Sizes:
    """Picture sizes for files that do not give them, from the first photograph that is there, as nerfstudio does."""

    def __init__(self, document: Document, photographs: list[Path]) -> None:
        self._document, self._photographs = document, photographs
        self._known: tuple[int, int] | None = None

    def get(self) -> tuple[int, int]:
        """(width, height) in pixels. Raises `InputError` when it cannot be known."""
        if self._known is None:
            self._known = self._look()
        return self._known

    def _look(self) -> tuple[int, int]:
        from PIL import Image  # a quarter of a second that most files do not need

        there = next((file for file in self._photographs if file.is_file()), None)
        if there is None:
            self._document.refuse("no w and h given, and no photograph is there to tell its size")
        try:
            with Image.open(there) as picture:
                return picture.size
        except OSError as error:
            self._document.refuse(f"no w and h given, and {there} is no readable picture: {error}")


def _image(
    document: Document, top: Mapping[str, Any], frame: Mapping[str, Any], context: tuple[str, str, _Sizes]
) -> PosedImage | None:
    place, model, sizes = context
    before = document.found
    pose = _pose(document, frame["transform_matrix"], f"{place}.transform_matrix")

    def given(name: str, above: float | None = None) -> float | None:
        """A number of the file, or else of the frame, as nerfstudio looks for them."""
        if name in top:
            return document.number(top[name], name, above=above)
        return document.number(frame[name], f"{place}.{name}", above=above) if name in frame else None

    width, height = given("w", above=0), given("h", above=0)
    if document.found == before and (width is None or height is None):
        width, height = sizes.get()
    if width is None or height is None:
        return None
    width, height = int(width), int(height)
    fx = _focal(given, "x", width)
    fy = _focal(given, "y", height) or fx
    if (fx is None or fy is None) and document.found == before:
        document.problem(place, "no focal length: missing fl_x, camera_angle_x or x_fov, here and for the whole file")
    cx, cy = given("cx"), given("cy")
    distortion = _distortion(document, top, frame, (place, model))
    if document.found > before or pose is None or fx is None or fy is None:
        return None
    cx, cy = width / 2 if cx is None else cx, height / 2 if cy is None else cy
    try:
        camera = Camera(pose, fx, fy, cx, cy, width, height, distortion)
    except ValueError as error:
        document.problem(place, str(error))
        return None
    return PosedImage(frame["file_path"], camera, frame.get("mask_path"), frame.get("depth_file_path"))


def _focal(given: Any, axis: str, length: int) -> float | None:
    """Focal length in pixels along `axis`, from itself or from a field of view over `length` pixels."""
    focal: float | None = given(f"fl_{axis}", above=0)
    if focal is not None:
        return focal
    degrees, radians = given(f"{axis}_fov", above=0), given(f"camera_angle_{axis}", above=0)
    angle = math.radians(degrees) if degrees is not None else radians
    return 0.5 * length / math.tan(0.5 * angle) if angle is not None and angle < math.pi else None


def _pose(document: Document, value: Any, place: str) -> Array | None:
    matrix = rigid_3x4(document, value, place)
    return None if matrix is None else from_opengl(nearest_rigid(matrix))


def _distortion(
    document: Document, top: Mapping[str, Any], frame: Mapping[str, Any], context: tuple[str, str]
) -> Distortion | None:
    place, model = context
    whole = any(name in top for name in ("k1", "k2", "k3", "p1", "p2", "distortion_params"))
    source, prefix = (top, "") if whole else (frame, f"{place}.")
    if "distortion_params" in source:
        values = document.numbers(
            source["distortion_params"], f"{prefix}distortion_params", 6, "[k1, k2, k3, k4, p1, p2]"
        )
    else:
        found = [document.number(source.get(name, 0.0), f"{prefix}{name}") for name in _COEFFICIENTS]
        values = None if None in found else tuple(found)  # type: ignore[arg-type]
    if values is None:
        return None
    k1, k2, k3, k4, p1, p2 = values
    if model == FISHEYE_MODEL:
        return Distortion("kannala-brandt", (k1, k2, k3, k4))
    if k4 != 0:
        # nerfstudio's k4 multiplies r^8; OpenCV's stands in a denominator. nerfstudio refuses to undistort it too.
        document.problem(f"{prefix}k4", f"a fourth radial coefficient cannot be undone here: expected 0, found {k4:g}")
    distortion = Distortion("brown-conrady", (k1, k2, p1, p2, k3))
    return None if distortion.is_zero else distortion


def _lens_values(camera: Camera) -> dict[str, float]:
    values: dict[str, float] = {"w": camera.width, "h": camera.height}
    values |= {"fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy}
    distortion = camera.distortion
    if distortion is not None and distortion.model == "kannala-brandt":
        return values | dict(zip(("k1", "k2", "k3", "k4"), distortion.coefficients, strict=True))
    k1, k2, p1, p2, k3, *rest = (*(distortion.coefficients if distortion else ()), *([0.0] * 8))[:8]
    if any(rest):
        raise ValueError("nerfstudio has no place for the coefficients k4, k5 and k6 of this lens")
    return values | {"k1": k1, "k2": k2, "p1": p1, "p2": p2} | ({"k3": k3} if k3 else {})


def _frame_values(image: PosedImage, lens: Mapping[str, float]) -> dict[str, Any]:
    value: dict[str, Any] = {"file_path": image.file_path, **lens}
    value["transform_matrix"] = to_opengl(image.camera.pose).tolist()
    if image.mask_path is not None:
        value["mask_path"] = image.mask_path
    if image.depth_path is not None:
        value["depth_file_path"] = image.depth_path
    return value


def _all_or_none(document: Document, entries: list[tuple[int, Mapping[str, Any]]], name: str) -> None:
    has = [name in frame for _, frame in entries]
    if any(has) and not all(has):
        place = next(f"frames[{i}]" for i, frame in entries if name not in frame)
        document.problem(place, f"missing: {name}, which {sum(has)} of {len(has)} frames have; all or none must")
    for i, frame in entries:
        if name in frame and not isinstance(frame[name], str):
            document.problem(f"frames[{i}].{name}", f"expected a path, found {describe(frame[name])}")


def _splits(document: Document, top: Mapping[str, Any], images: list[PosedImage]) -> dict[str, tuple[int, ...]]:
    splits = {}
    names = [Path(image.file_path) for image in images]
    present = set(names)
    for split in SPLITS:
        listed = top.get(f"{split}_filenames")
        if listed is None:
            continue
        place = f"{split}_filenames"
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            document.problem(place, "expected a list of file paths")
            continue
        if document.found == 0:
            for name in sorted(set(map(Path, listed)) - present):
                document.problem(place, f'"{name}" is no file_path of any frame')
        chosen = set(map(Path, listed))
        splits[split] = tuple(i for i, name in enumerate(names) if name in chosen)
    return splits


def _notes(top: Mapping[str, Any], entries: list[tuple[int, Mapping[str, Any]]]) -> tuple[str, ...]:
    notes = []
    overruled = [
        name
        for name in ("fl_x", "fl_y", "cx", "cy", "w", "h")
        if name in top and any(as_number(frame.get(name, top[name])) != as_number(top[name]) for _, frame in entries)
    ]
    if overruled:
        notes.append(f"frames have their own {', '.join(overruled)}, but the whole file's count, as in nerfstudio")
    if len({frame["file_path"] for _, frame in entries}) < len(entries):
        notes.append("some photographs are listed more than once")
    return tuple(notes)


def _image_file(folder: Path, file_path: str) -> Path:
    """Where a `file_path` leads; the Blender layout leaves the `.png` out."""
    plain, with_suffix = folder / file_path, folder / f"{file_path}.png"
    return with_suffix if not plain.suffix or (with_suffix.is_file() and not plain.is_file()) else plain
