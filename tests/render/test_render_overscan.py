"""More than the picture is drawn, and the picture keeps every bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of

from splatfilm.cameras import Camera, Distortion, Lens
from splatfilm.render import RenderSettings, UnsupportedCameraError, renderer
from splatfilm.render.cpu import render
from splatfilm.render.exposure import Blur, expose
from splatfilm.render.passes import Instant, PassInputs, render_passes
from splatfilm.render.renderer import render_each

LENSES = (None, Distortion("brown-conrady", (-0.2, 0.05)), Distortion("kannala-brandt", (0.02,)))
MARGINS = ((5, 7, 11, 3), (32, 16, 0, 0), (1, 0, 0, 1))


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize("lens", LENSES, ids=["pinhole", "barrel", "fisheye"])
def test_every_pass_of_the_picture_keeps_its_bits(lens: Distortion | None, margins: tuple[int, int, int, int]) -> None:
    rng = np.random.default_rng(3)
    splats = random_splats(rng, 1500)
    plain = dataclasses.replace(random_camera(rng, 150, 90), distortion=lens)
    numbers = torch.tensor(rng.integers(0, 3, 1500))
    later = Instant(splats.means + 0.1, plain)
    names = ("depth-median", "depth-front", "normal", "position", "motion", "id")
    inputs = PassInputs(names, later, later, numbers, 3)
    wide = dataclasses.replace(plain, overscan=margins)
    picture, more = (render_passes(splats, camera, inputs, backend="cpu") for camera in (plain, wide))
    left, top, right, bottom = margins
    assert wide.window == (150 + left + right, 90 + top + bottom)
    have = {"beauty": more.beauty, "alpha": more.alpha, "depth": more.depth, **more.layers}
    want = {"beauty": picture.beauty, "alpha": picture.alpha, "depth": picture.depth, **picture.layers}
    for name, values in want.items():
        assert have[name].shape[:2] == (90 + top + bottom, 150 + left + right), name
        assert torch.equal(have[name][top : top + 90, left : left + 150], values), name
    beyond = torch.ones(more.alpha.shape, dtype=torch.bool)
    beyond[top : top + 90, left : left + 150] = False
    assert (more.alpha[beyond] > 0).any(), "something must be seen beyond the picture"


def test_a_wider_window_shows_what_a_wider_camera_sees() -> None:
    rng = np.random.default_rng(4)
    splats, plain = random_splats(rng, 400), random_camera(rng, 64, 48)
    # All centres within the picture's margins: beyond them the derivative of the projection is taken elsewhere.
    splats = dataclasses.replace(splats, means=splats.means * 0.05, scales=splats.scales * 3)
    wide = render(splats, dataclasses.replace(plain, overscan=(6, 4, 6, 4)), RenderSettings())
    camera = Camera(plain.pose, plain.fx, plain.fy, plain.cx + 6, plain.cy + 4, 76, 56)
    other = render(splats, camera, RenderSettings())
    assert (wide.alpha - other.alpha).abs().max() < 1e-4


def test_blur_takes_the_samples_of_the_picture_alone() -> None:
    rng = np.random.default_rng(5)
    lens = Lens(focal_mm=50, t_stop=0.4, focus_m=2.0)
    splats, plain = random_splats(rng, 300), random_camera(rng, 64, 48)
    frames = []
    for margins in ((0, 0, 0, 0), (9, 8, 7, 6)):
        camera = dataclasses.replace(plain, lens=lens, overscan=margins)
        frames.append(
            expose(
                lambda time, camera=camera: (splats, camera),
                lambda seen, cameras: render_each(seen, cameras, backend="cpu"),
                Blur(pupil=True),
            )
        )
    assert frames[0][1] == frames[1][1] > 1
    assert torch.equal(frames[1][0].beauty[8:56, 9:73], frames[0][0].beauty)


def test_gradients_come_from_the_whole_window() -> None:
    rng = np.random.default_rng(6)
    splats, plain = random_splats(rng, 100), random_camera(rng, 48, 32)
    gradients = []
    for margins in ((0, 0, 0, 0), (10, 3, 5, 9)):
        leaves = tuple(t.clone().requires_grad_() for t in tensors_of(splats))
        camera = dataclasses.replace(plain, overscan=margins)
        beauty = render(splats_of(leaves, "classic"), camera, RenderSettings()).beauty
        beauty[margins[1] : margins[1] + 32, margins[0] : margins[0] + 48].sum().backward()
        gradients.append(leaves[0].grad)
    assert gradients[0] is not None and gradients[1] is not None
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-4)


def test_overscan_on_a_gpu_is_refused_by_name() -> None:
    camera = Camera.through(Lens(overscan=0.1), np.eye(4), 64, 48)
    assert camera.overscan == (7, 5, 7, 5)  # 6.4 and 4.8, rounded up
    with pytest.raises(UnsupportedCameraError, match="overscan, which only the CPU renderer draws"):
        renderer._refuse_lens(camera)
