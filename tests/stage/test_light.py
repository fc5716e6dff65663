"""The cast in the light of the set: values of rooms whose light is known by hand."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY
from splatfilm.film.model import Light
from splatfilm.render import kernels
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats, compose
from splatfilm.stage.light import GREY_CARD, Probes, Surface, gather, harmonics, in_own_axes, lit, outward

LINEAR_OF_HALF = 0.21404114  # ((0.5 + 0.055) / 1.055) ^ 2.4


def wall(axis: int, at: float, shown: float, half: float = 1.5, step: float = 0.1) -> Splats:
    """A plane of opaque splats that shows one display-referred grey."""
    a, b = np.meshgrid(np.arange(-half, half + step, step), np.arange(-half, half + step, step), indexing="ij")
    means = np.zeros((a.size, 3), np.float32)
    others = [k for k in range(3) if k != axis]
    means[:, others[0]], means[:, others[1]], means[:, axis] = a.ravel(), b.ravel(), at
    scales = np.full((a.size, 3), step, np.float32)
    scales[:, axis] = 0.002
    sh = torch.zeros((a.size, 1, 3))
    sh[:] = (shown - 0.5) / SH_C0
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(a.size, 1)
    return Splats(torch.from_numpy(means), quats, torch.from_numpy(scales), torch.full((a.size,), 0.99), sh)


def room(shown: dict[tuple[int, int], float]) -> Splats:
    """Six walls 1.5 m away; `shown` by axis and sign, the others show 0.5."""
    sides = [wall(axis, 1.5 * sign, shown.get((axis, sign), 0.5)) for axis in range(3) for sign in (-1, 1)]
    return compose([(side, IDENTITY) for side in sides])


def ball(shown: float = 0.5, radius: float = 0.05) -> Splats:
    """Splats on the six axes of a small ball, thin outwards."""
    outwards = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
    scales = torch.full((6, 3), 0.02)
    scales[torch.arange(6), torch.arange(6) % 3] = 0.001
    sh = torch.full((6, 4, 3), 0.0)
    sh[:, 0] = (shown - 0.5) / SH_C0
    sh[:, 1:] = 0.1
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(6, 1)
    return Splats(torch.from_numpy(outwards * radius), quats, scales, torch.full((6,), 0.9), sh)


def colour(splats: Splats) -> np.ndarray:
    return (splats.sh[:, 0] * SH_C0 + 0.5).numpy()


def test_an_even_room_falls_evenly_on_every_side() -> None:
    found = gather(room({}), np.zeros(3), 1.0)
    falls = harmonics(np.concatenate([np.eye(3), -np.eye(3)])) @ found.coefficients
    assert falls == pytest.approx(np.full((6, 3), LINEAR_OF_HALF), abs=0.01)
    assert found.mean == pytest.approx(LINEAR_OF_HALF, abs=0.01)
    assert found.weight == 1.0


def test_the_side_towards_a_bright_wall_gets_more() -> None:
    found = gather(room({(0, 1): 0.8}), np.zeros(3), 1.0)
    right, left = harmonics(np.array([[1.0, 0, 0], [-1, 0, 0]])) @ found.coefficients
    assert right[0] > 1.5 * LINEAR_OF_HALF
    assert left[0] == pytest.approx(LINEAR_OF_HALF, abs=0.03)


def test_what_clipped_counts_as_often_as_asked() -> None:
    plain, lifted = (gather(room({(2, 1): 0.97}), np.zeros(3), gain) for gain in (1.0, 3.0))
    up = harmonics(np.array([[0.0, 0, 1]]))
    more = (up @ (lifted.coefficients - plain.coefficients))[0, 0]
    own = (up @ plain.coefficients)[0, 0]
    dark = (up @ gather(room({(2, 1): 0.0}), np.zeros(3), 1.0).coefficients)[0, 0]
    assert more == pytest.approx(2 * (own - dark), rel=0.05)
    assert lifted.mean == plain.mean


def test_a_grey_card_room_is_lit_as_the_studio_was() -> None:
    shown = 1.055 * GREY_CARD ** (1 / 2.4) - 0.055  # its surfaces send 0.18 of the light that a white card would
    sides = {(axis, sign): shown for axis in range(3) for sign in (-1, 1)}
    before = ball()
    after = lit((before,), (Surface.of(before, outward(before)),), Light(), Probes(room(sides)))[0]
    assert colour(after) == pytest.approx(colour(before), abs=0.01)


def test_a_stop_doubles_the_light_and_strength_none_changes_nothing() -> None:
    before, probes = ball(), Probes(room({}))
    none = lit((before,), (Surface.of(before, outward(before)),), Light(strength=0.0), probes)[0]
    stop = lit((before,), (Surface.of(before, outward(before)),), Light(strength=0.0, exposure=1.0), probes)[0]
    assert colour(none) == pytest.approx(colour(before), abs=1e-4)
    assert colour(stop) == pytest.approx(np.full((6, 3), 1.055 * (2 * LINEAR_OF_HALF) ** (1 / 2.4) - 0.055), abs=1e-3)


def test_only_colours_change_and_the_same_scene_gives_the_same_bits() -> None:
    before, setting = ball(), room({(1, -1): 0.9})
    first = lit((before,), (Surface.of(before, outward(before)),), Light(), Probes(setting))[0]
    known = Probes(setting)
    known.at(np.array([0.3, 0.2, -0.4]), 4.0)  # what was asked for before does not matter
    again = lit((before,), (Surface.of(before, outward(before)),), Light(), known)[0]
    assert torch.equal(first.sh, again.sh)
    for name in ("means", "quats", "scales", "opacities"):
        assert getattr(first, name) is getattr(before, name)


def test_normals_without_a_mesh_point_away_from_the_middle_and_turn_with_the_splats() -> None:
    before = ball()
    expected = np.concatenate([np.eye(3), -np.eye(3)])
    assert outward(before).numpy() == pytest.approx(expected)
    half = float(np.sqrt(0.5))
    turned = dataclasses.replace(before, quats=torch.tensor([[half, 0, 0, half]]).repeat(6, 1))  # 90 degrees about Z
    own = in_own_axes(turned, np.tile([[0.0, 1.0, 0.0]], (6, 1)))
    assert own.numpy() == pytest.approx(np.tile([[1.0, 0.0, 0.0]], (6, 1)), abs=1e-6)


def test_a_colour_is_multiplied_alike_from_every_direction() -> None:
    before = ball()
    surface, probes = Surface.of(before, outward(before)), Probes(room({}))
    after = lit((before,), (surface,), Light(strength=0.0, exposure=1.0), probes)[0]
    factor = (colour(after) / colour(before))[:, None, :]
    basis = np.array([SH_C0, 0.2, -0.4, 0.1])[None, :, None]  # of any direction
    seen = [(part.sh.numpy() * basis).sum(axis=1, keepdims=True) + 0.5 for part in (before, after)]
    assert seen[1] == pytest.approx(seen[0] * factor, abs=1e-5)


def test_what_falls_on_a_member_is_the_same_at_any_thread_count_and_instruction_set() -> None:
    rng = np.random.default_rng(5)
    many = ball().only(torch.arange(6).repeat(7000))  # more than one task of the kernels takes
    shown = torch.from_numpy(rng.uniform(-0.9, 0.9, (len(many), 1, 3)).astype(np.float32)) + many.sh
    before, probes, found = dataclasses.replace(many, sh=shown), Probes(room({(0, 1): 0.8})), []
    surface, threads = Surface.of(before, outward(before)), kernels.threads()
    try:
        for count, name in itertools.product((1, 3), kernels.instruction_sets()):
            kernels.set_threads(count)
            kernels.use_instruction_set(name)
            found.append(lit((before,), (surface,), Light(), probes)[0].sh)
    finally:
        kernels.set_threads(threads)
        kernels.use_instruction_set()
    assert all(torch.equal(one, found[0]) for one in found)
