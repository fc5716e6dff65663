"""Our noise instead of a pipeline's own.

Pipelines of diffusers take noise in as many ways as there are authors: some have a `latents` argument that means noise,
some one that means noised latents, some mix it with noise of their own, and `StableDiffusionImg2ImgPipeline` swallows
it without a word. All of them draw through one function, `randn_tensor`, that their module imports by name; while a
picture is made, that name leads here. A pipeline that never asks was not given our noise, and that is an error.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from splatfilm.base.errors import SplatfilmError

Draw = Callable[[tuple[int, ...]], Tensor]
"""Noise of a shape that a pipeline asks for: [B, C, H, W] or [B, C, F, H, W]."""


class NoiseIgnoredError(SplatfilmError):
    """A pipeline made a picture without asking for noise, so its picture does not come from the scene's."""


@contextlib.contextmanager
def noise_from(pipeline: Any, draw: Draw) -> Iterator[None]:
    """Within it `pipeline` draws its noise from `draw`. Raises `NoiseIgnoredError` when it drew none."""
    module = sys.modules[type(pipeline).__module__]
    asked = 0

    def drawn(
        shape: tuple[int, ...], generator: Any = None, device: Any = None, dtype: Any = None, layout: Any = None
    ) -> Tensor:
        nonlocal asked
        asked += 1
        return draw(tuple(shape)).to(device=device, dtype=dtype)

    own = getattr(module, "randn_tensor", None)
    if own is None:
        raise NoiseIgnoredError(f"{type(pipeline).__name__} of this diffusers draws no noise where ours could be given")
    module.randn_tensor = drawn  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.randn_tensor = own  # type: ignore[attr-defined]
    if not asked:
        raise NoiseIgnoredError(f"{type(pipeline).__name__} made a picture without asking for noise")


def encode_by_mode(vae: Any) -> None:
    """Make an autoencoder give the middle of its distribution instead of a random draw from it."""
    encode = vae.encode

    def steady(*args: Any, **options: Any) -> Any:
        found = encode(*args, **options)
        distribution = getattr(found, "latent_dist", None)
        if distribution is not None:
            distribution.sample = lambda generator=None: distribution.mode()
        return found

    vae.encode = steady
