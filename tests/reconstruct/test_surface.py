"""The inside of what is learnt: a core below its surface that must not be seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from synthetic import cameras, quick

from splatfilm.capture import SparsePoints
from splatfilm.capture.pictures import Picture
from splatfilm.reconstruct.surface import DEPTH, core_of, found_points, surface_of
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import RenderSettings, render
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices

GREEN = (0.2, 0.6, 0.3)


def ball(radius: float, count: int = 4000) -> SparsePoints:
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    facing = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1).astype(np.float32)
    return SparsePoints(radius * facing, np.full((count, 3), 128, np.uint8), facing)


def plate(thick: float) -> SparsePoints:
    x, y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-0.2, 0.2, 60)] * 2))
    up = np.tile(np.float32([0, 0, 1]), (len(x), 1))
    top = np.stack([x, y, np.full_like(x, thick / 2)], axis=1).astype(np.float32)
    positions = np.concatenate([top, top * np.float32([1, 1, -1])])
    return SparsePoints(positions, np.full(positions.shape, 128, np.uint8), np.concatenate([up, -up]))


def test_the_core_of_a_ball_is_a_ball_below_its_surface_and_is_not_seen_through() -> None:
    core = core_of(ball(0.2))
    assert core is not None
    far = torch.linalg.vector_norm(core.means, dim=1)
    torch.testing.assert_close(far, torch.full_like(far, 0.2 - DEPTH), atol=1e-4, rtol=0)
    across = rotation_matrices(core.quats)[:, :, 2]
    assert ((across * core.means).sum(dim=1) / far > 0.999).all(), "it lies flat"
    camera = cameras(1)[0]
    middle = core.means + torch.from_numpy(camera.pose[:3, 3] + 2 * camera.pose[:3, 2]).float()
    frame = render(dataclasses.replace(core, means=middle), camera, RenderSettings(), backend="cpu")
    assert float(frame.alpha[camera.height // 2, camera.width // 2]) > 0.97


def test_what_is_thinner_than_twice_the_depth_has_no_core() -> None:
    assert core_of(plate(0.9 * DEPTH)) is None
    thick = core_of(plate(4 * DEPTH))
    assert thick is not None and len(thick) > 1000


def test_points_are_told_apart_by_whether_they_have_a_normal() -> None:
    found = SparsePoints(np.ones((3, 3), np.float32), np.zeros((3, 3), np.uint8))
    assert found_points(found) is found and surface_of(found) is None and found_points(None) is None
    known = ball(1.0, 5)
    assert known.normals is not None
    both = SparsePoints(
        np.concatenate([found.positions, known.positions]),
        np.concatenate([found.colours, known.colours]),
        np.concatenate([np.zeros((3, 3), np.float32), known.normals]),
    )
    plain, surface = found_points(both), surface_of(both)
    assert plain is not None and plain.normals is None and len(plain.positions) == 3
    assert surface is not None and len(surface.positions) == 5


def sheet(at: float, opacity: float, colour: tuple[float, float, float]) -> Splats:
    """A wall of splats before the camera."""
    x, y = torch.meshgrid(torch.linspace(-2, 2, 25), torch.linspace(-2, 2, 25), indexing="ij")
    means = torch.stack([x.reshape(-1), y.reshape(-1), torch.full((625,), at)], dim=1)
    sh = ((torch.tensor(colour) - 0.5) / SH_C0).expand(625, 1, 3).clone()
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(625, 1)
    return Splats(means, quats, torch.full((625, 3), 0.15), torch.full((625,), opacity), sh)


@pytest.mark.parametrize("what", ["below", "core"])
def test_what_lies_behind_in_the_same_colour_is_not_shown_in_another(what: str) -> None:
    front, behind = sheet(3.0, 0.3, GREEN), sheet(3.5, 0.99, GREEN)
    base = cameras(1)[0]
    camera = dataclasses.replace(base, pose=np.eye(4))
    colour: NDArray[np.float32] = np.full((camera.height, camera.width, 3), GREEN, np.float32)
    view = View.of(Picture("0", camera, colour, None, None), torch.device("cpu"))

    def alpha(hide: bool) -> float:
        trainer = Trainer({1.0: [view]}, quick(60, coarse=()), 3.0, "anchor")
        sizes, spun = front.scales.log(), front.quats.clone()
        trainer.begin(
            {
                "means": front.means.clone(),
                "log_scales": sizes,
                "quats": spun,
                "logits": torch.logit(front.opacities),
                "sh0": front.sh.clone(),
                "sh_rest": front.sh.new_zeros(625, 0, 3),
            }
        )
        if what == "below":
            trainer.below = behind
            trainer.alone = [torch.ones(camera.height, camera.width)] if hide else None
        else:
            trainer.core = behind if hide else None
        for _ in range(60):
            trainer.advance()
        shown = render(trainer.splats(), camera, RenderSettings(), backend="cpu").alpha
        return float(shown[4:-4, 4:-4].mean())

    assert 1 - alpha(True) < 0.5 * (1 - alpha(False))
