"""Draws `refine.jpg`: one frame's middle as it was rendered, in `natural` and in `sixteen-mm`.

`python docs/pictures/make_refine.py FILM OUT SHOT FRAME`, for a film whose splats are there. Pixels are shown three
times as large as they are.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from splatfilm.film import load
from splatfilm.film.model import RefineLook
from splatfilm.shots.refine_drawing import RefinedDrawer
from splatfilm.shots.refining import plan_refine, request_of
from splatfilm.shots.schedule import RenderOptions, plan_film

LOOKS: tuple[RefineLook, ...] = ("natural", "sixteen-mm")
CROP = (200, 150)  # px
TIMES = 3


def main(film_file: str, out: str, shot: str, frame: int) -> None:
    """Write the picture beside this script."""
    options = RenderOptions(out=Path(out), shots=(shot,), backend="cpu")
    planned = plan_film(load(film_file), options)
    plan = planned.plans[shot]
    pieces: list[Tensor] = []
    for look in LOOKS:
        plans = plan_refine(planned, replace(options, look=look))
        drawer = RefinedDrawer(planned, plans, "cpu")
        request = request_of(None, plans[shot].members)
        if not pieces:
            pieces.append(drawer.bare(plans[shot], plan, frame, request)[1].beauty)
        pieces.append(drawer.draw(plans[shot], frame, 1.0, request)[0].beauty)
    left, top = (plan.cameras[frame].width - CROP[0]) // 2, (plan.cameras[frame].height - CROP[1]) // 2
    shown = torch.cat([piece[top : top + CROP[1], left : left + CROP[0]] for piece in pieces], 1)
    pixels = np.floor(shown.clamp(0, 1).numpy() * 255 + 0.5).astype(np.uint8)
    large = Image.fromarray(pixels).resize((pixels.shape[1] * TIMES, pixels.shape[0] * TIMES), Image.Resampling.NEAREST)
    large.save(Path(__file__).with_name("refine.jpg"), quality=88)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
