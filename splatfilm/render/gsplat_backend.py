"""Rendering on CUDA through gsplat: the only module that imports it.

Written for gsplat 1.5.3, with arguments that 1.4.0 takes as well. `packed=False` because the packed projection of 1.5.3
culls by the wrong opacities in batches; rows of culled splats in its `meta` are then uninitialised, so nothing but
`radii` is read from it, and the absolute gradients of kept splats. gsplat composes no background here: adding it
afterwards is the same arithmetic as in the CPU kernels.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splatfilm.base.errors import MissingPartError
from splatfilm.cameras.camera import Camera
from splatfilm.render.backends import INSTALL_GSPLAT
from splatfilm.render.constants import BLUR, TILE
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.pose import posed
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


def render(
    splats: Splats,
    camera: Camera,
    settings: RenderSettings,
    stats: ScreenStats | None = None,
    features: Tensor | None = None,  # [N, C]
    to_camera: Tensor | None = None,  # [4, 4]
) -> Frame:
    """Renders on the current CUDA device; differentiable. The frame comes back on the device of the splats.

    `to_camera` as for `renderer.render`. Raises `MissingPartError` for median and front depth and for sorting by
    distance, which gsplat does not do.
    """
    _refuse(settings, splats)
    rasterization = _rasterization()
    device = splats.device if splats.device.type == "cuda" else torch.device("cuda")
    place = _arguments(splats, [camera], settings, device)
    if to_camera is not None:
        posed(camera, to_camera)  # refuses what is not rigid
        place["viewmats"] = to_camera.to(device=device, dtype=torch.float32)[None]
    colours, alphas, meta = rasterization(
        **place, **_colours(splats, [camera], settings, device), render_mode="RGB+ED", absgrad=stats is not None
    )
    blended = None
    if features is not None and features.shape[1]:
        # gsplat takes one row of colours a splat as they are when no degree is given, in groups of 32 channels.
        finite = features.to(device).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        blended = rasterization(**place, colors=finite, render_mode="RGB")[0][0]
    elif features is not None:
        blended = features.new_zeros(camera.height, camera.width, 0)
    if stats is not None:
        _fill(stats, meta)
    alpha = alphas[0, ..., 0]
    background = torch.tensor(settings.background, dtype=torch.float32, device=device)
    beauty = colours[0, ..., :3] + (1.0 - alpha)[..., None] * background
    return Frame(beauty, alpha, colours[0, ..., 3], blended).to(splats.device)


def render_cameras(splats: Splats, cameras: Sequence[Camera], settings: RenderSettings) -> Iterator[Frame]:
    """Pictures of several cameras of one size in one call, on the device; without gradients."""
    _refuse(settings, splats)
    rasterization = _rasterization()
    device = splats.device if splats.device.type == "cuda" else torch.device("cuda")
    with torch.no_grad():
        colours, alphas, _ = rasterization(
            **_arguments(splats, cameras, settings, device),
            **_colours(splats, cameras, settings, device),
            render_mode="RGB+ED",
        )
        background = torch.tensor(settings.background, dtype=torch.float32, device=device)
        for colour, alpha in zip(colours, alphas, strict=True):
            yield Frame(colour[..., :3] + (1.0 - alpha) * background, alpha[..., 0], colour[..., 3]).to(splats.device)


def _refuse(settings: RenderSettings, splats: Splats) -> None:
    if splats.mode == "mixed":
        raise MissingPartError(
            "gsplat draws either classic or antialiased splats in one picture, and this scene holds both: "
            'choose backend "cpu", or train everything in it the same way'
        )
    if settings.depths:
        raise MissingPartError('median and front depth are made by the CPU renderer only: choose backend "cpu"')
    if settings.sort != "depth":
        raise MissingPartError('gsplat sorts by depth only: choose backend "cpu" to sort by distance')


def _colours(
    splats: Splats, cameras: Sequence[Camera], settings: RenderSettings, device: torch.device
) -> dict[str, Any]:
    """What gsplat colours splats with: their coefficients; or, where a driver has turned them, which gsplat does not
    know, colours [C, N, 3] that are evaluated here for each camera.
    """
    degree = splats.sh_degree if settings.sh_degree is None else min(settings.sh_degree, splats.sh_degree)
    if not is_moved(splats):
        return {"colors": splats.sh.to(device), "sh_degree": degree}
    here = splats.to(device)
    places = [torch.tensor(camera.position, dtype=torch.float32, device=device) for camera in cameras]
    return {"colors": torch.stack([colours_seen(here, p, degree).clamp_min(0.0) for p in places]), "sh_degree": None}


def _arguments(
    splats: Splats, cameras: Sequence[Camera], settings: RenderSettings, device: torch.device
) -> dict[str, Any]:
    """Everything but colours and render mode, which is the same for whatever gsplat is asked to blend."""
    views = np.stack([camera.world_to_camera() for camera in cameras])
    intrinsics = np.stack([camera.intrinsics() for camera in cameras])
    return {
        "means": splats.means.to(device),
        "quats": splats.quats.to(device),
        "scales": splats.scales.to(device),
        "opacities": splats.opacities.to(device),
        "viewmats": torch.tensor(views, dtype=torch.float32, device=device),
        "Ks": torch.tensor(intrinsics, dtype=torch.float32, device=device),
        "width": cameras[0].width,
        "height": cameras[0].height,
        "near_plane": settings.near,
        "far_plane": settings.far,
        "eps2d": BLUR,
        "packed": False,
        "tile_size": TILE,
        "rasterize_mode": splats.mode,
        "covars": covariances(splats.to(device)) if is_moved(splats) else None,
    }
