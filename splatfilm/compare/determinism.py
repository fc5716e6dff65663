"""Two runs of the same thing: are they the same to the bit? (DET, docs/compare.md)"""

from __future__ import annotations

import hashlib

import numpy as np

from splatfilm.compare.scores import Determinism, Score
from splatfilm.compare.views import Frames, to_bytes


def measure_determinism(first: Frames, second: Frames) -> Determinism:
    """Compare SHA-256 of the 8-bit pixels, frame by frame. Frames that only one run has count as different."""
    count, shared = max(len(first), len(second)), min(len(first), len(second))
    equal: list[tuple[int, float]] = []
    largest = 0.0
    for index in range(shared):
        one, two = to_bytes(first[index]), to_bytes(second[index])
        if one.shape != two.shape:
            raise ValueError(
                f"frame {index} is {one.shape[1]}x{one.shape[0]} once and {two.shape[1]}x{two.shape[0]} then"
            )
        same = hashlib.sha256(one.tobytes()).digest() == hashlib.sha256(two.tobytes()).digest()
        equal.append((index, float(same)))
        if not same:
            largest = max(largest, float(np.abs(one.astype(np.int16) - two.astype(np.int16)).max()))
    note = f"one run has {abs(len(first) - len(second))} frames more" if len(first) != len(second) else ""
    share = sum(value for _, value in equal) / count if count else None
    return Determinism(
        Score("DET", share, "share", "higher", 1.0, 0.0, tuple(equal), note if count else "there are no frames"),
        Score("DET_LARGEST", largest if count else None, "levels", "lower", 0.0),
    )
