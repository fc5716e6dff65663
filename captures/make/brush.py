"""The painter's tools: seamless noise, gradients, masks, and the way to Pillow and back.

Pictures are [H, W, 3] sRGB in 0..1; fields are [H, W].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from palette import srgb
from PIL import Image

Field = NDArray[np.float64]
Painted = tuple[Field, Field]


def noise(
    shape: tuple[int, int], seed: int, beta: float = 2.0, stretch: tuple[float, float] = (1, 1), low: float = 1
) -> Field:
    """Seamless noise of spectrum 1/f^(beta/2), zero mean, unit deviation, clipped at three.

    `stretch` (down, across) makes the grain longer in that direction; features larger than 1/`low` of the picture
    are left out.
    """
    h, w = shape
    fy = np.fft.fftfreq(h)[:, None] * h * stretch[0]
    fx = np.fft.rfftfreq(w)[None, :] * w * stretch[1]
    frequency = np.hypot(fy, fx)
    amplitude = np.where(frequency >= low, np.maximum(frequency, 1e-9) ** (-beta / 2), 0.0)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, amplitude.shape)
    field = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape)
    return np.clip((field - field.mean()) / field.std(), -3, 3)


def gradient(value: Field, *stops: tuple[float, str]) -> Field:
    """Colours for values in 0..1 through named stops."""
    at = [s for s, _ in stops]
    colours = np.array([srgb(c) for _, c in stops])
    return np.stack([np.interp(value, at, colours[:, i]) for i in range(3)], -1)


def flat(shape: tuple[int, int], colour: str) -> Field:
    return np.broadcast_to(srgb(colour), (*shape, 3)).copy()


def mix(a: Field, b: Field, amount: Field) -> Field:
    return a + (b - a) * np.clip(amount, 0, 1)[..., None]


def smoothstep(low: float, high: float, x: Field) -> Field:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def from_pil(picture: Image.Image) -> Field:
    return np.asarray(picture.convert("RGB"), dtype=np.float64) / 255


def to_pil(colour: Field) -> Image.Image:
    return Image.fromarray((np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))


def rgb8(colour: str) -> tuple[int, int, int]:
    r, g, b = (round(c * 255) for c in srgb(colour))
    return r, g, b


def slub(shape: tuple[int, int], seed: int) -> Field:
    """The uneven threads of linen, about zero, both directions."""
    return 0.5 * noise(shape, seed, 0.9, (1, 26), 6) + 0.5 * noise(shape, seed + 1, 0.9, (26, 1), 6)
