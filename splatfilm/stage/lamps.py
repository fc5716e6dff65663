"""The cast in declared lamps: what each sends to every splat of a member, and what stands in its way.

What the pictures of a set cannot tell, where its sun and lamps are and how strong, its gaffer knows. Where a scene
names them, a member gets from each lamp what falls on its splats along their normals, less what the set and the member
itself keep from it; the set's own surfaces send what they are seen to send (`light.Probes`, without its guess of hidden
lamps). Where an asset names the lamps of the studio that it was photographed in, what fell on it there is taken out
again. All of it is a property of the scene: no camera of the film comes into it.

Units are those of the photographs: a white card on which pi falls shows 1. A lamp of P watts that sends evenly to all
sides gives P / (4 pi r^2), a panel P cos cos' / (pi r^2), a sun its strength, as physically based renderers have them.

What is in the way is marched through lattices of optical depth (`csrc/lamps.cpp`), from places that stand for lots
of a member's splats; each place keeps a vector of light for each lamp, with which its splats take their own cosines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.film.model import Lamp, Light
from splatfilm.render.kernels import LANES, array, extension, in_lanes
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.contact import extent_of
from splatfilm.stage.light import HEIGHTS, MOST, Probes, Surface, harmonics
from splatfilm.stage.sunlight import Figure, Map, Sunlight

PARTS = 2  # a panel throws this many shadows each way, and shines with twice as many parts
SET_CELL, OWN_CELL = 0.04, 0.036  # metres: the lattices that light is marched through; what is in a lamp's way by half
MOST_CELLS = 500  # of a lattice along a side
STRAYS = 0.01  # share of a set's splats at either end of an axis that its lattice leaves out
DIMMEST = 0.2  # of a studio, over pi: less is not taken out of anything
LOT = 0.065  # metres: splats of such a cell that face alike share what is in the way of their light
BESIDE = 0.08  # metres at rest within which lots that face alike share it too
ALIKE = 0.6  # cosine between their normals
SHARPEST = 0.05  # of a lamp's vector: how soft even the smallest lamp is at a surface's horizon
SOFTEST = 0.9
_TOGETHER = 5  # as the kernels have them
_KINDS = {"sun": 0, "panel": 1, "point": 2}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shining:
    """A lamp, or a quarter of a panel, as `csrc/lamps.h` has it: `power` is what falls over pi for a colour of 1."""

    kind: str
    lamp: int
    power: float
    at: tuple[float, ...] = (0.0, 0.0, 0.0)
    travels: tuple[float, ...] = (0.0, 0.0, -1.0)
    right: tuple[float, ...] = (0.0, 0.0, 0.0)  # of a panel's quarter: from its middle to its edges
    up: tuple[float, ...] = (0.0, 0.0, 0.0)
    facing: tuple[float, ...] = (0.0, 0.0, 0.0)
    size: tuple[float, float] = (0.0, 0.0)

    @property
    def row(self) -> list[float]:
        vectors = (self.at, self.travels, self.right, self.up, self.facing)
        return [
            _KINDS[self.kind],
            self.lamp,
            self.power,
            *(value for vector in vectors for value in vector),
            *self.size,
        ]


def shining(lamps: Sequence[Lamp]) -> list[Shining]:
    """What lamps are computed with: themselves, or a panel's quarters. A sky is none of them."""
    found: list[Shining] = []
    for number, lamp in enumerate(lamps):
        if lamp.kind == "sun":
            facing = lamp.facing or (0.0, 0.0, 0.0)
            zero = (0.0, 0.0, 0.0)
            own = (lamp.position, lamp.direction, zero, zero, facing, lamp.size)
            found.append(Shining("sun", number, lamp.strength / math.pi, *own))
        elif lamp.kind == "point":
            found.append(Shining("point", number, lamp.strength / (4 * math.pi**2), lamp.position))
        elif lamp.kind == "panel":
            found += _quarters(number, lamp)
    return found


def _quarters(number: int, lamp: Lamp) -> list[Shining]:
    travels = np.array(lamp.direction)
    right = np.cross(travels, (0.0, 0.0, 1.0) if abs(travels[2]) < 0.9 else (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    right, up = right * (lamp.size[0] / 2 / PARTS), np.cross(right, travels) * (lamp.size[1] / 2 / PARTS)
    power = lamp.strength / (math.pi * PARTS) ** 2
    steps = [2 * k + 1 - PARTS for k in range(PARTS)]
    found = []
    for a in steps:
        for b in steps:
            at = tuple((np.array(lamp.position) + a * right + b * up).tolist())
            sides = tuple(right.tolist()), tuple(up.tolist())
            found.append(Shining("panel", number, power, at, tuple(lamp.direction), *sides))
    return found


def skies(lamps: Sequence[Lamp]) -> Floats:  # [3]
    """What falls from all around, over pi."""
    found: Floats = np.zeros(3)
    for lamp in lamps:
        if lamp.kind == "sky":
            found = found + np.array(lamp.colour) * lamp.strength
    return found


@dataclass(frozen=True, eq=False)
class Places:
    """What stands for a member's splats when lamps are looked for, in whatever pose: one of each lot that lie close
    together at rest and face alike. Lots beside one another share their light, so that none shows an edge."""

    rows: NDArray[np.int64]  # [P] of the splats that stand for all others
    normals: NDArray[np.float32]  # [P, 3] of these, in their own axes
    lot: NDArray[np.int32]  # [N] of every splat; -1 for those of layers that are not asked for
    starts: NDArray[np.int64]  # [P + 1]
    beside: NDArray[np.int32]  # rows of `starts`

    def only(self, wanted: NDArray[np.bool_]) -> Places:  # [P]
        """Some of the places, each with the light that it has among all of them: those beside them are kept too."""
        near = wanted.copy()
        for place in np.nonzero(wanted)[0]:
            near[self.beside[self.starts[place] : self.starts[place + 1]]] = True
        kept, number = np.nonzero(near)[0], np.full(len(self.rows) + 1, -1, dtype=np.int32)  # the last is no place's
        number[kept] = np.arange(len(kept))
        none = np.zeros(0, dtype=np.int32)
        links = [number[self.beside[self.starts[p] : self.starts[p + 1]]] if wanted[p] else none for p in kept]
        starts = np.cumsum([0, *(len(one) for one in links)]).astype(np.int64)
        lot = np.where(np.append(wanted, False)[self.lot], number[self.lot], -1).astype(np.int32)
        normals = np.ascontiguousarray(self.normals[kept])
        return Places(self.rows[kept], normals, lot, starts, np.concatenate([none, *links]))

    @staticmethod
    def of(rest: Sequence[Splats], normals: Sequence[Tensor], own: Sequence[int]) -> Places:
        """The places of some of the layers at rest, `own`; all splats' normals are in their own axes."""
        layer = np.repeat(np.arange(len(rest)), [len(part) for part in rest])
        asked = np.nonzero(np.isin(layer, own))[0]
        points = np.concatenate([part.means.cpu().numpy() for part in rest]).astype(np.float64)[asked]
        facing = np.concatenate([_facing(*one) for one in zip(rest, normals, strict=True)])[asked]
        main = np.abs(facing).argmax(axis=1)
        side = 2 * main + (facing[np.arange(len(facing)), main] > 0)
        keys = np.concatenate([np.floor(points / LOT).astype(np.int64), side[:, None], layer[asked, None]], axis=1)
        _, found, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        found = found.reshape(-1)
        middle = np.stack([np.bincount(found, points[:, k]) / count for k in range(3)], axis=1)
        away = ((points - middle[found]) ** 2).sum(axis=1)
        order = np.lexsort((away, found))
        first = order[np.searchsorted(found[order], np.arange(len(count)))]
        lot = np.full(len(layer), -1, dtype=np.int32)
        lot[asked] = found
        rows, own_axes = asked[first], np.concatenate([array(part) for part in normals])
        near = _beside(points[first], facing[first], layer[rows])
        return Places(rows, np.ascontiguousarray(own_axes[rows]), lot, *near)


def _beside(
    points: Floats,  # [P, 3]
    facing: Floats,  # [P, 3]
    layer: NDArray[np.int64],  # [P]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each place the others near it that face alike: where its row begins, and all of them."""
    starts, beside = [0], []
    for number, (point, normal) in enumerate(zip(points, facing, strict=True)):
        near = (((points - point) ** 2).sum(axis=1) < BESIDE**2) & (facing @ normal > ALIKE) & (layer == layer[number])
        near[number] = False
        beside.append(np.nonzero(near)[0].astype(np.int32))
        starts.append(starts[-1] + len(beside[-1]))
    return np.array(starts, dtype=np.int64), np.concatenate([np.zeros(0, dtype=np.int32), *beside])


def _facing(splats: Splats, normals: Tensor) -> Floats:
    """Normals in the world, of splats wherever they were turned to."""
    turned: Floats = (rotation_matrices(splats.quats) * normals[:, None, :]).sum(dim=2).cpu().numpy().astype(np.float64)
    return turned


@dataclass(frozen=True, eq=False)
class Fallen:
    """What reaches each place: the open share of light from all around, and a vector from each lamp, over pi."""

    open: NDArray[np.float32]  # [P]
    vectors: NDArray[np.float32]  # [P, L, 3]


class Lamplight:
    """Lamps and the set that keeps their light off; what it lets by is looked for once. None: nothing stands around."""

    def __init__(self, lamps: Sequence[Lamp], setting: Splats | None = None) -> None:
        self.lamps = tuple(lamps)
        if setting is None:
            empty = tuple(np.zeros(shape, dtype=np.float32) for shape in ((0, 3), (0, 4), (0, 3), (0,)))
            lattice: Any = ([0, 0, 0], [1, 1, 1], SET_CELL)
        else:
            empty = _arrays(setting)
            cut = np.quantile(empty[0].astype(np.float64), (STRAYS, 1 - STRAYS), axis=0)
            lattice = _lattice(cut[0], cut[1], SET_CELL)
        table = np.array([one.row for one in shining(lamps)], dtype=np.float64).reshape(-1, 20)
        self._kernels = extension().Lamplight(empty, lattice, table, len(self.lamps))

    def falls(
        self,
        parts: Sequence[Splats],
        places: Places,
        solid: Floats,
        facing: NDArray[np.float32] | None = None,
        there: int = 0,
    ) -> Fallen:
        """What reaches the places of a member as it stands, in its own shadow too. `solid`: its `solid_of`, [2, 3].

        `facing` [P, 3] are normals in the scene, where others are known than those that the splats carry. The first
        `there` parts are all those of the call before, with the same `solid`, and have not moved since.
        """
        known = facing is not None
        found = self._kernels.falls(
            [_arrays(part) for part in parts],
            _lattice(solid[0], solid[1], OWN_CELL),
            (places.rows, facing if facing is not None else places.normals, known),
            (places.starts, places.beside),
            there,
        )
        return Fallen(found[0], found[1].reshape(len(places.rows), len(self.lamps), 3))

    def softness(self, middle: Floats) -> NDArray[np.float32]:  # [3] -> [L]
        """How much of each lamp's vector its size makes up, seen from a point."""
        found = []
        for lamp in self.lamps:
            far = max(float(np.linalg.norm(np.array(lamp.position) - middle)), 1e-6)
            wide = math.hypot(*lamp.size) / 2 / far if lamp.kind == "panel" else 0.0
            found.append(min(max(wide, SHARPEST), SOFTEST))
        return np.array(found, dtype=np.float32)


def solid_of(parts: Sequence[Splats]) -> Floats:  # [2, 3]
    """Where layers are, without strays: the lowest and the highest corner, metres."""
    return extent_of([(array(part.means), array(part.opacities)) for part in parts])


def _arrays(part: Splats) -> tuple[NDArray[np.float32], ...]:
    return array(part.means), array(part.quats), array(part.scales), array(part.opacities)


def _lattice(low: Floats, high: Floats, cell: float) -> tuple[list[int], list[int], float]:
    """The first cell, how many along each axis, and how large: larger than asked for where there are too many."""
    cell = max(cell, float((high - low).max()) / (MOST_CELLS - 8))
    first = np.floor(low / cell).astype(int) - 3
    count = np.floor(high / cell).astype(int) + 4 - first
    return first.tolist(), count.tolist(), cell


@dataclass(frozen=True, eq=False)
class Together:
    """Layers that stood before the camera together, whole. They keep light off themselves alone, in the studio and in
    every pose, so that what is put on over them later changes nothing of them."""

    places: Places
    studio: Floats  # [N, 3] of all layers' splats: what fell there, over pi; 1 of those that are not asked for
    split: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]  # of each layer: which places are its, and which rows
    counts: Sequence[int]  # of the layers' splats

    def quats_of_places(self, parts: Sequence[Splats]) -> NDArray[np.float32]:  # [P, 4]
        """How the splats are turned that stand for all others, of the layers as they stand."""
        found = np.empty((len(self.places.rows), 4), dtype=np.float32)
        for part, (own, rows) in zip(parts, self.split, strict=True):
            found[own] = array(part.quats)[rows]
        return found

    @staticmethod
    def of(rests: Sequence[Splats], normals: Sequence[Tensor], own: Sequence[int], studio: Sequence[Lamp]) -> Together:
        """Layers at rest; `own` are those whose light is asked for."""
        places = Places.of(rests, normals, own)
        counts = [len(rest) for rest in rests]
        return Together(places, studio_light(rests, normals, places, studio), _split(places, counts), counts)

    def seen(self, rows: NDArray[np.int64]) -> Together:
        """The same, of which light is asked for some of all layers' splats only."""
        wanted = np.zeros(len(self.places.rows) + 1, dtype=bool)
        wanted[self.places.lot[rows]] = True
        places = self.places.only(wanted[:-1])
        return Together(places, self.studio, _split(places, self.counts), self.counts)


def _split(places: Places, counts: Sequence[int]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Of each layer, which places are its and which of its rows they are."""
    first, found = 0, []
    for count in counts:
        here = np.nonzero((places.rows >= first) & (places.rows < first + count))[0]
        found.append((here, places.rows[here] - first))
        first += count
    return found


@dataclass(frozen=True, eq=False)
class Worn:
    """One layer of what a member wears, as lamps find it in whatever pose."""

    group: int  # of those that were photographed together
    surface: Surface
    lot: NDArray[np.int32]  # [N] of what is seen of it
    studio: NDArray[np.float32]  # [N / 16 rounded up, 3, 16]

    @staticmethod
    def of(group: int, together: Together, surface: Surface, rows: NDArray[np.int64]) -> Worn:
        """A layer whose splats to be seen are these rows of the group's."""
        lot = np.ascontiguousarray(together.places.lot[rows])
        return Worn(group, surface, lot, in_lanes(together.studio[rows]))


def studio_light(layers: Sequence[Splats], normals: Sequence[Tensor], places: Places, studio: Sequence[Lamp]) -> Floats:
    """What fell on splats at rest, photographed together, over pi: [N, 3]; 1 where nothing is known of it."""
    falls: Floats = np.ones((sum(len(layer) for layer in layers), 3))
    if not studio:
        return falls
    lamplight, asked = Lamplight(studio), places.lot >= 0
    fallen = lamplight.falls(layers, places, solid_of(layers))
    facing = np.concatenate([_facing(*one) for one in zip(layers, normals, strict=True)])[asked]
    points = np.concatenate([layer.means.cpu().numpy() for layer in layers])
    soft, lot = lamplight.softness(points.astype(np.float64).mean(axis=0)), places.lot[asked]
    found = fallen.open[lot][:, None] * skies(studio)
    for number, lamp in enumerate(studio):
        found += given(fallen.vectors[lot, number], facing, float(soft[number]))[:, None] * np.array(lamp.colour)
    falls[asked] = np.maximum(found, DIMMEST)
    return falls


def given(vectors: NDArray[Any], normals: Floats, soft: float) -> Floats:  # [N, 3], [N, 3] -> [N]
    """What vectors of light give surfaces: of a lamp that is partly below the horizon, a part."""
    x = (vectors * normals).sum(axis=1)
    wide = np.maximum(soft * np.sqrt((vectors**2).sum(axis=1)), 1e-12)
    found: Floats = np.where(x < wide, np.maximum(0, x + wide) ** 2 / (4 * wide), x)
    return found


@dataclass(frozen=True, eq=False)
class Group:
    """Layers that were photographed together, as they stand now, whole."""

    together: Together
    parts: tuple[Splats, ...]
    over: tuple[Splats, ...] = ()  # what else keeps light off them
    mesh: tuple[str, ...] = ()  # the mesh's parts that they all hang on


@dataclass(frozen=True, eq=False)
class Shone:
    """The suns of a scene on a member that hangs on a mesh, and the mesh as it stands."""

    sunlight: Sunlight
    figure: Figure
    layers: Sequence[Any]  # the feet of what is seen of each, on the figure's proxy
    places: Sequence[Any]  # those of the places of each group


_NO_SUNS = tuple(np.zeros(shape, dtype=np.float32) for shape in ((0, 3, LANES), (0, 6), (0, 0, LANES)))


def lamp_gains(
    parts: Sequence[Splats],
    worn: Sequence[Worn],
    groups: Sequence[Group],
    light: Light,
    lamplight: Lamplight,
    probes: Probes,
    shone: Shone | None = None,
) -> tuple[Tensor, ...]:
    """What the colours of a member's splats, layer by layer, are multiplied by in the lamps of its scene: [N, 3] each.

    `lamplight` has the lamps that are looked for lot by lot; `shone` those that are not. Pure; the same bits at any
    thread count, and for a layer whatever else is worn.
    """
    reached = _Reached(light, lamplight, probes, shone)
    known = reached.by(groups)
    maps: list[dict[Lamp, Map]] = [{} for _ in groups]
    if shone is not None:
        for sun in shone.sunlight.suns:
            drawn = shone.figure.maps(sun, [group.mesh for group in groups])
            for own_maps, one in zip(maps, drawn or (), strict=drawn is not None):
                own_maps[sun] = one
    found = []
    for number, (part, own) in enumerate(zip(parts, worn, strict=True)):
        sheets, looks, numbers = known[own.group]
        suns = _NO_SUNS
        if shone is not None:
            suns = shone.sunlight.on(shone.layers[number], part, shone.figure, maps[own.group]).arrays
        gains = np.empty((len(part), 3), dtype=np.float32)
        given_ = (array(part.means), array(part.quats), own.surface.table, numbers)
        extension().light_of_lamps(*given_, own.lot, sheets, looks, own.studio, suns, gains)
        found.append(torch.from_numpy(gains).to(part.device))
    return tuple(found)


_Reaching = tuple[NDArray[np.float32], NDArray[np.float32], list[float]]
"""What falls on a group's places, what its lamps look like, and the light from all around: for the kernels."""


@dataclass(frozen=True, eq=False)
class _Reached:
    """What lamps send to a member as it stands."""

    light: Light
    lamplight: Lamplight
    probes: Probes
    shone: Shone | None

    def by(self, groups: Sequence[Group]) -> list[_Reaching]:
        """What reaches each of the groups; they share a lattice, so one that is another and more adds to it."""
        parts = [(*group.parts, *group.over) for group in groups]
        solids = [solid_of(own) for own in parts]
        whole = np.stack([np.min([s[0] for s in solids], axis=0), np.max([s[1] for s in solids], axis=0)])
        found: list[_Reaching] = []
        before: tuple[Splats, ...] = ()
        for number, (group, own, solid) in enumerate(zip(groups, parts, solids, strict=True)):
            there = len(before) if _begins_with(own, before) else 0
            facing = None
            if self.shone is not None:
                facing = self.shone.figure.facing(
                    self.shone.places[number], group.together.quats_of_places(group.parts)
                )
            fallen = self.lamplight.falls(own, group.together.places, whole, facing, there)
            before = own
            sheets, looks = _sheets(fallen, self.lamplight.lamps, self.lamplight.softness(solid.mean(axis=0)))
            found.append((sheets, looks, _around(solid, self.light, self.probes)))
        return found


def _begins_with(parts: Sequence[Splats], before: Sequence[Splats]) -> bool:
    return len(before) <= len(parts) and all(one is other for one, other in zip(parts, before, strict=False))


def _sheets(
    fallen: Fallen, lamps: Sequence[Lamp], soft: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Five lamps a sheet, of those that reach the member at all, and what they look like."""
    reach = [k for k in range(len(lamps)) if lamps[k].kind != "sky" and bool(np.any(fallen.vectors[:, k]))]
    count = max(1, -(-len(reach) // _TOGETHER))
    sheets = np.zeros((count, len(fallen.open), LANES), dtype=np.float32)
    looks = np.zeros((count * _TOGETHER, 4), dtype=np.float32)
    sheets[0, :, 0] = fallen.open
    for place, number in enumerate(reach):
        sheet, column = divmod(place, _TOGETHER)
        sheets[sheet, :, 1 + 3 * column : 4 + 3 * column] = fallen.vectors[:, number]
        looks[place] = (*lamps[number].colour, soft[number])
    return sheets, looks


def _around(solid: Floats, light: Light, probes: Probes) -> list[float]:
    """Light from all around, at two heights of the member, and how it is used: the numbers that the kernels take."""
    low, high = solid[0, 2], solid[1, 2]
    x, y, _ = solid.mean(axis=0)
    heights = [float(low + share * (high - low)) for share in HEIGHTS]
    sky = skies(light.lamps) / float(harmonics(np.array([[0.0, 0.0, 1.0]]))[0, 0])
    numbers: list[float] = []
    for height in heights:
        sent = np.zeros((9, 3))
        if light.bounce:
            sent = light.bounce * probes.at(np.array([x, y, height]), light.highlights, hidden=False)
        sent[0] += sky
        numbers += sent.ravel().tolist()
    return [*numbers, heights[0], max(heights[1], heights[0] + 1e-6), light.strength, 2.0**light.exposure, MOST]
