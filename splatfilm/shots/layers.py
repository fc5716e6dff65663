"""The passes of a frame as channels of an EXR file: names, types and colour (docs/passes.md, Channels).

Colour and normals are half floats, everything that measures is float: depth, position, motion, ids and coverage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.film.model import Colour
from splatfilm.render.colour import scene_linear
from splatfilm.shots.cryptomatte import rank_channels
from splatfilm.shots.exr import Channel, Part
from splatfilm.shots.files import PictureFile
from splatfilm.shots.values import pass_values

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.render.passes import PassFrame

LAYERS_VERSION = 1
"""Goes into the key of every EXR picture: a change of a pass's definition or of a file's make makes it a new one."""

ID_RANKS = "id-ranks"
"""Beside `id`, which holds the coverages: the objects they belong to, as indices."""

_COLOUR = ("R", "G", "B")
_VECTORS: Mapping[str, tuple[str, ...]] = {
    "normal": ("normal.X", "normal.Y", "normal.Z"),
    "position": ("position.X", "position.Y", "position.Z"),
    "motion": ("forward.u", "forward.v", "backward.u", "backward.v"),
}
_SCALARS: Mapping[str, str] = {
    "alpha": "A",
    "depth": "Z",
    "depth-median": "depth_median.Z",
    "depth-front": "depth_front.Z",
    "occlusion": "occlusion.Y",
}
_LARGEST_HALF = 65504.0


def values_of(frame: Frame | PassFrame, passes: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays that these passes are made of, on the CPU and by name; alpha comes along with beauty."""
    needed = dict.fromkeys(passes)
    if "beauty" in needed:
        needed["alpha"] = None
    if "id" in needed:
        needed[ID_RANKS] = None
    return {name: pass_values(frame, name) for name in needed}


def parts_of(
    picture: PictureFile, values: Mapping[str, NDArray[Any]], colour: Colour, objects: Sequence[str]
) -> list[Part]:
    """What a file holds: one part with every layer, or a part for each pass.

    Raises `SplatfilmError` when the renderer gave NaN, which must not reach a compositor.
    """
    if picture.kind == "exr":
        merged: dict[str, Channel] = {}
        for name in picture.passes:
            merged.update(channels_of(name, values, colour, objects))
        return [Part(merged)]
    alone = [name for name in picture.passes if name != "alpha" or "beauty" not in picture.passes]
    return [Part(channels_of(name, values, colour, objects), name) for name in alone]


def channels_of(
    name: str, values: Mapping[str, NDArray[Any]], colour: Colour, objects: Sequence[str]
) -> dict[str, Channel]:
    """The channels of one pass, each [H, W]."""
    found = values[name]
    if np.isnan(found.min(initial=0.0)):
        raise SplatfilmError(f"the renderer gave NaN in {name}: the splats or the camera hold extreme values")
    if name == "beauty":
        linear = scene_linear(found, values["alpha"], colour)
        return {**dict(zip(_COLOUR, _split(_half(linear)), strict=True)), "A": _half(values["alpha"])}
    if name == "alpha":
        return {"A": _half(found)}
    if name == "id":
        return dict(rank_channels(objects, values[ID_RANKS], found.astype(np.float32, copy=False)))
    if name in _SCALARS:
        return {_SCALARS[name]: found.astype(np.float32, copy=False)}
    stored = _half(found) if name == "normal" else found.astype(np.float32, copy=False)
    return dict(zip(_VECTORS[name], _split(stored), strict=True))


def _half(values: NDArray[Any]) -> NDArray[np.float16]:
    stored: NDArray[np.float16] = np.clip(values, -_LARGEST_HALF, _LARGEST_HALF).astype(np.float16)
    return stored


def _split(values: NDArray[Any]) -> list[Channel]:
    return [np.ascontiguousarray(values[..., channel]) for channel in range(values.shape[-1])]
