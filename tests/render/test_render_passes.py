"""The passes, on splats whose answers can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from render_scenes import random_camera, random_splats

from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.cameras import Camera, Distortion
from splatfilm.render import render, set_threads, threads
from splatfilm.render.kernels import instruction_sets, use_instruction_set
from splatfilm.render.memory import NotEnoughMemoryError, check_memory, memory_available, memory_needed
from splatfilm.render.passes import RANKS, Instant, PassInputs, displacements, normals, render_passes
from splatfilm.render.rays import pixels_of, rays_of
from splatfilm.splats import Splats

ALL = ("depth-median", "depth-front", "normal", "position", "motion", "id")


def looking_along_z(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Camera:
    """At (x, y, z), looking along +z with y down; 100 px focal length, centre (16, 16)."""
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return Camera(pose, 100.0, 100.0, 16.0, 16.0, 32, 32)


def plates(*means: tuple[float, float, float], opacity: float = 1.0, quat: tuple[float, ...] = (1, 0, 0, 0)) -> Splats:
    """Discs of half a metre, thin along their own z."""
    count = len(means)
    return Splats(
        torch.tensor(means, dtype=torch.float32),
        torch.tensor([quat] * count, dtype=torch.float32),
        torch.tensor([[0.5, 0.5, 0.001]] * count),
        torch.full((count,), opacity),
        torch.zeros(count, 1, 3),
    )


def still(
    splats: Splats, camera: Camera, passes: tuple[str, ...] = ALL, objects: torch.Tensor | None = None
) -> PassInputs:
    now = Instant(splats.means, camera)
    owners = torch.zeros(len(splats), dtype=torch.int64) if objects is None else objects
    return PassInputs(passes, now, now, owners, int(owners.max()) + 1)


def test_a_normal_is_the_shortest_axis_turned_to_the_camera() -> None:
    camera = looking_along_z()
    assert normals(plates((0, 0, 2)), camera).tolist() == [[0, 0, -1]]
    behind = plates((0, 0, -2))
    assert normals(behind, camera).tolist() == [[0, 0, 1]]
    half = math.sqrt(0.5)
    turned = plates((0, 1, 2), quat=(half, half, 0, 0))  # a quarter about x: its z becomes -y
    assert normals(turned, camera)[0].tolist() == pytest.approx([0, -1, 0], abs=1e-6)


def test_normals_of_any_rotation_are_the_column_of_its_matrix() -> None:
    rng = np.random.default_rng(5)
    splats = random_splats(rng, 60)
    camera = random_camera(rng)
    found = normals(splats, camera).numpy()
    for row, quat, scales, mean in zip(found, splats.quats, splats.scales, splats.means, strict=True):
        unit = quat.double() / quat.double().norm()
        axis = np.asarray(matrix_from_quaternion(unit.numpy()))[:, int(scales.argmin())]
        axis = axis if axis @ (camera.position - mean.numpy()) >= 0 else -axis
        assert row == pytest.approx(axis, abs=1e-5)


def test_normals_are_unit_where_anything_is_and_zero_elsewhere() -> None:
    camera = looking_along_z()
    small = plates((0, 0, 2))
    small = Splats(small.means, small.quats, small.scales * 0.1, small.opacities, small.sh)
    layers = render_passes(small, camera, still(small, camera, ("normal",))).layers
    length = layers["normal"].norm(dim=-1)
    covered = render(small, camera).alpha > 0
    assert covered.any()
    assert not covered.all()
    assert torch.allclose(length[covered], torch.ones(()))
    assert not layers["normal"][~covered].any()


def test_position_is_the_point_of_the_ray_at_the_depth() -> None:
    camera = looking_along_z(1.0, 2.0, 3.0)
    splats = plates((1, 2, 5))
    position = render_passes(splats, camera, still(splats, camera, ("position",))).layers["position"]
    x = (20.5 - 16) / 100 * 2  # the ray of pixel (20, 12) at 2 m
    y = (12.5 - 16) / 100 * 2
    assert position[12, 20].tolist() == pytest.approx([1 + x, 2 + y, 5.0], abs=1e-5)


def test_position_projects_back_to_its_own_pixel() -> None:
    rng = np.random.default_rng(8)
    splats, camera = random_splats(rng), random_camera(rng)
    frame = render_passes(splats, camera, still(splats, camera, ("position",)))
    ys, xs = np.nonzero(frame.alpha.numpy() > 0.5)
    points = frame.layers["position"].numpy()[ys, xs].astype(np.float64)
    inside = points @ camera.world_to_camera()[:3, :3].T + camera.world_to_camera()[:3, 3]
    assert inside[:, 2] == pytest.approx(frame.depth.numpy()[ys, xs], rel=1e-5)
    assert camera.fx * inside[:, 0] / inside[:, 2] + camera.cx == pytest.approx(xs + 0.5, abs=1e-3)
    assert camera.fy * inside[:, 1] / inside[:, 2] + camera.cy == pytest.approx(ys + 0.5, abs=1e-3)


def test_motion_of_a_thing_is_in_pixels_right_and_up() -> None:
    """A metre is 50 px at 2 m. It comes from 0.1 m to the left and goes 0.2 m down (+y), so v is negative ahead."""
    camera = looking_along_z()
    splats = plates((0, 0, 2))
    before = Instant(torch.tensor([[-0.1, 0.0, 2.0]]), camera)
    after = Instant(torch.tensor([[0.0, 0.2, 2.0]]), camera)
    motion = render_passes(splats, camera, PassInputs(("motion",), before, after)).layers["motion"]
    assert motion[16, 16].tolist() == pytest.approx([0.0, -10.0, -5.0, 0.0], abs=1e-4)


def test_a_camera_that_goes_right_moves_the_picture_left() -> None:
    splats = plates((0, 0, 2))
    now = Instant(splats.means, looking_along_z())
    after = Instant(splats.means, looking_along_z(0.1))
    motion = render_passes(splats, looking_along_z(), PassInputs(("motion",), now, after)).layers["motion"]
    assert motion[16, 16].tolist() == pytest.approx([-5.0, 0.0, 0.0, 0.0], abs=1e-4)


def test_motion_is_nothing_where_nothing_is() -> None:
    camera = looking_along_z()
    splats = plates((0, 0, -2))
    other = Instant(splats.means + 0.1, camera)
    motion = render_passes(splats, camera, PassInputs(("motion",), other, other)).layers["motion"]
    assert not motion.any()


def test_what_goes_behind_the_camera_keeps_a_finite_first_motion() -> None:
    """From (0.5, 0, 1) at (0.2, 0, -2) a frame: du/dt = 100 (0.2 - 0.5 (-2)) / 1 = 120 px."""
    camera = looking_along_z()
    means = torch.tensor([[0.5, 0.0, 1.0]])
    gone = Instant(torch.tensor([[0.7, 0.0, -1.0]]), camera)
    assert displacements(means, camera, gone)[0].tolist() == pytest.approx([120.0, 0.0], abs=1e-3)


def test_coverage_is_ranked_and_adds_up_to_alpha() -> None:
    """Two sheets of half opacity, the nearer one object 1: it covers 0.5, the other 0.25 of the centre."""
    camera = looking_along_z()
    splats = plates((0, 0, 3), (0, 0, 2), opacity=0.5)
    objects = torch.tensor([0, 1])
    frame = render_passes(splats, camera, still(splats, camera, ("id",), objects))
    coverage, ranks = frame.layers["id"], frame.layers["id-ranks"]
    assert coverage.shape == ranks.shape == (32, 32, RANKS)
    assert coverage[16, 16, :2].tolist() == pytest.approx([0.5, 0.25], abs=2e-3)
    assert ranks[16, 16, :2].tolist() == [1, 0]
    assert torch.allclose(coverage.sum(-1), frame.alpha, atol=1e-6)
    assert (coverage.diff(dim=-1) <= 0).all()


def test_more_objects_than_are_blended_at_once_are_ranked_alike() -> None:
    rng = np.random.default_rng(4)
    splats, camera = random_splats(rng, 300), random_camera(rng)
    objects = torch.tensor(rng.integers(0, 29, len(splats)))
    frame = render_passes(splats, camera, still(splats, camera, ("id",), objects))
    one_hot = torch.nn.functional.one_hot(objects, 29).float()
    coverage = render(splats, camera, features=one_hot).features
    assert coverage is not None
    order = torch.sort(coverage, dim=-1, descending=True, stable=True)
    assert torch.equal(frame.layers["id"], order.values[..., :RANKS])
    covered = frame.layers["id"] > 0
    assert torch.equal(frame.layers["id-ranks"][covered].long(), order.indices[..., :RANKS][covered])


def test_the_other_passes_leave_beauty_as_it_is() -> None:
    rng = np.random.default_rng(2)
    splats, camera = random_splats(rng), random_camera(rng)
    frame, alone = render_passes(splats, camera, still(splats, camera)), render(splats, camera)
    assert set(frame.layers) == {*ALL, "id-ranks"}
    for name in ("beauty", "alpha", "depth"):
        assert torch.equal(getattr(frame, name), getattr(alone, name))
    assert all(torch.isfinite(layer).all() for layer in frame.layers.values())


def test_every_pass_has_the_same_bits_at_any_thread_count_and_instruction_set() -> None:
    rng = np.random.default_rng(9)
    splats, camera = random_splats(rng, 400), random_camera(rng, 70, 51)
    moved = Instant(splats.means + 0.03, random_camera(rng, 70, 51))
    objects = torch.tensor(rng.integers(0, 11, len(splats)))
    inputs = PassInputs(ALL, moved, moved, objects, 11)
    before, found = threads(), []
    try:
        for count in (1, 2, 4):
            set_threads(count)
            for name in instruction_sets():
                use_instruction_set(name)
                found.append(render_passes(splats, camera, inputs).layers)
    finally:
        set_threads(before)
        use_instruction_set()
    assert len(found) >= 3
    assert all(torch.equal(layers[name], found[0][name]) for layers in found[1:] for name in found[0])


def test_poisoned_splats_leave_no_nan_in_any_pass() -> None:
    rng = np.random.default_rng(11)
    splats, camera = random_splats(rng), random_camera(rng)
    for tensor in (splats.means, splats.quats, splats.scales, splats.opacities):
        for value in (math.nan, math.inf, -math.inf, 0.0):
            tensor[int(rng.integers(len(tensor)))] = value
    frame = render_passes(splats, camera, still(splats, camera))
    for name in ("beauty", "alpha", "depth"):
        assert torch.isfinite(getattr(frame, name)).all()
    assert all(torch.isfinite(layer).all() for layer in frame.layers.values())


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (67, 3)])
def test_odd_sizes_have_all_passes(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    splats, camera = random_splats(rng), random_camera(rng, *size)
    layers = render_passes(splats, camera, still(splats, camera)).layers
    assert all(tuple(layer.shape[:2]) == (size[1], size[0]) for layer in layers.values())


@pytest.mark.parametrize("name", ["motion", "id"])
def test_a_pass_without_what_it_needs_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        PassInputs((name,))


BENT = (Distortion("brown-conrady", (-0.2, 0.05, 0.01, -0.005)), Distortion("kannala-brandt", (0.05, -0.01)))


@pytest.mark.parametrize("distortion", BENT, ids=lambda d: d.model)
def test_what_a_pixel_looks_along_is_put_into_that_pixel(distortion: Distortion) -> None:
    camera = replace(random_camera(np.random.default_rng(6), 70, 51), distortion=distortion)
    u, v = pixels_of(camera, *rays_of(camera, slice(10, 40)))
    assert u == pytest.approx(np.broadcast_to(np.arange(70) + 0.5, (30, 70)), abs=1e-6)
    assert v == pytest.approx(np.broadcast_to((np.arange(10, 40) + 0.5)[:, None], (30, 70)), abs=1e-6)


@pytest.mark.parametrize("distortion", BENT, ids=lambda d: d.model)
def test_motion_through_a_bent_lens_ends_where_the_thing_is_drawn(distortion: Distortion) -> None:
    """A small thing off the axis: its picture's centre before and after, against what motion says."""
    camera = replace(looking_along_z(), distortion=distortion)
    thing = plates((0.15, 0.1, 2))
    thing = Splats(thing.means, thing.quats, thing.scales * 0.02, thing.opacities, thing.sh)
    moved = replace(thing, means=thing.means + torch.tensor([0.06, -0.04, 0.0]))
    frame = render_passes(
        thing, camera, PassInputs(("motion",), Instant(thing.means, camera), Instant(moved.means, camera))
    )
    centres = []
    for splats in (thing, moved):
        alpha = render(splats, camera, backend="cpu").alpha.double()
        ys, xs = torch.meshgrid(torch.arange(32.0) + 0.5, torch.arange(32.0) + 0.5, indexing="ij")
        centres.append(torch.stack([(alpha * xs).sum(), (alpha * ys).sum()]) / alpha.sum())
    way = centres[1] - centres[0]
    motion = frame.layers["motion"][frame.alpha > 0.1].mean(0)
    assert motion[:2].tolist() == pytest.approx([way[0].item(), -way[1].item()], abs=0.05)
    assert way.norm() > 3


def test_a_frame_that_does_not_fit_is_refused_with_both_sums() -> None:
    gigabyte = 1 << 30
    assert memory_needed(1000, 1000, ["motion", "id"], 1000) == 128_000_000 + 400_000
    check_memory((1000, 1000), ["motion"], 1000, gigabyte)
    check_memory((100_000, 100_000), ["motion"], 1000, None)
    with pytest.raises(NotEnoughMemoryError, match=r"8192x4320 .* \(motion, id\).*4\.2 GiB .* 1\.0 GiB are free"):
        check_memory((8192, 4320), ["motion", "id"], 1000, gigabyte)
    available = memory_available()
    assert available is None or available > 0
