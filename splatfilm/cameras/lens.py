"""A lens and the filmback behind it, in millimetres, as a camera report writes them.

A field of view appears only at file borders; inside, focal length and filmback rule (DESIGN, Conventions).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from splatfilm.cameras.distortion import Distortion

Gate = Literal["horizontal", "vertical"]
GATES = ("horizontal", "vertical")
MOST_OVERSCAN = 1.0


@dataclass(frozen=True)
class Lens:
    """What stands between the scene and the picture.

    `filmback_mm` is (width, height) of the recorded area. A picture whose shape differs from the filmback's fills it in
    the direction of `gate` and is cropped or extended in the other. `squeeze` is the anamorphic factor (2.0 for a
    2x lens): the finished, desqueezed picture has square pixels and sees `squeeze` times the width. `t_stop` None means
    everything is sharp; then `focus_m` (distance along the optical axis, metres) is kept but has no effect.
    `distortion` is in units of the focal length, so a lens that zooms keeps its coefficients. `overscan` is how much
    more than the picture is drawn on every side, as a part of its width (left, right) and height (top, bottom).
    """

    focal_mm: float = 35.0
    filmback_mm: tuple[float, float] = (36.0, 24.0)
    squeeze: float = 1.0
    t_stop: float | None = None
    focus_m: float | None = None
    gate: Gate = "horizontal"
    distortion: Distortion | None = None
    overscan: float = 0.0

    def __post_init__(self) -> None:
        positive = {
            "focal_mm": self.focal_mm,
            "filmback_mm width": self.filmback_mm[0],
            "filmback_mm height": self.filmback_mm[1],
            "squeeze": self.squeeze,
            "t_stop": self.t_stop,
            "focus_m": self.focus_m,
        }
        for name, value in positive.items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}: expected a positive finite number")
        if not 0 <= self.overscan <= MOST_OVERSCAN:
            raise ValueError(f"overscan is {self.overscan}: expected a number from 0 to {MOST_OVERSCAN:g}")
        if self.gate not in GATES:
            raise ValueError(f"gate is {self.gate!r}: expected {' or '.join(GATES)}")

    def focal_px(self, width: int, height: int) -> float:
        """Focal length in (square) pixels of a finished picture of `width` x `height` pixels."""
        if self.gate == "horizontal":
            return self.focal_mm * width / (self.filmback_mm[0] * self.squeeze)
        return self.focal_mm * height / self.filmback_mm[1]

    def margins(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Whole pixels of overscan left, above, right and below of a picture of `width` x `height` pixels."""
        across, up = (math.ceil(round(side * self.overscan, 6)) for side in (width, height))
        return across, up, across, up

    def replaced(self, **changes: object) -> Lens:
        """The same lens with some fields changed; None leaves a field as it is. Raises `ValueError` on bad values."""
        return dataclasses.replace(self, **{k: v for k, v in changes.items() if v is not None})  # type: ignore[arg-type]
