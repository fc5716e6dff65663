"""Small real captures on disk, for tests: a ring of cameras around the origin, photographs of plain colours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def ring(count: int, radius: float = 3.0, height: float = 1.0) -> list[np.ndarray]:
    """Camera-to-world matrices with OpenGL axes, looking at the origin, Z up."""
    poses = []
    for index in range(count):
        angle = 2 * np.pi * index / count
        position = np.array([radius * np.cos(angle), radius * np.sin(angle), height])
        back = position / np.linalg.norm(position)
        right = np.cross([0, 0, 1.0], back)
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
        pose[:3, 3] = position
        poses.append(pose)
    return poses


def write_nerfstudio(
    folder: Path,
    count: int = 9,
    size: tuple[int, int] = (48, 32),
    top: Mapping[str, Any] | None = None,
    skip: Sequence[int] = (),
) -> Path:
    """A capture in nerfstudio's layout; the photographs numbered in `skip` are listed but not written."""
    images = folder / "images"
    images.mkdir(parents=True)
    frames = []
    for index, pose in enumerate(ring(count)):
        name = f"images/{index:03}.png"
        if index not in skip:
            Image.fromarray(np.full((size[1], size[0], 3), 10 * index, np.uint8)).save(folder / name)
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    document = {
        "camera_model": "OPENCV",
        "w": size[0],
        "h": size[1],
        "fl_x": 40.0,
        "fl_y": 40.0,
        "cx": size[0] / 2,
        "cy": size[1] / 2,
        "frames": frames,
        **(top or {}),
    }
    (folder / "transforms.json").write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    return folder


def change(folder: Path, **entries: Any) -> None:
    """Change top entries of a transforms.json."""
    path = folder / "transforms.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def frames_of(folder: Path) -> list[dict[str, Any]]:
    """The frames of a transforms.json, to be changed and written back with `change(folder, frames=...)`."""
    frames: list[dict[str, Any]] = json.loads((folder / "transforms.json").read_text())["frames"]
    return frames
