"""Staged splats in memory that is used again: what stands still is not copied for every frame.

A frame's splats are those of the set, which rarely moves, and of the cast, which does. An array whose last reader is
gone is written again, and only where it differs from what it must hold; one that is still read is left alone and
another is taken. So tensors that were handed out never change. Same values as `splats.compose`, to the bit.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.base.rigid import IDENTITY
from splatfilm.splats import Splats, compose
from splatfilm.splats.composition import know_first_part
from splatfilm.splats.posed import IDENTITY_STRETCH, IDENTITY_TURN

_GEOMETRY = ("means", "quats", "scales", "opacities")
_MOST_SPARE = 3  # arrays of a kind that are kept when nobody reads them


@dataclass(eq=False)
class _Array:
    """Memory, and what was written into it: whose rows, and which of them were darkened afterwards."""

    memory: NDArray[np.float32]
    tensor: Tensor | None  # gone when only readers hold on to it
    pieces: tuple[Tensor | int, ...] = ()  # a tensor, or for how many rows the identity
    darkened: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def is_read(self) -> bool:
        """Whether somebody holds a tensor of this memory: those keep the array itself alive."""
        return sys.getrefcount(self.memory) > 2  # our own field, and the call's argument


Pieces = tuple[Tensor | int, ...]


class Canvas:
    """Puts parts together, frame after frame."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[_Array]] = {}

    def geometry(self, parts: Sequence[Splats]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Means, quaternions, scales and opacities of all parts, as `joined` will have them."""
        if len(parts) == 1 or any(_is_odd(part, parts[0]) for part in parts):
            whole = compose([(dataclasses.replace(part, sh=part.sh[:, :1]), IDENTITY) for part in parts])
            return whole.means, whole.quats, whole.scales, whole.opacities
        means, quats, scales, opacities = (self._put(n, tuple(getattr(p, n) for p in parts)) for n in _GEOMETRY)
        return means, quats, scales, opacities

    def joined(self, parts: Sequence[Splats], kept: Tensor | None = None) -> Splats:
        """All parts in their order, each splat as bright as the root of the share `kept` [N] of its light."""
        first = parts[0]
        if len(parts) == 1 or any(_is_odd(part, first) for part in parts):
            whole = compose([(part, IDENTITY) for part in parts])
            if kept is None:
                return whole
            from splatfilm.stage.contact import darkened

            return darkened(whole, kept)
        geometry = {name: self._put(name, tuple(getattr(part, name) for part in parts)) for name in _GEOMETRY}
        moved = {
            name: self._put(name, tuple(len(p) if getattr(p, name) is None else getattr(p, name) for p in parts), rest)
            for name, rest in (("stretches", IDENTITY_STRETCH), ("turns", IDENTITY_TURN))
            if any(getattr(part, name) is not None for part in parts)
        }
        sh = self._put("sh", tuple(part.sh for part in parts), (), kept)
        joined = Splats(**geometry, **moved, sh=sh, mode=first.mode)
        know_first_part(joined, first)
        return joined

    def _put(self, name: str, pieces: Pieces, identity: tuple[float, ...] = (), kept: Tensor | None = None) -> Tensor:
        arrays = self._arrays.setdefault(name, [])
        if kept is None:
            for one in arrays:  # it may be read by others: it stays as it is
                if _same(one.pieces, pieces) and not len(one.darkened):
                    return _tensor(one)
        count = sum(piece if isinstance(piece, int) else len(piece) for piece in pieces)
        shape = (count, *next(piece.shape[1:] for piece in pieces if not isinstance(piece, int)))
        for one in arrays:
            one.tensor = None
        free = [one for one in arrays if one.memory.shape == shape and not one.is_read]
        if free:
            array = max(free, key=lambda one: sum(_same((a,), (b,)) for a, b in zip(one.pieces, pieces, strict=False)))
        else:
            array = _Array(np.empty(shape, dtype=np.float32), None)
            arrays.append(array)
        spare = [one for one in arrays if one is not array and not one.is_read]
        for one in spare[_MOST_SPARE - 1 :]:
            arrays.remove(one)
        _write(array, pieces, identity)
        if kept is not None:
            _darken(array, kept)
        return _tensor(array)


def _tensor(array: _Array) -> Tensor:
    if array.tensor is None:
        array.tensor = torch.from_numpy(array.memory)
    return array.tensor


def _is_odd(part: Splats, first: Splats) -> bool:
    """Whether parts do not fit together as they are, or are not where we can write."""
    return (
        part.device.type != "cpu"
        or part.means.dtype != torch.float32
        or part.sh.shape[1] != first.sh.shape[1]
        or part.mode != first.mode
        or part.mode == "mixed"
        or part.means.requires_grad
    )


def _same(one: Pieces, other: Pieces) -> bool:
    """Whether pieces are the very same tensors: those are never written to."""
    if len(one) != len(other):
        return False
    return all(a is b or (isinstance(a, int) and a == b) for a, b in zip(one, other, strict=True))


def _write(array: _Array, pieces: Pieces, identity: tuple[float, ...]) -> None:
    """Brings memory to what the pieces say, writing only what it does not hold already."""
    before: dict[int, Tensor | int] = {}
    start = 0
    for piece in array.pieces:
        before[start] = piece
        start += piece if isinstance(piece, int) else len(piece)
    start = 0
    for piece in pieces:
        stop = start + (piece if isinstance(piece, int) else len(piece))
        rows = array.memory[start:stop]
        if start in before and _same((before[start],), (piece,)):
            if not isinstance(piece, int) and len(array.darkened):
                low, high = np.searchsorted(array.darkened, (start, stop))
                own = array.darkened[low:high]
                array.memory[own] = piece.numpy()[own - start]
        elif isinstance(piece, int):
            rows[:] = identity
        else:
            rows[:] = piece.detach().numpy()
        start = stop
    array.pieces, array.darkened = pieces, np.zeros(0, dtype=np.int64)


def _darken(array: _Array, kept: Tensor) -> None:
    from splatfilm.render.kernels import extension

    shares = kept.numpy()
    rows = np.nonzero(shares < 1)[0]
    extension().darken(array.memory, rows, shares[rows], array.memory)
    array.darkened = rows
