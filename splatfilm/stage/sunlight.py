"""The sun on a member that hangs on a mesh: splat by splat, with the edges that shadows of the sun have.

What falls through a window is shared out by its bars, and folds of cloth throw shadows on one another; light that is
looked for lot by lot (`stage.lamps`) knows neither. The sun has one direction for all, so what keeps it off is a map of
heights towards it: one of the set past its window, drawn from its splats once, and one of the member's mesh as it
stands. A splat asks from the place on the mesh that it shows, where the mesh also says which way it faces now: cloth
that is pulled by an arm does not face as its bones have turned it (`csrc/sunlight.cpp`).

L. Williams, "Casting curved shadows on curved surfaces", SIGGRAPH 1978; the tent over a few cells is W. Reeves et al.,
"Rendering antialiased shadows with depth maps", SIGGRAPH 1987.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.film.model import Lamp
from splatfilm.render.kernels import array, extension
from splatfilm.splats import Splats
from splatfilm.stage.actor import Carried
from splatfilm.stage.deform import Carriers, carried
from splatfilm.stage.normals import Footing, seen_sides
from splatfilm.stage.rigs.rig import Ints, Rig
from splatfilm.stage.rigs.winding import wound_outwards

SET_CELL, OWN_CELL = 0.0075, 0.005  # metres: of the maps of a set and of a member
FAR = 1000.0  # metres from its window that a sun is drawn from: near enough for the kernels' numbers
AROUND = 0.05  # metres about a window that its map shows
_LANES = 16

Floats = NDArray[np.float64]
Map = tuple[NDArray[np.float32], list[float]]
"""Heights towards a sun [H, W], -infinity where nothing is; the first cell's corner across its light, and the cell."""
_NOTHING: Map = np.zeros((0, 0), dtype=np.float32), []


def axes(sun: Lamp) -> Floats:  # [3, 3]
    """Two ways across a sun's light, and the way towards it."""
    towards = -np.array(sun.direction) / np.linalg.norm(sun.direction)
    right = np.cross((0.0, 0.0, 1.0) if abs(towards[2]) < 0.9 else (0.0, 1.0, 0.0), towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def set_map(setting: Splats, sun: Lamp) -> Map:
    """What of a set, past the window that a sun comes in by, is met first by it; half opaque is there."""
    from splatfilm.render.passes import PassInputs, render_passes

    assert sun.facing is not None, "it comes in by a window"
    middle, inwards = np.array(sun.position), np.array(sun.facing)
    past = (setting.means.numpy().astype(np.float64) - middle) @ inwards > 0
    inside = setting.only(torch.from_numpy(np.nonzero(past)[0]))
    right, up, towards = axes(sun)
    side = np.cross(inwards, (0.0, 0.0, 1.0)) * sun.size[0] / 2
    corners = np.array([a * side + b * np.array([0, 0, sun.size[1] / 2]) for a in (-1, 1) for b in (-1, 1)])
    half = [float(np.abs(corners @ way).max()) + AROUND for way in (right, up)]
    width, height = (2 * math.ceil(length / SET_CELL) for length in half)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([right, -up, -towards], axis=1), middle + FAR * towards
    camera = Camera(pose, FAR / SET_CELL, FAR / SET_CELL, width / 2, height / 2, width, height)
    frame = render_passes(inside, camera, PassInputs(("depth-median",)), backend="cpu")
    depth = frame.layers["depth-median"].numpy().reshape(height, width).astype(np.float64)
    heights = np.where(depth > 0, float(middle @ towards) + FAR - depth, -np.inf)[::-1]
    low = [float(middle @ way) - pixels / 2 * SET_CELL for way, pixels in ((right, width), (up, height))]
    return np.ascontiguousarray(heights, dtype=np.float32), [*low, SET_CELL]


@dataclass(frozen=True, eq=False)
class Figure:
    """A rig's mesh as it stands: what its splats show the outside of."""

    rig: Rig
    vertices: NDArray[np.float32]  # [V, 3] metres, in the scene
    normals: NDArray[np.float32]  # [V, 3] unit

    @staticmethod
    def of(rig: Rig, by: Carried) -> Figure:
        """The mesh where bones carry it. Blendshapes, which move a face by millimetres, are left out."""
        corners, carriers = _at_rest(rig)
        corners = corners if by.scale == 1.0 else corners * by.scale
        vertices = array(carried(corners, carriers, by.bones.cpu()))
        normals = np.empty_like(vertices)
        extension().vertex_normals(vertices, wound_outwards(rig), normals)
        return Figure(rig, vertices, normals)

    def map(self, sun: Lamp, parts: tuple[str, ...]) -> Map:
        """What of its parts is met first by a sun."""
        triangles = seen_sides(self.rig, parts)
        found = extension().sun_heights(self.vertices, triangles, axes(sun).ravel().tolist(), OWN_CELL)
        heights, height, width, *low = found
        return heights.reshape(height, width), [*low, OWN_CELL]


@lru_cache(maxsize=8)
def _at_rest(rig: Rig) -> tuple[Tensor, Carriers]:
    assert rig.mesh is not None, "there is a mesh"
    joints, weights = (
        torch.from_numpy(part) for part in (rig.mesh.joints.astype(np.int32), rig.mesh.weights.astype(np.float32))
    )
    return torch.from_numpy(rig.mesh.vertices.astype(np.float32)), Carriers(joints, weights)


class Sunlight:
    """The suns of a scene that come in by windows, and what of the set keeps them off: found once."""

    def __init__(self, suns: tuple[Lamp, ...], sets: SetMaps) -> None:
        self.suns = suns
        self._sets = sets

    @staticmethod
    def of(lamps: Sequence[Lamp], setting: Splats, before: Sunlight | None = None) -> Sunlight:
        """The suns among lamps; what is known of the set from `before` is kept."""
        sets = SetMaps(setting) if before is None else before._sets
        return Sunlight(tuple(lamp for lamp in lamps if by_window(lamp)), sets)

    def on(self, footing: Footing, splats: Splats, figure: Figure, own: Mapping[Lamp, Map]) -> Sunlit:
        """Which way splats face as the figure stands, and the share of each sun that gets to them."""
        blocks = -(-len(splats) // _LANES)
        facing = np.zeros((blocks, 3, _LANES), dtype=np.float32)
        reach = np.zeros((len(self.suns), blocks, _LANES), dtype=np.float32)
        suns = [(_numbers(sun), self._sets.of(sun), own.get(sun, _NOTHING)) for sun in self.suns]
        hanging = footing.corners, footing.weights, footing.line, footing.axis
        extension().sun_on(hanging, array(splats.quats), figure.vertices, figure.normals, suns, facing, reach)
        return Sunlit(facing, _looks(self.suns), reach)


@dataclass(frozen=True, eq=False)
class Sunlit:
    """What the light's kernel takes of suns, sixteen splats a block."""

    facing: NDArray[np.float32]  # [B, 3, 16] unit normals
    suns: NDArray[np.float32]  # [S, 6] towards each, and what falls of it over pi
    reach: NDArray[np.float32]  # [S, B, 16] its share

    @property
    def arrays(self) -> tuple[NDArray[np.float32], ...]:
        return self.facing, self.suns, self.reach


def by_window(lamp: Lamp) -> bool:
    """Whether it is a sun that comes in by a window. Out of doors anything may stand between: there lots do."""
    return lamp.kind == "sun" and lamp.facing is not None


class SetMaps:
    """Maps of a set, each drawn when it is first asked for."""

    def __init__(self, setting: Splats) -> None:
        self._setting = setting
        self._known: dict[Lamp, Map] = {}

    def of(self, sun: Lamp) -> Map:
        key = dataclasses.replace(sun, strength=1.0, colour=(1.0, 1.0, 1.0), frames=None)
        if key not in self._known:
            self._known[key] = set_map(self._setting, sun)
        return self._known[key]


def _numbers(sun: Lamp) -> list[float]:
    assert sun.facing is not None, "it comes in by a window"
    numbers: list[Any] = [*axes(sun).ravel().tolist(), *sun.position, *sun.facing, *sun.size]
    return [float(number) for number in numbers]


def _looks(suns: Sequence[Lamp]) -> NDArray[np.float32]:  # [S, 6]
    rows = [[*axes(sun)[2], *(np.array(sun.colour) * sun.strength / math.pi)] for sun in suns]
    return np.array(rows, dtype=np.float32).reshape(-1, 6)
