"""Which layout a folder has, and what it lists: nerfstudio, Blender or COLMAP. The formats are read by `cameras/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.capture.listing import Listed, Listing
from splatfilm.capture.model import SparsePoints, Split
from splatfilm.capture.points import read_points

_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
_COLMAP_MODELS = ("sparse/0", "sparse", "colmap/sparse/0")
_MASK_FOLDER = "masks"


def list_capture(path: Path) -> Listing:
    """What the descriptions in a folder list. Raises `InputError` when there is none, with what to do about it."""
    if (path / "transforms.json").is_file():
        return _nerfstudio(path, (path / "transforms.json",), "nerfstudio")
    parts = tuple(path / f"transforms_{split}.json" for split in ("train", "val", "test"))
    if parts[0].is_file():
        return _nerfstudio(path, tuple(part for part in parts if part.is_file()), "blender")
    for model in _COLMAP_MODELS:
        if any((path / model / f"cameras.{kind}").is_file() for kind in ("bin", "txt")):
            return _colmap(path, path / model)
    expected = "expected transforms.json (nerfstudio), transforms_train.json (Blender) or sparse/0/cameras.bin (COLMAP)"
    photographs = sum(1 for p in path.rglob("*") if p.suffix.lower() in _PICTURES)
    if photographs:
        raise InputError.at(
            path,
            f"holds {photographs} pictures, but nothing says where they were taken from: {expected}. Find the poses "
            f"with COLMAP, or with nerfstudio's `ns-process-data images --data {path} --output-dir POSED`",
        )
    raise InputError.at(path, f"is no capture: {expected}")


def _nerfstudio(path: Path, descriptions: tuple[Path, ...], layout: str) -> Listing:
    from splatfilm.cameras.transforms_json import read_transforms

    transforms = read_transforms(path if layout == "blender" else descriptions[0])
    splits = _held_out(transforms.splits)
    photographs = tuple(
        Listed(
            name=Path(image.file_path).as_posix(),
            image=transforms.image_path(image),
            camera=image.camera,
            place=image.file_path,
            description=descriptions[0],
            mask=None if image.mask_path is None else transforms.folder / image.mask_path,
            split=splits.get(index) if splits else None,
        )
        for index, image in enumerate(transforms.images)
        if not splits or index in splits
    )
    unused = len(transforms.images) - len(photographs)
    notes = [*transforms.notes]
    if unused:
        notes.append(f"{unused} photographs are listed in no split; they are left out")
    points, files = None, descriptions
    if transforms.ply_file_path is not None:
        points, files = _listed_points(path, transforms.ply_file_path, descriptions, notes)
    return Listing(layout, photographs, files, points, tuple(notes))


def _held_out(splits: Mapping[str, tuple[int, ...]]) -> dict[int, Split]:
    """Whether each listed photograph is trained on: validation and test are both held out."""
    found: dict[int, Split] = {index: "test" for name in ("val", "test") for index in splits.get(name, ())}
    found.update(dict.fromkeys(splits.get("train", ()), "train"))
    return found


def _listed_points(
    path: Path, name: str, descriptions: tuple[Path, ...], notes: list[str]
) -> tuple[SparsePoints | None, tuple[Path, ...]]:
    file = path / name
    if not file.is_file():
        notes.append(f"the sparse points {name} are not there; training starts without them")
        return None, descriptions
    return read_points(file), (*descriptions, file)


def _colmap(path: Path, model: Path) -> Listing:
    from splatfilm.cameras.colmap import read_colmap

    found = read_colmap(model)
    folder = path / "images"
    if not folder.is_dir():
        raise InputError.at(path, f"has a COLMAP model in {model.relative_to(path)}, but no folder `images` beside it")
    photographs = tuple(
        Listed(
            name=image.name,
            image=folder / image.name,
            camera=image.camera,
            place=image.name,
            description=model,
            mask=_colmap_mask(path, image.name),
        )
        for image in found.images
    )
    points = SparsePoints(found.positions.astype(np.float32), found.colours) if len(found.positions) else None
    descriptions = tuple(sorted(p for p in model.iterdir() if p.is_file() and p.suffix in (".bin", ".txt")))
    notes = () if (path / "capture.toml").is_file() else ("COLMAP knows neither metres nor up; capture.toml can say",)
    return Listing("colmap", photographs, descriptions, points, notes)


def _colmap_mask(path: Path, name: str) -> Path | None:
    """A mask as COLMAP names them (`masks/a.jpg.png`), or with the photograph's own name."""
    candidates = (
        path / _MASK_FOLDER / f"{name}.png",
        path / _MASK_FOLDER / name,
        (path / _MASK_FOLDER / name).with_suffix(".png"),
    )
    return next((mask for mask in candidates if mask.is_file()), None)
