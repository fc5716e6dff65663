"""`Splats` x `Camera` -> `Frame`, on the CPU with our own kernels or on CUDA through gsplat.

Names are loaded when they are first used: asking which backends there are does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from splatfilm.render.backends import BackendStatus, backend_statuses, resolve_backend
from splatfilm.render.settings import RenderSettings

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame, ScreenStats
    from splatfilm.render.kernels import set_threads, threads
    from splatfilm.render.renderer import UnsupportedCameraError, render

_LATER = {
    "Frame": "frame",
    "ScreenStats": "frame",
    "UnsupportedCameraError": "renderer",
    "render": "renderer",
    "set_threads": "kernels",
    "threads": "kernels",
}

__all__ = [
    "BackendStatus",
    "Frame",
    "RenderSettings",
    "ScreenStats",
    "UnsupportedCameraError",
    "backend_statuses",
    "render",
    "resolve_backend",
    "set_threads",
    "threads",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
