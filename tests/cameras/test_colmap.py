"""COLMAP reconstructions written by COLMAP itself (data/make_colmap.py), whole and broken."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.cameras import Distortion
from splatfilm.cameras.colmap import read_colmap, write_colmap_text

DATA = Path(__file__).parent / "data" / "colmap"
EXACT = 1e-12

LENSES = {  # model in the order of image numbers: fx, fy, cx, cy, distortion
    1: (500, 500, 320, 240, None),
    2: (500, 510, 321, 239, None),
    3: (500, 500, 320, 240, Distortion("brown-conrady", (0.01, 0, 0, 0, 0, 0, 0, 0))),
    4: (500, 500, 320, 240, Distortion("brown-conrady", (0.01, -0.02, 0, 0, 0, 0, 0, 0))),
    5: (500, 510, 321, 239, Distortion("brown-conrady", (0.01, -0.02, 0.003, -0.004, 0, 0, 0, 0))),
    6: (300, 310, 321, 239, Distortion("kannala-brandt", (0.01, -0.02, 0.003, -0.004))),
    7: (500, 510, 321, 239, Distortion("brown-conrady", (0.01, -0.02, 0.003, -0.004, 0.05, 0.06, 0.07, 0.08))),
}


@pytest.fixture(params=["bin", "txt"])
def folder(request, tmp_path) -> Path:
    """The fixture in one of its two forms, to read or to break."""
    for file in (DATA / "usable").glob(f"*.{request.param}"):
        shutil.copy(file, tmp_path)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_colmap(folder)
    return str(caught.value)


def test_every_camera_model_gives_its_lens(folder):
    for image in read_colmap(folder).images:
        fx, fy, cx, cy, distortion = LENSES[image.image_id]
        camera = image.camera
        assert (camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height) == (fx, fy, cx, cy, 640, 480)
        assert camera.distortion == distortion


def test_world_to_camera_becomes_camera_to_world(folder):
    # World to camera is x -> (-y, x, z) + (i, 20, 30): the camera's x axis is the world's -y, its centre (-20, i, -30).
    for image in read_colmap(folder).images:
        pose = image.camera.pose
        assert pose[:3, :3] == pytest.approx(np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]), abs=EXACT)
        assert pose[:3, 3] == pytest.approx([-20, image.image_id, -30], abs=EXACT)


def test_images_come_by_name_and_names_may_hold_spaces_and_folders(folder):
    assert [image.name for image in read_colmap(folder).images] == [f"day 1/{i}.jpg" for i in range(2, 9)]


def test_points_come_with_positions_and_colours(folder):
    model = read_colmap(folder)
    assert model.positions.tolist() == [[0, 0.25, 0], [1, 1.25, -1], [2, 2.25, -2]]
    assert model.colours.tolist() == [[0, 20, 255], [10, 20, 255], [20, 20, 255]]
    assert model.errors.shape == (3,)


def test_points_may_be_absent(folder):
    next(folder.glob("points3D.*")).unlink()
    assert read_colmap(folder).positions.shape == (0, 3)


def test_binary_wins_over_text_and_both_say_the_same():
    both = read_colmap(DATA / "usable")
    assert len(both.images) == 7


def test_what_is_written_as_text_reads_back_the_same(tmp_path):
    model = read_colmap(DATA / "usable")
    write_colmap_text(tmp_path, model)
    again = read_colmap(tmp_path)
    for a, b in zip(model.images, again.images, strict=True):
        assert (a.name, a.image_id) == (b.name, b.image_id)
        assert b.camera.pose == pytest.approx(a.camera.pose, abs=1e-13)
        assert np.array_equal(a.camera.intrinsics(), b.camera.intrinsics())
        ours, theirs = a.camera.distortion, b.camera.distortion
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours.model == theirs.model
            assert np.array_equal(ours.coefficients, theirs.coefficients)
    assert np.array_equal(model.positions, again.positions)
    assert np.array_equal(model.colours, again.colours)


# ---- broken reconstructions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["bin", "txt"])
def test_a_model_that_cannot_be_used_is_refused_by_name(tmp_path, suffix):
    for file in (DATA / "fov").glob(f"*.{suffix}"):
        shutil.copy(file, tmp_path)
    told = refusal(tmp_path)
    assert "FOV cannot be used: expected SIMPLE_PINHOLE, PINHOLE" in told
    assert f"cameras.{suffix}" in told
    assert ("byte 8" if suffix == "bin" else "cameras.txt:4") in told


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_a_file_cut_anywhere_is_refused_with_its_name_and_byte(tmp_path, name):
    whole = (DATA / "usable" / f"{name}.bin").read_bytes()
    for other in ("cameras", "images", "points3D"):
        shutil.copy(DATA / "usable" / f"{other}.bin", tmp_path)
    for length in range(len(whole)):
        (tmp_path / f"{name}.bin").write_bytes(whole[:length])
        told = refusal(tmp_path)
        assert f"{name}.bin: byte " in told
        assert "truncated" in told


def test_bytes_that_follow_the_last_record_are_refused(tmp_path):
    shutil.copytree(DATA / "usable", tmp_path, dirs_exist_ok=True)
    file = tmp_path / "images.bin"
    file.write_bytes(file.read_bytes() + b"more")
    assert "images.bin: byte 764: 4 bytes follow the last record" in refusal(tmp_path)


def test_a_camera_number_that_nobody_has_is_refused(tmp_path):
    shutil.copytree(DATA / "usable", tmp_path, dirs_exist_ok=True)
    file = tmp_path / "images.bin"
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, 8 + 4 + 56, 99)
    file.write_bytes(data)
    assert "byte 8: image day 1/8.jpg was taken by camera 99, which is not in the cameras file" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("value", "says"),
    [(b"\0" * 32, "a quaternion must be finite and not zero"), (struct.pack("<d", float("nan")) * 4, "finite")],
)
def test_a_quaternion_that_is_none_is_refused(tmp_path, value, says):
    shutil.copytree(DATA / "usable", tmp_path, dirs_exist_ok=True)
    file = tmp_path / "images.bin"
    data = bytearray(file.read_bytes())
    data[12:44] = value
    file.write_bytes(data)
    assert says in refusal(tmp_path)


def test_a_focal_length_of_nought_is_refused(tmp_path):
    shutil.copytree(DATA / "usable", tmp_path, dirs_exist_ok=True)
    file = tmp_path / "cameras.bin"
    data = bytearray(file.read_bytes())
    struct.pack_into("<d", data, 8 + 24, 0.0)
    file.write_bytes(data)
    assert "focal lengths must be positive" in refusal(tmp_path)


def test_every_bad_line_of_a_text_file_is_told_at_once(tmp_path):
    for file in (DATA / "usable").glob("*.txt"):
        shutil.copy(file, tmp_path)
    (tmp_path / "cameras.txt").write_text(
        "# comment\n\n1 OPENCVV 640 480 1 2 3 4\n2 PINHOLE 640 480 1 2 3\n"
        "3 PINHOLE 640 x 1 2 3 4\n4 PINHOLE 64 64 nan 2 3 4\n5\n"
    )
    told = refusal(tmp_path)
    for line, says in (
        (3, "OPENCVV is no camera model of COLMAP: expected SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV"),
        (3, 'did you mean "OPENCV"?'),
        (4, "expected 4 numbers (fx fy cx cy), found 3"),
        (5, "expected a size in pixels, a whole number, found 'x'"),
        (6, "expected a finite number, found nan"),
        (7, "expected CAMERA_ID MODEL WIDTH HEIGHT PARAMS..., found '5'"),
    ):
        assert any(f"cameras.txt:{line}: " in problem and says in problem for problem in told.splitlines()), (
            says,
            told,
        )


def test_images_without_observations_are_read(tmp_path):
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 50 32 24\n")
    (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 1 a.jpg\n\n2 1 0 0 0 0 0 0 1 b.jpg\n")
    assert [image.name for image in read_colmap(tmp_path).images] == ["a.jpg", "b.jpg"]


def test_bad_points_and_images_in_text_are_told_with_their_lines(tmp_path):
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 50 32 24\n")
    images = tmp_path / "images.txt"
    images.write_text("1 1 0 0 0 0 0 0 1 a.jpg\n\n2 1 0 0 0 0 0 0 7 b.jpg\n\n3 0 0 0 0 0 0 0 1 c.jpg\n\n4 1 0\n")
    told = refusal(tmp_path)
    assert "images.txt:3: image b.jpg was taken by camera 7" in told
    assert "images.txt:5: a quaternion must be finite and not zero" in told
    assert "images.txt:7: expected IMAGE_ID" in told
    images.write_text("1 1 0 0 0 0 0 0 1 a.jpg\n")
    (tmp_path / "points3D.txt").write_text("1 0 0 0 1 2 300 0.5\n2 0 0 inf 1 2 3 0.5\n")
    told = refusal(tmp_path)
    assert "points3D.txt:1: expected colours of 0 to 255" in told
    assert "points3D.txt:2: expected a finite number" in told


def test_no_reconstruction_and_one_without_images_are_refused(tmp_path):
    assert "is no COLMAP reconstruction: expected cameras and images" in refusal(tmp_path)
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 50 32 24\n")
    (tmp_path / "images.txt").write_text("# nothing\n")
    assert "holds no registered image" in refusal(tmp_path)
