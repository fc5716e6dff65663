"""Every value of every file, replaced by everything that can go wrong: read or refused, and never anything else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.cameras import load_path
from splatfilm.cameras.colmap import read_colmap
from splatfilm.cameras.transforms_json import read_transforms

POISON = [
    None,
    True,
    0,
    -1,
    0.5,
    1e308,
    -1e308,
    1e-308,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "x",
    "[1, 2]",
    [],
    {},
    [[]],
    [{}],
]
POSE = [[1, 0, 0, 0], [0, 0, -1, -2], [0, 1, 0, 1], [0, 0, 0, 1]]
FLAT = np.array(POSE).reshape(-1).tolist()

CAMERA_FILE = {
    "format": "splatfilm-camera",
    "version": 1,
    "lens": {"focal_mm": 35, "filmback_mm": [36, 24], "squeeze": 1, "t_stop": 2, "focus_m": 3, "gate": "vertical"},
    "speed": "constant",
    "keys": [
        {"frame": 1, "position": [0, 0, 0], "rotation": [1, 0, 0, 0], "roll": 1, "easing": {"roll": [0, 0, 1, 1]}},
        {"frame": 2, "position": [1, 0, 0], "look_at": [1, 1, 1], "focal_mm": 20, "focus_m": 2, "easing": "smooth"},
    ],
}
CAMERA_PATH = {
    "default_fov": 50,
    "default_transition_sec": 2,
    "keyframes": [{"matrix": FLAT, "fov": 50, "override_transition_enabled": True, "override_transition_sec": 1}] * 2,
    "camera_type": "perspective",
    "render_height": 480,
    "render_width": 640,
    "fps": 24,
    "seconds": 2,
    "is_cycle": True,
    "camera_path": [{"camera_to_world": FLAT, "fov": 50, "render_time": 0.5}],
    "crop": {"crop_center": [0, 0, 0]},
}
NORMALISATION = {"transform": POSE[:3], "scale": 0.5}
TRANSFORMS = {
    "camera_model": "OPENCV",
    **{"w": 640, "h": 480, "fl_x": 500, "fl_y": 500, "cx": 320, "cy": 240, "k1": 0.1, "k4": 0, "p1": 0},
    "frames": [{"file_path": "a.png", "transform_matrix": POSE, "mask_path": "m.png", "depth_file_path": "d.png"}],
    "applied_transform": POSE[:3],
    "applied_scale": 2,
    "ply_file_path": "p.ply",
    "train_filenames": ["a.png"],
}


def poisoned(value: Any) -> Iterator[Any]:
    """Copies of `value` with one node, at any depth, replaced or removed."""
    nodes: list[tuple[Any, ...]] = [()]
    for path in nodes:
        node = value
        for step in path:
            node = node[step]
        if isinstance(node, dict):
            nodes += [(*path, key) for key in node]
        elif isinstance(node, list):
            nodes += [(*path, i) for i in range(min(len(node), 3))]
    for path in nodes[1:]:
        for poison in [*POISON, ...]:
            whole = copy.deepcopy(value)
            parent = whole
            for step in path[:-1]:
                parent = parent[step]
            if poison is ...:
                del parent[path[-1]]
            else:
                parent[path[-1]] = poison
            yield whole


def use(file: Path) -> None:
    camera = load_path(file)
    for frame in (-5, 1, 1.5, 2, 1001, 1002, 5000):
        assert np.isfinite(camera.at(frame, 64, 36).pose).all()


def read_or_refused(file: Path, value: Any, reader: Any) -> bool:
    """Whether `reader` accepts `file` holding `value`; a refusal must be an `InputError` that names a file."""
    file.write_text(json.dumps(value))
    try:
        reader()
    except InputError as error:
        assert all(problem.path and problem.message for problem in error.problems)
        return False
    return True


@pytest.mark.parametrize("empty_path", [False, True])
def test_a_poisoned_nerfstudio_path_is_read_or_refused(tmp_path, empty_path):
    file = tmp_path / "camera_path.json"
    value = CAMERA_PATH | ({"camera_path": []} if empty_path else {})
    outcomes = [read_or_refused(file, bad, lambda: use(file)) for bad in poisoned(value)]
    assert {True, False} == set(outcomes)


def test_a_poisoned_camera_file_is_read_or_refused(tmp_path):
    file = tmp_path / "camera.json"
    outcomes = [read_or_refused(file, bad, lambda: use(file)) for bad in poisoned(CAMERA_FILE)]
    assert {True, False} == set(outcomes)


def test_a_poisoned_normalisation_is_read_or_refused(tmp_path):
    path, file = tmp_path / "camera_path.json", tmp_path / "dataparser_transforms.json"
    path.write_text(json.dumps(CAMERA_PATH))
    outcomes = [read_or_refused(file, bad, lambda: use(path)) for bad in poisoned(NORMALISATION)]
    assert {True, False} == set(outcomes)


def test_a_poisoned_transforms_json_is_read_or_refused(tmp_path):
    file = tmp_path / "transforms.json"
    outcomes = [read_or_refused(file, bad, lambda: read_transforms(file)) for bad in poisoned(TRANSFORMS)]
    assert {True, False} == set(outcomes)


def test_a_colmap_file_with_a_byte_turned_is_read_or_refused(tmp_path):
    source = Path(__file__).parent / "data" / "colmap" / "usable"
    names = ("cameras", "images", "points3D")
    for name in names:
        (tmp_path / f"{name}.bin").write_bytes((source / f"{name}.bin").read_bytes())
    outcomes = set()
    for name in names:
        file = tmp_path / f"{name}.bin"
        whole = file.read_bytes()
        for i in range(0, len(whole), 3):
            file.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :])
            try:
                read_colmap(tmp_path)
                outcomes.add(True)
            except InputError as error:
                assert all(problem.path and problem.message for problem in error.problems)
                outcomes.add(False)
        file.write_bytes(whole)
    assert outcomes == {True, False}
