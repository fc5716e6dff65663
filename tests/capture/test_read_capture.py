"""Captures read from each layout, and dirty ones: what is mended with a note, and what is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from capture_makers import change, frames_of, ring, write_nerfstudio
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.cameras.axes import from_opengl
from splatfilm.cameras.colmap import write_colmap_text
from splatfilm.cameras.transforms_json import read_transforms
from splatfilm.capture import read_capture
from splatfilm.capture.report import report_on


def problem(folder: Path, strict: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        read_capture(folder, strict)
    return str(caught.value)


# ---- layouts ---------------------------------------------------------------------------------------------------------


def test_a_nerfstudio_folder_is_read_with_our_axes(tmp_path: Path) -> None:
    capture = read_capture(write_nerfstudio(tmp_path / "cap", 9))
    assert [p.name for p in capture.photographs] == [f"images/{i:03}.png" for i in range(9)]
    assert capture.photographs[4].camera.pose == pytest.approx(from_opengl(ring(9)[4]))
    assert capture.photographs[4].camera.forward == pytest.approx(-ring(9)[4][:3, 2])
    assert (capture.layout, capture.notes, capture.points) == ("nerfstudio", (), None)


def test_every_eighth_by_name_is_held_out_where_the_file_does_not_say(tmp_path: Path) -> None:
    capture = read_capture(write_nerfstudio(tmp_path / "cap", 18))
    assert [p.name for p in capture.of("test")] == ["images/000.png", "images/008.png", "images/016.png"]
    assert len(capture.of("train")) == 15


def test_with_three_photographs_none_is_held_out(tmp_path: Path) -> None:
    assert len(read_capture(write_nerfstudio(tmp_path / "cap", 3)).of("train")) == 3


def test_the_files_own_split_is_kept(tmp_path: Path) -> None:
    top = {"train_filenames": [f"images/{i:03}.png" for i in range(5)], "test_filenames": ["images/006.png"]}
    capture = read_capture(write_nerfstudio(tmp_path / "cap", 9, top=top))
    assert [p.name for p in capture.of("test")] == ["images/006.png"]
    assert len(capture.of("train")) == 5
    assert capture.notes == ("3 photographs are listed in no split; they are left out",)


def test_a_split_that_trains_on_nothing_is_refused(tmp_path: Path) -> None:
    top = {"train_filenames": [], "test_filenames": ["images/006.png"]}
    assert "no photograph is for training" in problem(write_nerfstudio(tmp_path / "cap", 9, top=top))


def test_the_blender_layout_of_others_is_read(shared_data: Path) -> None:
    capture = read_capture(shared_data / "ns_lego_test" / "lego_test")
    assert capture.layout == "blender"
    assert [(p.split, p.has_matte) for p in capture.photographs] == [("train", True), ("test", True)]
    assert capture.photographs[0].camera.fx == pytest.approx(25 / np.tan(0.6911112070083618 / 2))


def test_a_colmap_folder_is_read_with_its_points(tmp_path: Path) -> None:
    made = colmap_folder(tmp_path)
    capture = read_capture(made)
    assert capture.layout == "colmap"
    assert len(capture.photographs) == 9
    assert capture.photographs[3].camera.pose == pytest.approx(from_opengl(ring(9)[3]), abs=1e-9)
    assert capture.points is not None
    assert capture.points.positions.tolist() == [[0, 0, 0], [0.5, 0, 0]]
    assert capture.points.colours.tolist() == [[255, 0, 0], [0, 255, 0]]
    assert capture.photographs[2].mask == made / "masks" / "002.png.png"
    assert "COLMAP knows neither metres nor up" in capture.notes[0]


def colmap_folder(tmp_path: Path) -> Path:
    from splatfilm.cameras.colmap_model import ColmapImage, ColmapModel

    made = write_nerfstudio(tmp_path / "cap", 9)
    images = [
        ColmapImage(i + 1, 1, Path(image.file_path).name, image.camera)
        for i, image in enumerate(read_transforms(made).images)
    ]
    positions, colours = np.array([[0, 0, 0], [0.5, 0, 0]]), np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
    write_colmap_text(made / "sparse" / "0", ColmapModel(tuple(images), positions, colours, np.zeros(2)))
    (made / "transforms.json").unlink()
    (made / "masks").mkdir()
    Image.fromarray(np.full((32, 48), 255, np.uint8)).save(made / "masks" / "002.png.png")
    return made


# ---- the sheet -------------------------------------------------------------------------------------------------------


def test_the_sheet_brings_poses_and_points_to_metres_and_z_up(tmp_path: Path) -> None:
    made = colmap_folder(tmp_path)
    (made / "capture.toml").write_text('scale = 2.0\nup = "y"\n')
    capture = read_capture(made)
    # Y up to Z up is a turn about x by 90 degrees: (x, y, z) -> (x, -z, y).
    original = ring(9)[3][:3, 3]
    assert capture.photographs[3].camera.position == pytest.approx([2 * original[0], -2 * original[2], 2 * original[1]])
    assert capture.points is not None
    assert capture.points.positions[1].tolist() == pytest.approx([1, 0, 0])
    rotation = capture.photographs[3].camera.pose[:3, :3]
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9)


# ---- what is mended --------------------------------------------------------------------------------------------------


def test_listed_photographs_without_a_file_are_left_out_and_told(tmp_path: Path) -> None:
    capture = read_capture(write_nerfstudio(tmp_path / "cap", 9, skip=[1, 2, 5, 7]))
    assert len(capture.photographs) == 5
    assert capture.notes == (
        "4 of 9 listed photographs have no file: "
        "images/001.png, images/002.png, images/005.png, ...; they are left out",
    )


def test_strictly_each_missing_photograph_is_a_problem(tmp_path: Path) -> None:
    found = problem(write_nerfstudio(tmp_path / "cap", 9, skip=[1, 5]), strict=True)
    assert "images/001.png: is listed, but has no file" in found
    assert "images/005.png" in found


def test_real_photographs_with_missing_files_are_usable(shared_data: Path) -> None:
    capture = read_capture(shared_data / "fox")
    assert len(capture.photographs) == 50
    assert len(capture.of("test")) == 7
    assert capture.notes[0].startswith("17 of 67 listed photographs have no file: images/0005.jpg")


def test_intrinsics_for_another_size_of_the_same_shape_are_scaled(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    change(made, w=96, h=64, cx=48, cy=32, fl_x=80.0, fl_y=80.0)
    capture = read_capture(made)
    camera = capture.photographs[0].camera
    assert (camera.width, camera.height, camera.fx, camera.cx) == (48, 32, 40.0, 24.0)
    assert capture.notes == (
        "photographs are 0.5 times the size that the intrinsics are for, which were scaled to fit",
    )


def test_photographs_on_their_side_are_turned_when_the_intrinsics_are_upright(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9, size=(32, 48))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to view
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:, :24] = 200  # the left half is up once it is turned
    for frame in frames_of(made):
        Image.fromarray(stored).save(made / frame["file_path"], exif=exif)
    capture = read_capture(made)
    assert capture.photographs[0].quarter_turns == 3
    from splatfilm.capture.pictures import load_picture

    colour = load_picture(capture.photographs[0]).colour
    assert colour.shape == (48, 32, 3)
    assert colour[:24].min() > 0.7
    assert colour[24:].max() < 0.1


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in problem(tmp_path / "nowhere")


def test_bare_photographs_are_refused_with_what_to_do(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 4)
    (made / "transforms.json").unlink()
    found = problem(made)
    assert "holds 4 pictures" in found
    assert "COLMAP" in found
    assert "ns-process-data" in found


def test_an_empty_folder_is_no_capture(tmp_path: Path) -> None:
    assert "is no capture: expected transforms.json" in problem(tmp_path)


def test_a_capture_without_a_single_photograph_is_refused(tmp_path: Path) -> None:
    assert "none of the 9 listed photographs is there" in problem(write_nerfstudio(tmp_path / "cap", 9, skip=range(9)))


def test_photographs_of_another_shape_are_refused_by_name(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    Image.fromarray(np.zeros((40, 48, 3), np.uint8)).save(made / "images" / "003.png")
    assert "says that images/003.png is 48x32, but the file is 48x40" in problem(made)


def test_every_bad_file_is_told_at_once(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    (made / "images" / "002.png").write_bytes(b"no picture")
    (made / "images" / "006.png").write_bytes(b"")
    found = problem(made)
    assert "002.png" in found
    assert "006.png" in found


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_pose_that_is_no_number_is_refused_with_its_place(tmp_path: Path, value: str) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    frames = frames_of(made)
    frames[3]["transform_matrix"][0][3] = float(value.replace("Infinity", "inf"))
    change(made, frames=frames)
    assert "frames[3].transform_matrix" in problem(made)


def test_an_unknown_camera_model_is_refused(tmp_path: Path) -> None:
    found = problem(write_nerfstudio(tmp_path / "cap", 9, top={"camera_model": "OPENVC"}))
    assert "camera_model" in found
    assert 'did you mean "OPENCV"' in found


def test_a_photograph_listed_twice_is_refused(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    frames = frames_of(made)
    change(made, frames=[*frames, frames[2]])
    assert "images/002.png is listed 2 times" in problem(made)


def test_a_mask_that_is_not_there_is_refused(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9)
    change(made, frames=[{**frame, "mask_path": "masks/gone.png"} for frame in frames_of(made)])
    assert "names the mask gone.png, which is not there" in problem(made)


def test_missing_points_are_a_note_and_broken_ones_a_problem(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 9, top={"ply_file_path": "points.ply"})
    assert "the sparse points points.ply are not there" in read_capture(made).notes[0]
    (made / "points.ply").write_text("nonsense")
    assert "not a PLY file" in problem(made)


# ---- the report ------------------------------------------------------------------------------------------------------


def test_a_report_counts_and_measures(tmp_path: Path) -> None:
    report = report_on(read_capture(write_nerfstudio(tmp_path / "cap", 16)))
    assert (report.train, report.test, report.sizes) == (14, 2, {"48x32": 16})
    assert report.distortions == {"pinhole": 16}
    assert report.reach == pytest.approx(3.0)
    assert report.camera_bounds[0] == pytest.approx((-3, -3, 1))
    # Cameras face each other across the ring, both tilted down by atan(1/3).
    assert report.view_angle == pytest.approx(180 - 2 * np.degrees(np.arctan(1 / 3)))
    assert report.doubts == ("no sparse points: training starts from random splats and takes longer",)


def test_a_tripod_that_only_turned_is_doubted(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 14)
    frames = frames_of(made)
    for frame in frames:
        for row in range(3):
            frame["transform_matrix"][row][3] *= 1e-3
    change(made, frames=frames)
    assert any("the cameras hardly move" in doubt for doubt in report_on(read_capture(made)).doubts)


def test_a_camera_far_away_from_all_others_is_doubted(tmp_path: Path) -> None:
    made = write_nerfstudio(tmp_path / "cap", 14)
    frames = frames_of(made)
    frames[5]["transform_matrix"][0][3] = 500.0
    change(made, frames=frames)
    assert any(doubt.startswith("images/005.png stands far away") for doubt in report_on(read_capture(made)).doubts)


def test_json_of_a_copied_capture_is_the_same(tmp_path: Path) -> None:
    first = write_nerfstudio(tmp_path / "a" / "cap", 9)
    shutil.copytree(first, tmp_path / "b" / "cap")
    plain = [json.dumps(report_on(read_capture(tmp_path / side / "cap")).as_plain()) for side in "ab"]
    assert plain[0] == plain[1]
