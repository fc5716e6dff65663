"""What a capture is worth before hours are spent on it: counts, sizes, bounds, and the doubts of a careful eye."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.capture.model import Capture

_FEW = 12  # photographs for training under which reconstructions are seldom solid
_NARROW = 5.0  # degrees between the views of one scene under which depth is guesswork
_STANDING = 0.02  # reach of the cameras over their distance from the scene: a tripod that only turned
_OUTLIER = 10.0  # times the median distance from the middle

Bounds = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Report:
    """A capture in figures. Lengths in metres, angles in degrees; bounds are (least, greatest) corners."""

    name: str
    layout: str
    train: int
    test: int
    sizes: dict[str, int]  # "1080x1920" -> photographs of that size
    distortions: dict[str, int]
    mattes: int
    masks: int
    points: int
    camera_bounds: Bounds
    point_bounds: Bounds | None  # of the middle 98 % of the points along each axis
    reach: float  # from the cameras' middle to the farthest
    view_angle: float  # between the two viewing directions that differ most
    notes: tuple[str, ...]
    doubts: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def report_on(capture: Capture) -> Report:
    """Look at everything but the pixels."""
    photographs = capture.photographs
    positions = np.stack([p.camera.position for p in photographs])
    directions = np.stack([p.camera.forward for p in photographs])
    reach = float(np.linalg.norm(positions - positions.mean(axis=0), axis=1).max())
    angle = float(np.degrees(np.arccos(np.clip((directions @ directions.T).min(), -1, 1))))
    points = capture.points.positions if capture.points is not None else None
    return Report(
        name=capture.path.name,
        layout=capture.layout,
        train=len(capture.of("train")),
        test=len(capture.of("test")),
        sizes=dict(Counter(f"{p.camera.width}x{p.camera.height}" for p in photographs)),
        distortions=dict(
            Counter("pinhole" if p.camera.distortion is None else p.camera.distortion.model for p in photographs)
        ),
        mattes=sum(p.has_matte for p in photographs),
        masks=sum(p.mask is not None for p in photographs),
        points=0 if points is None else len(points),
        camera_bounds=_bounds(positions),
        point_bounds=None if points is None or not len(points) else _bounds(np.percentile(points, (1, 99), axis=0)),
        reach=reach,
        view_angle=angle,
        notes=capture.notes,
        doubts=_doubts(capture, positions, reach, angle),
    )


def _doubts(capture: Capture, positions: NDArray[np.float64], reach: float, angle: float) -> tuple[str, ...]:
    doubts = []
    train = capture.of("train")
    if len(train) < _FEW:
        doubts.append(f"only {len(train)} photographs to train on; {_FEW} is little, 60 to 200 are usual")
    if not capture.of("test"):
        doubts.append("no photograph is held out, so the quality cannot be measured on views that training did not see")
    distance = _scene_distance(capture, positions)
    if len(positions) > 1 and reach < _STANDING * distance:
        doubts.append(
            f"the cameras hardly move ({reach:.3g} m for a scene about {distance:.3g} m away): walk, do not only turn"
        )
    elif len(positions) > 1 and angle < _NARROW and reach < distance:
        doubts.append(f"all views look the same way (within {angle:.1f} degrees): depth will be guesswork")
    far = np.linalg.norm(positions - np.median(positions, axis=0), axis=1)
    lost = np.flatnonzero(far > _OUTLIER * max(float(np.median(far)), 1e-9))
    doubts += [
        f"{capture.photographs[i].name} stands far away from all other cameras: is its pose right?" for i in lost
    ]
    mixed = sum(p.has_matte for p in capture.photographs)
    if 0 < mixed < len(capture.photographs):
        doubts.append(
            f"{mixed} of {len(capture.photographs)} photographs have an alpha channel: are the others complete?"
        )
    if capture.points is None:
        doubts.append("no sparse points: training starts from random splats and takes longer")
    return tuple(doubts)


def _scene_distance(capture: Capture, positions: NDArray[np.float64]) -> float:
    """About how far away from the cameras the scene is; 1 when nothing says so."""
    if capture.points is None or not len(capture.points.positions):
        return 1.0
    middle = np.median(capture.points.positions, axis=0)
    return float(np.median(np.linalg.norm(positions - middle, axis=1)))


def _bounds(positions: NDArray[Any]) -> Bounds:
    low, high = positions.min(axis=0), positions.max(axis=0)
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))
