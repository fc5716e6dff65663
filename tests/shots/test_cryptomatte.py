"""Cryptomatte ids against the values of its specification."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest

from splatfilm.shots.cryptomatte import (
    float_bits,
    id_float,
    id_of,
    manifest,
    metadata,
    murmur3_32,
    rank_channels,
)


@pytest.mark.parametrize(
    ("name", "hashed"),
    [("bunny", 0x13851A76), ("default", 0x42C9679F), ("bunny_porcelain_mat", 0xB24B26D4)],
)
def test_names_have_the_ids_of_the_specification_s_own_pictures(name: str, hashed: int) -> None:
    assert id_of(name) == hashed
    assert struct.unpack("<I", id_float(name).tobytes())[0] == hashed


@pytest.mark.parametrize(
    ("data", "seed", "hashed"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"", 0xFFFFFFFF, 0x81F16F39),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"!Ce\x87", 0, 0xF55B516B),
        (b"!Ce\x87", 0x5082EDEE, 0x2362F9DE),
        (b"!Ce", 0, 0x7E4A8634),
        (b"!C", 0, 0xA0F7B07A),
        (b"!", 0, 0x72661CF4),
        (b"\0\0\0\0", 0, 0x2362F9DE),
    ],
)
def test_murmurhash_has_the_published_test_values(data: bytes, seed: int, hashed: int) -> None:
    assert murmur3_32(data, seed) == hashed


def test_no_id_is_a_denormal_an_infinity_or_nan() -> None:
    assert float_bits(0x00000001) == 0x00800001
    assert float_bits(0x7F800001) == 0x7F000001
    assert float_bits(0xFFFFFFFF) == 0xFF7FFFFF
    assert float_bits(0x3F800000) == 0x3F800000
    for bits in (0, 0x007FFFFF, 0x80000000, 0x7F800000, 0xFF812345):
        value = struct.unpack("<f", struct.pack("<I", float_bits(bits)))[0]
        assert math.isfinite(value)
        assert abs(value) >= 2.0**-126


def test_the_manifest_and_its_metadata_are_spelled_as_the_specification_wants() -> None:
    assert json.loads(manifest(["bunny", "default"])) == {"bunny": "13851a76", "default": "42c9679f"}
    said = metadata(["bunny"], "crypto_object")
    (key,) = {name.split("/")[1] for name in said}
    assert key == f"{murmur3_32(b'crypto_object'):08x}"[:7]
    assert said[f"cryptomatte/{key}/name"] == "crypto_object"
    assert said[f"cryptomatte/{key}/hash"] == "MurmurHash3_32"
    assert said[f"cryptomatte/{key}/conversion"] == "uint32_to_float32"


def test_ranks_become_pairs_of_id_and_coverage() -> None:
    ranks = np.array([[[1, 0, 0, 0]]])
    coverage = np.array([[[0.75, 0.25, 0.0, 0.0]]], np.float32)
    channels = rank_channels(["bunny", "default"], ranks, coverage, "crypto_object")
    assert sorted(channels) == [f"crypto_object{n}.{c}" for n in ("00", "01") for c in "ABGR"]
    assert channels["crypto_object00.R"][0, 0] == id_float("default")
    assert channels["crypto_object00.G"][0, 0] == 0.75
    assert channels["crypto_object00.B"][0, 0] == id_float("bunny")
    assert channels["crypto_object00.A"][0, 0] == 0.25
    assert not channels["crypto_object01.R"].any()
    assert not channels["crypto_object01.G"].any()
