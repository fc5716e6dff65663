"""The six clips of Ada's rig, and glTF clips that a pose cannot hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.stage.clips.clip import Clip
from splatfilm.stage.clips.clip_file import clip_hash, read_clip, write_clip
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.rigs import world_transforms


@pytest.fixture(scope="module")
def ada(repository: Path) -> dict[str, Clip]:
    return read_gltf_clips(repository / "captures" / "ada" / "rig.glb")


def test_all_six_clips_are_read_with_their_lengths(ada: dict[str, Clip]) -> None:
    # The last keys of captures/make/ada_rig.py, 24 frames a second.
    frames = {
        "get-out-of-bed": 122,
        "put-on-gown": 96,
        "yawn-and-stretch": 110,
        "walk": 24,
        "look-out-of-window": 96,
        "brush-teeth": 96,
    }
    assert {name: round(clip.duration * 24, 3) for name, clip in ada.items()} == frames
    assert {clip.rate for clip in ada.values()} == {24}


def test_the_yawn_opens_the_mouth_and_closes_the_eyes(ada: dict[str, Clip]) -> None:
    pose = ada["yawn-and-stretch"].at(38 / 24)
    assert pose.shapes["jawOpen"] == pytest.approx(1.0, abs=1e-6)
    assert pose.shapes["eyeBlinkLeft"] == pytest.approx(0.95, abs=1e-6)
    assert ada["yawn-and-stretch"].at(0).shapes["jawOpen"] == pytest.approx(0.0, abs=1e-6)


def test_she_stands_upright_facing_minus_y_with_bones_of_constant_length(ada: dict[str, Clip]) -> None:
    clip = ada["get-out-of-bed"]
    index = clip.skeleton.index
    standing = world_transforms(clip.skeleton, clip.at(clip.duration))[:, :3, 3]
    assert standing[index("head"), 2] == pytest.approx(1.395, abs=0.01)
    assert standing[index("toes.left"), 1] < standing[index("foot.left"), 1]
    assert standing[index("thigh.left"), 0] > 0
    for seconds in np.linspace(0, clip.duration, 9):
        at = world_transforms(clip.skeleton, clip.at(float(seconds)))[:, :3, 3]
        assert np.linalg.norm(at[index("shin.left")] - at[index("thigh.left")]) == pytest.approx(0.36051, abs=1e-4)


def test_a_clip_of_a_rig_survives_our_own_file(ada: dict[str, Clip], tmp_path: Path) -> None:
    write_clip(tmp_path / "yawn.clip.npz", ada["yawn-and-stretch"])
    assert clip_hash(read_clip(tmp_path / "yawn.clip.npz")) == clip_hash(ada["yawn-and-stretch"])


def small_gltf(folder: Path, path: str, values: list[float]) -> Path:
    """Two joints; the second is moved along `path` from time 0 to 1."""
    numbers = [0.0, 1.0, *values]
    data = struct.pack(f"<{len(numbers)}f", *numbers)
    (folder / "a.bin").write_bytes(data)
    kind = "VEC4" if path == "rotation" else "VEC3"
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"name": "a", "children": [1]}, {"name": "b", "translation": [0, 1, 0]}],
        "skins": [{"joints": [0, 1]}],
        "buffers": [{"uri": "a.bin", "byteLength": len(data)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 8},
            {"buffer": 0, "byteOffset": 8, "byteLength": len(data) - 8},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 2, "type": "SCALAR", "min": [0], "max": [1]},
            {"bufferView": 1, "componentType": 5126, "count": 2, "type": kind},
        ],
        "animations": [
            {
                "name": "move",
                "samplers": [{"input": 0, "output": 1}],
                "channels": [{"sampler": 0, "target": {"node": 1, "path": path}}],
            }
        ],
    }
    (folder / "a.gltf").write_text(json.dumps(document))
    return folder / "a.gltf"


def test_a_translation_is_turned_to_z_up(tmp_path: Path) -> None:
    clip = read_gltf_clips(small_gltf(tmp_path, "translation", [0, 1, 0, 4, 1, 2]))["move"]
    # (2, 1, 1) halfway, Y up, is (2, -1, 1) with Z up.
    assert np.allclose(clip.at(0.5).translations[1], [2, -1, 1])


def test_a_joint_that_is_scaled_over_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.gltf: animation 'move': joint 'b' is scaled to \[1.0, 1.0, 2.0\] at 1 s"):
        read_gltf_clips(small_gltf(tmp_path, "scale", [1, 1, 1, 1, 2, 1]))
