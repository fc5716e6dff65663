"""Colours to bytes and back."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_film import picture

from splatfilm.base.errors import InputError, SplatfilmError
from splatfilm.shots.pictures import (
    KEY_TEXT,
    encode_png,
    hash_pixels,
    is_saturated,
    quantise,
    read_picture,
    read_text,
)


def test_beauty_is_rounded_half_up_after_clamping() -> None:
    values = np.array([[-0.2, 0.0, 0.5 / 255], [0.49 / 255, 1.0, 7.0], [0.5, 1.5 / 255, 254.5 / 255]])
    pixels = quantise("beauty", picture(np.repeat(values[:, :, None], 3, axis=2)))
    assert pixels[..., 0].tolist() == [[0, 0, 1], [0, 255, 255], [128, 2, 255]]
    assert pixels.dtype == np.uint8


def test_depth_is_whole_millimetres_and_saturates() -> None:
    depth = np.array([[0.0, 0.0104, 1.2345], [65.5349, 65.6, 1e10]])
    pixels = quantise("depth", picture(np.zeros((2, 3, 3)), depth=depth))
    assert pixels.tolist() == [[0, 10, 1235], [65535, 65535, 65535]]
    assert is_saturated("depth", pixels)
    assert not is_saturated("depth", pixels[:1])


def test_nan_is_refused_rather_than_written() -> None:
    with pytest.raises(SplatfilmError, match="NaN in alpha"):
        quantise("alpha", picture(np.zeros((2, 2, 3)), alpha=np.array([[0, np.nan], [0, 1]])))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((1, 1, 3), np.uint8),
        ((5, 7, 3), np.uint8),
        ((54, 96, 3), np.uint8),
        ((4, 9), np.uint8),
        ((3, 1), np.uint8),
        ((4, 9), np.uint16),
        ((3, 1), np.uint16),
        ((6, 5, 3), np.uint16),
        ((1, 1, 3), np.uint16),
    ],
)
def test_a_png_holds_exactly_the_pixels_it_was_given(tmp_path: Path, shape: tuple[int, ...], kind: type) -> None:
    pixels = np.random.default_rng(3).integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)
    path = tmp_path / "frame.png"
    path.write_bytes(encode_png(pixels, {KEY_TEXT: "abc"}))
    found, text = read_picture(path)
    assert np.array_equal(found, pixels)
    assert text[KEY_TEXT] == read_text(path)[KEY_TEXT] == "abc"
    with Image.open(path) as image:
        image.verify()


def test_deep_colour_under_the_filter_of_earlier_versions_is_read_as_well(tmp_path: Path) -> None:
    # Two pixels of a row, (1, 2, 258) and (0, 259, 65535): big-endian bytes, the second pixel's less the first one's.
    row = bytes([1, *(0, 1, 0, 2, 1, 2), *(0, 255, 1, 1, 254, 253)])
    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(row)), (b"IEND", b"")]
    data = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    path = tmp_path / "old.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    assert read_picture(path)[0].tolist() == [[[1, 2, 258], [0, 259, 65535]]]


def test_the_same_pixels_give_the_same_bytes() -> None:
    pixels = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    assert encode_png(pixels, {"a": "b"}) == encode_png(pixels.copy(), {"a": "b"})


def test_the_pixel_hash_is_the_plain_sha256_of_the_pixels() -> None:
    grey = np.array([[1, 2], [3, 260]], dtype=np.uint16)
    assert hash_pixels(grey) == hashlib.sha256(bytes([1, 0, 2, 0, 3, 0, 4, 1])).hexdigest()
    assert hash_pixels(grey.astype(">u2")) == hash_pixels(grey)
    colour = np.array([[[9, 8, 7]]], dtype=np.uint8)
    assert hash_pixels(colour) == hashlib.sha256(bytes([9, 8, 7])).hexdigest()


def test_beauty_says_that_it_is_srgb() -> None:
    assert b"sRGB" in encode_png(np.zeros((2, 2, 3), np.uint8), {})
    assert b"sRGB" not in encode_png(np.zeros((2, 2), np.uint8), {})


@pytest.mark.parametrize(
    "spoil", [lambda d: d[: len(d) // 2], lambda d: b"", lambda d: b"hello", lambda d: d[:60] + b"x" + d[61:]]
)
def test_a_damaged_picture_is_refused_by_name(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    data = encode_png(np.random.default_rng(1).integers(0, 255, (20, 20, 3), dtype=np.uint8), {KEY_TEXT: "k"})
    path = tmp_path / "spoilt.png"
    path.write_bytes(spoil(data))
    with pytest.raises(InputError, match=r"spoilt\.png"):
        read_picture(path)


def test_a_picture_that_hides_a_bomb_in_its_text_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(b"\0" * (80 << 20), 9)
    data = encode_png(np.zeros((2, 2, 3), np.uint8), {})
    body = b"zTXtbomb\0\0" + bomb
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(data[:33] + chunk + data[33:])
    with pytest.raises(InputError, match=r"bomb\.png"):
        read_picture(path)
    assert read_text(path) == {}


def test_a_header_that_claims_a_huge_picture_is_refused(tmp_path: Path) -> None:
    data = bytearray(encode_png(np.zeros((2, 2, 3), np.uint8), {}))
    data[16:24] = (200_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path = tmp_path / "huge.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"huge\.png"):
        read_picture(path)
    assert read_text(path) == {}
