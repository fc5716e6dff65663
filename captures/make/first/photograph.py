"""Photographing a modelled thing: cameras, pictures, poses, sparse points; one at a time, so that it can stop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import shapes
from mathutils import Matrix, Vector
from PIL import Image
from plan import Stand

SENSOR_MM = 24.89  # Super 35, as wide as the filmback of the sample film
JPEG_QUALITY = 92
SEED = 7
POINTS_PER_VIEW = 130
POINT_NOISE_M = 0.002


@dataclass(frozen=True)
class Session:
    """A thing and how it is photographed. `focal_mm` is on a sensor `SENSOR_MM` wide."""

    name: str
    kind: str
    build: Callable[[], object]
    stands: Sequence[Stand]
    size: tuple[int, int]
    focal_mm: float
    samples: int
    matte: bool  # an alpha channel instead of a background


def take(session: Session, folder: Path, only: Sequence[str] | None = None) -> None:
    """Photograph what is not photographed yet, then write poses, points and `capture.toml`."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    shapes.forget_materials()
    session.build()
    scene = bpy.context.scene
    _prepare(scene, session)
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for stand in session.stands:
        if only is not None and stand.name not in only:
            continue
        file = images / _file(session, stand)
        if file.exists() and only is None:
            continue
        started = time.monotonic()
        _aim(scene, stand)
        _shoot(scene, session, file)
        print(f"{session.name} {file.name} {time.monotonic() - started:.1f} s", flush=True)
    if only is None:
        _write_points(scene, session, folder)
        _write_poses(scene, session, folder)


def pose(eye: Sequence[float], target: Sequence[float]) -> Matrix:
    """Camera-to-world with OpenGL axes, level horizon."""
    back = (Vector(eye) - Vector(target)).normalized()
    right = Vector((0, 0, 1)).cross(back)
    right = Vector((1, 0, 0)) if right.length < 1e-6 else right.normalized()
    up = back.cross(right)
    return Matrix(
        (
            (right.x, up.x, back.x, eye[0]),
            (right.y, up.y, back.y, eye[1]),
            (right.z, up.z, back.z, eye[2]),
            (0, 0, 0, 1),
        )
    )


def _file(session: Session, stand: Stand) -> str:
    return f"{stand.name}.{'webp' if session.matte else 'jpg'}"


def _prepare(scene: bpy.types.Scene, session: Session) -> None:
    data = bpy.data.cameras.new("stills")
    data.lens, data.sensor_width, data.clip_start, data.clip_end = session.focal_mm, SENSOR_MM, 0.01, 200
    scene.camera = bpy.data.objects.new("stills", data)
    bpy.context.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples, scene.cycles.seed = session.samples, SEED
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.max_bounces, scene.cycles.diffuse_bounces = 4, 3
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.sample_clamp_indirect = 4.0
    scene.render.resolution_x, scene.render.resolution_y = session.size
    scene.render.use_persistent_data = True
    scene.render.film_transparent = session.matte
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = (
        "PNG",
        "RGBA" if session.matte else "RGB",
    )
    scene.view_settings.view_transform = "Standard"


def _aim(scene: bpy.types.Scene, stand: Stand) -> None:
    scene.camera.matrix_world = pose(stand.eye, stand.target)


def _shoot(scene: bpy.types.Scene, session: Session, file: Path) -> None:
    raw = file.with_name(f".{file.stem}.png")
    scene.render.filepath = str(raw)
    bpy.ops.render.render(write_still=True)
    partial = file.with_name(f".{file.name}")
    with Image.open(raw) as picture:
        if session.matte:
            picture.save(partial, "WEBP", quality=93, method=6, exact=False)
        else:
            picture.convert("RGB").save(partial, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    raw.unlink()
    partial.replace(file)


def _focal_px(session: Session) -> float:
    return session.focal_mm / SENSOR_MM * session.size[0]


def _write_points(scene: bpy.types.Scene, session: Session, folder: Path) -> None:
    """Surface points with colours, as structure from motion would find them: seen by a camera, a little off."""
    rng = np.random.default_rng(SEED)
    graph = bpy.context.evaluated_depsgraph_get()
    width, height = session.size
    focal = _focal_px(session)
    rows = []
    for stand in session.stands:
        if stand.held_out:
            continue
        with Image.open(folder / "images" / _file(session, stand)) as picture:
            pixels = np.asarray(picture.convert("RGBA"))
        matrix = pose(stand.eye, stand.target)
        grey = pixels[..., :3].astype(float).mean(-1)
        contrast = np.hypot(*np.gradient(grey)) + 0.5
        contrast[pixels[..., 3] < 250] = 0
        if not contrast.any():
            continue
        chosen = rng.choice(contrast.size, POINTS_PER_VIEW, p=(contrast / contrast.sum()).ravel())
        for y, x in zip(*np.unravel_index(chosen, contrast.shape), strict=True):
            way = Vector(((x + 0.5 - width / 2) / focal, -(y + 0.5 - height / 2) / focal, -1.0))
            direction = (matrix.to_3x3() @ way).normalized()
            hit, where, *_ = scene.ray_cast(graph, Vector(stand.eye), direction)
            if hit:
                rows.append(
                    (
                        *(np.array(where) + rng.normal(0, POINT_NOISE_M * (0.1 if session.matte else 1), 3)),
                        *pixels[y, x, :3],
                    )
                )
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(rows)}\n"
    header += "".join(f"property float {n}\n" for n in "xyz") + "".join(
        f"property uchar {n}\n" for n in ("red", "green", "blue")
    )
    table = np.empty(len(rows), dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("r", "u1"), ("g", "u1"), ("b", "u1")])
    for i, name in enumerate(table.dtype.names or ()):
        table[name] = [row[i] for row in rows]
    (folder / "sparse.ply").write_bytes((header + "end_header\n").encode() + table.tobytes())


def _write_poses(scene: bpy.types.Scene, session: Session, folder: Path) -> None:
    width, height = session.size
    focal = _focal_px(session)
    frames, split = [], {True: [], False: []}
    for stand in session.stands:
        name = f"images/{_file(session, stand)}"
        split[stand.held_out].append(name)
        matrix = [[round(value, 9) for value in row] for row in pose(stand.eye, stand.target)]
        frames.append({"file_path": name, "transform_matrix": matrix})
    value = {
        "camera_model": "PINHOLE", "fl_x": focal, "fl_y": focal, "cx": width / 2, "cy": height / 2,
        "w": width, "h": height,
        "ply_file_path": "sparse.ply", "train_filenames": split[False], "test_filenames": split[True], "frames": frames,
    }  # fmt: skip
    (folder / "transforms.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    (folder / "capture.toml").write_text(
        f'kind = "{session.kind}"\nscale = 1.0          # metres a unit\nup = "z"\n'
        'author = "Splatfilm"\nlicence = "CC0-1.0"\n',
        encoding="utf-8",
    )
