"""`Splats` x `Camera` -> `Frame`, on the CPU with our own kernels or on CUDA through gsplat.

Names are loaded when they are first used: asking which backends there are does not import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from splatfilm.base.lazy import later
from splatfilm.render.backends import BackendStatus, backend_statuses, resolve_backend
from splatfilm.render.settings import RenderSettings

if TYPE_CHECKING:
    from splatfilm.render.distortion import UnsupportedCameraError
    from splatfilm.render.exposure import expose
    from splatfilm.render.frame import Frame, ScreenStats
    from splatfilm.render.kernels import set_threads, threads
    from splatfilm.render.renderer import render, render_each

__getattr__ = later(
    __name__,
    {
        "Frame": "frame",
        "ScreenStats": "frame",
        "UnsupportedCameraError": "distortion",
        "expose": "exposure",
        "render": "renderer",
        "render_each": "renderer",
        "set_threads": "kernels",
        "threads": "kernels",
    },
)

__all__ = [
    "BackendStatus",
    "Frame",
    "RenderSettings",
    "ScreenStats",
    "UnsupportedCameraError",
    "backend_statuses",
    "expose",
    "render",
    "render_each",
    "resolve_backend",
    "set_threads",
    "threads",
]
