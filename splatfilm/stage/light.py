"""The cast in the light of the set: what falls on a member where it stands, from the set's own splats.

A member keeps the light of the studio that it was photographed in. Here small pictures of the set, taken from points of
a grid around where the member stands, say how much light is there and where it comes from; the member's colours are
multiplied by what would fall on them there. That is a property of the scene and of no camera, and the grid's points lie
where they lie whatever was asked for before: the same scene frame gives the same bits.

A picture of a set shows what its surfaces send back. What falls on something inside is that, from all around
(`Gathered.coefficients`), and the light that the surfaces got and did not send back: they are taken for the
photographer's grey card, so for every part that they send, 1 / 0.18 parts fell on them, from lamps that the pictures
may not show at all. That part has no direction here. The studio is taken to be even, and exposed so that a white card
is white; `Light.exposure` is for one that was not.

Irradiance by spherical harmonics: R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment
maps", SIGGRAPH 2001.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.film.model import Light
from splatfilm.render.constants import SH_C0
from splatfilm.render.kernels import array, extension, in_lanes
from splatfilm.render.transfer import linear_from_srgb
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.contact import extent

GREY_CARD = 0.18
"""The share of light that a set's surfaces send back, taken all in all."""
SPACING = 0.5  # metres between the points that the set is seen from
PIXELS = 24  # of a side of each of the six pictures from such a point
CLIPPED = 0.9  # display-referred: where all three channels are brighter, the photographs may have clipped
BURIED = 0.2  # metres: a point whose surroundings are nearer is inside of something, and says less
FAINTEST_WEIGHT = 1e-3  # of a point in the thick of something: enough where there is no other
HEIGHTS = (0.2, 0.8)  # of a member, between its lowest and its highest splat: where it is asked what falls on it
DARKEST = 0.01  # display-referred: below it the ratio of two colours says nothing
MOST = 16.0  # the most that a display-referred colour is multiplied by
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709
_LOBE = np.array([1.0, *[2 / 3] * 3, *[1 / 4] * 5])  # the cosine's coefficients over pi


@dataclass(frozen=True, eq=False)
class Gathered:
    """What is seen from a point, linear: a grey ball there shows `coefficients` towards each direction, over albedo."""

    coefficients: NDArray[np.float64]  # [9, 3] irradiance over pi, in spherical harmonics
    mean: float  # luminance, over all directions, without the gain for what clipped
    weight: float  # 0..1


def harmonics(directions: NDArray[np.float64]) -> NDArray[np.float64]:  # [N, 3] unit -> [N, 9]
    """Real spherical harmonics up to the second order."""
    x, y, z = directions.T
    band1 = (0.488603 * y, 0.488603 * z, 0.488603 * x)
    band2 = (1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z)
    return np.stack([np.full_like(x, 0.282095), *band1, *band2, 0.546274 * (x * x - y * y)], axis=1)


def _faces() -> list[NDArray[np.float64]]:
    """Camera axes (right, down, forward in columns) that look along each axis, both ways."""
    turns = []
    for axis, sign in itertools.product(range(3), (1.0, -1.0)):
        forward = np.eye(3)[axis] * sign
        right = np.cross(forward, np.eye(3)[1 if axis == 2 else 2])
        turns.append(np.stack([right, np.cross(forward, right), forward], axis=1))
    return turns


@dataclass(frozen=True, eq=False)
class _Look:
    """One of the six pictures: where it looks, and for each of its pixels how much it counts towards what."""

    turn: NDArray[np.float64]  # [3, 3] camera axes
    basis: NDArray[np.float64]  # [9, P] harmonics times solid angles
    solid: NDArray[np.float64]  # [P]
    long: NDArray[np.float64]  # [P] of the ray to depth 1


@lru_cache(maxsize=1)
def _looks() -> tuple[_Look, ...]:
    across = (np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1
    u, v = np.meshgrid(across, across)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3)
    long = np.sqrt((rays**2).sum(axis=1))
    solid = (2 / PIXELS) ** 2 / long**3
    return tuple(_Look(t, (harmonics(rays @ t.T / long[:, None]) * solid[:, None]).T, solid, long) for t in _faces())


def gather(setting: Splats, at: NDArray[np.float64], highlights: float) -> Gathered:  # [3] metres
    """Look around from a point of the set; what clipped counts `highlights` times. On the CPU."""
    from splatfilm.render import render

    looks, pictures, near = _looks(), [], []
    for look in looks:
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = look.turn, at
        half = PIXELS / 2
        frame = render(setting, Camera(pose, half, half, half, half, PIXELS, PIXELS), backend="cpu")
        pictures.append(frame.beauty)
        near.append(frame.depth.numpy().reshape(-1) * look.long)
    shown = torch.stack(pictures).clamp(0, 1).reshape(len(looks), -1, 3)
    light = linear_from_srgb(shown).numpy().astype(np.float64)
    even = light @ np.array(_LUMINANCE)
    light *= np.where(shown.numpy().min(axis=2) > CLIPPED, highlights, 1.0)[..., None]
    coefficients, mean = np.zeros((9, 3)), 0.0
    for look, own, bright in zip(looks, light, even, strict=True):
        coefficients += look.basis @ own
        mean += float((bright * look.solid).sum()) / (4 * math.pi)
    around = float(np.median(np.concatenate(near)))
    return Gathered(coefficients * _LOBE[:, None], mean, min(1.0, max(FAINTEST_WEIGHT, around / BURIED)))


class Probes:
    """What a set sends to the points of a grid; each is looked from when it is first needed, and kept."""

    def __init__(self, setting: Splats) -> None:
        self.setting = setting.to("cpu")
        self._known: dict[tuple[int, int, int, float], Gathered] = {}
        self._falls: dict[tuple[int, int, int, float, bool], tuple[NDArray[np.float64], float]] = {}

    def at(self, point: NDArray[np.float64], highlights: float, hidden: bool = True) -> NDArray[np.float64]:
        """What falls on something at a point, over pi, in spherical harmonics [9, 3], from the eight points about it.

        With the light of lamps that no picture shows, unless `hidden` is false.
        """
        scaled = [float(value) / SPACING for value in point]
        first = [math.floor(value) for value in scaled]
        past = [value - whole for value, whole in zip(scaled, first, strict=True)]
        total, weights = np.zeros((9, 3)), 0.0
        for corner in itertools.product((0, 1), repeat=3):
            share = 1.0
            for beyond, along in zip(corner, past, strict=True):
                share *= along if beyond else 1 - along
            if share == 0:
                continue
            x, y, z = (whole + beyond for whole, beyond in zip(first, corner, strict=True))
            own, weight = self._from(x, y, z, highlights, hidden)
            total += share * weight * own
            weights += share * weight
        return total / weights

    def _from(self, x: int, y: int, z: int, highlights: float, hidden: bool) -> tuple[NDArray[np.float64], float]:
        """What falls on something at a point of the grid, and how much that point counts."""
        key = x, y, z, highlights, hidden
        if key not in self._falls:
            if key[:4] not in self._known:
                place = np.array([x, y, z], dtype=np.float64) * SPACING
                self._known[x, y, z, highlights] = gather(self.setting, place, highlights)
            one = self._known[x, y, z, highlights]
            own = one.coefficients.copy()
            if hidden:
                own[0] += (1 / GREY_CARD - 1) * one.mean / 0.282095
            self._falls[key] = own, one.weight
        return self._falls[key]


def outward(rest: Splats) -> Tensor:  # -> [N, 3] unit, in each splat's own axes
    """Normals of something without a mesh: along the shortest axis, away from its middle."""
    low, high = extent(rest.means.cpu().numpy(), rest.opacities.cpu().numpy())
    middle = torch.from_numpy((low + high) / 2).to(rest.means)
    shortest = torch.nn.functional.one_hot(rest.scales.argmin(dim=1), 3).to(rest.means)
    normals = (rotation_matrices(rest.quats) * shortest[:, None, :]).sum(dim=2)
    away = ((rest.means - middle) * normals).sum(dim=1, keepdim=True)
    return torch.where(away < 0, -shortest, shortest)


def in_own_axes(rest: Splats, normals: NDArray[np.float64]) -> Tensor:  # [N, 3] -> [N, 3]
    """Normals that are known at rest, in each splat's own axes: there they stay, however the splat is turned."""
    given = torch.from_numpy(normals).to(rest.means)
    return (rotation_matrices(rest.quats) * given[:, :, None]).sum(dim=1)


@dataclass(frozen=True, eq=False)
class Surface:
    """What light finds of a layer, in whatever pose: normals in the splats' own axes, and what they send back."""

    normals: Tensor  # [N, 3]
    table: NDArray[np.float32]
    """[N / 16 rounded up, 9, 16] normals; colours over all directions, display-referred; these as light."""

    @staticmethod
    def of(rest: Splats, normals: Tensor) -> Surface:
        """The surface of splats at rest."""
        colours = (rest.sh[:, 0] * SH_C0 + 0.5).clamp(min=DARKEST)
        values = np.concatenate([array(part) for part in (normals, colours, linear_from_srgb(colours))], axis=1)
        return Surface(normals, in_lanes(values))


def gains_of(
    parts: tuple[Splats, ...],
    surfaces: tuple[Surface, ...],
    light: Light,
    probes: Probes,
    standing: NDArray[np.float64] | None = None,  # [2, 3] the corners of where the member is
) -> tuple[Tensor, ...]:  # [N, 3] each
    """What the colours of a member's splats, layer by layer, are multiplied by in the light of the set.

    Pure; the same bits at any thread count. `standing` says where to ask for light without looking at splats, so that
    it does not depend on what is worn.
    """
    if standing is None:
        means, opacities = ([getattr(p, n).cpu().numpy() for p in parts] for n in ("means", "opacities"))
        solid = extent(np.concatenate(means), np.concatenate(opacities))
    else:
        solid = standing
    low, high = solid[0, 2], solid[1, 2]
    middle = solid.mean(axis=0)
    heights = [low + share * (high - low) for share in HEIGHTS]
    there = [probes.at(np.array([middle[0], middle[1], height]), light.highlights) for height in heights]
    numbers = [*there[0].ravel().tolist(), *there[1].ravel().tolist(), heights[0], max(heights[1], heights[0] + 1e-6)]
    numbers += [light.strength, 2.0**light.exposure, MOST]
    plain = [float(number) for number in numbers]
    return tuple(_gains(part, own, plain) for part, own in zip(parts, surfaces, strict=True))


def _gains(splats: Splats, surface: Surface, numbers: list[float]) -> Tensor:
    gains = np.empty((len(splats), 3), dtype=np.float32)
    extension().light(array(splats.means), array(splats.quats), surface.table, numbers, gains)
    return torch.from_numpy(gains).to(splats.device)


def shown(splats: Splats, gains: Tensor | None) -> Splats:  # [N, 3]
    """The same splats with their colours, from every direction, multiplied."""
    if gains is None:
        return splats
    out = np.empty(splats.sh.shape, dtype=np.float32)
    nothing = np.empty(0, dtype=np.float32)
    extension().paint(array(splats.sh), array(gains), nothing, nothing, True, out)
    return dataclasses.replace(splats, sh=torch.from_numpy(out).to(splats.device))


def lit(
    parts: tuple[Splats, ...],
    surfaces: tuple[Surface, ...],
    light: Light,
    probes: Probes,
    standing: NDArray[np.float64] | None = None,  # [2, 3]
) -> tuple[Splats, ...]:
    """A member's splats in the light of the set: see `gains_of`."""
    gains = gains_of(parts, surfaces, light, probes, standing)
    return tuple(shown(part, own) for part, own in zip(parts, gains, strict=True))
