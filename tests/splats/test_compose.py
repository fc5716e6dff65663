"""Splats moved and put together."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from splat_makers import random_splats

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import IDENTITY, Similarity, matrix_from_quaternion, quaternion_about
from splatfilm.splats import Splats, compose, sh, transformed, write_ply

TURN = tuple(quaternion_about((1, 2, -1), 1.1).tolist())
PLACE = Similarity(rotation=TURN, translation=(0.5, -2.0, 3.0), scale=1.7)


def covariances(splats: Splats) -> np.ndarray:
    rotations = np.stack([matrix_from_quaternion(q) for q in splats.quats.double().numpy()])
    spread = rotations * splats.scales.double().numpy()[:, None, :]
    return spread @ spread.transpose(0, 2, 1)


def test_a_quarter_turn_and_doubling_by_hand() -> None:
    """(1, 2, 3) turned 90 degrees about z is (-2, 1, 3); doubled (-4, 2, 6); moved by (10, 0, 0): (6, 2, 6)."""
    one = Splats(
        means=torch.tensor([[1.0, 2.0, 3.0]]),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.tensor([[0.1, 0.2, 0.3]]),
        opacities=torch.tensor([0.5]),
        sh=torch.ones(1, 1, 3),
    )
    quarter = tuple(quaternion_about((0, 0, 1), math.pi / 2).tolist())
    moved = transformed(one, Similarity(rotation=quarter, translation=(10.0, 0.0, 0.0), scale=2.0))
    assert moved.means.tolist() == [[pytest.approx(6.0), pytest.approx(2.0), pytest.approx(6.0)]]
    assert moved.quats.tolist() == [[pytest.approx(math.sqrt(0.5)), 0.0, 0.0, pytest.approx(math.sqrt(0.5))]]
    assert moved.scales.tolist() == [[pytest.approx(0.2), pytest.approx(0.4), pytest.approx(0.6)]]
    assert moved.opacities.tolist() == [0.5]
    assert moved.sh.tolist() == [[[1.0, 1.0, 1.0]]]


def test_a_placed_splat_has_the_covariance_s2_r_sigma_rt() -> None:
    splats = random_splats()
    rotation = matrix_from_quaternion(TURN)
    expected = PLACE.scale**2 * rotation @ covariances(splats) @ rotation.T
    found = covariances(transformed(splats, PLACE))
    assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-6


def test_a_placed_splat_shows_each_camera_the_colour_it_showed_before() -> None:
    """A camera that moves along with the splats must see the same colour."""
    splats = random_splats(200)
    moved = transformed(splats, PLACE)
    camera = np.array([4.0, -3.0, 2.0])
    carried = PLACE.matrix()[:3, :3] @ camera + PLACE.translation
    before = torch.nn.functional.normalize(splats.means.double() - torch.from_numpy(camera), dim=1)
    after = torch.nn.functional.normalize(moved.means.double() - torch.from_numpy(carried), dim=1)
    seen = sh.evaluate(splats.sh.double(), before)
    assert (sh.evaluate(moved.sh.double(), after) - seen).abs().max() < 2e-6


def test_identity_gives_back_the_same_object() -> None:
    splats = random_splats()
    assert transformed(splats, IDENTITY) is splats
    assert transformed(splats, Similarity(rotation=(-1.0, 0.0, 0.0, 0.0))) is splats


def test_what_a_placement_does_not_change_keeps_its_tensors() -> None:
    splats = random_splats()
    slid = transformed(splats, Similarity(translation=(1.0, 0.0, 0.0)))
    assert slid.quats is splats.quats and slid.scales is splats.scales and slid.sh is splats.sh
    assert torch.equal(slid.means[:, 1:], splats.means[:, 1:])
    assert torch.equal(slid.means[:, 0], (splats.means[:, 0].double() + 1.0).float())
    grown = transformed(splats, Similarity(scale=2.0))
    assert grown.quats is splats.quats and grown.sh is splats.sh
    assert torch.equal(grown.means, splats.means * 2) and torch.equal(grown.scales, splats.scales * 2)


def test_there_and_back_is_where_it_was_to_float32_rounding() -> None:
    splats = random_splats()
    back = transformed(transformed(splats, PLACE), PLACE.inverse())
    for name in ("means", "scales", "sh"):
        assert torch.allclose(getattr(back, name), getattr(splats, name), rtol=1e-6, atol=2e-6), name
    turned_over = (back.quats * splats.quats).sum(dim=1).abs()
    assert torch.allclose(turned_over, torch.ones_like(turned_over), atol=1e-6)


def test_composing_keeps_order_and_the_bits_of_what_stands_still() -> None:
    room, mug, chair = random_splats(30, seed=1), random_splats(20, seed=2), random_splats(10, seed=3)
    scene = compose([(room, IDENTITY), (mug, PLACE), (chair, IDENTITY)])
    assert len(scene) == 60
    placed = transformed(mug, PLACE)
    for name in ("means", "quats", "scales", "opacities", "sh"):
        rows = getattr(scene, name)
        assert torch.equal(rows[:30], getattr(room, name)), name
        assert torch.equal(rows[30:50], getattr(placed, name)), name
        assert torch.equal(rows[50:], getattr(chair, name)), name


def test_one_part_alone_is_that_part() -> None:
    splats = random_splats()
    assert compose([(splats, IDENTITY)]) is splats


def test_lower_degrees_are_padded_with_zeros_and_draw_the_same() -> None:
    flat, shiny = random_splats(10, degree=0, seed=1), random_splats(10, degree=3, seed=2)
    scene = compose([(flat, PLACE), (shiny, IDENTITY)])
    assert scene.sh.shape == (20, 16, 3)
    assert torch.equal(scene.sh[:10, :1], flat.sh) and not scene.sh[:10, 1:].any()
    assert torch.equal(scene.sh[10:], shiny.sh)


def test_classic_and_antialiased_splats_keep_their_modes_side_by_side() -> None:
    room, mug = random_splats(3, seed=1), random_splats(2, mode="antialiased", seed=2)
    scene = compose([(room, IDENTITY), (mug, PLACE)])
    assert scene.mode == "mixed" and scene.antialiased is not None
    assert scene.antialiased.tolist() == [False, False, False, True, True]
    larger = compose([(mug, IDENTITY), (scene, IDENTITY)])
    assert larger.antialiased is not None
    assert larger.antialiased.tolist() == [True, True, False, False, False, True, True]
    assert compose([(room, PLACE), (room, IDENTITY)]).antialiased is None


def test_a_file_cannot_say_that_modes_are_mixed(tmp_path: Path) -> None:
    scene = compose([(random_splats(3), IDENTITY), (random_splats(3, mode="antialiased"), IDENTITY)])
    with pytest.raises(InputError, match="classic and antialiased splats are in it together, which no file can say"):
        write_ply(tmp_path / "scene.ply", scene)


def test_antialiased_splats_stay_antialiased() -> None:
    part = random_splats(3, mode="antialiased")
    assert compose([(part, PLACE), (part, IDENTITY)]).mode == "antialiased"


def test_nothing_and_mixed_types_are_refused() -> None:
    single = random_splats(3)
    double = dataclasses.replace(single, **{n: getattr(single, n).double() for n in ("means", "quats", "scales", "sh")})
    with pytest.raises(ValueError, match="nothing to compose"):
        compose([])
    with pytest.raises(ValueError, match="share device and dtype"):
        compose([(single, IDENTITY), (double, IDENTITY)])
    with pytest.raises(ValueError, match="greater than 0"):
        transformed(single, Similarity(scale=0.0))


def test_float64_splats_stay_float64() -> None:
    single = random_splats(5)
    names = ("means", "quats", "scales", "opacities", "sh")
    double = dataclasses.replace(single, **{n: getattr(single, n).double() for n in names})
    moved = transformed(double, PLACE)
    assert {getattr(moved, n).dtype for n in names} == {torch.float64}


def test_gradients_reach_the_splats_through_a_placement() -> None:
    splats = random_splats(4, degree=1)
    leaves = {n: getattr(splats, n).double().requires_grad_() for n in ("means", "quats", "scales", "sh")}
    moved = transformed(dataclasses.replace(splats, **leaves), PLACE)
    (moved.means.sum() + moved.scales.sum() + (moved.quats * torch.arange(4)).sum() + moved.sh[:, 1].sum()).backward()
    assert torch.allclose(leaves["scales"].grad, torch.full_like(leaves["scales"], PLACE.scale))
    expected = torch.from_numpy(PLACE.scale * matrix_from_quaternion(TURN).sum(axis=0)).expand(4, 3)
    assert torch.allclose(leaves["means"].grad, expected)
    assert leaves["quats"].grad.abs().sum() > 0 and leaves["sh"].grad.abs().sum() > 0
