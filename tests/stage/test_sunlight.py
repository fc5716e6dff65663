"""The sun on what hangs on a mesh: shadows where geometry has them, and normals of the mesh as it stands."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY, multiply, quaternion_about
from splatfilm.film.model import Lamp
from splatfilm.render import kernels
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.actor import Carried, bound_layer
from splatfilm.stage.deform import Carriers
from splatfilm.stage.deform import carried as carried_points
from splatfilm.stage.normals import footing, splat_normals
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import ProxyMesh, Rig, parts_named
from splatfilm.stage.rigs.skeleton import Joint, Skeleton, rest_pose
from splatfilm.stage.rigs.winding import wound_outwards
from splatfilm.stage.sunlight import Figure, Proxy, Sunlight, Sunlit

ADA = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
WAY = np.array([0.6, 0.0, -0.8])  # the sun's, in by a window in the wall x = -2
WINDOW = {"position": (-2.0, 0.0, 2.5), "facing": (1.0, 0.0, 0.0), "size": (1.0, 1.0)}
SUN = Lamp("sun", math.pi, direction=tuple(WAY.tolist()), **WINDOW)  # type: ignore[arg-type]
CELL = 0.02


def plate(height: float, x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
    """Corners [T, 3, 3] of a level rectangle that faces up."""
    across = [np.arange(low, high + CELL / 2, CELL) for low, high in (x, y)]
    grid = np.stack(np.meshgrid(*across, [height], indexing="ij"), axis=-1)[:, :, 0]
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)


def rig_of(*pieces: np.ndarray) -> Rig:
    """Pieces [T, 3, 3], each a part of its own, on one joint."""
    vertices = np.concatenate(pieces).reshape(-1, 3)
    count = len(vertices)
    weights = np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (count, 1))
    part = np.repeat(np.arange(len(pieces), dtype=np.int32), [len(piece) for piece in pieces])
    triangles = np.arange(count, dtype=np.int32).reshape(-1, 3)
    names = tuple(f"part{k}" for k in range(len(pieces)))
    mesh = ProxyMesh(vertices, triangles, np.zeros((count, 4), dtype=np.int32), weights, names, part)
    return Rig(Skeleton((Joint("root", -1, (0, 0, 0), (1, 0, 0, 0), (1, 1, 1)),)), np.eye(4)[None], mesh)


def balls(points: np.ndarray, size: float = 0.005) -> Splats:
    count = len(points)
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1)
    means = torch.from_numpy(points.astype(np.float32))
    return Splats(means, quats, torch.full((count, 3), size), torch.full((count,), 0.99), torch.zeros(count, 1, 3))


FLOOR, SHELF = plate(0.0, (-0.5, 1.5), (-0.8, 0.8)), plate(0.4, (-0.4, -0.1), (-0.3, 0.3))
ROOM = rig_of(FLOOR, SHELF)
FAR_AWAY = balls(np.array([[50.0, 50.0, 50.0]]))
X, Y = (part.ravel() for part in np.meshgrid(np.arange(-0.45, 1.45, 0.01), np.arange(-0.7, 0.7, 0.01), indexing="ij"))


def on_the_floor(setting: Splats, parts: tuple[str, ...] = ("part0", "part1")) -> Sunlit:
    """The sun on splats all over the floor."""
    splats = balls(np.stack([X, Y, np.zeros_like(X)], axis=1))
    foot = footing(ROOM, splats, ("part0",))
    proxy, (feet,) = Proxy.of(ROOM, [foot], [parts])
    figure = Figure.of(proxy, Carried.by(ROOM, rest_pose(ROOM.skeleton), IDENTITY))
    maps = figure.maps(SUN, [parts])
    assert maps is not None
    return Sunlight.of((SUN,), setting).on(feet, splats, figure, {SUN: maps[0]})


def shares(sunlit: Sunlit) -> np.ndarray:
    return sunlit.reach[0].ravel()[: len(X)]


def before_the_floor(height: float) -> tuple[np.ndarray, np.ndarray]:
    """Where on a level above it the light comes through that falls on each place of the floor."""
    return X - WAY[0] / -WAY[2] * height, Y


def in_the_beam(margin: float) -> np.ndarray:
    """Places whose light comes in by the window, `margin` inside of its frame (or, below 0, outside)."""
    back = (X + 2.0) / WAY[0]
    z = -WAY[2] * back  # of the window's plane, above the floor
    return (np.abs(z - 2.5) < 0.5 - margin) & (np.abs(Y) < 0.5 - margin)


def test_the_sun_falls_through_its_window_and_a_shelf_throws_its_shadow() -> None:
    lit = shares(on_the_floor(FAR_AWAY))
    x, y = before_the_floor(0.4)
    inside = (x > -0.4 + 0.02) & (x < -0.1 - 0.02) & (np.abs(y) < 0.3 - 0.02)
    outside = (x < -0.4 - 0.02) | (x > -0.1 + 0.02) | (np.abs(y) > 0.3 + 0.02)
    bright, dark = in_the_beam(0.05), ~in_the_beam(-0.01)
    assert (inside & bright).sum() > 500 and (outside & bright).sum() > 3000 and dark.sum() > 3000
    assert (lit[inside & bright] == 0).all()
    assert (lit[outside & bright] == 1).all()
    assert (lit[dark] == 0).all()
    alone = shares(on_the_floor(FAR_AWAY, ("part0",)))
    assert (alone[bright] == 1).all()


def test_the_bars_of_a_window_share_its_sun_out() -> None:
    """A bar 6 cm high across the window, of splats."""
    y, z = np.meshgrid(np.arange(-1, 1, 0.006), np.arange(2.47, 2.5301, 0.006), indexing="ij")
    bar = balls(np.stack([np.full(y.size, -1.95), y.ravel(), z.ravel()], axis=1), 0.004)
    lit = shares(on_the_floor(bar, ("part0",)))
    back = (X + 1.95) / WAY[0]
    crossing = -WAY[2] * back  # the height at which light passes the bar
    bright = in_the_beam(0.05)
    assert (lit[bright & (np.abs(crossing - 2.5) < 0.015)] < 0.1).all()
    assert (lit[bright & (np.abs(crossing - 2.5) > 0.065)] == 1).all()
    assert (bright & (np.abs(crossing - 2.5) < 0.015)).sum() > 100


def test_what_is_at_the_glass_itself_is_haze() -> None:
    y, z = np.meshgrid(np.arange(-0.6, 0.6, 0.01), np.arange(1.9, 3.1, 0.01), indexing="ij")
    glass = balls(np.stack([np.full(y.size, -1.98), y.ravel(), z.ravel()], axis=1), 0.01)
    assert np.array_equal(shares(on_the_floor(glass, ("part0",))), shares(on_the_floor(FAR_AWAY, ("part0",))))


def test_a_beam_that_misses_the_figure_is_not_looked_at() -> None:
    proxy, _ = Proxy.of(ROOM, [], [("part0",)])
    figure = Figure.of(proxy, Carried.by(ROOM, rest_pose(ROOM.skeleton), IDENTITY))
    aside = dataclasses.replace(SUN, position=(-2.0, 9.0, 2.5))
    assert figure.maps(aside, [("part0",)]) is None and figure.maps(SUN, [("part0",)]) is not None


def test_cloth_that_an_arm_pulls_faces_as_the_mesh_does_then() -> None:
    """On the real rig: normals of the posed mesh's own triangles; bones alone turn those of a sleeve elsewhere."""
    rig = load_rig(ADA)
    assert rig.mesh is not None
    own = wound_outwards(rig)[parts_named(rig.mesh, ("gown",))]
    corners = rig.mesh.vertices[own]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middle = corners.mean(axis=1)
    rest = rest_pose(rig.skeleton)
    arm = rig.skeleton.index("arm.left")
    side = np.sign(rig.bind_positions[arm][0])
    sleeve = (side * middle[:, 0] > 0.15) & (np.linalg.norm(across, axis=1) > 1e-9)
    splats = balls(middle[sleeve])
    foot = footing(rig, splats, ("gown",))
    proxy, (feet,) = Proxy.of(rig, [foot], [])
    raised = np.array(rest.rotations)
    raised[arm] = multiply(quaternion_about((0, 1, 0), -1.8), raised[arm])
    carried = Carried.by(rig, dataclasses.replace(rest, rotations=raised), IDENTITY)
    figure = Figure.of(proxy, carried)
    ids = own[sleeve].ravel()
    carriers = Carriers(
        torch.from_numpy(rig.mesh.joints[ids].astype(np.int32)),
        torch.from_numpy(rig.mesh.weights[ids].astype(np.float32)),
    )
    at_rest = torch.from_numpy(rig.mesh.vertices[ids].astype(np.float32))
    now = carried_points(at_rest, carriers, carried.bones).numpy().reshape(-1, 3, 3)
    true = np.cross(now[:, 1] - now[:, 0], now[:, 2] - now[:, 0])
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    found = figure.facing(feet, splats.quats.numpy())
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    still = splat_normals(rig, splats, ("gown",))
    assert still is not None
    seen = (still * across[sleeve]).sum(axis=1) > 0
    turns = rotation_matrices(bound_layer(rig, splats, "x", ("gown",), None).moved(carried).quats).numpy()
    by_bones = np.einsum("nij,nj->ni", turns, still)
    ours, theirs = (np.degrees(np.arccos(np.clip((n * true).sum(axis=1)[seen], -1, 1))) for n in (found, by_bones))
    assert seen.sum() > 1000 and np.median(ours) < 8 and ours.mean() < 0.85 * theirs.mean()


def test_at_rest_the_figure_faces_as_splats_are_known_to() -> None:
    rig = load_rig(ADA)
    assert rig.mesh is not None
    points = rig.mesh.vertices[::61]
    rng = np.random.default_rng(3)
    quats = rng.normal(size=(len(points), 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    scales = rng.uniform(0.002, 0.01, (len(points), 3))
    splats = dataclasses.replace(
        balls(points),
        quats=torch.from_numpy(quats.astype(np.float32)),
        scales=torch.from_numpy(scales.astype(np.float32)),
    )
    proxy, (feet,) = Proxy.of(rig, [footing(rig, splats, ())], [])
    found = Figure.of(proxy, Carried.by(rig, rest_pose(rig.skeleton), IDENTITY)).facing(feet, splats.quats.numpy())
    known = splat_normals(rig, splats, ())
    assert known is not None and ((found * known).sum(axis=1) > 0.999).mean() > 0.99


def box(inwards: bool) -> np.ndarray:
    """A closed cube [12, 3, 3]."""
    sides = []
    for axis, sign in itertools.product(range(3), (-1.0, 1.0)):
        u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        middle = sign * np.eye(3)[axis]
        square = [middle + a * u + b * v for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        square = square[:: 1 if (sign > 0) != inwards else -1]
        sides += [[square[0], square[1], square[2]], [square[0], square[2], square[3]]]
    return np.array(sides) * 0.1


def test_closed_pieces_are_wound_outwards_and_open_ones_left() -> None:
    lid = plate(0.0, (-0.1, 0.1), (-0.1, 0.1))[:, ::-1]
    rig = rig_of(box(inwards=True), box(inwards=False) + 1.0, lid + 3.0)
    found = wound_outwards(rig)
    assert rig.mesh is not None
    for part, turned in (("part0", True), ("part1", False), ("part2", False)):
        own = parts_named(rig.mesh, (part,))
        same = np.array_equal(found[own], rig.mesh.triangles[own])
        assert same != turned, part


def test_the_same_bits_at_any_thread_count_and_instruction_set() -> None:
    found, threads = [], kernels.threads()
    try:
        for count, name in itertools.product((1, 3), kernels.instruction_sets()):
            kernels.set_threads(count)
            kernels.use_instruction_set(name)
            found.append(on_the_floor(FAR_AWAY))
    finally:
        kernels.set_threads(threads)
        kernels.use_instruction_set()
    for other in found[1:]:
        assert np.array_equal(other.reach, found[0].reach) and np.array_equal(other.facing, found[0].facing)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="a corner that is no vertex"):
        kernels.extension().Triangles(np.array([[0, 1, 7]], dtype=np.int32), 3)
    proxy, _ = Proxy.of(ROOM, [], [("part0",)])
    with pytest.raises(ValueError, match="vertices must have shape"):
        proxy.around.with_normals(np.zeros((1, 3), dtype=np.float32), np.zeros((1, 6), dtype=np.float32))
