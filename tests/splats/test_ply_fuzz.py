"""Broken PLY files: read, or refused in plain words; never a crash, never a hang."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from splat_makers import standard_columns, write_columns

from splatfilm.base.errors import InputError
from splatfilm.splats import read_splats, splat_count

FUZZ = settings(deadline=None, max_examples=150)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def seeds(folder: Path) -> list[bytes]:
    columns = standard_columns(20, 9)
    forms = ("binary_little_endian", "binary_big_endian", "ascii")
    files = [write_columns(folder / f"{form}.ply", columns, form).read_bytes() for form in forms]
    return [*files, packed_file(300)]


def packed_file(count: int) -> bytes:
    """A compressed PLY of random words, which are all valid: the format has no other kind."""
    rng = np.random.default_rng(1)
    bounds = ["min_x", "min_y", "min_z", "max_x", "max_y", "max_z"]
    bounds += [f"{end}_scale_{axis}" for end in ("min", "max") for axis in "xyz"]
    words = ["packed_position", "packed_rotation", "packed_scale", "packed_color"]
    lines = ["ply", "format binary_little_endian 1.0", f"element chunk {-(-count // 256)}"]
    lines += [f"property float {name}" for name in bounds]
    lines += [f"element vertex {count}", *(f"property uint {name}" for name in words)]
    lines += [f"element sh {count}", *(f"property uchar f_rest_{i}" for i in range(9)), "end_header", ""]
    chunks = rng.normal(size=(-(-count // 256), 12)).astype("<f4")
    vertices = rng.integers(0, 2**32, size=(count, 4), dtype=np.uint32)
    sh = rng.integers(0, 256, size=(count, 9), dtype=np.uint8)
    return "\n".join(lines).encode() + chunks.tobytes() + vertices.tobytes() + sh.tobytes()


def read_or_refuse(path: Path, data: bytes) -> None:
    """Whatever comes back must be fit to enter the house."""
    path.write_bytes(data)
    try:
        splats = read_splats(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert splat_count(path) == len(splats) > 0
        for name in ("means", "quats", "scales", "opacities", "sh"):
            assert torch.isfinite(getattr(splats, name)).all(), name
        assert (splats.scales > 0).all() and ((splats.opacities >= 0) & (splats.opacities <= 1)).all()
        assert (splats.quats.square().sum(dim=1) - 1).abs().max() < 1e-6


def test_the_seeds_are_good_files(folder: Path, seeds: list[bytes]) -> None:
    for data in seeds:
        (folder / "seed.ply").write_bytes(data)
        assert len(read_splats(folder / "seed.ply")) in (20, 300)


@FUZZ
@given(data=st.data())
def test_poisoned_bytes_never_crash_the_reader(folder: Path, seeds: list[bytes], data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(seeds), label="seed"))
    places = data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8), label="places")
    for place in places:
        content[place] = data.draw(st.integers(0, 255), label="byte")
    read_or_refuse(folder / "poisoned.ply", bytes(content))


@FUZZ
@given(data=st.data())
def test_poisoned_headers_never_crash_the_reader(folder: Path, seeds: list[bytes], data: st.DataObject) -> None:
    """Whole words of the header replaced by others that mean something somewhere."""
    content = data.draw(st.sampled_from(seeds), label="seed")
    head, end, body = content.partition(b"end_header\n")
    words = head.split(b" ")
    spare = [b"0", b"1", b"-1", b"18446744073709551617", b"list", b"uchar", b"double", b"float", b"int8", b"nan", b""]
    spare += [b"x", b"rot_0", b"f_rest_9", b"packed_color", b"vertex", b"chunk", b"\xff\xfe", b"property", b"\n", b"\r"]
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(spare))
    read_or_refuse(folder / "header.ply", b" ".join(words) + end + body)


@FUZZ
@given(data=st.data())
def test_poisoned_numbers_are_refused_or_harmless(folder: Path, data: st.DataObject) -> None:
    """NaN, infinities, zeros, denormals and giants anywhere in the numbers."""
    columns = standard_columns(20, 9)
    poison = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3.4e38, -3.4e38, 104.0, -104.0, 89.0]
    for _ in range(data.draw(st.integers(1, 30))):
        name = data.draw(st.sampled_from(sorted(columns)))
        columns[name][data.draw(st.integers(0, 19))] = data.draw(st.sampled_from(poison))
    form = data.draw(st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian"]))
    path = write_columns(folder / "numbers.ply", columns, form)
    read_or_refuse(path, path.read_bytes())


def test_a_file_cut_at_any_offset_is_refused(folder: Path, seeds: list[bytes]) -> None:
    for content in seeds[:3]:
        end = len(content) - (1 if content.endswith(b"\n") else 0)  # without its last newline an ascii file is whole
        for offset in [*range(0, end, 17), *range(end - 20, end)]:
            (folder / "cut.ply").write_bytes(content[:offset])
            try:
                read_splats(folder / "cut.ply")
            except InputError:
                continue
            # Only ascii can lose part of a number and still be numbers.
            assert content[:40].count(b"ascii") and offset > end - 20


def test_a_packed_file_cut_at_any_offset_is_refused(folder: Path) -> None:
    content = packed_file(300)
    for offset in range(0, len(content), 11):
        (folder / "cut.ply").write_bytes(content[:offset])
        with pytest.raises(InputError):
            read_splats(folder / "cut.ply")


@pytest.mark.parametrize("size", [1, 10_000, 300_000])
def test_rubbish_after_a_good_start_is_refused(folder: Path, size: int) -> None:
    rubbish = np.random.default_rng(size).integers(0, 256, size=size, dtype=np.uint8).tobytes()
    for start in (b"ply", b"ply\n", b"ply\nformat binary_little_endian 1.0\n", b"ply\nformat ascii 1.0\n"):
        (folder / "rubbish.ply").write_bytes(start + rubbish)
        with pytest.raises(InputError):
            read_splats(folder / "rubbish.ply")
