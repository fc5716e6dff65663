"""The way into Blender: one import, with words for those who lack it, and the renderer's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MISSING = """\
Building the captures needs Blender as a Python module, in an environment of its own (Python 3.11):

    python3.11 -m venv captures/make/.venv
    captures/make/.venv/bin/pip install -r captures/make/requirements.txt
    captures/make/.venv/bin/python captures/make/build.py all

What went wrong: {reason}
"""
LIBRARIES = """\
Blender's module is installed but the system lacks a library it is linked to. On Debian and Ubuntu:

    apt-get install libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libice6 libgl1 libegl1

What went wrong: {reason}
"""

try:
    import bpy
except ModuleNotFoundError as error:
    sys.exit(MISSING.format(reason=error))
except ImportError as error:
    sys.exit((LIBRARIES if "shared object" in str(error) else MISSING).format(reason=error))


def empty_stage() -> None:
    """Start from nothing: no default cube, no default light."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("world")


def set_renderer(size: tuple[int, int], samples: int, transparent: bool = False) -> None:
    """Cycles on the CPU, few bounces, denoised, sRGB without a film look: what splats are trained on."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = transparent
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples, cycles.seed = samples, 7
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 3, 1
    cycles.transmission_bounces, cycles.transparent_max_bounces, cycles.volume_bounces = 0, 4, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.use_fast_gi, cycles.fast_gi_method = True, "REPLACE"
    cycles.ao_bounces_render = 1
    scene.world.light_settings.distance = 2.0
    scene.world.light_settings.ao_factor = 0.8
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5


def set_truth_renderer() -> None:
    """One exact ray through each pixel's centre: depth, normals and object ids without antialiasing."""
    cycles = bpy.context.scene.cycles
    cycles.samples = 1
    cycles.use_denoising = False
    cycles.max_bounces = 0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    layer = bpy.context.view_layer
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = True


@contextmanager
def plain_surfaces() -> Iterator[None]:
    """Everything of one smooth material: normals are then the shape's own, without the painted grain on it."""
    layer = bpy.context.view_layer
    layer.material_override = bpy.data.materials.get("plain") or bpy.data.materials.new("plain")
    try:
        yield
    finally:
        layer.material_override = None


def output(kind: str, quality: int = 92, alpha: bool = False) -> None:
    """Choose what `render_to` writes: "JPEG", "PNG", "WEBP" or "EXR" (all passes)."""
    render = bpy.context.scene.render
    for stamp in [name for name in dir(render) if name.startswith("use_stamp_")]:
        setattr(render, stamp, False)  # no paths, dates or hosts in the pictures
    image = render.image_settings
    if kind == "EXR":
        image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
        return
    image.file_format = kind
    image.color_mode = "RGBA" if alpha else "RGB"
    image.quality = quality


@contextmanager
def quiet() -> Iterator[None]:
    """Blender reports every step on standard output, from C; keep ours readable."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def render_to(file: Path) -> None:
    """Render the scene's camera into `file`, complete or not at all."""
    partial = file.with_name("." + file.name)
    bpy.context.scene.render.use_file_extension = False
    bpy.context.scene.render.filepath = str(partial)
    with quiet():
        bpy.ops.render.render(write_still=True)
    partial.replace(file)


def note_lens(file: Path, focal: float) -> None:
    """Write the lens into a JPEG's EXIF as a camera does; `focal` is in widths of the picture, the film 36 mm wide."""
    from PIL import Image
    from PIL.TiffImagePlugin import IFDRational

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Splatfilm", "Path tracer"
    exif.get_ifd(0x8769)[0x920A] = IFDRational(round(focal * 36 * 1000), 1000)
    segment = exif.tobytes()
    picture = file.read_bytes()
    partial = file.with_name("." + file.name)
    partial.write_bytes(picture[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + picture[2:])
    partial.replace(file)


def place_camera(pose: Any, focal_px: float, size: tuple[int, int]) -> None:
    """Put the scene's camera at `pose` ([4, 4] camera-to-world, OpenGL axes, metres)."""
    from mathutils import Matrix

    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
    data = scene.camera.data
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = focal_px * 36.0 / size[0]
    data.clip_start, data.clip_end = 0.01, 200.0
    scene.camera.matrix_world = Matrix([list(map(float, row)) for row in pose])
