"""How far away what lies under a place in the picture is, by the renderer's own depth."""

from __future__ import annotations

from splatfilm.base.errors import SplatfilmError
from splatfilm.studio.lookthrough import Look, Staging

REACH = 4  # pixels around the place, of a picture 640 wide: a click means what is about there
LEAST_DEPTH = 0.05  # metres


def distance_under(stages: Staging, look: Look, place: tuple[float, float]) -> float:
    """The distance along the camera's axis, in metres, of what is seen at `place` (0..1 from left and top).

    The median of the median depths around it, so that a splat's soft edge does not pull the focus behind. Raises
    `SplatfilmError` where nothing is seen.
    """
    import numpy as np

    from splatfilm.render import RenderSettings, render

    stage = stages(look.film, look.scene)
    frame = render(stage.at(look.frame).splats, look.camera, RenderSettings(depths=True))
    assert frame.median_depth is not None, "the settings ask for it"
    depth = frame.median_depth.cpu().numpy()
    height, width = depth.shape
    column, row = min(int(place[0] * width), width - 1), min(int(place[1] * height), height - 1)
    near = depth[max(0, row - REACH) : row + REACH + 1, max(0, column - REACH) : column + REACH + 1]
    seen = near[near > LEAST_DEPTH]
    if seen.size == 0:
        raise SplatfilmError("nothing is there to focus on")
    return round(float(np.median(seen)), 3)
