"""How good a reconstruction is, in numbers and to the eye: views that training never saw, rendered and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from splatfilm.base.files import atomic_path
from splatfilm.reconstruct.cache import ViewScore
from splatfilm.reconstruct.losses import psnr, ssim
from splatfilm.reconstruct.trainer import View
from splatfilm.render import RenderSettings, render
from splatfilm.splats import Splats

GROUND = (1.0, 1.0, 1.0)  # objects with a matte are judged before white, as is the custom in the literature
_ROWS = 4
_AMPLIFIED = 4.0  # the difference is shown four times as strong


def rendered(splats: Splats, view: View, backend: str) -> tuple[Tensor, Tensor]:
    """(render, photograph) of one view, [H, W, 3] each."""
    ground = (0.0, 0.0, 0.0) if view.matte is None else GROUND
    with torch.no_grad():
        frame = render(splats, view.camera, RenderSettings(background=ground), backend=backend)
    return frame.beauty, view.over(ground)


def scores(splats: Splats, views: Sequence[View], backend: str, evened: bool = False) -> tuple[ViewScore, ...]:
    """PSNR and SSIM of every view; `evened` after the gains that bring each render nearest to its photograph.

    Splats that were trained with gains have an exposure of their own, which no photograph need share.
    """
    found = []
    for view in views:
        image, truth = rendered(splats, view, backend)
        if evened:
            image = image * _best_gains(image, truth, view.weight)
        found.append(ViewScore(view.name, psnr(image, truth, view.weight), ssim(image, truth, view.weight)))
    return tuple(found)


def _best_gains(image: Tensor, truth: Tensor, weight: Tensor | None) -> Tensor:  # [H, W, 3], [H, W, 3] -> [3]
    """Least squares, one factor a channel."""
    counts = image.new_ones(image.shape[:2]) if weight is None else weight
    weighted = image * counts[..., None]
    return (weighted * truth).sum(dim=(0, 1)) / (weighted * image).sum(dim=(0, 1)).clamp_min(1e-12)


def write_comparison(path: Path, splats: Splats, views: Sequence[View], backend: str) -> None:
    """A PNG with a row for each of up to four views, evenly chosen: photograph, render, difference times four."""
    chosen = [views[i] for i in sorted({round(i) for i in np.linspace(0, len(views) - 1, min(_ROWS, len(views)))})]
    rows: list[NDArray[np.uint8]] = []
    for view in chosen:
        image, truth = rendered(splats, view, backend)
        image = image.clamp(0, 1)
        difference = ((image - truth).abs() * _AMPLIFIED).clamp(0, 1)
        if view.weight is not None:
            difference = difference * view.weight[..., None]
        row = torch.cat([truth, image, difference], dim=1)
        rows.append((row * 255 + 0.5).to(torch.uint8).cpu().numpy())
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    with atomic_path(path) as temporary:
        Image.fromarray(np.concatenate(padded)).save(temporary)
