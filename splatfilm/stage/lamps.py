"""The cast in declared lamps: what each sends to every splat of a member, and what stands in its way.

What the pictures of a set cannot tell, where its sun and lamps are and how strong, its gaffer knows. Where a scene
names them, a member gets from each lamp what falls on its splats along their normals, less what the set and the member
itself keep from it; the set's own surfaces send what they are seen to send (`light.Probes`, without its guess of hidden
lamps). Where an asset names the lamps of the studio that it was photographed in, what fell on it there is taken out
again. All of it is a property of the scene: no camera of the film comes into it.

Units are those of the photographs: a white card on which pi falls shows 1. A lamp of P watts that sends evenly to all
sides gives P / (4 pi r^2), a panel P cos cos' / (pi r^2), a sun its strength, as physically based renderers have them.

Shadow maps: L. Williams, "Casting curved shadows on curved surfaces", SIGGRAPH 1978; here their pictures are blended
splats, whose median depth is taken, so that haze in a reconstruction throws no shadow.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import Camera
from splatfilm.film.model import Lamp, Light
from splatfilm.render.constants import SH_C0
from splatfilm.render.transfer import linear_from_srgb, srgb_from_linear
from splatfilm.splats import Splats, compose
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.contact import extent
from splatfilm.stage.light import DARKEST, HEIGHTS, MOST, Probes, harmonics

PARTS = 2  # a panel is this many lamps each way
CELL = 0.5  # metres: the set's shadows are looked up from cells of this size
REACH = 1.6  # metres around a member's middle, or its cell, that a shadow map shows
SUN_REACH = 5.0  # metres: farther away nothing keeps the sun off (a painted sky would)
CLEAR = 0.3  # metres before a lamp where nothing keeps its light: its own glass and shade, the sky seen in a pane
EDGE = 0.03  # metres over which a window's edge lets more and more sun by
DIMMEST = 0.05  # of a studio, over pi: less is not taken out of anything
SET_PIXELS, OWN_PIXELS = 192, 192  # of a side of a shadow map
OFF = 0.03  # metres off its surface, along its normal, where a splat is asked whether it is in shadow
SET_BIAS, OWN_BIAS = 0.10, 0.03  # metres: what is nearer behind than this is the blocker itself
SMOOTH = 0.04  # metres at rest over which the light of a layer is evened out: normals and shadow maps are grainy
SHIFTS = 4  # grids of cells of that size that are averaged
_WIDEST = 1.3  # radians: half the angle of a shadow map at most

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ray:
    """A lamp, or a part of a panel: where its light comes from. A sun has no place, only `travels`."""

    kind: str
    colour: tuple[float, float, float]  # with its strength
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    travels: tuple[float, float, float] = (0.0, 0.0, -1.0)  # unit
    facing: tuple[float, float, float] | None = None  # of a sun's window, whose middle is `at`
    size: tuple[float, float] = (0.0, 0.0)  # of that window, metres


def rays(lamp: Lamp) -> tuple[Ray, ...]:
    """What a lamp is computed with: itself, or a panel's parts."""
    if lamp.kind != "panel":
        red, green, blue = (channel * lamp.strength for channel in lamp.colour)
        return (Ray(lamp.kind, (red, green, blue), lamp.position, lamp.direction, lamp.facing, lamp.size),)
    travels = np.array(lamp.direction)
    right = np.cross(travels, (0.0, 0.0, 1.0) if abs(travels[2]) < 0.9 else (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    up = np.cross(right, travels)
    share = lamp.strength / PARTS**2
    red, green, blue = (channel * share for channel in lamp.colour)
    steps = [(k + 0.5) / PARTS - 0.5 for k in range(PARTS)]
    found = []
    for a in steps:
        for b in steps:
            x, y, z = (np.array(lamp.position) + right * (a * lamp.size[0]) + up * (b * lamp.size[1])).tolist()
            found.append(Ray("panel", (red, green, blue), (x, y, z), lamp.direction))
    return tuple(found)


def arriving(ray: Ray, points: Floats, normals: Floats) -> Floats:  # [N, 3], [N, 3] -> [N, 3]
    """What a lamp with nothing in its way lets fall on surfaces, over pi."""
    colour = np.array(ray.colour)
    if ray.kind == "sky":
        return np.broadcast_to(colour, points.shape).copy()
    if ray.kind == "sun":
        facing = np.maximum(-(normals @ np.array(ray.travels)), 0.0)
        sunny: Floats = (facing * _by_window(ray, points))[:, None] * colour / math.pi
        return sunny
    towards = np.array(ray.at) - points
    far = np.sqrt((towards**2).sum(axis=1)).clip(min=0.05)
    facing = np.maximum((normals * towards).sum(axis=1) / far, 0.0)
    if ray.kind == "point":
        evenly: Floats = (facing / (4 * far**2))[:, None] * colour / math.pi**2
        return evenly
    leaving = np.maximum(-(towards @ np.array(ray.travels)) / far, 0.0)
    ahead: Floats = (facing * leaving / far**2)[:, None] * colour / math.pi**2
    return ahead


def _by_window(ray: Ray, points: Floats) -> Floats:  # [N, 3] -> [N]
    """The share of a sun that gets to points by its window's opening, 1 out of doors."""
    if ray.facing is None:
        return np.ones(len(points))
    inwards, travels = np.array(ray.facing), np.array(ray.travels)
    past = (points - np.array(ray.at)) @ inwards
    entered = points - travels * (past / float(travels @ inwards))[:, None] - np.array(ray.at)
    along = np.abs(entered @ np.cross(inwards, (0.0, 0.0, 1.0)))
    width, height = ray.size
    share = np.clip((width / 2 - along) / EDGE, 0, 1) * np.clip((height / 2 - np.abs(entered[:, 2])) / EDGE, 0, 1)
    result: Floats = np.where(past > 0, share, 0.0)
    return result


def _camera(ray: Ray, middle: Floats, pixels: int) -> Camera:
    """A shadow map's view: from the lamp to what is within `REACH` of a point."""
    at = middle - np.array(ray.travels) * SUN_REACH if ray.kind == "sun" else np.array(ray.at)
    forward = middle - at
    far = max(float(np.sqrt((forward**2).sum())), 1e-6)
    forward = forward / far
    right = np.cross(forward, (0.0, 0.0, 1.0) if abs(forward[2]) < 0.9 else (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = at
    half = min(_WIDEST, math.asin(min(REACH / far, 1.0)))
    focal = pixels / 2 / math.tan(half)
    return Camera(pose, focal, focal, pixels / 2, pixels / 2, pixels, pixels)


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """How far a lamp's light gets in a part of the scene."""

    camera: Camera
    depth: NDArray[np.float32]  # [P, P] metres: where half of the light is gone; infinite where it never is

    @staticmethod
    def of(splats: Splats, ray: Ray, middle: Floats, pixels: int) -> ShadowMap:
        """The map of splats before a lamp, on the CPU."""
        from splatfilm.render import RenderSettings, render

        camera = _camera(ray, middle, pixels)
        frame = render(splats, camera, RenderSettings(depths=True), backend="cpu")
        assert frame.median_depth is not None, "it is asked for"
        depth = np.where(frame.alpha.numpy() > 0.5, frame.median_depth.numpy(), np.float32(np.inf))
        return ShadowMap(camera, depth)

    def lets_by(self, points: Floats, bias: float) -> Floats:  # [N, 3] -> [N]
        """The share of the lamp's light that gets to points; all of it outside of the map."""
        camera, pixels = self.camera, self.camera.width
        local = (points - camera.pose[:3, 3]) @ camera.pose[:3, :3]
        z = np.maximum(local[:, 2], 1e-6)
        x = local[:, 0] / z * camera.fx + camera.cx - 0.5
        y = local[:, 1] / z * camera.fy + camera.cy - 0.5
        inside = (local[:, 2] > 0) & (x >= 0) & (y >= 0) & (x < pixels - 1) & (y < pixels - 1)
        i, j = np.where(inside, x, 0.0).astype(int), np.where(inside, y, 0.0).astype(int)
        u, v = np.where(inside, x, 0.0) - i, np.where(inside, y, 0.0) - j
        result = np.zeros(len(points))
        for di, dj, share in ((0, 0, (1 - u) * (1 - v)), (1, 0, u * (1 - v)), (0, 1, (1 - u) * v), (1, 1, u * v)):
            result += share * (self.depth[j + dj, i + di] >= z - bias)
        return np.where(inside, result, 1.0)


class Shades:
    """What the set, which stands still, keeps of each lamp's light, and what fell in studios: found once."""

    def __init__(self, setting: Splats) -> None:
        self._setting = setting.to("cpu")
        self._known: dict[tuple[Ray, tuple[int, ...]], ShadowMap] = {}
        self._cells: dict[tuple[int, ...], tuple[list[Splats], list[NDArray[np.int64]]]] = {}
        self._studios: dict[tuple[int, ...], tuple[list[Splats], Floats]] = {}

    def cells(self, layers: Sequence[Layer]) -> list[NDArray[np.int64]]:
        """`neighbours`, worked out once for what is worn."""
        worn = tuple(id(layer.rest) for layer in layers)
        if worn not in self._cells:
            self._cells[worn] = [layer.rest for layer in layers], neighbours(layers)
        return self._cells[worn][1]

    def studio(self, layers: Sequence[Layer], studio: Sequence[Lamp]) -> Floats:
        """`studio_light`, worked out once for what is worn."""
        worn = tuple(id(layer.rest) for layer in layers)
        if worn not in self._studios:  # what is kept with it keeps its identity
            self._studios[worn] = [layer.rest for layer in layers], studio_light(layers, studio)
        return self._studios[worn][1]

    def lets_by(self, ray: Ray, middle: Floats, points: Floats) -> Floats:  # [3], [N, 3] -> [N]
        """The share of a lamp's light that the set lets by to points of a member around `middle`."""
        cell = tuple(int(value) for value in np.round(middle / CELL))
        if (ray, cell) not in self._known:
            setting = self._setting
            near = dataclasses.replace(setting, opacities=setting.opacities * _blocks(setting.means, ray, cell))
            self._known[ray, cell] = ShadowMap.of(near, ray, np.array(cell) * CELL, SET_PIXELS)
        return self._known[ray, cell].lets_by(points, SET_BIAS)


def _blocks(means: Tensor, ray: Ray, cell: tuple[int, ...]) -> Tensor:  # [N, 3] -> [N] bool
    """Which splats of the set can keep a lamp's light from a member in a cell."""
    from_lamp = means - torch.tensor(ray.at).to(means)
    if ray.kind == "point":
        return (from_lamp**2).sum(dim=1) > CLEAR**2
    if ray.kind == "panel":
        return (from_lamp * torch.tensor(ray.travels).to(means)).sum(dim=1) > CLEAR
    from_member = means - torch.tensor([CELL * float(value) for value in cell]).to(means)
    near = (from_member**2).sum(dim=1) < SUN_REACH**2
    if ray.facing is None:
        return near
    return near & ((from_lamp * torch.tensor(ray.facing).to(means)).sum(dim=1) > CLEAR)


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of a member as it stands, its normals in its splats' own axes, and the layer at rest."""

    stands: Splats
    normals: Tensor  # [N, 3]
    rest: Splats


def _facing(splats: Splats, normals: Tensor) -> Floats:
    """Normals in the world, of splats wherever they were turned to."""
    turned: Floats = (rotation_matrices(splats.quats) * normals[:, None, :]).sum(dim=2).cpu().numpy().astype(np.float64)
    return turned


def lamplit(layers: Sequence[Layer], light: Light, probes: Probes, shades: Shades) -> tuple[Splats, ...]:
    """A member's splats, layer by layer, in the lamps of its scene and what the set sends on. Pure."""
    points = [layer.stands.means.cpu().numpy().astype(np.float64) for layer in layers]
    facing = [_facing(layer.stands, layer.normals) for layer in layers]
    everything, normals = np.concatenate(points), np.concatenate(facing)
    opacities = np.concatenate([layer.stands.opacities.cpu().numpy() for layer in layers])
    solid = extent(everything.astype(np.float32), opacities)
    middle = solid.mean(axis=0)
    outside = everything + OFF * normals
    falls = _bounced(everything, normals, solid, light, probes)
    own = compose([(layer.stands.to("cpu"), IDENTITY) for layer in layers])
    for ray in (part for lamp in light.lamps for part in rays(lamp)):
        sent = arriving(ray, everything, normals)
        if ray.kind != "sky":
            there = np.nonzero(sent.sum(axis=1) > 1e-4)[0]
            if len(there):
                kept = shades.lets_by(ray, middle, outside[there])
                if kept.max() > 0.01:
                    kept = kept * ShadowMap.of(own, ray, middle, OWN_PIXELS).lets_by(outside[there], OWN_BIAS)
                sent[there] *= kept[:, None]
        falls += sent
    falls = smoothed(falls, shades.cells(layers), opacities)
    gains = np.split(falls / shades.studio(layers, light.studio), np.cumsum([len(one) for one in points])[:-1])
    return tuple(_shown(layer, gain, light) for layer, gain in zip(layers, gains, strict=True))


def _bounced(points: Floats, normals: Floats, solid: Floats, light: Light, probes: Probes) -> Floats:
    """What the surfaces of the set send, from two heights of the member, over pi."""
    low, high = solid[0, 2], solid[1, 2]
    x, y, _ = solid.mean(axis=0)
    heights = [low + share * (high - low) for share in HEIGHTS]
    below, above = (probes.at(np.array([x, y, z]), light.highlights, hidden=False) for z in heights)
    basis = harmonics(normals)
    up = np.clip((points[:, 2:] - heights[0]) / max(heights[1] - heights[0], 1e-6), 0, 1)
    bounced: Floats = np.maximum((basis @ below) * (1 - up) + (basis @ above) * up, 0.0)
    return bounced


def studio_light(layers: Sequence[Layer], studio: Sequence[Lamp]) -> Floats:  # -> [N, 3]
    """What fell on splats at rest in the studio that they were photographed in, over pi; 1 where none is told of."""
    rests = [layer.rest.to("cpu") for layer in layers]
    if not studio:
        return np.ones((sum(len(rest) for rest in rests), 3))
    points = np.concatenate([rest.means.numpy().astype(np.float64) for rest in rests])
    normals = np.concatenate([_facing(rest, layer.normals) for rest, layer in zip(rests, layers, strict=True)])
    own = compose([(rest, IDENTITY) for rest in rests])
    middle = extent(points.astype(np.float32), own.opacities.numpy()).mean(axis=0)
    falls = np.zeros_like(points)
    for ray in (part for lamp in studio for part in rays(lamp)):
        sent = arriving(ray, points, normals)
        if ray.kind != "sky":
            sent *= ShadowMap.of(own, ray, middle, OWN_PIXELS).lets_by(points + OFF * normals, OWN_BIAS)[:, None]
        falls += sent
    even = smoothed(falls, neighbours(layers), own.opacities.numpy())
    return np.maximum(even, DIMMEST)


def neighbours(layers: Sequence[Layer]) -> list[NDArray[np.int64]]:  # of [N]
    """Which splats share light: those of a layer that at rest lie in a cell and face alike, for each grid."""
    rests = [layer.rest.to("cpu") for layer in layers]
    points = np.concatenate([rest.means.numpy().astype(np.float64) for rest in rests])
    normals = np.concatenate([_facing(rest, layer.normals) for rest, layer in zip(rests, layers, strict=True)])
    number = np.repeat(np.arange(len(rests)), [len(rest) for rest in rests])
    axis = np.abs(normals).argmax(axis=1)
    side = axis * 2 + (normals[np.arange(len(normals)), axis] > 0)
    found = []
    for k in range(SHIFTS):
        cell = np.floor(points / SMOOTH + k / SHIFTS).astype(np.int64)
        keys = np.concatenate([cell, side[:, None], number[:, None]], axis=1)
        found.append(np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1))
    return found


def smoothed(falls: Floats, cells: Sequence[NDArray[np.int64]], opacities: NDArray[np.float32]) -> Floats:
    """Light evened out among splats that share it, by how much of them is seen."""
    weight = opacities.astype(np.float64) + 1e-6
    result = np.zeros_like(falls)
    for cell in cells:
        whole = np.bincount(cell, weight)
        for channel in range(3):
            result[:, channel] += (np.bincount(cell, weight * falls[:, channel]) / whole)[cell] / len(cells)
    return result


def _shown(layer: Layer, gain: Floats, light: Light) -> Splats:
    gain = (1 + light.strength * (gain - 1)) * 2.0**light.exposure
    splats = layer.stands
    colour = (splats.sh[:, 0] * SH_C0 + 0.5).clamp(min=DARKEST)
    there = srgb_from_linear(linear_from_srgb(colour) * torch.from_numpy(gain.astype(np.float32)).to(colour))
    return dataclasses.replace(splats, sh=times(splats.sh, (there / colour).clamp(0, MOST)))


def times(sh: Tensor, factor: Tensor) -> Tensor:  # [N, K, 3], [N, 3] -> [N, K, 3]
    """Colours multiplied, whatever the direction they are seen from; colour = SH + 0.5, and all of it is."""
    result = sh * factor[:, None, :]
    result[:, 0] += (factor - 1) * (0.5 / SH_C0)
    return result
