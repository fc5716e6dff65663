"""nerfstudio's normalised world, and the way back to the capture's.

nerfstudio trains in a world of its own: poses turned upright, centred and scaled into a box. It keeps how in
`dataparser_transforms.json` of the run: a point p of the original data lies at `scale * (transform @ p)`. Without that
file a camera path from nerfstudio stands in the wrong place and has the wrong size.

The original data is what the photographs' tool wrote (COLMAP's world, say); `transforms.json` may hold it turned and
scaled (`applied_transform`, `applied_scale`), and that is the world which a capture has here. So both files are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.files import write_json
from splatfilm.cameras.axes import rigidity_problem
from splatfilm.cameras.document import Document, describe, open_document

Array = NDArray[np.float64]

FILE = "dataparser_transforms.json"
CAPTURE_FILE = "transforms.json"


@dataclass(frozen=True, eq=False)
class Normalisation:
    """The map from a capture's world into nerfstudio's: x -> scale * (rotation @ x + translation)."""

    transform: Array  # [4, 4] rigid
    scale: float

    def to_capture(self, pose: Array) -> Array:  # [4, 4] -> [4, 4]
        """A camera pose of nerfstudio's world in the capture's; any camera axes."""
        unscaled = pose.copy()
        unscaled[:3, 3] /= self.scale
        rotation = self.transform[:3, :3].T
        result = np.eye(4)
        result[:3, :3] = rotation @ unscaled[:3, :3]
        result[:3, 3] = rotation @ (unscaled[:3, 3] - self.transform[:3, 3])
        return result

    def from_capture(self, pose: Array) -> Array:  # [4, 4] -> [4, 4]
        """A camera pose of the capture's world in nerfstudio's; any camera axes."""
        result: Array = self.transform @ pose
        result[:3, 3] *= self.scale
        return result


def find_normalisation(folder: Path) -> Normalisation | None:
    """The normalisation that lies in `folder`; None when there is none. Raises `InputError` when it cannot be read."""
    if not (folder / FILE).is_file():
        return None
    document = open_document(folder / FILE)
    values = document.value
    if not isinstance(values, dict) or not {"transform", "scale"} <= values.keys():
        document.refuse(f"expected an object with transform and scale, found {describe(values)}")
    scale = document.number(values["scale"], "scale", above=0)
    transform = rigid_3x4(document, values["transform"], "transform")
    document.finish()
    assert scale is not None and transform is not None
    applied, applied_scale = _applied(folder / CAPTURE_FILE)
    return Normalisation(transform @ np.linalg.inv(applied), scale / applied_scale)


def write_normalisation(path: Path, normalisation: Normalisation) -> None:
    """Write `dataparser_transforms.json` as nerfstudio does, for a capture without an applied transform."""
    write_json(path, {"transform": normalisation.transform[:3].tolist(), "scale": normalisation.scale})


def rigid_3x4(document: Document, value: object, place: str) -> Array | None:
    """Three or four rows of four numbers that rotate and move, as a [4, 4] matrix; None after telling what is wrong."""
    if not isinstance(value, list) or len(value) not in (3, 4):
        document.problem(place, f"expected three rows of four numbers, found {describe(value)}")
        return None
    rows = [document.numbers(row, f"{place}[{i}]", 4, "four numbers") for i, row in enumerate(value)]
    if None in rows:
        return None
    matrix = np.eye(4)
    matrix[: len(rows)] = rows
    wrong = rigidity_problem(matrix)
    if wrong:
        document.problem(place, wrong)
        return None
    return matrix


def _applied(path: Path) -> tuple[Array, float]:
    """`applied_transform` and `applied_scale` of the transforms.json beside, neutral where there is none."""
    if not path.is_file():
        return np.eye(4), 1.0
    document = open_document(path)
    values = document.value if isinstance(document.value, dict) else {}
    transform, scale = None, None
    if "applied_transform" in values:
        transform = rigid_3x4(document, values["applied_transform"], "applied_transform")
    if "applied_scale" in values:
        scale = document.number(values["applied_scale"], "applied_scale", above=0)
    document.finish()
    return np.eye(4) if transform is None else transform, scale or 1.0
