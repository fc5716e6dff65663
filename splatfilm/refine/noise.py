"""Gaussian noise that belongs to places instead of pixels, so that every view of a place finds the same noise there.

A pixel looks at a surface; the surface's place in the rest space of what it belongs to (a set's own axes, an actor's
captured pose) falls into a voxel about as large as the pixel there, and the voxel's address is hashed to a deviate.
Several samples a pixel find its voxels; each voxel's deviate is given to the one cell that holds most samples of it,
and a cell's noise is the sum of its voxels' deviates by count, divided by the root of the sum of squared counts. Since
no deviate is used twice, cells are independent and of unit variance *whatever the geometry*: at silhouettes, on grazing
floors, in the sky. There is no state, so nothing depends on the way by which a camera came to a view.

What is hashed is never a shot or a frame's number (`NoiseKey`). One description, two implementations that agree to the
bit: the compiled kernel (`render/csrc/noise.cpp`) and torch, on the CPU and on CUDA. Integers are hashed with wrapping
64-bit arithmetic, deviates are fixed-point integers, so their sums are exact in any order, and what is left is float64
multiplication, division and square root, which IEEE 754 defines to the last bit.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.base.hashing import hash_value

NOISE_VERSION = 1
"""Raised whenever the same place and key would give other noise."""

GAMMA = 1.4  # voxels are between half of this and this many footprints wide
BASE_METRES = 2.0**-10  # size of a voxel of level 0; a power of two, so that dividing by it is exact
TABLE_BITS = 16
TABLE_ONE = 1 << 20  # fixed point: what 1 is in the table

# The voxels' frame is turned against the world's, or a wall on a plane of voxels would flicker between two of them.
# The quaternion of (0.8342, 0.3141, 0.3927, 0.2269) before it is made unit length; an offset in base voxels.
_TILT = (0.8342, 0.3141, 0.3927, 0.2269)
_OFFSET = (0.3183, 0.5772, 0.6931)

_GOLDEN = 0x9E3779B97F4A7C15
_AXES = (0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
_UNOWNED = 0x2545F4914F6CDD1D
_MOST_LEVEL = 60
_FARTHEST = 4.6e18


@dataclass(frozen=True)
class NoiseKey:
    """The address of a noise: whose it is, what it is for, and where it is meant to move, at which tick of the clock.

    `scene` is the film's seed for its randomness; `space` the rest space (an asset and the member that it is), `tick` a
    whole number made of the scene's clock (`ticks`), None for noise that stands still.
    """

    scene: str
    purpose: str
    tick: int | None = None

    def seed(self, space: str) -> int:
        """The seed of a rest space, a signed 64-bit number."""
        value = ["anchored noise", NOISE_VERSION, self.scene, self.purpose, self.tick, space]
        return int.from_bytes(bytes.fromhex(hash_value(value)[:16]), "big", signed=True)


@dataclass(frozen=True, eq=False)
class Anchors:
    """Where each pixel of a frame is anchored. Tensors on one device.

    Where there is no surface `places` are unit view directions, `footprints` angles and the space the sky's, which
    keeps noise at infinity: it does not move with the camera, only with its turning.
    """

    places: Tensor  # [H, W, 3] float32 metres in the owner's rest space
    footprints: Tensor  # [H, W] float32 metres: how wide a pixel is there
    spaces: Tensor  # [H, W] int64 index into `names`
    names: tuple[str, ...]

    def seeds(self, key: NoiseKey) -> Tensor:  # [H, W] int64
        table = torch.tensor([key.seed(name) for name in self.names], dtype=torch.int64)
        return table.to(self.spaces.device)[self.spaces]


@dataclass(frozen=True)
class NoiseGrid:
    """How fine the noise is: `sub` samples along a pixel's side, or `cell` pixels along a side of one noise value.

    Latent noise of an autoencoder has cells of 8 pixels, and the pixels are its samples. One of the two must be 1.
    """

    channels: int = 4
    sub: int = 2
    cell: int = 1
    gamma: float = GAMMA

    def __post_init__(self) -> None:
        if self.channels < 1 or not 1 <= self.sub <= 16 or not 1 <= self.cell <= 64 or min(self.sub, self.cell) != 1:
            raise ValueError(f"no grid of noise: {self} (sub 1 to 16, cell 1 to 64, one of them 1)")
        if not 0 < self.gamma < 16:
            raise ValueError(f"gamma is {self.gamma}: expected a number between 0 and 16")

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        return -(-height // self.cell), -(-width // self.cell), self.channels


LATENT = NoiseGrid(channels=4, sub=1, cell=8)


def anchored_noise(anchors: Anchors, key: NoiseKey, grid: NoiseGrid = NoiseGrid()) -> Tensor:
    """Noise [ceil(H / cell), ceil(W / cell), C], float32, each value N(0, 1) and independent of every other.

    On the CPU by the compiled kernel, at any thread count with the same bits; elsewhere by torch, with the same bits.
    """
    if anchors.places.device.type != "cpu":
        return anchored_noise_torch(anchors, key, grid)
    from splatfilm.render.kernels import array, extension

    height, width = anchors.footprints.shape
    out = torch.empty(grid.shape(height, width), dtype=torch.float32)
    rotation, offset = _frame()
    numbers = [_voxels(grid), float(TABLE_ONE), *rotation, *offset]
    seeds = anchors.seeds(key).contiguous().numpy()
    table = deviates()
    extension().anchored_noise(
        array(anchors.places), array(anchors.footprints), seeds, table, numbers, grid.sub, grid.cell, out.numpy()
    )
    return out


def moving_noise(
    anchors: Anchors,
    key: NoiseKey,
    frame: float,
    period: float,
    grid: NoiseGrid = NoiseGrid(),
) -> Tensor:  # [rows, columns, C]
    """Anchored noise that changes over `period` scene frames, smoothly and with unit variance at every moment.

    The noises of two neighbouring ticks are blended by cosine and sine; a quarter turn leads from one to the next. It
    is a function of the scene frame, so two cameras see the same change.
    """
    if not period > 0:
        raise ValueError(f"a period of {period} frames: expected more than 0")
    tick = math.floor(frame / period)
    angle = 0.5 * math.pi * (frame / period - tick)
    here, there = (anchored_noise(anchors, replace(key, tick=tick + step), grid) for step in (0, 1))
    return math.cos(angle) * here + math.sin(angle) * there


def _voxels(grid: NoiseGrid) -> float:
    """A pixel's footprint times this is how many base voxels wide its cell's voxels may be."""
    return grid.gamma * grid.cell / BASE_METRES


@functools.cache
def _frame() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The rotation into the voxels' frame, in base voxels, row by row, and the offset."""
    length = math.sqrt(sum(part * part for part in _TILT))
    w, x, y, z = (part / length for part in _TILT)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return tuple(part / BASE_METRES for row in rows for part in row), _OFFSET


@functools.cache
def deviates() -> NDArray[np.int32]:
    """The 65 536 quantiles of the normal distribution at the middles of equal parts, of variance 1, in fixed point."""
    half = 1 << (TABLE_BITS - 1)
    normal = NormalDist()
    upper = np.array([normal.inv_cdf(0.5 + (i + 0.5) / (2 * half)) for i in range(half)])
    upper /= math.sqrt(float((upper * upper).mean()))
    fixed = np.rint(upper * TABLE_ONE).astype(np.int32)
    return np.ascontiguousarray(np.concatenate([-fixed[::-1], fixed]))


# ---- the same in torch -----------------------------------------------------------------------------------------------


def anchored_noise_torch(anchors: Anchors, key: NoiseKey, grid: NoiseGrid = NoiseGrid()) -> Tensor:
    """`anchored_noise` by torch on the anchors' device: the same bits, by sorting instead of hash tables."""
    height, width = anchors.footprints.shape
    rows, columns, channels = grid.shape(height, width)
    device = anchors.places.device
    voxels, cells = _samples(anchors, anchors.seeds(key), grid)
    voxel, cell, count = _holdings(voxels, cells)
    mine = _owned(voxel, cell, count)
    first = _first_of(voxels, cells, rows * columns)
    voxel, cell, count = voxel[mine], cell[mine], count[mine]
    squares = torch.zeros(rows * columns, dtype=torch.int64, device=device).index_add_(0, cell, count * count)
    empty = squares == 0
    numbers = torch.arange(1, rows * columns + 1, dtype=torch.int64, device=device)
    spare = _mix(first ^ (numbers * _signed(_UNOWNED)))
    squares = torch.where(empty, torch.ones_like(squares), squares)
    table = torch.from_numpy(deviates()).to(device).long()
    scale = float(TABLE_ONE) * squares.double().sqrt()
    out = torch.empty(rows * columns, channels, dtype=torch.float32, device=device)
    for channel in range(channels):
        step = _signed(channel * _GOLDEN)
        sums = torch.zeros(rows * columns, dtype=torch.int64, device=device)
        sums.index_add_(0, cell, count * table[_shifted(_mix(voxel + step), 64 - TABLE_BITS)])
        sums = torch.where(empty, table[_shifted(_mix(spare + step), 64 - TABLE_BITS)], sums)
        out[:, channel] = (sums.double() / scale).float()
    return out.reshape(rows, columns, channels)


def _samples(anchors: Anchors, seeds: Tensor, grid: NoiseGrid) -> tuple[Tensor, Tensor]:  # [S] voxels, [S] cells
    """The voxel and the cell of every sample, in the order in which the kernel visits a cell's samples."""
    height, width = anchors.footprints.shape
    device = seeds.device
    places = torch.nan_to_num(anchors.places.double(), nan=0.0, posinf=0.0, neginf=0.0)
    size = anchors.footprints.double() * _voxels(grid)
    _, exponent = torch.frexp(size)
    usable = torch.isfinite(size) & (size > 0)
    level = torch.where(usable, (exponent - 1).clamp(-_MOST_LEVEL, _MOST_LEVEL), -_MOST_LEVEL).long()
    powers = torch.tensor([2.0**-one for one in range(-_MOST_LEVEL, _MOST_LEVEL + 1)], dtype=torch.float64)
    unit = powers.to(device)[level + _MOST_LEVEL]
    start = _mix(seeds ^ ((level + (_MOST_LEVEL + 1)) * _signed(_GOLDEN)))
    across = _slopes(places, seeds, 1) if grid.sub > 1 else torch.zeros_like(places)
    down = _slopes(places, seeds, 0) if grid.sub > 1 else torch.zeros_like(places)
    rotation, offset = _frame()
    found = []
    for j in range(grid.sub):
        for i in range(grid.sub):
            x_part, y_part = ((k + 0.5) / grid.sub - 0.5 for k in (i, j))
            x, y, z = (places + (x_part * across + y_part * down)).unbind(-1)
            hashed = start
            for axis in range(3):
                a, b, c = rotation[3 * axis : 3 * axis + 3]
                turned = ((a * x + b * y) + c * z) + offset[axis]
                step = torch.floor(turned * unit).clamp(-_FARTHEST, _FARTHEST).long()
                hashed = _mix(hashed ^ (step * _signed(_AXES[axis])))
            found.append(hashed)
    rows = torch.arange(height, device=device) // grid.cell
    cells = rows[:, None] * -(-width // grid.cell) + torch.arange(width, device=device) // grid.cell
    many = grid.sub * grid.sub
    return torch.stack(found, -1).reshape(-1), cells[..., None].expand(-1, -1, many).reshape(-1)


def _slopes(places: Tensor, seeds: Tensor, axis: int) -> Tensor:  # [H, W, 3], [H, W] -> [H, W, 3]
    """A pixel's difference to its neighbours in the same space: the lesser of two that agree in sign, or the only."""
    length = places.shape[axis]
    here, there = places.narrow(axis, 0, length - 1), places.narrow(axis, 1, length - 1)
    alike = seeds.narrow(axis, 0, length - 1) == seeds.narrow(axis, 1, length - 1)
    before, after = torch.zeros_like(places), torch.zeros_like(places)
    has_before, has_after = torch.zeros_like(seeds, dtype=torch.bool), torch.zeros_like(seeds, dtype=torch.bool)
    step = torch.where(alike[..., None], there - here, torch.zeros_like(here))
    before.narrow(axis, 1, length - 1).copy_(step)
    after.narrow(axis, 0, length - 1).copy_(step)
    has_before.narrow(axis, 1, length - 1).copy_(alike)
    has_after.narrow(axis, 0, length - 1).copy_(alike)
    agree = (before > 0) == (after > 0)
    lesser = torch.where(before.abs() < after.abs(), before, after)
    both = torch.where(agree, lesser, torch.zeros_like(lesser))
    one = torch.where(has_before[..., None], before, after)
    return torch.where((has_before & has_after)[..., None], both, one)


def _holdings(voxels: Tensor, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How many samples each cell has in each voxel: voxels, cells and counts, by cell and then by voxel."""
    order = torch.argsort(voxels, stable=True)
    order = order[torch.argsort(cells[order], stable=True)]
    voxel, cell = voxels[order], cells[order]
    begins = torch.ones_like(voxel, dtype=torch.bool)
    begins[1:] = (voxel[1:] != voxel[:-1]) | (cell[1:] != cell[:-1])
    at = torch.nonzero(begins).flatten()
    ends = torch.cat([at[1:], at.new_tensor([len(voxel)])])
    return voxel[at], cell[at], ends - at


def _owned(voxel: Tensor, cell: Tensor, count: Tensor) -> Tensor:  # [M] bool
    """Whether a cell owns a voxel that it holds: the greatest count, of equals the first cell (rows are by cell)."""
    order = torch.argsort(-count, stable=True)
    order = order[torch.argsort(voxel[order], stable=True)]
    sorted_voxel = voxel[order]
    best = torch.ones_like(sorted_voxel, dtype=torch.bool)
    best[1:] = sorted_voxel[1:] != sorted_voxel[:-1]
    mine = torch.empty_like(best)
    mine[order] = best
    return mine


def _first_of(voxels: Tensor, cells: Tensor, count: int) -> Tensor:  # [cells] int64
    """The voxel of each cell's first sample."""
    order = torch.argsort(cells, stable=True)
    sorted_cells = cells[order]
    begins = torch.ones_like(sorted_cells, dtype=torch.bool)
    begins[1:] = sorted_cells[1:] != sorted_cells[:-1]
    first = torch.zeros(count, dtype=torch.int64, device=cells.device)
    first[sorted_cells[begins]] = voxels[order[begins]]
    return first


def _mix(x: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014) on int64 as if it were unsigned."""
    x = (x ^ _shifted(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, places: int) -> Tensor:
    """A logical shift to the right."""
    return (x >> places) & ((1 << (64 - places)) - 1)


def _signed(x: int) -> int:
    """The signed number with the same 64 bits."""
    x &= (1 << 64) - 1
    return x - (1 << 64) if x >> 63 else x


def hashed_noise(size: tuple[int, int], key: NoiseKey, space: str) -> Tensor:  # -> [H, W] float32, on the CPU
    """White noise on a picture's own grid: for what belongs to the film in the camera, not to the scene."""
    height, width = size
    numbers = torch.arange(1, height * width + 1, dtype=torch.int64)
    hashed = _mix(_mix(numbers * _signed(_GOLDEN)) ^ key.seed(space))
    table = torch.from_numpy(deviates().astype(np.float32) / np.float32(TABLE_ONE))
    return table[_shifted(hashed, 64 - TABLE_BITS)].reshape(height, width)
