"""Claim: an actor costs little. 100 000 splats on a rig of 55 joints go from pose to renderable splats in 25 ms.

The splats lie on the project's own actor; bindings are made by hand from the triangles they were put on, as finding
them is done once and kept. With the face moving, its blendshapes are in the figure. Beside it: the same by torch alone,
and the contact shadows of that actor on a floor of 22 500 splats.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import Row, alternate, main
from splatfilm.base.rigid import IDENTITY
from splatfilm.film.model import Contact
from splatfilm.splats import Splats, compose
from splatfilm.stage import deform
from splatfilm.stage.actor import BoundLayer
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.contact import Body, Known, darkened, diagonal, patches, visibility
from splatfilm.stage.drape import drape_of
from splatfilm.stage.rigs.binding import Binding, shape_cage
from splatfilm.stage.rigs.bones import bone_matrices, dual_quaternions
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import Rig, best_weights
from splatfilm.stage.rigs.skeleton import Pose
from splatfilm.stage.rigs.surface import nearest

RIG = Path(__file__).resolve().parent.parent / "captures" / "ada" / "rig.glb"
COUNT = 100_000


def on_the_actor(rig: Rig) -> BoundLayer:
    """Splats spread over the proxy mesh, bound where they were put."""
    rng = np.random.default_rng(0)
    mesh = rig.mesh
    assert mesh is not None
    triangle = rng.integers(0, len(mesh.triangles), COUNT)
    share = rng.dirichlet([1, 1, 1], COUNT)
    held = mesh.triangles[triangle]
    means = (mesh.vertices[held] * share[..., None]).sum(axis=1)
    joints = mesh.joints[held].reshape(COUNT, -1)
    weights = (mesh.weights[held] * share[..., None]).astype(np.float64).reshape(COUNT, -1)
    kept, four, _ = best_weights(joints, weights)
    binding = Binding(kept, four, triangle.astype(np.int32), share, np.zeros(COUNT))
    quats = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(COUNT, 4)).astype(np.float32)), dim=-1)
    sh = torch.from_numpy(rng.normal(0, 0.2, (COUNT, 16, 3)).astype(np.float32))
    scales, opacities = torch.full((COUNT, 3), 0.004), torch.full((COUNT,), 0.8)
    splats = Splats(torch.from_numpy(means.astype(np.float32)), quats, scales, opacities, sh)
    carriers = deform.Carriers(torch.from_numpy(kept), torch.from_numpy(four))
    return BoundLayer(splats, carriers, shape_cage(rig, binding, means), drape_of(rig, binding, splats.device))


def floor() -> Splats:
    """Three metres square, a splat every two centimetres."""
    x, y = np.meshgrid(np.arange(-1.5, 1.5, 0.02), np.arange(-1.5, 1.5, 0.02))
    means = torch.from_numpy(np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=-1).astype(np.float32))
    count = len(means)
    quats, scales = torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.012, 0.012, 0.001]])
    sh = torch.zeros(count, 16, 3)
    return Splats(means, quats.repeat(count, 1), scales.repeat(count, 1), torch.full((count,), 0.95), sh)


def measure() -> list[Row]:
    """Rows for a body at a still face, for a moving face, and for torch."""
    rig = load_rig(RIG)
    layer = on_the_actor(rig)
    pose = read_gltf_clips(RIG, rig.skeleton)["yawn-and-stretch"].at(2.0)
    still = Pose(pose.translations, pose.rotations)
    face = Pose(pose.translations, pose.rotations, {"jawOpen": 0.8, "eyeBlinkLeft": 1.0})

    def by_torch() -> None:
        matrices = bone_matrices(rig.skeleton, rig.inverse_binds, still)
        deform._skinned_by_torch(layer.rest, layer.carriers, torch.from_numpy(dual_quaternions(matrices, IDENTITY)))

    posed = layer.posed(rig, still, IDENTITY)
    ground = floor()
    scene = compose([(ground, IDENTITY), (posed, IDENTITY)])
    body, known = Body(slice(0, len(posed)), diagonal(layer.rest), patches=patches([layer.rest])), Known()
    cast = posed.means, posed.quats, posed.scales, posed.opacities

    def shade() -> None:
        darkened(scene, visibility(ground, cast, [body], Contact(), known))

    assert rig.mesh is not None
    corners, points = rig.mesh.vertices[rig.mesh.triangles], layer.rest.means.double().numpy()
    binding = alternate({"bind": lambda: nearest(points, corners)}, repeats=3)
    cpu = alternate(
        {"body": lambda: layer.posed(rig, still, IDENTITY), "face": lambda: layer.posed(rig, face, IDENTITY)},
        clock=time.process_time,
    )
    seconds = alternate(
        {
            "body": lambda: layer.posed(rig, still, IDENTITY),
            "face": lambda: layer.posed(rig, face, IDENTITY),
            "torch": by_torch,
            "contact": shade,
        }
    )
    assert layer.cage is not None
    return [
        Row("cast/pose-100k", 1000 * seconds["body"], "ms"),
        Row("cast/pose-100k-with-face", 1000 * seconds["face"], "ms"),
        Row("cast/pose-100k-cpu", 1000 * cpu["body"], "ms CPU", 25.0),
        Row("cast/pose-100k-with-face-cpu", 1000 * cpu["face"], "ms CPU", 25.0),
        Row("cast/pose-100k-by-torch", 1000 * seconds["torch"], "ms"),
        Row("cast/bind-100k", binding["bind"], "s"),
        Row("cast/contact-shadows", 1000 * seconds["contact"], "ms"),
        Row("cast/splats-that-shapes-move", len(layer.cage.rows), "splats"),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
