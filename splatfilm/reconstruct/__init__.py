"""Captures to splats: the training loop, densification, losses, presets, cache.

Asking for settings or for a finished reconstruction imports no torch; `reconstruct` does when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splatfilm.reconstruct.cache import Reconstruction, ViewScore, cached
from splatfilm.reconstruct.settings import PRESETS, Growth, Rates, Settings, settings_for

if TYPE_CHECKING:
    from splatfilm.reconstruct.run import reconstruct

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
]


def __getattr__(name: str) -> Any:
    if name == "reconstruct":
        from splatfilm.reconstruct.run import reconstruct

        return reconstruct
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
