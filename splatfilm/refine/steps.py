"""The noise that the scene refiner's mode of several steps begins with: nailed to the scene, as all noise here is."""

from __future__ import annotations

from torch import Tensor

from splatfilm.refine.contract import BareFrame
from splatfilm.refine.net import Steps
from splatfilm.refine.noise import NoiseGrid, NoiseKey, anchored_noise
from splatfilm.refine.pixels import anchors
from splatfilm.refine.stored import AnchoredSteps

GRID = NoiseGrid(channels=3, sub=2)


def anchored(settings: AnchoredSteps) -> Steps:
    """The mode, with a noise that is the same wherever a place is seen from, at whichever scene frame."""
    key = NoiseKey(settings.seed, "the refiner's steps")

    def noise(frame: BareFrame) -> Tensor:  # [H, W, 3]
        return anchored_noise(anchors(frame, settings.spaces), key, GRID)

    return Steps(settings.count, noise)
