"""`capture.toml` and sparse points: what is read, and what is refused where."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.capture.model import Sheet
from splatfilm.capture.points import read_points
from splatfilm.capture.sheet import read_sheet, to_world

ASCII = (
    "ply\nformat ascii 1.0\nelement vertex {n}\n"
    "property float x\nproperty float y\nproperty float z\n{more}end_header\n"
)
COLOURS = "property uchar red\nproperty uchar green\nproperty uchar blue\n"


def sheet(folder: Path, text: str) -> Sheet:
    (folder / "capture.toml").write_text(text)
    return read_sheet(folder)


def test_a_capture_without_a_sheet_is_in_metres_with_z_up(tmp_path: Path) -> None:
    assert read_sheet(tmp_path) == Sheet()
    assert np.array_equal(to_world(Sheet()), np.eye(4))


def test_a_sheet_is_read_whole(tmp_path: Path) -> None:
    found = sheet(tmp_path, 'kind = "prop"\nscale = 0.01\nup = "-y"\nauthor = "A"\nlicence = "CC0"\n[notes]\nx = 1\n')
    assert found == Sheet("prop", 0.01, "-y", "A", "CC0")


def test_every_problem_of_a_sheet_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        sheet(tmp_path, 'kind = "pop"\nscale = -1\nup = "w"\nlicense = "CC0"\n')
    assert {p.place for p in caught.value.problems} == {"kind", "scale", "up", "license"}
    assert 'did you mean "prop"' in str(caught.value)
    assert 'did you mean "licence"' in str(caught.value)


@pytest.mark.parametrize("up", ["x", "-x", "y", "-y", "z", "-z"])
def test_the_up_axis_goes_to_z_by_a_rotation(up: str) -> None:
    world = to_world(Sheet(up=up, scale=2.0))  # type: ignore[arg-type]
    axis = np.zeros(3)
    axis["xyz".index(up[-1])] = -1 if up[0] == "-" else 1
    assert world[:3, :3] @ axis == pytest.approx([0, 0, 2])
    assert np.linalg.det(world[:3, :3]) == pytest.approx(8)


def test_points_in_text_are_read(tmp_path: Path) -> None:
    path = tmp_path / "p.ply"
    path.write_text(ASCII.format(n=2, more=COLOURS) + "1 2 3 255 0 10\n-1 0.5 0 1 2 3\n")
    points = read_points(path)
    assert points.positions.tolist() == [[1, 2, 3], [-1, 0.5, 0]]
    assert points.colours.tolist() == [[255, 0, 10], [1, 2, 3]]


@pytest.mark.parametrize(("name", "mark"), [("binary_little_endian", "<"), ("binary_big_endian", ">")])
def test_points_in_binary_of_either_order_are_read(tmp_path: Path, name: str, mark: str) -> None:
    header = ASCII.format(n=1, more=COLOURS).replace("ascii", name).replace("float", "double")
    (tmp_path / "p.ply").write_bytes(header.encode() + struct.pack(mark + "dddBBB", 1.5, -2, 3, 4, 5, 6))
    points = read_points(tmp_path / "p.ply")
    assert points.positions.tolist() == [[1.5, -2, 3]]
    assert points.colours.tolist() == [[4, 5, 6]]


def test_points_without_colour_are_grey(tmp_path: Path) -> None:
    (tmp_path / "p.ply").write_text(ASCII.format(n=1, more="") + "1 2 3\n")
    assert read_points(tmp_path / "p.ply").colours.tolist() == [[128, 128, 128]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("solid\n", "not a PLY file"),
        (ASCII.format(n=3, more="") + "1 2 3\n4 5 6\n", "promises 3 points, 2 are there"),
        (ASCII.format(n=2, more="") + "1 2 3\n4 nan 6\n", "1 points are NaN or infinite, the first is point 1"),
        (ASCII.format(n=1, more="").replace("float z", "float w") + "1 2 3\n", "no property z"),
        (ASCII.format(n=1, more="").replace("float z", "list uchar int z") + "1 2 3\n", "not a plain number"),
        (ASCII.format(n=1, more="") + "1 two 3\n", "not a number"),
    ],
)
def test_points_that_are_not_whole_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.ply").write_text(text)
    with pytest.raises(InputError, match=message):
        read_points(tmp_path / "p.ply")
