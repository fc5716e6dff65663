"""EXR files: bytes, headers, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError, SplatfilmError, StorageError
from splatfilm.cameras import Camera, Lens
from splatfilm.shots.exr import Part, Timecode, hash_channels, qualified, read_exr, read_exr_text, write_exr
from splatfilm.shots.files import PictureFile, files_of
from splatfilm.shots.headers import Shown, hash_header, header_of, packed_timecode, with_passes, world_to_ndc
from splatfilm.shots.layers import parts_of
from splatfilm.shots.pictures import eight_bit, encode_png, read_picture

RNG = np.random.default_rng(7)


def some_part(name: str = "") -> Part:
    return Part({"R": RNG.random((20, 30)).astype(np.float16), "Z": RNG.random((20, 30)).astype(np.float32)}, name)


def a_header() -> dict[str, object]:
    return {
        "timeCode": Timecode(1, 2, 3, 23),
        "framesPerSecond": Fraction(24000, 1001),
        "worldToCamera": tuple(float(n) for n in range(16)),
        "chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329),
        "sensorOverallDimensions": (36.0, 24.0),
        "splatfilm:frame": "abc",
        "imageCounter": 1001,
    }


@pytest.mark.parametrize("names", [("",), ("beauty", "depth")])
def test_what_is_written_is_read_back_and_twice_the_same_bytes(tmp_path: Path, names: tuple[str, ...]) -> None:
    parts = [some_part(name) for name in names]
    for file in ("a.exr", "b.exr"):
        write_exr(tmp_path / file, parts, a_header())
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    channels, text = read_exr(tmp_path / "a.exr")
    assert text["splatfilm:frame"] == read_exr_text(tmp_path / "a.exr")["splatfilm:frame"] == "abc"
    expected = qualified(parts)
    assert channels.keys() == expected.keys()
    assert all(np.array_equal(channels[n], expected[n]) and channels[n].dtype == expected[n].dtype for n in expected)
    assert hash_channels(channels) == hash_channels(expected)


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part({"Z": RNG.random((200, 300)).astype(np.float32)})
    for threads in ("1", "4", "8"):
        monkeypatch.setenv("SPLATFILM_THREADS", threads)
        write_exr(tmp_path / f"{threads}.exr", [part], a_header())
    assert len({path.read_bytes() for path in tmp_path.glob("*.exr")}) == 1


@pytest.mark.parametrize("names", [("",), ("beauty", "depth")])
def test_the_frame_rate_is_a_rational_attribute_in_every_part(tmp_path: Path, names: tuple[str, ...]) -> None:
    """OpenEXR file layout: name, NUL, type, NUL, size, then numerator and denominator."""
    write_exr(tmp_path / "a.exr", [some_part(name) for name in names], a_header())
    wanted = b"framesPerSecond\0rational\0" + (8).to_bytes(4, "little")
    wanted += (24000).to_bytes(4, "little") + (1001).to_bytes(4, "little")
    assert (tmp_path / "a.exr").read_bytes().count(wanted) == len(names)


def test_the_hash_notices_name_type_shape_and_value() -> None:
    values = np.zeros((2, 3), np.float32)
    hashes = {
        hash_channels({"Z": values}),
        hash_channels({"Y": values}),
        hash_channels({"Z": values.astype(np.float16)}),
        hash_channels({"Z": values.reshape(3, 2)}),
        hash_channels({"Z": values + 1}),
    }
    assert len(hashes) == 5


@pytest.mark.parametrize(
    "spoil", [lambda d: b"", lambda d: b"hello", lambda d: d[: len(d) // 2], lambda d: d[:9] + b"\xff" * 9 + d[18:]]
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "spoilt.exr"
    write_exr(path, [some_part()], a_header())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"spoilt\.exr"):
        read_exr(path)


def test_a_file_with_flipped_bytes_never_ends_the_process(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.exr"
    write_exr(path, [some_part()], a_header())
    good = path.read_bytes()
    told = hash_channels(read_exr(path)[0])
    noticed = 0
    for _ in range(150):
        data = bytearray(good)
        for _ in range(4):
            data[int(RNG.integers(len(data)))] = int(RNG.integers(256))
        path.write_bytes(bytes(data))
        try:
            noticed += hash_channels(read_exr(path)[0]) != told
        except InputError:
            noticed += 1
    assert noticed > 100


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"frame\.exr"):
        write_exr(tmp_path / "file" / "frame.exr", [some_part()], a_header())


def test_nan_is_refused_rather_than_written() -> None:
    values = {"position": np.full((2, 2, 3), np.nan, np.float32)}
    with pytest.raises(SplatfilmError, match="NaN in position"):
        parts_of(PictureFile("position", "exr", ("position",)), values, "linear-srgb", ())


def test_colour_and_normals_are_half_and_what_measures_is_float() -> None:
    passes = ("beauty", "alpha", "depth", "depth-median", "depth-front", "normal", "position", "motion", "id")
    values = {
        "beauty": np.full((2, 3, 3), 1e6, np.float32),
        "alpha": np.ones((2, 3), np.float32),
        **{name: np.ones((2, 3), np.float32) for name in ("depth", "depth-median", "depth-front")},
        "normal": np.ones((2, 3, 3), np.float32),
        "position": np.ones((2, 3, 3), np.float32),
        "motion": np.ones((2, 3, 4), np.float32),
        "id": np.ones((2, 3, 6), np.float32),
        "id-ranks": np.zeros((2, 3, 6), np.int16),
    }
    (layers,) = files_of(passes, "exr")[1:]
    (part,) = parts_of(layers, values, "linear-srgb", ("room",))
    half = {name for name, channel in part.channels.items() if channel.dtype == np.float16}
    assert half == {"R", "G", "B", "A", "normal.X", "normal.Y", "normal.Z"}
    assert len(part.channels) == 4 + 3 + 3 + 3 + 4 + 12
    assert part.channels["R"][0, 0] == 65504, "no half float is larger, and an infinity would spread"
    named = parts_of(PictureFile("layers", "exr-parts", passes), values, "linear-srgb", ("room",))
    assert [p.name for p in named] == [name for name in passes if name != "alpha"]
    assert set(qualified(named)) == {f"{p.name}/{channel}" for p in named for channel in p.channels}


@pytest.mark.parametrize(
    ("files", "passes", "expected"),
    [
        ("auto", ("beauty", "depth", "normal", "id"), "beauty:png8 depth:png16 normal:exr id:exr"),
        ("png", ("beauty", "alpha", "normal"), "beauty:png8 alpha:png8 normal:png16"),
        ("png16", ("beauty", "alpha", "depth"), "beauty:png16 alpha:png16 depth:png16"),
        ("exr", ("beauty", "id"), "beauty:png8 layers:exr"),
        ("exr-parts", ("beauty",), "beauty:png8 layers:exr-parts"),
    ],
)
def test_a_frame_becomes_these_files(files: str, passes: tuple[str, ...], expected: str) -> None:
    assert " ".join(f"{p.name}:{p.kind}" for p in files_of(passes, files)) == expected  # type: ignore[arg-type]


# ---- headers ---------------------------------------------------------------------------------------------------------


def shown(**changes: object) -> Shown:
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]  # looks along +Y, Z up
    pose[:3, 3] = 1, 2, 3
    lens = Lens(50.0, (36.0, 20.25), t_stop=2.8, focus_m=1.5)
    value: dict[str, object] = {
        "camera": Camera.through(lens, pose, 1920, 1080),
        "exact": {"pose": [1.0]},
        "frame": 1042,
        "count": 86_400,
        "rate": Fraction(24),
        "drop": False,
        "colour": "acescg",
        "renderer": {"name": "cpu"},
    }
    return Shown(**{**value, **changes})  # type: ignore[arg-type]


def test_a_header_says_when_and_through_which_lens() -> None:
    header = header_of(shown())
    assert header["timeCode"] == Timecode(1, 0, 0, 0)
    assert header["framesPerSecond"] == 24 and header["imageCounter"] == 1042
    assert header["pinholeFocalLength"] == 50.0 and header["sensorOverallDimensions"] == (36.0, 20.25)
    assert header["tStop"] == 2.8 and header["focus"] == 1.5
    assert "tStop" not in header_of(shown(camera=Camera.through(Lens(), np.eye(4), 32, 32)))


def test_matrices_are_for_row_vectors_and_a_camera_that_looks_along_minus_z() -> None:
    header = header_of(shown())
    matrix = np.array(header["worldToCamera"]).reshape(4, 4)
    ahead = np.array([1.5, 7.0, 3.25, 1.0]) @ matrix  # 5 m ahead of (1, 2, 3), 0.5 right, 0.25 up
    assert ahead == pytest.approx([0.5, 0.25, -5.0, 1.0])
    ndc = np.array([1.5, 7.0, 3.25, 1.0]) @ np.array(header["worldToNDC"]).reshape(4, 4)
    focal = 50 / 36 * 1920
    assert ndc[:2] / ndc[3] == pytest.approx([focal * 0.1 / 960, focal * 0.05 / 540])


def test_the_corners_of_the_picture_are_the_corners_of_ndc() -> None:
    camera = Camera(np.eye(4), 80.0, 90.0, 30.0, 20.0, 64, 48)
    matrix = np.array(world_to_ndc(camera))
    for (u, v), corner in {(0, 0): (-1, 1), (64, 48): (1, -1)}.items():
        point = np.array([(u - 30) / 80 * 2, (v - 20) / 90 * 2, 2.0, 1.0])  # OpenCV axes are the world's here
        x, y, _, w = matrix @ point
        assert (x / w, y / w) == pytest.approx(corner)


def test_only_files_with_colour_say_which_and_only_ids_have_a_manifest() -> None:
    header = header_of(shown())
    with_colour = with_passes(header, ["beauty"], "acescg", ())
    assert with_colour["colorInteropID"] == "lin_ap1_scene"
    assert with_colour["chromaticities"][:2] == (0.713, 0.293)
    ids = with_passes(header, ["id"], "acescg", ("room", "mug"))
    assert "chromaticities" not in ids
    assert sum(name.startswith("cryptomatte/") for name in ids) == 4
    assert hash_header(with_colour) != hash_header(ids) != hash_header(header)


@pytest.mark.parametrize(
    ("label", "rate", "expected"),
    [
        ("01:02:03:04", Fraction(24), Timecode(1, 2, 3, 4)),
        ("01:02:03;29", Fraction(30000, 1001), Timecode(1, 2, 3, 29, drop=True)),
        ("01:02:03:47", Fraction(48), Timecode(1, 2, 3, 23, field=True)),
        ("01:02:03:58", Fraction(60), Timecode(1, 2, 3, 29)),
    ],
)
def test_timecode_is_packed_as_smpte_does(label: str, rate: Fraction, expected: Timecode) -> None:
    assert packed_timecode(label, rate) == expected


# ---- 16-bit PNG ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (54, 96, 3)])
def test_sixteen_bit_colour_survives_the_disk(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 65535, shape, dtype=np.uint16, endpoint=True)
    path = tmp_path / "deep.png"
    path.write_bytes(encode_png(pixels, {"a": "b"}))
    found, text = read_picture(path)
    assert np.array_equal(found, pixels)
    assert text["a"] == "b"


@pytest.mark.parametrize("spoil", [lambda d: d[:-30], lambda d: d[:100] + b"x" + d[101:], lambda d: d[:60]])
def test_damaged_sixteen_bit_colour_is_refused_by_name(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "spoilt.png"
    path.write_bytes(spoil(encode_png(RNG.integers(0, 65535, (20, 20, 3), dtype=np.uint16), {"a": "b"})))
    with pytest.raises(InputError, match=r"spoilt\.png"):
        read_picture(path)


def test_screens_get_the_nearest_of_eight_bits() -> None:
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    assert eight_bit(deep).tolist() == [[0, 0, 1, 1, 128, 255]]
    assert eight_bit(deep).dtype == np.uint8
