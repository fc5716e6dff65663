"""Makes `lens-and-shutter.jpg`: one frame of a shot as a pinhole sees it, through its lens, and with the shutter open.

`python docs/pictures/make_lens_and_shutter.py film.toml SHOT FRAME`; the shot needs `depth_of_field` and a
`shutter_angle`, and its assets need splats.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from splatfilm.film import load
from splatfilm.film.model import Film, Optics
from splatfilm.shots.drawing import SceneDrawer
from splatfilm.shots.pictures import Pixels, quantise
from splatfilm.shots.schedule import RenderOptions, plan_film

GAP = 6  # px of white between the pictures


def picture(film: Film, shot_name: str, frame: int, optics: Optics) -> Pixels:
    """The beauty of one frame with these optics instead of its own."""
    shot = dataclasses.replace(film.shot(shot_name), optics=optics)
    planned = plan_film(dataclasses.replace(film, shots=(shot,)), RenderOptions(backend="cpu"))
    plan = planned.plans[shot_name]
    draw = SceneDrawer(planned.film, planned.sources, planned.picture.background, "cpu")
    drawn = draw(plan.scene, frame, plan.cameras[frame], exposure=plan.exposures.get(frame))
    return quantise("beauty", drawn)


def main(film_file: str, shot_name: str, frame: str) -> None:
    """Three pictures side by side."""
    film = load(film_file)
    full = film.shot(shot_name).optics
    lens = dataclasses.replace(full, shutter_angle=0.0, shutter_phase=0.0)
    pictures = [picture(film, shot_name, int(frame), optics) for optics in (Optics(), lens, full)]
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([pictures[0], gap, pictures[1], gap, pictures[2]], axis=1)
    Image.fromarray(row).save(Path(__file__).with_name("lens-and-shutter.jpg"), quality=88)


if __name__ == "__main__":
    main(*sys.argv[1:])
