"""The names of layers, apart from `layers` so that finding that nothing changed imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.capture import Capture, Photograph
from splatfilm.reconstruct.settings import Settings

IDS = "ids"
LAYER_VERSION = 3
"""Raised whenever the same capture would be taken apart otherwise."""


def mask_of(capture: Capture, photograph: Photograph) -> Path | None:
    """The id mask of a photograph, if there is one."""
    path = capture.path / IDS / f"{photograph.image.stem}.png"
    return path if path.is_file() else None


def layer_key(capture: Capture, base: str, ids: Sequence[int], below: Sequence[str], settings: Settings) -> str:
    """The name of a layer before it exists: the hash of all that decides it.

    `base` is the hash of the splats that it is taken from, or of the capture that it is learnt from; `below` are the
    hashes of the splats that it is learnt over.
    """
    marks = [hash_file(path) for p in capture.of("train") if ids and (path := mask_of(capture, p)) is not None]
    return hash_value(["layer", LAYER_VERSION, base, sorted(ids), marks, list(below), settings.as_plain()])
