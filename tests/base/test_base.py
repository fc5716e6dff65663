"""The ground: files are whole or not there, hashes do not depend on spelling, rotations turn the way they say."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base import files, hashing, rigid
from splatfilm.base.errors import InputError, Problem, StorageError, did_you_mean


def test_a_problem_reads_as_file_line_place_message() -> None:
    assert str(Problem("film.toml", "shots[0].name", "is empty", 12)) == "film.toml:12: shots[0].name: is empty"
    assert str(Problem("a.ply", "", "no such file")) == "a.ply: no such file"


def test_an_input_error_shows_every_problem_it_holds() -> None:
    error = InputError([Problem("a", "", "one"), Problem("b", "k", "two")])
    assert str(error) == "a: one\nb: k: two"
    assert len(error.problems) == 2


def test_did_you_mean_offers_only_what_is_close() -> None:
    assert did_you_mean("fraems", ["frames", "lens"]) == '; did you mean "frames"?'
    assert did_you_mean("xyzzy", ["frames", "lens"]) == ""


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "frame.png"
    files.write_bytes(target, b"old")
    with pytest.raises(RuntimeError), files.atomic_path(target) as temporary:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError("the renderer fell over")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["frame.png"]


def test_a_written_file_has_the_permissions_of_an_ordinary_file(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_disk_that_refuses_is_a_storage_error_naming_the_file(tmp_path: Path) -> None:
    """A file-size limit makes the kernel refuse in the middle of a real write, as a full disk does."""
    code = """
import resource, signal, sys
from splatfilm.base.errors import StorageError
from splatfilm.base.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(sys.argv[1], b"x" * 5000)
except StorageError as error:
    print(error)
"""
    target = tmp_path / "big.bin"
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{target}: cannot write: ")
    assert list(tmp_path.iterdir()) == []


def test_kill_in_the_middle_of_writing_leaves_old_or_new_but_never_half(tmp_path: Path) -> None:
    code = """
import itertools, sys
from splatfilm.base.files import write_bytes
for i in itertools.count():
    write_bytes(sys.argv[1], bytes([i % 251]) * 3_000_000)
"""
    target = tmp_path / "film.bin"
    for delay in (0.3, 0.45, 0.62):
        process = subprocess.Popen([sys.executable, "-c", code, str(target)])
        deadline = time.monotonic() + 20
        while not target.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        data = target.read_bytes()
        assert len(data) == 3_000_000
        assert data.count(data[:1]) == len(data)


def test_json_that_cannot_be_read_names_file_and_line(tmp_path: Path) -> None:
    broken = tmp_path / "camera.json"
    broken.write_text('{\n "keys": [1,\n }\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        files.read_json(broken)
    assert caught.value.problems[0].line == 3
    with pytest.raises(InputError, match="no such file"):
        files.read_json(tmp_path / "absent.json")
    broken.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(InputError, match="nested too deeply"):
        files.read_json(broken)


def test_a_hash_does_not_depend_on_order_or_spelling() -> None:
    assert hashing.hash_value({"a": 1, "b": (2.0, "x")}) == hashing.hash_value({"b": [2, "x"], "a": 1.0})
    assert hashing.hash_value([0.1 + 0.2]) != hashing.hash_value([0.3])
    assert hashing.hash_value(Fraction(24000, 1001)) != hashing.hash_value(24000 / 1001)
    assert hashing.hash_value(True) != hashing.hash_value(1)
    assert hashing.hash_value(None) != hashing.hash_value("")


def test_what_has_no_stable_form_is_not_hashed() -> None:
    with pytest.raises(ValueError, match="finite"):
        hashing.hash_value([math.nan])
    with pytest.raises(TypeError, match="contents"):
        hashing.hash_value(Path("a.ply"))
    with pytest.raises(TypeError):
        hashing.hash_value({1: "a"})
    with pytest.raises(TypeError):
        hashing.hash_value(np.zeros(3))


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert hashing.hash_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="no such file"):
        hashing.hash_file(tmp_path / "absent")


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    q = rigid.quaternion_about((0, 0, 5), math.pi / 2)
    np.testing.assert_allclose(rigid.matrix_from_quaternion(q) @ (1, 0, 0), (0, 1, 0), atol=1e-15)


def test_multiplication_applies_the_right_hand_factor_first() -> None:
    about_x, about_z = rigid.quaternion_about((1, 0, 0), math.pi / 2), rigid.quaternion_about((0, 0, 1), math.pi / 2)
    turned = rigid.matrix_from_quaternion(rigid.multiply(about_z, about_x)) @ (0, 1, 0)
    np.testing.assert_allclose(turned, (0, 0, 1), atol=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_quaternions_survive_the_way_through_a_matrix(seed: int) -> None:
    q = rigid.normalised(np.random.default_rng(seed).normal(size=4))
    back = rigid.quaternion_from_matrix(rigid.matrix_from_quaternion(q))
    np.testing.assert_allclose(back, q if q[0] >= 0 else -q, atol=1e-14)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_half_turns_survive_the_way_through_a_matrix(axis: tuple[int, int, int]) -> None:
    q = np.array([0.0, *axis])
    back = rigid.quaternion_from_matrix(rigid.matrix_from_quaternion(q))
    np.testing.assert_allclose(np.abs(back), q, atol=1e-15)


def test_slerp_takes_the_short_way_round_at_even_speed() -> None:
    start = rigid.quaternion_about((0, 0, 1), 0.0)
    end = -rigid.quaternion_about((0, 0, 1), 1.0)
    for t in (0.0, 0.25, 0.5, 1.0):
        expected = rigid.quaternion_about((0, 0, 1), t)
        np.testing.assert_allclose(rigid.slerp(start, end, t), expected, atol=1e-14)


def test_no_direction_is_no_rotation() -> None:
    with pytest.raises(ValueError, match="not zero"):
        rigid.normalised((0, 0, 0, 0))
    with pytest.raises(ValueError, match="finite"):
        rigid.normalised((math.nan, 0, 0, 1))
    with pytest.raises(ValueError, match="axis"):
        rigid.quaternion_about((0, 0, 0), 1)


def test_a_similarity_and_its_inverse_cancel() -> None:
    q = rigid.quaternion_about((1, 2, 3), 0.7)
    place = rigid.Similarity((q[0], q[1], q[2], q[3]), (1.0, -2.0, 0.5), 2.5)
    np.testing.assert_allclose(place.then(place.inverse()).matrix(), np.eye(4), atol=1e-14)
    np.testing.assert_allclose(place.inverse().matrix(), np.linalg.inv(place.matrix()), atol=1e-14)


def test_then_applies_the_outer_map_last() -> None:
    shift = rigid.Similarity(translation=(1.0, 0.0, 0.0))
    double = rigid.Similarity(scale=2.0)
    np.testing.assert_allclose(shift.then(double).matrix() @ (0, 0, 0, 1), (2, 0, 0, 1))
    np.testing.assert_allclose(double.then(shift).matrix() @ (0, 0, 0, 1), (1, 0, 0, 1))


def test_storage_errors_and_input_errors_have_exit_codes_of_their_own() -> None:
    assert {InputError.exit_code, StorageError.exit_code} == {3, 5}
