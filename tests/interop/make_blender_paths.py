"""Write camera_path.json fixtures with nerfstudio's own Blender add-on, in a real Blender without a window.

Run with a Python that has Blender as a module (`pip install bpy==4.5.15`), giving it the add-on of nerfstudio 1.1.5:

    PYTHON tests/interop/make_blender_paths.py SITE_PACKAGES/nerfstudio/scripts/blender/nerfstudio_blender.py

make_viewer_paths.py then adds what nerfstudio makes of the files.
"""

from __future__ import annotations

import importlib.util
import math
import os
import sys
import tempfile
from pathlib import Path

import bpy

DATA = Path(__file__).resolve().parent.parent / "cameras" / "data" / "nerfstudio"


def scene(frames: int, size: tuple[int, int], sensor_fit: str) -> None:
    """A camera that travels, turns and zooms past a NeRF that was enlarged, turned and moved."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    here = bpy.context.scene
    here.frame_start, here.frame_end = 1, frames
    here.render.fps = 24
    here.render.resolution_x, here.render.resolution_y = size
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    nerf = bpy.data.objects.new("nerf", bpy.data.meshes.new("nerf"))
    for thing in (camera, nerf):
        here.collection.objects.link(thing)
    camera.data.sensor_fit = sensor_fit
    for frame, place, turn, lens in ((1, (4, -6, 2), (75, 0, 30), 24), (frames, (-3, -5, 3), (65, 5, -40), 70)):
        camera.location = place
        camera.rotation_euler = [math.radians(angle) for angle in turn]
        camera.data.lens = lens
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
        camera.data.keyframe_insert("lens", frame=frame)
    nerf.location, nerf.rotation_euler, nerf.scale = (1, 2, 0.5), (0.1, 0.2, 0.3), (4, 4, 4)
    here.camera = camera


def main(addon: Path) -> None:
    specification = importlib.util.spec_from_file_location("nerfstudio_blender", addon)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.register()
    DATA.mkdir(parents=True, exist_ok=True)
    for name, size, fit in (("landscape", (1920, 1080), "AUTO"), ("portrait", (1080, 1920), "HORIZONTAL")):
        scene(12, size, fit)
        bpy.context.scene.NeRF = bpy.data.objects["nerf"]
        with tempfile.TemporaryDirectory() as folder:
            bpy.context.scene.JSONInputFilePath = f"{folder}/"
            bpy.ops.opr.create_json_camera_path()
            written = Path(folder) / "camera_path_blender.json"
            (DATA / f"blender_{name}.json").write_bytes(written.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # Blender as a module waits for ever at exit once an add-on has registered classes
