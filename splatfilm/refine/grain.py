"""Grain of the film in the camera: new with every scene frame, anchored to no surface.

Grain is the granularity of a negative: where more of it is exposed there are more grains, each of them counting less in
the print. What reaches the screen is strongest in the middle tones and dies away towards clear black and paper white.
Here it is sqrt(4 v (1 - v)) of the full amount at a display-referred value v, which is the deviation of a pixel covered
to the part v by independent grains (a binomial count), and so leaves clear black and paper white as they are.

The pattern is a function of (seed, scene frame, place on the film): two cameras that shoot one scene frame have the
same grain on their negatives, a later look at the same scene frame has it again.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.refine.filters import blurred
from splatfilm.refine.looks import Stock
from splatfilm.refine.noise import NoiseKey, hashed_noise

DEFAULT_FILMBACK_MM = 36.0  # width that a camera without a lens is taken to have
_SMALLEST_SIGMA = 0.3  # px: a finer blur is none
_FWHM = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian, in standard deviations


def grain_diameter(stock: Stock, camera: Camera, layer: int) -> float:
    """How many pixels wide a grain is."""
    filmback = camera.lens.filmback_mm[0] if camera.lens is not None else DEFAULT_FILMBACK_MM
    return stock.size_mm * stock.sizes[layer] / (stock.gate_mm or filmback) * camera.width


def grain(stock: Stock, seed: str, camera: Camera, scene_frame: float) -> Tensor:  # [H, W, 3]
    """The grain of one exposure for a middle grey: mean 0, and the deviation that the stock has at this sampling."""
    key = NoiseKey(seed, f"grain {scene_frame!r}")
    size = camera.height, camera.width
    common = hashed_noise(size, key, "all layers")
    planes = []
    for layer, name in enumerate(("red", "green", "blue")):
        own = hashed_noise(size, key, name)
        white = math.sqrt(stock.shared) * common + math.sqrt(1 - stock.shared) * own
        diameter = grain_diameter(stock, camera, layer)
        planes.append(_grown(white, diameter) * (stock.rms * stock.layers[layer] * min(1.0, diameter)))
    return torch.stack(planes, -1)


def response(beauty: Tensor) -> Tensor:  # [H, W, 3] -> [H, W, 3]
    """How much of the grain shows at display-referred values."""
    v = beauty.clamp(0.0, 1.0)
    return (4 * v * (1 - v)).sqrt()


def exposed(beauty: Tensor, stock: Stock, seed: str, camera: Camera, scene_frame: float) -> Tensor:
    """A picture with the grain of its exposure. Where there is grain, values stay within 0..1."""
    pattern = grain(stock, seed, camera, scene_frame).to(beauty.device)
    changed = beauty + response(beauty) * pattern
    return torch.where(beauty.clamp(0.0, 1.0) == beauty, changed.clamp(0.0, 1.0), beauty)


def _grown(white: Tensor, diameter: float) -> Tensor:  # [H, W]
    """White noise with grains of a diameter in pixels, of unit variance again."""
    sigma = diameter / _FWHM
    if sigma < _SMALLEST_SIGMA:
        return white
    radius = math.ceil(3 * sigma)
    taps = torch.exp(-(torch.arange(-radius, radius + 1).double() ** 2) / (2 * sigma * sigma))
    gain = float(taps.square().sum().sqrt() / taps.sum())  # a separable blur leaves the square of this of the deviation
    return blurred(white, sigma) / (gain * gain)
