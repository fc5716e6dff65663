"""The CPU kernels against the dense float64 reference, and what they do at the edges."""

from __future__ import annotations

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import NEEDLE_FORWARD, RENDER_DEPTH, RENDER_FORWARD, RENDER_GRADIENT
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.render import Frame, RenderSettings, ScreenStats, render
from splatfilm.splats.splats import RenderMode, Splats


def pictures(frame: Frame) -> tuple[Tensor, ...]:
    return frame.beauty, frame.alpha, frame.depth


def worst(ours: Tensor, theirs: Tensor) -> float:
    return (ours.detach().double() - theirs.detach()).abs().max().item()


def assert_like_reference(splats: Splats, camera: Camera, settings: RenderSettings, tolerance: float) -> Frame:
    frame = render(splats, camera, settings, backend="cpu")
    beauty, alpha, depth = reference.render(
        splats_of(tuple(t.double() for t in tensors_of(splats)), splats.mode), camera, settings
    )
    assert worst(frame.beauty, beauty) <= tolerance
    assert worst(frame.alpha, alpha) <= tolerance
    assert worst(frame.depth, depth) <= RENDER_DEPTH
    return frame


@pytest.mark.parametrize("seed", range(20))
def test_a_random_scene_has_the_references_pixels_and_gradients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mode: RenderMode = "antialiased" if seed % 2 else "classic"
    splats, camera = random_splats(rng, degree=seed // 2 % 4, mode=mode), random_camera(rng)
    settings = RenderSettings(background=tuple(rng.uniform(0, 1, 3)))
    singles = tuple(t.clone().requires_grad_() for t in tensors_of(splats))
    doubles = tuple(t.double().requires_grad_() for t in tensors_of(splats))
    ours = pictures(render(splats_of(singles, mode), camera, settings, backend="cpu"))
    theirs = reference.render(splats_of(doubles, mode), camera, settings)
    assert (theirs[1] > 0.01).double().mean() > 0.3, "the scene must show something"
    for our, their, tolerance in zip(ours, theirs, (RENDER_FORWARD, RENDER_FORWARD, RENDER_DEPTH), strict=True):
        assert worst(our, their) <= tolerance

    weights = [torch.tensor(rng.normal(size=tuple(p.shape))) for p in theirs]
    torch.autograd.backward(ours, [w.float() for w in weights])
    torch.autograd.backward(theirs, weights)
    for name, ours_of, theirs_of in zip(("means", "quats", "scales", "opacities", "sh"), singles, doubles, strict=True):
        assert ours_of.grad is not None and theirs_of.grad is not None
        error = (ours_of.grad.double() - theirs_of.grad).norm() / theirs_of.grad.norm()
        assert error <= RENDER_GRADIENT, name


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_fewer_degrees_of_harmonics_than_stored_may_be_asked_for(degree: int) -> None:
    rng = np.random.default_rng(40 + degree)
    splats, camera = random_splats(rng, degree=3), random_camera(rng)
    settings = RenderSettings(sh_degree=degree)
    frame = assert_like_reference(splats, camera, settings, RENDER_FORWARD)
    if degree < 3:
        assert not torch.equal(frame.beauty, render(splats, camera, backend="cpu").beauty)
    sh = splats.sh.clone().requires_grad_()
    parts = (splats.means, splats.quats, splats.scales, splats.opacities, sh)
    render(splats_of(parts, "classic"), camera, settings, backend="cpu").beauty.sum().backward()
    assert sh.grad is not None
    assert (sh.grad[:, (degree + 1) ** 2 :] == 0).all() and (sh.grad[:, : (degree + 1) ** 2] != 0).any()


def test_near_and_far_cut_by_distance_along_the_optical_axis() -> None:
    rng = np.random.default_rng(7)
    splats, camera = random_splats(rng), random_camera(rng)
    everything = render(splats, camera, backend="cpu")
    between = assert_like_reference(splats, camera, RenderSettings(near=2.5, far=3.5), RENDER_FORWARD)
    assert not torch.equal(everything.alpha, between.alpha)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 15), (3, 40), (129, 65)])
def test_any_size_of_picture(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(size))
    assert_like_reference(random_splats(rng, 60), random_camera(rng, *size), RenderSettings(), RENDER_FORWARD)


def test_nothing_in_view_is_background_with_no_gradient() -> None:
    rng = np.random.default_rng(0)
    splats, camera = random_splats(rng, 30), random_camera(rng)
    parts = [t.clone() for t in tensors_of(splats)]
    parts[0] = torch.tensor(camera.position - 5 * camera.forward, dtype=torch.float32).expand(30, 3).clone()
    parts = [p.requires_grad_() for p in parts]
    frame = render(splats_of(tuple(parts), "classic"), camera, RenderSettings(background=(0.2, 0.4, 0.6)), "cpu")
    assert torch.equal(frame.beauty, torch.tensor([0.2, 0.4, 0.6]).expand_as(frame.beauty))
    assert not frame.alpha.any() and not frame.depth.any()
    (frame.beauty.sum() + frame.depth.sum()).backward()
    assert all(p.grad is not None and not p.grad.any() for p in parts)


def test_no_splats_at_all_is_background() -> None:
    camera = random_camera(np.random.default_rng(0))
    empty = Splats(*(torch.empty(0, *shape) for shape in ((3,), (4,), (3,), (), (1, 3))))
    frame = render(empty, camera, RenderSettings(background=(1.0, 0.0, 0.5)), "cpu")
    assert torch.equal(frame.beauty, torch.tensor([1.0, 0.0, 0.5]).expand_as(frame.beauty))


def test_a_needle_of_a_million_to_one_is_drawn_as_the_reference_draws_it() -> None:
    camera = Camera(np.eye(4), 40, 40, 20, 15, 40, 30)
    for angle in (0.0, 0.3, 1.0):
        splats = Splats(
            torch.tensor([[0.1, 0.0, 2.0]]),
            torch.tensor([[np.cos(angle / 2), 0, 0, np.sin(angle / 2)]], dtype=torch.float32),
            torch.tensor([[100.0, 1e-4, 1e-4]]),
            torch.tensor([0.9]),
            torch.ones(1, 1, 3),
        )
        frame = assert_like_reference(splats, camera, RenderSettings(), NEEDLE_FORWARD)
        assert frame.alpha.max() > 0.5


def test_thousands_of_splats_on_one_pixel() -> None:
    camera = Camera(np.eye(4), 20, 20, 4.5, 4.5, 8, 8)
    count = 5000
    rng = np.random.default_rng(3)
    splats = Splats(
        torch.tensor(
            np.stack([rng.normal(size=count) * 1e-3, rng.normal(size=count) * 1e-3, rng.uniform(1, 9, count)], 1)
        ).float(),
        torch.tensor([[1.0, 0, 0, 0]]).expand(count, 4),
        torch.full((count, 3), 1e-3),
        torch.full((count,), 0.006),
        torch.tensor(rng.normal(size=(count, 1, 3)) * 0.3).float(),
    )
    frame = assert_like_reference(splats, camera, RenderSettings(), RENDER_FORWARD)
    assert frame.alpha.max() > 0.99


def test_splats_at_one_depth_are_drawn_in_their_order() -> None:
    camera = Camera(np.eye(4), 20, 20, 4, 4, 8, 8)
    colours = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    for order in ([0, 1], [1, 0]):
        splats = Splats(
            torch.tensor([[0.0, 0, 2.0]]).expand(2, 3),
            torch.tensor([[1.0, 0, 0, 0]]).expand(2, 4),
            torch.full((2, 3), 0.3),
            torch.full((2,), 0.8),
            ((colours[order] - 0.5) / 0.28209479177387814)[:, None],
        )
        beauty = render(splats, camera, backend="cpu").beauty
        assert beauty[4, 4, order[0]] > 3 * beauty[4, 4, order[1]]


def test_splats_that_are_not_contiguous_render_the_same() -> None:
    rng = np.random.default_rng(2)
    splats, camera = random_splats(rng), random_camera(rng)
    strided = splats_of(tuple(torch.stack([t, t], -1)[..., 0] for t in tensors_of(splats)), "classic")
    assert not strided.means.is_contiguous()
    assert torch.equal(render(strided, camera, backend="cpu").beauty, render(splats, camera, backend="cpu").beauty)


def test_a_second_backward_pass_gives_the_same_gradients() -> None:
    rng = np.random.default_rng(2)
    splats, camera = random_splats(rng), random_camera(rng)
    means = splats.means.clone().requires_grad_()
    parts = (means, splats.quats, splats.scales, splats.opacities, splats.sh)
    loss = render(splats_of(parts, "classic"), camera, backend="cpu").beauty.square().sum()
    first = torch.autograd.grad(loss, means, retain_graph=True)[0]
    render(splats, random_camera(rng), backend="cpu")  # must not disturb what the first pass kept
    assert torch.equal(first, torch.autograd.grad(loss, means)[0])


def test_statistics_tell_who_is_in_view_and_how_large() -> None:
    camera = Camera(np.eye(4), 10, 10, 20, 20, 40, 40)
    splats = Splats(
        torch.tensor([[0.0, 0, 2.0], [0, 0, -2.0], [50.0, 0, 2.0]]),
        torch.tensor([[1.0, 0, 0, 0]]).expand(3, 4),
        torch.full((3, 3), 0.4),
        torch.ones(3),
        torch.zeros(3, 1, 3),
    )
    stats = ScreenStats.of(3)
    render(splats, camera, backend="cpu", stats=stats)
    assert stats.visible.tolist() == [True, False, False]
    # Variance (10 * 0.4 / 2)^2 + 0.3 = 4.3 px^2, to 3.33 standard deviations.
    assert stats.radii[0].item() == pytest.approx(3.33 * 4.3**0.5, rel=0.01)


def test_absolute_gradients_are_sums_of_absolute_values_over_pixels() -> None:
    # A white splat on black against targets that pull left on one side and right on the other: the gradients of its
    # centre cancel, their absolute values do not.
    camera = Camera(np.eye(4), 10, 10, 8, 8, 16, 16)
    means = torch.tensor([[0.0, 0, 2.0]], requires_grad=True)
    splats = Splats(
        means,
        torch.tensor([[1.0, 0, 0, 0]]),
        torch.full((1, 3), 0.4),
        torch.tensor([0.7]),
        torch.ones(1, 1, 3),
    )
    stats = ScreenStats.of(1)
    frame = render(splats, camera, backend="cpu", stats=stats)
    frame.alpha.sum().backward()
    assert means.grad is not None
    # d alpha / d centre = alpha K d, summed over pixels in absolute value; K = 1 / 4.3.
    centres = torch.arange(16) + 0.5 - 8
    alpha = frame.alpha.detach()
    expected = (alpha * (centres[None, :] / 4.3).abs()).sum()
    assert stats.absolute_gradient[0].tolist() == pytest.approx([expected.item()] * 2, rel=1e-4)
    assert means.grad[0, 0].abs() < 1e-4 * expected
