"""Markers of shots: what they say, and every mistake in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_refine_keys import written

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.film.model import Marker


def test_markers_are_read_by_frame(tmp_path: Path) -> None:
    text = 'markers = [{ frame = 1010, name = "turns" }, { frame = 1002, name = "enters" }]'
    shot = load(written(tmp_path, shot=text)).shots[0]
    assert shot.markers == (Marker(1002, "enters"), Marker(1010, "turns"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('markers = [{ frame = 1002.5, name = "a" }]', "found 1002.5, expected a whole scene frame"),
        ('markers = [{ frame = 1002, name = "a" }, { frame = 1002, name = "b" }]', "a second marker on frame 1002"),
        ('markers = [{ name = "a" }]', "frame"),
        ('markers = [{ frame = 1002, name = "a", colour = 1 }]', "colour"),
        ("markers = 3", "array"),
    ],
)
def test_a_wrong_marker_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(written(tmp_path, shot=text))
