"""The standard 3DGS PLY: what is read, what is refused, and what is exact."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from splat_makers import assert_same_bits, random_splats, standard_columns, write_columns

from splatfilm.base.errors import InputError
from splatfilm.splats import SplatFile, inspect_splats, read_splats, splat_count, write_ply
from splatfilm.splats.activations import (
    logits_from_opacities,
    logs_from_scales,
    opacities_from_logits,
    scales_from_logs,
)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_splats(path)
    text = str(caught.value)
    assert all(line.startswith(str(path)) for line in text.splitlines())
    return text.replace(str(path), path.name)


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_every_value_lands_where_it_belongs(tmp_path: Path) -> None:
    """Two splats of degree 1 by hand: e^0 = 1 m, e^ln2 = 2 m, logit 0 = 0.5, f_rest red-red-red-green-..."""
    ln2 = math.log(2)
    rows = {
        "x": (1, 4), "y": (2, 5), "z": (3, 6), "f_dc_0": (0.1, 0), "f_dc_1": (0.2, 0), "f_dc_2": (0.3, 0),
        **{f"f_rest_{i}": (i, 10 * i) for i in range(9)},
        "opacity": (0, math.log(3)), "scale_0": (0, ln2), "scale_1": (ln2, 0), "scale_2": (2 * ln2, 0),
        "rot_0": (2, 0), "rot_1": (0, 0), "rot_2": (0, 3), "rot_3": (0, 4),
    }  # fmt: skip
    columns = {name: np.array(values, dtype=np.float32) for name, values in rows.items()}
    splats = read_splats(write_columns(tmp_path / "a.ply", columns))
    assert splats.means.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert splats.quats.tolist() == [[1, 0, 0, 0], [0, 0, pytest.approx(0.6), pytest.approx(0.8)]]
    assert splats.scales.tolist() == [[1, 2, 4], [2, 1, 1]]
    assert splats.opacities.tolist() == [0.5, 0.75]
    assert splats.sh[0].tolist() == [[pytest.approx(v) for v in (0.1, 0.2, 0.3)], [0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert splats.mode == "classic"


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("rest", [0, 9, 24, 45])
def test_every_encoding_and_degree_gives_the_same_splats(tmp_path: Path, form: str, rest: int) -> None:
    columns = standard_columns(300, rest)
    plain = read_splats(write_columns(tmp_path / "plain.ply", columns))
    other = read_splats(write_columns(tmp_path / "other.ply", columns, form))
    assert plain.sh_degree == {0: 0, 9: 1, 24: 2, 45: 3}[rest]
    assert_same_bits(plain, other)


def test_properties_come_in_any_order_among_strangers(tmp_path: Path) -> None:
    columns = standard_columns(100, 45)
    names = list(columns)
    np.random.default_rng(5).shuffle(names)
    mixed: dict[str, np.ndarray] = {"segment": np.arange(100, dtype=np.uint8)}
    mixed |= {name: columns[name] for name in names}
    mixed["confidence"] = np.full(100, np.nan)
    assert_same_bits(
        read_splats(write_columns(tmp_path / "plain.ply", columns)),
        read_splats(write_columns(tmp_path / "mixed.ply", mixed)),
    )


@pytest.mark.parametrize("code", ["f8", "i1", "u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_every_property_type_is_read(tmp_path: Path, code: str, form: str) -> None:
    whole = {name: np.arange(1, 6) % 3 + 1.0 for name in standard_columns(1)}
    wanted = read_splats(write_columns(tmp_path / "f.ply", {n: c.astype("f4") for n, c in whole.items()}))
    typed = {n: c.astype(code) for n, c in whole.items()}
    assert_same_bits(wanted, read_splats(write_columns(tmp_path / "t.ply", typed, form)))


def test_windows_line_endings_are_read(tmp_path: Path) -> None:
    columns = standard_columns(20, 9)
    plain = read_splats(write_columns(tmp_path / "plain.ply", columns))
    for form in ("ascii", "binary_little_endian"):
        assert_same_bits(
            plain, read_splats(write_columns(tmp_path / "w.ply", columns, form, ("made in Windows",), "\r\n"))
        )


def test_other_elements_before_and_after_are_passed_over(tmp_path: Path) -> None:
    columns = standard_columns(3)
    plain = write_columns(tmp_path / "plain.ply", columns)
    head, body = plain.read_bytes().split(b"element vertex 3\n")
    properties, rows = body.split(b"end_header\n")
    before = b"element camera 2\nproperty double f\nproperty uchar id\nelement strip 2\nproperty list uchar int v\n"
    after = b"element face 1\nproperty list uchar int vertex_indices\n"
    lists = b"\x02" + 8 * b"\x01" + b"\x00"
    whole = head + before + b"element vertex 3\n" + properties + after + b"end_header\n"
    (tmp_path / "more.ply").write_bytes(whole + 18 * b"\x07" + lists + rows + b"\x03" + 12 * b"\x00")
    assert_same_bits(read_splats(plain), read_splats(tmp_path / "more.ply"))


def test_other_elements_in_ascii_are_passed_over(tmp_path: Path) -> None:
    columns = standard_columns(3)
    plain = write_columns(tmp_path / "plain.ply", columns, "ascii")
    head, rows = plain.read_bytes().split(b"end_header\n")
    head = head.replace(b"element vertex", b"element strip 2\nproperty list uchar int v\nelement vertex")
    (tmp_path / "more.ply").write_bytes(head + b"end_header\n2 1 1\n0\n" + rows)
    assert_same_bits(read_splats(plain), read_splats(tmp_path / "more.ply"))


@pytest.mark.parametrize(
    ("comments", "mode"),
    [
        ((), "classic"),
        (("SplatRenderMode: default",), "classic"),
        (("SplatRenderMode: mip",), "antialiased"),
        (("splatrendermode: MIP ", "made by hand"), "antialiased"),
        (("antialiased 1",), "antialiased"),
        (("antialiased 0",), "classic"),
        (("antialiased 1", "SplatRenderMode: mip"), "antialiased"),
    ],
)
def test_comments_tell_how_the_splats_were_trained(tmp_path: Path, comments: tuple[str, ...], mode: str) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(2), comments=comments)
    assert read_splats(path).mode == mode
    assert inspect_splats(path).mode == mode


def test_an_infinite_logit_is_exactly_opaque_or_transparent(tmp_path: Path) -> None:
    """Converters from 8-bit opacities write the logits of 255/255 and 0/255 as they are."""
    columns = standard_columns(2)
    columns["opacity"][:] = [np.inf, -np.inf]
    assert read_splats(write_columns(tmp_path / "a.ply", columns)).opacities.tolist() == [1.0, 0.0]


def test_doubles_are_activated_before_they_are_rounded(tmp_path: Path) -> None:
    columns = {name: c.astype("f8") for name, c in standard_columns(1).items()}
    columns["scale_0"][:] = math.log(0.1)
    path = write_columns(tmp_path / "a.ply", columns)
    assert read_splats(path).scales[0, 0].item() == np.float32(0.1)


# ---- refusing --------------------------------------------------------------------------------------------------------


def test_missing_properties_are_named_all_at_once(tmp_path: Path) -> None:
    columns = standard_columns(2)
    columns["Scale_0"] = columns.pop("scale_0")
    del columns["rot_3"], columns["opacity"]
    text = refusal(write_columns(tmp_path / "a.ply", columns))
    assert text.splitlines() == [
        'a.ply: element "vertex": property opacity is missing',
        'a.ply: element "vertex": property scale_0 is missing; did you mean "Scale_0"?',
        'a.ply: element "vertex": property rot_3 is missing',
    ]


@pytest.mark.parametrize("rest", [1, 8, 44, 46, 72])
def test_a_wrong_number_of_f_rest_is_explained(tmp_path: Path, rest: int) -> None:
    text = refusal(write_columns(tmp_path / "a.ply", standard_columns(2, rest)))
    assert text == (
        f"a.ply: has {rest} f_rest properties, must have 0, 9, 24 or 45 (spherical harmonics of degree 0 to 3)"
    )


def test_a_gap_in_f_rest_is_named(tmp_path: Path) -> None:
    columns = standard_columns(2, 10)
    del columns["f_rest_4"]
    assert "not f_rest_4: they must be numbered from 0" in refusal(write_columns(tmp_path / "a.ply", columns))


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("x", np.nan, "nan"), ("f_rest_7", np.inf, "inf"), ("opacity", np.nan, "nan"), ("scale_1", -np.inf, "-inf")],
)
def test_numbers_that_are_not_finite_are_named(tmp_path: Path, form: str, name: str, value: float, shown: str) -> None:
    columns = standard_columns(40, 9)
    columns[name][17] = value
    columns["z"][30:33] = np.nan
    path = write_columns(tmp_path / "a.ply", columns, form)
    assert refusal(path) == f"a.ply: splat 17: {name} is {shown}, must be finite (4 splats)"


def test_a_bad_number_far_into_the_file_keeps_its_index(tmp_path: Path) -> None:
    columns = standard_columns(80_000)
    columns["rot_2"][71_234] = np.inf
    assert refusal(write_columns(tmp_path / "a.ply", columns)) == "a.ply: splat 71234: rot_2 is inf, must be finite"


def test_zero_quaternions_are_named(tmp_path: Path) -> None:
    columns = standard_columns(10)
    for name in ("rot_0", "rot_1", "rot_2", "rot_3"):
        columns[name][[4, 6]] = 0
    text = refusal(write_columns(tmp_path / "a.ply", columns))
    assert text == "a.ply: splat 4: rot_0 to rot_3 are all 0: a rotation needs a direction (2 of 10 splats)"


@pytest.mark.parametrize(
    ("log", "rule"), [(-200.0, "is 0, a size in metres must be greater"), (200.0, "is inf, must be")]
)
def test_sizes_beyond_float32_are_refused(tmp_path: Path, log: float, rule: str) -> None:
    columns = standard_columns(3)
    columns["scale_2"][1] = log
    assert f"splat 1: scale_2 {rule}" in refusal(write_columns(tmp_path / "a.ply", columns))


def test_a_double_beyond_float32_is_refused(tmp_path: Path) -> None:
    columns = standard_columns(3)
    wide = {n: c.astype("f8") for n, c in columns.items()}
    wide["y"][2] = 1e300
    assert "splat 2: y is inf, must be finite" in refusal(write_columns(tmp_path / "a.ply", wide))


def test_truncated_data_tell_expected_and_found_bytes(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10))
    path.write_bytes(path.read_bytes()[:-5])
    assert refusal(path) == "a.ply: is cut short: 680 bytes of data are declared, 675 are there"


def test_missing_ascii_rows_are_counted(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10), "ascii")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert refusal(path) == 'a.ply: is cut short: element "vertex" has 10 rows, 9 lines found'


def test_a_bad_word_in_ascii_is_named(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10), "ascii")
    lines = path.read_text().splitlines()
    lines[-3] = " ".join(["oops", *lines[-3].split()[1:]])
    path.write_text("\n".join(lines) + "\n")
    assert refusal(path) == "a.ply: element \"vertex\", row 7: x is 'oops', not a number"
    lines[-3] = lines[-3] + " 5"
    path.write_text("\n".join(lines) + "\n")
    assert refusal(path) == 'a.ply: element "vertex", row 7: has 18 numbers, must have 17'


@pytest.mark.parametrize("word", ["1_0", "0x10", "1,5", "--1", "\0", "1e", "²"])
def test_words_that_only_look_like_numbers_are_named(tmp_path: Path, word: str) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(3), "ascii")
    lines = path.read_text().splitlines()
    lines[-1] = " ".join([*lines[-1].split()[:-1], word])
    path.write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    assert refusal(path) == f'a.ply: element "vertex", row 2: rot_3 is {word!r}, not a number'


def test_thousands_of_strange_properties_are_passed_over_quickly(tmp_path: Path) -> None:
    columns = standard_columns(2)
    strangers = {f"extra_{i}": np.zeros(2, dtype=np.uint8) for i in range(5000)}
    path = write_columns(tmp_path / "a.ply", {**strangers, **columns})
    assert_same_bits(read_splats(path), read_splats(write_columns(tmp_path / "b.ply", columns)))


def test_a_transfer_in_text_mode_is_suspected_but_a_last_newline_is_not(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\r\n")
    assert len(read_splats(path)) == 10
    path.write_bytes(whole + b"abc")
    assert "has 3 bytes more than the 680 bytes" in refusal(path)


@pytest.mark.parametrize("count", [10**18 - 1, 2**40, 1_000_000_000])
@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_a_huge_count_is_refused_without_setting_memory_aside(tmp_path: Path, count: int, form: str) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10), form)
    path.write_bytes(path.read_bytes().replace(b"vertex 10", f"vertex {count}".encode()))
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from splatfilm.base.errors import InputError\n"
        "from splatfilm.splats import splat_count\n"
        "from splatfilm.splats.ply_header import read_header\n"
        "from splatfilm.splats.ply import read_ply\n"
        "for attempt in (splat_count, lambda path: read_ply(read_header(path))):\n"
        "    try:\n"
        "        attempt(sys.argv[1])\n"
        "    except InputError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("is cut short") == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"ply\n", b"ply3\n", 'begins with a line "ply"'),
        (b"format binary_little_endian 1.0\n", b"", "the header has no format line"),
        (b"binary_little_endian", b"binary_middle_endian", ":2: PLY header: format is "),
        (b"vertex 10", b"vertex ten", ":3: PLY header: expected `element <name> <count>`"),
        (b"vertex 10", b"vertex -10", "expected `element <name> <count>`"),
        (b"vertex 10", b"vertex 0", "holds no splats"),
        (b"property float y", b"property flaot y", 'unknown type "flaot"; did you mean "float"?'),
        (b"property float y", b"property y", "expected `property <type> <name>`"),
        (b"property float y", b"property float x", 'a second property "x" in element "vertex"'),
        (b"property float y", b"proprety float y", 'unknown header line "proprety float y"; did you mean "property"?'),
        (b"element vertex", b"element vertices", 'has no element "vertex" (elements: vertices)'),
        (b"property float nx", b"property list uchar float nx", "holds lists"),
        (b"end_header\n", b"end_haeder\n", "end_haeder"),
    ],
)
def test_a_bad_header_is_refused_in_plain_words(tmp_path: Path, old: bytes, new: bytes, expected: str) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(10))
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    assert expected in refusal(path)


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        (("SplatRenderMode: fancy",), "comment SplatRenderMode is 'fancy', must be default or mip"),
        (("SplatRenderMode: 2dgs",), "flat 2D Gaussians cannot be drawn as 3D ones"),
        (("SplatRenderMode: mip", "antialiased 0"), "contradict each other"),
    ],
)
def test_render_modes_that_cannot_be_drawn_are_refused(
    tmp_path: Path, comments: tuple[str, ...], expected: str
) -> None:
    assert expected in refusal(write_columns(tmp_path / "a.ply", standard_columns(2), comments=comments))


# ---- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_written_splats_read_back(tmp_path: Path, degree: int, mode: str) -> None:
    """Means, quaternions and colours to the bit; sizes and opacities to the spacing of float32 logs and logits."""
    splats = random_splats(400, degree, mode=mode)  # type: ignore[arg-type]
    write_ply(tmp_path / "a.ply", splats)
    back = read_splats(tmp_path / "a.ply")
    assert back.mode == mode
    assert torch.equal(back.means, splats.means) and torch.equal(back.quats, splats.quats)
    assert torch.equal(back.sh, splats.sh)
    assert torch.allclose(back.scales, splats.scales, rtol=6e-7, atol=0)
    assert torch.allclose(back.opacities, splats.opacities, rtol=6e-7, atol=0)


def test_write_read_write_gives_the_same_bytes_and_the_same_splats(tmp_path: Path) -> None:
    splats = random_splats(5000)
    splats.opacities[:4] = torch.tensor([0.0, 1.0, 1 - 2.0**-24, 1e-40])
    first, second = tmp_path / "1.ply", tmp_path / "2.ply"
    write_ply(first, splats)
    once = read_splats(first)
    write_ply(second, once)
    assert first.read_bytes() == second.read_bytes()
    assert_same_bits(once, read_splats(second))
    assert once.opacities[:4].tolist() == splats.opacities[:4].tolist()


def test_another_tools_file_survives_being_read_and_written(tmp_path: Path) -> None:
    """Read, written and read again: the same splats to the bit, unnormalised quaternions and deep logits included."""
    columns = standard_columns(3000, 45)
    columns["opacity"] *= 8
    path = write_columns(tmp_path / "theirs.ply", columns, comments=("SplatRenderMode: mip",))
    theirs = read_splats(path)
    write_ply(tmp_path / "ours.ply", theirs)
    assert_same_bits(theirs, read_splats(tmp_path / "ours.ply"))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(2.0**-100, 2.0**100, width=32), min_size=1, max_size=200))
def test_sizes_settle_in_one_round_trip(values: list[float]) -> None:
    scales = np.array(values, dtype=np.float32)
    logs = logs_from_scales(scales)
    once = scales_from_logs(logs)
    assert np.array_equal(logs_from_scales(once), logs)
    assert np.all(np.abs(once - scales) <= 8e-6 * scales)  # half the spacing of float32 at a log of 69


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=200))
def test_opacities_settle_in_one_round_trip(values: list[float]) -> None:
    opacities = np.array(values, dtype=np.float32)
    logits = logits_from_opacities(opacities)
    once = opacities_from_logits(logits)
    assert np.isfinite(logits).all()
    assert np.array_equal(logits_from_opacities(once), logits)
    assert np.all(np.abs(once - opacities) <= 1e-5 * opacities)


def test_every_float32_between_an_eighth_and_eight_settles_in_one_round_trip() -> None:
    """Where the two grids meet; e = 2.7182817 is the one value that a single rounding gets wrong."""
    bits = np.arange(np.float32(0.125).view(np.uint32), np.float32(8).view(np.uint32), 7, dtype=np.uint32)
    near_e = np.float32(math.e).view(np.uint32) + np.arange(-1000, 1000)
    scales = np.concatenate([bits, near_e.astype(np.uint32)]).view(np.float32)
    logs = logs_from_scales(scales)
    assert np.array_equal(logs_from_scales(scales_from_logs(logs)), logs)
    opacities = scales[scales < 1]
    logits = logits_from_opacities(opacities)
    assert np.array_equal(logits_from_opacities(opacities_from_logits(logits)), logits)


@pytest.mark.slow
def test_every_size_and_opacity_of_a_film_settles_in_one_round_trip() -> None:
    """All 302 million float32 sizes from 0.06 mm to 16 m and opacities from 0.0002 to 1."""
    for low, high, to_disk, to_memory in (
        (2.0**-14, 16.0, logs_from_scales, scales_from_logs),
        (2.0**-12, 1.0, logits_from_opacities, opacities_from_logits),
    ):
        first, last = (int(np.float32(value).view(np.uint32)) for value in (low, high))
        for start in range(first, last, 1 << 21):
            values = np.arange(start, min(start + (1 << 21), last), dtype=np.uint32).view(np.float32)
            stored = to_disk(values)
            once = to_memory(stored)
            assert np.array_equal(to_disk(once), stored)
            assert np.all(np.abs(once - values) <= 6e-7 * values)


def test_the_file_is_laid_out_as_every_3dgs_tool_expects(tmp_path: Path) -> None:
    splats = random_splats(3, degree=1, mode="antialiased")
    write_ply(tmp_path / "a.ply", splats)
    head, rows = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    names = [line.split()[-1].decode() for line in head.splitlines() if line.startswith(b"property float ")]
    assert head.startswith(b"ply\nformat binary_little_endian 1.0\ncomment SplatRenderMode: mip\nelement vertex 3\n")
    assert names == [
        *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"),
        *(f"f_rest_{i}" for i in range(9)),
        *("opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
    ]
    table = np.frombuffer(rows, "<f4").reshape(3, 26)
    assert np.array_equal(table[:, 9:18], splats.sh[:, 1:].permute(0, 2, 1).reshape(3, 9).numpy())  # red, green, blue
    assert np.allclose(table[:, 19:22], np.log(splats.scales.numpy()), rtol=1e-6)
    assert np.allclose(table[:, 18], torch.logit(splats.opacities).numpy(), rtol=1e-5, atol=1e-6)


def test_bad_splats_are_not_written(tmp_path: Path) -> None:
    splats = random_splats(3)
    splats.means[1, 1] = float("nan")
    with pytest.raises(InputError, match=r"splats to write, splat 1: means\[1\] is nan"):
        write_ply(tmp_path / "a.ply", splats)
    assert list(tmp_path.iterdir()) == []


def test_headers_are_read_without_torch(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(7, 24), comments=("SplatRenderMode: mip",))
    assert splat_count(path) == 7
    assert inspect_splats(path) == SplatFile("ply", 7, 2, "antialiased")
    code = (
        "import sys; from splatfilm.splats import splat_count, write_ply; print(splat_count(sys.argv[1]));"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"


def test_a_header_longer_than_its_file_is_noticed_before_counting(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.ply", standard_columns(7))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is cut short"):
        splat_count(path)
