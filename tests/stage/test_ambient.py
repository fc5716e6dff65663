"""What stirs by itself: within its box, on the scene's clock, the same for every camera."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from splatfilm.base.rigid import IDENTITY, Similarity, quaternion_about
from splatfilm.film.model import Ambient
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices, symmetric
from splatfilm.stage.ambient import stirred, waves_of
from splatfilm.stage.placement import Placed, Stir
from splatfilm.stage.resting import Resting, rest_features

CURTAIN = Ambient("sway", "flat", ((-1.0, -1.0, 0.0), (1.0, 1.0, 2.0)), amount=0.05, period=3.0)


def splats(count: int = 400) -> Splats:
    generator = torch.Generator().manual_seed(3)
    means = torch.rand(count, 3, generator=generator) * torch.tensor([4.0, 4.0, 3.0]) - torch.tensor([2.0, 2.0, 0.5])
    quats = torch.nn.functional.normalize(torch.randn(count, 4, generator=generator), dim=-1)
    return Splats(means, quats, torch.full((count, 3), 0.02), torch.full((count,), 0.8), torch.zeros(count, 1, 3))


def placed(ambient: Ambient, seconds: float, place: Similarity = IDENTITY) -> Placed:
    return Placed("flat", "flat", "day", place, stirs=(Stir(ambient, seconds),))


def inside(one: Splats) -> torch.Tensor:
    low, high = (torch.tensor(corner) for corner in CURTAIN.box)
    return ((one.means > low) & (one.means < high)).all(dim=1)


def test_what_is_outside_the_box_keeps_its_bits_and_what_is_inside_moves_no_further_than_said() -> None:
    rest = splats()
    moved = stirred(rest, rest, placed(CURTAIN, 12.3))
    within = inside(rest)
    assert within.any()
    assert torch.equal(moved.means[~within], rest.means[~within])
    assert torch.equal(moved.quats[~within], rest.quats[~within])
    way = moved.means - rest.means
    assert torch.equal(way[:, 1:], torch.zeros_like(way[:, 1:]))
    assert 0.005 < way[:, 0].abs().max() <= 0.05 + 1e-6


def test_the_held_side_stands_still() -> None:
    rest = splats()
    top = dataclasses.replace(rest, means=torch.tensor([[0.0, 0.0, 1.999], [0.0, 0.0, 0.3]]).repeat(200, 1))
    furthest = torch.zeros(2)
    for step in range(12):
        moved = stirred(top, top, placed(CURTAIN, 0.31 * step))
        furthest = torch.maximum(furthest, (moved.means - top.means)[:2].norm(dim=-1))
    assert furthest[0] < 1e-6
    assert furthest[1] > 0.01


def test_covariances_follow_the_gradient_of_the_field() -> None:
    rest = splats()
    base = rest.means.clone()
    step = 1e-3
    moved = stirred(rest, rest, placed(CURTAIN, 5.0))
    assert moved.turns is not None
    assert moved.stretches is not None
    gradient = symmetric(moved.stretches.double()) @ rotation_matrices(moved.turns.double())
    within = torch.nonzero(inside(rest)).flatten()[:20]
    for axis in range(3):
        ahead = dataclasses.replace(rest, means=base + step * torch.eye(3)[axis])
        behind = dataclasses.replace(rest, means=base - step * torch.eye(3)[axis])
        there, back = (stirred(one, one, placed(CURTAIN, 5.0)).means for one in (ahead, behind))
        column = ((there - back) / (2 * step))[within].double()
        assert torch.allclose(gradient[within][:, :, axis], column, atol=5e-3)


def test_the_motion_is_a_function_of_the_clock_alone() -> None:
    rest = splats()
    first = stirred(rest, rest, placed(CURTAIN, 7.0))
    stirred(rest, rest, placed(CURTAIN, 8.0))
    assert torch.equal(stirred(rest, rest, placed(CURTAIN, 7.0)).means, first.means)
    assert not torch.equal(stirred(rest, rest, placed(CURTAIN, 7.1)).means, first.means)
    near = stirred(rest, rest, placed(CURTAIN, 7.001)).means
    assert (near - first.means).abs().max() < 1e-3


def test_another_seed_is_another_motion_and_the_parts_of_waves_sum_to_one() -> None:
    assert waves_of(CURTAIN) != waves_of(dataclasses.replace(CURTAIN, seed="2"))
    assert waves_of(CURTAIN) == waves_of(dataclasses.replace(CURTAIN, amount=0.2))
    assert sum(wave.part for wave in waves_of(CURTAIN)) == pytest.approx(1.0)


def test_flicker_changes_colours_only_and_in_step() -> None:
    rest = dataclasses.replace(splats(), sh=torch.full((400, 1, 3), 0.3))
    lamp = dataclasses.replace(CURTAIN, kind="flicker", amount=0.2)
    moved = stirred(rest, rest, placed(lamp, 2.0))
    assert torch.equal(moved.means, rest.means)
    assert moved.turns is None
    within = inside(rest)
    ratio = (moved.sh * 0.28209479177387814 + 0.5) / (rest.sh * 0.28209479177387814 + 0.5)
    assert torch.equal(ratio[~within], torch.ones_like(ratio[~within]))
    assert (ratio[within] - 1).abs().max() <= 0.2 + 1e-6
    assert torch.all((ratio[within] - 1) * (ratio[within] - 1).sum().sign() >= -1e-6)  # all up, or all down


def test_steam_only_takes_opacity_away() -> None:
    rest = splats()
    moved = stirred(rest, rest, placed(dataclasses.replace(CURTAIN, kind="steam", amount=0.7), 2.0))
    assert (moved.opacities <= rest.opacities + 1e-7).all()
    assert (moved.opacities >= 0.3 * rest.opacities - 1e-6).all()
    assert (moved.opacities < rest.opacities).any()


def test_what_is_moved_splat_by_splat_is_taken_back_to_rest() -> None:
    rest = splats()
    turn = quaternion_about((0, 0, 1), math.radians(40)).tolist()
    place = Similarity((turn[0], turn[1], turn[2], turn[3]), (0.5, -0.2, 0.1), 2.0)
    from splatfilm.splats import transformed

    small = dataclasses.replace(rest, means=rest.means / 2)
    stand = transformed(small, place)
    moved = stirred(stand, small, placed(CURTAIN, 4.0, place))
    assert not torch.equal(moved.means, stand.means)
    ways = rest_features(moved, Resting("flat/flat", "flat", 0, len(moved), place, small.means))
    back = (ways[:, :9].reshape(-1, 3, 3) * moved.means[:, None, :]).sum(-1) + ways[:, 9:]
    assert torch.allclose(back, rest.means, atol=1e-5)
