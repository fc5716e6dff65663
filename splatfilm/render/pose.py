"""A camera whose pose comes as a tensor."""

from __future__ import annotations

import dataclasses

import numpy as np
from torch import Tensor

from splatfilm.cameras.camera import Camera


def posed(camera: Camera, to_camera: Tensor) -> Camera:  # [4, 4]
    """The camera where a world-to-camera matrix puts it. Raises `ValueError` when the matrix is not rigid."""
    if to_camera.shape != (4, 4):
        raise ValueError(f"a world-to-camera matrix must be [4, 4], found {list(to_camera.shape)}")
    view = to_camera.detach().cpu().double().numpy()
    pose = np.eye(4)
    pose[:3, :3] = view[:3, :3].T
    pose[:3, 3] = -view[:3, :3].T @ view[:3, 3]
    pose[3] = view[3]
    return dataclasses.replace(camera, pose=pose)
