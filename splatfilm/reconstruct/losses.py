"""How far a rendered picture is from a photograph, and in which direction each pixel should change.

The loss is (1 - w) L1 + w (1 - SSIM) (Kerbl et al. 2023) over the pixels that count. On the CPU the renderer's fused
kernel gives it with its gradient in one pass; elsewhere the same in plain torch. SSIM after Wang et al. 2004: Gaussian
window of 11 px and standard deviation 1.5, K1 = 0.01, K2 = 0.03, zeros outside the picture.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_BEST_PSNR = 100.0  # dB, for pictures that are equal to the bit


@dataclass(frozen=True)
class Loss:
    """The value, and its gradient for every pixel of the rendered picture."""

    value: float
    gradient: Tensor  # [H, W, 3]


def photometric(image: Tensor, target: Tensor, weight: Tensor | None, ssim_weight: float) -> Loss:
    """`image` and `target` [H, W, 3], `weight` [H, W] in 0..1 or None for everything. Not differentiable through.

    What does not count is black in both pictures, so that it says nothing to its neighbours through SSIM's window.
    """
    image = image.detach()
    if image.device.type == "cpu":
        from splatfilm.render.kernels import l1_ssim

        if weight is None:
            value, _, _, gradient = l1_ssim(image, target, None, ssim_weight)
            return Loss(value, gradient)
        counts = weight[..., None]
        value, _, _, gradient = l1_ssim(image * counts, target * counts, weight, ssim_weight)
        return Loss(value, gradient * counts)
    with torch.enable_grad():
        leaf = image.requires_grad_()
        loss = plain_photometric(leaf, target, weight, ssim_weight)
        (gradient,) = torch.autograd.grad(loss, leaf)
    return Loss(float(loss.detach()), gradient)


def plain_photometric(image: Tensor, target: Tensor, weight: Tensor | None, ssim_weight: float) -> Tensor:
    """The same loss as a differentiable scalar in torch operations."""
    weight = image.new_ones(image.shape[:2]) if weight is None else weight
    image, target = image * weight[..., None], target * weight[..., None]
    total = weight.sum().clamp_min(1)
    l1 = ((image - target).abs().mean(dim=2) * weight).sum() / total
    ssim = (ssim_map(image, target).mean(dim=2) * weight).sum() / total
    return (1 - ssim_weight) * l1 + ssim_weight * (1 - ssim)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:  # [H, W, C], [H, W, C] -> [H, W, C]
    """Structural similarity of two pictures at every pixel."""
    a, b = a.permute(2, 0, 1), b.permute(2, 0, 1)
    both = _blurred(torch.cat([a, b, a * a, b * b, a * b]))
    mean_a, mean_b, square_a, square_b, product = both.chunk(5)
    variance_a, variance_b = square_a - mean_a * mean_a, square_b - mean_b * mean_b
    covariance = product - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a * mean_a + mean_b * mean_b + _C1)
    structure = (2 * covariance + _C2) / (variance_a + variance_b + _C2)
    return (luminance * structure).permute(1, 2, 0)


def psnr(image: Tensor, truth: Tensor, weight: Tensor | None = None) -> float:
    """Peak signal to noise ratio in dB of pictures in 0..1 [H, W, 3]; the image is clamped first, as in a file."""
    error = (image.clamp(0, 1) - truth).double().square().mean(dim=2)
    mean = float(error.mean() if weight is None else (error * weight).sum() / weight.double().sum().clamp_min(1e-12))
    return _BEST_PSNR if mean <= 10 ** (-_BEST_PSNR / 10) else -10 * math.log10(mean)


def ssim(image: Tensor, truth: Tensor, weight: Tensor | None = None) -> float:
    """Mean structural similarity over the pixels that count; the image is clamped first."""
    image, truth = image.clamp(0, 1).double(), truth.double()
    if weight is None:
        return float(ssim_map(image, truth).mean())
    counts = weight.double()
    values = ssim_map(image * counts[..., None], truth * counts[..., None]).mean(dim=2)
    return float((values * counts).sum() / counts.sum().clamp_min(1e-12))


def _blurred(planes: Tensor) -> Tensor:  # [C, H, W]
    taps = _taps(planes.dtype, planes.device)
    rows = torch.nn.functional.conv2d(planes[:, None], taps.view(1, 1, -1, 1), padding=(WINDOW // 2, 0))
    return torch.nn.functional.conv2d(rows, taps.view(1, 1, 1, -1), padding=(0, WINDOW // 2))[:, 0]


@functools.lru_cache(maxsize=4)
def _taps(dtype: torch.dtype, device: torch.device) -> Tensor:
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    taps = torch.exp(-(offsets**2) / (2 * _SIGMA**2))
    return (taps / taps.sum()).to(dtype=dtype, device=device)
