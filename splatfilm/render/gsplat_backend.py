"""Rendering on CUDA through gsplat: the only module that imports it.

Written for gsplat 1.5.3, with arguments that 1.4.0 takes as well. `packed=False` because the packed projection of 1.5.3
culls by the wrong opacities in batches; rows of culled splats in its `meta` are then uninitialised, so nothing but
`radii` is read from it, and the absolute gradients of kept splats. gsplat composes no background here: adding it
afterwards is the same arithmetic as in the CPU kernels.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from splatfilm.base.errors import MissingPartError
from splatfilm.cameras.camera import Camera
from splatfilm.render.backends import INSTALL_GSPLAT
from splatfilm.render.constants import BLUR, TILE
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.posed import colours as colours_seen
from splatfilm.splats.posed import covariances, is_moved
from splatfilm.splats.splats import Splats


@lru_cache(maxsize=1)
def _rasterization() -> Callable[..., tuple[Tensor, Tensor, dict[str, Any]]]:
    """gsplat's function, once it is sure that its kernels are there. Builds them at the first call: some minutes."""
    if not torch.cuda.is_available():
        raise MissingPartError("torch finds no CUDA device: check `nvidia-smi` and that torch was installed with CUDA")
    # Unless told otherwise, gsplat's build would target every architecture that torch knows.
    major, minor = torch.cuda.get_device_capability()
    os.environ.setdefault("TORCH_CUDA_ARCH_LIST", f"{major}.{minor}")
    try:
        from gsplat import rasterization
        from gsplat.cuda._backend import _C
    except ImportError as error:
        raise MissingPartError(
            f"gsplat cannot be loaded ({error}): {INSTALL_GSPLAT}. A failed build of its kernels shows its cause with "
            "VERBOSE=1 in the environment; they need nvcc of the CUDA version that torch was built with"
        ) from error
    if _C is None:
        raise MissingPartError("gsplat has no kernels here and found no nvcc to build them: install the CUDA toolkit")
    return rasterization  # type: ignore[no-any-return]


def _fill(stats: ScreenStats, meta: dict[str, Any]) -> None:
    """Copies radii now, and the absolute gradients when the backward pass has made them."""
    radii = meta["radii"][0]
    # 1.4.0 gives one radius a splat, 1.5.3 one for each axis, with zeros in both for a culled splat.
    stats.radii.copy_((radii.amax(-1) if radii.ndim == 2 else radii).float())
    means = meta["means2d"]
    if not means.requires_grad:
        return
    held = weakref.ref(means)

    def copy(gradient: Tensor) -> None:
        centres = held()
        if centres is not None:
            stats.absolute_gradient.copy_(centres.absgrad[0].nan_to_num() * (stats.radii > 0)[:, None])

    means.register_hook(copy)


def render(splats: Splats, camera: Camera, settings: RenderSettings, stats: ScreenStats | None = None) -> Frame:
    """Renders on the current CUDA device; differentiable. The frame comes back on the device of the splats."""
    rasterization = _rasterization()
    device = splats.device if splats.device.type == "cuda" else torch.device("cuda")
    degree = splats.sh_degree if settings.sh_degree is None else min(settings.sh_degree, splats.sh_degree)
    colours_of, covars = splats.sh.to(device), None
    moved = is_moved(splats)
    if moved:
        # gsplat knows neither stretches nor turns: it gets covariances, and colours that are evaluated here.
        here = splats.to(device)
        position = torch.tensor(camera.position, dtype=torch.float32, device=device)
        covars, colours_of = covariances(here), colours_seen(here, position, degree).clamp_min(0.0)
    colours, alphas, meta = rasterization(
        means=splats.means.to(device),
        quats=splats.quats.to(device),
        scales=splats.scales.to(device),
        opacities=splats.opacities.to(device),
        colors=colours_of,
        viewmats=torch.tensor(camera.world_to_camera(), dtype=torch.float32, device=device)[None],
        Ks=torch.tensor(camera.intrinsics(), dtype=torch.float32, device=device)[None],
        width=camera.width,
        height=camera.height,
        near_plane=settings.near,
        far_plane=settings.far,
        eps2d=BLUR,
        sh_degree=None if moved else degree,
        packed=False,
        tile_size=TILE,
        render_mode="RGB+ED",
        absgrad=stats is not None,
        rasterize_mode=splats.mode,
        covars=covars,
    )
    if stats is not None:
        _fill(stats, meta)
    alpha = alphas[0, ..., 0]
    background = torch.tensor(settings.background, dtype=torch.float32, device=device)
    beauty = colours[0, ..., :3] + (1.0 - alpha)[..., None] * background
    return Frame(beauty.to(splats.device), alpha.to(splats.device), colours[0, ..., 3].to(splats.device))
