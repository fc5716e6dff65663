"""What is committed under captures/ is whole: readable, split, with its truth beside it, and small enough to clone."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from splatfilm.capture.read import read_capture

REPOSITORY = Path(__file__).resolve().parents[2]
CAPTURES = REPOSITORY / "captures"
MIB = 1024 * 1024
FOLDERS = sorted(sheet.parent for sheet in CAPTURES.glob("**/capture.toml"))
FOOTAGE = sorted((CAPTURES / "footage").glob("*/footage.json"))
ACTORS = [folder for folder in FOLDERS if folder.parent.name == "ada"]


def _name(path: Path) -> str:
    return str(path.relative_to(CAPTURES))


def _rig() -> dict[str, Any]:
    data = (CAPTURES / "ada" / "rig.glb").read_bytes()
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    (length,) = struct.unpack_from("<I", data, 12)
    document: dict[str, Any] = json.loads(data[20 : 20 + length])
    return document


def test_all_captures_together_fit_in_40_mib() -> None:
    assert sum(f.stat().st_size for f in CAPTURES.glob("**/*") if f.is_file() and ".venv" not in str(f)) <= 40 * MIB


def test_the_set_the_actor_and_the_props_are_here() -> None:
    assert {"flat", "mug", "book", "toothbrush", "ada/gown"} <= {_name(f) for f in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_our_reader_takes_every_photograph_without_a_note(folder: Path) -> None:
    capture = read_capture(folder, strict=True)
    listed = json.loads((folder / "transforms.json").read_text(encoding="utf-8"))
    assert len(capture.of("test")) == len(listed["test_filenames"]) >= 4
    assert len(capture.of("train")) == len(listed["train_filenames"]) >= 20
    assert {p.name for p in (folder / "images").iterdir()} == {Path(f["file_path"]).name for f in listed["frames"]}
    assert capture.points is not None


def test_the_flat_has_145_photographs_and_15_held_out() -> None:
    capture = read_capture(CAPTURES / "flat")
    assert (len(capture.of("train")), len(capture.of("test"))) == (145, 15)


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_held_out_views_have_depth_and_unit_normals(folder: Path) -> None:
    listed = json.loads((folder / "transforms.json").read_text(encoding="utf-8"))
    for file in listed["test_filenames"]:
        depth = np.asarray(Image.open(folder / "depth" / f"{Path(file).stem}.png"))
        normal = np.asarray(Image.open(folder / "normal" / f"{Path(file).stem}.png"), np.float64)
        with Image.open(folder / file) as picture:
            assert depth.shape == normal.shape[:2] == picture.size[::-1]
        assert depth.max() > 100, "something is there"
        seen = (depth > 0) & (normal > 0).any(-1)
        length = np.linalg.norm(normal[seen] / 127.5 - 1, axis=-1)
        assert np.percentile(np.abs(length - 1), 99) < 0.02


@pytest.mark.parametrize("folder", ACTORS, ids=_name)
def test_an_actors_ids_lie_where_her_matte_does(folder: Path) -> None:
    layers = {"pyjamas": {1, 2, 3}, "gown": {1, 2, 3, 4}}[folder.name]
    found: set[int] = set()
    for file in sorted((folder / "images").iterdir()):
        ids = np.asarray(Image.open(folder / "ids" / f"{file.stem}.png"))
        found |= set(np.unique(ids).tolist())
        matte = np.asarray(Image.open(file).convert("RGBA"))[..., 3]
        assert ids.shape == matte.shape
        assert ((ids > 0) == (matte > 127)).mean() > 0.98, file.name
    assert found == layers | {0}


@pytest.mark.parametrize("folder", ACTORS, ids=_name)
def test_no_camera_stands_inside_the_actor(folder: Path) -> None:
    for file in sorted((folder / "images").iterdir()):
        pixels = np.asarray(Image.open(file).convert("RGBA"), np.float64)
        assert pixels[pixels[..., 3] > 127][:, :3].mean() > 40, f"{file.name} is black"


def test_the_rig_has_its_joints_shapes_and_clips() -> None:
    rig = _rig()
    names = [node["name"] for node in rig["nodes"]]
    joints = {names[j] for j in rig["skins"][0]["joints"]}
    assert {"hips", "head", "eye.left", "hand.right", "grip.left", "grip.right"} <= joints
    assert {"get-out-of-bed", "put-on-gown", "yawn-and-stretch", "walk", "look-out-of-window", "brush-teeth"} == {
        clip["name"] for clip in rig["animations"]
    }
    meshes = {mesh["name"]: mesh for mesh in rig["meshes"]}
    assert set(meshes) == {"body", "hair", "pyjamas", "gown"}
    shapes = {"jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "browInnerUp"}
    assert shapes | {"mouthPucker", "mouthFunnel"} <= set(meshes["body"]["extras"]["targetNames"])


def test_every_clip_moves_joints_and_face() -> None:
    for clip in _rig()["animations"]:
        paths = {channel["target"]["path"] for channel in clip["channels"]}
        assert {"rotation", "weights"} <= paths, clip["name"]


def test_there_is_footage() -> None:
    assert FOOTAGE


@pytest.mark.parametrize("file", FOOTAGE, ids=lambda f: f.parent.name)
def test_footage_says_where_everything_was(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["clip"] in {clip["name"] for clip in _rig()["animations"]}
    assert told["skinning"] == "dual-quaternion"
    assert len(told["frames"]) == 12
    w, h = told["size"]
    for frame in told["frames"]:
        pose = np.array(frame["camera_to_world"])
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)
        assert frame["clip_seconds"] == pytest.approx(frame["clip_frame"] / told["rate"])
        stem = Path(frame["image"]).stem
        ids = np.asarray(Image.open(file.parent / "ids" / f"{stem}.png"))
        depth = np.asarray(Image.open(file.parent / "depth" / f"{stem}.png"))
        motion = np.asarray(Image.open(file.parent / "motion" / f"{stem}.png")).astype(np.int64)
        assert ids.shape == depth.shape == (h, w)
        assert motion.shape == (2 * h, w)
        assert set(np.unique(ids).tolist()) <= {int(layer) for layer in told["ids"]}
        assert (ids > 0).mean() > 0.01, "the actor is in the picture"
        assert (motion.reshape(2, h, w)[:, ids == 0] == 32768).all(), "only the actor's motion is told"
        with Image.open(file.parent / frame["image"]) as picture:
            assert picture.size == (w, h)


@pytest.mark.parametrize("file", FOOTAGE, ids=lambda f: f.parent.name)
def test_the_actor_stands_as_far_away_as_footage_says(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    for frame in told["frames"]:
        stem = Path(frame["image"]).stem
        ids = np.asarray(Image.open(file.parent / "ids" / f"{stem}.png"))
        depth = np.asarray(Image.open(file.parent / "depth" / f"{stem}.png"), np.float64) / 1000
        pose = np.array(frame["camera_to_world"])
        chest = np.add(frame["position"], (0, 0, 1.1))
        along = (chest - pose[:3, 3]) @ -pose[:3, 2]
        assert np.median(depth[ids > 0]) == pytest.approx(along, abs=0.45)
