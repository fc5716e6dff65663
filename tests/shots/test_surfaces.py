"""The surface of a character's layers, given to those who learn them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.rigid import Similarity
from splatfilm.capture import Capture, SparsePoints
from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.shots.surfaces import surface_key, with_surface

MORNING = Path(__file__).resolve().parents[2] / "cameras" / "morning" / "film.toml"


@pytest.fixture(scope="module")
def film() -> Film:
    return load(MORNING)


def capture(*points: tuple[float, float, float]) -> Capture:
    found = np.array(points, np.float32)
    return Capture(Path("ada"), (), SparsePoints(found, np.zeros(found.shape, np.uint8)))


def test_layers_that_share_a_reconstruction_share_a_surface_and_others_have_their_own(film: Film) -> None:
    layers = film.assets["ada"].layers
    keys = {name: surface_key(film, "ada", layer) for name, layer in layers.items()}
    assert keys["body"] == keys["hair"] == keys["pyjamas"] is not None
    assert keys["gown"] not in (None, keys["body"])


def test_a_layer_that_stands_elsewhere_has_another_surface(film: Film) -> None:
    gown = film.assets["ada"].layers["gown"]
    moved = dataclasses.replace(gown, place=Similarity((1.0, 0.0, 0.0, 0.0), (0.1, 0.0, 0.0)))
    assert surface_key(film, "ada", moved) != surface_key(film, "ada", gown)


def test_a_part_that_the_mesh_lacks_gives_no_surface(film: Film) -> None:
    gown = dataclasses.replace(film.assets["ada"].layers["gown"], mesh=("cape",))
    assert surface_key(film, "ada", gown) is None


def test_points_of_the_mesh_stand_in_the_captures_world_beside_those_that_were_found(film: Film) -> None:
    gown = film.assets["ada"].layers["gown"]
    # The rig's space is the capture's, turned a half about Z, doubled and moved.
    placed = dataclasses.replace(gown, place=Similarity((0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 2.0))
    plain = with_surface(capture((0.0, -0.17, 1.0)), film, "ada", gown).points
    other = with_surface(capture((0.0, 0.085, 0.5)), film, "ada", placed).points
    assert plain is not None and plain.normals is not None and other is not None and other.normals is not None
    assert not plain.normals[0].any() and plain.normals[1:].any(axis=1).all()
    np.testing.assert_allclose(other.positions[1:] * [-2, -2, 2], plain.positions[1:], atol=1e-5)
    np.testing.assert_allclose(other.normals[1:] * [-1, -1, 1], plain.normals[1:], atol=1e-5)


def test_a_capture_in_another_place_than_the_rig_is_left_as_it_is(film: Film) -> None:
    given = capture((3.0, 0.0, 1.0), (3.1, 0.0, 1.2), (0.0, -0.17, 1.0))
    assert with_surface(given, film, "ada", film.assets["ada"].layers["gown"]) is given
