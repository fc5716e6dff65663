"""Staged splats in memory that is used again: what stands still is not copied for every frame.

A frame's splats are those of the set, which rarely moves, and of the cast, which does. An array whose last reader is
gone is written again, and only where it differs from what it must hold; one that is still read is left alone and
another is taken. So tensors that were handed out never change. Same values as `splats.compose`, to the bit.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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


_ALL = np.empty(0, dtype=np.float32)


class _Lit(NamedTuple):
    """Coefficients, and by how much each channel is multiplied."""

    sh: Tensor  # [N, K, 3]
    gains: Tensor  # [N, 3]


Piece = Tensor | _Lit | int
"""A tensor, colours in a light, or for how many rows the identity."""
Pieces = tuple[Piece, ...]


@dataclass(eq=False)
class _Array:
    """Memory, and what was written into it: whose rows, and how much of their light each of them kept."""

    memory: NDArray[np.float32]
    tensor: Tensor | None  # gone when only readers hold on to it
    pieces: Pieces = ()
    kept: NDArray[np.float32] = field(default_factory=lambda: _ALL)  # [N]; none: everything kept all of its light

    @property
    def is_read(self) -> bool:
        """Whether somebody holds a tensor of this memory: those keep the array itself alive."""
        return sys.getrefcount(self.memory) > 2  # our own field, and the call's argument


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

    def joined(
        self, parts: Sequence[Splats], kept: Tensor | None = None, gains: Sequence[Tensor | None] = ()
    ) -> Splats:
        """All parts in their order, each splat as bright as the root of the share `kept` [N] of its light.

        `gains` are those of the parts' colours, [N, 3] each, where they have any.
        """
        first = parts[0]
        lights = list(gains) or [None] * len(parts)
        if len(parts) == 1 or any(_is_odd(part, first) for part in parts):
            from splatfilm.stage.contact import darkened
            from splatfilm.stage.light import shown

            lit = (shown(part, own) for part, own in zip(parts, lights, strict=True))
            whole = compose([(part, IDENTITY) for part in lit])
            return whole if kept is None else darkened(whole, kept)
        geometry = {name: self._put(name, tuple(getattr(part, name) for part in parts)) for name in _GEOMETRY}
        moved = {
            name: self._put(name, tuple(len(p) if getattr(p, name) is None else getattr(p, name) for p in parts), rest)
            for name, rest in (("stretches", IDENTITY_STRETCH), ("turns", IDENTITY_TURN))
            if any(getattr(part, name) is not None for part in parts)
        }
        colours = (p.sh if own is None else _Lit(p.sh, own) for p, own in zip(parts, lights, strict=True))
        sh = self._painted(tuple(colours), _ALL if kept is None else kept.numpy())
        joined = Splats(**geometry, **moved, sh=sh, mode=first.mode)
        know_first_part(joined, first)
        return joined

    def _put(self, name: str, pieces: Pieces, identity: tuple[float, ...] = ()) -> Tensor:
        for one in self._arrays.get(name, []):  # it may be read by others: it stays as it is
            if _same(one.pieces, pieces):
                return _tensor(one)
        array = self._free(name, pieces)
        _write(array, pieces, identity)
        return _tensor(array)

    def _painted(self, pieces: Pieces, kept: NDArray[np.float32]) -> Tensor:
        for one in self._arrays.get("sh", []):
            if _same(one.pieces, pieces) and not len(kept) and not len(one.kept):
                return _tensor(one)
        array = self._free("sh", pieces)
        _paint(array, pieces, kept)
        return _tensor(array)

    def _free(self, name: str, pieces: Pieces) -> _Array:
        """Memory that nobody reads, with as much as can be of what is to be written there already."""
        arrays = self._arrays.setdefault(name, [])
        count = sum(_length(piece) for piece in pieces)
        given = next(piece for piece in pieces if not isinstance(piece, int))
        shape = (count, *(given.sh if isinstance(given, _Lit) else given).shape[1:])
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
        return array


def _length(piece: Piece) -> int:
    return piece if isinstance(piece, int) else len(piece.sh if isinstance(piece, _Lit) else piece)


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
    return all(a is b or _alike(a, b) for a, b in zip(one, other, strict=True))


def _alike(one: Piece, other: Piece) -> bool:
    if isinstance(one, _Lit) and isinstance(other, _Lit):
        return one.sh is other.sh and one.gains is other.gains
    return isinstance(one, int) and isinstance(other, int) and one == other


def _held(array: _Array) -> dict[int, Piece]:
    """By its first row what an array holds."""
    starts = itertools.accumulate((_length(piece) for piece in array.pieces), initial=0)
    return dict(zip(starts, array.pieces, strict=False))


def _write(array: _Array, pieces: Pieces, identity: tuple[float, ...]) -> None:
    """Brings memory to what the pieces say, writing only what it does not hold already."""
    before, start = _held(array), 0
    for piece in pieces:
        stop = start + _length(piece)
        if start not in before or not _same((before[start],), (piece,)):
            array.memory[start:stop] = piece.detach().numpy() if isinstance(piece, Tensor) else identity
        start = stop
    array.pieces = pieces


def _paint(array: _Array, pieces: Pieces, kept: NDArray[np.float32]) -> None:
    """The same for colours of which shares are kept: only rows with another share than before are written again."""
    from splatfilm.render.kernels import extension

    before, start = _held(array), 0
    for piece in pieces:
        assert not isinstance(piece, int), "every part has colours"
        rows = slice(start, start + _length(piece))
        fresh = start not in before or not _same((before[start],), (piece,))
        sh, gains = (piece.sh, piece.gains.numpy()) if isinstance(piece, _Lit) else (piece, _ALL)
        held = _ALL if fresh else array.kept[rows]
        extension().paint(sh.detach().contiguous().numpy(), gains, kept[rows], held, fresh, array.memory[rows])
        start = rows.stop
    array.pieces, array.kept = pieces, kept
