"""Our camera file: what it says, what comes back, and that every mistake is told at once with its line."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splatfilm.base.errors import InputError
from splatfilm.cameras import CameraKey, CameraPath, Easings, Lens, load_path, write_camera_file
from splatfilm.cameras.document import lines_of

GOOD = {
    "format": "splatfilm-camera",
    "version": 1,
    "lens": {"focal_mm": 35, "filmback_mm": [36, 24], "t_stop": 2.8, "focus_m": 3.0, "gate": "horizontal"},
    "speed": "keyed",
    "keys": [
        {"frame": 1001, "position": [0, -4, 1.6], "look_at": [0, 0, 1.2], "roll": 0, "easing": "ease-in"},
        {"frame": 1024.5, "position": [1, -4, 1.6], "rotation": [1, -1, 0, 0], "roll": 5, "focal_mm": 50},
        {
            "frame": 1048,
            "position": [2, -4, 1.6],
            "look_at": [0, 0, 1.2],
            "easing": {"position": [0.4, 0, 0.6, 1], "focal": "hold"},
        },
    ],
}


@pytest.fixture
def save(tmp_path):
    def write(value, name="camera.json"):
        file = tmp_path / name
        file.write_text(value if isinstance(value, str) else json.dumps(value, indent=2), encoding="utf-8")
        return file

    return write


def problems(file) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_path(file)
    return [str(problem).removeprefix(str(file)) for problem in caught.value.problems]


def test_a_camera_file_says_where_the_camera_is(save):
    camera = load_path(save(GOOD))
    assert (camera.first, camera.last) == (1001, 1048)
    assert camera.lens == Lens(35.0, (36.0, 24.0), 1.0, 2.8, 3.0, "horizontal")
    assert camera.keys[0].easing == Easings.alike("ease-in")
    assert camera.keys[1].roll == math.radians(5)
    assert camera.keys[2].easing == Easings(position=(0.4, 0.0, 0.6, 1.0), focal="hold")
    assert camera.at(1001, 720, 480).fx == 720 * 50 / 36  # keyed once, the focal length holds throughout
    assert camera.pose_at(1048)[:3, 3].tolist() == [2, -4, 1.6]


def test_the_shortest_camera_file_is_enough(save):
    keys = [{"frame": 1, "position": [0, 0, 0], "rotation": [1, 0, 0, 0]}]
    camera = load_path(save({"format": "splatfilm-camera", "version": 1, "keys": keys}))
    assert camera.lens == Lens()
    assert np.array_equal(camera.pose_at(7), np.eye(4))


def test_a_file_is_known_by_its_contents_and_not_by_its_name(save):
    assert load_path(save(GOOD, "camera_path.json")).last == 1048


numbers = st.floats(-1e6, 1e6, allow_nan=False)
positive = st.floats(1e-3, 1e4)
easings = st.sampled_from(["smooth", "linear", "hold", "ease-in", "ease-out", "ease-in-out"]) | st.tuples(
    st.floats(0, 1), st.floats(-100, 100), st.floats(0, 1), st.floats(-100, 100)
)


@st.composite
def paths(draw):
    frames = sorted(draw(st.sets(st.floats(-1e4, 1e5), min_size=1, max_size=5)))
    vector = st.tuples(numbers, numbers, numbers)
    keys = []
    for frame in frames:
        position = draw(vector)
        aims = draw(st.booleans())
        turn = draw(vector.filter(lambda v, p=position: v != p)) if aims else (1.0, *draw(vector))
        roll = draw(st.none() | st.floats(-720, 720).map(math.radians))
        how = Easings(*(draw(easings) for _ in range(5))) if draw(st.booleans()) else Easings.alike(draw(easings))
        optional = draw(st.tuples(st.none() | positive, st.none() | positive))
        keys.append(
            CameraKey(frame, position, None if aims else turn, turn if aims else None, roll, *optional, easing=how)
        )
    squeeze, stop, focus = draw(positive), draw(st.none() | positive), draw(st.none() | positive)
    gate = draw(st.sampled_from(["horizontal", "vertical"]))
    return CameraPath(tuple(keys), Lens(draw(positive), (draw(positive), draw(positive)), squeeze, stop, focus, gate))


@settings(max_examples=60, deadline=None)
@given(paths())
def test_what_is_written_reads_back_the_same_to_the_bit(tmp_path_factory, camera):
    file = tmp_path_factory.mktemp("round") / "camera.json"
    write_camera_file(file, camera)
    assert load_path(file) == camera
    first = file.read_bytes()
    write_camera_file(file, load_path(file))
    assert file.read_bytes() == first


def test_a_written_file_has_one_key_a_line_and_short_numbers(tmp_path, save):
    file = tmp_path / "out.json"
    write_camera_file(file, load_path(save(GOOD)))
    text = file.read_text()
    line = '"position": [0.0, -4.0, 1.6], "look_at": [0.0, 0.0, 1.2], "roll": 0.0, "easing": "ease-in"},'
    assert f'    {{"frame": 1001, {line}\n' in text
    assert '"roll": 5.0' in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["camera.json", "out.json"]


# ---- mistakes --------------------------------------------------------------------------------------------------------


def test_every_mistake_in_a_file_is_told_at_once_with_its_line(save):
    file = save(
        """{
  "format": "splatfilm-camera",
  "version": 1,
  "speeed": "keyed",
  "lens": {
    "focal_mm": -35,
    "filmback_mm": [36],
    "gate": "wide"
  },
  "speed": "constnt",
  "keys": [
    {"frame": 1001, "position": [0, NaN, 0], "rotation": [0, 0, 0, 0]},
    {"frame": 1001, "position": [0, 0], "look_at": [1, 1, 1], "rol": 3},
    {"frame": 990, "position": [1, 1, 1], "look_at": [1, 1, 1]},
    {"frame": true, "position": [1, 1, 1]},
    {"position": [1, 1, 1], "rotation": [1, 0, 0, 0], "look_at": [0, 0, 0],
     "easing": {"position": "ease-inn", "zoom": "linear"}},
    {"frame": 1002, "position": "here", "rotation": [1, 0, 0, 0], "focal_mm": 0, "easing": "bouncy"},
    7
  ]
}"""
    )
    told = problems(file)
    expected = [
        (4, "speeed", 'did you mean "speed"?'),
        (6, "lens.focal_mm", "greater than 0, found -35"),
        (7, "lens.filmback_mm", "expected [width, height] in millimetres, found 1 values"),
        (8, "lens.gate", 'expected horizontal or vertical, found "wide"'),
        (10, "speed", 'did you mean "constant"?'),
        (12, "keys[0].position[1]", "expected a finite number, found nan"),
        (12, "keys[0].rotation", "length zero"),
        (13, "keys[1].frame", "1001 is the frame of keys[0] too"),
        (13, "keys[1].position", "found 2 values"),
        (13, "keys[1].rol", 'did you mean "roll"?'),
        (14, "keys[2].frame", "990 comes after 1001"),
        (14, "keys[2].look_at", "is where the camera stands"),
        (15, "keys[3].frame", "expected a number, found true"),
        (15, "keys[3]", "found neither"),
        (16, "keys[4]", "missing: frame"),
        (16, "keys[4]", "found both"),
        (17, "keys[4].easing.position", 'did you mean "ease-in"?'),
        (17, "keys[4].easing.zoom", "unknown key"),
        (18, "keys[5].position", 'found "here"'),
        (18, "keys[5].focal_mm", "greater than 0, found 0"),
        (18, "keys[5].easing", '"bouncy" is no easing'),
        (19, "keys[6]", "expected an object, found 7"),
    ]
    for line, place, says in expected:
        assert any(p.startswith(f":{line}: {place}: ") and says in p for p in told), (line, place, says, told)
    assert len(told) == len(expected)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version: this Splatfilm reads version 1, found 2"),
        ({"version": "1"}, 'reads version 1, found "1"'),
        ({"format": "splatfilm-camra"}, 'format: expected "splatfilm-camera", found "splatfilm-camra"'),
        ({"keys": []}, "keys: expected at least one key, found none"),
        ({"keys": {}}, "keys: expected a list of keys, found an object"),
        ({"lens": 35}, "lens: expected an object, found 35"),
        ({"speed": "constant", "keys": [{"frame": f, "position": [0, 0, 0], "rotation": [1, 0, 0, 0]} for f in (1, 2)]},
         "speed: keys 0 and 1 are in one place"),
        ({"keys": [{"frame": 10**400, "position": [0, 0, 0], "rotation": [1, 0, 0, 0]}]}, "finite number, found inf"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(save, change, says):
    assert any(says in told for told in problems(save({**GOOD, **change})))


def test_a_camera_file_without_its_format_line_is_still_understood_as_one(save):
    told = problems(save({"keys": GOOD["keys"]}))
    assert told == [": missing: format, version"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"format": "splatfilm-camera", "version": 1, "version": 1, "keys": [' + "1" * 5000 + "]}", "not valid JSON"),
        ("null", "expected a Splatfilm camera file or a nerfstudio camera path, found null"),
        ("[1, 2]", "found a list of 2"),
        (
            '{"image_width": 640, "horizontal_fov_deg": 60, "frames": [{"t": 0}]}',
            "another tool's file of the same name",
        ),
        ('{"frames": [{"file_path": "a.png", "transform_matrix": []}]}', "this is a transforms.json"),
        ('{"format": "splatfilm-camera", "version": 1, "version": 1, "keys": []}', 'gives "version" twice'),
    ],
)
def test_what_is_no_camera_file_is_refused_in_plain_words(save, text, says):
    assert any(says in told for told in problems(save(text)))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "camera.json"
    file.write_bytes(b'{"a": "\xff\xfe"}')
    assert "byte 7 is no UTF-8" in problems(file)[0]


def test_missing_files_and_folders_are_refused(tmp_path):
    assert problems(tmp_path / "none.json") == [": no such file"]
    assert "is a folder" in problems(tmp_path)[0]


def test_budgets_are_kept(save, tmp_path):
    key = '{"frame": 1, "position": [0, 0, 0], "rotation": [1, 0, 0, 0]}'
    many = save('{"format": "splatfilm-camera", "version": 1, "keys": [' + ",".join(["{}"] * 100_001) + "]}")
    assert any("100001 keys: at most 100000" in told for told in problems(many))
    padded = save('{"format": "splatfilm-camera", "version": 1, "keys": [' + key + "]}" + " " * (16 << 20))
    assert any("larger than 16 MiB" in told for told in problems(padded))
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(65 << 20)
    assert "at most 64 MiB" in problems(huge)[0]


def test_a_hundred_thousand_mistakes_are_told_briefly(save):
    file = save('{"format": "splatfilm-camera", "version": 1, "keys": [' + ",".join(["{}"] * 100_000) + "]}")
    told = problems(file)
    assert len(told) == 51
    assert "more problems" in told[-1]


def test_many_keys_are_read_and_asked_in_between(save):
    keys = ",".join(f'{{"frame": {i}, "position": [{i / 100}, 0, 0], "rotation": [1, 0, 0, 0]}}' for i in range(20_000))
    camera = load_path(save('{"format": "splatfilm-camera", "version": 1, "keys": [' + keys + "]}"))
    assert camera.pose_at(5_000.5)[0, 3] == pytest.approx(50.005, abs=1e-9)


def test_a_lens_change_that_no_lens_has_is_an_error_of_input(save):
    with pytest.raises(InputError, match='did you mean "focal_mm"'):
        load_path(save(GOOD), {"focal_m": 20})
    assert load_path(save(GOOD), {"focal_mm": 20}).lens_at(1024.5).focal_mm == 20


def test_lines_are_found_in_text_of_any_layout():
    text = '{"a": [\n 1, 2, {"b\\"": null,\n  "c": [[], {}, "x]"]}],\n\n "d":\n -1.5e3\n}'
    found = lines_of(text, ["a[0]", 'a[2].b"', "a[2].c[2]", "a[2].z", "d", ""])
    assert found == {"a[0]": 2, 'a[2].b"': 2, "a[2].c[2]": 3, "a[2].z": 2, "d": 5}


def test_the_example_in_the_documentation_is_a_camera_file(repository, save):
    text = (repository / "docs" / "cameras.md").read_text(encoding="utf-8")
    camera = load_path(save(text.split("```json\n")[1].split("```")[0]))
    assert (camera.first, camera.last) == (1001, 1048)
    assert camera.lens_at(1048).focal_mm == 50
