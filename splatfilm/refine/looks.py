"""The looks that a film may ask for, in numbers. Nothing here imports torch: planning reads it.

What a look adds is of three kinds, kept apart. The *scene refiner* sharpens and corrects, deterministically. *Texture*
is fine relief anchored to surfaces: it belongs to the scene and comes back in every view. *Grain* belongs to the film
in the camera: it is new with every scene frame and hangs on no surface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from splatfilm.film.model import Refine, RefineLook

LOOKS_VERSION = 1
"""Raised whenever the same look, frame and refiner would give another picture."""


@dataclass(frozen=True)
class Stock:
    """A film stock, as far as a picture shows it.

    `rms` is the standard deviation of display-referred green in a middle grey, seen through an aperture as large as a
    grain; finer sampling does not change it, coarser sampling averages grains (Selwyn's law, 1935: the deviation falls
    with the root of the area). Each of the three layers has grains of its own, in blue the coarsest.
    """

    rms: float
    size_mm: float  # diameter of a grain on the negative
    gate_mm: float | None  # width of the negative; None: the filmback of the shot's lens
    layers: tuple[float, float, float] = (1.0, 0.85, 1.35)  # of red, green and blue: how grainy
    sizes: tuple[float, float, float] = (1.0, 0.9, 1.2)  # and how coarse
    shared: float = 0.35  # the part of the variance that all three layers have in common


@dataclass(frozen=True)
class Look:
    """What refinement adds. Amounts are in display-referred sRGB, 0..1."""

    name: RefineLook
    refiner: float = 1.0  # how much of the scene refiner's change is taken
    bound: float = 0.2  # no value changes by more than this, before grain
    lock_px: float = 8.0  # changes broader than this are taken out again, at 640 pixels of width
    texture: float = 0.0  # standard deviation of anchored texture on a middle grey
    stock: Stock | None = None


LOOKS: Mapping[str, Look] = {
    "clean": Look("clean"),
    "natural": Look("natural", texture=0.004, stock=Stock(rms=0.008, size_mm=0.018, gate_mm=None)),
    "sixteen-mm": Look("sixteen-mm", texture=0.003, stock=Stock(rms=0.028, size_mm=0.016, gate_mm=10.26, shared=0.5)),
}
"""Every look but `off`."""


def look_of(refine: Refine) -> Look | None:
    """What a shot's refinement is made of; None for `off`, and for a strength of 0 without grain."""
    if refine.look == "off":
        return None
    look = LOOKS[refine.look]
    if look.stock is not None:
        stock = replace(look.stock, rms=look.stock.rms * refine.grain) if refine.grain > 0 else None
        look = replace(look, stock=stock)
    if refine.strength == 0 and look.stock is None:
        return None
    return look


def look_value(look: Look, seed: str) -> dict[str, Any]:
    """What of a look decides pixels, ready to be hashed. The look's name is not in it."""
    value = asdict(look)
    del value["name"]
    return {"version": LOOKS_VERSION, "seed": seed, **value}
