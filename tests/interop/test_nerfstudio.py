"""Against the real nerfstudio: what it made of these files once and, where it is installed, what it makes of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from splatfilm.cameras import load_path
from splatfilm.cameras.axes import to_opengl

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "cameras" / "data" / "nerfstudio"
FILES = sorted(file for file in DATA.glob("*.json") if not file.name.endswith(".cameras.json"))
FLOAT32 = 1e-6  # nerfstudio keeps poses in float32


def test_there_are_files_of_the_viewer_and_of_the_blender_add_on():
    assert {file.name.split("_")[0] for file in FILES} == {"viewer", "blender"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_frame_is_what_nerfstudio_made_of_it(file):
    value = json.loads(file.read_text())
    theirs = json.loads(file.with_suffix(".cameras.json").read_text())
    camera = load_path(file)
    width, height = int(value["render_width"]), int(value["render_height"])
    assert len(camera.keys) == len(theirs["camera_to_worlds"]) == len(value["camera_path"])
    for i, pose in enumerate(theirs["camera_to_worlds"]):
        seen = camera.at(1001 + i, width, height)
        expected = np.reshape(pose, (3, 4))
        expected[:, :3] /= np.linalg.norm(expected[:, :3], axis=0)  # the add-on scales cameras with the NeRF
        assert to_opengl(seen.pose)[:3] == pytest.approx(expected, abs=FLOAT32)
        intrinsics = [theirs[name][i] for name in ("fx", "fy", "cx", "cy")]
        assert [seen.fx, seen.fy, seen.cx, seen.cy] == pytest.approx(intrinsics, rel=FLOAT32)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_keyframes_alone_start_and_go_where_the_path_does(file, tmp_path):
    value = json.loads(file.read_text())
    alone = tmp_path / "camera_path.json"
    alone.write_text(json.dumps(value | {"camera_path": []}))
    whole, keys = load_path(file), load_path(alone)
    assert keys.pose_at(1001) == pytest.approx(whole.pose_at(1001), abs=FLOAT32)
    assert len(keys.keys) == len(value["keyframes"]) + (1 if value["is_cycle"] else 0)
    if file.stem.startswith("viewer"):
        assert keys.last == pytest.approx(1001 + value["seconds"] * value["fps"])


@pytest.mark.slow
def test_the_installed_nerfstudio_agrees_on_every_frame(repository):
    python = os.environ.get("NERFSTUDIO_PYTHON")
    if not python:
        pytest.skip("NERFSTUDIO_PYTHON names no Python with nerfstudio 1.1.5; see docs/interop.md")
    ran = subprocess.run(
        [python, str(HERE / "nerfstudio_parity.py")],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
