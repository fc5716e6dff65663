"""Claim: a blurred frame costs its samples and little else, and a bent or wider one little more than a pinhole's.

The furnished room through one lens: a pinhole frame, a frame of 32 lens samples, and what averaging, counting samples
and linear light add to the 32 pictures themselves, measured alternately. Beside them the same pinhole frame through a
lens that bends, and with a tenth more on every side (1.44 times the pixels).
"""

from __future__ import annotations

import dataclasses
import os
from functools import partial

from benchmarks.report import Row, alternate, main
from benchmarks.room import corner_camera, furnished_room

SAMPLES = 32
SIZE = (640, 360)
SPLATS = 100_000


def measure() -> list[Row]:
    """Milliseconds of a frame and of a sample, and what the exposure adds to its samples."""
    from splatfilm.cameras import Distortion, Lens
    from splatfilm.render import RenderSettings, render, render_each, set_threads
    from splatfilm.render.exposure import Blur, expose, samples_needed

    set_threads(int(os.environ.get("SPLATFILM_THREADS", "2")))
    splats = furnished_room(SPLATS)
    camera = dataclasses.replace(corner_camera(*SIZE), lens=Lens(focal_mm=35, t_stop=1.4, focus_m=2.5))
    bent = dataclasses.replace(camera, distortion=Distortion("brown-conrady", (-0.1, 0.02)))
    wide = dataclasses.replace(camera, overscan=Lens(overscan=0.1).margins(*SIZE))
    draw = partial(render_each, settings=RenderSettings(), backend="cpu")
    seconds = alternate(
        {
            "pinhole": lambda: render(splats, camera, backend="cpu"),
            "bent": lambda: render(splats, bent, backend="cpu"),
            "wide": lambda: render(splats, wide, backend="cpu"),
            "pictures": lambda: [None for _ in draw(splats, [camera] * SAMPLES)],
            "exposure": lambda: expose(lambda _: (splats, camera), draw, Blur(pupil=True, samples=SAMPLES)),
            "count": lambda: samples_needed([(splats, camera)], pupil=True),
        }
    )
    return [
        Row("lens/pinhole", 1e3 * seconds["pinhole"], "ms"),
        Row("lens/bent-over-pinhole", seconds["bent"] / seconds["pinhole"], "times", 1.5),
        Row("lens/overscan-over-pinhole", seconds["wide"] / seconds["pinhole"], "times", 1.6),
        Row("lens/sample", 1e3 * seconds["exposure"] / SAMPLES, "ms a sample"),
        Row("lens/over-its-pictures", seconds["exposure"] / seconds["pictures"], "times", 1.6),
        Row("lens/counting-samples", 1e3 * seconds["count"], "ms"),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
