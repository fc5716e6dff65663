"""Numbers are checked at the door, but one that slips in must not crash the kernels or spoil the other splats."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of

from splatfilm.render import kernels, render

POISONS = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e38, -1e38, 1e-45, 3e7]
FIELDS = ["means", "quats", "scales", "opacities", "sh"]


@pytest.fixture(params=["fastest", "portable"])
def instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    kernels.use_instruction_set("" if request.param == "fastest" else "portable")
    yield
    kernels.use_instruction_set()


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize(("field", "poison"), list(itertools.product(FIELDS, POISONS)))
def test_a_poisoned_splat_does_no_harm(field: str, poison: float) -> None:
    rng = np.random.default_rng(11)
    splats, camera = random_splats(rng, 100, 1), random_camera(rng, 33, 20)
    parts = [t.clone() for t in tensors_of(splats)]
    victims = torch.arange(0, 100, 7)
    parts[FIELDS.index(field)][victims] = poison
    leaves = [p.requires_grad_() for p in parts]
    frame = render(splats_of(tuple(leaves), "classic"), camera, backend="cpu")
    finite = bool(math.isfinite(poison) and abs(poison) < 1e30)
    for picture in (frame.beauty, frame.alpha, frame.depth):
        assert torch.isfinite(picture).all()
    frame.beauty.mean().backward()
    healthy = torch.ones(100, dtype=torch.bool)
    healthy[victims] = False
    for name, leaf in zip(FIELDS, leaves, strict=True):
        assert leaf.grad is not None
        assert torch.isfinite(leaf.grad[healthy]).all(), name
        if not finite:
            assert torch.isfinite(leaf.grad).all(), name


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize(("field", "poison"), list(itertools.product(FIELDS, [math.nan, math.inf])))
def test_a_splat_that_is_not_a_number_is_not_drawn(field: str, poison: float) -> None:
    rng = np.random.default_rng(12)
    splats, camera = random_splats(rng, 100, 1), random_camera(rng, 33, 20)
    victims = torch.zeros(100, dtype=torch.bool)
    victims[::3] = True
    parts = [t.clone() for t in tensors_of(splats)]
    parts[FIELDS.index(field)][victims] = poison
    poisoned = render(splats_of(tuple(parts), "classic"), camera, backend="cpu")
    without = render(splats_of(tuple(t[~victims] for t in tensors_of(splats)), "classic"), camera, backend="cpu")
    assert torch.equal(poisoned.beauty, without.beauty)
    assert torch.equal(poisoned.depth, without.depth)


def test_a_zero_quaternion_is_not_drawn_and_zero_scale_is_only_the_blur() -> None:
    rng = np.random.default_rng(13)
    splats, camera = random_splats(rng, 50, 0), random_camera(rng, 33, 20)
    quats = torch.zeros_like(splats.quats)
    frame = render(splats_of((splats.means, quats, *tensors_of(splats)[2:]), "classic"), camera, backend="cpu")
    assert not frame.alpha.any()
    scales = torch.zeros_like(splats.scales)
    parts = (splats.means, splats.quats, scales, splats.opacities, splats.sh)
    assert render(splats_of(parts, "classic"), camera, backend="cpu").alpha.any()
    assert not render(splats_of(parts, "antialiased"), camera, backend="cpu").alpha.any()


@pytest.mark.parametrize("seed", range(30))
def test_garbage_never_crashes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = []
    for tensor in tensors_of(random_splats(rng, 64, 2)):
        bits = rng.integers(0, 2**32, tensor.shape, dtype=np.uint32).view(np.float32)
        parts.append(
            torch.where(torch.tensor(rng.uniform(size=tensor.shape) < 0.2), torch.tensor(bits), tensor).requires_grad_()
        )
    frame = render(splats_of(tuple(parts), "antialiased" if seed % 2 else "classic"), random_camera(rng), backend="cpu")
    assert torch.isfinite(frame.alpha).all()
    frame.beauty.sum().backward()
