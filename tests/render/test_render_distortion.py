"""Lenses that bend: every splat lands where the model puts it, in the shape of the projection's derivative."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import render_reference as reference
import torch
from numpy.typing import NDArray
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from test_render_pose import PosedCamera, moved
from tolerances import RENDER_DEPTH, RENDER_FORWARD, RENDER_GRADIENT

from splatfilm.cameras import Camera, Distortion
from splatfilm.cameras.aperture import Aperture, through_pupil
from splatfilm.cameras.distortion import valid_radius
from splatfilm.render import RenderSettings, render
from splatfilm.render.constants import BLUR, MIN_ALPHA
from splatfilm.render.kernels import instruction_sets, use_instruction_set
from splatfilm.splats.splats import RenderMode, Splats

Array = NDArray[np.float64]

LENSES = {
    "barrel": Distortion("brown-conrady", (-0.21, 0.06, 0.003, -0.002, -0.008)),
    "pincushion": Distortion("brown-conrady", (0.12, 0.02)),
    "rational": Distortion("brown-conrady", (0.4, 0.1, 0.001, 0.002, 0.01, 0.6, 0.12, 0.02)),
    "fisheye": Distortion("kannala-brandt", (0.03, -0.01, 0.002, -0.0004)),
    "ideal fisheye": Distortion("kannala-brandt", ()),
}


def model(distortion: Distortion, x: float, y: float) -> tuple[float, float]:
    """OpenCV's formulas, written out once more in float64."""
    k = [*distortion.coefficients, *[0.0] * (8 - len(distortion.coefficients))]
    r2 = x * x + y * y
    if distortion.model == "kannala-brandt":
        r = math.sqrt(r2)
        t = math.atan(r)
        s = (t + k[0] * t**3 + k[1] * t**5 + k[2] * t**7 + k[3] * t**9) / r if r else 1.0
        return s * x, s * y
    s = (1 + k[0] * r2 + k[1] * r2**2 + k[4] * r2**3) / (1 + k[5] * r2 + k[6] * r2**2 + k[7] * r2**3)
    return (
        s * x + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x),
        s * y + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y,
    )


def projected(camera: Camera, point: Array) -> Array:  # [3] camera axes -> [2] px
    assert camera.distortion is not None
    u, v = model(camera.distortion, point[0] / point[2], point[1] / point[2])
    return np.array([camera.fx * u + camera.cx, camera.fy * v + camera.cy])


def jacobian(camera: Camera, point: Array) -> Array:  # -> [2, 3]
    """By central differences, right to about 1e-8."""
    steps = np.eye(3) * 1e-5 * point[2]
    sides = [(projected(camera, point + s) - projected(camera, point - s)) / (2e-5 * point[2]) for s in steps]
    return np.stack(sides, axis=1)


def camera_with(distortion: Distortion, width: int = 160, height: int = 120) -> Camera:
    return Camera(np.eye(4), 70.0, 74.0, 0.48 * width, 0.53 * height, width, height, distortion)


def one_splat(point: Array, axes: tuple[float, float, float], quat: tuple[float, float, float, float]) -> Splats:
    return Splats(
        torch.tensor(point, dtype=torch.float32)[None],
        torch.tensor([quat]),
        torch.tensor([axes]),
        torch.tensor([0.8]),
        torch.zeros(1, 1, 3),
    )


@pytest.mark.parametrize("name", LENSES)
def test_splats_land_where_the_model_puts_them(name: str) -> None:
    camera = camera_with(LENSES[name])
    ys, xs = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    worst = 0.0
    for x, y in ((0.0, 0.0), (0.3, -0.2), (-0.6, 0.3), (0.75, 0.6), (-0.8, -0.6)):
        point = 2.0 * np.array([x, y, 1.0])
        size = 2.0 / camera.fx  # a pixel: wide enough to be measured, small enough to be a point
        alpha = render(one_splat(point, (size, size, size), (1, 0, 0, 0)), camera, backend="cpu").alpha.double().numpy()
        centre = np.array([(alpha * xs).sum(), (alpha * ys).sum()]) / alpha.sum()
        worst = max(worst, float(np.abs(centre - projected(camera, point)).max()))
    assert worst < 0.01


@pytest.mark.parametrize("name", LENSES)
def test_splats_take_the_shape_of_the_projection_s_derivative(name: str) -> None:
    camera = camera_with(LENSES[name])
    ys, xs = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    for x, y in ((0.02, -0.01), (0.5, -0.3), (-0.7, 0.5)):
        point = 2.0 * np.array([x, y, 1.0])
        scales = np.array([0.12, 0.05, 0.2])  # along the camera's axes
        half = jacobian(camera, point) * scales
        conic = np.linalg.inv(half @ half.T + BLUR * np.eye(2))
        d = np.stack([xs, ys], -1) - projected(camera, point)
        alpha = 0.8 * np.exp(-0.5 * np.einsum("hwi,ij,hwj->hw", d, conic, d))
        want = np.where(alpha >= MIN_ALPHA, alpha, 0.0)
        have = render(one_splat(point, tuple(scales.tolist()), (1, 0, 0, 0)), camera, backend="cpu").alpha.numpy()
        error = np.abs(have - want)
        assert error[np.abs(alpha - MIN_ALPHA) > 1e-5].max() < 2e-5


def test_nothing_is_drawn_from_beyond_the_turning_point_of_the_model() -> None:
    # r (1 - 0.3 r^2) turns back at r = 1 / sqrt(0.9) = 1.054: what lies beyond would come back into the picture.
    strong = Distortion("brown-conrady", (-0.3,))
    assert valid_radius(strong) == pytest.approx(1 / math.sqrt(0.9), rel=1e-3)
    camera = camera_with(strong)
    beyond = np.array([3.4, 0.0, 2.0])  # r = 1.7 would land at 0.226, inside the picture
    assert 0 < projected(camera, beyond)[0] < camera.width
    assert render(one_splat(beyond, (0.1, 0.1, 0.1), (1, 0, 0, 0)), camera, backend="cpu").alpha.max() == 0
    inside = np.array([1.9, 0.0, 2.0])
    assert render(one_splat(inside, (0.1, 0.1, 0.1), (1, 0, 0, 0)), camera, backend="cpu").alpha.max() > 0.7


def test_a_fisheye_reaches_to_the_side() -> None:
    assert valid_radius(LENSES["ideal fisheye"]) > 1000
    camera = Camera(np.eye(4), 40.0, 40.0, 80.0, 60.0, 160, 120, LENSES["ideal fisheye"])
    aside = 2.0 * np.array([math.sin(1.5), 0.0, math.cos(1.5)])  # 86 degrees off the axis: 60 px from the middle
    alpha = render(one_splat(aside, (0.1, 0.1, 0.1), (1, 0, 0, 0)), camera, backend="cpu").alpha
    assert divmod(int(alpha.argmax()), 160)[1] in (139, 140)


@pytest.mark.parametrize("name", LENSES)
def test_a_bent_picture_has_the_same_bits_on_every_instruction_set(name: str) -> None:
    rng = np.random.default_rng(5)
    splats, plain = random_splats(rng, 500), random_camera(rng, 96, 64)
    camera = Camera(plain.pose, plain.fx, plain.fy, plain.cx, plain.cy, 96, 64, LENSES[name])
    frames = []
    try:
        for instructions in instruction_sets():
            use_instruction_set(instructions)
            frames.append(render(splats, camera, RenderSettings(), "cpu"))
    finally:
        use_instruction_set("")
    assert frames[0].alpha.max() > 0.5
    assert torch.isfinite(frames[0].beauty).all()
    assert all(torch.equal(frame.beauty, frames[0].beauty) for frame in frames)


def test_a_lens_that_bends_nothing_is_a_pinhole() -> None:
    rng = np.random.default_rng(6)
    splats, plain = random_splats(rng, 300), random_camera(rng)
    straight = Distortion("brown-conrady", (0.0, 0.0))
    camera = Camera(plain.pose, plain.fx, plain.fy, plain.cx, plain.cy, plain.width, plain.height, straight)
    assert torch.equal(render(splats, camera, backend="cpu").beauty, render(splats, plain, backend="cpu").beauty)


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
@pytest.mark.parametrize("name", LENSES)
def test_gradients_through_a_bending_lens_are_the_references(name: str, mode: RenderMode) -> None:
    rng = np.random.default_rng(11)
    splats, plain = random_splats(rng, degree=1, mode=mode), random_camera(rng)
    # A point of the pupil beside its middle moves the picture before the lens bends it.
    camera = dataclasses.replace(plain, distortion=LENSES[name], shift=(0.03, -0.02))
    singles = tuple(t.clone().requires_grad_() for t in tensors_of(splats))
    doubles = tuple(t.double().requires_grad_() for t in tensors_of(splats))
    start = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    frame = render(splats_of(singles, mode), camera, RenderSettings(), "cpu", to_camera=moved(camera, start))
    ours = (frame.beauty, frame.alpha, frame.depth)
    posed = PosedCamera(camera, moved(camera, motion))
    theirs = reference.render(splats_of(doubles, mode), posed, RenderSettings())  # type: ignore[arg-type]
    assert (theirs[1] > 0.01).double().mean() > 0.3, "the scene must show something"
    for our, their, tolerance in zip(ours, theirs, (RENDER_FORWARD, RENDER_FORWARD, RENDER_DEPTH), strict=True):
        assert (our.detach().double() - their.detach()).abs().max() <= tolerance
    weights = [torch.tensor(rng.normal(size=tuple(p.shape))) for p in theirs]
    torch.autograd.backward(ours, [w.float() for w in weights])
    torch.autograd.backward(theirs, weights)
    names = ("means", "quats", "scales", "opacities", "sh", "pose")
    for what, have, want in zip(names, (*singles, start), (*doubles, motion), strict=True):
        assert have.grad is not None and want.grad is not None
        assert (have.grad.double() - want.grad).norm() / want.grad.norm() <= RENDER_GRADIENT, what


@pytest.mark.parametrize("name", ["barrel", "fisheye"])
def test_the_plane_of_focus_stays_sharp_behind_a_bending_lens(name: str) -> None:
    camera = camera_with(LENSES[name])
    aperture = Aperture(width=0.2, height=0.2, focus=2.0)
    point = one_splat(2.0 * np.array([0.6, -0.4, 1.0]), (0.03, 0.03, 0.03), (1, 0, 0, 0))
    ys, xs = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    centres = []
    for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-0.7, -0.7)):
        alpha = render(point, through_pupil(camera, aperture, x, y), backend="cpu").alpha.double().numpy()
        centres.append([(alpha * xs).sum() / alpha.sum(), (alpha * ys).sum() / alpha.sum()])
    assert np.abs(np.array(centres) - centres[0]).max() < 0.02
