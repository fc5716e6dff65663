"""A frame is the same to the bit at any thread count, on any instruction set, in any process, beside any edit."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of

from splatfilm.base.hashing import hash_bytes
from splatfilm.render import RenderSettings, ScreenStats, kernels, render, set_threads, threads
from splatfilm.splats.splats import RenderMode


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = threads()
    yield
    set_threads(before)
    kernels.use_instruction_set()


def everything(seed: int, count: int = 3000, width: int = 203, height: int = 117) -> list[str]:
    """Hashes of a frame, of every gradient and of a loss."""
    rng = np.random.default_rng(seed)
    mode: RenderMode = "antialiased" if seed % 2 else "classic"
    splats, camera = random_splats(rng, count, 3, mode), random_camera(rng, width, height)
    parts = tuple(t.clone().requires_grad_() for t in tensors_of(splats))
    stats = ScreenStats.of(count)
    frame = render(splats_of(parts, mode), camera, RenderSettings(background=(0.3, 0.2, 0.1)), "cpu", stats)
    target = torch.tensor(rng.uniform(0, 1, (height, width, 3)), dtype=torch.float32)
    weight = torch.tensor(rng.uniform(0, 1, (height, width)), dtype=torch.float32)
    loss, l1, ssim, gradient = kernels.l1_ssim(frame.beauty, target, weight, 0.2)
    torch.autograd.backward(
        (frame.beauty, frame.alpha, frame.depth), (gradient, frame.alpha.detach(), frame.alpha.detach())
    )
    results = [frame.beauty, frame.alpha, frame.depth, gradient, torch.tensor([loss, l1, ssim], dtype=torch.float64)]
    results += [p.grad for p in parts if p.grad is not None] + [stats.absolute_gradient, stats.radii]
    return [hash_bytes(r.detach().contiguous().numpy().tobytes()) for r in results]


@pytest.mark.parametrize("seed", [0, 1])
def test_threads_do_not_show(seed: int) -> None:
    set_threads(1)
    expected = everything(seed)
    for count in (2, 3, 5, 2, 1):
        set_threads(count)
        assert everything(seed) == expected, f"{count} threads"


@pytest.mark.parametrize("seed", [0, 1])
def test_instruction_sets_do_not_show(seed: int) -> None:
    names = kernels.instruction_sets()
    assert "portable" in names
    kernels.use_instruction_set("portable")
    expected = everything(seed)
    for name in names:
        kernels.use_instruction_set(name)
        assert everything(seed) == expected, name


def test_two_seeds_do_differ() -> None:
    assert not set(everything(0)) & set(everything(2))


def test_another_process_makes_the_same_bits(repository: Path) -> None:
    script = "import test_render_determinism as t; print('\\n'.join(t.everything(0)))"
    names = kernels.instruction_sets()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(repository), str(Path(__file__).parent)]),
        "SPLATFILM_THREADS": "3",
        "SPLATFILM_ISA": names[1 % len(names)],
    }
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split() == everything(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_renders_the_same() -> None:
    # Threads do not survive a fork. Little of torch does either, so the child compares bytes only.
    set_threads(3)
    rng = np.random.default_rng(0)
    splats, camera = random_splats(rng, 3000), random_camera(rng, 203, 117)
    expected = render(splats, camera, backend="cpu").beauty.numpy().tobytes()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if render(splats, camera, backend="cpu").beauty.numpy().tobytes() == expected else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_removing_an_object_leaves_pixels_outside_its_footprint_as_they_were(seed: int) -> None:
    rng = np.random.default_rng(seed)
    splats, camera = random_splats(rng, 2000), random_camera(rng, 160, 120)
    splats = dataclasses.replace(splats, scales=0.3 * splats.scales)
    corner = torch.tensor(camera.position + 2.5 * camera.forward, dtype=torch.float32)
    gone = (splats.means - corner).norm(dim=1) < 0.4
    assert gone.any()
    stats = ScreenStats.of(len(splats))
    before = render(splats, camera, backend="cpu", stats=stats)
    after = render(splats_of(tuple(t[~gone] for t in tensors_of(splats)), "classic"), camera, backend="cpu")

    view = camera.world_to_camera()
    inside = torch.zeros(120, 160, dtype=torch.bool)
    for k in torch.nonzero(gone & stats.visible).flatten().tolist():
        x, y, z = view[:3, :3] @ splats.means[k].double().numpy() + view[:3, 3]
        u, v, r = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy, stats.radii[k].item() + 1
        inside[max(0, int(v - r)) : max(0, int(v + r) + 1), max(0, int(u - r)) : max(0, int(u + r) + 1)] = True
    assert 0.01 < inside.double().mean() < 0.9
    assert not torch.equal(before.beauty[inside], after.beauty[inside])
    for ours, theirs in ((before.beauty, after.beauty), (before.alpha, after.alpha), (before.depth, after.depth)):
        assert torch.equal(ours[~inside], theirs[~inside])
