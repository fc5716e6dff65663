"""Captures to splats: the training loop, densification, losses, presets, cache.

Asking for settings or for a finished reconstruction imports no torch; `reconstruct` does when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from splatfilm.base.lazy import later
from splatfilm.reconstruct.cache import Reconstruction, ViewScore, cached
from splatfilm.reconstruct.settings import PRESETS, Growth, Rates, Settings, settings_for, settings_of

if TYPE_CHECKING:
    from splatfilm.reconstruct.run import reconstruct

__getattr__ = later(__name__, {"reconstruct": "run"})

__all__ = [
    "PRESETS",
    "Growth",
    "Rates",
    "Reconstruction",
    "Settings",
    "ViewScore",
    "cached",
    "reconstruct",
    "settings_for",
    "settings_of",
]
