"""The deformation core: covariances, colours and skinning against what mathematics says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY, Similarity, quaternion_about
from splatfilm.cameras import Camera, Lens
from splatfilm.render import render
from splatfilm.render.kernels import instruction_sets, set_threads, threads, use_instruction_set
from splatfilm.splats import Splats, compose, transformed
from splatfilm.splats import sh as harmonics
from splatfilm.splats.posed import baked, colours, covariances, packed, rotation_matrices
from splatfilm.stage import deform
from splatfilm.stage.rigs.bones import dual_quaternions


def some_splats(count: int = 500, seed: int = 1) -> Splats:
    rng = torch.Generator().manual_seed(seed)
    quats = torch.nn.functional.normalize(torch.randn(count, 4, generator=rng), dim=-1)
    return Splats(
        torch.rand(count, 3, generator=rng) * 2 - 1,
        quats,
        0.02 + 0.1 * torch.rand(count, 3, generator=rng),
        0.2 + 0.7 * torch.rand(count, generator=rng),
        0.3 * torch.randn(count, 16, 3, generator=rng),
    )


def a_camera() -> Camera:
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]  # looking along y, z up
    pose[:3, 3] = [0.1, -4, 0.2]
    return Camera.through(Lens(focal_mm=35), pose, 160, 120)


def carried_by(count: int, joints: list[int], weights: list[float]) -> deform.Carriers:
    return deform.Carriers(
        torch.tensor(joints, dtype=torch.int32).expand(count, 4).contiguous(), torch.tensor(weights).expand(count, 4)
    )


def matrix(rotation: tuple[float, ...], translation: tuple[float, ...]) -> np.ndarray:
    return Similarity(tuple(rotation), tuple(translation)).matrix()  # type: ignore[arg-type]


def test_an_affine_motion_is_exact() -> None:
    splats = some_splats()
    a = torch.tensor([[1.2, 0.3, -0.1], [0.0, 0.8, 0.4], [0.2, -0.3, 1.1]], dtype=torch.float64)
    positions = (a @ splats.means.double()[:, :, None])[..., 0] + torch.tensor([1.0, 2.0, 3.0])
    moved = deform.deformed(splats, deform.Motion(positions, a.expand(len(splats), 3, 3)))
    exact = (
        a @ covariances(dataclasses.replace(splats, quats=splats.quats.double(), scales=splats.scales.double())) @ a.T
    )
    assert (covariances(moved) - exact).abs().max() < 1e-6 * exact.abs().max()
    assert (moved.means - positions).abs().max() < 1e-6
    assert (deform.gradients_of(moved) - a).abs().max() < 1e-6


def test_a_rotation_has_no_stretch_and_polar_survives_collapse() -> None:
    turn = rotation_matrices(torch.from_numpy(quaternion_about((1, 2, 3), 2.8))[None])
    rotation, stretch = deform.polar(turn)
    torch.testing.assert_close(rotation, turn, atol=1e-14, rtol=0)
    torch.testing.assert_close(stretch[0], torch.eye(3, dtype=torch.float64), atol=1e-14, rtol=0)
    flat = torch.diag(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64))[None]
    inside_out = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))[None]
    both = torch.cat([flat, inside_out])
    rotation, stretch = deform.polar(both)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(stretch @ rotation, both, atol=1e-12, rtol=0)


def test_a_twist_of_170_degrees_keeps_its_radius_with_dual_quaternions_and_not_with_matrices() -> None:
    ring = some_splats(64)
    angles = torch.arange(64) * (2 * np.pi / 64)
    ring = dataclasses.replace(ring, means=torch.stack([angles.cos(), angles.sin(), torch.zeros(64)], dim=-1))
    still, twisted = np.eye(4), matrix(tuple(quaternion_about((0, 0, 1), np.radians(170))), (0, 0, 0))
    half = carried_by(64, [0, 1, 0, 0], [0.5, 0.5, 0.0, 0.0])
    bones = np.stack([still, twisted])
    moved = deform.skinned(ring, half, torch.from_numpy(dual_quaternions(bones, IDENTITY)))
    torch.testing.assert_close(moved.means.norm(dim=-1), torch.ones(64), atol=1e-6, rtol=0)
    where = torch.stack([(angles + np.radians(85)).cos(), (angles + np.radians(85)).sin()], dim=-1)
    torch.testing.assert_close(moved.means[:, :2], where.float(), atol=1e-6, rtol=0)
    linear = deform.blended(ring, half, torch.from_numpy(bones[:, :3].astype(np.float32)))
    assert linear.positions.norm(dim=-1).max() < 0.09  # cos 85 degrees


def test_a_bend_by_linear_blending_has_the_whole_jacobian() -> None:
    # Weights change from 0 to 1 along x over one metre; the second bone turns 90 degrees about z.
    splats = some_splats(200)
    w = (splats.means[:, 0] + 1) / 2
    weights = torch.stack([1 - w, w, torch.zeros_like(w), torch.zeros_like(w)], dim=-1)
    carriers = deform.Carriers(torch.tensor([0, 1, 0, 0], dtype=torch.int32).expand(200, 4), weights)
    slope = torch.zeros(200, 4, 3)
    slope[:, 0, 0], slope[:, 1, 0] = -0.5, 0.5
    matrices = np.stack([np.eye(4), matrix(tuple(quaternion_about((0, 0, 1), np.pi / 2)), (0.3, 0, 0))])[:, :3]
    got = deform.blended(splats, carriers, torch.from_numpy(matrices.astype(np.float32)), slope).gradients

    def phi(x: torch.Tensor) -> torch.Tensor:
        m = torch.from_numpy(matrices)
        share = ((x[0] + 1) / 2)[..., None]
        return (1 - share) * (m[0, :, :3] @ x + m[0, :, 3]) + share * (m[1, :, :3] @ x + m[1, :, 3])

    for i in range(0, 200, 37):
        exact = torch.autograd.functional.jacobian(phi, splats.means[i].double())
        torch.testing.assert_close(got[i].double(), exact, atol=2e-6, rtol=0)


def test_a_rigid_bone_moves_splats_as_a_placement_does() -> None:
    splats = some_splats()
    place = Similarity(tuple(quaternion_about((1, -2, 0.5), 1.9)), (0.4, -0.3, 1.2))  # type: ignore[arg-type]
    bones = torch.from_numpy(dual_quaternions(place.matrix()[None], IDENTITY))
    moved = deform.skinned(splats, carried_by(len(splats), [0] * 4, [1.0, 0, 0, 0]), bones)
    placed = transformed(splats, place)
    torch.testing.assert_close(moved.means, placed.means, atol=1e-6, rtol=0)
    torch.testing.assert_close(covariances(moved), covariances(placed), atol=1e-7, rtol=0)
    camera = a_camera()
    seen, known = render(moved, camera, backend="cpu"), render(placed, camera, backend="cpu")
    torch.testing.assert_close(seen.beauty, known.beauty, atol=1e-5, rtol=0)


def test_the_kernel_and_torch_agree_and_no_bit_depends_on_threads_or_instruction_set() -> None:
    splats = some_splats(40_001)
    rng = np.random.default_rng(3)
    mats = np.stack(
        [
            matrix(tuple(quaternion_about(rng.normal(size=3), rng.uniform(0, 3))), tuple(rng.normal(size=3)))
            for _ in range(20)
        ]
    )
    bones = torch.from_numpy(dual_quaternions(mats, IDENTITY))
    weights = np.sort(rng.dirichlet([1] * 4, 40_001).astype(np.float32))[:, ::-1].copy()
    carriers = deform.Carriers(
        torch.from_numpy(rng.integers(0, 20, (40_001, 4), dtype=np.int32)), torch.from_numpy(weights)
    )
    first = deform.skinned(splats, carriers, bones)
    by_torch = deform._skinned_by_torch(splats, carriers, bones)
    assert first.turns is not None and by_torch.turns is not None
    near = (carriers.weights[:, 0] > 0.4).nonzero()[:, 0]  # elsewhere sums may nearly cancel
    torch.testing.assert_close(first.means[near], by_torch.means[near], atol=2e-5, rtol=0)
    torch.testing.assert_close(first.turns[near], by_torch.turns[near], atol=2e-5, rtol=0)
    before = threads()
    try:
        for count in (1, 3):
            for isa in instruction_sets():
                set_threads(count)
                use_instruction_set(isa)
                again = deform.skinned(splats, carriers, bones)
                for name in ("means", "quats", "turns"):
                    assert torch.equal(getattr(again, name), getattr(first, name)), (name, count, isa)
    finally:
        set_threads(before)
        use_instruction_set()


def test_colours_of_turned_splats_are_the_ones_learnt_seen_from_the_other_side() -> None:
    splats = some_splats()
    turn = torch.from_numpy(quaternion_about((0.3, 1, -0.4), 1.3)).float().expand(len(splats), 4)
    moved = dataclasses.replace(splats, turns=turn)
    eye = torch.tensor([0.3, -3.0, 0.8])
    d = torch.nn.functional.normalize(splats.means - eye, dim=-1)
    direct = harmonics.evaluate(splats.sh, d @ rotation_matrices(turn[0]))  # R^T d
    torch.testing.assert_close(colours(moved, eye), direct, atol=1e-5, rtol=0)
    torch.testing.assert_close(colours(baked(moved), eye), direct, atol=1e-5, rtol=0)


def test_baked_splats_draw_the_same_picture() -> None:
    splats = some_splats(80)
    f = torch.eye(3, dtype=torch.float64) + 0.3 * torch.randn(
        80, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5)
    )
    moved = deform.deformed(splats, deform.Motion(splats.means.double(), f))
    plain = baked(moved)
    assert plain.stretches is None and plain.turns is None
    a, b = (render(s, a_camera(), backend="cpu") for s in (moved, plain))
    assert a.alpha.max() > 0.5
    torch.testing.assert_close(a.beauty, b.beauty, atol=2e-4, rtol=0)


def test_identities_change_no_bit_of_a_picture() -> None:
    splats = some_splats()
    identity = dataclasses.replace(
        splats,
        stretches=torch.tensor([1.0, 0, 0, 1, 0, 1]).repeat(len(splats), 1),
        turns=torch.tensor([1.0, 0, 0, 0]).repeat(len(splats), 1),
    )
    a, b = (render(s, a_camera(), backend="cpu") for s in (splats, identity))
    assert torch.equal(a.beauty, b.beauty) and torch.equal(a.depth, b.depth)


def test_composing_and_placing_moved_splats_moves_them_further() -> None:
    splats = some_splats(40)
    f = torch.tensor([[1.1, 0.2, 0], [0, 0.9, 0.1], [0, 0, 1.3]], dtype=torch.float64).expand(40, 3, 3)
    moved = deform.deformed(splats, deform.Motion(splats.means.double(), f))
    place = Similarity(tuple(quaternion_about((0, 1, 1), 0.7)), (1, 0, 0), 1.5)  # type: ignore[arg-type]
    both = compose([(some_splats(10, 2), IDENTITY), (moved, place)])
    assert both.turns is not None and both.turns[0].tolist() == [1, 0, 0, 0]
    r = place.matrix()[:3, :3]
    exact = torch.from_numpy(r).float() @ covariances(moved) @ torch.from_numpy(r).float().T
    torch.testing.assert_close(covariances(both)[10:], exact, atol=1e-6, rtol=0)
    torch.testing.assert_close(both.sh[10:], moved.sh)


def test_shapes_below_bones_give_the_product_of_both_gradients() -> None:
    splats = some_splats(30)
    place = Similarity(tuple(quaternion_about((1, 0, 1), 1.0)), (0, 0, 1))  # type: ignore[arg-type]
    skin = deform.skinned(
        splats,
        carried_by(30, [0] * 4, [1.0, 0, 0, 0]),
        torch.from_numpy(dual_quaternions(place.matrix()[None], IDENTITY)),
    )
    rows = torch.tensor([3, 17])
    f = torch.eye(3, dtype=torch.float64) + 0.2 * torch.randn(
        2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(4)
    )
    both = deform.shaped(skin, rows, f)
    whole = torch.from_numpy(place.matrix()[:3, :3]) @ f
    torch.testing.assert_close(deform.gradients_of(both)[rows], whole, atol=1e-6, rtol=0)
    exact = whole.float() @ covariances(splats)[rows] @ whole.float().transpose(-1, -2)
    torch.testing.assert_close(covariances(both)[rows], exact, atol=1e-6, rtol=0)
    assert torch.equal(both.quats[4:17], skin.quats[4:17])


def test_bad_motions_are_refused() -> None:
    splats = some_splats(3)
    with pytest.raises(ValueError, match="finite"):
        deform.deformed(splats, deform.Motion(splats.means, torch.full((3, 3, 3), float("nan"))))
    with pytest.raises(ValueError, match="no bone"):
        deform.skinned(splats, carried_by(3, [0, 1, 0, 0], [1.0, 0, 0, 0]), torch.tensor([[1.0] + [0.0] * 7]))
    with pytest.raises(ValueError, match="no gradients"):
        moved = dataclasses.replace(splats, means=splats.means.requires_grad_(), turns=splats.quats)
        render(moved, a_camera(), backend="cpu")


def test_packed_matrices_are_averaged_when_not_quite_symmetric() -> None:
    assert packed(torch.tensor([[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]])).tolist() == [[1, 3, 5, 5, 7, 9]]
