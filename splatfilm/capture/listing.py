"""What a layout's description lists, before anyone has looked whether it is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from splatfilm.cameras import Camera
from splatfilm.capture.model import SparsePoints, Split


@dataclass(frozen=True, eq=False)
class Listed:
    """One photograph as it is described. Its camera is in the units and the world of the description."""

    name: str
    image: Path
    camera: Camera
    place: str  # in the description, for messages
    description: Path
    mask: Path | None = None
    split: Split | None = None  # None: the description does not say


@dataclass(frozen=True, eq=False)
class Listing:
    """Everything that a layout describes."""

    layout: str
    photographs: tuple[Listed, ...]
    descriptions: tuple[Path, ...]
    points: SparsePoints | None = None
    notes: tuple[str, ...] = ()
