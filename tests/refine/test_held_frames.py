"""What every refinement must keep to: bounds, broad colour, edges, strength, grain apart from texture, and guards."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from analytic_room import NAMES, correlation, view
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.cameras.lens import Lens
from splatfilm.film.model import Refine
from splatfilm.refine import grain
from splatfilm.refine.apply import Settings, reach_of_look, refine_frame, texture
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.filters import blurred, luma, reach_of
from splatfilm.refine.guards import FrameMeasures, Limits, PairMeasures, held, judge, measure_frame, moved_edges
from splatfilm.refine.looks import LOOKS, Look, Stock, look_of, look_value

SIZE = (160, 96)
SPACES = NAMES[1:]


def camera(width: int = SIZE[0], height: int = SIZE[1]) -> Camera:
    focal = width / 2 / math.tan(math.radians(30))
    return Camera(np.eye(4), focal, focal, width / 2, height / 2, width, height, lens=Lens(30.0, (36.0, 21.6)))


def bare(beauty: Tensor | None = None, scene_frame: float = 1001.0) -> BareFrame:
    """A frame of the analytic room, grey where nothing else is said."""
    anchors = view(0.0, SIZE).anchors
    surface = anchors.spaces > 0
    grey = torch.full((SIZE[1], SIZE[0], 3), 0.5) if beauty is None else beauty
    depth = torch.where(surface, anchors.footprints * camera().fx, torch.zeros(()))
    places = torch.where(surface[..., None], anchors.places, torch.zeros(()))
    flat = torch.zeros_like(places)
    alpha = surface.float()
    return BareFrame(
        grey, alpha, depth, flat, places, anchors.spaces - 1, alpha, camera(), ("room", "ball"), scene_frame, 24.0
    )


class Brighter:
    """A refiner that adds the same everywhere."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, frame: BareFrame) -> Tensor:
        return frame.beauty + self.by


class Broken:
    def __call__(self, frame: BareFrame) -> Tensor:
        return torch.full_like(frame.beauty, float("nan"))


def edge_picture(column: int) -> Tensor:  # [H, W, 3]
    picture = torch.full((SIZE[1], SIZE[0], 3), 0.2)
    picture[:, column:] = 0.8
    return picture


def test_a_blur_of_a_constant_is_that_constant_and_a_point_spreads_as_far_as_is_said() -> None:
    assert torch.allclose(blurred(torch.full((20, 30, 3), 0.4), 2.0), torch.full((20, 30, 3), 0.4), atol=1e-6)
    point = torch.zeros(41, 41)
    point[20, 20] = 1.0
    spread = blurred(point, 3.0)
    assert reach_of(3.0) == 9
    assert spread[20, 29] > 0
    assert spread[20, 30] == 0
    assert spread.sum().item() == pytest.approx(1.0, abs=1e-5)


def test_a_change_of_the_whole_picture_is_locked_out() -> None:
    frame = bare()
    look = replace(LOOKS["clean"], lock_px=8.0)
    refined = refine_frame(frame, Brighter(0.1), Settings(look, "1"), SPACES)
    assert (refined.beauty - frame.beauty).abs().max() < 1e-5


def test_no_value_moves_by_more_than_the_bound() -> None:
    frame = bare()
    generator = torch.Generator().manual_seed(1)
    wild = frame.beauty + torch.randn(frame.beauty.shape, generator=generator)
    moved = held(frame.beauty, wild, 0.1, 4.0, 1.0) - frame.beauty
    assert moved.abs().max().item() == pytest.approx(0.1, abs=1e-6)


def test_half_the_strength_is_half_the_change_and_none_is_the_bare_frame_to_the_bit() -> None:
    frame = bare()
    wanted = frame.beauty + 0.02 * torch.sin(torch.arange(SIZE[0]).float())[None, :, None]
    whole, half = (held(frame.beauty, wanted, 0.2, 8.0, amount) - frame.beauty for amount in (1.0, 0.5))
    assert torch.allclose(whole, 2 * half, atol=1e-6)
    assert held(frame.beauty, wanted, 0.2, 8.0, 0.0) is frame.beauty


def test_a_refiner_that_gives_nan_leaves_the_frame_bare_and_says_so() -> None:
    frame = bare()
    refined = refine_frame(frame, Broken(), Settings(LOOKS["clean"], "1"), SPACES)
    assert "NaN" in refined.failed
    assert torch.equal(refined.beauty, frame.beauty)


def test_an_edit_changes_nothing_beyond_the_reach() -> None:
    look = replace(LOOKS["natural"], stock=None, lock_px=2.0)
    first = bare()
    edited = first.beauty.clone()
    edited[40:48, 60:68] = 0.9
    settings = Settings(look, "1")
    one, other = (refine_frame(f, Brighter(0.05), settings, SPACES).beauty for f in (first, bare(edited)))
    reach = reach_of_look(look, 0, SIZE[0])
    assert reach == 7 + reach_of(0.5)
    rows, columns = torch.nonzero((one != other).any(-1)).unbind(-1)
    assert 40 - reach <= rows.min()
    assert rows.max() < 48 + reach
    assert 60 - reach <= columns.min()
    assert columns.max() < 68 + reach


# ---- grain and texture ------------------------------------------------------------------------------------------


def test_grain_belongs_to_the_exposure_and_texture_to_the_scene() -> None:
    stock = Stock(rms=0.03, size_mm=0.02, gate_mm=None)
    one, same, next_one = (grain.grain(stock, "1", camera(), frame) for frame in (1001.0, 1001.0, 1002.0))
    assert torch.equal(one, same)
    assert abs(correlation(one, next_one)) < 0.02
    textures = [texture(bare(scene_frame=frame), "1", SPACES) for frame in (1001.0, 1002.0)]
    assert torch.equal(*textures)
    assert textures[0].var().item() == pytest.approx(1.0, abs=0.05)


def test_grain_is_strongest_in_the_middle_and_none_in_clear_black_and_paper_white() -> None:
    shown = grain.response(torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0]))
    assert shown.tolist() == pytest.approx([0.0, 0.6, 1.0, 0.6, 0.0])


def test_blue_is_grainier_than_green_and_a_smaller_gate_has_larger_grains() -> None:
    stock = Stock(rms=0.03, size_mm=0.3, gate_mm=None)
    deviation = grain.grain(stock, "1", camera(), 1001.0).std(dim=(0, 1))
    assert deviation[2] > deviation[0] > deviation[1]
    assert deviation[0].item() == pytest.approx(0.03, rel=0.1)
    assert grain.grain_diameter(stock, camera(), 0) == pytest.approx(0.3 / 36 * 160)
    small = replace(stock, gate_mm=10.26)
    assert grain.grain_diameter(small, camera(), 0) == pytest.approx(0.3 / 10.26 * 160)


def test_a_grey_card_keeps_its_level_under_grain() -> None:
    card = torch.full((SIZE[1], SIZE[0], 3), 0.4)
    grainy = grain.exposed(card, LOOKS["sixteen-mm"].stock or Stock(0, 1, 1), "1", camera(), 1001.0)
    assert grainy.mean().item() == pytest.approx(0.4, abs=2e-3)
    assert grainy.std().item() > 0.005


# ---- guards -----------------------------------------------------------------------------------------------------


def test_a_moved_edge_is_seen_and_a_steeper_one_is_not() -> None:
    here = luma(edge_picture(80))
    soft = blurred(here, 1.5)
    assert moved_edges(soft, here) == 0.0
    assert moved_edges(soft, blurred(luma(edge_picture(82)), 1.5)) > 0.9


def test_broad_change_is_measured() -> None:
    card = torch.full((SIZE[1], SIZE[0], 3), 0.4)
    found = measure_frame(card, card + 0.03, 8.0)
    assert found.colour == pytest.approx(0.03, abs=1e-4)
    assert found.largest == pytest.approx(0.03, abs=1e-6)


def test_a_verdict_names_the_frame_and_the_reason() -> None:
    good, bad = FrameMeasures(0.1, 0.001, 0.0), FrameMeasures(0.1, 0.05, 0.0)
    limits = Limits(bound=0.2)
    assert judge({1001: good}, [], limits).holds
    verdict = judge({1001: good, 1002: bad}, [(1001, PairMeasures("the next frame", 0.01, 0.02, 0.8))], limits)
    assert not verdict.holds
    assert "scene frame 1002" in verdict.failures[0]
    assert "the next frame" in verdict.failures[1]


# ---- looks ------------------------------------------------------------------------------------------------------


def test_off_is_no_look_and_a_looks_name_decides_no_pixel() -> None:
    assert look_of(Refine("off")) is None
    assert look_of(Refine("clean", strength=0.0)) is None
    natural = look_of(Refine("natural", grain=2.0))
    assert natural is not None
    assert natural.stock is not None
    assert natural.stock.rms == pytest.approx(2 * 0.008)
    assert look_of(Refine("natural", grain=0.0)) == replace(LOOKS["natural"], stock=None)
    assert look_value(Look("clean"), "1") == look_value(Look("natural"), "1")
    assert look_value(Look("clean"), "1") != look_value(Look("clean"), "2")
