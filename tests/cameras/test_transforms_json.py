"""transforms.json of nerfstudio, instant-ngp and Blender data sets, made up and real."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera, Distortion
from splatfilm.cameras.transforms_json import PosedImage, Transforms, default_split, read_transforms, write_transforms

EXACT = 1e-12
NORTH = [[1, 0, 0, 0.5], [0, 0, -1, -2], [0, 1, 0, 1], [0, 0, 0, 1]]  # OpenGL axes, looking along +Y
WHOLE = {"fl_x": 500, "fl_y": 510.5, "cx": 321, "cy": 239.5, "w": 640.0, "h": 480.0}


def frame(name="a.jpg", **more) -> dict:
    return {"file_path": f"images/{name}", "transform_matrix": NORTH, **more}


@pytest.fixture
def save(tmp_path):
    def write(value, name="transforms.json"):
        file = tmp_path / name
        file.write_text(json.dumps(value), encoding="utf-8")
        return file

    return write


def refusal(file) -> str:
    with pytest.raises(InputError) as caught:
        read_transforms(file)
    return str(caught.value)


# ---- what it says ----------------------------------------------------------------------------------------------------


def test_poses_come_with_our_axes_and_intrinsics_as_they_are(save):
    camera = read_transforms(save({**WHOLE, "frames": [frame()]})).images[0].camera
    assert camera.pose == pytest.approx(
        np.array([[1, 0, 0, 0.5], [0, 0, 1, -2], [0, -1, 0, 1], [0, 0, 0, 1]]), abs=EXACT
    )
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 510.5, 321, 239.5)
    assert (camera.width, camera.height) == (640, 480)
    assert camera.distortion is None


def test_frames_come_in_the_order_of_their_names(save):
    names = ["10.jpg", "2.jpg", "b/1.jpg", "a/9.jpg"]
    found = read_transforms(save({**WHOLE, "frames": [frame(n) for n in names]}))
    assert [i.file_path for i in found.images] == ["images/10.jpg", "images/2.jpg", "images/a/9.jpg", "images/b/1.jpg"]


def test_each_frame_may_have_its_own_lens(save):
    own = {"fl_x": 400, "fl_y": 401, "cx": 10, "cy": 11, "w": 64, "h": 48, "k1": 0.1, "p2": 0.2}
    found = read_transforms(save({"frames": [frame("a.jpg", **own), frame("b.jpg", **{**own, "fl_x": 300, "k1": 0})]}))
    assert [image.camera.fx for image in found.images] == [400, 300]
    assert found.images[0].camera.distortion == Distortion("brown-conrady", (0.1, 0, 0, 0.2, 0))


def test_what_is_given_for_the_whole_file_wins_over_a_frames_own_as_in_nerfstudio(save):
    found = read_transforms(save({**WHOLE, "k1": 0.5, "frames": [frame(fl_x=1, k1=9)]}))
    assert found.images[0].camera.fx == 500
    assert found.images[0].camera.distortion.coefficients[0] == 0.5
    assert any("fl_x" in note for note in found.notes)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("OPENCV", Distortion("brown-conrady", (0.1, 0.2, 0.5, 0.6, 0.3))),
        ("PINHOLE", Distortion("brown-conrady", (0.1, 0.2, 0.5, 0.6, 0.3))),
        (None, Distortion("brown-conrady", (0.1, 0.2, 0.5, 0.6, 0.3))),
        ("OPENCV_FISHEYE", Distortion("kannala-brandt", (0.1, 0.2, 0.3, 0.0))),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_distortion_is_read_in_nerfstudios_order(save, model, expected, packed):
    values = {"k1": 0.1, "k2": 0.2, "k3": 0.3, "p1": 0.5, "p2": 0.6}
    given = {"distortion_params": [0.1, 0.2, 0.3, 0.0, 0.5, 0.6]} if packed else values
    named = {} if model is None else {"camera_model": model}
    assert (
        read_transforms(save({**WHOLE, **given, **named, "frames": [frame()]})).images[0].camera.distortion == expected
    )


def test_a_fisheye_without_coefficients_is_still_a_fisheye(save):
    for how in ({"camera_model": "OPENCV_FISHEYE"}, {"is_fisheye": True}):
        camera = read_transforms(save({**WHOLE, **how, "frames": [frame()]})).images[0].camera
        assert camera.distortion == Distortion("kannala-brandt", (0, 0, 0, 0))


def test_frames_with_models_of_their_own_keep_them(save):
    frames = [frame("a.jpg", camera_model="OPENCV_FISHEYE", k4=0.1), frame("b.jpg", camera_model="OPENCV", k1=0.1)]
    found = read_transforms(save({**WHOLE, "frames": frames}))
    assert [i.camera.distortion.model for i in found.images] == ["kannala-brandt", "brown-conrady"]
    assert '"X" is no camera model' in refusal(save({**WHOLE, "frames": [frame(camera_model="X")]}))


def test_instant_ngps_fields_of_view_become_focal_lengths(save):
    # 640 pixels over 90 degrees: 320 pixels.
    size = {"w": 640, "h": 480}
    for how in ({"camera_angle_x": math.pi / 2}, {"x_fov": 90}):
        camera = read_transforms(save({**size, **how, "frames": [frame()]})).images[0].camera
        assert (camera.fx, camera.fy) == (pytest.approx(320, abs=1e-9), pytest.approx(320, abs=1e-9))
        assert (camera.cx, camera.cy) == (320, 240)
    camera = read_transforms(save({**size, "x_fov": 90, "y_fov": 90, "frames": [frame()]})).images[0].camera
    assert camera.fy == pytest.approx(240, abs=1e-9)


def test_a_blender_data_set_is_three_files_without_suffixes_and_sizes(save, tmp_path):
    for split, count in (("train", 2), ("val", 1)):
        names = [f"./{split}/r_{i}" for i in range(count)]
        entries = [{"file_path": n, "rotation": 0.01, "transform_matrix": NORTH} for n in names]
        save({"camera_angle_x": math.pi / 2, "frames": entries}, f"transforms_{split}.json")
        (tmp_path / split).mkdir()
        Image.new("RGBA", (50, 40)).save(tmp_path / split / "r_0.png")
    found = read_transforms(tmp_path)
    assert found.splits == {"train": (0, 1), "val": (2,)}
    assert (found.images[0].camera.width, found.images[0].camera.height) == (50, 40)
    assert found.images[0].camera.fx == pytest.approx(25, abs=1e-9)
    assert found.image_path(found.images[1]) == tmp_path / "train/r_1.png"


def test_masks_depths_points_and_the_applied_transform_come_along(save):
    applied = [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]]
    more = {"applied_transform": applied, "applied_scale": 2, "ply_file_path": "sparse.ply"}
    frames = [frame(mask_path="masks/a.png", depth_file_path="depth/a.png")]
    found = read_transforms(save({**WHOLE, **more, "frames": frames}))
    assert (found.images[0].mask_path, found.images[0].depth_path) == ("masks/a.png", "depth/a.png")
    assert found.ply_file_path == "sparse.ply"
    assert found.applied_transform.tolist() == [*applied, [0, 0, 0, 1]]
    assert found.applied_scale == 2


def test_lists_of_file_names_are_splits(save):
    lists = {
        "train_filenames": ["images/c.jpg", "./images/a.jpg"],
        "val_filenames": ["images/b.jpg"],
        "test_filenames": [],
    }
    found = read_transforms(save({**WHOLE, **lists, "frames": [frame(f"{n}.jpg") for n in "cab"]}))
    assert found.splits == {"train": (0, 2), "val": (1,), "test": ()}


def test_nerfstudios_default_split_is_reproduced():
    # 10 photographs: 9 for training, linspace(0, 9, 9) cut to whole numbers leaves out number 8.
    train, held_out = default_split(10)
    assert train.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert held_out.tolist() == [8]
    assert [len(part) for part in default_split(67)] == [61, 6]


# ---- writing ---------------------------------------------------------------------------------------------------------


def a_camera(fx=500.0, distortion=None) -> Camera:
    pose = np.array([[1, 0, 0, 0.5], [0, 0, 1, -2], [0, -1, 0, 1], [0, 0, 0, 1]])
    return Camera(pose, fx, 510.5, 321.0, 239.5, 640, 480, distortion)


@pytest.mark.parametrize(
    "distortion",
    [
        None,
        Distortion("brown-conrady", (0.1, 0.2, 0.3, 0.4, 0.5)),
        Distortion("brown-conrady", (0.1, 0.2, 0.3, 0.4, 0.0)),
        Distortion("kannala-brandt", (0.1, 0.2, 0.3, 0.4)),
    ],
)
@pytest.mark.parametrize("focals", [(500.0, 500.0), (500.0, 400.0)])
def test_what_is_written_reads_back_the_same(tmp_path, distortion, focals):
    cameras = [a_camera(fx, distortion) for fx in focals]
    images = tuple(PosedImage(f"images/{i}.png", c, f"masks/{i}.png") for i, c in enumerate(cameras))
    applied = np.eye(4)[[1, 2, 0, 3]]
    file = tmp_path / "transforms.json"
    write_transforms(file, Transforms(tmp_path, images, {"train": (0,), "val": (1,)}, "points.ply", applied, 0.5))
    assert ("fl_x" in json.loads(file.read_text())) == (focals[0] == focals[1])
    again = read_transforms(file)
    for a, b in zip(images, again.images, strict=True):
        assert (a.file_path, a.mask_path, a.depth_path) == (b.file_path, b.mask_path, b.depth_path)
        assert np.array_equal(a.camera.pose, b.camera.pose)
        assert np.array_equal(a.camera.intrinsics(), b.camera.intrinsics())
        assert a.camera.distortion == b.camera.distortion
    assert again.splits == {"train": (0,), "val": (1,)}
    assert (again.ply_file_path, again.applied_scale) == ("points.ply", 0.5)
    assert np.array_equal(again.applied_transform, applied)


def test_a_lens_that_nerfstudio_cannot_hold_is_not_written(tmp_path):
    wide = a_camera(distortion=Distortion("brown-conrady", (0, 0, 0, 0, 0, 0.1)))
    with pytest.raises(ValueError, match="no place for the coefficients k4"):
        write_transforms(tmp_path / "t.json", Transforms(tmp_path, (PosedImage("a.png", wide),)))
    both = [a_camera(), a_camera(distortion=Distortion("kannala-brandt", (0.1, 0.0, 0.0, 0.0)))]
    with pytest.raises(ValueError, match="fisheye cameras or others"):
        write_transforms(tmp_path / "t.json", Transforms(tmp_path, tuple(PosedImage("a.png", c) for c in both)))
    assert list(tmp_path.iterdir()) == []


# ---- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], 'expected an object with a list "frames", found a list of 0'),
        ({"frames": []}, "expected at least one frame"),
        ({**WHOLE, "frames": [7]}, "frames[0]: expected an object, found 7"),
        ({**WHOLE, "frames": [{"transform_matrix": NORTH}]}, "frames[0]: missing: file_path"),
        ({**WHOLE, "frames": [{"file_path": "a.jpg"}]}, "frames[0]: missing: transform_matrix"),
        ({**WHOLE, "camera_model": "OPENVC", "frames": [frame()]}, '"OPENVC" is no camera model: expected OPENCV'),
        ({**WHOLE, "camera_model": "OPENVC", "frames": [frame()]}, 'did you mean "OPENCV"?'),
        ({**WHOLE, "camera_model": "EQUIRECTANGULAR", "frames": [frame()]}, '"EQUIRECTANGULAR" cannot be used'),
        ({**WHOLE, "camera_model": ["OPENCV"], "frames": [frame()]}, "a list of 1 is no camera model"),
        ({**WHOLE, "k4": 0.1, "k1": 0, "frames": [frame()]}, "k4: a fourth radial coefficient"),
        ({**WHOLE, "k1": "x", "frames": [frame()]}, 'k1: expected a number, found "x"'),
        ({**WHOLE, "distortion_params": [1, 2], "frames": [frame()]}, "[k1, k2, k3, k4, p1, p2], found 2 values"),
        ({**WHOLE, "fl_x": -5, "frames": [frame()]}, "fl_x: expected a number greater than 0, found -5"),
        ({"w": 64, "h": 48, "frames": [frame()]}, "no focal length: missing fl_x, camera_angle_x or x_fov"),
        ({"fl_x": 50, "frames": [frame()]}, "no w and h given, and no photograph is there to tell its size"),
        ({**WHOLE, "frames": [frame(), frame("b.jpg", mask_path="b.png")]}, "mask_path, which 1 of 2 frames have"),
        ({**WHOLE, "frames": [frame(depth_file_path=3)]}, "frames[0].depth_file_path: expected a path, found 3"),
        ({**WHOLE, "train_filenames": ["images/zz.jpg"], "frames": [frame()]}, '"images/zz.jpg" is no file_path'),
        ({**WHOLE, "train_filenames": "a", "frames": [frame()]}, "train_filenames: expected a list of file paths"),
        ({**WHOLE, "applied_transform": [[1]], "frames": [frame()]}, "applied_transform: expected three rows"),
        ({**WHOLE, "applied_scale": 0, "frames": [frame()]}, "applied_scale: expected a number greater than 0"),
        ({**WHOLE, "frames": [{**frame(), "transform_matrix": [[1, 2]]}]}, "expected three rows of four numbers"),
        ({**WHOLE, "frames": [{**frame(), "transform_matrix": (2 * np.eye(4)[:3]).tolist()}]}, "is scaled by 2"),
        ({**WHOLE, "frames": [{**frame(), "transform_matrix": [[float("inf")] * 4] * 4}]}, "finite number, found inf"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(save, value, says):
    assert says in refusal(save(value))


def test_a_mistake_for_the_whole_file_is_told_once(save):
    told = refusal(save({**WHOLE, "fl_x": -5, "frames": [frame(f"{i}.jpg") for i in range(20)]}))
    assert told.count("fl_x") == 1


def test_a_photograph_that_cannot_be_opened_does_not_tell_its_size(save, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(b"no picture")
    assert "a.jpg is no readable picture" in refusal(save({"fl_x": 50, "frames": [frame()]}))


def test_a_folder_without_transforms_is_refused(tmp_path):
    assert "holds no transforms.json" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "none.json")


# ---- real files ------------------------------------------------------------------------------------------------------


def test_the_fox_is_read(shared_data):
    fox = read_transforms(shared_data / "fox")
    assert len(fox.images) == 67
    assert sum(fox.image_path(image).is_file() for image in fox.images) == 50
    first = fox.images[0]
    assert first.file_path == "images/0001.jpg"
    assert (first.camera.fx, first.camera.fy, first.camera.cx, first.camera.cy) == (1375.52, 1374.49, 554.558, 965.268)
    assert first.camera.distortion.coefficients == (0.0578421, -0.0805099, -0.000980296, 0.00015575, 0.0)
    assert first.camera.position == pytest.approx(
        [3.168359405609479, -5.4794898611466945, -0.9791660699008925], abs=EXACT
    )
    assert first.camera.forward == pytest.approx(
        [-0.4420900262071262, 0.8940689141475064, 0.07209178487538156], abs=1e-7
    )


def test_a_real_blender_data_set_is_read(shared_data):
    lego = read_transforms(shared_data / "ns_lego_test" / "lego_test")
    assert lego.splits == {"train": (0,), "val": (1,)}
    assert [lego.image_path(image).is_file() for image in lego.images] == [True, True]
    camera = lego.images[0].camera
    assert (camera.width, camera.height) == Image.open(lego.image_path(lego.images[0])).size
    assert camera.fx == pytest.approx(0.5 * camera.width / math.tan(0.5 * 0.6911112070083618))
    assert camera.position == pytest.approx([-0.05379832163453102, 3.845470428466797, 1.2080823183059692], abs=EXACT)
