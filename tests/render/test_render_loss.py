"""The fused L1 + SSIM against the same thing in float64 torch."""

from __future__ import annotations

import math

import pytest
import torch
from tolerances import LOSS_GRADIENT, LOSS_VALUE
from torch import Tensor

from splatfilm.render import kernels


def ssim_map(image: Tensor, target: Tensor) -> Tensor:  # [H, W, 3] both -> [H, W, 3]
    taps = torch.tensor([math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)], dtype=torch.float64)
    taps = taps / taps.sum()
    window = torch.outer(taps, taps).expand(3, 1, 11, 11)

    def blur(picture: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(picture.permute(2, 0, 1)[None], window, padding=5, groups=3)[0].permute(
            1, 2, 0
        )

    mx, my = blur(image), blur(target)
    xx, yy, xy = blur(image * image) - mx * mx, blur(target * target) - my * my, blur(image * target) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return (2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (xx + yy + c2))


@pytest.mark.parametrize("size", [(40, 53), (1, 1), (7, 300), (64, 16), (33, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_and_gradient_are_those_of_the_definition(size: tuple[int, int], weighted: bool) -> None:
    generator = torch.Generator().manual_seed(sum(size))
    image = torch.rand(*size, 3, generator=generator)
    target = (image + 0.3 * torch.rand(*size, 3, generator=generator)).clamp(0, 1)
    weight = torch.rand(*size, generator=generator) if weighted else None
    loss, l1, ssim, gradient = kernels.l1_ssim(image, target, weight, 0.3)

    exact = image.double().requires_grad_()
    w = (weight.double() if weight is not None else torch.ones(size, dtype=torch.float64))[..., None]
    total = 3 * w.sum()
    expected_l1 = (w * (exact - target.double()).abs()).sum() / total
    expected_ssim = (w * ssim_map(exact, target.double())).sum() / total
    expected = 0.7 * expected_l1 + 0.3 * (1 - expected_ssim)
    (expected_gradient,) = torch.autograd.grad(expected, exact)
    assert l1 == pytest.approx(expected_l1.item(), abs=LOSS_VALUE)
    assert ssim == pytest.approx(expected_ssim.item(), abs=LOSS_VALUE)
    assert loss == pytest.approx(expected.item(), abs=LOSS_VALUE)
    assert (gradient.double() - expected_gradient).norm() / expected_gradient.norm() < LOSS_GRADIENT


def test_equal_pictures_lose_nothing() -> None:
    image = torch.rand(20, 20, 3, generator=torch.Generator().manual_seed(0))
    loss, l1, ssim, gradient = kernels.l1_ssim(image, image.clone(), None, 0.2)
    assert l1 == 0.0
    assert ssim == pytest.approx(1.0, abs=LOSS_VALUE)
    assert loss == pytest.approx(0.0, abs=LOSS_VALUE)
    assert gradient.abs().max() < LOSS_VALUE


def test_a_mask_of_zeros_gives_no_loss_and_no_gradient() -> None:
    loss, _, _, gradient = kernels.l1_ssim(torch.rand(9, 9, 3), torch.rand(9, 9, 3), torch.zeros(9, 9), 0.2)
    assert loss == 0.0
    assert not gradient.any()


def test_pictures_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[H, W, 3\]"):
        kernels.l1_ssim(torch.rand(9, 9, 3), torch.rand(9, 8, 3), None, 0.2)
    with pytest.raises(ValueError, match="weight"):
        kernels.l1_ssim(torch.rand(9, 9, 3), torch.rand(9, 9, 3), torch.rand(9, 8), 0.2)
