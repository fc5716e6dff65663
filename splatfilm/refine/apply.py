"""A bare frame refined in one look: the scene refiner's change, held; texture of the scene; and grain of the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.refine import grain
from splatfilm.refine.contract import BareFrame, Refiner
from splatfilm.refine.filters import blurred, gaussian_taps, reach_of
from splatfilm.refine.guards import held, lock_pixels, reach
from splatfilm.refine.looks import Look
from splatfilm.refine.noise import NoiseGrid, NoiseKey, anchored_noise
from splatfilm.refine.pixels import anchors

TEXTURE = NoiseGrid(channels=1, sub=2)
TEXTURE_SIGMA = 0.8  # px: what is finer than pixels agrees less well between views than what is seen
NOISE_REACH = 4 + reach_of(TEXTURE_SIGMA)  # px: how far an edit may hand a voxel to another pixel, and the blur


@dataclass(frozen=True)
class Settings:
    """What is done to the frames of one shot. `strength` is the film's; `held_to` what its guards left of it."""

    look: Look
    seed: str
    strength: float = 1.0
    held_to: float = 1.0

    @property
    def amount(self) -> float:
        return self.strength * self.held_to


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined frame. `still` is without grain, which the guards measure; `failed` says why the frame stayed bare."""

    beauty: Tensor  # [H, W, 3]
    still: Tensor  # [H, W, 3]
    failed: str = ""


def change(frame: BareFrame, refiner: Refiner | None, settings: Settings, spaces: Sequence[str]) -> tuple[Tensor, str]:
    """What the look wants of a frame at full strength, not held yet; and why it is the bare frame, where it had to be.

    `spaces` are the names of the members' rest spaces.
    """
    bare, look = frame.beauty, settings.look
    wanted, failed = bare, ""
    if refiner is not None and look.refiner > 0:
        found = refiner(frame).to(bare)
        if found.shape != bare.shape:
            failed = f"the refiner gave {list(found.shape)} for {list(bare.shape)}"
        elif not bool(torch.isfinite(found).all()):
            failed = "the refiner gave NaN or Inf"
        else:
            wanted = bare + look.refiner * (found - bare)
    if look.texture > 0:
        noise = texture(frame, settings.seed, spaces)
        covered = frame.alpha * (frame.owner >= 0)
        wanted = wanted + look.texture * noise * (grain.response(bare) * covered[..., None])
    return wanted, failed


def texture(frame: BareFrame, seed: str, spaces: Sequence[str]) -> Tensor:  # [H, W, 1]
    """The relief of surfaces that the splats are too coarse for: anchored noise, a little blurred, of deviation 1."""
    noise = anchored_noise(anchors(frame, spaces), NoiseKey(seed, "texture"), TEXTURE)
    return blurred(noise, TEXTURE_SIGMA) / sum(tap * tap for tap in gaussian_taps(TEXTURE_SIGMA))


def hold(frame: BareFrame, wanted: Tensor, settings: Settings) -> Tensor:
    """A wanted picture within the look's bound and lock, at the shot's strength."""
    look = settings.look
    lock = lock_pixels(look.lock_px, frame.camera.width)
    return held(frame.beauty, wanted, look.bound, lock, settings.amount)


def finish(frame: BareFrame, still: Tensor, settings: Settings) -> Tensor:
    """The held picture with the grain of its exposure."""
    stock = settings.look.stock
    if stock is None:
        return still
    return grain.exposed(still, stock, settings.seed, frame.camera, frame.scene_frame)


def refine_frame(frame: BareFrame, refiner: Refiner | None, settings: Settings, spaces: Sequence[str]) -> Refined:
    """A bare frame in a look: a pure function of the frame, the refiner and the settings."""
    wanted, failed = change(frame, refiner, settings, spaces)
    still = hold(frame, wanted, settings)
    return Refined(finish(frame, still, settings), still, failed)


def reach_of_look(look: Look, refiner_reach: int | None, width: int) -> int | None:
    """How many pixels away an edit of the bare frame may show, everything together; None: anywhere."""
    if refiner_reach is None:
        return None
    lock = reach(lock_pixels(look.lock_px, width))
    return max(refiner_reach, NOISE_REACH if look.texture > 0 else 0) + lock
