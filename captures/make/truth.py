"""What is known exactly of a capture: poses, planar depth, normals, and points as structure from motion finds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image
from plan import View

NOTHING = 1e9  # Cycles writes 1e10 metres where a ray meets nothing
POINT_NOISE = 0.002  # metres; what a careful reconstruction of a room leaves


@dataclass(frozen=True)
class Shape:
    """A picture's size and how its names end."""

    size: tuple[int, int]
    suffix: str


def read_truth(file: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Planar depth [H, W] in metres (inf: nothing) and world normals [H, W, 3] of a truth render."""
    with OpenEXR.File(str(file), separate_channels=True) as exr:
        channels = exr.parts[0].channels
        depth = np.array(channels["ViewLayer.Depth.Z"].pixels, np.float32)
        normal = np.stack([np.array(channels[f"ViewLayer.Normal.{c}"].pixels, np.float32) for c in "XYZ"], -1)
    return np.where(depth > NOTHING, np.inf, depth), normal


def write_depth(file: Path, png: Path) -> None:
    """Planar depth as 16-bit millimetres (0: unknown, or beyond 65 m)."""
    depth, _ = read_truth(file)
    png.parent.mkdir(exist_ok=True)
    millimetres = np.where(np.isfinite(depth) & (depth < 65.0), np.round(depth * 1000), 0).astype(np.uint16)
    Image.fromarray(millimetres).save(png, optimize=True)


def write_normal(file: Path, plain: Path, png: Path) -> None:
    """Normals of the shape as (n + 1) / 2 in 8 bits, world axes; 0 0 0 where `file` shows nothing.

    `plain` is the same view without materials: bump maps are paint, not shape.
    """
    depth, _ = read_truth(file)
    _, normal = read_truth(plain)
    png.parent.mkdir(exist_ok=True)
    seen = np.isfinite(depth)[..., None]
    Image.fromarray(np.where(seen, np.round((normal + 1) * 127.5), 0).astype(np.uint8)).save(png, optimize=True)


def write_ids(file: Path, png: Path) -> None:
    """Which layer each pixel shows, as the renderer's object index (0: none)."""
    with OpenEXR.File(str(file), separate_channels=True) as exr:
        ids = np.array(exr.parts[0].channels["ViewLayer.IndexOB.X"].pixels, np.float32)
    png.parent.mkdir(exist_ok=True)
    Image.fromarray(np.round(ids).astype(np.uint8)).save(png, optimize=True)


def rays(view: View, size: tuple[int, int]) -> NDArray[np.float64]:  # [H, W, 3]
    """World directions through the pixels' centres, one metre deep along the optical axis."""
    w, h = size
    f = view.focal * w
    x, y = np.meshgrid((np.arange(w) + 0.5 - w / 2) / f, (np.arange(h) + 0.5 - h / 2) / f)
    return np.stack([x, -y, -np.ones_like(x)], -1) @ view.pose()[:3, :3].T


def _corners(
    grey: NDArray[np.float64], solid: NDArray[np.bool_], count: int
) -> NDArray[np.int64]:  # [n, 2] row, column
    """The strongest corners (Shi and Tomasi 1994) well inside what is `solid`, one in each cell of six pixels."""
    gy, gx = np.gradient(grey)

    def blur(a: NDArray[np.float64]) -> NDArray[np.float64]:
        for axis in (0, 1):
            a = (
                np.roll(a, 2, axis) + 4 * np.roll(a, 1, axis) + 6 * a + 4 * np.roll(a, -1, axis) + np.roll(a, -2, axis)
            ) / 16
        return a

    xx, yy, xy = blur(gx * gx), blur(gy * gy), blur(gx * gy)
    score = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    for axis in (0, 1):  # an outline against nothing is no corner
        solid = np.min([np.roll(solid, k, axis) for k in range(-4, 5)], axis=0)
    score[~solid] = 0
    score[:6], score[-6:], score[:, :6], score[:, -6:] = 0, 0, 0, 0
    h, w = (s // 6 * 6 for s in score.shape)
    cells = score[:h, :w].reshape(h // 6, 6, w // 6, 6).swapaxes(1, 2).reshape(h // 6, w // 6, 36)
    best, where = cells.max(-1).ravel(), cells.argmax(-1).ravel()
    order = np.argsort(-best, kind="stable")[:count]
    order = order[best[order] > 1e-5]
    row, column = order // (w // 6), order % (w // 6)
    return np.stack([row * 6 + where[order] // 6, column * 6 + where[order] % 6], -1)


def write_points(file: Path, views: list[View], photographs: Path, truths: Path, shape: Shape, each: int) -> int:
    """`sparse.ply`: the textured corners of the training photographs, put in space by their depth, a little noisy."""
    random = np.random.default_rng(5)
    places, colours = [], []
    for view in (v for v in views if not v.held_out):
        picture = Image.open(photographs / f"{view.name}{shape.suffix}")
        rgba = np.asarray(picture.convert("RGBA"), np.float64)
        depth, _ = read_truth(truths / f"{view.name}.exr")
        spots = _corners(rgba[..., :3].mean(-1) / 255, rgba[..., 3] > 250, each)
        r, c = spots.T
        around = np.stack([depth[r + i, c + j] for i in (-2, 0, 2) for j in (-2, 0, 2)])
        with np.errstate(invalid="ignore"):
            good = (
                np.isfinite(around).all(0)
                & (around.max(0) - around.min(0) < 0.06 * around.mean(0))
                & (rgba[r, c, 3] > 250)
            )
        r, c = r[good], c[good]
        point = view.pose()[:3, 3] + rays(view, shape.size)[r, c] * depth[r, c, None]
        places.append(point + random.normal(0, POINT_NOISE / np.sqrt(3), point.shape))
        colours.append(rgba[r, c, :3])
    xyz, rgb = np.concatenate(places).astype("<f4"), np.concatenate(colours).astype("u1")
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(xyz)}\n"
    header += "".join(f"property float {a}\n" for a in "xyz") + "".join(
        f"property uchar {a}\n" for a in ("red", "green", "blue")
    )
    rows = np.zeros(len(xyz), dtype=[("xyz", "<f4", 3), ("rgb", "u1", 3)])
    rows["xyz"], rows["rgb"] = xyz, rgb
    file.write_bytes(header.encode() + b"end_header\n" + rows.tobytes())
    return len(xyz)


def write_transforms(file: Path, views: list[View], shape: Shape) -> None:
    """`transforms.json` in nerfstudio's layout: OpenGL camera-to-world, each frame with its own intrinsics."""
    w, h = shape.size

    def frame(view: View) -> dict[str, object]:
        focal = view.focal * w
        pose = [[round(float(v), 9) for v in row] for row in view.pose()]
        return {
            "file_path": f"images/{view.name}{shape.suffix}",
            "fl_x": focal,
            "fl_y": focal,
            "cx": w / 2,
            "cy": h / 2,
            "w": w,
            "h": h,
            "transform_matrix": pose,
        }

    ordered = sorted(views, key=lambda v: v.name)
    document = {
        "camera_model": "OPENCV",
        **dict.fromkeys(("k1", "k2", "p1", "p2"), 0.0),
        "ply_file_path": "sparse.ply",
        "train_filenames": [f"images/{v.name}{shape.suffix}" for v in ordered if not v.held_out],
        "test_filenames": [f"images/{v.name}{shape.suffix}" for v in ordered if v.held_out],
        "frames": [frame(v) for v in ordered],
    }
    head = {k: v for k, v in document.items() if k != "frames"}
    frames = ",\n  ".join(json.dumps(f) for f in document["frames"])  # type: ignore[attr-defined]
    file.write_text(json.dumps(head, indent=1)[:-2] + ',\n "frames": [\n  ' + frames + "\n ]\n}\n")


def write_sheet(file: Path, kind: str, about: str) -> None:
    """`capture.toml`: what a person says about the capture."""
    file.write_text(
        f'# {about}\nkind = "{kind}"\nscale = 1.0          # metres a unit\nup = "z"\n'
        'author = "Splatfilm"\nlicence = "CC0-1.0"\n'
    )
