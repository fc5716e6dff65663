"""gsplat as an oracle: its plain-torch projection on any machine that has it, its kernels where there is a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import GPU_FLIPPED_PIXELS, GPU_FORWARD, PROJECTION_RELATIVE, RENDER_GRADIENT

from splatfilm.render import RenderSettings, ScreenStats, backend_statuses, render, render_each
from splatfilm.render.flight import sent_home
from splatfilm.splats.splats import RenderMode

GSPLAT = next(status for status in backend_statuses() if status.name == "gsplat")


@pytest.mark.parametrize("seed", range(5))
def test_the_reference_projects_as_gsplat_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_HOME", "/nonexistent")  # a toolkit without a GPU would make gsplat try to compile
    pytest.importorskip("gsplat", reason="gsplat is not installed")
    from gsplat.cuda._torch_impl import _fully_fused_projection, _quat_scale_to_covar_preci, _spherical_harmonics

    rng = np.random.default_rng(seed)
    splats, camera = random_splats(rng, 200, 3, "antialiased"), random_camera(rng)
    exact = splats_of(tuple(t.double() for t in tensors_of(splats)), "antialiased")
    ours = reference.project(exact, camera, RenderSettings())
    covariances, _ = _quat_scale_to_covar_preci(exact.quats, exact.scales, True, False)
    view = torch.tensor(camera.world_to_camera())[None]
    _, centres, depths, conics, compensations = _fully_fused_projection(
        exact.means,
        covariances,
        view,
        torch.tensor(camera.intrinsics())[None],
        camera.width,
        camera.height,
        calc_compensations=True,
    )
    ids = ours.ids
    flat = torch.stack([ours.conics[:, 0, 0], ours.conics[:, 0, 1], ours.conics[:, 1, 1]], -1)
    torch.testing.assert_close(centres[0, ids], ours.centres, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(depths[0, ids], ours.depths, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(conics[0, ids], flat, rtol=PROJECTION_RELATIVE, atol=1e-6)
    opacities = exact.opacities[ids] * compensations[0, ids]
    torch.testing.assert_close(opacities, ours.opacities, rtol=PROJECTION_RELATIVE, atol=1e-6)
    directions = exact.means - torch.tensor(camera.position)
    colours = (_spherical_harmonics(3, directions, exact.sh) + 0.5).clamp_min(0)
    torch.testing.assert_close(colours[ids], ours.colours, rtol=1e-6, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_the_gpu_draws_what_the_cpu_draws(mode: RenderMode) -> None:
    rng = np.random.default_rng(1)
    splats, camera = random_splats(rng, 2000, 3, mode), random_camera(rng, 160, 120)
    settings = RenderSettings(background=(0.2, 0.4, 0.6))
    on_cpu, on_gpu = (render(splats, camera, settings, backend) for backend in ("cpu", "gsplat"))
    for ours, theirs in ((on_cpu.beauty, on_gpu.beauty), (on_cpu.alpha, on_gpu.alpha)):
        assert theirs.device == splats.device
        assert ((ours - theirs).abs() > GPU_FORWARD).double().mean() <= GPU_FLIPPED_PIXELS


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
def test_the_gpu_gives_the_gradients_that_the_cpu_gives() -> None:
    rng = np.random.default_rng(2)
    splats, camera = random_splats(rng, 300, 2), random_camera(rng, 64, 48)
    gradients = []
    for backend in ("cpu", "gsplat"):
        parts = tuple(t.clone().requires_grad_() for t in tensors_of(splats))
        stats = ScreenStats.of(len(splats), "cpu" if backend == "cpu" else "cuda")
        frame = render(splats_of(parts, "classic"), camera, RenderSettings(), backend, stats)
        (frame.beauty.square().mean() + frame.alpha.mean()).backward()
        gradients.append([*(p.grad for p in parts), stats.absolute_gradient.cpu()])
    for ours, theirs in zip(*gradients, strict=True):
        assert ours is not None and theirs is not None
        assert (ours - theirs).norm() / ours.norm() < 100 * RENDER_GRADIENT


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
def test_the_gpu_makes_the_same_bits_twice() -> None:
    rng = np.random.default_rng(3)
    splats, camera = random_splats(rng, 5000), random_camera(rng, 320, 240)
    first, second = (render(splats, camera, backend="gsplat") for _ in range(2))
    assert torch.equal(first.beauty, second.beauty) and torch.equal(first.depth, second.depth)


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
def test_cameras_drawn_at_once_are_the_cameras_drawn_alone() -> None:
    rng = np.random.default_rng(4)
    splats = random_splats(rng, 2000)
    cameras = [random_camera(np.random.default_rng(seed), 160, 120) for seed in range(11)]
    together = list(render_each(splats, cameras, backend="gsplat"))
    assert len(together) == 11
    for frame, camera in zip(together, cameras, strict=True):
        assert torch.equal(frame.beauty, render(splats, camera, backend="gsplat").beauty)


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
def test_a_frame_in_flight_lands_with_the_bits_that_left() -> None:
    rng = np.random.default_rng(5)
    splats, camera = random_splats(rng, 5000).to("cuda"), random_camera(rng, 640, 480)
    frames = [render(splats, camera, backend="gsplat") for _ in range(4)]
    for frame, landed in zip(frames, [sent_home(frame) for frame in frames], strict=True):
        assert landed.beauty.device.type == "cpu"
        assert torch.equal(landed.beauty, frame.beauty.cpu())
        assert torch.equal(landed.depth, frame.depth.cpu())


@pytest.mark.gpu
@pytest.mark.skipif(not GSPLAT.ready, reason=GSPLAT.reason)
def test_the_gpu_gives_the_pose_the_gradient_that_the_cpu_gives() -> None:
    rng = np.random.default_rng(6)
    splats, camera = random_splats(rng, 300, 2), random_camera(rng, 64, 48)
    gradients = []
    for backend in ("cpu", "gsplat"):
        shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        view = torch.tensor(camera.world_to_camera())
        moved = torch.cat([torch.cat([view[:3, :3], (view[:3, 3] + shift)[:, None]], 1), view[3:]])
        frame = render(splats, camera, RenderSettings(), backend, to_camera=moved)
        (frame.beauty.square().mean() + frame.alpha.mean()).backward()
        gradients.append(shift.grad)
    assert gradients[0] is not None and gradients[1] is not None
    assert (gradients[0] - gradients[1]).norm() / gradients[0].norm() < 100 * RENDER_GRADIENT
