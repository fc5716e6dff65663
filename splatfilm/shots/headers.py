"""What the header of an EXR file says: where and when the frame was taken, through which lens, and how to read it.

Names and types are those of the OpenEXR standard attributes where there is one (docs/passes.md, Header). Matrices are
for row vectors and a camera that looks along -Z with +Y up, as OpenEXR, Nuke and Blender have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from splatfilm.base.hashing import hash_value
from splatfilm.cameras import Camera, Lens
from splatfilm.film.model import Colour
from splatfilm.film.timecode import nominal, timecode
from splatfilm.render.colour import CHROMATICITIES
from splatfilm.shots.cryptomatte import metadata
from splatfilm.shots.exr import Timecode, Window

INTEROP: Mapping[Colour, str] = {"linear-srgb": "lin_rec709_scene", "acescg": "lin_ap1_scene"}
"""Colour space names of the Color Interop Forum, for the attribute `colorInteropID`."""

NEAR = 0.01  # metres: where worldToNDC has z = -1; the far plane is infinitely far

_HIGHEST_SMPTE = 30  # frames a second that a timecode can count; above, it counts pairs (SMPTE ST 12-1, 12-3)


@dataclass(frozen=True, eq=False)
class Shown:
    """One frame as its header describes it."""

    camera: Camera
    exact: Mapping[str, Any]  # pose and intrinsics with every bit
    frame: int  # scene frame
    count: int  # frames from 00:00:00:00 to this one in the cut
    rate: Fraction
    drop: bool
    colour: Colour
    renderer: Mapping[str, Any]


def header_of(shown: Shown) -> dict[str, Any]:
    """The attributes of a frame that do not depend on which passes are in the file."""
    label = timecode(shown.count, shown.rate, shown.drop)
    header: dict[str, Any] = {
        "timeCode": packed_timecode(label, shown.rate),
        "framesPerSecond": shown.rate,
        "imageCounter": shown.frame,
        "worldToCamera": _rows(world_to_camera(shown.camera)),
        "worldToNDC": _rows(world_to_ndc(shown.camera)),
        "splatfilm:camera": json.dumps(shown.exact, sort_keys=True, separators=(",", ":")),
        "splatfilm:timecode": label,
        "splatfilm:renderer": json.dumps(shown.renderer, sort_keys=True, separators=(",", ":")),
    }
    return header | windows(shown.camera) | ({} if shown.camera.lens is None else _lens(shown.camera.lens))


def windows(camera: Camera) -> dict[str, Window]:
    """The picture, and all that was drawn of it and about it, where there is overscan."""
    if not any(camera.overscan):
        return {}
    left, top, right, bottom = camera.overscan
    last = camera.width - 1, camera.height - 1
    return {
        "dataWindow": Window(-left, -top, last[0] + right, last[1] + bottom),
        "displayWindow": Window(0, 0, *last),
    }


def with_passes(
    header: Mapping[str, Any], passes: Sequence[str], colour: Colour, objects: Sequence[str]
) -> dict[str, Any]:
    """The attributes of one file: the frame's, and what its passes need to be understood."""
    more: dict[str, Any] = {}
    if "beauty" in passes:
        more |= {"chromaticities": CHROMATICITIES[colour], "colorInteropID": INTEROP[colour]}
    if "id" in passes:
        more |= metadata(objects)
    return {**header, **more}


def hash_header(header: Mapping[str, Any]) -> str:
    """A hash of everything that a header says."""
    plain = {
        name: vars(value) if isinstance(value, Timecode | Window) else value for name, value in sorted(header.items())
    }
    return hash_value(plain)


def packed_timecode(label: str, rate: Fraction) -> Timecode:
    """A timecode as SMPTE packs it: above 30 frames a second it counts pairs, and the field says which of the two."""
    clock, drop, frames = label[:8], label[8] == ";", int(label[9:])
    hours, minutes, seconds = map(int, clock.split(":"))
    group = -(-nominal(rate) // _HIGHEST_SMPTE)
    return Timecode(hours, minutes, seconds, frames // group, drop, bool(frames % group))


Matrix = list[list[float]]


def world_to_camera(camera: Camera) -> Matrix:
    """World to camera for column vectors: x right, y up, looking along -z, metres."""
    right, down, forward, origin = (camera.pose[:3, column].tolist() for column in range(4))
    axes = [right, [-value for value in down], [-value for value in forward]]
    rows = [[*axis, -sum(a * o for a, o in zip(axis, origin, strict=True))] for axis in axes]
    return [*rows, [0.0, 0.0, 0.0, 1.0]]


def world_to_ndc(camera: Camera) -> Matrix:
    """World to normalised device coordinates for column vectors: -1..1 from left to right and from bottom to top."""
    sx, sy = 2 * camera.fx / camera.width, 2 * camera.fy / camera.height
    ox, oy = 1 - 2 * camera.cx / camera.width, 2 * camera.cy / camera.height - 1
    projection = [[sx, 0.0, ox, 0.0], [0.0, sy, oy, 0.0], [0.0, 0.0, -1.0, -2 * NEAR], [0.0, 0.0, -1.0, 0.0]]
    view = world_to_camera(camera)
    return [[sum(row[k] * view[k][column] for k in range(4)) for column in range(4)] for row in projection]


def _rows(matrix: Matrix) -> tuple[float, ...]:
    """The sixteen numbers of a matrix for row vectors, which is the transpose of the one for columns."""
    return tuple(matrix[row][column] for column in range(4) for row in range(4))


def _lens(lens: Lens) -> dict[str, Any]:
    header: dict[str, Any] = {
        "nominalFocalLength": float(lens.focal_mm),
        "pinholeFocalLength": float(lens.focal_mm),
        "sensorOverallDimensions": tuple(map(float, lens.filmback_mm)),
        "splatfilm:squeeze": float(lens.squeeze),
    }
    if lens.t_stop is not None:
        header["tStop"] = float(lens.t_stop)
    if lens.focus_m is not None:
        header["focus"] = float(lens.focus_m)
    return header
