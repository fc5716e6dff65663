"""The reference is checked before it judges the kernels: its derivatives, and pixels worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import GRADCHECK_ABSOLUTE, GRADCHECK_RELATIVE

from splatfilm.cameras.camera import Camera
from splatfilm.render import RenderSettings
from splatfilm.splats.splats import RenderMode, Splats


def facing_camera(width: int = 5, height: int = 5, focal: float = 10.0) -> Camera:
    return Camera(np.eye(4), focal, focal, width / 2, height / 2, width, height)


def one_splat(opacity: float, depth: float = 2.0, colour: float = 0.8) -> Splats:
    sh = torch.full((1, 1, 3), (colour - 0.5) / 0.28209479177387814, dtype=torch.float64)
    return Splats(
        torch.tensor([[0.0, 0.0, depth]], dtype=torch.float64),
        torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64),
        torch.full((1, 3), 0.2, dtype=torch.float64),
        torch.tensor([opacity], dtype=torch.float64),
        sh,
    )


def test_the_middle_pixel_of_one_splat_is_its_colour_times_its_opacity() -> None:
    beauty, alpha, depth = reference.render(one_splat(0.6), facing_camera(), RenderSettings())
    assert beauty[2, 2].tolist() == pytest.approx([0.48, 0.48, 0.48])
    assert alpha[2, 2].item() == pytest.approx(0.6)
    assert depth[2, 2].item() == pytest.approx(2.0)


def test_one_pixel_to_the_side_falls_off_by_the_blurred_gaussian() -> None:
    # 0.2 m at 2 m with a focal length of 10 px is 1 px; the blur makes the variance 1.3 px^2.
    _, alpha, _ = reference.render(one_splat(0.6), facing_camera(), RenderSettings())
    assert alpha[2, 3].item() == pytest.approx(0.6 * math.exp(-0.5 / 1.3))


def test_an_antialiased_splat_keeps_its_light_when_the_blur_widens_it() -> None:
    splats = dataclasses.replace(one_splat(0.6), mode="antialiased")
    _, alpha, _ = reference.render(splats, facing_camera(), RenderSettings())
    assert alpha[2, 2].item() == pytest.approx(0.6 / 1.3)


def test_background_shows_through_what_is_not_covered() -> None:
    beauty, _, _ = reference.render(one_splat(0.6), facing_camera(), RenderSettings(background=(1.0, 0.5, 0.0)))
    assert beauty[2, 2].tolist() == pytest.approx([0.48 + 0.4, 0.48 + 0.2, 0.48])


def test_blending_stops_before_the_splat_that_would_cover_all() -> None:
    # Two splats of alpha 0.999 leave 1e-6 of transmittance: the second is not drawn.
    front, behind = one_splat(1.0, 2.0, 0.8), one_splat(1.0, 2.0, 0.2)
    both = Splats(*(torch.cat(pair) for pair in zip(tensors_of(front), tensors_of(behind), strict=True)))
    beauty, alpha, _ = reference.render(both, facing_camera(), RenderSettings())
    assert beauty[2, 2, 0].item() == pytest.approx(0.8 * 0.999)
    assert alpha[2, 2].item() == pytest.approx(0.999)


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_the_references_derivatives_are_those_of_finite_differences(mode: RenderMode) -> None:
    rng = np.random.default_rng(5)
    camera = random_camera(rng, 5, 4)
    inputs = tuple(t.double().requires_grad_() for t in tensors_of(random_splats(rng, 10, 0, mode)))

    def beauty_alpha_depth(*tensors: torch.Tensor) -> torch.Tensor:
        pictures = reference.render(splats_of(tensors, mode), camera, RenderSettings(background=(0.1, 0.2, 0.3)))
        return torch.cat([p.flatten() for p in pictures])

    assert torch.autograd.gradcheck(beauty_alpha_depth, inputs, atol=GRADCHECK_ABSOLUTE, rtol=GRADCHECK_RELATIVE)
