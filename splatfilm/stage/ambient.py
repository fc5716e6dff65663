"""What stirs by itself: curtains, leaves, hair ends, steam, the flicker of a light, on the scene's clock.

Each is a smooth field over the rest space of what it belongs to and over time, made of three waves whose directions,
speeds and phases come from a hash of what the film file says of it. It is evaluated at splats, before any camera looks,
so two cameras see the same sway, and a later shot of the same scene frame sees it again.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.base.hashing import hash_value
from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.film.model import Ambient
from splatfilm.splats import Splats
from splatfilm.splats.posed import IDENTITY_STRETCH, IDENTITY_TURN, multiplied, rotation_matrices
from splatfilm.splats.sh import C0
from splatfilm.stage.deform import Motion, deformed, gradients_of
from splatfilm.stage.placement import Placed, Stir

_WAVES = ((0.6, 1.0, 1.0), (0.28, 1.83, 1.7), (0.12, 2.71, 2.9))  # part of the amount, times as fast, times as short
_SPREAD = 0.1  # of speeds, so that no two things keep step
_FADE = 0.15  # of the box's sides, over which what stirs comes to rest
_COLOUR_OFFSET = 0.5  # colour = SH + 0.5


@dataclass(frozen=True)
class Wave:
    """part * sin(turn * t + way . X + phase), t in seconds and X in metres."""

    part: float
    turn: float
    way: tuple[float, float, float]
    phase: float


def waves_of(ambient: Ambient) -> tuple[Wave, ...]:
    """The three waves of an ambient motion; their parts sum to 1."""
    own = dataclasses.asdict(ambient)
    for name in ("member", "amount"):  # more of the same is the same motion, and a name moves nothing
        del own[name]
    waves = []
    for number, (part, fast, short) in enumerate(_WAVES):
        a, b, c, d = _draws([own, number], 4)
        height, around = 2 * a - 1, 2 * math.pi * b
        flat = math.sqrt(max(0.0, 1 - height * height))
        size = 2 * math.pi * short / ambient.wavelength
        way = (size * flat * math.cos(around), size * flat * math.sin(around), size * height)
        turn = 2 * math.pi * fast / ambient.period * (1 + _SPREAD * (2 * c - 1))
        waves.append(Wave(part, turn, way, 2 * math.pi * d))
    return tuple(waves)


def stirred(splats: Splats, rest: Splats, placed: Placed) -> Splats:
    """Staged splats of a member with everything that stirs in it; `rest` are the same rows as nothing has moved them.

    Splats outside the boxes keep their bits.
    """
    for stir in placed.stirs:
        here = _rest_metres(rest, placed)
        rows = torch.nonzero(_inside(here, stir.ambient)).flatten()
        if len(rows) == 0:
            continue
        if stir.ambient.kind == "sway":
            splats = _swayed(splats, rows, here[rows], stir, placed)
        elif stir.ambient.kind == "flicker":
            splats = _flickered(splats, rows, here[rows], stir)
        else:
            splats = _steamed(splats, rows, here[rows], stir)
    return splats


def _rest_metres(rest: Splats, placed: Placed) -> Tensor:  # [N, 3] float64
    return rest.means.double() * placed.place.scale


def _inside(points: Tensor, ambient: Ambient) -> Tensor:  # [N, 3] -> [N] bool
    low, high = (points.new_tensor(corner) for corner in ambient.box)
    return ((points > low) & (points < high)).all(dim=1)


def _weight(points: Tensor, ambient: Ambient) -> Tensor:  # [N, 3] -> [N] 0..1
    """0 at the box's sides, 1 inside; and from the side that is held it grows with the square of the way."""
    total = torch.ones_like(points[:, 0])
    for axis in range(3):
        low, high = ambient.box[0][axis], ambient.box[1][axis]
        up = (points[:, axis] - low) / (high - low)
        if axis == 2 and ambient.held != "none":
            way = 1 - up if ambient.held == "top" else up
            total = total * way.clamp(0, 1).square()
        else:
            total = total * _smooth(up / _FADE) * _smooth((1 - up) / _FADE)
    return total


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def _swell(points: Tensor, stir: Stir) -> Tensor:  # [N, 3] -> [N] -1..1
    total = torch.zeros_like(points[:, 0])
    for wave in waves_of(stir.ambient):
        a, b, c = wave.way
        x, y, z = points.unbind(-1)
        angle = (a * x + b * y) + c * z
        total = total + wave.part * torch.sin(angle + math.fmod(wave.turn * stir.seconds + wave.phase, 2 * math.pi))
    return total


def _swayed(splats: Splats, rows: Tensor, here: Tensor, stir: Stir, placed: Placed) -> Splats:
    """Positions by the field, and covariances by its gradient: x' = x + d s(X), so F = 1 + d (grad s)^T."""
    with torch.enable_grad():
        points = here.detach().clone().requires_grad_(True)
        shift = stir.ambient.amount * _weight(points, stir.ambient) * _swell(points, stir)
        (slope,) = torch.autograd.grad(shift.sum(), points)
    shift = shift.detach()
    part = _rows(splats, rows)
    direction = shift.new_tensor(stir.ambient.direction)
    turn = _turned(part, placed)
    slope = (turn * slope[:, None, :]).sum(-1)  # from the rest space into the scene
    eye = torch.eye(3, dtype=shift.dtype, device=shift.device)
    gradients = (eye + direction[None, :, None] * slope[:, None, :]) @ gradients_of(part)
    positions = part.means.double() + direction * shift[:, None]
    before = part.quats.double()
    if part.turns is not None:  # `deformed` turns quaternions of rest
        back = part.turns.double() * part.turns.new_tensor([1.0, -1.0, -1.0, -1.0]).double()
        before = multiplied(back, before)
    moved = deformed(dataclasses.replace(part, quats=before.to(part.quats.dtype)), Motion(positions, gradients))
    assert moved.stretches is not None and moved.turns is not None, "`deformed` gives both"
    return dataclasses.replace(
        splats,
        means=_put(splats.means, rows, moved.means),
        quats=_put(splats.quats, rows, moved.quats),
        stretches=_put(_or_identity(splats, splats.stretches, IDENTITY_STRETCH), rows, moved.stretches),
        turns=_put(_or_identity(splats, splats.turns, IDENTITY_TURN), rows, moved.turns),
    )


def _flickered(splats: Splats, rows: Tensor, here: Tensor, stir: Stir) -> Splats:
    """Colours times 1 + amount * flicker: all waves in step everywhere, as one lamp makes them."""
    beat = float(_swell(torch.zeros_like(here[:1]), stir)[0])
    free = dataclasses.replace(stir.ambient, held="none")
    gain = (1 + stir.ambient.amount * beat * _weight(here, free)).to(splats.sh.dtype)
    sh = splats.sh[rows] * gain[:, None, None]
    sh[:, 0] += (_COLOUR_OFFSET / C0) * (gain[:, None] - 1)
    return dataclasses.replace(splats, sh=_put(splats.sh, rows, sh))


def _steamed(splats: Splats, rows: Tensor, here: Tensor, stir: Stir) -> Splats:
    """Opacities thinned by a field that rises: the waves travel upwards."""
    risen = here - here.new_tensor([0.0, 0.0, stir.seconds * stir.ambient.wavelength / stir.ambient.period])
    thin = 0.5 * (1 + _swell(risen, stir))
    free = dataclasses.replace(stir.ambient, held="none")
    kept = 1 - stir.ambient.amount * thin * _weight(here, free)
    return dataclasses.replace(
        splats, opacities=_put(splats.opacities, rows, splats.opacities[rows] * kept.to(splats.opacities.dtype))
    )


def _turned(part: Splats, placed: Placed) -> Tensor:  # [N, 3, 3] float64
    """How each splat has turned since its rest space."""
    if placed.pose is not None and part.turns is not None:
        return rotation_matrices(part.turns.double())
    place = torch.from_numpy(matrix_from_quaternion(placed.place.rotation)).to(part.device)
    return place.expand(len(part), 3, 3)


def _rows(splats: Splats, rows: Tensor) -> Splats:
    return dataclasses.replace(
        splats,
        means=splats.means[rows],
        quats=splats.quats[rows],
        scales=splats.scales[rows],
        opacities=splats.opacities[rows],
        sh=splats.sh[rows],
        stretches=None if splats.stretches is None else splats.stretches[rows],
        turns=None if splats.turns is None else splats.turns[rows],
    )


def _or_identity(splats: Splats, found: Tensor | None, identity: tuple[float, ...]) -> Tensor:
    return splats.means.new_tensor(identity).repeat(len(splats), 1) if found is None else found


def _put(whole: Tensor, rows: Tensor, part: Tensor) -> Tensor:
    """A copy of `whole` with some of its rows replaced."""
    result = whole.clone()
    result[rows] = part
    return result


def _draws(address: object, count: int) -> list[float]:
    """Numbers 0..1 that belong to an address."""
    digits = hash_value(address)
    return [int(digits[8 * i : 8 * i + 8], 16) / 2**32 for i in range(count)]
