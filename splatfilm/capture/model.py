"""A posed capture in memory: photographs on disk, the cameras that took them, and what is known of the geometry."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras import Camera

Split = Literal["train", "test"]


@dataclass(frozen=True, eq=False)
class Photograph:
    """One posed photograph. `mask` is a grey picture of the same size: black pixels are ignored in training.

    When the photograph itself has an alpha channel, alpha is the object's matte and the ground behind it is unknown.
    """

    name: str  # as the capture calls it; unique, the order of photographs is by name
    image: Path
    camera: Camera  # in the world of the capture: Z up, metres
    split: Split
    mask: Path | None = None


@dataclass(frozen=True, eq=False)
class SparsePoints:
    """Points that structure-from-motion found."""

    positions: NDArray[np.float32]  # [M, 3] metres
    colours: NDArray[np.uint8]  # [M, 3] sRGB


@dataclass(frozen=True, eq=False)
class Capture:
    """Posed photographs of one thing. Photographs are ordered by name; at least one is for training."""

    path: Path
    photographs: tuple[Photograph, ...]
    points: SparsePoints | None = None
    notes: tuple[str, ...] = field(default=())  # what a careful reader would tell the user (frames without a file, ...)

    def of(self, split: Split) -> tuple[Photograph, ...]:
        """The photographs of one split, in order."""
        return tuple(p for p in self.photographs if p.split == split)
