"""How a clip moves from frame to frame, by classical optical flow: the raw figures of stability and of a guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.compare import vision
from splatfilm.compare.pixels import squared_error
from splatfilm.compare.views import Frames, Mask, Picture
from splatfilm.compare.warp import sample

MOST_STEPS = 48
"""Steps from frame to frame that are looked at in a shot, spread evenly: the work does not grow with the clip."""


@dataclass(frozen=True)
class Step:
    """From frame `index` to the next. Without OpenCV only `change` is known and the others are None."""

    index: int
    change: float  # mean absolute difference, 8-bit levels
    motion: float | None  # mean flow, px
    error: float | None  # mean squared difference after the flow, where it holds
    coverage: float | None  # share of pixels where it holds


@dataclass(frozen=True)
class Motion:
    """The steps of a clip."""

    steps: tuple[Step, ...]

    def mean(self, name: str) -> float | None:
        """The mean of a field over the steps; None when it is not known."""
        values = [value for step in self.steps if (value := getattr(step, name)) is not None]
        return float(np.mean(values)) if values else None

    def rows(self, name: str) -> tuple[tuple[int, float], ...]:
        """(index, value) of a field, for plots."""
        return tuple((step.index, value) for step in self.steps if (value := getattr(step, name)) is not None)


def steps_of(count: int, most: int = MOST_STEPS) -> Sequence[int]:
    """Which frames of `count` are looked at together with the next one."""
    last = count - 2
    if last < 0:
        return ()
    return sorted({int(i) for i in np.linspace(0, last, min(last + 1, most)).round()})


def measure_motion(frames: Frames, mask: Mask | None = None, most: int = MOST_STEPS) -> Motion:
    """The steps of a clip; `mask` is True where nothing counts."""
    seeing = vision.available()
    return Motion(tuple(_step(i, frames[i], frames[i + 1], mask, seeing) for i in steps_of(len(frames), most)))


def _step(index: int, one: Picture, two: Picture, mask: Mask | None, seeing: bool) -> Step:
    kept = np.ones(one.shape[:2], bool) if mask is None else ~mask
    change = 255 * float(np.abs(one - two)[kept].mean())
    if not seeing:
        return Step(index, change, None, None, None)
    forth, back = vision.flows(one, two)
    good = kept & holds(forth, back)
    height, width = one.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    there = sample(two, x + forth[..., 0], y + forth[..., 1])
    good &= np.isfinite(there).all(axis=-1)
    error = float(squared_error(one, there)[good].mean(dtype=np.float64)) if good.any() else None
    motion = float(np.linalg.norm(forth, axis=-1)[kept].mean(dtype=np.float64))
    return Step(index, change, motion, error, float(good.mean()))


def holds(forth: NDArray[np.float32], back: NDArray[np.float32]) -> Mask:
    """Where a flow may be believed: it leads back, and does not tear (Lai et al. 2018, section 3.1)."""
    height, width = forth.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    returned = sample(back, x + forth[..., 0], y + forth[..., 1])
    size = (forth**2).sum(-1)
    with np.errstate(invalid="ignore"):
        round_trip = ((forth + returned) ** 2).sum(-1)
        agrees = round_trip <= 0.01 * (size + (returned**2).sum(-1)) + 0.5
    across = np.zeros_like(size)
    for part in (forth[..., 0], forth[..., 1]):
        down, right = np.gradient(part)
        across += down**2 + right**2
    return np.asarray(agrees & (across <= 0.01 * size + 0.002))
