"""One camera at one moment: where it stands and how it projects.

OpenCV axes (x right, y down, z forward), camera-to-world, metres, float64; pixel (0, 0) has its centre at (0.5, 0.5).
Formats with other axes convert at their own border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.lens import Lens

DistortionModel = Literal["brown-conrady", "kannala-brandt"]


@dataclass(frozen=True)
class Distortion:
    """Lens distortion in OpenCV's terms.

    `brown-conrady`: (k1, k2, p1, p2, k3, k4, k5, k6), trailing zeros may be left out; `kannala-brandt` (fisheye):
    (k1, k2, k3, k4).
    """

    model: DistortionModel
    coefficients: tuple[float, ...]

    @property
    def is_zero(self) -> bool:
        """True when a brown-conrady lens bends nothing (a fisheye with zero coefficients still is a fisheye)."""
        return self.model == "brown-conrady" and not any(self.coefficients)


@dataclass(frozen=True, eq=False)
class Camera:
    """A pose and pixel intrinsics. `lens` travels along for focus, depth of field and hand-off; None when unknown."""

    pose: NDArray[np.float64]  # [4, 4] camera-to-world, metres
    fx: float  # px
    fy: float  # px
    cx: float  # px
    cy: float  # px
    width: int  # px
    height: int  # px
    distortion: Distortion | None = None
    lens: Lens | None = None

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
        pose.flags.writeable = False
        object.__setattr__(self, "pose", pose)

    @classmethod
    def through(cls, lens: Lens, pose: NDArray[np.float64], width: int, height: int) -> Camera:
        """The pinhole camera that `lens` makes in a picture of `width` x `height` pixels, centred."""
        focal = lens.focal_px(width, height)
        return cls(pose, focal, focal, width / 2, height / 2, width, height, lens=lens)

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
        return Camera(
            self.pose, self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy, width, height, self.distortion, self.lens
        )
