"""nerfstudio's camera_path.json in every dialect that is about, and the way back from nerfstudio's own world."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import matrix_from_quaternion, normalised
from splatfilm.cameras import CameraKey, CameraPath, Lens, load_path
from splatfilm.cameras.nerfstudio_path import write_nerfstudio_path
from splatfilm.cameras.normalisation import Normalisation, find_normalisation, write_normalisation

EXACT = 1e-12
# An OpenGL camera two metres south of the origin at height 1, looking north (+Y): right is +X, up is +Z, back is -Y.
NORTH = np.array([[1.0, 0, 0, 0], [0, 0, -1, -2], [0, 1, 0, 1], [0, 0, 0, 1]])


def pose(x: float = 0.0) -> np.ndarray:
    moved = NORTH.copy()
    moved[0, 3] = x
    return moved


def entry(x: float = 0.0, fov: float = 60.0, **more) -> dict:
    return {"camera_to_world": pose(x).reshape(-1).tolist(), "fov": fov, "aspect": 1.5, **more}


def viewer_file(**changes) -> dict:
    """What nerfstudio 1.1.5's viewer writes."""
    keyframes = [
        {
            "matrix": pose(x).reshape(-1).tolist(),
            "fov": 60.0,
            "aspect": 1.5,
            "override_transition_enabled": False,
            "override_transition_sec": None,
        }
        for x in (0, 4)
    ]
    return {
        "default_fov": 60.0,
        "default_transition_sec": 2.0,
        "keyframes": keyframes,
        "camera_type": "perspective",
        "render_height": 480,
        "render_width": 720,
        "fps": 2,
        "seconds": 2.0,
        "is_cycle": False,
        "smoothness_value": 0.0,
        "camera_path": [entry(x) for x in range(4)],
        **changes,
    }


def addon_file(**changes) -> dict:
    """What the Blender add-on writes: string matrices in column-major order, aspect 1, a string of properties."""
    keyframes = [
        {
            "matrix": str(pose(x).T.reshape(-1).tolist()),
            "fov": 45.0,
            "aspect": 1,
            "properties": f'[["FOV",45.0],["NAME","Camera {x}"],["TIME",{x / 24}]]',
        }
        for x in range(3)
    ]
    return {
        "keyframes": keyframes,
        "camera_type": "perspective",
        "render_height": 1920.0,
        "render_width": 1080.0,
        "camera_path": [entry(x, 45.0) | {"aspect": 1} for x in range(3)],
        "fps": 24,
        "seconds": 0.125,
        "smoothness_value": 0,
        "is_cycle": False,
        "crop": None,
        **changes,
    }


@pytest.fixture
def save(tmp_path):
    def write(value, name="camera_path.json"):
        file = tmp_path / name
        file.write_text(json.dumps(value), encoding="utf-8")
        return file

    return write


def refusals(file) -> str:
    with pytest.raises(InputError) as caught:
        load_path(file)
    return str(caught.value)


# ---- dialects --------------------------------------------------------------------------------------------------------


def test_the_viewers_file_becomes_one_key_a_frame_from_1001(save):
    camera = load_path(save(viewer_file()))
    assert [key.frame for key in camera.keys] == [1001, 1002, 1003, 1004]
    seen = camera.at(1003, 720, 480)
    assert seen.position == pytest.approx([2, -2, 1], abs=EXACT)
    assert seen.pose[:3, :3] == pytest.approx(np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]), abs=EXACT)
    assert seen.forward == pytest.approx([0, 1, 0], abs=EXACT)
    assert load_path(save(viewer_file()), first_frame=1).first == 1


@pytest.mark.parametrize(("width", "height"), [(720, 480), (1080, 1920), (848, 477), (33, 1)])
def test_the_vertical_field_of_view_is_exact_at_any_size(save, width, height):
    # tan(30 degrees) = 1/sqrt(3): focal length is height / 2 * sqrt(3), as nerfstudio computes it.
    camera = load_path(save(viewer_file())).at(1001, width, height)
    assert camera.fx == camera.fy == pytest.approx(height / 2 * math.sqrt(3), rel=1e-14)
    assert (camera.cx, camera.cy) == (width / 2, height / 2)


def test_the_addons_file_is_read_with_its_string_matrices_portrait_and_float_sizes(save):
    camera = load_path(save(addon_file()))
    assert [key.position for key in camera.keys] == [(0, -2, 1), (1, -2, 1), (2, -2, 1)]
    assert camera.at(1001, 1080, 1920).fy == pytest.approx(960 / math.tan(math.radians(22.5)), rel=1e-14)
    assert any("1080x1920" in note for note in camera.notes)


@pytest.mark.parametrize(
    "write",
    [
        lambda m: m.reshape(-1).tolist(),
        lambda m: m.tolist(),
        lambda m: str(m.reshape(-1).tolist()),
        lambda m: " ".join(map(str, m.reshape(-1))),
        lambda m: ",".join(map(str, m.reshape(-1))),
    ],
)
def test_matrices_as_lists_rows_and_strings_mean_the_same(save, write):
    camera = load_path(save(viewer_file(camera_path=[entry() | {"camera_to_world": write(pose(3))}])))
    assert camera.keys[0].position == (3, -2, 1)


@pytest.mark.parametrize(
    "write",
    [
        lambda m: m.reshape(-1).tolist(),  # viewer
        lambda m: str(m.reshape(-1).tolist()),  # a script
        lambda m: str(m.T.reshape(-1).tolist()),  # add-ons
        lambda m: m.T.reshape(-1).tolist(),  # the viewer of nerfstudio before 1.0
    ],
)
def test_keyframes_without_a_path_become_keys_whichever_way_they_are_written(save, write):
    keyframes = [{"matrix": write(pose(x)), "fov": 60.0, "aspect": 1.5} for x in (0, 4)]
    camera = load_path(save(viewer_file(camera_path=[], keyframes=keyframes)))
    assert [key.frame for key in camera.keys] == [1001, 1005]  # 2 s at 2 frames a second
    assert camera.pose_at(1003)[:3, 3] == pytest.approx([2, -2, 1], abs=EXACT)
    assert any("keyframes only" in note for note in camera.notes)


def test_a_string_keyframe_at_the_origin_is_column_major_as_the_addons_write_it(save):
    at_origin = NORTH.copy()
    at_origin[:3, 3] = 0
    keyframes = [{"matrix": str(at_origin.T.reshape(-1).tolist()), "fov": 60.0}]
    camera = load_path(save({"keyframes": keyframes}))
    assert camera.at(1001, 64, 36).forward == pytest.approx([0, 1, 0], abs=EXACT)


def test_keyframes_keep_their_own_transition_times_and_close_a_cycle(save):
    keyframes = viewer_file()["keyframes"] + [viewer_file()["keyframes"][0]]
    keyframes[1] |= {"override_transition_enabled": True, "override_transition_sec": 0.5}
    camera = load_path(save(viewer_file(camera_path=[], keyframes=keyframes, is_cycle=True, fps=10)))
    assert [key.frame for key in camera.keys] == [1001, 1006, 1026, 1046]
    assert camera.keys[-1].position == camera.keys[0].position


def test_keyframes_of_the_old_viewer_share_its_seconds_evenly(save):
    keyframes = [{"matrix": pose(x).reshape(-1).tolist(), "fov": 50} for x in range(5)]
    camera = load_path(save({"keyframes": keyframes, "fps": 24, "seconds": 4}))
    assert [key.frame for key in camera.keys] == [1001, 1025, 1049, 1073, 1097]


def test_a_zoom_is_keyed_and_a_fixed_lens_is_not(save):
    fixed = load_path(save(viewer_file()))
    assert all(key.focal_mm is None for key in fixed.keys)
    zoom = load_path(save(viewer_file(camera_path=[entry(0, 60), entry(1, 30)])))
    assert zoom.at(1002, 640, 360).fy == pytest.approx(180 / math.tan(math.radians(15)), rel=1e-14)


def test_what_a_film_does_otherwise_is_noted(save):
    timed = [entry(0, render_time=0.0), entry(1, render_time=0.5)]
    notes = load_path(save(viewer_file(camera_path=timed, crop={"crop_center": [0, 0, 0]}))).notes
    assert [
        any(word in note for note in notes) for word in ("render_time", "crop", "2 frames a second", "as they are")
    ] == [True] * 4


def test_the_scale_of_a_nerf_in_blender_does_not_change_the_view(save):
    # The add-on writes inverse(NeRF's matrix) @ camera: a NeRF enlarged four times scales its cameras by a quarter.
    scaled = np.diag([0.25, 0.25, 0.25, 1]) @ pose(8)
    camera = load_path(save(viewer_file(camera_path=[entry() | {"camera_to_world": scaled.reshape(-1).tolist()}])))
    seen = camera.at(1001, 720, 480)
    assert seen.position == pytest.approx([2, -0.5, 0.25], abs=EXACT)
    assert seen.forward == pytest.approx([0, 1, 0], abs=EXACT)
    assert any("scaled by 0.25" in note for note in camera.notes)


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fisheye", "equirectangular", "omnidirectional", "vr180", "VR180"])
def test_cameras_that_are_not_perspective_are_refused_by_name(save, kind):
    assert f"{kind.lower()} cameras cannot be rendered: expected perspective" in refusals(
        save(viewer_file(camera_type=kind))
    )


def _with(**changes) -> dict:
    return viewer_file(camera_path=[entry(), entry() | changes])


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (viewer_file(camera_path=[], keyframes=[]), "both empty"),
        ({"camera_path": None, "keyframes": None}, "both empty"),
        (viewer_file(camera_path={"a": 1}), "camera_path: expected a list, found an object"),
        (viewer_file(camera_path=[7]), "camera_path[0]: expected an object with camera_to_world and fov, found 7"),
        (viewer_file(camera_path=[{"fov": 50}]), "camera_path[0]: missing: camera_to_world; found fov"),
        (_with(camera_to_world=[1, 2, 3]), "[1].camera_to_world: expected a 4x4 matrix of 16 numbers, found 3 values"),
        (_with(camera_to_world="a b c"), '[1].camera_to_world: expected a 4x4 matrix of 16 numbers, found "a b c"'),
        (_with(camera_to_world=pose(3).T.reshape(-1).tolist()), "looks column-major"),
        (_with(camera_to_world=(2 * pose()).reshape(-1).tolist()), "the last row must be 0 0 0 1, found 0 0 0 2"),
        (_with(camera_to_world=(np.diag([1, 2, 1, 1]) @ pose()).reshape(-1).tolist()), "sheared"),
        (_with(camera_to_world=(np.diag([-1, 1, 1, 1]) @ pose()).reshape(-1).tolist()), "mirrors the world"),
        (_with(camera_to_world=[float("nan")] * 16), "[1].camera_to_world[0]: expected a finite number, found nan"),
        (_with(fov=0), "camera_path[1].fov: expected a number greater than 0, found 0"),
        (_with(fov=180), "camera_path[1].fov: expected a number less than 180, found 180"),
        (_with(fov="wide"), 'camera_path[1].fov: expected a number, found "wide"'),
        ({"camera_path": [entry() | {"fov": None}]}, "camera_path[0]: missing: fov"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_plain_words(save, value, says):
    assert says in refusals(save(value))


def test_every_bad_frame_is_told_at_once(save):
    told = refusals(save(viewer_file(camera_path=[entry(fov=-1), entry(), entry() | {"camera_to_world": []}])))
    assert "camera_path[0].fov" in told
    assert "camera_path[2].camera_to_world" in told


def test_a_missing_field_of_view_is_the_files_default(save):
    camera = load_path(save(viewer_file(camera_path=[entry() | {"fov": None}], default_fov=90)))
    assert camera.at(1001, 100, 100).fy == pytest.approx(50, rel=1e-14)


# ---- nerfstudio's own world ------------------------------------------------------------------------------------------


def a_normalisation() -> Normalisation:
    transform = np.eye(4)
    transform[:3, :3] = matrix_from_quaternion(normalised([0.9, 0.1, -0.3, 0.2]))
    transform[:3, 3] = 0.4, -1.5, 0.3
    return Normalisation(transform, 0.25)


def test_poses_come_back_into_the_captures_world(save, tmp_path):
    # By hand: nerfstudio's point is 0.25 * (R p + t), so p = R^T (4 q - t); rotations lose R.
    n = a_normalisation()
    write_normalisation(tmp_path / "dataparser_transforms.json", n)
    camera = load_path(save(viewer_file())).at(1003, 720, 480)
    rotation, moved = n.transform[:3, :3], n.transform[:3, 3]
    assert camera.position == pytest.approx(rotation.T @ (4 * np.array([2, -2, 1]) - moved), abs=EXACT)
    assert camera.forward == pytest.approx(rotation.T @ [0, 1, 0], abs=EXACT)
    assert not any("as they are" in note for note in load_path(save(viewer_file())).notes)


def test_to_the_capture_and_back_is_the_same_pose():
    n = a_normalisation()
    assert n.from_capture(n.to_capture(NORTH)) == pytest.approx(NORTH, abs=EXACT)


def test_the_applied_transform_of_the_capture_is_kept_in(save, tmp_path):
    # COLMAP to nerfstudio: rows 0, 2, 1, then the third negated. The run's file holds orientation @ applied.
    applied = np.eye(4)[[0, 2, 1, 3]]
    applied[2] *= -1
    orientation = a_normalisation().transform
    whole = orientation @ applied
    (tmp_path / "dataparser_transforms.json").write_text(json.dumps({"transform": whole[:3].tolist(), "scale": 0.5}))
    (tmp_path / "transforms.json").write_text(
        json.dumps({"applied_transform": applied[:3].tolist(), "applied_scale": 2.0, "frames": []})
    )
    found = find_normalisation(tmp_path)
    assert found.transform == pytest.approx(orientation, abs=EXACT)
    assert found.scale == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"scale": 1.0}, "expected an object with transform and scale"),
        ({"transform": np.eye(4)[:3].tolist(), "scale": 0}, "scale: expected a number greater than 0"),
        ({"transform": (2 * np.eye(4)[:3]).tolist(), "scale": 1}, "transform: is scaled by 2"),
        ({"transform": [[1, 2]], "scale": 1}, "transform: expected three rows of four numbers"),
    ],
)
def test_a_broken_normalisation_is_refused(save, tmp_path, value, says):
    (tmp_path / "dataparser_transforms.json").write_text(json.dumps(value))
    assert says in refusals(save(viewer_file()))


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_written_has_nerfstudios_schema_and_reads_back(tmp_path):
    keys = (
        CameraKey(1001, (0.0, -2.0, 1.0), look_at=(0.0, 0.0, 1.0), focal_mm=24.0),
        CameraKey(1025, (4.0, -2.0, 2.0), look_at=(0.0, 0.0, 1.0), focal_mm=50.0),
    )
    camera = CameraPath(keys, Lens(filmback_mm=(36.0, 20.25)))
    file, frames = tmp_path / "camera_path.json", range(1001, 1049)
    n = a_normalisation()
    write_nerfstudio_path(file, camera, frames, (640, 360), Fraction(24000, 1001), n)
    value = json.loads(file.read_text())
    assert list(value) == [
        "default_fov", "default_transition_sec", "keyframes", "camera_type", "render_height", "render_width", "fps",
        "seconds", "is_cycle", "smoothness_value", "camera_path",
    ]  # fmt: skip
    assert list(value["camera_path"][0]) == ["camera_to_world", "fov", "aspect"]
    assert [type(value[k]) for k in ("render_height", "render_width")] == [int, int]
    assert len(value["camera_path"]) / value["seconds"] == pytest.approx(24000 / 1001, rel=1e-15)
    assert [k["override_transition_sec"] for k in value["keyframes"]] == [None, 24 * 1001 / 24000]
    write_normalisation(tmp_path / "dataparser_transforms.json", n)
    again = load_path(file)
    for frame in frames:
        ours, theirs = camera.at(frame, 640, 360), again.at(frame, 640, 360)
        assert theirs.pose == pytest.approx(ours.pose, abs=1e-12)
        assert theirs.fy == pytest.approx(ours.fy, rel=1e-12)
