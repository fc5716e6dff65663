"""One camera at one moment: where it stands and how it projects.

OpenCV axes (x right, y down, z forward), camera-to-world, metres, float64; pixel (0, 0) has its centre at (0.5, 0.5).
Formats with other axes convert at their own border.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.distortion import Distortion
from splatfilm.cameras.lens import Lens

Margins = tuple[int, int, int, int]
"""Pixels beyond a picture's left, top, right and bottom edge."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pose and pixel intrinsics. `lens` travels along for focus, depth of field and hand-off; None when unknown.

    With `overscan` more is drawn than the picture of `width` x `height` shows: a window that begins that many pixels
    left of it and above it. Intrinsics and size stay the picture's, and so do its pixels, to the bit. `shift` is what a
    point of the pupil beside its middle adds to x/z and y/z before a lens bends them (`aperture.through_pupil`).
    """

    pose: NDArray[np.float64]  # [4, 4] camera-to-world, metres
    fx: float  # px
    fy: float  # px
    cx: float  # px
    cy: float  # px
    width: int  # px
    height: int  # px
    distortion: Distortion | None = None
    lens: Lens | None = None
    overscan: Margins = (0, 0, 0, 0)
    shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        pose = np.array(self.pose, dtype=np.float64)
        if pose.shape != (4, 4) or not np.all(np.isfinite(pose)):
            raise ValueError(f"a camera pose must be a finite 4x4 matrix, not {pose.shape}")
        rotation = pose[:3, :3]
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-4 or np.linalg.det(rotation) < 0:
            raise ValueError("a camera pose must hold a right-handed rotation without scale or shear")
        if np.abs(pose[3] - (0, 0, 0, 1)).max() > 1e-9:
            raise ValueError("the last row of a camera pose must be 0 0 0 1")
        if not (np.isfinite([self.fx, self.fy, self.cx, self.cy]).all() and self.fx > 0 and self.fy > 0):
            raise ValueError(f"focal lengths must be positive and finite, found fx={self.fx}, fy={self.fy}")
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture must have at least one pixel, found {self.width}x{self.height}")
        if min(self.overscan) < 0:
            raise ValueError(f"overscan is {self.overscan}: expected four numbers of pixels, none below 0")
        pose.flags.writeable = False
        object.__setattr__(self, "pose", pose)

    @classmethod
    def through(cls, lens: Lens, pose: NDArray[np.float64], width: int, height: int) -> Camera:
        """The camera that `lens` makes in a picture of `width` x `height` pixels, centred."""
        focal = lens.focal_px(width, height)
        middle = width / 2, height / 2
        return cls(pose, focal, focal, *middle, width, height, lens.distortion, lens, lens.margins(width, height))

    @property
    def window(self) -> tuple[int, int]:
        """Width and height in pixels of what is drawn: the picture and the overscan about it."""
        left, top, right, bottom = self.overscan
        return left + self.width + right, top + self.height + bottom

    @property
    def position(self) -> NDArray[np.float64]:  # [3] metres
        return self.pose[:3, 3]

    @property
    def forward(self) -> NDArray[np.float64]:  # [3] unit, world
        return self.pose[:3, 2]

    def world_to_camera(self) -> NDArray[np.float64]:  # [4, 4]
        """The view matrix, by transposing the rotation (exact for a rigid pose)."""
        view = np.eye(4)
        rotation = self.pose[:3, :3].T
        view[:3, :3] = rotation
        view[:3, 3] = -rotation @ self.pose[:3, 3]
        return view

    def intrinsics(self) -> NDArray[np.float64]:  # [3, 3]
        """K, in pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def scaled(self, width: int, height: int) -> Camera:
        """The same camera recording `width` x `height` pixels of the same view."""
        sx, sy = width / self.width, height / self.height
        left, top, right, bottom = (round(m * s) for m, s in zip(self.overscan, (sx, sy, sx, sy), strict=True))
        return dataclasses.replace(
            self,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=self.cx * sx,
            cy=self.cy * sy,
            width=width,
            height=height,
            overscan=(left, top, right, bottom),
        )
