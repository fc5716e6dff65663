"""Large frames in tiles: where tiles lie, how their pictures are joined, and smaller ones when memory runs out.

Tiles start at multiples of the latent cell, so that a tile's noise is cut from the whole frame's and a place keeps its
noise in whichever tile it is seen. Neighbours overlap and are joined by weights that depend on the pixel only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.base.errors import SplatfilmError

SMALLEST = 128
"""Pixels on a side below which a tile is no longer made smaller: models see too little to know what it shows."""


class TooLittleMemoryError(SplatfilmError):
    """Not even the smallest tile of a frame fits into the memory of the device."""


@dataclass(frozen=True)
class Tile:
    """Pixels `top` to `bottom`, `left` to `right` of a frame, the last of each not included."""

    top: int
    left: int
    bottom: int
    right: int


def tiles_of(height: int, width: int, side: int, cell: int) -> list[Tile]:
    """Tiles of at most `side` pixels that cover a frame whose sides are multiples of `cell`, an eighth of it shared."""
    return [
        Tile(top, left, min(top + side, height), min(left + side, width))
        for top in _starts(height, side, cell)
        for left in _starts(width, side, cell)
    ]


def _starts(length: int, side: int, cell: int) -> list[int]:
    side -= side % cell
    if length <= side:
        return [0]
    stride = max(cell, (side - side // 8) // cell * cell)
    return [*range(0, length - side, stride), length - side]


def in_tiles(
    height: int, width: int, side: int, cell: int, refine: Callable[[Tile], Tensor]
) -> tuple[Tensor, int]:  # [H, W, 3] and the side that fitted
    """`refine` over all tiles of a frame, joined; on too little memory again with tiles of half the side.

    Raises `TooLittleMemoryError` when tiles of `SMALLEST` pixels do not fit either.
    """
    while True:
        try:
            return _joined(height, width, tiles_of(height, width, side, cell), refine), side
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _is_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        largest = min(side, max(height, width))
        if largest <= SMALLEST:
            raise TooLittleMemoryError(
                f"the model does not fit into memory even in tiles of {SMALLEST} pixels: use a smaller model, "
                "precision = float16 on a GPU, or refine with the scene refiner"
            )
        side = max(SMALLEST, largest // 2)


def _is_memory(error: Exception) -> bool:
    told = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return told or "allocate memory" in str(error) or "out of memory" in str(error)


def _joined(height: int, width: int, tiles: list[Tile], refine: Callable[[Tile], Tensor]) -> Tensor:
    if len(tiles) == 1:
        return refine(tiles[0])
    total = torch.zeros(height, width, 3)
    weights = torch.zeros(height, width, 1)
    for tile in tiles:
        picture = refine(tile).cpu()
        weight = _ramp(tile.top, tile.bottom)[:, None] * _ramp(tile.left, tile.right)[None, :]
        total[tile.top : tile.bottom, tile.left : tile.right] += picture * weight[..., None]
        weights[tile.top : tile.bottom, tile.left : tile.right] += weight[..., None]
    return total / weights


def _ramp(start: int, end: int) -> Tensor:
    """Weights along one side: rising from the edge over an eighth, flat in the middle. At least a little everywhere."""
    place = torch.arange(end - start, dtype=torch.float32) + 0.5
    rise = max(1.0, (end - start) / 8)
    return torch.minimum(place, (end - start) - place).div(rise).clamp(max=1.0)
