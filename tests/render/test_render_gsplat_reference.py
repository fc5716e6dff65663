"""The CPU kernels against pictures that gsplat drew on a GPU, stored with the script that made them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from make_gsplat_reference import FOLDER, SCENES, SETTINGS, scene
from tolerances import GPU_FLIPPED_PIXELS

from splatfilm.render import render

STORED = sorted(FOLDER.glob("*.npz"))


@pytest.mark.skipif(not STORED, reason="none stored: run make_gsplat_reference.py on a GPU")
def test_the_cpu_draws_what_gsplat_drew() -> None:
    assert len(STORED) == SCENES
    flipped = total = 0
    for number, path in enumerate(STORED):
        with np.load(path) as stored:
            beauty, alpha = torch.tensor(stored["beauty"]), torch.tensor(stored["alpha"])
        frame = render(*scene(number), SETTINGS, "cpu")
        wrong = ((frame.beauty - beauty).abs().amax(-1) > 1 / 255) | ((frame.alpha - alpha).abs() > 1 / 255)
        flipped += int(wrong.sum())
        total += wrong.numel()
    assert flipped / total < GPU_FLIPPED_PIXELS, f"{flipped} of {total} pixels"


def test_every_scene_of_the_comparison_has_something_in_view() -> None:
    for number in range(SCENES):
        splats, camera = scene(number)
        alpha = render(splats, camera, SETTINGS, "cpu").alpha
        assert 0.05 < float(alpha.mean()) < 1
