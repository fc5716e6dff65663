"""Contact shadows: what stands on a floor darkens it, and keeps everything out of reach as it was, to the bit."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY
from splatfilm.film.model import Contact
from splatfilm.render import kernels
from splatfilm.splats import Splats, compose
from splatfilm.stage.contact import CELLS_ACROSS, Body, Geometry, Known, darkened, diagonal, patches, visibility

STRONG = Contact(strength=1.0, radius=0.4)
FACING = {0: (0.7071068, 0.0, -0.7071068, 0.0), 1: (0.7071068, 0.7071068, 0.0, 0.0), 2: (1.0, 0.0, 0.0, 0.0)}
"""Quaternions that turn a disc whose thin axis is Z to face along X, Y and Z."""


def sheet(axis: int, at: float, low: tuple[float, float], high: tuple[float, float], step: float = 0.02) -> Splats:
    """Flat splats side by side in a plane across `axis`."""
    a, b = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step), indexing="ij")
    means = np.zeros((a.size, 3), np.float32)
    others = [k for k in range(3) if k != axis]
    means[:, others[0]], means[:, others[1]], means[:, axis] = a.ravel(), b.ravel(), at
    count = len(means)
    return Splats(
        torch.from_numpy(means),
        torch.tensor([FACING[axis]]).expand(count, 4).contiguous(),
        torch.tensor([[0.6 * step, 0.6 * step, 0.001]]).expand(count, 3).contiguous(),
        torch.full((count,), 0.95),
        torch.full((count, 4, 3), 0.2),
    )


def together(*parts: Splats) -> Splats:
    return compose([(part, IDENTITY) for part in parts])


def geometry(splats: Splats) -> Geometry:
    return splats.means, splats.quats, splats.scales, splats.opacities


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Splats:
    sides = []
    for axis in range(3):
        rest = [k for k in range(3) if k != axis]
        for at in (low[axis], high[axis]):
            begin, end = (low[rest[0]], low[rest[1]]), (high[rest[0]] + 0.01, high[rest[1]] + 0.01)
            sides.append(sheet(axis, at, begin, end))
    return together(*sides)


FLOOR = sheet(2, 0.0, (-1.5, -1.5), (1.5, 1.5), 0.04)


def kept_by(thing: Splats, contact: Contact = STRONG, setting: Splats = FLOOR) -> tuple[Splats, np.ndarray]:
    scene = together(setting, thing)
    body = Body(slice(0, len(thing)), diagonal(thing))
    return scene, visibility(setting, geometry(thing), [body], contact).numpy()


def at(scene: Splats, kept: np.ndarray, rows: slice, point: tuple[float, float, float], within: float = 0.04) -> float:
    away = np.linalg.norm(scene.means[rows].numpy() - np.array(point), axis=1)
    return float(kept[rows][away < within].mean())


def test_a_floor_is_dark_below_a_box_and_lighter_the_farther_from_it() -> None:
    scene, kept = kept_by(box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5)))
    floor = slice(0, len(FLOOR))
    along = [at(scene, kept, floor, (x, 0.0, 0.0)) for x in (0.0, 0.24, 0.32, 0.44)]
    assert along[0] < 0.4
    assert along[0] < along[1] < along[2] < along[3] <= 1
    # A wall that meets a floor hides half of the sky from it at the foot of the wall; with the fade it is less.
    assert 0.45 < along[1] < 0.85


def test_a_shadow_is_as_symmetrical_as_what_casts_it() -> None:
    scene, kept = kept_by(box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5)))
    floor = slice(0, len(FLOOR))
    around = [at(scene, kept, floor, p) for p in ((0.28, 0, 0), (-0.28, 0, 0), (0, 0.28, 0), (0, -0.28, 0))]
    assert max(around) - min(around) < 0.05


def test_what_is_out_of_reach_keeps_its_bits() -> None:
    thing = box((-0.1, -0.1, 0.005), (0.1, 0.1, 0.2))
    scene, kept = kept_by(thing)
    reach = min(STRONG.radius, diagonal(thing))
    means = scene.means.numpy()
    outside = np.maximum(np.abs(means) - np.array([0.1, 0.1, 0.2]), 0)
    far = np.linalg.norm(outside, axis=1) > reach + 0.05
    assert far.sum() > 1000 and (kept[far] == 1).all()
    dark = darkened(scene, torch.from_numpy(kept))
    assert torch.equal(dark.sh[torch.from_numpy(far)], scene.sh[torch.from_numpy(far)])
    assert dark.means is scene.means and dark.opacities is scene.opacities


def test_a_thing_is_darkened_where_it_faces_the_floor_and_not_on_its_top() -> None:
    lifted = box((-0.2, -0.2, 0.08), (0.2, 0.2, 0.5))
    scene, kept = kept_by(lifted)
    own = slice(len(FLOOR), len(scene))
    below, top = at(scene, kept, own, (0, 0, 0.08)), at(scene, kept, own, (0, 0, 0.5))
    foot, shoulder = at(scene, kept, own, (0.2, 0, 0.14)), at(scene, kept, own, (0.2, 0, 0.46))
    assert below < 0.5 and top == 1
    assert below < foot < shoulder


def test_nothing_shines_dark_through_a_wall() -> None:
    wall = together(sheet(0, 0.30, (-1, 0), (1, 1), 0.03), sheet(0, 0.42, (-1, 0), (1, 1), 0.03))
    scene, kept = kept_by(box((-0.2, -0.2, 0.3), (0.2, 0.2, 0.7)), setting=wall)
    rows = slice(0, len(wall))
    near, behind = at(scene, kept, rows, (0.30, 0, 0.5)), at(scene, kept, rows, (0.42, 0, 0.5))
    assert near < 0.75
    assert behind > 0.88


def test_strength_and_radius_are_dials() -> None:
    thing = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5))
    scene, full = kept_by(thing)
    _, half = kept_by(thing, Contact(0.5, 0.4))
    _, none = kept_by(thing, Contact(0.0, 0.4))
    _, short = kept_by(thing, Contact(1.0, 0.15))
    assert np.allclose(1 - half, 0.5 * (1 - full), atol=1e-6)
    assert (none == 1).all()
    assert darkened(scene, torch.from_numpy(none)) is scene
    assert (short < 1).sum() < (full < 1).sum()


def test_light_is_halved_as_display_values_are_multiplied_by_its_root() -> None:
    one = dataclasses.replace(sheet(2, 0.0, (0, 0), (0.02, 0.02)), sh=torch.full((1, 1, 3), 0.3))
    dark = darkened(one, torch.tensor([0.25]))
    colour = 0.28209479177387814 * 0.3 + 0.5
    assert torch.allclose(0.28209479177387814 * dark.sh[0, 0] + 0.5, torch.full((3,), 0.5 * colour), atol=1e-6)


def test_neighbours_of_a_set_that_face_one_way_share_a_shadow_and_others_do_not() -> None:
    thing = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5))
    cell = diagonal(thing) / CELLS_ACROSS
    corner = math.floor(0.26 / (0.75 * cell)) * 0.75 * cell  # of a patch: three quarters of a cell
    places = corner + cell * np.array([0.1, 0.3, 0.6, 0.9])
    row = sheet(2, 0.0, (0, 0), (0.07, 0.02))
    means = torch.from_numpy(np.stack([places, places * 0 + 0.3 * cell, places * 0 + 0.3 * cell], 1).astype(np.float32))
    one = dataclasses.replace(row.only(torch.zeros(4, dtype=torch.int64)), means=means)
    kept = kept_by(thing, setting=one)[1][:4]
    assert kept[0] == kept[1] == kept[2] != kept[3] and kept.max() < 1
    turned = dataclasses.replace(one, quats=torch.tensor([FACING[2], FACING[0], FACING[2], FACING[2]]))
    kept = kept_by(thing, setting=turned)[1][:4]
    assert kept[0] == kept[2] != kept[1]


def test_no_bit_depends_on_threads_or_instruction_set() -> None:
    thing = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5))
    before, hashes = kernels.threads(), set()
    try:
        for count, name in itertools.product((1, 2, 5), kernels.instruction_sets()):
            kernels.set_threads(count)
            kernels.use_instruction_set(name)
            hashes.add(hashlib.sha256(kept_by(thing)[1].tobytes()).hexdigest())
    finally:
        kernels.set_threads(before)
        kernels.use_instruction_set()
    assert len(hashes) == 1


def test_a_body_that_stands_still_keeps_its_shadow_until_something_in_its_reach_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thing, other = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5)), box((0.3, 0.3, 0.005), (0.4, 0.4, 0.1))
    calls: list[str] = []
    real, surroundings, occluder = kernels.extension(), kernels.extension().Surroundings, kernels.extension().Occluder

    class Counting:
        bounds, patches = staticmethod(real.bounds), staticmethod(real.patches)
        keep, keep_patches = staticmethod(real.keep), staticmethod(real.keep_patches)

        class Surroundings:
            def __init__(self, *given: object) -> None:
                self.real = surroundings(*given)

            def contact(self, one: Any, *given: object) -> object:
                calls.append("contact")
                return self.real.contact(one.real, *given)

        class Occluder:
            def __init__(self) -> None:
                self.real = occluder()

            def fill(self, *given: object) -> None:
                self.real.fill(*given)

            def shade(self, *given: object) -> object:
                calls.append("shade")
                return self.real.shade(*given)

    monkeypatch.setattr(kernels, "extension", lambda: Counting)
    known = Known()

    def told(aside: float, standing: str) -> list[str]:
        moved = dataclasses.replace(other, means=other.means + torch.tensor([aside, 0.0, 0.0]))
        cast, end = together(thing, moved), len(thing)
        bodies = [Body(slice(0, end), 0.8, "box"), Body(slice(end, len(cast)), 0.2, standing)]
        fresh = visibility(FLOOR, geometry(cast), bodies, STRONG).numpy()
        calls.clear()
        assert (visibility(FLOOR, geometry(cast), bodies, STRONG, known).numpy() == fresh).all()
        return list(calls)

    assert told(0.0, "near") == ["contact", "shade", "contact", "shade"]
    assert told(0.0, "near") == []
    assert told(0.02, "elsewhere") == ["shade", "contact", "shade"]  # the box and the floor are as they were
    assert told(1.5, "far") == ["contact"]  # out of one another's reach


def test_patches_are_found_at_rest_and_know_which_side_is_outside() -> None:
    layers = [sheet(2, float(z), (-0.1, -0.1), (0.1, 0.1), 0.004) for z in np.arange(0.04, 0.24, 0.01)]
    thing, count = together(*layers), len(layers[0])
    found = patches([thing])
    assert (found.patch >= 0).all() and found.patch.max() + 1 == len(found.rows) < len(thing)
    areas = np.prod(thing.scales.numpy()[:, :2], axis=1) * thing.opacities.numpy()
    assert found.areas.sum() == pytest.approx(areas.sum(), rel=1e-5)
    inner = np.abs(layers[0].means.numpy()[:, :2]).max(axis=1) < 0.06
    outside = found.sides[found.patch]  # the thin axis of all of them points up
    assert (outside[:count][inner] < -0.9).all() and (outside[-count:][inner] > 0.9).all()
    body = Body(slice(0, len(thing)), diagonal(thing), patches=found)
    own = visibility(FLOOR, geometry(thing), [body], STRONG).numpy()
    assert (own == kept_by(thing)[1]).all()  # it stands as it rests
    inside_out = dataclasses.replace(body, patches=dataclasses.replace(found, sides=-found.sides))
    told = visibility(FLOOR, geometry(thing), [inside_out], STRONG).numpy()
    lowest = slice(len(FLOOR), len(FLOOR) + count)
    assert (told[lowest][inner] == 1).all() and own[lowest][inner].max() < 0.7


def test_what_is_not_to_be_seen_is_of_no_patch() -> None:
    thing = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5))
    hidden = torch.arange(len(thing)) % 3 == 0
    found = patches([dataclasses.replace(thing, opacities=torch.where(hidden, 0.0, thing.opacities))])
    assert ((found.patch < 0) == hidden.numpy()).all()
    assert not hidden.numpy()[found.rows].any()


def test_a_shadow_does_not_depend_on_what_was_looked_at_before() -> None:
    thing, known, hashes = box((-0.2, -0.2, 0.005), (0.2, 0.2, 0.5)), Known(), []
    for aside in (0.0, 0.13, 0.31, 0.62, 0.31, 0.0):
        moved = dataclasses.replace(thing, means=thing.means + torch.tensor([aside, 0.5 * aside, 0.0]))
        body = Body(slice(0, len(moved)), 0.8, aside)
        alone = visibility(FLOOR, geometry(moved), [body], STRONG).numpy()
        assert (visibility(FLOOR, geometry(moved), [body], STRONG, known).numpy() == alone).all()
        hashes.append(hashlib.sha256(alone.tobytes()).hexdigest())
    assert hashes[0] == hashes[5] and hashes[2] == hashes[4] and len(set(hashes)) == 4


@pytest.mark.parametrize("low", [[0, 0], [0, 0, 0, 0]])
def test_a_lattice_that_is_none_is_refused(low: list[int]) -> None:
    parts = [kernels.array(p) for p in (FLOOR.means, FLOOR.quats, FLOOR.scales, FLOOR.opacities)]
    occluder, rows, areas = kernels.extension().Occluder(), np.arange(3), np.ones(3, np.float32)
    with pytest.raises(ValueError, match="three sides"):
        occluder.fill(*parts, 0, rows, areas, low, [8, 8, 8], 0.02, 0.1)
    with pytest.raises(ValueError, match="1024 cells"):
        occluder.fill(*parts, 0, rows, areas, [0, 0, 0], [8, 8, 5000], 0.02, 0.1)
    with pytest.raises(ValueError, match="rows of the cast"):
        occluder.fill(*parts, len(FLOOR) - 2, rows, areas, [0, 0, 0], [8, 8, 8], 0.02, 0.1)
    with pytest.raises(ValueError, match="filled before"):
        kernels.extension().Surroundings(*parts).contact(occluder, *parts, 0, rows, areas)
