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
from splatfilm.render.kernels import LANES, array, extension
from splatfilm.splats import Splats
from splatfilm.stage.actor import Carried
from splatfilm.stage.deform import Carriers, carried
from splatfilm.stage.normals import Footing, seen_sides
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.winding import wound_outwards

SET_CELL, OWN_CELL = 0.0075, 0.008  # metres: of the maps of a set and of a member
FAR = 1000.0  # metres from its window that a sun is drawn from: near enough for the kernels' numbers
PANE = 0.03  # metres past a window in which the haze of its glass is, and nothing keeps its sun off
AROUND = 0.05  # metres about a window that its map shows
BESIDE = 0.03  # metres beside a beam that are drawn of a member, for what is at its edge

Floats = NDArray[np.float64]
Map = tuple[NDArray[np.int32], list[float]]
"""Heights towards a sun [H, W] in whole `UNIT`, `NOTHING` where nothing is; the first cell's corner, and the cell."""
UNIT, NOTHING = 1e-4, -(1 << 30)  # metres; as the kernels have them
_RIM = 4  # cells about a map that nothing is in


@lru_cache(maxsize=64)
def axes(sun: Lamp) -> Floats:  # [3, 3]
    """Two ways across a sun's light, and the way towards it."""
    towards = -np.array(sun.direction) / np.linalg.norm(sun.direction)
    right = np.cross((0.0, 0.0, 1.0) if abs(towards[2]) < 0.9 else (0.0, 1.0, 0.0), towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


@lru_cache(maxsize=64)
def _beam(sun: Lamp) -> Floats:  # [2, 2]
    """How far the beam of a window reaches across its light: the least and the most to the right and up."""
    assert sun.facing is not None, "it comes in by a window"
    middle, side = np.array(sun.position), np.cross(sun.facing, (0.0, 0.0, 1.0)) * sun.size[0] / 2
    rise = np.array([0.0, 0.0, sun.size[1] / 2])
    corners = np.array([middle + a * side + b * rise for a in (-1, 1) for b in (-1, 1)]) @ axes(sun)[:2].T
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def set_map(setting: Splats, sun: Lamp) -> Map:
    """What of a set, past the window that a sun comes in by, is met first by it; half opaque is there."""
    from splatfilm.render.passes import PassInputs, render_passes

    assert sun.facing is not None, "it comes in by a window"
    middle, inwards = np.array(sun.position), np.array(sun.facing)
    past = (setting.means.numpy().astype(np.float64) - middle) @ inwards > PANE
    inside = setting.only(torch.from_numpy(np.nonzero(past)[0]))
    right, up, towards = axes(sun)
    half = (_beam(sun)[1] - np.array([middle @ right, middle @ up])) + AROUND
    width, height = (2 * math.ceil(float(length) / SET_CELL) for length in half)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([right, -up, -towards], axis=1), middle + FAR * towards
    camera = Camera(pose, FAR / SET_CELL, FAR / SET_CELL, width / 2, height / 2, width, height)
    frame = render_passes(inside, camera, PassInputs(("depth-median",)), backend="cpu")
    depth = frame.layers["depth-median"].numpy().reshape(height, width).astype(np.float64)
    heights = np.where(depth > 0, np.round((float(middle @ towards) + FAR - depth) / UNIT), NOTHING)[::-1]
    low = [float(middle @ way) - (pixels / 2 + _RIM) * SET_CELL for way, pixels in ((right, width), (up, height))]
    whole = np.pad(heights.astype(np.int32), _RIM, constant_values=NOTHING)
    return np.ascontiguousarray(whole), [*low, SET_CELL]


@dataclass(frozen=True, eq=False)
class Proxy:
    """What light needs of a rig's mesh for splats that hang on it: their triangles, and those that throw shadows."""

    corners: Tensor  # [V, 3] at rest
    carriers: Carriers
    around: Any  # the kernels' triangles about the corners that splats hang on
    parts: Mapping[tuple[frozenset[str], str], Any]  # what is seen of a part among some parts, as the kernels have it

    @staticmethod
    def of(rig: Rig, feet: Sequence[Footing], wanted: Sequence[tuple[str, ...]]) -> tuple[Proxy, list[Any]]:
        """Of splats' feet, and of the choices of parts that throw shadows; and the feet as the kernels have them."""
        assert rig.mesh is not None, "there is a mesh"
        outwards = wound_outwards(rig)
        stood = np.zeros(len(rig.mesh.vertices), dtype=bool)
        for one in feet:
            stood[one.corners] = True
        around = outwards[stood[outwards].any(axis=1)]
        seen = {pair: seen_sides(rig, *pair) for pair in _drawn(wanted)}
        used, place = np.zeros(len(stood), dtype=bool), np.zeros(len(stood), dtype=np.int32)
        for some in (around, *seen.values()):
            used[some] = True
        place[used] = np.arange(int(used.sum()), dtype=np.int32)
        count = int(used.sum())
        corners, joints, weights = (part[used] for part in (rig.mesh.vertices, rig.mesh.joints, rig.mesh.weights))
        carriers = Carriers(torch.from_numpy(joints.astype(np.int32)), torch.from_numpy(weights.astype(np.float32)))
        kernels = extension()
        parts = {pair: kernels.Triangles(place[some], count) for pair, some in seen.items()}
        proxy = Proxy(
            torch.from_numpy(corners.astype(np.float32)), carriers, kernels.Triangles(place[around], count), parts
        )
        return proxy, [kernels.Feet(place[one.corners], *one.lanes, count) for one in feet]


def _drawn(wanted: Sequence[tuple[str, ...]]) -> list[tuple[frozenset[str], str]]:
    """Which parts are drawn for some choices of them, each onto the largest before it that it holds."""
    known: list[frozenset[str]] = [frozenset()]
    found = []
    for parts in wanted:
        asked = frozenset(parts)
        if asked not in known:
            most = max((one for one in known if one <= asked), key=len)
            found += [(asked, part) for part in sorted(asked - most)]
            known.append(asked)
    return found


@dataclass(frozen=True, eq=False)
class Figure:
    """A mesh as it stands: what its splats show the outside of."""

    proxy: Proxy
    vertices: NDArray[np.float32]  # [V, 3] metres, in the scene
    table: NDArray[np.float32]  # [V, 6] with their unit normals

    @staticmethod
    def of(proxy: Proxy, by: Carried) -> Figure:
        """The mesh where bones carry it. Blendshapes, which move a face by millimetres, are left out."""
        corners = proxy.corners if by.scale == 1.0 else proxy.corners * by.scale
        vertices = array(carried(corners, proxy.carriers, by.bones.cpu()))
        table = np.empty((len(vertices), 6), dtype=np.float32)
        proxy.around.with_normals(vertices, table)
        return Figure(proxy, vertices, table)

    def facing(self, feet: Any, quats: NDArray[np.float32]) -> NDArray[np.float32]:  # [N, 4] -> [N, 3] unit
        """Which way splats face as the mesh stands."""
        found, _ = sun_on(feet, quats, self, [])
        return np.ascontiguousarray(found.transpose(0, 2, 1).reshape(-1, 3)[: len(quats)])

    def maps(self, sun: Lamp, wanted: Sequence[tuple[str, ...]]) -> list[Map] | None:
        """What is met first by a sun, of each of some choices of the mesh's parts; None where its beam misses it."""
        placed, *bounds = extension().placed_across(self.vertices, axes(sun).ravel().tolist())
        beam = _beam(sun)
        low = [max(bounds[k], beam[0][k] - BESIDE) for k in range(2)]
        high = [min(bounds[2 + k], beam[1][k] + BESIDE) for k in range(2)]
        if high[0] <= low[0] or high[1] <= low[1]:
            return None
        width, height = (int((high[k] - low[k]) / OWN_CELL) + 1 + 2 * _RIM for k in range(2))
        where = [low[0] - _RIM * OWN_CELL, low[1] - _RIM * OWN_CELL, OWN_CELL]
        drawn: dict[frozenset[str], NDArray[np.int32]] = {
            frozenset(): np.full((height, width), NOTHING, dtype=np.int32)
        }
        for asked, part in _drawn(wanted):
            if asked not in drawn:
                drawn[asked] = drawn[max((known for known in drawn if known <= asked), key=len)].copy()
            self.proxy.parts[asked, part].draw(placed, where, drawn[asked])
        return [(drawn[frozenset(parts)], where) for parts in wanted]


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

    def on(self, feet: Any, splats: Splats, figure: Figure, own: Mapping[Lamp, Map]) -> Sunlit:
        """Which way splats face as the figure stands, and the share of each sun that gets to them.

        `feet` are theirs on its proxy; `own` are the figure's maps for the suns that reach it.
        """
        suns = [(_numbers(sun), self._sets.of(sun), one) for sun, one in own.items()]
        facing, reach = sun_on(feet, array(splats.quats), figure, suns)
        return Sunlit(facing, _looks(tuple(own)), reach)


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


def sun_on(
    feet: Any, quats: NDArray[np.float32], figure: Figure, suns: Sequence[tuple[list[float], Map, Map]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # [N, 4] -> [B, 3, 16], [S, B, 16]
    """Which way splats face on a figure, sixteen a block, and the share of each sun that gets to them."""
    blocks = -(-len(quats) // LANES)
    facing = np.zeros((blocks, 3, LANES), dtype=np.float32)
    reach = np.zeros((len(suns), blocks, LANES), dtype=np.float32)
    feet.sun(quats, figure.table, list(suns), facing, reach)
    return facing, reach


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


@lru_cache(maxsize=64)
def _numbers(sun: Lamp) -> list[float]:
    assert sun.facing is not None, "it comes in by a window"
    numbers: list[Any] = [*axes(sun).ravel().tolist(), *sun.position, *sun.facing, *sun.size]
    return [float(number) for number in numbers]


@lru_cache(maxsize=64)
def _looks(suns: tuple[Lamp, ...]) -> NDArray[np.float32]:  # [S, 6]
    rows = [[*axes(sun)[2], *(np.array(sun.colour) * sun.strength / math.pi)] for sun in suns]
    return np.array(rows, dtype=np.float32).reshape(-1, 6)
