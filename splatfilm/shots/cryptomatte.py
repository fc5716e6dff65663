"""Cryptomatte: which object covers how much of a pixel, in the form that every compositor picks mattes from.

After the Cryptomatte specification 1.2.0 (Friedman and Jones, Psyop 2015-2018): an object's name is hashed with
MurmurHash3_x86_32, the hash's bits are read as a float whose exponent is kept off the ends so that it is never a
denormal, an infinity or a NaN, and float layers `<name>00`, `<name>01`, ... hold pairs of (id, coverage), the greatest
coverage first. Metadata say how to find them, and the manifest which name is which hash.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LAYER = "crypto_object"
"""The layer's name in the file; keyers list it by this."""

_MASK = 0xFFFFFFFF
_PAIR_CHANNELS = (("R", "G"), ("B", "A"))  # two ranks a layer: id, coverage, id, coverage


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32 (Appleby, public domain) of `data`: 0 to 2^32 - 1."""
    value = seed
    whole = len(data) & ~3
    for (block,) in struct.iter_unpack("<I", data[:whole]):
        value ^= _scramble(block)
        value = _rotate(value, 13) * 5 + 0xE6546B64 & _MASK
    if tail := data[whole:]:
        value ^= _scramble(int.from_bytes(tail, "little"))
    value ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value = (value ^ value >> shift) * factor & _MASK
    return value ^ value >> 16


def float_bits(hashed: int) -> int:
    """The bits of a hash with the exponent brought to 1..254, so that they are a normal float (spec: hash to float)."""
    exponent = hashed >> 23 & 255
    return hashed ^ (1 << 23) if exponent in (0, 255) else hashed


def id_of(name: str) -> int:
    """The bits by which `name` is known in a picture."""
    return float_bits(murmur3_32(name.encode("utf-8")))


def id_float(name: str) -> np.float32:
    """The value by which `name` is known in a picture."""
    return np.float32(struct.unpack("<f", struct.pack("<I", id_of(name)))[0])


def manifest(names: Sequence[str]) -> str:
    """Names and their ids in eight hex digits, as JSON in the order of `names`."""
    return json.dumps({name: f"{id_of(name):08x}" for name in names}, ensure_ascii=False, separators=(",", ":"))


def metadata(names: Sequence[str], layer: str = LAYER) -> dict[str, str]:
    """The header's attributes for one layer: its name, hash, conversion and manifest, under a key of its own."""
    key = f"{murmur3_32(layer.encode('utf-8')):08x}"[:7]
    return {
        f"cryptomatte/{key}/name": layer,
        f"cryptomatte/{key}/hash": "MurmurHash3_32",
        f"cryptomatte/{key}/conversion": "uint32_to_float32",
        f"cryptomatte/{key}/manifest": manifest(names),
    }


def rank_channels(
    names: Sequence[str],
    ranks: NDArray[np.integer],  # [H, W, L] index into `names`, meaningless where coverage is 0
    coverage: NDArray[np.float32],  # [H, W, L] 0..1, falling along L
    layer: str = LAYER,
) -> dict[str, NDArray[np.float32]]:  # [H, W] by channel name
    """The channels of one layer; an empty rank is id 0 and coverage 0. L is even."""
    ids = np.array([id_float(name) for name in names], dtype=np.float32)
    channels: dict[str, NDArray[np.float32]] = {}
    for rank in range(coverage.shape[-1]):
        of_id, of_coverage = _PAIR_CHANNELS[rank % 2]
        covered = np.ascontiguousarray(coverage[..., rank])
        prefix = f"{layer}{rank // 2:02d}"
        channels[f"{prefix}.{of_id}"] = np.where(covered > 0, ids[ranks[..., rank]], np.float32(0.0))
        channels[f"{prefix}.{of_coverage}"] = covered
    return channels


def _scramble(block: int) -> int:
    return _rotate(block * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK
