"""Small films for tests, built without the film file's parser."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

from splatfilm.base.rigid import IDENTITY, Similarity, quaternion_about
from splatfilm.film.model import Asset, CastMember, Film, FrameRange, Look, LookChange, PlacementKey, Scene


def heading(degrees: float) -> tuple[float, float, float, float]:
    w, x, y, z = quaternion_about((0, 0, 1), math.radians(degrees)).tolist()
    return w, x, y, z


def key(
    frame: float,
    position: tuple[float, float, float] = (0.0, 0.0, 0.0),
    degrees: float = 0.0,
    scale: float = 1.0,
    easing: str = "linear",
) -> PlacementKey:
    return PlacementKey(frame, Similarity(heading(degrees), position, scale), easing)


def member(
    name: str,
    asset: str = "mug",
    keys: tuple[PlacementKey, ...] = (PlacementKey(1001, IDENTITY),),
    looks: tuple[LookChange, ...] = (),
    frames: FrameRange | None = None,
) -> CastMember:
    return CastMember(name, asset, keys, looks, frames)


def film(*cast: CastMember, mug_place: Similarity = IDENTITY) -> Film:
    """A flat, a mug of one look and anna in two, in a scene called morning."""
    clothes = {name: Look(name, splats=Path("/anna.ply")) for name in ("pyjamas", "gown")}
    assets = {
        "flat": Asset("flat", "set", {"day": Look("day", splats=Path("/flat.ply"))}),
        "mug": Asset("mug", "prop", {"plain": Look("plain", splats=Path("/mug.ply"), place=mug_place)}),
        "anna": Asset("anna", "character", clothes),
    }
    scene = Scene("morning", "flat", "day", FrameRange(1001, 1120), tuple(cast))
    return Film(Path("/film.toml"), "f", "F", Fraction(24), (64, 36), assets, {"morning": scene}, ())
