"""Clips: exact sampling of keyed tracks, and the project's own clip file."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clip_makers import HALF, QUARTER_ABOUT_Z, chain

from splatfilm.base.errors import InputError
from splatfilm.stage.clips.clip import Clip, Track, baked
from splatfilm.stage.clips.clip_file import clip_hash, read_clip, write_clip

SKELETON = chain(1.0)


def turning(**changes: object) -> Clip:
    track = Track("j0", "rotation", [0.0, 1.0], [[1, 0, 0, 0], QUARTER_ABOUT_Z], **changes)  # type: ignore[arg-type]
    return Clip("turn", SKELETON, (track,))


def test_halfway_through_a_quarter_turn_is_an_eighth_of_a_turn() -> None:
    angle = np.pi / 8  # half of 45 degrees
    assert np.allclose(turning().at(0.5).rotations[0], [np.cos(angle), 0, 0, np.sin(angle)], atol=1e-15)


def test_rotations_take_the_short_way_round() -> None:
    track = Track("j0", "rotation", [0.0, 1.0], [[1, 0, 0, 0], [-HALF, 0, 0, -HALF]])
    angle = np.pi / 8
    sampled = Clip("c", SKELETON, (track,)).at(0.5).rotations[0]
    assert np.allclose(sampled, [np.cos(angle), 0, 0, np.sin(angle)], atol=1e-15)


def test_a_step_holds_until_the_next_key() -> None:
    clip = turning(interpolation="STEP")
    assert clip.at(0.999).rotations[0].tolist() == [1, 0, 0, 0]
    assert np.allclose(clip.at(1.0).rotations[0], QUARTER_ABOUT_Z)


def test_a_cubic_spline_uses_tangents_a_second() -> None:
    # p(t) on 0..2 s from 0 to 1, leaving at 3 a second and arriving at rest; at u = 1/2, by hand:
    # h00 0 + h10 (1/8) * 2 s * 3 + h01 (1/2) * 1 + h11 0 = 0.75 + 0.5
    values = [[[0, 0, 0], [0, 0, 0], [3, 0, 0]], [[0, 0, 0], [1, 0, 0], [9, 9, 9]]]
    clip = Clip("c", SKELETON, (Track("j1", "translation", [0.0, 2.0], values, "CUBICSPLINE"),))
    assert clip.at(1.0).translations[1].tolist() == [1.25, 0, 0]
    assert clip.at(2.0).translations[1].tolist() == [1, 0, 0]


def test_what_no_track_moves_stays_at_rest_and_shapes_run_straight() -> None:
    clip = Clip("c", SKELETON, (Track("jawOpen", "shape", [0.0, 2.0], [[0.0], [1.0]]),))
    pose = clip.at(0.5)
    assert pose.translations.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert pose.shapes == {"jawOpen": 0.25}


def test_a_clip_holds_still_before_and_after() -> None:
    clip = turning()
    assert clip.at(-5).rotations[0].tolist() == [1, 0, 0, 0]
    assert np.array_equal(clip.at(7).rotations, clip.at(1).rotations)


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([0.0, 0.0], [[1, 0, 0, 0]] * 2, "must come after"),
        ([0.0, 1.0], [[1, 0, 0, 0]], "want values of shape"),
        ([0.0], [[0, 0, 0, 0]], "must not be zero"),
        ([0.0], [[np.nan, 0, 0, 0]], "finite"),
        ([], np.zeros((0, 4)), "at least one key"),
    ],
)
def test_a_track_refuses_what_cannot_be_played(times: object, values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Track("j0", "rotation", times, values)  # type: ignore[arg-type]


def test_a_clip_refuses_joints_that_are_not_there_and_two_tracks_of_one_thing() -> None:
    track = Track("elbow", "rotation", [0.0], [[1, 0, 0, 0]])
    with pytest.raises(ValueError, match="no such joint"):
        Clip("c", SKELETON, (track,))
    fine = Track("j0", "rotation", [0.0], [[1, 0, 0, 0]])
    with pytest.raises(ValueError, match="two tracks"):
        Clip("c", SKELETON, (fine, fine))


def test_baking_meets_every_frame_exactly() -> None:
    clip = turning()
    made = baked(clip, "baked", Fraction(8))
    for k in range(9):
        assert np.array_equal(made.at(k / 8).rotations, clip.at(k / 8).rotations)
    assert [t.target for t in made.tracks] == ["j0"]


def test_a_clip_file_keeps_every_bit_and_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=(5, 4))
    times = np.array([0, 0.1, 0.25, 0.7, 1.3])
    tracks = (
        Track("j0", "rotation", times, values),
        Track("j1", "translation", times, rng.normal(size=(5, 3, 3)), "CUBICSPLINE"),
        Track("jawOpen", "shape", [0.0, 1.0], [[0.0], [0.3]]),
    )
    clip = Clip("wave", chain(0.5), tracks, Fraction(24000, 1001), 2.0, "made up", "CC0-1.0")
    write_clip(tmp_path / "a.clip.npz", clip)
    write_clip(tmp_path / "b.clip.npz", clip)
    assert (tmp_path / "a.clip.npz").read_bytes() == (tmp_path / "b.clip.npz").read_bytes()
    back = read_clip(tmp_path / "a.clip.npz")
    assert (back.name, back.rate, back.duration, back.source) == ("wave", Fraction(24000, 1001), 2.0, "made up")
    assert back.skeleton == clip.skeleton
    assert clip_hash(back) == clip_hash(clip)
    for seconds in (0, 0.33, 1.29, 2.0):
        assert np.array_equal(back.at(seconds).rotations, clip.at(seconds).rotations)
        assert np.array_equal(back.at(seconds).translations, clip.at(seconds).translations)


def test_a_compact_file_states_its_error_and_keeps_to_it(tmp_path: Path) -> None:
    weights = np.linspace(0, 1, 7)[:, None] ** 2
    clip = Clip("c", SKELETON, (Track("jawOpen", "shape", np.arange(7.0), weights),))
    write_clip(tmp_path / "c.clip.npz", clip, compact=True)
    with zipfile.ZipFile(tmp_path / "c.clip.npz") as archive, archive.open("header.npy") as part:
        stated = json.loads(np.lib.format.read_array(part).tobytes())["largest_error"]["shape"]
    back = read_clip(tmp_path / "c.clip.npz")
    found = max(abs(back.at(k).shapes["jawOpen"] - weights[k, 0]) for k in range(7))
    assert 0 < found == stated < 5e-4


def test_a_damaged_clip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.clip.npz"
    write_clip(path, turning())
    data = path.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"c\.clip\.npz"):
            read_clip(path)
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            again = read_clip(path)
        except InputError:
            continue
        assert clip_hash(again) == clip_hash(turning())
    with pytest.raises(InputError, match="no such file"):
        read_clip(tmp_path / "none.clip.npz")


def test_a_clip_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.clip.npz"
    write_clip(path, turning())
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(b'"version":1', b'"version":9'))
    with pytest.raises(InputError, match="version 9; this Splatfilm reads 1"):
        read_clip(path)


def test_clips_need_no_torch() -> None:
    code = "import sys, splatfilm.stage.clips; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
