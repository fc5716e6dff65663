"""Anchored noise: white in every region, the same for every view of a place, the same bits from kernel and torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from analytic_room import agreement, correlation, view
from scipy import stats

from splatfilm.refine.noise import (
    LATENT,
    Anchors,
    NoiseGrid,
    NoiseKey,
    anchored_noise,
    anchored_noise_torch,
    deviates,
    hashed_noise,
    moving_noise,
)
from splatfilm.render.kernels import set_threads, threads

KEY = NoiseKey("1", "test")


def test_the_table_of_deviates_is_normal_with_variance_one() -> None:
    table = deviates() / float(1 << 20)
    assert len(table) == 65536
    assert abs(table.mean()) < 1e-12
    assert table.var() == pytest.approx(1.0, abs=1e-6)
    assert table[49152] == pytest.approx(0.67451, abs=1e-4)  # the third quartile of N(0, 1)


@pytest.mark.parametrize("grid", [NoiseGrid(), NoiseGrid(channels=1, sub=3), LATENT, NoiseGrid(2, 1, 1)])
def test_kernel_and_torch_agree_to_the_bit(grid: NoiseGrid) -> None:
    anchors = view(7.0, (101, 59), error=0.3).anchors
    assert torch.equal(anchored_noise(anchors, KEY, grid), anchored_noise_torch(anchors, KEY, grid))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_bits_of_the_cpu() -> None:
    a = view(7.0).anchors
    there = Anchors(a.places.cuda(), a.footprints.cuda(), a.spaces.cuda(), a.names)
    assert torch.equal(anchored_noise(there, KEY).cpu(), anchored_noise(a, KEY))


def test_numbers_that_are_not_finite_are_treated_alike_by_both() -> None:
    anchors = view(0.0, (40, 24)).anchors
    places, footprints = anchors.places.clone(), anchors.footprints.clone()
    places[3, 4], places[5, 6, 1], places[8, 8] = float("nan"), float("inf"), 3e38
    footprints[9, 9], footprints[10, 10], footprints[11, 11] = 0.0, float("nan"), float("inf")
    broken = replace(anchors, places=places, footprints=footprints)
    noise = anchored_noise(broken, KEY)
    assert bool(torch.isfinite(noise).all())
    assert torch.equal(noise, anchored_noise_torch(broken, KEY))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    anchors, before = view(3.0).anchors, threads()
    try:
        results = []
        for count in (1, 2, 5):
            set_threads(count)
            results.append(anchored_noise(anchors, KEY))
    finally:
        set_threads(before)
    assert all(torch.equal(results[0], other) for other in results[1:])


def test_every_region_is_white_with_variance_one() -> None:
    seen = view()
    noise = anchored_noise(seen.anchors, KEY, NoiseGrid(channels=16)).double()
    for name, region in seen.regions().items():
        inside = noise[region]
        margin = 4 * (2 / inside.numel()) ** 0.5  # four deviations of a sample's variance
        assert inside.var().item() == pytest.approx(1.0, abs=margin), name
    for axis in (0, 1):
        length = noise.shape[axis] - 1
        assert abs(correlation(noise.narrow(axis, 0, length), noise.narrow(axis, 1, length))) < 0.01


def test_channels_purposes_and_seeds_have_nothing_in_common() -> None:
    anchors = view().anchors
    noise = anchored_noise(anchors, KEY)
    assert abs(correlation(noise[..., 0], noise[..., 1])) < 0.02
    for key in (NoiseKey("2", "test"), NoiseKey("1", "other"), NoiseKey("1", "test", 5)):
        assert abs(correlation(noise, anchored_noise(anchors, key))) < 0.01


def test_two_views_five_degrees_apart_agree() -> None:
    a, b = view(0.0, (320, 180)), view(5.0, (320, 180))
    near, low = agreement(a, b, (anchored_noise(a.anchors, KEY), anchored_noise(b.anchors, KEY)))
    assert near > 0.45
    assert low > 0.75
    other = anchored_noise(b.anchors, NoiseKey("2", "test"))
    near, low = agreement(a, b, (anchored_noise(a.anchors, KEY), other))
    assert abs(near) < 0.02
    assert abs(low) < 0.06


def test_coming_back_to_a_view_brings_back_its_noise() -> None:
    first = anchored_noise(view(0.0).anchors, KEY)
    for degrees in (1.0, 9.0, -4.0):
        anchored_noise(view(degrees).anchors, KEY)
    assert torch.equal(anchored_noise(view(0.0).anchors, KEY), first)


def test_a_thing_that_moves_takes_its_noise_along() -> None:
    a, b = view(0.0, (320, 180)), view(0.0, (320, 180), shift=(0.15, 0.0))
    noises = anchored_noise(a.anchors, KEY), anchored_noise(b.anchors, KEY)
    moved = round(0.15 / float(a.anchors.footprints[a.anchors.spaces == 2].mean()))
    ball = (a.anchors.spaces == 2) & ~a.edges
    there = torch.roll(noises[1], -moved, dims=1)
    both = ball & torch.roll((b.anchors.spaces == 2) & ~b.edges, -moved, dims=1)
    assert correlation(low(noises[0])[both], low(there)[both]) > 0.5
    assert abs(correlation(noises[0][ball], noises[1][ball])) < 0.1


def low(noise: torch.Tensor) -> torch.Tensor:
    from analytic_room import low_passed

    return low_passed(noise)


def test_the_sky_stays_when_the_camera_only_moves() -> None:
    a = view(0.0)
    place = a.anchors.places.clone()
    place[~a.sky] += 0.35  # the room in another place: another camera position seen from the room
    b = replace(a.anchors, places=place)
    inner = a.sky & ~torch.nn.functional.max_pool2d((~a.sky)[None, None].float(), 7, 1, 3)[0, 0].bool()
    assert torch.equal(anchored_noise(a.anchors, KEY)[inner], anchored_noise(b, KEY)[inner])


def test_noise_that_moves_with_the_clock_keeps_its_variance_and_fades_from_tick_to_tick() -> None:
    anchors = view().anchors
    start, quarter, end = (moving_noise(anchors, KEY, frame, 6.0) for frame in (1002.0, 1003.0, 1008.0))
    assert quarter.double().var().item() == pytest.approx(1.0, abs=0.02)
    assert correlation(start, quarter) == pytest.approx(np.cos(np.pi / 12), abs=0.02)
    assert abs(correlation(start, end)) < 0.02


def test_hashed_noise_is_white_and_normal() -> None:
    noise = hashed_noise((144, 256), KEY, "grain")
    assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 0.001
    assert abs(correlation(noise[1:], noise[:-1])) < 0.02
    assert abs(correlation(noise[:, 1:], noise[:, :-1])) < 0.02


def test_a_grid_that_is_none_is_refused() -> None:
    for arguments in ({"channels": 0}, {"sub": 2, "cell": 8}, {"gamma": 0.0}):
        with pytest.raises(ValueError, match=r"grid|gamma"):
            NoiseGrid(**arguments)  # type: ignore[arg-type]


@pytest.mark.slow
def test_thirty_seeds_are_normal_in_every_region() -> None:
    seen = view(2.0, (320, 180))
    for name, region in seen.regions().items():
        values = [
            stats.kstest(
                anchored_noise(seen.anchors, NoiseKey(str(seed), "ks"))[region].flatten().numpy(), "norm"
            ).pvalue
            for seed in range(30)
        ]
        assert stats.kstest(values, "uniform").pvalue > 0.01, name
