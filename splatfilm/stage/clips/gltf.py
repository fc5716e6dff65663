"""The animations of a glTF file as clips of its rig's skeleton."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import cast

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.stage.clips.clip import Clip, Kind, Track
from splatfilm.stage.rigs.gltf import RawAnimation, RawChannel, read_animations, read_rig
from splatfilm.stage.rigs.skeleton import Skeleton

_SCALE_TOLERANCE = 1e-3
_COMMON_RATES = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 120))


def read_gltf_clips(path: str | os.PathLike[str], skeleton: Skeleton | None = None) -> dict[str, Clip]:
    """Every animation of a glTF or GLB file as a clip, by name, in the file's order.

    `skeleton` is the rig's that the clips shall move; without it the file's own. Weights become tracks of blendshapes
    by name; a shape that several meshes have is taken from the first. Nodes that are not joints are left out. Raises
    `InputError` for a damaged file, for animations of the same name, and for joints that are scaled over time, which a
    pose cannot hold.
    """
    bones = read_rig(path).skeleton if skeleton is None else skeleton
    clips: dict[str, Clip] = {}
    for animation in read_animations(path):
        if animation.name in clips:
            raise InputError.at(path, "two animations bear this name: rename one", f"animation {animation.name!r}")
        try:
            clips[animation.name] = _clip(animation, bones, str(os.path.basename(path)))  # noqa: PTH119
        except ValueError as error:
            raise InputError.at(path, str(error), f"animation {animation.name!r}") from error
    return clips


def _clip(animation: RawAnimation, skeleton: Skeleton, source: str) -> Clip:
    tracks: list[Track] = []
    shapes: dict[str, Track] = {}
    for channel in animation.channels:
        if channel.path == "weights":
            for k, name in enumerate(animation.shapes[channel.node]):
                track = Track(name, "shape", channel.times, channel.values[..., k : k + 1], channel.interpolation)
                shapes.setdefault(name, track)
        elif channel.node in skeleton.names:
            if channel.path == "scale":
                _refuse_scaling(channel, skeleton)
            else:
                kind = cast(Kind, channel.path)
                tracks.append(Track(channel.node, kind, channel.times, channel.values, channel.interpolation))
    moving = [track for track in shapes.values() if np.any(track.values != 0)]
    return Clip(animation.name, skeleton, (*tracks, *moving), _rate(animation), 0.0, source)


def _refuse_scaling(channel: RawChannel, skeleton: Skeleton) -> None:
    points = channel.values[:, 1] if channel.interpolation == "CUBICSPLINE" else channel.values
    rest = skeleton.rest_scales[skeleton.index(channel.node)]
    off = np.max(np.abs(points / rest - 1), axis=1)
    if np.any(off > _SCALE_TOLERANCE):
        k = int(np.argmax(off))
        raise ValueError(
            f"joint {channel.node!r} is scaled to {points[k].round(3).tolist()} at {channel.times[k]:g} s; "
            "a pose holds rotations and translations: remove the scaling in the program that wrote the file"
        )


def _rate(animation: RawAnimation) -> Fraction:
    """The common rate on whose frames all keys lie; 24 where none fits."""
    times = np.unique(np.concatenate([c.times for c in animation.channels] or [np.zeros(1)]))
    for rate in _COMMON_RATES:
        frames = times * float(rate)
        if np.all(np.abs(frames - np.round(frames)) < 1e-3):
            return rate
    return Fraction(24)
