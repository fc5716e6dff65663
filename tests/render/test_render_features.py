"""What a frame holds besides its beauty: blended channels, median and front depth."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import RENDER_FORWARD, RENDER_GRADIENT
from torch import Tensor

from splatfilm.base.errors import MissingPartError
from splatfilm.cameras.camera import Camera
from splatfilm.render import RenderSettings, gsplat_backend, kernels, render, set_threads, threads
from splatfilm.splats.splats import RenderMode, Splats

CAMERA = Camera(np.eye(4), 10, 10, 2.5, 2.5, 5, 5)  # the optical axis goes through the middle of pixel (2, 2)


def stack(depths: list[float], opacities: list[float]) -> Splats:
    """Splats one behind the other on the optical axis, each covering the middle pixel with its opacity."""
    count = len(depths)
    return Splats(
        torch.tensor([[0.0, 0.0, z] for z in depths]),
        torch.tensor([[1.0, 0, 0, 0]]).expand(count, 4),
        torch.full((count, 3), 0.2),
        torch.tensor(opacities),
        torch.zeros(count, 1, 3),
    )


def middle(picture: Tensor | None) -> Tensor:
    assert picture is not None
    return picture[2, 2]


def test_features_are_sums_of_weight_times_value() -> None:
    values = torch.tensor([[1.0, 0.0, -4.0], [0.0, 10.0, 2.0]])
    frame = render(
        stack([2.0, 3.0], [0.6, 0.5]), CAMERA, RenderSettings(background=(1.0, 1.0, 1.0)), "cpu", None, values
    )
    # Weights 0.6 and 0.4 * 0.5 = 0.2; the background has no share.
    assert middle(frame.features).tolist() == pytest.approx([0.6, 2.0, -4 * 0.6 + 2 * 0.2], abs=1e-6)


def test_features_have_the_weights_of_alpha_and_depth_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    splats, camera = random_splats(rng, 400), random_camera(rng, 61, 45)
    with_features = render(splats, camera, RenderSettings(depths=True), "cpu", None, torch.ones(400, 1))
    without = render(splats, camera, backend="cpu")
    for one, other in zip(
        (with_features.beauty, with_features.alpha, with_features.depth),
        (without.beauty, without.alpha, without.depth),
        strict=True,
    ):
        assert torch.equal(one, other)
    assert with_features.features is not None
    assert (with_features.features[..., 0] - without.alpha).abs().max() < 2e-6
    assert without.features is None and without.median_depth is None and without.front_depth is None


@pytest.mark.parametrize("channels", [1, 7, 8, 9, 21])
def test_features_and_their_gradients_are_the_references(channels: int) -> None:
    rng = np.random.default_rng(channels)
    mode: RenderMode = "antialiased" if channels % 2 else "classic"
    splats, camera = random_splats(rng, mode=mode), random_camera(rng)
    values = torch.tensor(rng.normal(size=(len(splats), channels)))
    settings = RenderSettings()
    singles = [t.float().clone().requires_grad_() for t in (*tensors_of(splats), values)]
    doubles = [t.detach().double().clone().requires_grad_() for t in (*tensors_of(splats), values)]
    frame = render(splats_of(tuple(singles[:5]), mode), camera, settings, "cpu", None, singles[5])
    theirs = reference.features(splats_of(tuple(doubles[:5]), mode), camera, settings, doubles[5])
    beauty, _, _ = reference.render(splats_of(tuple(doubles[:5]), mode), camera, settings)
    assert frame.features is not None
    assert (frame.features.detach().double() - theirs.detach()).abs().max() <= RENDER_FORWARD

    # With the beauty beside them, so that both shares of the geometry's gradients are added.
    weight, of_beauty = torch.tensor(rng.normal(size=tuple(theirs.shape))), torch.tensor(rng.normal(size=beauty.shape))
    torch.autograd.backward((frame.features, frame.beauty), (weight.float(), of_beauty.float()))
    torch.autograd.backward((theirs, beauty), (weight, of_beauty))
    names = ("means", "quats", "scales", "opacities", "sh", "features")
    for name, one, other in zip(names, singles, doubles, strict=True):
        assert one.grad is not None and other.grad is not None
        assert (one.grad.double() - other.grad).norm() <= RENDER_GRADIENT * other.grad.norm(), name


def test_features_alone_may_ask_for_gradients() -> None:
    values = torch.tensor([[1.0], [2.0]], requires_grad=True)
    frame = render(stack([2.0, 3.0], [0.6, 0.5]), CAMERA, RenderSettings(), "cpu", None, values)
    middle(frame.features).sum().backward()
    assert values.grad is not None
    assert values.grad.flatten().tolist() == pytest.approx([0.6, 0.2], abs=1e-6)


def test_median_depth_is_where_transmittance_crosses_a_half() -> None:
    settings = RenderSettings(depths=True)
    # Transmittances 0.7, 0.49, 0.196: the second splat crosses.
    assert middle(render(stack([1.0, 2.0, 3.0], [0.3, 0.3, 0.6]), CAMERA, settings, "cpu").median_depth).item() == 2.0
    assert middle(render(stack([1.5, 2.0], [0.6, 0.6]), CAMERA, settings, "cpu").median_depth).item() == 1.5
    # 0.7 * 0.8 = 0.56 of the light still passes: no splat is the median.
    assert middle(render(stack([1.0, 2.0], [0.3, 0.2]), CAMERA, settings, "cpu").median_depth).item() == 0.0


def test_front_depth_is_that_of_the_first_splat_that_is_more_than_haze() -> None:
    settings = RenderSettings(depths=True)
    frame = render(stack([1.0, 2.0, 3.0], [0.09, 0.11, 0.9]), CAMERA, settings, "cpu")
    assert middle(frame.front_depth).item() == 2.0
    assert middle(render(stack([1.0], [0.09]), CAMERA, settings, "cpu").front_depth).item() == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_other_depths_are_the_references(seed: int) -> None:
    rng = np.random.default_rng(70 + seed)
    splats, camera = random_splats(rng), random_camera(rng)
    splats = dataclasses.replace(splats, scales=0.5 * splats.scales)
    settings = RenderSettings(depths=True)
    frame = render(splats, camera, settings, "cpu")
    doubles = splats_of(tuple(t.double() for t in tensors_of(splats)), "classic")
    for ours, theirs in zip(
        (frame.median_depth, frame.front_depth), reference.other_depths(doubles, camera, settings), strict=True
    ):
        assert ours is not None
        assert theirs.unique().numel() > 5
        # A pixel may choose another splat where a threshold is met to within rounding.
        assert ((ours.double() - theirs).abs() > 1e-5).double().mean() <= 1e-3
    assert frame.median_depth is not None
    assert torch.equal(frame.median_depth > 0, frame.alpha >= 0.5)


def everything(width: int = 77, height: int = 50) -> list[bytes]:
    rng = np.random.default_rng(9)
    splats, camera = random_splats(rng, 2000), random_camera(rng, width, height)
    leaves = [
        t.clone().requires_grad_() for t in (*tensors_of(splats), torch.tensor(rng.normal(size=(2000, 11))).float())
    ]
    frame = render(splats_of(tuple(leaves[:5]), "classic"), camera, RenderSettings(depths=True), "cpu", None, leaves[5])
    assert frame.features is not None and frame.median_depth is not None and frame.front_depth is not None
    (frame.features.square().sum() + frame.beauty.sum()).backward()
    results = [frame.features, frame.median_depth, frame.front_depth, *(leaf.grad for leaf in leaves)]
    return [r.detach().numpy().tobytes() for r in results if r is not None]


def test_neither_threads_nor_instruction_sets_show() -> None:
    before = threads()
    try:
        set_threads(1)
        kernels.use_instruction_set("portable")
        expected = everything()
        assert len(expected) == 9
        for name in kernels.instruction_sets():
            kernels.use_instruction_set(name)
            for count in (1, 2, 3, 5):
                set_threads(count)
                assert everything() == expected, (name, count)
    finally:
        set_threads(before)
        kernels.use_instruction_set()


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_feature_that_is_not_finite_counts_as_nothing(poison: float) -> None:
    values = torch.tensor([[poison, 1.0], [2.0, 3.0]], requires_grad=True)
    frame = render(stack([2.0, 3.0], [0.6, 0.5]), CAMERA, RenderSettings(), "cpu", None, values)
    assert middle(frame.features).tolist() == pytest.approx([0.4, 1.2], abs=1e-6)
    assert frame.features is not None
    frame.features.sum().backward()
    assert values.grad is not None and torch.isfinite(values.grad).all()


def test_no_channels_and_no_splats_are_pictures_of_nothing() -> None:
    frame = render(stack([2.0], [0.5]), CAMERA, RenderSettings(), "cpu", None, torch.empty(1, 0))
    assert frame.features is not None and frame.features.shape == (5, 5, 0)
    empty = Splats(*(t[:0] for t in tensors_of(stack([2.0], [0.5]))))
    frame = render(empty, CAMERA, RenderSettings(depths=True), "cpu", None, torch.empty(0, 3))
    assert frame.features is not None and frame.front_depth is not None
    assert frame.features.shape == (5, 5, 3) and not frame.features.any() and not frame.front_depth.any()


def test_features_that_do_not_belong_to_the_splats_are_refused() -> None:
    for wrong in (torch.zeros(3, 2), torch.zeros(2)):
        with pytest.raises(ValueError, match=r"must be \[N, C\] with N = 2"):
            render(stack([2.0, 3.0], [0.6, 0.5]), CAMERA, RenderSettings(), "cpu", None, wrong)


def test_gsplat_says_that_it_makes_no_median_depth() -> None:
    with pytest.raises(MissingPartError, match="CPU renderer"):
        gsplat_backend.render(stack([2.0], [0.5]), CAMERA, RenderSettings(depths=True))
    with pytest.raises(MissingPartError, match="sorts by depth only"):
        gsplat_backend.render(stack([2.0], [0.5]), CAMERA, RenderSettings(sort="distance"))
