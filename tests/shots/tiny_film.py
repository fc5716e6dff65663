"""A tiny film on disk, made of generated splats and camera files, and a renderer that costs nothing."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

SIZE = (96, 54)
FILM = """\
[film]
name = "tiny"
title = "Tiny film"
rate = "24000/1001"
size = [96, 54]

[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[assets.mug]
kind = "prop"
[assets.mug.looks.plain]
splats = "mug.ply"

[scenes.kitchen]
set = "room"
frames = [1001, 1100]

[[scenes.kitchen.cast]]
name = "mug"
asset = "mug"
keys = [
    { frame = 1020, position = [0.0, 0.0, 0.2] },
    { frame = 1030, position = [0.5, 0.0, 0.2] },
]

[[shots]]
name = "010"
scene = "kitchen"
camera = "move.json"
frames = [1001, 1012]
passes = ["beauty", "alpha", "depth"]

[[shots]]
name = "020"
scene = "kitchen"
camera = "still.json"
frames = [1016, 1025]
"""


def write_splats(path: Path, seed: int, count: int, spread: float) -> None:
    """A binary 3DGS PLY of degree 0, as any tool writes it: log scales, logit opacities."""
    rng = np.random.default_rng(seed)
    names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"]
    names += [f"scale_{i}" for i in range(3)] + [f"rot_{i}" for i in range(4)]
    rows = np.concatenate(
        [
            rng.uniform(-spread, spread, (count, 3)),
            rng.normal(0, 1, (count, 3)),
            rng.uniform(0, 4, (count, 1)),
            rng.uniform(-3, -1.5, (count, 3)),
            rng.normal(0, 1, (count, 4)),
        ],
        axis=1,
    ).astype("<f4")
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n"
    header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    path.write_bytes(header.encode() + rows.tobytes())


def camera_file(*keys: tuple[int, list[float]], focal: float = 24.0) -> str:
    """A camera that looks at the mug from these positions at these scene frames, in straight lines between them."""
    return json.dumps(
        {
            "format": "splatfilm-camera",
            "version": 1,
            "lens": {"focal_mm": focal},
            "keys": [
                {"frame": frame, "position": position, "look_at": [0, 0, 0], "easing": "linear"}
                for frame, position in keys
            ],
        }
    )


@dataclass
class TinyFilm:
    """The film's folder, with what tests change in it."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "film.toml"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def camera(self, name: str, *keys: tuple[int, list[float]], focal: float = 24.0) -> None:
        (self.folder / name).write_text(camera_file(*keys, focal=focal))

    def edit(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

    def take(self, shot: str, number: int = 1) -> Path:
        return self.out / "tiny" / "shots" / shot / f"v{number:03d}"

    def frames(self, shot: str, number: int = 1, pass_name: str = "beauty") -> list[Path]:
        return sorted(self.take(shot, number).glob(f"*_{pass_name}_*.png"))


def build_tiny(folder: Path) -> TinyFilm:
    """A film of two shots: 010 holds until 1006 and then moves, 020 stands still while the mug moves from 1020 on."""
    film = TinyFilm(folder)
    film.folder.mkdir(exist_ok=True)
    film.path.write_text(FILM)
    write_splats(film.folder / "room.ply", 1, 400, 2.0)
    write_splats(film.folder / "mug.ply", 2, 60, 0.2)
    film.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 1]))
    film.camera("still.json", (1001, [3, -3, 1]))
    return film


class Array:
    """What a tensor is to the shots: something to detach and bring to the CPU."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values.astype(np.float32)

    def detach(self) -> Array:
        return self

    def cpu(self) -> np.ndarray:
        return self.values


def picture(beauty: np.ndarray, alpha: np.ndarray | None = None, depth: np.ndarray | None = None) -> Any:
    """A frame as the renderer gives it."""
    height, width = beauty.shape[:2]
    return SimpleNamespace(
        beauty=Array(beauty),
        alpha=Array(np.ones((height, width)) if alpha is None else alpha),
        depth=Array(np.full((height, width), 2.5) if depth is None else depth),
    )


@dataclass
class FakeRenderer:
    """Draws a picture that depends on everything it is told, and notes what it was asked for."""

    drawn: list[int] = field(default_factory=list)
    before: Callable[[int], None] = lambda frame: None

    def __call__(self, scene: str, frame: int, camera: Any) -> Any:
        self.before(frame)
        self.drawn.append(frame)
        seed = struct.unpack("<Q", np.float64(camera.pose.sum()).tobytes())[0]
        rng = np.random.default_rng([seed, frame])
        return picture(rng.random((camera.height, camera.width, 3)))
