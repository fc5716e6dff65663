"""How an asset is refined, as plain frozen data that can be hashed: pairs, training, baking, and what they are called.

No torch here: a plan finds by these that an asset was refined before.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.base.hashing import hash_value

REFINER_VERSION = 2
"""Raised when the same weights would give other pixels."""
TRAINING_VERSION = 2
"""Raised whenever the same pairs and settings would give other weights."""
BAKE_VERSION = 2
"""Raised whenever the same asset, refiner and settings would give other splats."""
GRID = 4  # pixels: the network halves its grid twice
UNIT = 0.04
"""What the mode of several steps counts a change in, of display-referred 0..1: about the deviation of what is left to
change. In units of 0.1 noise drowned it, and the network could only answer with the mean."""


@dataclass(frozen=True)
class NetSettings:
    """What a network is built from. `bound` is the largest change of a channel, in display-referred 0..1."""

    channels: tuple[int, ...] = (16, 32, 64)
    bound: float = 0.35

    def __post_init__(self) -> None:
        if len(self.channels) != 3 or any(count < 4 for count in self.channels):
            raise ValueError(f"channels are {self.channels}: expected three counts of at least 4")
        if not 0 < self.bound <= 1:
            raise ValueError(f"bound is {self.bound}: expected more than 0, at most 1")


@dataclass(frozen=True)
class PairSettings:
    """How pairs are made. `folds` 0 takes renders of the asset at its own photographs, where nothing is left out."""

    folds: int = 4
    opinions: int = 1  # trainings of every fold; more than one: a refiner asks other splats beside the render
    asked: int = 4  # so many, trained on almost all photographs and kept with the asset
    asked_share: float = 2.0  # of the reconstruction's steps, for each of these
    asked_room: float = 1.5  # times the reconstruction's splats
    asked_drop: float = 0.15  # of their splats, which every step of their training leaves out
    share: float = 1.0  # of the reconstruction's steps, for the splats of each fold
    own_every: int = 3  # of the photographs, one in so many is paired with the asset's own render

    def __post_init__(self) -> None:
        if self.folds < 0 or self.folds == 1:
            raise ValueError(f"folds is {self.folds}: expected 0, or at least 2")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}: expected more than 0, at most 1")
        if not (0 < self.asked_share <= 4 and 0 < self.asked_room <= 4):
            raise ValueError(f"asked_share, asked_room are {self.asked_share}, {self.asked_room}: expected 0 to 4")
        if not 0 <= self.asked_drop < 1:
            raise ValueError(f"asked_drop is {self.asked_drop}: expected 0 to less than 1")
        if self.own_every < 1 or self.opinions < 1 or self.asked < 1:
            raise ValueError("own_every, opinions and asked must be at least 1")
        if self.opinions > 1 and not self.folds:
            raise ValueError(f"opinions is {self.opinions}: without folds there is nobody to ask")


@dataclass(frozen=True)
class TrainSettings:
    """Every number of a refiner's training."""

    net: NetSettings = field(default_factory=NetSettings)
    steps: int = 1500
    crops: int = 4  # a step
    size: int = 64  # px, a multiple of the network's grid
    rate: float = 1e-3  # falls to 0 as a cosine
    ema: float = 0.995  # of the weights that are kept
    held_out: float = 0.7  # the share of crops from renders of splats that never saw the photograph
    noisy: float = 0.0  # the share of crops for the mode of several steps, which is not there where it is 0
    flips: bool = True  # also left for right; never upside down, where light and floor would change places

    def __post_init__(self) -> None:
        if self.size < GRID or self.size % GRID:
            raise ValueError(f"size is {self.size}: expected a multiple of {GRID}")
        if self.steps < 1 or self.crops < 1:
            raise ValueError(f"steps and crops are {self.steps} and {self.crops}: expected at least 1 each")
        if not 0 <= self.noisy < 1:
            raise ValueError(f"noisy is {self.noisy}: expected 0 to less than 1")
        if not 0 <= self.held_out <= 1 or not 0 <= self.ema < 1:
            raise ValueError("held_out and ema are shares: expected 0 to 1")


@dataclass(frozen=True)
class BakeSettings:
    """How refined views are folded back into the splats. Strengths are factors on a picture's gradient."""

    rounds: int = 3  # at most
    views: int = 48  # refined views a round; 0: photographs alone, to see what more training does by itself
    share: float = 0.2  # of the reconstruction's steps, a round
    photograph_share: float = 0.7  # of the steps are on photographs
    photograph_strength: float = 1.5
    refined_strength: float = 0.3
    grow: float = 0.1  # at most this share of the splats is split at the beginning of a round
    spread: float = 0.06  # how far views may disagree about a splat's change before it is no longer believed, 0..1
    least_gain: float = 0.02  # dB of the held-out views that a round must bring

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.views < 0:
            raise ValueError(f"rounds and views are {self.rounds} and {self.views}: expected at least 1 and 0")
        for name in ("share", "photograph_share", "spread"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected more than 0, at most 1")
        if not 0 <= self.grow <= 1:
            raise ValueError(f"grow is {self.grow}: expected 0 to 1")


@dataclass(frozen=True)
class Recipe:
    """One way to refine an asset."""

    pairs: PairSettings = field(default_factory=PairSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    bake: BakeSettings = field(default_factory=BakeSettings)


_RECIPES: dict[str, Recipe] = {
    "draft": Recipe(
        PairSettings(folds=0),
        TrainSettings(steps=100),
        BakeSettings(rounds=1, views=16, share=0.15),
    ),
    # Twelve minutes on two cores for the flat: five for the folds, two for teaching, the rest for the rounds.
    "preview": Recipe(
        PairSettings(folds=2, share=0.2),
        TrainSettings(steps=600, noisy=0.25),
        BakeSettings(rounds=2, views=32, share=0.1),
    ),
    "final": Recipe(
        PairSettings(folds=4, opinions=2),
        TrainSettings(net=NetSettings(channels=(32, 64, 128)), steps=8000, crops=8, size=128, noisy=0.25),
        BakeSettings(rounds=4, views=96),
    ),
}
RECIPES = tuple(_RECIPES)


def recipe_for(preset: str) -> Recipe:
    """The recipe that goes with a reconstruction's preset. Raises `InputError` for an unknown one."""
    if preset not in _RECIPES:
        allowed = f"choose {', '.join(RECIPES)}{did_you_mean(preset, RECIPES)}"
        raise InputError.at("preset", f"{preset!r} is unknown: {allowed}")
    return _RECIPES[preset]


def plain(settings: PairSettings | TrainSettings | BakeSettings) -> dict[str, Any]:
    """Settings for hashing and for the record, without what they make no use of."""
    value = dataclasses.asdict(settings)
    if isinstance(settings, PairSettings) and settings.opinions == 1:
        for name in ("asked_share", "asked_room", "asked_drop"):
            del value[name]
    if isinstance(settings, TrainSettings) and settings.noisy:
        value["unit"] = UNIT
    return value


def refiner_key(reconstruction: str, recipe: Recipe) -> str:
    """The name of an asset's refiner before it exists; `reconstruction` is the key of its splats."""
    return hash_value(
        ["refiner", REFINER_VERSION, TRAINING_VERSION, reconstruction, plain(recipe.pairs), plain(recipe.train)]
    )


def bake_key(reconstruction: str, recipe: Recipe) -> str:
    """The name of a baked asset before it exists."""
    return hash_value(["bake", BAKE_VERSION, refiner_key(reconstruction, recipe), plain(recipe.bake)])
