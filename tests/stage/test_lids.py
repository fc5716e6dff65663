"""Eyes close although no photograph shows closed lids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.stage import deform
from splatfilm.stage.actor import BoundLayer
from splatfilm.stage.lids import lids_of
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.skeleton import Pose, rest_pose

RIG = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
SKIN, WHITE = 0.7, 1.0
RADIUS = 0.025


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig(RIG)


def head(rig: Rig) -> BoundLayer:
    """The left eyeball's front, white, in a patch of skin; nothing at the right eye."""
    eye, face = rig.skeleton.index("eye.left"), rig.skeleton.index("head")
    middle = np.linalg.inv(rig.inverse_binds[eye])[:3, 3]
    x, z = np.meshgrid(np.linspace(-1.7, 1.7, 31), np.linspace(-1.7, 1.7, 31))
    far = np.hypot(x, z).ravel()
    away = np.stack([x.ravel(), -np.sqrt(np.maximum(1 - far**2, 0.3)), z.ravel()], axis=1) * RADIUS
    means = torch.from_numpy((middle + away).astype(np.float32))
    count, inside = len(means), torch.from_numpy(far < 1)
    sh = torch.zeros(count, 4, 3)
    sh[:, 0] = (torch.where(inside, WHITE, SKIN)[:, None] - 0.5) / SH_C0
    sh[:, 1:] = 0.1
    joints = torch.zeros(count, 4, dtype=torch.int32)
    joints[:, 0] = torch.where(inside, eye, face)
    weights = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1)
    quats = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1)
    splats = Splats(means, quats, torch.full((count, 3), 0.002), torch.full((count,), 0.9), sh)
    carriers = deform.Carriers(joints, weights)
    return BoundLayer(splats, carriers, None, None, lids_of(rig, splats, carriers))


def shown(layer: BoundLayer, rig: Rig, weight: float) -> np.ndarray:
    rest = rest_pose(rig.skeleton)
    pose = Pose(rest.translations, rest.rotations, {"eyeBlinkLeft": weight})
    return (layer.posed(rig, pose, IDENTITY).sh[:, 0] * SH_C0 + 0.5).numpy()[:, 0]


def test_an_open_eye_keeps_its_bits(rig: Rig) -> None:
    layer = head(rig)
    assert len(layer.lids) == 1
    assert layer.posed(rig, rest_pose(rig.skeleton), IDENTITY).sh is layer.rest.sh


def test_a_closed_eye_shows_skin_with_a_dark_line_and_no_white(rig: Rig) -> None:
    layer = head(rig)
    closed, height = shown(layer, rig, 1.0), layer.lids[0].heights.numpy()
    own = closed[layer.lids[0].rows.numpy()]
    assert own.max() < SKIN + 0.01
    assert own[np.abs(height + 0.3) < 0.04].max() < 0.5 * SKIN
    assert own[height > 0.3] == pytest.approx(SKIN, abs=0.01)


def test_a_lid_comes_down_from_above(rig: Rig) -> None:
    layer = head(rig)
    half, height = shown(layer, rig, 0.5), layer.lids[0].heights.numpy()
    own = half[layer.lids[0].rows.numpy()]
    inside = torch.as_tensor(layer.carriers.joints[layer.lids[0].rows][:, 0] == rig.skeleton.index("eye.left")).numpy()
    assert own[inside & (height > 0.3)].max() < SKIN + 0.01
    assert own[inside & (height < -0.3)].min() == pytest.approx(WHITE, abs=0.01)


def test_splats_beside_the_eye_keep_their_colours(rig: Rig) -> None:
    layer = head(rig)
    others = np.setdiff1d(np.arange(len(layer.rest)), layer.lids[0].rows.numpy())
    assert (shown(layer, rig, 1.0)[others] == shown(layer, rig, 0.0)[others]).all()
