"""Splat files told apart by their content."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from splat_makers import assert_same_bits, random_splats, standard_columns, write_columns

from splatfilm.base.errors import InputError, StorageError
from splatfilm.splats import read_splats, splat_bounds, splat_count, write_ply


def refusal(path: Path) -> str:
    for attempt in (read_splats, splat_count):
        with pytest.raises(InputError) as caught:
            attempt(path)
    return str(caught.value)


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    splats = random_splats(10)
    write_ply(tmp_path / "a.ply", splats)
    (tmp_path / "a.ply").rename(tmp_path / "cloud.dat")
    assert len(read_splats(tmp_path / "cloud.dat")) == 10


def test_a_mesh_and_a_point_cloud_are_called_so(tmp_path: Path) -> None:
    columns = {name: standard_columns(9)[name] for name in ("x", "y", "z")}
    cloud = write_columns(tmp_path / "cloud.ply", columns)
    assert "is a point cloud (9 points), not splats" in refusal(cloud)
    mesh = tmp_path / "mesh.ply"
    faces = b"element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    mesh.write_bytes(cloud.read_bytes().replace(b"end_header\n", faces) + b"\x03" + bytes(12))
    assert "is a mesh (9 points), not splats" in refusal(mesh)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.spz", b"NGSP\x04\0\0\0" + bytes(20), "is an SPZ file (version 4)"),
        ("a.spz", gzip.compress(b"NGSP\x03\0\0\0" + bytes(20)), "is an SPZ file (version 3)"),
        ("a.splat", bytes(64), "is a .splat file"),
        ("a.ksplat", bytes(64), "is a KSPLAT file"),
        ("a.glb", b"glTF" + bytes(20), "is a glTF file"),
    ],
)
def test_other_splat_formats_are_named_with_what_converts_them(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    text = refusal(path)
    assert expected in text
    assert f"`npx @playcanvas/splat-transform {name} a.ply`" in text


def test_a_sog_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.sog", "w") as archive:
        archive.writestr("meta.json", "{}")
    assert "is a SOG file" in refusal(tmp_path / "a.sog")


def test_real_files_of_other_formats_are_named(shared_data: Path) -> None:
    folder = shared_data / "splat_fixtures" / "splat"
    kinds = {
        "minimal.splat": "a .splat file",
        "minimal.ksplat": "a KSPLAT file",
        "minimal-v2.spz": "an SPZ file (version 2)",
        "minimal-v4.spz": "an SPZ file (version 4)",
    }
    for name, kind in kinds.items():
        assert f"is {kind}; Splatfilm reads" in refusal(folder / name)


@pytest.mark.parametrize("data", [b"hello", b"\x89PNG\r\n\x1a\n", gzip.compress(b"hello"), b"\x1f\x8bxx", b"PK\3\4xx"])
def test_anything_else_is_no_splat_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    assert "is no splat file that is known here" in refusal(tmp_path / "a.bin")


def test_what_is_no_file_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.ply").touch()
    os.mkfifo(tmp_path / "pipe.ply")
    assert "no such file" in refusal(tmp_path / "missing.ply")
    assert "is a folder" in refusal(tmp_path)
    assert "is empty" in refusal(tmp_path / "empty.ply")
    assert "is not an ordinary file" in refusal(tmp_path / "pipe.ply")


def test_a_refused_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    old = random_splats(5)
    write_ply(path, old)
    with pytest.raises(StorageError):
        write_ply(path / "below-a-file.ply", random_splats(6))
    assert_same_bits(read_splats(path), read_splats(path))
    assert [p.name for p in tmp_path.iterdir()] == ["a.ply"] and splat_count(path) == 5


def test_every_public_name_is_what_it_says_in_any_order_of_imports() -> None:
    """A module that bore the name of its function would take its place once imported."""
    code = (
        "import importlib, pkgutil, splatfilm.splats as room\n"
        "for module in pkgutil.iter_modules(room.__path__):\n"
        "    importlib.import_module(f'splatfilm.splats.{module.name}')\n"
        "assert not [n for n in room.__all__ if type(getattr(room, n)).__name__ == 'module']\n"
        "assert set(room.__all__) <= set(dir(room))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_bounds_are_those_of_the_centres(tmp_path: Path) -> None:
    columns = standard_columns(5)
    columns["x"][:] = [3, -1, 0.5, 0, 2]
    columns["y"][:] = 7
    columns["z"][:] = [0, 0, 0, 0, -9]
    write_columns(tmp_path / "a.ply", columns)
    assert splat_bounds(tmp_path / "a.ply") == ((-1.0, 7.0, -9.0), (3.0, 7.0, 0.0))
    columns["z"][2] = float("nan")
    write_columns(tmp_path / "b.ply", columns)
    with pytest.raises(InputError, match="not finite"):
        splat_bounds(tmp_path / "b.ply")


def test_bounds_of_a_compressed_file_hold_its_centres(shared_data: Path) -> None:
    path = shared_data / "biker" / "biker.compressed.ply"
    low, high = splat_bounds(path)
    means = read_splats(path).means.numpy()
    assert (means.min(axis=0) >= low).all() and (means.max(axis=0) <= high).all()
    assert abs(means.min(axis=0) - low).max() < 1e-3 * max(b - a for a, b in zip(low, high, strict=True))
