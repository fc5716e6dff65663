"""A small real film: a room of coloured splats with a crate in it, three shots, the third at the first one's camera."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FILM = """\
[film]
name = "small"
rate = 24
size = [192, 108]

[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[assets.crate]
kind = "prop"
[assets.crate.looks.plain]
splats = "crate.ply"

[scenes.cellar]
set = "room"
frames = [1001, 1100]

[[scenes.cellar.cast]]
name = "crate"
asset = "crate"
position = [0.0, 0.9, 0.0]

[[shots]]
name = "010_wide"
scene = "cellar"
camera = "wide.json"
frames = [1001, 1003]

[[shots]]
name = "020_side"
scene = "cellar"
camera = "side.json"
frames = [1010, 1012]

[[shots]]
name = "030_wide_again"
scene = "cellar"
camera = "wide_again.json"
frames = [1020, 1022]
"""


def build_film(folder: Path) -> Path:
    """Write the film to `folder`; returns the film file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    walls = [
        _sheet(rng, (-2, -2, 0), (4, 0, 0), (0, 4, 0), 2600),
        _sheet(rng, (-2, 2, 0), (4, 0, 0), (0, 0, 2.5), 1800),
        _sheet(rng, (-2, -2, 0), (0, 4, 0), (0, 0, 2.5), 1800),
        _sheet(rng, (2, -2, 0), (0, 4, 0), (0, 0, 2.5), 1800),
    ]
    crate = [
        _sheet(rng, (-0.4, -0.4, 0), (0.8, 0, 0), (0, 0, 0.8), 700),
        _sheet(rng, (-0.4, 0.4, 0), (0.8, 0, 0), (0, 0, 0.8), 500),
        _sheet(rng, (-0.4, -0.4, 0), (0, 0.8, 0), (0, 0, 0.8), 700),
        _sheet(rng, (0.4, -0.4, 0), (0, 0.8, 0), (0, 0, 0.8), 700),
        _sheet(rng, (-0.4, -0.4, 0.8), (0.8, 0, 0), (0, 0.8, 0), 700),
    ]
    _write(folder / "room.ply", np.concatenate(walls), 0.045)
    _write(folder / "crate.ply", np.concatenate(crate), 0.025)
    _camera(folder / "wide.json", (1001, [-0.3, -1.8, 1.3]), (1003, [0.1, -1.8, 1.3]))
    _camera(folder / "side.json", (1010, [-1.3, -1.4, 1.4]), (1012, [-1.1, -1.4, 1.4]))
    _camera(folder / "wide_again.json", (1020, [-0.3, -1.8, 1.3]), (1022, [0.1, -1.8, 1.3]))
    film = folder / "film.toml"
    film.write_text(FILM)
    return film


def _sheet(rng: np.random.Generator, corner, across, up, count: int) -> np.ndarray:  # [count, 6]: place, colour
    """Splats all over a parallelogram, in patches of colour."""
    u, v = rng.random(count), rng.random(count)
    places = np.array(corner, float) + u[:, None] * np.array(across, float) + v[:, None] * np.array(up, float)
    patches = rng.uniform(0.15, 0.85, (12, 12, 3))
    colours = patches[(u * 12).astype(int), (v * 12).astype(int)] + rng.normal(0, 0.05, (count, 3))
    return np.concatenate([places, colours], axis=1)


def _write(path: Path, rows: np.ndarray, size: float) -> None:
    """A 3DGS PLY of round, opaque splats."""
    names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"]
    names += [f"scale_{i}" for i in range(3)] + [f"rot_{i}" for i in range(4)]
    count = len(rows)
    colours = (rows[:, 3:] - 0.5) / 0.28209479177387814
    shape = np.tile([5.0, *[np.log(size)] * 3, 1, 0, 0, 0], (count, 1))
    data = np.concatenate([rows[:, :3], colours, shape], axis=1).astype("<f4")
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n"
    header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    path.write_bytes(header.encode() + data.tobytes())


def _camera(path: Path, *keys: tuple[int, list[float]]) -> None:
    value = {
        "format": "splatfilm-camera",
        "version": 1,
        "lens": {"focal_mm": 18},
        "keys": [
            {"frame": frame, "position": position, "look_at": [0, 1.0, 0.5], "easing": "linear"}
            for frame, position in keys
        ],
    }
    path.write_text(json.dumps(value))
