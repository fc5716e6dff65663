"""Classic and antialiased splats in one picture: each is drawn as it would be alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, tensors_of
from tolerances import RENDER_FORWARD, RENDER_GRADIENT

from splatfilm.base.errors import MissingPartError
from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import Camera
from splatfilm.render import RenderSettings, ScreenStats, gsplat_backend, render, set_threads, threads
from splatfilm.render.kernels import instruction_sets, use_instruction_set
from splatfilm.splats import compose
from splatfilm.splats.splats import RenderMode, Splats

CAMERA = Camera(np.eye(4), 80.0, 80.0, 64.0, 32.0, 128, 64)


def cloud(x: float, mode: RenderMode, seed: int, count: int = 200) -> Splats:
    """Small splats about (x, 0, 4), much smaller than a pixel some of them: the mode decides how they look."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(count, 3)) * (0.25, 0.25, 0.2) + (x, 0, 4)
    scales = np.exp(rng.normal(-4.0, 0.7, (count, 3)))
    parts = (means, rng.normal(size=(count, 4)), scales, rng.uniform(0.2, 1, count), rng.normal(size=(count, 4, 3)))
    return Splats(*(torch.tensor(part, dtype=torch.float32) for part in parts), mode=mode)


def test_what_does_not_overlap_keeps_its_own_bits_beside_the_other_kind() -> None:
    left, right = cloud(-1.6, "classic", 1), cloud(1.6, "antialiased", 2)
    stats = ScreenStats.of(400)
    both = render(compose([(left, IDENTITY), (right, IDENTITY)]), CAMERA, RenderSettings(depths=True), "cpu", stats)
    assert stats.visible.sum() > 300
    alone = [render(part, CAMERA, RenderSettings(depths=True), "cpu") for part in (left, right)]
    assert not ((alone[0].alpha > 0) & (alone[1].alpha > 0)).any(), "they must not overlap"
    for name in ("beauty", "alpha", "depth", "median_depth", "front_depth"):
        for part in alone:
            covered = part.alpha > 0
            assert torch.equal(getattr(both, name)[covered], getattr(part, name)[covered]), name
    other = render(dataclasses.replace(right, mode="classic"), CAMERA, backend="cpu")
    assert (other.alpha - alone[1].alpha).abs().max() > 0.05, "the mode must matter here"


def test_a_mixture_has_the_references_pixels_and_gradients() -> None:
    rng = np.random.default_rng(3)
    parts = [random_splats(rng, 60), random_splats(rng, 60, mode="antialiased")]
    scene, camera = compose([(part, IDENTITY) for part in parts]), random_camera(rng)
    singles = tuple(t.clone().requires_grad_() for t in tensors_of(scene))
    doubles = tuple(t.double().requires_grad_() for t in tensors_of(scene))
    ours = render(Splats(*singles, mode="mixed", antialiased=scene.antialiased), camera, backend="cpu").beauty
    mixed = Splats(*doubles, mode="mixed", antialiased=scene.antialiased)
    theirs = reference.render(mixed, camera, RenderSettings())[0]
    assert (ours.detach() - theirs.detach()).abs().max() <= RENDER_FORWARD
    weights = torch.tensor(rng.normal(size=tuple(theirs.shape)))
    ours.backward(weights.float())
    theirs.backward(weights)
    for name, have, want in zip(("means", "quats", "scales", "opacities", "sh"), singles, doubles, strict=True):
        assert have.grad is not None and want.grad is not None
        assert (have.grad.double() - want.grad).norm() / want.grad.norm() <= RENDER_GRADIENT, name


def test_a_mixture_has_the_same_bits_on_every_processor() -> None:
    scene = compose([(cloud(-0.2, "classic", 1), IDENTITY), (cloud(0.2, "antialiased", 2), IDENTITY)])
    before, frames = threads(), []
    try:
        for name in instruction_sets():
            use_instruction_set(name)
            for count in (1, 3):
                set_threads(count)
                frames.append(render(scene, CAMERA, backend="cpu").beauty)
    finally:
        use_instruction_set()
        set_threads(before)
    assert all(torch.equal(frame, frames[0]) for frame in frames)


def test_gsplat_refuses_a_mixture_by_name() -> None:
    scene = compose([(cloud(-1.6, "classic", 1), IDENTITY), (cloud(1.6, "antialiased", 2), IDENTITY)])
    with pytest.raises(MissingPartError, match='this scene holds both: choose backend "cpu"'):
        gsplat_backend.render(scene, CAMERA, RenderSettings())
