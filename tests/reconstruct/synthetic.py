"""A capture of known splats, photographed by the renderer itself, so that the truth is known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from splatfilm.base.rigid import normalised
from splatfilm.cameras import Camera
from splatfilm.reconstruct import Settings, settings_for
from splatfilm.render import render
from splatfilm.splats import Splats

WIDTH, HEIGHT = 96, 64


def known_splats(count: int = 250) -> Splats:
    """Solid coloured blobs on a ball of 0.8 m radius, some of them long."""
    random = np.random.default_rng(11)
    directions = random.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    arrays = (
        0.8 * directions,
        normalised(random.normal(size=(count, 4))),
        random.uniform(0.05, 0.16, (count, 3)),
        random.uniform(0.7, 0.99, count),
        random.uniform(-1.5, 1.5, (count, 1, 3)),
    )
    return Splats(*(torch.from_numpy(a.astype(np.float32)) for a in arrays), mode="antialiased")


def cameras(count: int) -> list[Camera]:
    """Around the ball at 3 m, high and low, looking at its middle."""
    found = []
    for index in range(count):
        angle, height = 2.399963 * index, 1.6 * ((0.618034 * index) % 1) - 0.8
        position = 3.0 * np.array(
            [np.sqrt(1 - height**2) * np.cos(angle), np.sqrt(1 - height**2) * np.sin(angle), height]
        )
        forward = -position / np.linalg.norm(position)
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        pose[:3, 3] = position
        found.append(Camera(pose, 95.0, 95.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT))
    return found


def write_capture(folder: Path, count: int = 24, matte: bool = False, points: bool = True) -> Path:
    """Photograph the known splats before black, or with a matte, into nerfstudio's layout."""
    (folder / "images").mkdir(parents=True)
    splats, frames = known_splats(), []
    for index, camera in enumerate(cameras(count)):
        name = f"images/{index:03}.png"
        frame = render(splats, camera, backend="cpu")
        picture = frame.beauty
        if matte:
            alpha = frame.alpha[..., None]
            picture = torch.cat([picture / alpha.clamp_min(1e-4), alpha], dim=2)
        Image.fromarray((picture.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()).save(folder / name)
        pose = camera.pose.copy()
        pose[:3, 1:3] *= -1
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    top: dict[str, object] = {"w": WIDTH, "h": HEIGHT, "fl_x": 95.0, "fl_y": 95.0, "frames": frames}
    if points:
        top["ply_file_path"] = "points.ply"
        _write_points(folder / "points.ply", splats)
    (folder / "transforms.json").write_text(json.dumps(top))
    return folder


def _write_points(path: Path, splats: Splats) -> None:
    random = np.random.default_rng(12)
    near = splats.means.numpy() + random.normal(scale=0.03, size=splats.means.shape)
    lines = [f"{x:.5f} {y:.5f} {z:.5f} 128 128 128" for x, y, z in near]
    names = "".join(f"property float {axis}\n" for axis in "xyz")
    names += "".join(f"property uchar {channel}\n" for channel in ("red", "green", "blue"))
    header = f"ply\nformat ascii 1.0\nelement vertex {len(near)}\n{names}end_header\n"
    path.write_text(header + "\n".join(lines) + "\n")


def quick(steps: int = 700, budget: int = 600, **changes: object) -> Settings:
    """Settings that take seconds."""
    return dataclasses.replace(settings_for("draft", steps=steps, budget=budget, sh_degree=1), **changes)  # type: ignore[arg-type]
