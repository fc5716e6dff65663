"""What a picture depends on besides the splats and the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from splatfilm.render.constants import FAR, NEAR


@dataclass(frozen=True)
class RenderSettings:
    """How to render. Whether splats are drawn `classic` or `antialiased` is theirs to say (`Splats.mode`)."""

    background: tuple[float, float, float] = (0.0, 0.0, 0.0)  # display-referred sRGB, behind everything
    sh_degree: int | None = None  # 0..3; None: as many as the splats hold
    near: float = NEAR  # metres along the optical axis; splats centred nearer are not drawn
    far: float = FAR  # metres
    sort: Literal["depth", "distance"] = "depth"  # what is in front: by camera z, or along the ray (CPU only)
    depths: bool = False  # also make `Frame.median_depth` and `Frame.front_depth` (CPU only)

    def __post_init__(self) -> None:
        if len(self.background) != 3 or not all(map(math.isfinite, self.background)):
            raise ValueError(f"background is {self.background}: expected three finite numbers")
        if self.sh_degree is not None and self.sh_degree not in (0, 1, 2, 3):
            raise ValueError(f"sh_degree is {self.sh_degree}: expected 0, 1, 2, 3 or None")
        if self.sort not in ("depth", "distance"):
            raise ValueError(f'sort is {self.sort!r}: expected "depth" or "distance"')
        if not 0 < self.near < self.far:
            raise ValueError(f"near and far are {self.near} and {self.far}: expected 0 < near < far")
