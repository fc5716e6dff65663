"""Which blocks of splats a camera cannot see: blocks that are made once for a set, and what of a camera decides.

A film looks at one set through many cameras, and most of a set is behind each of them or beside its picture. Sets that
are drawn a second time are put in blocks of neighbours along a space-filling curve (Morton 1966), which the kernels
hold against the picture a block at a time. No bit of any picture depends on it.

Blocks belong to tensors and are kept as long as these: a set keeps its own from frame to frame, whatever cast is put
in front of it. Splats that somebody writes to are noticed where torch does the writing; nothing else may write to them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import Distortion, distort, valid_radius
from splatfilm.render.distortion import bends, bent_limits, pinhole_limits
from splatfilm.render.kernels import array, extension
from splatfilm.splats.composition import first_part
from splatfilm.splats.splats import Splats

FEWEST = 1 << 16
"""Splats for which blocks are worth their making: below, a frame's projection takes no more than 2 ms in all."""

_PAD = 0.25  # of the larger side of a bent picture: what a block's splats may reach at most for it to be hidden
_CAUTION = 1.25  # what the grid's steps may miss of the steepest bending
_Array = NDArray[np.float64]


@dataclass
class _Known:
    """What has been drawn of a set: its tensors as they were, and its blocks from the second time on."""

    drawn: list[tuple[int, int]]  # identity and version of each tensor
    kept: list[Tensor | None] = field(repr=False)  # all but the means, so that no identity is given to another
    blocks: Any = None


_known: MutableMapping[Tensor, _Known] = WeakIdKeyDictionary()  # by the tensor of means


def culling(splats: Splats, camera: Camera, window: tuple[int, int, int, int]) -> tuple[Any, list[float]] | None:
    """Blocks of the first splats and what the kernels hold them against; None where there are no blocks.

    `window` is what is drawn: first column, first row, columns and rows, pixels.
    """
    blocks = blocks_of(first_part(splats))
    return None if blocks is None else (blocks, sight(camera, window))


def blocks_of(splats: Splats) -> Any:
    """The set's blocks; None for a set that is small, elsewhere than on the CPU, or drawn for the first time.

    And for tensors of torch's inference mode, which do not say when they are written to.
    """
    if len(splats) < FEWEST or splats.device.type != "cpu" or splats.means.is_inference():
        return None
    tensors = [splats.means, splats.quats, splats.scales, splats.opacities, splats.stretches]
    drawn = [(id(t), -1 if t is None else t._version) for t in tensors]
    known = _known.get(splats.means)
    if known is None or known.drawn != drawn:
        _known[splats.means] = _Known(drawn, tensors[1:])
        return None
    if known.blocks is None:
        known.blocks = make_blocks(splats)
    return known.blocks


def make_blocks(splats: Splats) -> Any:
    """The blocks of any splats, as the kernels have them."""
    stretches = np.empty(0, np.float32) if splats.stretches is None else array(splats.stretches)
    stored = (splats.means, splats.quats, splats.scales, splats.opacities)
    return extension().blocks(*(array(t) for t in stored), stretches)


def sight(camera: Camera, window: tuple[int, int, int, int]) -> list[float]:
    """What blocks are held against (`Sight` in `blocks.h`).

    Of a pinhole: the picture's edges, exactly. Its Jacobian's rows are f / z (1, -x / z), clamped a margin beside the
    picture (`pinhole_limits`), so a reach in the world counts for at most sqrt(1 + (x / z)^2) of itself.
    """
    column, row, columns, rows = window
    if bends(camera):
        return _bent_sight(camera, window)
    edges = [(column - camera.cx) / camera.fx, (column + columns - camera.cx) / camera.fx]
    edges += [(row - camera.cy) / camera.fy, (row + rows - camera.cy) / camera.fy]
    aside = [math.hypot(1.0, margin) for margin in _clamps(camera)]
    return [*edges, *aside, 1.0 / camera.fx, 1.0 / camera.fy, 0.0, math.inf]


def _clamps(camera: Camera) -> tuple[float, float]:
    """The greatest |x / z| and |y / z| at which a pinhole's Jacobian is taken."""
    left, right, top, bottom = pinhole_limits(camera)
    return max(-left, right), max(-top, bottom)


def _bent_sight(camera: Camera, window: tuple[int, int, int, int]) -> list[float]:
    assert camera.distortion is not None, "it bends"
    focal, middle = (camera.fx, camera.fy), (camera.cx, camera.cy)
    limits = bent_limits(camera)
    column, row, columns, rows = window
    around_axis = 0 <= camera.cx - column <= columns and 0 <= camera.cy - row <= rows
    if not around_axis or limits[0] > 0 or limits[1] < 0 or limits[2] > 0 or limits[3] < 0:
        return [0.0] * 9 + [-1.0]  # nothing is hidden beside such a picture
    (left, right, top, bottom), steepest = _bent_edges(camera.distortion, focal, middle, window, limits)
    across, down = camera.shift
    steepest *= 1 + math.hypot(across, down)
    edges = [left - across, right - across, top - down, bottom - down]
    return [*edges, 0.0, 0.0, 0.0, 0.0, steepest, _PAD * max(columns, rows)]


@functools.lru_cache(maxsize=64)
def _bent_edges(
    distortion: Distortion,
    focal: tuple[float, float],
    middle: tuple[float, float],
    window: tuple[int, int, int, int],
    limits: tuple[float, float, float, float],
) -> tuple[tuple[float, float, float, float], float]:
    """Bounds of x/z and y/z that the padded window shows, and how many pixels a reach at z = 1 covers at most.

    Both from a grid of rays over all that the lens is a model of. Along a ray from the axis the model does not turn
    back, so what it shows ends between the last point inside and the next: bounds are those of the next.
    """
    (fx, fy), (cx, cy), (column, row, columns, rows) = focal, middle, window
    pad = _PAD * max(columns, rows)
    radii = np.tan(np.linspace(0, math.atan(valid_radius(distortion)), 257))[:, None]
    angles = np.linspace(0, 2 * math.pi, 64, endpoint=False)[None]
    x, y = radii * np.cos(angles), radii * np.sin(angles)
    u, v = distort(distortion, x, y)
    u, v = fx * u + cx, fy * v + cy
    inside = (u >= column - pad) & (u <= column + columns + pad) & (v >= row - pad) & (v <= row + rows + pad)
    shown = _and_next(inside)
    bounds = float(x[shown].min()), float(x[shown].max()), float(y[shown].min()), float(y[shown].max())
    # Where the Jacobian is taken: clamped towards the axis, so never beyond what the lens is a model of.
    left, right, top, bottom = limits
    taken = _and_next((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
    return bounds, _CAUTION * max(fx, fy) * float(_bending(distortion, x[taken], y[taken]).max())


def _and_next(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:  # [radii, angles]
    """What is chosen, and its neighbours along each ray."""
    wider = chosen.copy()
    wider[1:] |= chosen[:-1]
    wider[:-1] |= chosen[1:]
    return wider


def _bending(distortion: Distortion, x: _Array, y: _Array) -> _Array:
    """At most how long a step of 1 in the world, seen at z = 1, is after the lens: its derivative times a pinhole's."""
    step = 1e-4 * (1 + np.hypot(x, y))
    squares = np.zeros_like(x)
    for dx, dy in ((step, 0 * step), (0 * step, step)):
        ahead, behind = distort(distortion, x + dx, y + dy), distort(distortion, x - dx, y - dy)
        for one, other in zip(ahead, behind, strict=True):
            squares += ((one - other) / (2 * step)) ** 2
    return np.sqrt(squares * (1 + x * x + y * y))
