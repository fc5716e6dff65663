"""Smooth noise whose every number has an address, so that a shaken camera shakes alike on any machine, on any day.

A value at a whole lattice point is a hash of (scene, seed, purpose, point); between points it runs smoothly. Nothing
depends on the shot's name or on its first frame: two shots of one moment with one seed shake as one (DESIGN, rule 4).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OCTAVES = 3


def lattice(address: tuple[str, int, str], point: int) -> float:
    """The number in -1..1 that lives at `point` of the lattice `address` (scene, seed, purpose)."""
    text = "\x1f".join(map(str, (*address, point)))
    word = int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "little")
    return word / 2**63 - 1.0


def smooth_noise(address: tuple[str, int, str], times: Array) -> Array:  # [F] lattice units -> [F]
    """Noise of about one swing a lattice unit, C2, in -1..1: quintic steps between values, three octaves."""
    total = np.zeros(len(times))
    for octave in range(OCTAVES):
        scaled = np.asarray(times, dtype=np.float64) * 2**octave
        floor = np.floor(scaled).astype(np.int64)
        purpose = (address[0], address[1], f"{address[2]}/{octave}")
        points = range(int(floor.min()), int(floor.max()) + 2)
        values = np.array([lattice(purpose, point) for point in points])
        u = scaled - floor
        step = u * u * u * (u * (6 * u - 15) + 10)
        at = floor - points[0]
        total += (values[at] + step * (values[at + 1] - values[at])) / 2**octave
    total /= 2 - 2 ** (1 - OCTAVES)
    return total
