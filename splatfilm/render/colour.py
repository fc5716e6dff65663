"""Colour after compositing: display-referred sRGB to scene-linear Rec.709 and ACEScg, and back.

Splats blend in the display-referred sRGB that they were trained in, so colour is converted once, on the finished pixel
(docs/passes.md, Colour). Everything here is made of IEEE additions, multiplications, divisions and square roots in a
written order: the same picture gives the same bits on every machine, which `pow` of a C library does not promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Colour = Literal["linear-srgb", "acescg"]
COLOURS: tuple[Colour, ...] = ("linear-srgb", "acescg")

Array = NDArray[np.float64]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""CIE xy of red, green, blue and white, as the attribute of an OpenEXR header has them."""

REC709: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)  # ITU-R BT.709-6, D65
AP1: Chromaticities = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)  # ACES S-2014-004, about D60

CHROMATICITIES: dict[Colour, Chromaticities] = {"linear-srgb": REC709, "acescg": AP1}

# IEC 61966-2-1: the straight piece near black and the power above it
_SLOPE = 12.92
_OFFSET = 0.055
_KNEE_ENCODED = 0.04045
_KNEE_LINEAR = 0.0031308

# The Bradford cone response (Lam 1985), as ICC.1:2022 annex E and every ACES implementation have it
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

_CHUNK = 1 << 14  # values: what is worked on stays in the processor's second cache
_BRIGHT = 4.0  # encoded; beyond it the roots' guess is worse
_FEW_ROUNDS = 3  # of Halley's iteration, converged to double precision below `_BRIGHT`
_ROUNDS = 8  # and beyond it to 1e6


def linear_from_srgb(encoded: NDArray[np.floating]) -> NDArray[np.float32]:
    """The exact piecewise curve of IEC 61966-2-1, of the same shape; beyond 1 it goes on, below 0 it is mirrored."""
    return _in_chunks(encoded, _linear)


def srgb_from_linear(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """The inverse of `linear_from_srgb`."""
    return _in_chunks(linear, _encoded)


def scene_linear(
    beauty: NDArray[np.floating],  # [H, W, 3] display-referred sRGB over black, so premultiplied
    alpha: NDArray[np.floating],  # [H, W] 0..1
    colour: Colour,
) -> NDArray[np.float32]:  # [H, W, 3] premultiplied
    """The colour of an EXR's R, G and B: the finished pixel divided by alpha, made linear, multiplied by alpha."""
    coverage = np.asarray(alpha, dtype=np.float32)[..., None]
    straight = np.divide(beauty, coverage, out=np.zeros(np.shape(beauty), np.float32), where=coverage > 0)
    linear = linear_from_srgb(straight)
    linear *= coverage
    return linear if colour == "linear-srgb" else apply(REC709_TO_ACESCG, linear)


def apply(matrix: Matrix, pixels: NDArray[np.floating]) -> NDArray[np.float32]:  # [..., 3] -> [..., 3]
    """A 3x3 matrix on every pixel, in float64, terms added from left to right."""
    flat = np.reshape(pixels, (-1, 3))
    result = np.empty(flat.shape, np.float32)
    for start in range(0, len(flat), _CHUNK):
        r, g, b = flat[start : start + _CHUNK].T.astype(np.float64, order="C")
        for channel, (of_red, of_green, of_blue) in enumerate(matrix):
            result[start : start + _CHUNK, channel] = of_red * r + of_green * g + of_blue * b
    return result.reshape(np.shape(pixels))


def rgb_to_rgb(source: Chromaticities, target: Chromaticities) -> Matrix:
    """Linear RGB of one set of primaries to another, white on white by Bradford's adaptation.

    SMPTE RP 177 for RGB to XYZ; plain floats throughout, so that every machine has the same nine numbers.
    """
    adapt = _adaptation(_white(source), _white(target))
    return _times(_inverse(_to_xyz(target)), _times(adapt, _to_xyz(source)))


def _in_chunks(values: NDArray[np.floating], curve: Callable[[Array], Array]) -> NDArray[np.float32]:
    flat = np.ascontiguousarray(values).reshape(-1)
    result = np.empty(flat.shape, np.float32)
    for start in range(0, flat.size, _CHUNK):
        piece = flat[start : start + _CHUNK].astype(np.float64)
        result[start : start + _CHUNK] = np.copysign(curve(np.abs(piece)), piece)
    return result.reshape(np.shape(values))


def _linear(encoded: Array) -> Array:
    base = (encoded + _OFFSET) * (1.0 / (1.0 + _OFFSET))
    square = base * base
    root = _fifth_root(square, 0.21 + 0.79 * np.sqrt(base), _FEW_ROUNDS)  # base^0.4, guessed to a hundredth
    bright = encoded > _BRIGHT
    if bright.any():
        root[bright] = _fifth_root(square[bright], np.sqrt(base[bright]), _ROUNDS)
    square *= root  # base^2.4
    np.copyto(square, encoded / _SLOPE, where=encoded <= _KNEE_ENCODED)
    return square


def _encoded(linear: Array) -> Array:
    # x^(5/12) as the square root of x^(5/6), and x^(5/6) = x / x^(1/6) with x^(1/6) a cube root of a square root
    safe = np.maximum(linear, _KNEE_LINEAR)
    power = np.sqrt(safe / _cube_root(np.sqrt(safe)))
    encoded: Array = np.where(linear <= _KNEE_LINEAR, linear * _SLOPE, (1.0 + _OFFSET) * power - _OFFSET)
    return encoded


def _fifth_root(values: Array, guess: Array, rounds: int) -> Array:  # > 0
    """By Halley's iteration, which triples the digits each round: r (2 r^5 + 3 v) / (3 r^5 + 2 v). Uses `guess` up."""
    root = guess
    for _ in range(rounds):
        power = root * root
        power *= power
        power *= root
        above = 2.0 * power
        above += 3.0 * values
        power *= 3.0
        power += 2.0 * values
        above /= power
        root *= above
    return root


def _cube_root(values: Array) -> Array:  # > 0
    """By Halley's iteration from a root between the second and the fourth."""
    half = np.sqrt(values)
    root: Array = np.sqrt(half * np.sqrt(half))
    for _ in range(_ROUNDS):
        power = root * root * root
        root = root * ((power + 2.0 * values) / (2.0 * power + values))
    return root


def _white(chromaticities: Chromaticities) -> tuple[float, float, float]:
    """XYZ of the white, with Y = 1."""
    x, y = chromaticities[6:]
    return x / y, 1.0, (1.0 - x - y) / y


def _to_xyz(chromaticities: Chromaticities) -> Matrix:
    xs, ys = chromaticities[0:6:2], chromaticities[1:6:2]
    primaries: Matrix = (  # columns are the primaries' XYZ with Y = 1
        (xs[0] / ys[0], xs[1] / ys[1], xs[2] / ys[2]),
        (1.0, 1.0, 1.0),
        ((1 - xs[0] - ys[0]) / ys[0], (1 - xs[1] - ys[1]) / ys[1], (1 - xs[2] - ys[2]) / ys[2]),
    )
    return _times(primaries, _diagonal(_through(_inverse(primaries), _white(chromaticities))))


def _adaptation(source: tuple[float, float, float], target: tuple[float, float, float]) -> Matrix:
    there, here = _through(_BRADFORD, source), _through(_BRADFORD, target)
    gains = _diagonal((here[0] / there[0], here[1] / there[1], here[2] / there[2]))
    return _times(_inverse(_BRADFORD), _times(gains, _BRADFORD))


def _diagonal(v: tuple[float, float, float]) -> Matrix:
    return ((v[0], 0.0, 0.0), (0.0, v[1], 0.0), (0.0, 0.0, v[2]))


def _through(m: Matrix, v: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = (row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in m)
    return x, y, z


def _times(a: Matrix, b: Matrix) -> Matrix:
    first, second, third = (_through(a, (b[0][c], b[1][c], b[2][c])) for c in range(3))  # columns of the product
    return (
        (first[0], second[0], third[0]),
        (first[1], second[1], third[1]),
        (first[2], second[2], third[2]),
    )


def _inverse(m: Matrix) -> Matrix:
    """By cofactors."""
    (a, b, c), (d, e, f), (g, h, i) = m
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / determinant, (c * h - b * i) / determinant, (b * f - c * e) / determinant),
        ((f * g - d * i) / determinant, (a * i - c * g) / determinant, (c * d - a * f) / determinant),
        ((d * h - e * g) / determinant, (b * g - a * h) / determinant, (a * e - b * d) / determinant),
    )


REC709_TO_ACESCG = rgb_to_rgb(REC709, AP1)
"""From the chromaticities; to four places 0.6131 0.3395 0.0474 / 0.0702 0.9164 0.0135 / 0.0206 0.1096 0.8698."""
