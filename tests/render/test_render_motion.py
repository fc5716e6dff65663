"""Quality in motion: who is in front of whom on a pan, and what stands half outside the picture."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import render_reference as reference
import torch
from render_scenes import random_camera, random_splats, splats_of, tensors_of
from tolerances import RENDER_FORWARD

from splatfilm.cameras.camera import Camera
from splatfilm.render import RenderSettings, render
from splatfilm.splats.splats import Splats

SH_C0 = 0.28209479177387814


def panned(degrees: float) -> Camera:
    """At the origin, turned about its y axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    pose = np.eye(4)
    pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    return Camera(pose, 20, 20, 16, 8, 32, 16)


def red_and_green() -> Splats:
    """Two clouds on both sides of the view, the red one nearer to the camera by 5 cm, so wide that they fill it."""
    colours = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    at = [(r * math.sin(a), 0.0, r * math.cos(a)) for r, a in ((2.0, math.radians(-15)), (2.05, math.radians(15)))]
    return Splats(
        torch.tensor(at, dtype=torch.float32),
        torch.tensor([[1.0, 0, 0, 0]]).expand(2, 4),
        torch.full((2, 3), 3.0),
        torch.full((2,), 0.9),
        ((colours - 0.5) / SH_C0)[:, None],
    )


def in_front(sort: str) -> list[str]:
    """Which of the two dominates the middle of the picture, over a pan from the left to the right."""
    frames = [
        render(red_and_green(), panned(angle), RenderSettings(sort=sort), "cpu")  # type: ignore[arg-type]
        for angle in range(-25, 26, 5)
    ]
    return ["red" if frame.beauty[8, 16, 0] > frame.beauty[8, 16, 1] else "green" for frame in frames]


def test_a_pan_never_changes_the_order_when_sorting_by_distance() -> None:
    assert in_front("distance") == ["red"] * 11


def test_a_pan_does_change_the_order_when_sorting_by_depth() -> None:
    # Red lies at z = 2 cos(15 + a), green at 2.05 cos(15 - a): they change places at a = -2.6 degrees.
    order = in_front("depth")
    assert order[0] == "green" and order[-1] == "red"


@pytest.mark.parametrize("seed", range(4))
def test_sorting_by_distance_is_the_references(seed: int) -> None:
    rng = np.random.default_rng(90 + seed)
    splats, camera = random_splats(rng), random_camera(rng)
    settings = RenderSettings(sort="distance")
    beauty, alpha, _ = reference.render(
        splats_of(tuple(t.double() for t in tensors_of(splats)), "classic"), camera, settings
    )
    frame = render(splats, camera, settings, "cpu")
    assert (frame.beauty.double() - beauty).abs().max() <= RENDER_FORWARD
    assert (frame.alpha.double() - alpha).abs().max() <= RENDER_FORWARD
    assert not torch.equal(frame.beauty, render(splats, camera, backend="cpu").beauty)


@pytest.mark.parametrize("side", [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_a_splat_centred_outside_the_picture_is_drawn_where_it_reaches_in(side: tuple[int, int]) -> None:
    # 0.2 m at 1 m with a focal length of 40 px is 8 px; the centre lies 10 px beyond the edge.
    camera = Camera(np.eye(4), 40, 40, 20, 20, 40, 40)
    at = torch.tensor([[side[0] * 30 / 40, side[1] * 30 / 40, 1.0]])
    splats = Splats(
        at, torch.tensor([[1.0, 0, 0, 0]]), torch.full((1, 3), 0.2), torch.tensor([0.9]), torch.zeros(1, 1, 3)
    )
    alpha = render(splats, camera, backend="cpu").alpha
    pixel = (20 + 19 * side[1], 20 + 19 * side[0])
    assert alpha[pixel] > 0.2
    assert alpha[20 - 19 * side[1], 20 - 19 * side[0]] == 0.0


def test_a_wider_picture_holds_the_narrower_one() -> None:
    # What the overscan adds at the edge changes nothing inside: no splat is dropped because its centre lies outside.
    rng = np.random.default_rng(8)
    splats, wide = random_splats(rng, 300), random_camera(rng, 80, 64)
    narrow = dataclasses.replace(wide, cx=wide.cx - 16, cy=wide.cy - 16, width=48, height=32)
    # The margin beyond which the Jacobian's point is clamped moves with the picture: keep splats inside both.
    view = wide.world_to_camera()
    t = splats.means.double() @ torch.tensor(view[:3, :3]).T + torch.tensor(view[:3, 3])
    x, y = wide.fx * t[:, 0] / t[:, 2] + wide.cx - 16, wide.fy * t[:, 1] / t[:, 2] + wide.cy - 16
    kept = (t[:, 2] > 0.1) & (x > -7) & (x < 55) & (y > -4) & (y < 36)
    part = splats_of(tuple(p[kept] for p in tensors_of(splats)), "classic")
    outside = ((x < 0) | (x > 48) | (y < 0) | (y > 32)) & kept
    assert outside.sum() > 10
    inner = render(part, wide, backend="cpu").beauty[16:48, 16:64]
    assert (inner - render(part, narrow, backend="cpu").beauty).abs().max() < 1e-5
