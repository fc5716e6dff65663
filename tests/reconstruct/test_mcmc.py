"""Relocation, growth and noise: what they promise, on cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from splatfilm.reconstruct import mcmc
from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.reconstruct.settings import Growth


def some(logits: list[float], log_scale: float = -2.0) -> tuple[Gaussians, mcmc.Moments]:
    count = len(logits)
    gaussians = {
        "means": torch.arange(3 * count, dtype=torch.float32).reshape(count, 3),
        "log_scales": torch.full((count, 3), log_scale),
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        "logits": torch.tensor(logits),
        "sh0": torch.rand(count, 1, 3, generator=torch.Generator().manual_seed(0)),
        "sh_rest": torch.zeros(count, 0, 3),
    }
    return gaussians, {name: (torch.ones_like(g), torch.ones_like(g)) for name, g in gaussians.items()}


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_two_copies_of_an_opacity_of_three_quarters_have_a_half_each() -> None:
    # 1 - (1 - 0.75)^(1/2) = 0.5; sum = 2 * 0.5 - 0.25 / sqrt 2 = 0.8232233; factor = 0.75 / 0.8232233.
    each, factor = mcmc.split_opacity(np.array([0.75]), np.array([2]))
    assert each[0] == pytest.approx(0.5, abs=1e-12)
    assert factor[0] == pytest.approx(0.75 / (1 - 0.25 / math.sqrt(2)), abs=1e-12)


def test_one_copy_changes_nothing() -> None:
    each, factor = mcmc.split_opacity(np.array([0.3]), np.array([1]))
    assert (each[0], factor[0]) == (pytest.approx(0.3), pytest.approx(1.0))


@pytest.mark.parametrize("copies", [2, 3, 7, 51])
@pytest.mark.parametrize("opacity", [0.01, 0.5, 0.9, 0.999])
def test_copies_on_one_spot_cover_as_much_as_the_one_they_replace(opacity: float, copies: int) -> None:
    each, factor = mcmc.split_opacity(np.array([opacity]), np.array([copies]))
    assert 1 - (1 - each[0]) ** copies == pytest.approx(opacity, rel=1e-9)
    # And so does their sum over a line through the middle: the integral of alpha, which the factor is made to keep.
    x = np.linspace(-12, 12, 200_001)
    one = opacity * np.exp(-(x**2) / 2)
    stacked = 1 - (1 - each[0] * np.exp(-((x / factor[0]) ** 2) / 2)) ** copies
    assert stacked.sum() == pytest.approx(one.sum(), rel=1e-6)


def test_the_two_forms_of_the_papers_double_sum_agree() -> None:
    each, factor = mcmc.split_opacity(np.array([0.8]), np.array([5]))
    double = sum(
        math.comb(i - 1, k) * (-1) ** k * each[0] ** (k + 1) / math.sqrt(k + 1) for i in range(1, 6) for k in range(i)
    )
    assert factor[0] == pytest.approx(0.8 / double, rel=1e-12)


def test_the_dead_move_onto_the_living_and_forget_their_moments() -> None:
    gaussians, moments = some([logit(0.75), logit(0.001)])
    after, after_moments, done = mcmc.relocate_and_grow(gaussians, moments, Growth(by=0.0), 2, random())
    assert (done.moved, done.added) == (1, 0)
    assert torch.equal(after["means"][1], after["means"][0])
    assert torch.equal(after["sh0"][1], after["sh0"][0])
    assert torch.sigmoid(after["logits"]).tolist() == pytest.approx([0.5, 0.5], abs=1e-6)
    assert after["log_scales"][0].tolist() == after["log_scales"][1].tolist()
    assert after_moments["means"][0].abs().sum() == 0


def test_growth_stops_at_the_budget() -> None:
    gaussians, moments = some([logit(0.5)] * 40)
    counts = []
    for _ in range(4):
        gaussians, moments, _ = mcmc.relocate_and_grow(gaussians, moments, Growth(by=0.1), 50, random())
        counts.append(len(gaussians["means"]))
    assert counts == [45, 50, 50, 50]
    assert all(len(first) == 50 and len(second) == 50 for first, second in moments.values())


def test_living_rows_that_were_not_chosen_keep_their_bits_and_their_moments() -> None:
    gaussians, moments = some([logit(0.9)] + [logit(1e-4)] * 3 + [logit(0.9)] * 20)
    before = {name: values.clone() for name, values in gaussians.items()}
    after, after_moments, _ = mcmc.relocate_and_grow(gaussians, moments, Growth(by=0.0), 24, random())
    untouched = torch.nonzero(after_moments["means"][0].sum(dim=1) > 0).flatten()
    assert len(untouched) >= 17
    assert all(torch.equal(after[name][untouched], before[name][untouched]) for name in before)


def test_nothing_moves_when_nothing_lives() -> None:
    gaussians, moments = some([logit(1e-4)] * 3)
    after, _, done = mcmc.relocate_and_grow(gaussians, moments, Growth(), 10, random())
    assert (done.moved, done.added, len(after["means"])) == (0, 0, 3)


def test_noise_moves_the_faint_and_leaves_the_solid_alone() -> None:
    gaussians, _ = some([logit(0.006), logit(0.8)])
    before = gaussians["means"].clone()
    mcmc.explore(gaussians, 1.0, 1.0, random())
    assert not torch.equal(gaussians["means"][0], before[0])
    assert torch.equal(gaussians["means"][1], before[1])


def test_noise_follows_the_shape_of_its_splat() -> None:
    # A splat that is a metre long in x and a millimetre in y and z, turned by 90 degrees about z: noise goes along y.
    gaussians, _ = some([logit(0.001)] * 500)
    gaussians["log_scales"][:] = torch.tensor([0.0, math.log(1e-3), math.log(1e-3)])
    gaussians["quats"][:] = torch.tensor([math.sqrt(0.5), 0, 0, math.sqrt(0.5)])
    before = gaussians["means"].clone()
    gaussians["means"] = before.clone()
    mcmc.explore(gaussians, 1.0, 1.0, random())
    spread = (gaussians["means"] - before).double().std(dim=0)
    assert spread[1] > 0.5
    assert spread[0] < 1e-3
    assert spread[2] < 1e-3


def test_noise_does_not_depend_on_the_unit_of_length() -> None:
    small, _ = some([logit(0.01)] * 8, log_scale=0.0)
    large, _ = some([logit(0.01)] * 8, log_scale=math.log(100.0))
    moved = []
    for gaussians, extent in ((small, 2.0), (large, 200.0)):
        before = gaussians["means"].clone()
        gaussians["means"] = torch.zeros_like(before)
        mcmc.explore(gaussians, 0.3, extent, random())
        moved.append(gaussians["means"] / extent)
    assert torch.allclose(moved[0], moved[1], rtol=1e-4, atol=0)
