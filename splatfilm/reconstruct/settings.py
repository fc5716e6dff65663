"""What decides a reconstruction: every number of the training loop, as plain frozen data that can be hashed.

Sources of the defaults: Kerbl et al. 2023 ("3D Gaussian Splatting for Real-Time Radiance Field Rendering", learning
rates and loss), Kheradmand et al. 2024 ("3D Gaussian Splatting as Markov Chain Monte Carlo", growth, relocation, noise,
regularisers), and, where a comment says so, our own measurements on two CPU cores. No torch here.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.film.model import Care

Preset = Literal["draft", "preview", "final"]


LARGEST_THAT_BENDS = 0.009
"""Metres: the longest splats of an actor. A splat is carried whole; one that reaches across an elbow sticks out of the
sleeve when the arm bends (without a limit a tenth of a pyjama's splats are longer than 38 mm, the longest 143 mm)."""


ROOM_TO_GROW = 0.8
"""Share of the budget that growth fills where splats are split afterwards because they are too wide."""


@dataclass(frozen=True)
class Rates:
    """Adam's learning rates. `means` is in units of the scene's extent and falls exponentially to `means_last`."""

    means: float = 1.6e-4
    means_last: float = 1.6e-6
    scales: float = 5e-3
    quats: float = 1e-3
    opacities: float = 5e-2
    sh0: float = 2.5e-3
    sh_rest: float = 1.25e-4
    gains: float = 1e-3


@dataclass(frozen=True)
class Growth:
    """Where splats come from and go to. Begin and end are fractions of the whole training."""

    begin: float = 0.02
    end: float = 0.8
    every: int = 100  # steps between two rounds
    by: float = 0.05  # a round adds at most this share of the splats there are
    dead: float = 0.005  # a splat under this opacity is put to use elsewhere
    noise: float = 5e5  # strength of the exploration noise, relative to the learning rate of the means
    opacity_weight: float = 0.01  # regularisers: what is not needed fades and shrinks
    scale_weight: float = 0.01


@dataclass(frozen=True)
class Settings:
    """One way to reconstruct. Two captures with the same settings and the same photographs give the same bits."""

    steps: int = 30_000
    budget: int = 500_000  # splats
    longest: int | None = None  # px, longest side of the training pictures; None: as photographed
    sh_degree: int = 3
    coarse: tuple[tuple[float, float], ...] = ()  # (until this fraction of the steps, at this share of the size)
    ssim_weight: float = 0.2  # the loss is (1 - w) L1 + w (1 - SSIM)
    matte_weight: float = 0.1  # L1 between coverage and matte, for photographs with an alpha channel
    antialiased: bool = True  # splats that keep their look when a shot goes nearer or farther than the photographs
    gains: bool = False  # a gain per photograph and channel, for exposure that wandered
    largest: float | None = None  # metres, one deviation: no splat grows longer than this
    widest: float | None = None  # radians, one deviation: none is longer, seen from the nearest photograph's place
    drop: float = 0.0  # each step leaves out so large a share of the splats, drawn anew
    surface: str | None = None  # the hash of the surface that the first splats lie on; None: the capture's own points
    rates: Rates = field(default_factory=Rates)
    growth: Growth = field(default_factory=Growth)
    backend: str = "auto"

    def __post_init__(self) -> None:
        for name, value, least in (("steps", self.steps, 1), ("budget", self.budget, 1), ("longest", self.longest, 16)):
            if value is not None and value < least:
                raise ValueError(f"{name} is {value}: expected at least {least}")
        if self.largest is not None and not self.largest > 0:
            raise ValueError(f"largest is {self.largest}: expected more than 0")
        if self.widest is not None and not self.widest > 0:
            raise ValueError(f"widest is {self.widest}: expected more than 0")
        if self.sh_degree not in (0, 1, 2, 3):
            raise ValueError(f"sh_degree is {self.sh_degree}: expected 0, 1, 2 or 3")
        if not 0 <= self.ssim_weight <= 1:
            raise ValueError(f"ssim_weight is {self.ssim_weight}: expected 0 to 1")
        if not 0 <= self.drop < 1:
            raise ValueError(f"drop is {self.drop}: expected 0 to less than 1")

    def as_plain(self) -> dict[str, Any]:
        """Everything that decides the result but the backend, as plain values for hashing and for the record."""
        plain = dataclasses.asdict(self)
        del plain["backend"]
        for name in ("largest", "widest", "surface"):
            if plain[name] is None:
                del plain[name]
        if not self.drop:
            del plain["drop"]
        if self.widest is not None:
            plain["split"] = 1  # raised when the same limit would be kept in another way
        return plain

    def degree_at(self, step: int) -> int:
        """The degree of spherical harmonics in use: one more after every equal part of the first half of the steps."""
        part = max(1, self.steps // (2 * (self.sh_degree + 1)))
        return min(self.sh_degree, step // part)

    def share_at(self, step: int) -> float:
        """The share of the full picture size that is trained on at a step."""
        for until, share in self.coarse:
            if step < until * self.steps:
                return share
        return 1.0

    def means_rate_at(self, step: int) -> float:
        """The learning rate of the means, in units of the scene's extent."""
        first, last = math.log(self.rates.means), math.log(self.rates.means_last)
        return math.exp(first + (last - first) * min(1.0, step / self.steps))

    @property
    def grown(self) -> int:
        """How many splats growth may make: with `widest`, room is left for the halves of those that are too long."""
        return self.budget if self.widest is None else int(ROOM_TO_GROW * self.budget)

    @property
    def narrows_from(self) -> int:
        """The step after which no splat is wider than `widest`: the one that growth ends with."""
        return int(self.growth.end * self.steps)

    def dropped_at(self, step: int) -> float:
        """The share of the splats that a step leaves out: it grows over the first half of the steps."""
        return self.drop * min(1.0, 2 * step / self.steps)

    def grows_at(self, step: int) -> bool:
        """Whether splats are relocated and added after this step (counted from 1)."""
        begin, end = self.growth.begin * self.steps, self.growth.end * self.steps
        return begin <= step < end and step % self.growth.every == 0


_PRESETS: dict[str, Settings] = {
    # Short trainings must travel and grow faster: on a furnished room (240 px, 1200 steps, 31.15 dB with the paper's
    # numbers) three times the rate of the means gave 0.39 dB, growth by a quarter 0.21 dB, and five times the rate of
    # the harmonics 0.10 dB. Starting at half the size costs nothing and saves a sixth of the time.
    "draft": Settings(
        steps=5000,
        budget=45_000,
        longest=480,
        sh_degree=1,
        coarse=((0.3, 0.5),),
        rates=Rates(means=4.8e-4, means_last=2.4e-6, sh_rest=6.25e-4),
        growth=Growth(by=0.25),
    ),
    "preview": Settings(
        steps=12_000,
        budget=120_000,
        longest=640,
        sh_degree=2,
        coarse=((0.15, 0.5),),
        rates=Rates(means=3.2e-4, means_last=1.6e-6, sh_rest=2.5e-4),
        growth=Growth(by=0.1),
    ),
    "final": Settings(coarse=((0.05, 0.5),)),
}
PRESETS = tuple(_PRESETS)


def settings_for(preset: str, **changes: Any) -> Settings:
    """The settings of a preset with some fields changed; None leaves a field as it is.

    Raises `InputError` for an unknown preset or a value that cannot be.
    """
    if preset not in _PRESETS:
        raise InputError.at(
            "preset", f"{preset!r} is unknown: choose {', '.join(PRESETS)}{did_you_mean(preset, PRESETS)}"
        )
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return dataclasses.replace(_PRESETS[preset], **given)
    except ValueError as error:
        raise InputError.at("settings", str(error)) from None


def settings_of(care: Care, backend: str = "auto", bends: bool = False) -> Settings:
    """What a film says about reconstructing a capture; `bends` for what hangs on a rig. Raises as `settings_for`."""
    given = {"steps": care.steps, "budget": care.budget, "longest": care.size}
    limits = {
        "largest": LARGEST_THAT_BENDS if bends else None,
        "widest": None if care.widest is None else math.radians(care.widest),
    }
    return settings_for(care.preset, **given, **limits, backend=backend)
