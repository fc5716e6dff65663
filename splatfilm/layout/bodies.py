"""Camera bodies with their filmbacks, and the primes that rental houses carry.

Sizes are of the whole recorded area in mm, as the makers' data sheets or the film standards give them; delivery formats
are crops of it (`Lens.gate`). Where a maker rounds to 0.1 mm so do we.
"""

from __future__ import annotations

from dataclasses import dataclass

from splatfilm.base.errors import did_you_mean


@dataclass(frozen=True)
class Body:
    """A camera and one of its recording areas."""

    name: str  # for files and commands
    title: str  # for people
    filmback_mm: tuple[float, float]
    source: str
    squeeze: float = 1.0


_ARRI = "ARRI, sensor dimensions in the camera's data sheet (open gate)"
_RED = "RED, sensor dimensions in the camera's technical specifications"
_SONY = "Sony, effective picture size in the camera's specifications"

BODIES: tuple[Body, ...] = (
    Body("super35-4perf", "35 mm film, Super 35 4-perf", (24.89, 18.66), "SMPTE ST 59, style B (full aperture)"),
    Body("super35-3perf", "35 mm film, Super 35 3-perf", (24.89, 13.87), "0.980 x 0.546 in, 3-perf camera aperture"),
    Body("academy", "35 mm film, Academy", (21.95, 16.00), "SMPTE ST 59, style A (0.864 x 0.630 in)"),
    Body("scope", "35 mm film, 2x anamorphic", (21.95, 18.59), "SMPTE ST 59, style C (0.864 x 0.732 in)", 2.0),
    Body("super16", "16 mm film, Super 16", (12.52, 7.41), "SMPTE ST 201 (type W)"),
    Body("65mm-5perf", "65 mm film, 5-perf", (52.48, 23.01), "SMPTE ST 215 (2.066 x 0.906 in)"),
    Body("imax", "65 mm film, 15-perf horizontal", (70.41, 52.63), "2.772 x 2.072 in, 15/70 camera aperture"),
    Body("full-frame", "Full frame (36 x 24)", (36.0, 24.0), "ISO 1007, 135 format"),
    Body("alexa-35", "ARRI ALEXA 35", (27.99, 19.22), _ARRI),
    Body("alexa-mini", "ARRI ALEXA Mini", (28.25, 18.17), _ARRI),
    Body("alexa-mini-lf", "ARRI ALEXA Mini LF", (36.70, 25.54), _ARRI),
    Body("alexa-65", "ARRI ALEXA 65", (54.12, 25.58), _ARRI),
    Body("red-v-raptor-vv", "RED V-RAPTOR 8K VV", (40.96, 21.60), _RED),
    Body("red-komodo", "RED KOMODO 6K", (27.03, 14.26), _RED),
    Body("red-helium", "RED HELIUM 8K S35", (29.90, 15.77), _RED),
    Body("venice", "Sony VENICE", (36.2, 24.1), _SONY),
    Body("venice-2", "Sony VENICE 2 8K", (35.9, 24.0), _SONY),
    Body("ursa-12k", "Blackmagic URSA Mini Pro 12K", (27.03, 14.25), "Blackmagic Design, effective sensor size"),
    Body("pocket-6k", "Blackmagic Pocket 6K", (23.10, 12.99), "Blackmagic Design, effective sensor size"),
)

PRIMES_MM: tuple[float, ...] = (14, 18, 21, 25, 28, 32, 35, 40, 50, 65, 75, 85, 100, 135)
T_STOPS: tuple[float, ...] = (1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 22.0)


def body(name: str) -> Body:
    """The body of that name. Raises `ValueError` with what there is."""
    names = [one.name for one in BODIES]
    if name not in names:
        raise ValueError(f"no camera body {name!r}; there is {', '.join(names)}{did_you_mean(name, names)}")
    return BODIES[names.index(name)]
