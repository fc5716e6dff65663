"""Teaching a scene refiner: crops of pairs, every one of them with an address, and a state that survives a kill.

A step's crops are drawn with a key of (anchor, purpose, step). Each crop's gradient is worked out by one thread and the
gradients are added in the order of the crops, so the weights are the same bits at any number of threads, and a training
that goes on from a checkpoint ends with the bits of one that was never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.reconstruct import checkpoint
from splatfilm.reconstruct.checkpoint import Checkpoint
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.trainer import DivergedError
from splatfilm.refine.net import TIMES, LocalUNet, each_in_one_thread, mirrored, signal_at
from splatfilm.refine.pairs import Pair
from splatfilm.refine.recipe import GRID, UNIT, TrainSettings

CHECKPOINT_SECONDS = 20.0
_REPORT_EVERY = 10  # steps
_BETAS, _EPSILON, _DECAY = (0.9, 0.99), 1e-8, 1e-4  # AdamW
_MIRRORED_NORMAL = 5  # the plane whose sign a mirror turns: the normal's x in the camera


@dataclass(frozen=True, eq=False)
class Crop:
    """What one part of one step sees, on the device of the training."""

    planes: Tensor  # [1, 13, S, S], or 16 with noise
    truth: Tensor  # [1, 3, S, S]
    weight: Tensor  # [1, 1, S, S]
    time: Tensor  # [1] diffusion time; 0 for the mode of one step


def loss_of(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """L1 + 4 L2 + 0.5 L1 of the gradients, over the pixels that count. [B, 3, H, W], weight [B, 1, H, W].

    Renders of a few photographs err much in few places: half of the squares lie in a twentieth of the pixels. L2 makes
    those count about as much as all the rest.
    """
    difference = (image - truth) * weight
    across, down = difference[..., :, 1:] - difference[..., :, :-1], difference[..., 1:, :] - difference[..., :-1, :]
    edges = across.abs().mean() + down.abs().mean()
    return difference.abs().mean() + 4 * difference.square().mean() + 0.25 * edges


class RefinerTraining:
    """The state of one training: weights, their averages and moments, the step. `anchor` keys all that is drawn."""

    def __init__(self, pairs: Sequence[Pair], settings: TrainSettings, anchor: str, device: torch.device) -> None:
        self.settings, self.anchor, self.device = settings, anchor, device
        self.held_out = [pair for pair in pairs if pair.held_out]
        self.own = [pair for pair in pairs if not pair.held_out]
        self.net = LocalUNet(settings.net, seed=int(hash_value([anchor, "first weights"])[:8], 16)).to(device)
        self.names = [name for name, _ in self.net.named_parameters()]
        self.weights = [values for _, values in self.net.named_parameters()]
        self.average = [values.detach().clone() for values in self.weights]
        self.optimiser = torch.optim.AdamW(
            self.weights, lr=settings.rate, betas=_BETAS, eps=_EPSILON, weight_decay=_DECAY, foreach=False
        )
        self.step, self.loss = 0, math.nan

    def advance(self) -> None:
        """One step. Raises `DivergedError` when the loss is not finite."""
        crops = self._crops()
        if self.device.type == "cpu":
            found = each_in_one_thread(self._gradients, crops)
        else:
            parts = zip(*((c.planes, c.truth, c.weight, c.time) for c in crops), strict=True)
            found = [self._gradients(Crop(*(torch.cat(part) for part in parts)))]
        value = sum(loss for loss, _ in found) / len(found)
        if not math.isfinite(value):
            raise DivergedError(f"the refiner's training broke down at step {self.step}: its loss is {value}")
        for index, values in enumerate(self.weights):
            total = found[0][1][index]
            for _, gradients in found[1:]:
                total = total + gradients[index]
            values.grad = total / len(found)
        self._descend()
        self.loss = value if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * value

    def refiner(self) -> LocalUNet:
        """The network with the averaged weights."""
        net = LocalUNet(self.settings.net)
        net.load_state_dict(dict(zip(self.names, self.average, strict=True)))
        return net.to(self.device).eval()

    def state(self) -> Checkpoint:
        """Everything that the next step depends on."""
        arrays: dict[str, Any] = {}
        for name, values, average in zip(self.names, self.weights, self.average, strict=True):
            moments = self.optimiser.state.get(values, {})
            arrays[f"weight {name}"] = values.detach().cpu().numpy()
            arrays[f"average {name}"] = average.cpu().numpy()
            for moment in ("exp_avg", "exp_avg_sq"):
                there = moments.get(moment, torch.zeros_like(values))
                arrays[f"{moment} {name}"] = there.detach().cpu().numpy()
        return Checkpoint(self.step, arrays, {"loss": None if math.isnan(self.loss) else self.loss})

    def resume(self, found: Checkpoint) -> None:
        """Go on from a state."""
        self.step = found.step
        self.loss = math.nan if found.values["loss"] is None else found.values["loss"]

        def tensor(kind: str, name: str) -> Tensor:
            return torch.from_numpy(np.array(found.arrays[f"{kind} {name}"])).to(self.device)

        with torch.no_grad():
            for name, values, average in zip(self.names, self.weights, self.average, strict=True):
                values.copy_(tensor("weight", name))
                average.copy_(tensor("average", name))
                self.optimiser.state[values] = {
                    "step": torch.tensor(float(self.step)),
                    "exp_avg": tensor("exp_avg", name),
                    "exp_avg_sq": tensor("exp_avg_sq", name),
                }

    def _crops(self) -> list[Crop]:
        return [
            self._crop(generator(self.anchor, f"crop {number}", self.step)) for number in range(self.settings.crops)
        ]

    def _crop(self, random: np.random.Generator) -> Crop:
        """A square of a pair; a picture that is smaller is mirrored at its edges."""
        from_held_out, at, down, across, flip = random.random(5).tolist()
        among = (
            self.held_out if self.held_out and (not self.own or from_held_out < self.settings.held_out) else self.own
        )
        pair = among[int(at * len(among))]
        planes, truth, size = pair.planes, pair.truth, self.settings.size
        height, width = planes.shape[-2:]
        top = GRID * int(down * (max(0, height - size) // GRID + 1))
        left = GRID * int(across * (max(0, width - size) // GRID + 1))
        window = (..., slice(top, top + size), slice(left, left + size))
        given, wanted = mirrored(planes[window].float()), mirrored(truth[window].float())
        weight = torch.ones_like(wanted[:1]) if pair.weight is None else mirrored(pair.weight[window][None].float())
        if self.settings.flips and flip < 0.5:
            given, wanted, weight = given.flip(-1), wanted.flip(-1), weight.flip(-1)
            given[_MIRRORED_NORMAL] = -given[_MIRRORED_NORMAL]
        time = torch.zeros(1)
        if self.settings.noisy:
            given, time = self._noisy(given, wanted, random)
        parts = given[None], wanted[None], weight[None], time
        return Crop(*(part.to(self.device) for part in parts))

    def _noisy(self, given: Tensor, wanted: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A crop with planes of noise, for some of them: what is left to change at a diffusion time, and that time."""
        time = float(random.integers(1, TIMES)) if random.random() < self.settings.noisy else 0.0
        planes = torch.zeros_like(wanted)
        if time:
            signal = signal_at(time)
            left = (wanted - given[:3] - given[8:11]) / UNIT
            noise = torch.from_numpy(random.standard_normal(wanted.shape, dtype=np.float32))
            planes = math.sqrt(signal) * left + math.sqrt(1 - signal) * noise
        return torch.cat([given, planes]), torch.tensor([time])

    def _gradients(self, crop: Crop) -> tuple[float, list[Tensor]]:
        loss = loss_of(self.net(crop.planes, crop.time), crop.truth, crop.weight)
        return float(loss.detach()), list(torch.autograd.grad(loss, self.weights))

    def _descend(self) -> None:
        share = self.step / self.settings.steps
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * 0.5 * (1 + math.cos(math.pi * share))
        self.optimiser.step()
        self.step += 1
        keep = min(self.settings.ema, self.step / (self.step + 10))  # the first weights are soon forgotten
        with torch.no_grad():
            for average, values in zip(self.average, self.weights, strict=True):
                average.lerp_(values, 1 - keep)


def train_refiner(training: RefinerTraining, folder: Path, key: str, progress: Progress = SILENT) -> LocalUNet:
    """Train to the end, from the last whole checkpoint in `folder` if there is one; checkpoints are swept in the end.

    Raises `DivergedError`, and `StorageError` when the disk refuses (checkpoints stay).
    """
    found, notes = checkpoint.newest(folder, key)
    for note in notes:
        progress.say(note)
    if found is not None:
        training.resume(found)
    steps, saved = training.settings.steps, time.monotonic()
    progress.start("teaching the refiner", steps, "steps")
    while training.step < steps:
        training.advance()
        if training.step % _REPORT_EVERY == 0 or training.step == steps:
            progress.advance(training.step, f"loss {training.loss:.4f}")
        if time.monotonic() - saved > CHECKPOINT_SECONDS and training.step < steps:
            checkpoint.save(folder, key, training.state())
            saved = time.monotonic()
    progress.finish(f"loss {training.loss:.4f}")
    checkpoint.sweep(folder)
    return training.refiner()
