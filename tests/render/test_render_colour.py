"""Colour after compositing, against values of the standards."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from splatfilm.film.model import COLOURS as COLOURS_OF_FILMS
from splatfilm.render.colour import (
    AP1,
    COLOURS,
    REC709,
    REC709_TO_ACESCG,
    apply,
    linear_from_srgb,
    rgb_to_rgb,
    scene_linear,
    srgb_from_linear,
)


def test_the_srgb_curve_is_the_piecewise_one_of_the_standard() -> None:
    encoded = np.array([0.0, 0.04045, 0.5, 1.0, 2.0, -0.5])
    expected = [0.0, 0.04045 / 12.92, 0.21404114048223255, 1.0, ((2.0 + 0.055) / 1.055) ** 2.4, -0.21404114048223255]
    assert linear_from_srgb(encoded) == pytest.approx(expected, rel=1e-7)
    assert srgb_from_linear(np.array(expected)) == pytest.approx(encoded, rel=1e-6)


@pytest.mark.parametrize("highest", [1.0, 4.0, 5.0, 900.0])
def test_there_and_back_is_the_identity(highest: float) -> None:
    linear = np.linspace(0.0, highest, 5001)
    assert linear_from_srgb(srgb_from_linear(linear)) == pytest.approx(linear, rel=2e-6, abs=1e-7)


def test_every_eight_bit_value_survives_the_way_to_half_floats_and_back() -> None:
    levels = np.arange(256) / 255
    stored = linear_from_srgb(levels).astype(np.float16)
    assert np.array_equal(np.round(srgb_from_linear(stored) * 255), np.arange(256))


def test_a_value_does_not_depend_on_its_neighbours() -> None:
    values = np.random.default_rng(1).uniform(0, 9, 40_001)
    together = linear_from_srgb(values)
    assert np.array_equal(together[::97], [linear_from_srgb(values[i : i + 1])[0] for i in range(0, len(values), 97)])


def test_the_matrix_to_acescg_is_the_published_one() -> None:
    """Bradford-adapted Rec.709 to AP1, as OpenColorIO's ACES configurations and Colour have it."""
    published = [
        [0.613097, 0.339523, 0.047379],
        [0.070194, 0.916354, 0.013452],
        [0.020616, 0.109570, 0.869815],
    ]
    assert np.array(REC709_TO_ACESCG) == pytest.approx(np.array(published), abs=2e-6)


def test_white_stays_white_and_the_way_back_is_the_inverse() -> None:
    assert [sum(row) for row in REC709_TO_ACESCG] == pytest.approx([1, 1, 1], abs=1e-12)
    product = np.array(rgb_to_rgb(AP1, REC709)) @ np.array(REC709_TO_ACESCG)
    assert product == pytest.approx(np.eye(3), abs=1e-12)


def test_colour_is_converted_without_its_coverage() -> None:
    """Half-covered mid grey is premultiplied 0.25: 0.5 is linear 0.21404, of which half is covered."""
    beauty = np.full((1, 1, 3), 0.25, np.float32)
    alpha = np.full((1, 1), 0.5, np.float32)
    assert scene_linear(beauty, alpha, "linear-srgb")[0, 0] == pytest.approx([0.10702057] * 3, rel=1e-6)
    red = scene_linear(np.array([[[1.0, 0, 0]]], np.float32), np.ones((1, 1), np.float32), "acescg")[0, 0]
    assert red == pytest.approx([0.613097, 0.070194, 0.020616], abs=2e-6)


def test_nothing_is_nothing() -> None:
    nothing = scene_linear(np.zeros((2, 2, 3), np.float32), np.zeros((2, 2), np.float32), "acescg")
    assert not nothing.any()


def test_a_matrix_is_applied_to_every_pixel() -> None:
    swap = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (2.0, 0.0, 0.0))
    assert apply(swap, np.array([[1.0, 2.0, 3.0]])).tolist() == [[2.0, 3.0, 2.0]]


def test_films_may_ask_for_exactly_these_colours() -> None:
    assert COLOURS_OF_FILMS == COLOURS


def test_colour_needs_no_torch() -> None:
    code = "import sys, splatfilm.render.colour; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
