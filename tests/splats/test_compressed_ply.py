"""SuperSplat's compressed PLY, held against two readers and a writer by others (tests/splats/data says which)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from splatfilm.base.errors import InputError
from splatfilm.splats import SplatFile, Splats, inspect_splats, read_splats, write_ply

DATA = Path(__file__).parent / "data"
CASES = {"degree0": (300, 0), "degree1": (257, 1), "degree3": (12, 3)}


def fixture(case: str) -> Path:
    return DATA / f"packed_{case}.compressed.ply"


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_packed_fixtures", DATA / "make_packed_fixtures.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def disk_columns(splats: Splats) -> dict[str, np.ndarray]:
    """The splats as a standard PLY would hold them, in float64."""
    columns = {name: splats.means[:, i] for i, name in enumerate("xyz")}
    columns |= {f"f_dc_{i}": splats.sh[:, 0, i] for i in range(3)}
    rest = splats.sh[:, 1:].permute(0, 2, 1).reshape(len(splats), -1)
    columns |= {f"f_rest_{i}": rest[:, i] for i in range(rest.shape[1])}
    columns["opacity"] = torch.logit(splats.opacities.double())
    columns |= {f"scale_{i}": splats.scales.double().log()[:, i] for i in range(3)}
    columns |= {f"rot_{i}": splats.quats[:, i] for i in range(4)}
    return {name: column.double().numpy() for name, column in columns.items()}


@pytest.mark.parametrize("case", CASES)
def test_files_by_splat_transform_unpack_as_it_unpacks_them(case: str) -> None:
    expected = json.loads((DATA / f"packed_{case}.json").read_text())
    splats = read_splats(fixture(case))
    count, degree = CASES[case]
    assert (len(splats), splats.sh_degree) == (count, degree)
    found = disk_columns(splats)
    for row, values in expected["rows"].items():
        for name, value in values.items():
            # float32 steps of the tool's logarithms; everything else was equal to the bit when it was made
            assert found[name][int(row)] == pytest.approx(float(value), rel=4e-7, abs=1e-7), (row, name)
    for name, mean in expected["means"].items():
        assert found[name].mean() == pytest.approx(mean, rel=1e-6, abs=1e-7), name


@pytest.mark.parametrize("case", CASES)
def test_what_was_packed_comes_back_to_the_formats_precision(case: str, tmp_path: Path) -> None:
    """The original, made again by the fixtures' script, matched by position; steps are those of the packed bits."""
    count, degree = CASES[case]
    (tmp_path / "plain.ply").write_bytes(maker().standard_ply(count, {0: 0, 1: 9, 3: 45}[degree]))
    plain, packed = read_splats(tmp_path / "plain.ply"), read_splats(fixture(case))
    distance = torch.cdist(plain.means, packed.means)
    match = distance.argmin(dim=1)
    assert sorted(match.tolist()) == list(range(count))
    assert distance.min(dim=1).values.max() < 0.02  # 15 m / 1023 steps
    found, wanted = disk_columns(packed), disk_columns(plain)
    order = match.numpy()
    for name in (n for n in found if n.startswith(("scale", "f_dc", "f_rest"))):
        step = {"s": 12 / 1023, "d": 8 / 255 / 0.28, "r": 8 / 255}[name[2] if name[0] == "f" else name[0]]
        assert np.abs(found[name][order] - wanted[name]).max() < step, name
    assert (packed.opacities[match] - plain.opacities).abs().max() < 0.5 / 255 + 1e-6
    assert ((packed.quats[match] * plain.quats).sum(dim=1).abs() > 0.99999).all()


def test_fully_opaque_and_fully_transparent_splats_stay_so() -> None:
    opacities = read_splats(fixture("degree3")).opacities
    assert opacities.max() == 1.0 and opacities.min() == 0.0


def test_a_packed_file_survives_as_a_standard_one(tmp_path: Path) -> None:
    packed = read_splats(fixture("degree1"))
    write_ply(tmp_path / "plain.ply", packed)
    plain = read_splats(tmp_path / "plain.ply")
    assert torch.equal(plain.means, packed.means) and torch.equal(plain.quats, packed.quats)
    assert torch.equal(plain.sh, packed.sh)
    assert torch.allclose(plain.scales, packed.scales, rtol=6e-7, atol=0)
    assert torch.allclose(plain.opacities, packed.opacities, rtol=6e-7, atol=0)


def test_its_header_is_told_without_unpacking() -> None:
    assert inspect_splats(fixture("degree1")) == SplatFile("compressed ply", 257, 1, "classic")


def test_the_biker_is_what_an_independent_reader_finds(shared_data: Path) -> None:
    expected = json.loads((DATA / "biker_digest.json").read_text())
    splats = read_splats(shared_data / "biker" / "biker.compressed.ply")
    assert len(splats) == expected["count"] == 152_746
    found = {
        "means": splats.means.double(),
        "quats": splats.quats.double(),
        "log_scales": splats.scales.double().log(),
        "dc": splats.sh[:, 0].double(),
    }
    for name, values in found.items():
        column = expected["columns"][name]
        assert values.mean(dim=0).tolist() == pytest.approx(column["mean"], abs=1e-6), name
        assert values.amin(dim=0).tolist() == pytest.approx(column["min"], rel=1e-6, abs=1e-6), name
        assert values.amax(dim=0).tolist() == pytest.approx(column["max"], rel=1e-6, abs=1e-6), name
        for row, columns in expected["rows"].items():
            assert values[int(row)].tolist() == pytest.approx(columns[name], rel=1e-6, abs=1e-6), (row, name)
    for row, columns in expected["rows"].items():
        logit = torch.logit(splats.opacities[int(row)].double()).item()
        assert logit == pytest.approx(columns["logit_opacities"][0], abs=1e-5), row


def test_the_biker_stands_where_its_spz_twin_stands_once_axes_are_turned(shared_data: Path) -> None:
    """SPZ has y up and z backward, PLY y down and z forward: a missed flip would show as a changed sign."""
    twin = json.loads((DATA / "biker_digest.json").read_text())["spz_means"]
    means = read_splats(shared_data / "biker" / "biker.compressed.ply").means.double()
    turned = means * torch.tensor([1.0, -1.0, -1.0])
    assert turned.mean(dim=0).tolist() == pytest.approx(twin["mean"], abs=1e-5)
    assert turned.amin(dim=0).tolist() == pytest.approx(twin["min"], abs=2e-3)
    assert turned.amax(dim=0).tolist() == pytest.approx(twin["max"], abs=2e-3)


# ---- refusing --------------------------------------------------------------------------------------------------------


def spoiled(tmp_path: Path, old: bytes, new: bytes, case: str = "degree1") -> str:
    data = fixture(case).read_bytes()
    assert old in data
    path = tmp_path / "a.ply"
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_splats(path)
    return str(caught.value).replace(str(path), path.name)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"element chunk 2", b"element chunk 1", "has 1 chunks for 257 splats, must have 2 (one for every 256)"),
        (b"element chunk 2", b"element lump 2", 'has packed splats, but no element "chunk" with their bounds'),
        (b"element sh 257", b"element sh 256", 'element "sh" has 256 rows for 257 splats'),
        (b"property uchar f_rest_8", b"property float f_rest_8", 'element "sh": f_rest_8 must be of type uchar'),
        (b"f_rest_8", b"f_rest_9", "they must be numbered from 0 without gaps"),
        (b"property uchar f_rest_8\n", b"", "has 8 f_rest properties, must have 0, 9, 24 or 45"),
        (b"property uint packed_scale", b"property float packed_scale", "packed_scale must be of type uint"),
        (b"float max_scale_z", b"float max_size_z", 'a.ply: element "chunk": property max_scale_z is missing'),
        (b"float max_b", b"float max_blue", 'a.ply: element "chunk": property max_b is missing'),
        (b"element vertex 257", b"element vertex 0", "holds no splats"),
    ],
)
def test_headers_that_do_not_fit_together_are_refused(tmp_path: Path, old: bytes, new: bytes, expected: str) -> None:
    assert expected in spoiled(tmp_path, old, new)


def test_every_missing_packed_property_is_named(tmp_path: Path) -> None:
    text = spoiled(tmp_path, b"property uint packed_position\nproperty uint packed_rotation\n", b"")
    assert [line.split("property ")[1] for line in text.splitlines()] == [
        "packed_position is missing",
        "packed_rotation is missing",
    ]


def test_an_sh_element_without_coefficients_is_passed_over(tmp_path: Path) -> None:
    head, _, body = fixture("degree0").read_bytes().partition(b"end_header\n")
    for extra, data in ((b"element sh 300\n", b""), (b"element sh 300\nproperty uchar spare\n", bytes(300))):
        (tmp_path / "a.ply").write_bytes(head + extra + b"end_header\n" + body + data)
        assert torch.equal(read_splats(tmp_path / "a.ply").sh, read_splats(fixture("degree0")).sh)


@pytest.mark.parametrize("word", ["nan", "-1", "4294967296", "0.5", "1e300"])
def test_words_of_an_ascii_file_must_be_words(tmp_path: Path, word: str) -> None:
    head, _, body = fixture("degree3").read_bytes().partition(b"element sh")
    head += b"end_header\n"
    body = body.partition(b"end_header\n")[2]
    chunk = np.frombuffer(body[:72], "<f4")
    words = [[str(w) for w in row] for row in np.frombuffer(body[72 : 72 + 192], "<u4").reshape(12, 4)]
    path = tmp_path / "a.ply"

    def write() -> None:
        lines = [" ".join(repr(float(v)) for v in chunk), *(" ".join(row) for row in words)]
        path.write_bytes(head.replace(b"binary_little_endian", b"ascii") + "\n".join(lines).encode() + b"\n")

    write()
    assert torch.equal(read_splats(path).means, read_splats(fixture("degree3")).means)
    words[7][2] = word
    write()
    with pytest.raises(InputError, match=r"splat 7: packed_scale is .*, must be a whole number of 32 bits"):
        read_splats(path)


def test_bounds_that_are_not_finite_are_named_by_chunk(tmp_path: Path) -> None:
    head, _, body = fixture("degree1").read_bytes().partition(b"end_header\n")
    poisoned = bytearray(body)
    poisoned[72 + 16 : 72 + 20] = np.float32(np.nan).tobytes()  # second chunk, fifth of 18 floats
    (tmp_path / "a.ply").write_bytes(head + b"end_header\n" + bytes(poisoned))
    with pytest.raises(InputError, match=r"chunk 1: max_y is nan, must be finite"):
        read_splats(tmp_path / "a.ply")


def test_older_files_without_colour_bounds_are_read(tmp_path: Path) -> None:
    """One splat by hand: centre of its bounds, log scale 0, colour bytes 255, 0, 51 and opacity 102 / 255 = 0.4."""
    bounds = ["min_x", "min_y", "min_z", "max_x", "max_y", "max_z"]
    bounds += [f"{end}_scale_{axis}" for end in ("min", "max") for axis in "xyz"]
    words = ["packed_position", "packed_rotation", "packed_scale", "packed_color"]
    lines = ["ply", "format binary_little_endian 1.0", "element chunk 1", *(f"property float {n}" for n in bounds)]
    lines += ["element vertex 1", *(f"property uint {n}" for n in words), "end_header", ""]
    chunk = np.array([0, 0, 0, 2047, 1023, 2047, 0, 0, 0, 0, 0, 0], "<f4")
    position = 1000 << 21 | 500 << 11 | 7
    rotation = 2 << 30 | 1023 << 20 | 0 << 10 | 0  # y dropped; w = +sqrt(1/2), x = z = -sqrt(1/2): more than a unit
    colour = 255 << 24 | 0 << 16 | 51 << 8 | 102
    vertex = np.array([position, rotation, 0, colour], "<u4")
    path = tmp_path / "old.ply"
    path.write_bytes("\n".join(lines).encode() + chunk.tobytes() + vertex.tobytes())
    splats = read_splats(path)
    assert splats.means.tolist() == [[1000, 500, 7]]
    assert splats.scales.tolist() == [[1, 1, 1]]
    third = 3**-0.5
    assert splats.quats.tolist() == [[pytest.approx(third), pytest.approx(-third), 0, pytest.approx(-third)]]
    assert splats.opacities.tolist() == [pytest.approx(0.4)]
    colours = splats.sh[0, 0] * 0.28209479 + 0.5
    assert colours.tolist() == [pytest.approx(1), pytest.approx(0, abs=1e-6), pytest.approx(0.2)]
