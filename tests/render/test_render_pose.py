"""Gradients to the camera's pose: against the float64 reference, and the same bits at any thread count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import RENDER_GRADIENT
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.render import RenderSettings, render, set_threads, threads
from splatfilm.render.kernels import instruction_sets, use_instruction_set
from splatfilm.splats.splats import RenderMode, Splats

SETTINGS = RenderSettings(background=(0.1, 0.5, 0.3))


def moved(camera: Camera, motion: Tensor) -> Tensor:  # [6] turn, move in the camera's axes -> [4, 4]
    """exp of the motion, then the camera's own matrix."""
    x, y, z, u, v, w = motion.unbind()
    zero = torch.zeros_like(x)
    rows = [[zero, -z, y, u], [z, zero, -x, v], [-y, x, zero, w], [zero, zero, zero, zero]]
    twist = torch.stack([torch.stack(row) for row in rows])
    return torch.linalg.matrix_exp(twist) @ torch.tensor(camera.world_to_camera()).to(motion)


@dataclass
class PosedCamera:
    """What the reference asks of a camera, with a pose that has a gradient."""

    camera: Camera
    view: Tensor

    def world_to_camera(self) -> Tensor:
        return self.view

    @property
    def position(self) -> Tensor:
        return -self.view[:3, :3].T @ self.view[:3, 3]

    def __getattr__(self, name: str) -> object:
        return getattr(self.camera, name)


def loss(beauty: Tensor, alpha: Tensor, depth: Tensor) -> Tensor:
    weights = torch.linspace(0.5, 1.5, alpha.numel(), dtype=alpha.dtype).reshape(alpha.shape)
    return (beauty.square() * weights[..., None]).mean() + (alpha * weights).mean() + 0.1 * (depth * weights).mean()


def gradient(splats: Splats, camera: Camera, motion: list[float]) -> Tensor:
    start = torch.tensor(motion, dtype=torch.float64, requires_grad=True)
    frame = render(splats, camera, SETTINGS, "cpu", to_camera=moved(camera, start))
    loss(frame.beauty, frame.alpha, frame.depth).backward()
    assert start.grad is not None
    return start.grad


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_the_reference_s(seed: int, mode: RenderMode) -> None:
    rng = np.random.default_rng(seed)
    splats, camera = random_splats(rng, 60, 3, mode), random_camera(rng)
    motion = [0.02, -0.03, 0.01, 0.05, 0.02, -0.04]
    ours = gradient(splats, camera, motion)

    start = torch.tensor(motion, dtype=torch.float64, requires_grad=True)
    exact = splats_of(tuple(t.double() for t in tensors_of(splats)), mode)
    loss(*reference.render(exact, PosedCamera(camera, moved(camera, start)), SETTINGS)[:3]).backward()  # type: ignore[arg-type]
    assert start.grad is not None
    assert float((ours - start.grad).norm() / start.grad.norm()) < RENDER_GRADIENT


def test_the_gradient_has_the_same_bits_at_any_thread_count_and_on_any_instruction_set() -> None:
    rng = np.random.default_rng(9)
    splats, camera = random_splats(rng, 5000), random_camera(rng, 96, 64)
    before, found = threads(), []
    try:
        for count in (1, 2, 3, 5):
            set_threads(count)
            found.append(gradient(splats, camera, [0.0] * 6))
        for instructions in instruction_sets():
            use_instruction_set(instructions)
            found.append(gradient(splats, camera, [0.0] * 6))
    finally:
        set_threads(before)
        use_instruction_set("")
    assert found[0].abs().min() > 0
    assert all(torch.equal(one, found[0]) for one in found)


def test_following_the_gradient_finds_the_camera_again() -> None:
    rng = np.random.default_rng(11)
    splats, camera = random_splats(rng, 400, 1), random_camera(rng, 96, 64)
    target = render(splats, camera, SETTINGS, "cpu").beauty
    motion = torch.tensor([0.02, -0.015, 0.02, 0.03, -0.02, 0.03], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([motion], lr=2e-3)
    start = float(motion.detach().norm())
    for _ in range(150):
        optimiser.zero_grad()
        frame = render(splats, camera, SETTINGS, "cpu", to_camera=moved(camera, motion))
        (frame.beauty - target).square().mean().backward()
        optimiser.step()
    assert float(motion.detach().norm()) < start / 10


def test_a_pose_without_gradient_draws_the_posed_camera() -> None:
    rng = np.random.default_rng(12)
    splats, camera = random_splats(rng, 100), random_camera(rng)
    other = random_camera(rng)
    want = render(splats, Camera(other.pose, camera.fx, camera.fy, camera.cx, camera.cy, 37, 29), SETTINGS, "cpu")
    have = render(splats, camera, SETTINGS, "cpu", to_camera=torch.tensor(other.world_to_camera()))
    assert (want.beauty - have.beauty).abs().max() < 1e-6


def test_a_matrix_that_is_not_rigid_is_refused() -> None:
    rng = np.random.default_rng(13)
    splats, camera = random_splats(rng, 10), random_camera(rng)
    with pytest.raises(ValueError, match="right-handed rotation"):
        render(splats, camera, SETTINGS, "cpu", to_camera=2 * torch.tensor(camera.world_to_camera()))
    with pytest.raises(ValueError, match=r"\[4, 4\]"):
        render(splats, camera, SETTINGS, "cpu", to_camera=torch.eye(3))
