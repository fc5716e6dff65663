"""A posed capture in memory: photographs on disk, the cameras that took them, and what is known of the geometry."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras import Camera

Split = Literal["train", "test"]
UpAxis = Literal["x", "-x", "y", "-y", "z", "-z"]


@dataclass(frozen=True, eq=False)
class Photograph:
    """One posed photograph. `mask` is a grey picture of the same size: black pixels are ignored in training.

    When the photograph itself has an alpha channel, alpha is the object's matte and the ground behind it is unknown.
    `quarter_turns` says how the stored pixels are turned (counter-clockwise, as numpy.rot90) before the camera fits.
    """

    name: str  # as the capture calls it; unique, the order of photographs is by name
    image: Path
    camera: Camera  # in the world of the capture: Z up, metres; its size is the size of the turned picture
    split: Split
    mask: Path | None = None
    has_matte: bool = False  # the file has an alpha channel
    quarter_turns: int = 0


@dataclass(frozen=True, eq=False)
class SparsePoints:
    """Points that structure-from-motion found, and points of a surface that is known otherwise."""

    positions: NDArray[np.float32]  # [M, 3] metres
    colours: NDArray[np.uint8]  # [M, 3] sRGB
    normals: NDArray[np.float32] | None = None  # [M, 3] unit, outwards; 0 0 0 where there is no surface


@dataclass(frozen=True)
class Sheet:
    """What `capture.toml` says about a capture; every entry may be left out.

    `scale` is metres for one unit of the supplied poses; `up` is the axis of the supplied world that points up.
    """

    kind: str = ""  # set, character or prop
    scale: float = 1.0
    up: UpAxis = "z"
    author: str = ""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class Capture:
    """Posed photographs of one thing. Photographs are ordered by name; at least one is for training."""

    path: Path
    photographs: tuple[Photograph, ...]
    points: SparsePoints | None = None
    notes: tuple[str, ...] = field(default=())  # what a careful reader would tell the user (frames without a file, ...)
    sheet: Sheet = field(default_factory=Sheet)
    layout: str = ""  # nerfstudio, blender or colmap
    descriptions: tuple[Path, ...] = ()  # the files that hold poses, intrinsics and points

    def of(self, split: Split) -> tuple[Photograph, ...]:
        """The photographs of one split, in order."""
        return tuple(p for p in self.photographs if p.split == split)
