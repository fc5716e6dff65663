"""Where in the pupil and when in the open shutter the samples of a frame are taken.

Nothing is random: sample i of n is at time (i + 1/2) / n of the exposure and at point i of Sobol's sequence of two
dimensions (Sobol 1967) on the pupil, laid on the disc by Shirley and Chiu's concentric map (1997). For n a power of two
the three together are a (0, m, 3)-net: every box of volume 1/n whose sides are halved down from 1 holds one sample
(Niederreiter 1987). The pattern is the same for every pixel, frame and shot, so it neither boils from frame to frame
nor tells one shot from another, and a frame's key needs no number for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SAMPLING_VERSION = 1
"""Goes into the key of every frame of more than one sample: a change of pattern or count makes such frames new ones."""

MOST_SAMPLES = 4096


@dataclass(frozen=True)
class Sample:
    """One pinhole picture: `time` 0..1 of the exposure, (x, y) in the unit disc of the pupil."""

    time: float
    x: float
    y: float


def samples_of(count: int, pupil: bool, shutter: bool) -> tuple[Sample, ...]:
    """The samples of an exposure. Without a pupil they sit in its middle; without a shutter at its opening."""
    if not 1 <= count <= MOST_SAMPLES:
        raise ValueError(f"{count} samples: expected 1 to {MOST_SAMPLES}")
    bits = max(count - 1, 0).bit_length()
    return tuple(
        Sample((i + 0.5) / count if shutter else 0.0, *(disc_point(i, bits) if pupil else (0.0, 0.0)))
        for i in range(count)
    )


def disc_point(index: int, bits: int) -> tuple[float, float]:
    """Point `index` < 2^bits on the unit disc, in the middle of its cell of the finest grid; 0 of 2^0 is the middle."""
    across = up = 0
    column = 1 << bits >> 1  # of the second dimension's generator matrix, Pascal's triangle modulo 2
    for bit in range(bits):
        if index >> bit & 1:
            across ^= 1 << (bits - 1 - bit)
            up ^= column
        column ^= column >> 1
    return concentric((across + 0.5) / (1 << bits), (up + 0.5) / (1 << bits))


def concentric(u: float, v: float) -> tuple[float, float]:
    """The unit square on the unit disc: squares around the middle become circles, equal areas stay equal."""
    a, b = 2 * u - 1, 2 * v - 1
    if a == 0 and b == 0:
        return 0.0, 0.0
    if abs(a) > abs(b):
        radius, angle = a, math.pi / 4 * (b / a)
    else:
        radius, angle = b, math.pi / 2 - math.pi / 4 * (a / b)
    return radius * math.cos(angle), radius * math.sin(angle)
