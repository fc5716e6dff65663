"""How far two pictures are from each other: decibels, structure, colour, detail. numpy alone, no learned weights.

Pictures are float32 [H, W, 3] sRGB in 0..1; masks are True where pixels count.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from splatfilm.compare.views import Mask, Picture

Array = NDArray[np.float32]

CLEAREST = 60.0
"""Decibels above which a finite difference is below 8-bit rounding; where decibels are averaged they stop here."""

COLOURS = 10_000
"""Pixels whose colour difference is looked at, spread evenly over a picture: it costs more than all else together."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601, as OpenCV's grey
_D65 = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def grey(picture: Picture) -> Array:  # [H, W] 0..1
    """Luma."""
    return np.asarray(np.einsum("...c,c->...", picture, _LUMA), dtype=np.float32)


def squared_error(a: Picture, b: Picture) -> Array:  # [H, W]
    """The mean over the colours of the squared difference, per pixel."""
    difference = a - b
    return np.asarray(np.einsum("...c,...c->...", difference, difference) / a.shape[-1], dtype=np.float32)


def decibels(mse: float) -> float:
    """Peak signal to noise ratio of pictures in 0..1; infinite for 0."""
    return math.inf if mse <= 0 else -10 * math.log10(mse)


def psnr(a: Picture, b: Picture, mask: Mask | None = None) -> float:
    """Decibels between two pictures, over the pixels that count; NaN never: no pixels give 0 dB."""
    error = squared_error(a, b)
    if mask is None:
        return decibels(float(error.mean(dtype=np.float64)))
    return decibels(float(error[mask].mean(dtype=np.float64))) if mask.any() else 0.0


def ssim(a: Picture, b: Picture, mask: Mask | None = None) -> float:
    """Structural similarity (Wang et al. 2004) of luma: Gaussian window 11x11 of sigma 1.5, range 1.

    Windows that reach over the border are left out. Raises `ValueError` for pictures smaller than a window.
    """
    if min(a.shape[:2]) < 11:
        raise ValueError(f"SSIM needs 11x11 pixels, found {a.shape[1]}x{a.shape[0]}")
    x, y = grey(a).astype(np.float64), grey(b).astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    both = _window(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    value = ((2 * mean_x * mean_y + c1) * (2 * both + c2)) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    if mask is None:
        return float(value.mean())
    inner = mask[5:-5, 5:-5]
    return float(value[inner].mean()) if inner.any() else 0.0


def _window(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blurred with a Gaussian of sigma 1.5 over 11 pixels each way, without the border."""
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights /= weights.sum()
    down = sum(w * image[i : image.shape[0] - 10 + i] for i, w in enumerate(weights))
    return np.asarray(sum(w * down[:, i : image.shape[1] - 10 + i] for i, w in enumerate(weights)))


def laplacian_variance(picture: Picture, mask: Mask | None = None) -> float:
    """The variance of the four-neighbour Laplacian of luma in 8-bit levels: how much fine detail there is."""
    g = grey(picture) * np.float32(255)
    value = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    chosen = value if mask is None else value[mask[1:-1, 1:-1]]
    return float(chosen.var(dtype=np.float64)) if chosen.size else 0.0


def lab(colours: NDArray[np.floating]) -> NDArray[np.float64]:  # [..., 3]
    """CIELAB (D65) of sRGB colours (IEC 61966-2-1)."""
    c = np.clip(colours.astype(np.float64), 0, 1)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    ratio = (linear @ _TO_XYZ.T) / _D65
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def colour_difference(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:  # [...]
    """CIEDE2000 between sRGB colours [..., 3]."""
    return ciede2000(lab(a), lab(b))


def mean_colour_difference(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The mean CIEDE2000 between sRGB colours [N, 3], of at most about `COLOURS` of them; 0 of none."""
    step = max(1, len(a) // COLOURS)
    return float(colour_difference(a[::step], b[::step]).mean()) if len(a) else 0.0


def ciede2000(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour difference CIEDE2000 of CIELAB colours [..., 3] (Sharma, Wu, Dalal 2005, equations 2 to 22)."""
    l1, a1, b1 = np.moveaxis(one, -1, 0)
    l2, a2, b2 = np.moveaxis(two, -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey_one = c1 * c2 == 0
    dh = np.where(grey_one, 0.0, (h2 - h1 + 180) % 360 - 180)
    dl, dc, dbig = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    apart = np.abs(h1 - h2) > 180
    mean_h = np.where(
        grey_one, h1 + h2, np.where(apart, (h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2, (h1 + h2) / 2)
    )
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    turn = 30 * np.exp(-(((mean_h - 275) / 25) ** 2))
    rc = 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rt = -np.sin(np.radians(2 * turn)) * rc
    return np.asarray(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dbig / sh) ** 2 + rt * (dc / sc) * (dbig / sh)))


def grown(mask: Mask, by: int = 1) -> Mask:
    """A mask and everything within `by` pixels of it, corners included."""
    out = mask.copy()
    for _ in range(by):
        wide = out.copy()
        wide[:, 1:] |= out[:, :-1]
        wide[:, :-1] |= out[:, 1:]
        tall = wide.copy()
        tall[1:] |= wide[:-1]
        tall[:-1] |= wide[1:]
        out = tall
    return out


def shrunk(mask: Mask, by: int = 1) -> Mask:
    """A mask without what lies within `by` pixels of its outside; the picture's border is outside."""
    framed = np.pad(mask, by, constant_values=False)
    return ~grown(~framed, by)[by:-by, by:-by]


def clipped_share(picture: Picture, mask: Mask | None = None) -> float:
    """The share of pixels in which every colour is 0 or every colour is 255."""
    low, high = (picture <= 0.5 / 255).all(-1), (picture >= 254.5 / 255).all(-1)
    both = np.asarray(low | high)
    chosen = both if mask is None else both[mask]
    return float(chosen.mean()) if chosen.size else 0.0


def differences(one: Picture, two: Picture, mask: Mask | None = None) -> dict[str, float]:
    """`psnr` (dB), `ssim` and `colour` (mean CIEDE2000) between two pictures, where `mask` is True."""
    chosen = [p.reshape(-1, 3) if mask is None else p[mask] for p in (one, two)]
    return {
        "psnr": psnr(one, two, mask),
        "ssim": ssim(one, two, mask),
        "colour": mean_colour_difference(*chosen),
    }
