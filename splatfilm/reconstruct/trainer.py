"""The training loop: one step after another, each a pure function of the state, the settings and the step's number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.adam import adam

from splatfilm.base.errors import SplatfilmError
from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import Camera
from splatfilm.capture.pictures import Picture
from splatfilm.reconstruct import mcmc
from splatfilm.reconstruct.checkpoint import Checkpoint
from splatfilm.reconstruct.gaussians import FIELDS, Gaussians, activated, with_degree
from splatfilm.reconstruct.losses import photometric, psnr
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.settings import Settings
from splatfilm.reconstruct.splitting import split_in_two
from splatfilm.render import RenderSettings, render
from splatfilm.render.constants import COLOUR_OFFSET, SH_C0
from splatfilm.splats import SH_BASIS_COUNTS, Splats, compose

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-15  # Adam as in Kerbl et al. 2023
_MOST_OPAQUE = 0.999  # of a splat that makes up for those left out
_CHECK_EVERY = 100  # steps between two looks at every parameter for NaN
_LIMIT_EVERY = 50  # steps between two looks at how wide every splat is seen, once they are split
_PSNR_EVERY = 20  # steps between two measurements for the progress line


class DivergedError(SplatfilmError):
    """Training ran into numbers that are no numbers."""


@dataclass(frozen=True, eq=False)
class View:
    """A picture in tensors on the device of the training."""

    name: str
    camera: Camera
    colour: Tensor  # [H, W, 3] float16, multiplied by the matte when there is one
    matte: Tensor | None  # [H, W] float16
    weight: Tensor | None  # [H, W] float32
    strength: float = 1.0  # a factor on the picture's gradient: how far it is to be believed

    @classmethod
    def of(cls, picture: Picture, device: torch.device) -> View:
        """float16 keeps a quarter of an 8-bit step and halves the memory that a long capture takes."""

        def half(plane: NDArray[np.float32]) -> Tensor:
            return torch.from_numpy(plane).to(device=device, dtype=torch.float16)

        matte = None if picture.matte is None else half(picture.matte)
        weight = None if picture.weight is None else torch.from_numpy(picture.weight).to(device)
        return cls(picture.name, picture.camera, half(picture.colour), matte, weight)

    def over(self, ground: tuple[float, float, float]) -> Tensor:
        """The photograph as float32 [H, W, 3], its object standing before a ground of one colour."""
        colour = self.colour.float()
        if self.matte is None:
            return colour
        return colour + (1 - self.matte.float())[..., None] * colour.new_tensor(ground)


class Trainer:
    """The state of one training: parameters, Adam's moments, the step.

    `views` holds the training pictures for each share of the full size that the settings use. Every random number is
    keyed by `anchor`, a purpose and the step; state after a step depends on nothing else.
    """

    def __init__(self, views: dict[float, Sequence[View]], settings: Settings, extent: float, anchor: str) -> None:
        self.views = views
        self.settings = settings
        self.extent = extent
        self.anchor = anchor
        self.step = 0
        self.train_psnr = math.nan
        self.gaussians: Gaussians = {}
        self.moments: mcmc.Moments = {}
        self.below: Splats | None = None  # what is in the pictures too, and is not learnt
        self.alone: Sequence[Tensor] | None = None  # [H, W] by view: where nothing of `below` is to be seen
        self.core: Splats | None = None  # inside of what is learnt, never to be seen
        self.count = len(next(iter(views.values())))
        self.gains = np.zeros((3, self.count, 3))  # log gains, and their Adam moments, by view and channel

    def begin(self, gaussians: Gaussians) -> None:
        """Start from the first splats."""
        device = next(iter(self.views.values()))[0].colour.device
        self.gaussians = {name: gaussians[name].to(device) for name in FIELDS}
        self.moments = {name: (torch.zeros_like(g), torch.zeros_like(g)) for name, g in self.gaussians.items()}

    def advance(self) -> None:
        """One step. Raises `DivergedError` as soon as a number is not finite."""
        self._widen()
        index = self._view_index()
        view = self.views[self.settings.share_at(self.step)][index]
        ground = self._ground(view)
        for values in self.gaussians.values():
            values.requires_grad_(True).grad = None
        value = self._backward(view, index, ground)
        if not math.isfinite(value):
            raise self._diverged(f"the loss of {view.name} is {value}")
        gradients = {name: values.grad for name, values in self.gaussians.items()}
        for values in self.gaussians.values():
            values.requires_grad_(False).grad = None
        self.step += 1
        self._descend(gradients)
        self._populate()
        self._limit()
        if self.step % _CHECK_EVERY == 0:
            self.check()

    def splats(self) -> Splats:
        """What was learned so far, without gradients."""
        return activated(self.gaussians, self.settings.antialiased)

    def check(self) -> None:
        """Raises `DivergedError` unless every parameter is finite."""
        for name, values in self.gaussians.items():
            if not bool(torch.isfinite(values).all()):
                raise self._diverged(f"{name} has numbers that are not finite")

    def state(self) -> Checkpoint:
        """Everything that the next step depends on."""
        arrays: dict[str, NDArray[Any]] = {"gains": self.gains}
        for name in FIELDS:
            first, second = self.moments[name]
            arrays[name] = self.gaussians[name].cpu().numpy()
            arrays[f"{name}.first"], arrays[f"{name}.second"] = first.cpu().numpy(), second.cpu().numpy()
        shown = self.train_psnr if math.isfinite(self.train_psnr) else None
        return Checkpoint(self.step, arrays, {"train_psnr": shown})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a state."""
        device = next(iter(self.views.values()))[0].colour.device
        tensors = {
            name: torch.from_numpy(array).to(device) for name, array in checkpoint.arrays.items() if name != "gains"
        }
        self.gaussians = {name: tensors[name] for name in FIELDS}
        self.moments = {name: (tensors[f"{name}.first"], tensors[f"{name}.second"]) for name in FIELDS}
        self.gains = checkpoint.arrays["gains"]
        self.step = checkpoint.step
        shown = checkpoint.values["train_psnr"]
        self.train_psnr = math.nan if shown is None else shown

    def _widen(self) -> None:
        degree = self.settings.degree_at(self.step)
        if self.gaussians["sh_rest"].shape[1] + 1 < SH_BASIS_COUNTS[degree]:
            first, second = self.moments["sh_rest"]
            self.gaussians["sh_rest"] = with_degree(self.gaussians["sh_rest"], degree)
            self.moments["sh_rest"] = with_degree(first, degree), with_degree(second, degree)

    def _view_index(self) -> int:
        epoch, place = divmod(self.step, self.count)
        return int(generator(self.anchor, "order of views", epoch).permutation(self.count)[place])

    def _ground(self, view: View) -> tuple[float, float, float]:
        """Black; with a matte any colour, another each step, so that nothing can hide in the empty space."""
        if view.matte is None:
            return (0.0, 0.0, 0.0)
        red, green, blue = generator(self.anchor, "ground", self.step).random(3).tolist()
        return red, green, blue

    def _backward(self, view: View, index: int, ground: tuple[float, float, float]) -> float:
        """Render one view and leave gradients in the parameters. Returns the photometric loss."""
        count, growth = len(self.gaussians["means"]), self.settings.growth
        pull = growth.scale_weight / (3 * count * self.extent), growth.opacity_weight / count
        splats = self._thinned(activated(self.gaussians, self.settings.antialiased, pull))
        if self.below is not None:
            below = self.below
            if self.alone is not None and self.step % 2:
                below, view = self._painted(below), replace(view, weight=self.alone[index])
            splats = compose([(below, IDENTITY), (splats, IDENTITY)])
        elif self.core is not None and self.step % 2:
            splats = compose([(self._painted(self.core), IDENTITY), (splats, IDENTITY)])
        frame = render(splats, view.camera, RenderSettings(background=ground), backend=self.settings.backend)
        target = view.over(ground)
        shown = frame.beauty.detach()
        if self.settings.gains:
            factor = torch.from_numpy(np.exp(self.gains[0, index])).to(shown)
            loss = photometric(shown * factor, target, view.weight, self.settings.ssim_weight)
            per_pixel = (loss.gradient * shown).cpu().numpy().reshape(-1, 3)
            self._descend_gain(index, per_pixel.sum(axis=0, dtype=np.float64) * np.exp(self.gains[0, index]))
            gradient = loss.gradient * factor
        else:
            loss = photometric(shown, target, view.weight, self.settings.ssim_weight)
            gradient = loss.gradient
        if view.strength != 1:
            gradient = gradient * view.strength
        if self.step % _PSNR_EVERY == 0:
            self._measure(shown, target, view.weight)
        if view.matte is None or self.settings.matte_weight == 0:
            torch.autograd.backward([frame.beauty], [gradient])
            return loss.value
        difference = frame.alpha.detach() - view.matte.float()
        weight = difference.new_ones(()) if view.weight is None else view.weight
        matte_gradient = torch.sign(difference) * weight * (self.settings.matte_weight / difference.numel())
        torch.autograd.backward([frame.beauty, frame.alpha], [gradient, matte_gradient])
        return loss.value

    def _thinned(self, splats: Splats) -> Splats:
        """Without the share of the splats that this step leaves out, the others the more opaque for it.

        Seen in few photographs, one splat can come to stand for what it is not; what must be shown without any one of
        them is shown by several that agree (Park et al. 2025, "DropGaussian", equation 4).
        """
        share = self.settings.dropped_at(self.step)
        if not share:
            return splats
        drawn = generator(self.anchor, "dropped", self.step).random(len(splats))
        kept = torch.from_numpy((drawn >= share) / np.float32(1 - share)).to(splats.opacities)
        return replace(splats, opacities=(splats.opacities * kept).clamp_max(_MOST_OPAQUE))

    def _painted(self, below: Splats) -> Splats:
        """What is below in any colour, another each step: whatever lets it through where it must not errs."""
        red, green, blue = generator(self.anchor, "below", self.step).random(3).tolist()
        sh = torch.zeros_like(below.sh)
        sh[:, 0] = (below.sh.new_tensor([red, green, blue]) - COLOUR_OFFSET) / SH_C0
        return replace(below, sh=sh)

    def _descend(self, gradients: dict[str, Tensor | None]) -> None:
        rates, means_rate = self.settings.rates, self.settings.means_rate_at(self.step) * self.extent
        by_name = {
            "means": means_rate,
            "log_scales": rates.scales,
            "quats": rates.quats,
            "logits": rates.opacities,
            "sh0": rates.sh0,
            "sh_rest": rates.sh_rest,
        }
        for name, rate in by_name.items():
            gradient = gradients[name]
            if gradient is None:
                continue
            first, second = self.moments[name]
            # The functional form of torch.optim.Adam(fused=True), as rows of its state come and go with the splats.
            adam(
                [self.gaussians[name]], [gradient], [first], [second], [], [torch.tensor(float(self.step - 1))],
                fused=True, amsgrad=False, beta1=_BETA1, beta2=_BETA2, lr=rate, weight_decay=0.0, eps=_EPSILON,
                maximize=False,
            )  # fmt: skip

        if self.settings.largest is not None:
            self.gaussians["log_scales"].clamp_(max=math.log(self.settings.largest))

    def _limit(self) -> None:
        """See to it that nothing is seen too wide from the nearest photograph's place: a splat is blended as a whole by
        its centre's depth, so a long one on the floor is drawn over the feet of whoever is put on top of it.

        While splats grow they may be long; kept short from the beginning they float above the floor in stacks. When
        growth ends the long ones are split, as far as there is room, and what is still too long is shortened.
        """
        settings = self.settings
        if settings.widest is None or self.step < settings.narrows_from:
            return
        if self.step == settings.narrows_from:
            self._split()
        elif self.step % _LIMIT_EVERY == 0 or self.step == settings.steps:
            self.gaussians["log_scales"].clamp_(max=self._longest()[:, None])

    def _longest(self) -> Tensor:  # [N]
        """The logarithm of how long each splat may be."""
        assert self.settings.widest is not None, "there is a limit"
        views, means = next(iter(self.views.values())), self.gaussians["means"]
        places = torch.from_numpy(np.stack([view.camera.pose[:3, 3] for view in views])).to(means)
        nearest = torch.full_like(means[:, 0], math.inf)
        for place in places:
            nearest = torch.minimum(nearest, ((means - place) ** 2).sum(dim=1))
        return 0.5 * nearest.clamp(min=1e-12).log() + math.log(self.settings.widest)

    def _split(self) -> None:
        """Halve what is too wide, again and again while there is room; the widest first."""
        while True:
            excess = self.gaussians["log_scales"].max(dim=1).values - self._longest()
            room = self.settings.budget - len(excess)
            rows = torch.argsort(excess, descending=True, stable=True)[: max(0, min(room, int((excess > 0).sum())))]
            if not len(rows):
                return
            self.gaussians = split_in_two(self.gaussians, rows, opaque=True)
            for name, (first, second) in self.moments.items():
                first[rows], second[rows] = 0, 0
                new = torch.zeros_like(first[rows])
                self.moments[name] = torch.cat([first, new]), torch.cat([second, new.clone()])

    def _descend_gain(self, index: int, gradient: NDArray[np.float64]) -> None:
        """Adam for the gains of one photograph; counted in its own epochs."""
        time = self.step // self.count + 1
        gains, first, second = self.gains[:, index]
        first[:] = _BETA1 * first + (1 - _BETA1) * gradient
        second[:] = _BETA2 * second + (1 - _BETA2) * gradient**2
        corrected = np.sqrt(second / (1 - _BETA2**time)) + _EPSILON
        gains -= self.settings.rates.gains * first / (1 - _BETA1**time) / corrected
        # One overall gain is the splats' own business: the mean over all photographs stays 1.
        self.gains[0] -= self.gains[0].mean(axis=0)

    def _populate(self) -> None:
        settings, growth = self.settings, self.settings.growth
        if settings.grows_at(self.step):
            random = generator(self.anchor, "relocation", self.step)
            self.gaussians, self.moments, _ = mcmc.relocate_and_grow(
                self.gaussians, self.moments, growth, settings.grown, random
            )
        if growth.noise > 0 and self.step < growth.end * settings.steps:
            strength = growth.noise * settings.means_rate_at(self.step)
            mcmc.explore(self.gaussians, strength, self.extent, generator(self.anchor, "noise", self.step))

    def _measure(self, shown: Tensor, target: Tensor, weight: Tensor | None) -> None:
        """A running mean over the last few hundred steps, for the progress line and the record."""
        now = psnr(shown, target, weight)
        self.train_psnr = now if math.isnan(self.train_psnr) else 0.9 * self.train_psnr + 0.1 * now

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(
            f"training broke down at step {self.step} of {self.settings.steps}: {what}. Look at the poses and "
            "intrinsics with `splatfilm capture`; where these are right, lower learning rates (`Rates`) help"
        )
