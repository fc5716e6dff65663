"""PSNR, SSIM and the training loss against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from splatfilm.reconstruct.losses import photometric, plain_photometric, psnr, ssim, ssim_map


def grey(value: float, height: int = 32, width: int = 40) -> torch.Tensor:
    return torch.full((height, width, 3), value)


def test_a_constant_error_of_a_tenth_is_twenty_decibels() -> None:
    assert psnr(grey(0.6), grey(0.5)) == pytest.approx(20.0, abs=1e-4)


def test_one_wrong_pixel_in_a_hundred_is_twenty_decibels_below_its_own_error() -> None:
    image = torch.zeros(10, 10, 3)
    image[3, 4] = 1.0
    assert psnr(image, torch.zeros(10, 10, 3)) == pytest.approx(20.0, abs=1e-9)


def test_equal_pictures_have_the_best_psnr_and_not_infinity() -> None:
    assert psnr(grey(0.5), grey(0.5)) == 100.0


def test_pixels_without_weight_do_not_count() -> None:
    image, weight = grey(0.6), torch.ones(32, 40)
    image[:, :20] = 0.0
    weight[:, :20] = 0.0
    assert psnr(image, grey(0.5), weight) == pytest.approx(20.0, abs=1e-4)


def test_what_is_brighter_than_white_is_judged_as_white() -> None:
    assert psnr(grey(7.0), grey(1.0)) == 100.0


def test_ssim_of_two_flat_pictures_is_its_luminance_term() -> None:
    # Far from the border both variances are 0, so SSIM = (2ab + C1) / (a^2 + b^2 + C1) with C1 = 1e-4.
    expected = (2 * 0.25 * 0.5 + 1e-4) / (0.25**2 + 0.5**2 + 1e-4)
    assert float(ssim_map(grey(0.25), grey(0.5))[16, 20, 1]) == pytest.approx(expected, abs=1e-6)


def test_what_does_not_count_says_nothing_to_its_neighbours() -> None:
    image, weight = grey(0.5).clone(), torch.ones(32, 40)
    image[:, 20:] = 1.0
    weight[:, 20:] = 0.0
    assert ssim(image, grey(0.5), weight) == pytest.approx(1.0, abs=1e-9)
    assert photometric(image, grey(0.5), weight, 0.2).value == pytest.approx(0.0, abs=1e-6)


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    image = torch.rand(24, 24, 3, generator=torch.Generator().manual_seed(1))
    assert ssim(image, image) == pytest.approx(1.0, abs=1e-12)


def test_ssim_of_a_picture_with_its_negative_is_negative() -> None:
    rows = (torch.arange(32) % 2).float()[:, None, None].expand(32, 32, 3)
    assert float(ssim_map(rows, 1 - rows)[16, 16, 0]) < -0.99


def test_the_plain_loss_without_ssim_is_the_mean_absolute_error() -> None:
    assert float(plain_photometric(grey(0.7), grey(0.5), None, 0.0)) == pytest.approx(0.2, abs=1e-6)


def test_the_plain_loss_is_the_weighted_sum_of_its_parts() -> None:
    random = torch.Generator().manual_seed(2)
    a, b = torch.rand(20, 24, 3, generator=random), torch.rand(20, 24, 3, generator=random)
    expected = 0.8 * float((a - b).abs().mean()) + 0.2 * (1 - ssim(a, b))
    assert float(plain_photometric(a, b, None, 0.2)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_the_fused_loss_and_its_gradient_are_those_of_the_plain_one(masked: bool) -> None:
    random = torch.Generator().manual_seed(3)
    image, target = torch.rand(37, 53, 3, generator=random), torch.rand(37, 53, 3, generator=random)
    weight = (torch.rand(37, 53, generator=random) > 0.3).float() if masked else None
    leaf = image.double().requires_grad_()
    plain = plain_photometric(leaf, target.double(), None if weight is None else weight.double(), 0.2)
    (expected,) = torch.autograd.grad(plain, leaf)
    fused = photometric(image, target, weight, 0.2)
    assert fused.value == pytest.approx(float(plain.detach()), abs=2e-6)
    error = (fused.gradient.double() - expected).norm() / expected.norm()
    assert math.isfinite(float(error))
    assert float(error) < 1e-4
