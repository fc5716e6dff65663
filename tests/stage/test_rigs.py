"""Rigs out of glTF files that are written by hand here, right and wrong ones."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import Similarity, quaternion_about
from splatfilm.splats import Splats, write_ply
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.rigs.auto import automatic_weights
from splatfilm.stage.rigs.binding import bind, read_binding, write_binding
from splatfilm.stage.rigs.check import check_rig, check_splats
from splatfilm.stage.rigs.gltf import read_animations, read_rig
from splatfilm.stage.rigs.rig import best_weights
from splatfilm.stage.rigs.skeleton import Joint, Skeleton
from splatfilm.stage.rigs.surface import nearest, nearest_by_numpy

ADA = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
TYPES = {"f": (5126, np.float32), "B": (5121, np.uint8), "H": (5123, np.uint16)}
IDENTITY = np.eye(4, dtype=np.float32)


class Builder:
    """A .glb put together piece by piece."""

    def __init__(self) -> None:
        self.binary = b""
        self.values: dict[str, Any] = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": []}

    def view(self, array: np.ndarray) -> int:
        self.values["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": array.nbytes})
        self.binary += array.tobytes() + b"\0" * (-array.nbytes % 4)
        return len(self.values["bufferViews"]) - 1

    def accessor(self, values: Any, kind: str, code: str = "f", **more: Any) -> int:
        component, dtype = TYPES[code]
        array = np.ascontiguousarray(values, dtype=dtype)
        count = array.size // {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[kind]
        entry = {"bufferView": self.view(array), "componentType": component, "count": count, "type": kind, **more}
        self.values["accessors"].append(entry)
        return len(self.values["accessors"]) - 1

    def write(self, path: Path) -> Path:
        self.values["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.values).encode()
        text += b" " * (-len(text) % 4)
        body = struct.pack("<II", len(text), 0x4E4F534A) + text
        body += struct.pack("<II", len(self.binary), 0x004E4942) + self.binary
        path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body)
        return path


def arm(**changes: Any) -> Builder:
    """Two joints one above the other (Y up), a square around each, one shape, five influences at vertex 0."""
    b = Builder()
    positions = [[-0.1, 0, 0], [0.1, 0, 0], [0.1, 1, 0], [-0.1, 1, 0]]
    joints, weights = [[0, 1, 0, 0]] * 4, [[0.75, 0.25, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0]]
    b.values["accessors"].append(
        {
            "componentType": 5126,
            "count": 4,
            "type": "VEC3",
            "sparse": {
                "count": 1,
                "indices": {"bufferView": b.view(np.array([2], dtype=np.uint16)), "componentType": 5123},
                "values": {"bufferView": b.view(np.array([[0, 0, 0.5]], dtype=np.float32))},
            },
        }
    )
    inverse = np.stack([IDENTITY, IDENTITY])
    inverse[1, 3, 1] = -0.5  # column-major: the second joint is bound at y = 0.5
    attributes = {
        "POSITION": b.accessor(positions, "VEC3"),
        "JOINTS_0": b.accessor(joints, "VEC4", "B"),
        "WEIGHTS_0": b.accessor(np.array(weights) * 255, "VEC4", "B", normalized=True),
    }
    primitive = {
        "attributes": attributes,
        "indices": b.accessor([0, 1, 2, 0, 2, 3], "SCALAR", "H"),
        "targets": [{"POSITION": 0}],
    }
    b.values |= {
        "nodes": [
            {"name": "low", "children": [1]},
            {"name": "high", "translation": [0, 0.5, 0]},
            {"name": "body", "mesh": 0, "skin": 0},
        ],
        "meshes": [{"primitives": [primitive], "extras": {"targetNames": ["puff"]}}],
        "skins": [{"joints": [0, 1], "inverseBindMatrices": b.accessor(inverse, "MAT4")}],
        **changes,
    }
    return b


def test_what_is_y_up_in_the_file_stands_z_up_here(tmp_path: Path) -> None:
    rig = read_rig(arm().write(tmp_path / "a.glb"))
    assert rig.skeleton.names == ("low", "high") and rig.skeleton.parents == (-1, 0) and rig.notes == ()
    np.testing.assert_allclose(rig.bind_positions, [[0, 0, 0], [0, 0, 0.5]], atol=1e-7)
    assert rig.mesh is not None
    np.testing.assert_allclose(rig.mesh.vertices[2], [0.1, 0, 1], atol=1e-7)
    np.testing.assert_allclose(rig.mesh.weights[0], [0.75, 0.25, 0, 0], atol=0.003)
    (shape,) = rig.mesh.shapes
    assert (shape.name, shape.vertices.tolist()) == ("puff", [2])
    np.testing.assert_allclose(shape.offsets, [[0, -0.5, 0]], atol=1e-7)  # glTF's z is our -y


def test_a_scaled_and_turned_armature_is_folded_away(tmp_path: Path) -> None:
    """As FBX converters leave it: everything in centimetres, Z up, below a node that mends both."""
    plain, b = read_rig(arm().write(tmp_path / "a.glb")), arm()
    half = math.sqrt(0.5)
    b.values["nodes"].append(
        {"name": "armature", "rotation": [-half, 0, 0, half], "scale": [0.01] * 3, "children": [0]}
    )
    b.values["nodes"][1]["translation"] = [0, 0, 50]
    scale = np.diag([0.01, 0.01, 0.01, 1])
    turn = np.eye(4)
    turn[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    inverse = np.stack([np.eye(4), np.eye(4)])
    inverse[1, 2, 3] = -50
    world_low = turn @ scale
    mesh_to_joint = np.stack([inverse[i] @ np.linalg.inv(world_low) for i in range(2)])
    accessor = b.accessor(mesh_to_joint.transpose(0, 2, 1), "MAT4")
    b.values["skins"][0]["inverseBindMatrices"] = accessor
    rig = read_rig(b.write(tmp_path / "b.glb"))
    assert rig.mesh is not None and plain.mesh is not None
    assert rig.skeleton.names == ("armature", "low", "high")
    np.testing.assert_allclose(rig.mesh.vertices, plain.mesh.vertices, atol=1e-5)
    np.testing.assert_allclose(rig.bind_positions[2], plain.bind_positions[1], atol=1e-5)
    assert check_rig(rig) == ()


def test_animations_come_as_they_are_sampled_and_cubic_splines_keep_their_tangents(tmp_path: Path) -> None:
    b = arm()
    times = b.accessor([0, 1], "SCALAR")
    half = math.sqrt(0.5)
    turns = b.accessor([[0, 0, 0, 1], [0, half, 0, half]], "VEC4")
    cubic = b.accessor([[0, 0, 0], [0, 0.5, 0], [0, 0, 4], [0, 0, 4], [0, 0.5, 2], [0, 0, 0]], "VEC3")
    puffs = b.accessor([0, 1], "SCALAR")
    b.values["animations"] = [
        {
            "name": "wave",
            "samplers": [
                {"input": times, "output": turns},
                {"input": times, "output": cubic, "interpolation": "CUBICSPLINE"},
                {"input": times, "output": puffs, "interpolation": "STEP"},
            ],
            "channels": [
                {"sampler": 0, "target": {"node": 0, "path": "rotation"}},
                {"sampler": 1, "target": {"node": 1, "path": "translation"}},
                {"sampler": 2, "target": {"node": 2, "path": "weights"}},
            ],
        }
    ]
    path = b.write(tmp_path / "a.glb")
    (raw,) = read_animations(path)
    assert [c.interpolation for c in raw.channels] == ["LINEAR", "CUBICSPLINE", "STEP"]
    np.testing.assert_allclose(raw.channels[0].values[1], [half, 0, 0, half], atol=1e-6)  # about Z here
    assert raw.channels[1].values.shape == (2, 3, 3) and raw.shapes == {"body": ("puff",)}
    pose = read_gltf_clips(path)["wave"].at(0.5)
    np.testing.assert_allclose(pose.rotations[0], quaternion_about((0, 0, 1), math.pi / 4), atol=1e-6)
    # Hermite at 1/2: y up stays 0.5; z is 1/2 * 2 + 1/8 * 4 - 1/8 * 4 = 1, which is -y here.
    np.testing.assert_allclose(pose.translations[1], [0, -1, 0.5], atol=1e-6)
    assert pose.shapes.get("puff", 0.0) == 0


def test_more_than_four_weights_keep_the_four_heaviest() -> None:
    joints = np.array([[0, 1, 2, 3, 4, 0, 0, 0], [5, 5, 2, 0, 0, 0, 0, 0]])
    weights = np.array([[0.3, 0.05, 0.2, 0.25, 0.2, 0, 0, 0], [0.5, 0.25, 0.25, 0, 0, 0, 0, 0]])
    kept, share, lost = best_weights(joints, weights)
    assert kept[0].tolist() == [0, 3, 2, 4] and lost == 1
    np.testing.assert_allclose(share[0], np.array([0.3, 0.25, 0.2, 0.2]) / 0.95, atol=1e-6)
    assert kept[1, :2].tolist() == [5, 2] and share[1].tolist() == [0.75, 0.25, 0, 0]


def test_five_weights_in_a_file_are_noted(tmp_path: Path) -> None:
    b = arm()
    names = b.values["meshes"][0]["primitives"][0]["attributes"]
    b.values["nodes"] += [{"name": f"extra{i}"} for i in range(4)]
    b.values["skins"][0]["joints"] += [3, 4, 5, 6]
    del b.values["skins"][0]["inverseBindMatrices"]
    names["JOINTS_1"] = b.accessor([[2, 3, 4, 5]] * 4, "VEC4", "B")
    names["WEIGHTS_1"] = b.accessor([[0.3, 0.3, 0.3, 0.3]] * 4, "VEC4")
    assert any("more than four joints" in note for note in read_rig(b.write(tmp_path / "a.glb")).notes)


def test_a_rest_pose_that_is_not_the_bind_pose_is_told(tmp_path: Path) -> None:
    b = arm()
    half = math.radians(15)
    b.values["nodes"][1]["rotation"] = [0, 0, math.sin(half), math.cos(half)]
    (note,) = read_rig(b.write(tmp_path / "a.glb")).notes
    assert '"high", 30.0 degrees' in note


def test_uneven_scale_is_told_by_joint(tmp_path: Path) -> None:
    b = arm()
    b.values["nodes"][0]["scale"] = [1, 2, 1]
    told = check_rig(read_rig(b.write(tmp_path / "a.glb")))
    assert any('"low" is scaled unevenly (1 x 1 x 2)' in one for one in told)


def damaged(b: Builder, what: str) -> None:
    nodes, skin, names = b.values["nodes"], b.values["skins"][0], b.values["meshes"][0]["primitives"][0]["attributes"]
    match what:
        case "cycle":
            nodes[1]["children"] = [0]
        case "unknown joint":
            skin["joints"] = [0, 9]
        case "unknown weight":
            names["JOINTS_0"] = b.accessor([[7, 0, 0, 0]] * 4, "VEC4", "B")
        case "no skin":
            b.values["skins"] = []
        case "nan":
            names["POSITION"] = b.accessor([[math.nan, 0, 0]] * 4, "VEC3")
        case "zero rotation":
            nodes[0]["rotation"] = [0, 0, 0, 0]
        case "flat":
            nodes[0]["scale"] = [1, 0, 1]
        case "short buffer":
            b.values["accessors"][1]["count"] = 4000
        case "sparse":
            b.values["accessors"][0]["count"] = 2
        case "draco":
            b.values["extensionsRequired"] = ["KHR_draco_mesh_compression"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("cycle", "joints are their own ancestors: low -> high -> low"),
        ("unknown joint", "refers to nodes[9], but the file has 3"),
        ("unknown weight", "names joint 7 of 2: unknown joint"),
        ("no skin", "has no skin"),
        ("nan", "not finite"),
        ("zero rotation", "zero quaternion"),
        ("flat", "must not flatten space"),
        ("short buffer", "cut off or damaged"),
        ("sparse", "writes to item 2 of 2"),
        ("draco", "requires KHR_draco_mesh_compression"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, what: str, message: str) -> None:
    b = arm()
    damaged(b, what)
    path = b.write(tmp_path / "a.glb")
    with pytest.raises(InputError) as refusal:
        read_rig(path)
    assert message in str(refusal.value) and str(path) in str(refusal.value)


@pytest.mark.parametrize("size", [0, 3, 11, 19, 40, 400, 900])
def test_a_file_that_is_cut_off_is_refused_wherever_it_was_cut(tmp_path: Path, size: int) -> None:
    whole = arm().write(tmp_path / "a.glb").read_bytes()
    (tmp_path / "b.glb").write_bytes(whole[:size])
    with pytest.raises(InputError):
        read_rig(tmp_path / "b.glb")


def test_the_nearest_point_is_the_nearest_of_all_triangles() -> None:
    rng = np.random.default_rng(2)
    corners = rng.normal(size=(300, 1, 3)) + 0.2 * rng.normal(size=(300, 3, 3))
    points = rng.normal(size=(400, 3))
    found = nearest(points, corners)
    at = (found.barycentric[..., None] * corners[found.triangle]).sum(axis=1)
    np.testing.assert_allclose(np.linalg.norm(points - at, axis=1), found.distance, atol=1e-12)
    assert found.barycentric.min() > -1e-12
    dense = rng.dirichlet([0.5] * 3, 3000)
    for i in range(0, 400, 57):
        tried = np.linalg.norm((dense[None] @ corners).reshape(-1, 3) - points[i], axis=1).min()
        assert found.distance[i] <= tried + 1e-12 < found.distance[i] + 0.05


def test_the_kernel_and_numpy_find_the_same_bits_also_at_corners_and_flat_triangles() -> None:
    rng = np.random.default_rng(5)
    corners = rng.normal(size=(200, 3, 3))
    corners[7] = corners[7, 0]  # a point
    corners[9, 2] = 0.5 * (corners[9, 0] + corners[9, 1])  # a line
    corners[21] = corners[20]  # twins: the first counts
    points = np.concatenate([rng.normal(size=(400, 3)), corners.reshape(-1, 3), corners.mean(axis=1)])
    kernel, numpy = nearest(points, corners), nearest_by_numpy(points, corners)
    np.testing.assert_array_equal(kernel.triangle, numpy.triangle)
    np.testing.assert_array_equal(kernel.barycentric, numpy.barycentric)
    np.testing.assert_array_equal(kernel.distance, numpy.distance)
    assert 21 not in kernel.triangle


def test_automatic_weights_are_rigid_along_a_bone_and_blend_at_the_joint() -> None:
    skeleton = Skeleton((Joint("upper"), Joint("lower", 0, (0, 0, 1)), Joint("hand", 1, (0, 0, 1))))
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2.0]])
    points = np.array([[0.05, 0, 0.5], [0.05, 0, 1.0], [0.05, 0, 1.5]])
    joints, weights = automatic_weights(skeleton, positions, points)
    assert joints[0, 0] == 0 and weights[0, 0] > 0.99
    assert sorted(joints[1, :2].tolist()) == [0, 1]
    np.testing.assert_allclose(weights[1, :2], 0.5, atol=1e-5)
    assert joints[2, 0] == 1 and weights[2, 0] > 0.98
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_a_binding_comes_back_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    rig = read_rig(arm().write(tmp_path / "a.glb"))
    binding = bind(rig, np.array([[0.0, 0.01, 0.2], [0.05, 0, 0.9], [3, 0, 0]]))
    assert binding.strays.tolist() == [False, False, True]
    write_binding(tmp_path / "b.npz", binding)
    again = read_binding(tmp_path / "b.npz")
    assert np.array_equal(again.weights, binding.weights) and np.array_equal(again.triangle, binding.triangle)
    (tmp_path / "b.npz").write_bytes((tmp_path / "b.npz").read_bytes()[:100])
    with pytest.raises(InputError):
        read_binding(tmp_path / "b.npz")


@pytest.mark.slow
def test_splats_in_another_place_get_an_alignment_offered() -> None:
    rig = read_rig(ADA)
    assert rig.mesh is not None
    rng = np.random.default_rng(1)
    own = rig.mesh.vertices[rng.choice(len(rig.mesh.vertices), 600, replace=False)]
    away = Similarity(tuple(quaternion_about((0.1, 0.2, 1), 1.4)), (3, 1, 0.2), 2.0)  # type: ignore[arg-type]
    m = away.matrix()
    found = check_splats(rig, own @ m[:3, :3].T + m[:3, 3])
    assert not found.fits and found.alignment is not None and found.aligned_median < 0.008
    assert "place = { position" in found.remarks[-1]
    back = found.alignment.matrix() @ m
    np.testing.assert_allclose(back, np.eye(4), atol=0.05)
    assert check_splats(rig, own).fits


def test_the_rig_verb_imports_and_checks(tmp_path: Path) -> None:
    from splatfilm.cli.main import cli

    path = arm().write(tmp_path / "a.glb")
    count = 40
    rng = np.random.default_rng(0)
    means = np.stack([rng.uniform(-0.1, 0.1, count), np.zeros(count), rng.uniform(0, 1, count)], axis=1)
    means[0] = [5, 5, 5]
    splats = Splats(
        torch.from_numpy(means.astype(np.float32)),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        torch.full((count, 3), 0.01),
        torch.full((count,), 0.5),
        torch.zeros(count, 1, 3),
    )
    write_ply(tmp_path / "s.ply", splats)
    runner = CliRunner()
    done = runner.invoke(cli, ["rig", "check", str(path), str(tmp_path / "s.ply"), "--json"])
    assert done.exit_code == 0, done.output
    value = json.loads(done.output)
    assert value["joints"] == ["low", "high"] and value["splats"][0]["strays"] == 1 and value["splats"][0]["fits"]
    done = runner.invoke(cli, ["rig", "import", str(path), str(tmp_path / "out")])
    assert done.exit_code == 0 and "2 joints, 1 blendshapes" in done.output
    assert runner.invoke(cli, ["rig", "check", str(tmp_path / "out" / "rig.json")]).exit_code == 0
