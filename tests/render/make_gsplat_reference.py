"""Makes stored pictures of twenty small scenes with gsplat on a GPU: `python tests/render/make_gsplat_reference.py`.

They lie in `tests/render/gsplat_reference/`, one file a scene, with what drew them; `test_render_gsplat_reference.py`
compares the CPU kernels with them on any machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from render_scenes import random_camera, random_splats

from splatfilm.cameras import Camera
from splatfilm.render import RenderSettings
from splatfilm.splats.splats import RenderMode, Splats

FOLDER = Path(__file__).resolve().parent / "gsplat_reference"
SCENES = 20
SETTINGS = RenderSettings(background=(0.2, 0.4, 0.6))


def scene(number: int) -> tuple[Splats, Camera]:
    """Scene `number`: 300 splats of every degree, classic and antialiased in turn."""
    rng = np.random.default_rng(1000 + number)
    mode: RenderMode = "antialiased" if number % 2 else "classic"
    return random_splats(rng, 300, number % 4, mode), random_camera(rng, 96, 72)


def main() -> None:
    """Draw and store every scene. Raises `MissingPartError` where there is no GPU or no gsplat."""
    import torch

    from splatfilm.render import render, resolve_backend

    backend = resolve_backend("gsplat")
    FOLDER.mkdir(exist_ok=True)
    made_by = {**backend.manifest(), "gpu": torch.cuda.get_device_name(), "torch": torch.__version__}
    for number in range(SCENES):
        frame = render(*scene(number), SETTINGS, "gsplat")
        parts = {name: getattr(frame, name).cpu().numpy() for name in ("beauty", "alpha", "depth")}
        np.savez_compressed(FOLDER / f"{number:02d}.npz", made_by=json.dumps(made_by), **parts)
        print(f"scene {number:02d}: alpha up to {parts['alpha'].max():.3f}")


if __name__ == "__main__":
    sys.exit(main())
