"""Stick figures: poses seen from the side and from the front, to look at a motion without splats.

Bones are drawn in grey for the middle, blue for the left and red for the right; the floor is a line. Meant for people,
so nothing else depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from splatfilm.stage.rigs import Pose, Skeleton, world_transforms

_INK, _LEFT, _RIGHT, _FLOOR = (60, 60, 60), (30, 90, 200), (200, 50, 40), (190, 190, 190)
_VIEWS = {"front": (0, 2, 1.0), "side": (1, 2, -1.0), "top": (0, 1, 1.0)}


def contact_sheet(
    skeleton: Skeleton,
    poses: Sequence[Pose],
    views: Sequence[str] = ("side", "front"),
    cell: int = 220,
    metres: float = 2.2,
    centred: bool = True,
) -> Image.Image:
    """A row of figures for each of `views` ("front" looks along +Y, "side" along -X, "top" down), a column a pose.

    `cell` pixels show `metres`. `centred` keeps each figure in the middle of its cell; otherwise the rig's origin is.
    """
    picture = Image.new("RGB", (cell * len(poses), cell * len(views)), "white")
    draw = ImageDraw.Draw(picture)
    scale = cell / metres
    for column, pose in enumerate(poses):
        at = world_transforms(skeleton, pose)[:, :3, 3]
        middle = at.mean(axis=0) if centred else np.zeros(3)
        for row, view in enumerate(views):
            across, up, sign = _VIEWS[view]
            floor = row * cell + cell * 0.93
            height = middle[up] if view == "top" else 0.0
            base = row * cell + cell / 2 if view == "top" else floor
            points = np.stack(
                [
                    column * cell + cell / 2 + sign * scale * (at[:, across] - middle[across]),
                    base - scale * (at[:, up] - height),
                ],
                axis=-1,
            )
            if view != "top":
                draw.line([(column * cell, floor), ((column + 1) * cell, floor)], fill=_FLOOR)
            _figure(draw, skeleton, points)
    return picture


def _figure(draw: ImageDraw.ImageDraw, skeleton: Skeleton, points: NDArray[np.float64]) -> None:
    for i, joint in enumerate(skeleton.joints):
        name = joint.name.lower()
        colour = _LEFT if "left" in name else _RIGHT if "right" in name else _INK
        if joint.parent > 0:
            a, b = points[joint.parent].tolist(), points[i].tolist()
            draw.line([a[0], a[1], b[0], b[1]], fill=colour, width=2)
