"""Splats moved as one rigid thing, and several of them put together into one set.

A part that stands still keeps its bits: an identity, or the rotation, scale or translation that a placement does not
have, leaves the very tensors of its input. Everything else is computed in float64 by separate multiplications and
additions (no matrix library, whose last bit depends on threads and alignment) and rounded once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import MutableMapping, Sequence

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splatfilm.base.rigid import Similarity, matrix_from_quaternion, normalised
from splatfilm.splats import sh as harmonics
from splatfilm.splats.posed import IDENTITY_STRETCH, IDENTITY_TURN, packed, symmetric
from splatfilm.splats.splats import SH_BASIS_COUNTS, Splats


def transformed(splats: Splats, place: Similarity) -> Splats:
    """The same splats after x -> s R x + t: means, quaternions, scales and view-dependent colour. Differentiable."""
    turns = any(place.rotation[1:])
    grows = place.scale != 1.0
    if not place.scale > 0:
        raise ValueError(f"the scale of a placement must be greater than 0, not {place.scale}")
    if not (turns or grows or any(place.translation)):
        return splats
    moved = dataclasses.replace(
        splats,
        means=_moved(splats.means, place, turns),
        quats=_turned(splats.quats, place) if turns else splats.quats,
        scales=(splats.scales.double() * place.scale).to(splats.scales.dtype) if grows else splats.scales,
        sh=harmonics.rotate(splats.sh, place.rotation) if turns and splats.turns is None else splats.sh,
    )
    if not turns:
        return moved
    return dataclasses.replace(
        moved,
        stretches=None if splats.stretches is None else _turned_stretches(splats.stretches, place),
        turns=None if splats.turns is None else _turned(splats.turns, place),
    )


def compose(parts: Sequence[tuple[Splats, Similarity]]) -> Splats:
    """All parts, each in its place, in the order given. That order decides ties when a picture is drawn: keep it.

    SH of a lower degree are padded with zeros, which draws the same. One part alone comes back as `transformed` gives
    it, sharing its tensors. Where classic and antialiased splats meet the result is `mixed`, and every splat is drawn
    as it would be alone: the opacity that antialiased splats lose under a pixel depends on the view, so neither kind
    can be rewritten as the other. Raises `ValueError` for no parts, or parts on several devices or of several dtypes.
    """
    if not parts:
        raise ValueError("nothing to compose")
    placed = [transformed(part, place) for part, place in parts]
    first = placed[0]
    for part in placed:
        if (part.device, part.means.dtype) != (first.device, first.means.dtype):
            raise ValueError(
                f"parts must share device and dtype: {part.device}, {part.means.dtype} "
                f"after {first.device}, {first.means.dtype}"
            )
    if len(placed) == 1:
        return first
    antialiased = _each_antialiased(placed)
    basis = SH_BASIS_COUNTS[max(part.sh_degree for part in placed)]
    composed = Splats(
        means=torch.cat([part.means for part in placed]),
        quats=torch.cat([part.quats for part in placed]),
        scales=torch.cat([part.scales for part in placed]),
        opacities=torch.cat([part.opacities for part in placed]),
        sh=torch.cat([_padded(part.sh, basis) for part in placed]),
        mode=first.mode if antialiased is None else "mixed",
        stretches=_joined(placed, "stretches", IDENTITY_STRETCH),
        turns=_joined(placed, "turns", IDENTITY_TURN),
        antialiased=antialiased,
    )
    know_first_part(composed, first)
    return composed


def know_first_part(composed: Splats, first: Splats) -> None:
    """Says of splats that somebody put together that they begin with `first`, for `first_part`."""
    _first_parts[composed.means] = _others(composed), first


def first_part(splats: Splats) -> Splats:
    """Of splats that `compose` made, the first part with its very tensors: the set, which stays while casts change.

    Splats of any other origin, and those that have got another shape since, are their own first part.
    """
    others, first = _first_parts.get(splats.means, ((), splats))
    same = len(others) and all(one is other for one, other in zip(_others(splats), others, strict=True))
    return first if same else splats


def _others(splats: Splats) -> tuple[Tensor | None, ...]:
    """What gives splats their shape beside the means."""
    return splats.quats, splats.scales, splats.opacities, splats.stretches


_first_parts: MutableMapping[Tensor, tuple[tuple[Tensor | None, ...], Splats]] = WeakIdKeyDictionary()
"""By the means of what was composed, for as long as it lives: its other tensors, and its first part."""


def _joined(parts: Sequence[Splats], name: str, identity: tuple[float, ...]) -> Tensor | None:
    """What drivers did to all parts; identities for those that none has moved, None where nothing was moved at all."""
    found: list[Tensor | None] = [getattr(part, name) for part in parts]
    if all(one is None for one in found):
        return None
    still = [part.means.new_tensor(identity).expand(len(part), -1) for part in parts]
    return torch.cat([rest if one is None else one for one, rest in zip(found, still, strict=True)])


def _turned_stretches(stretches: Tensor, place: Similarity) -> Tensor:  # [N, 6] -> [N, 6]
    """R V R^T."""
    r = torch.from_numpy(matrix_from_quaternion(place.rotation)).to(stretches.device)
    v = symmetric(stretches.double())
    half = (r[None, :, :, None] * v[:, None, :, :]).sum(dim=2)
    return packed((half[:, :, None, :] * r[None, None, :, :]).sum(dim=3)).to(stretches.dtype)


def _moved(means: Tensor, place: Similarity, turns: bool) -> Tensor:  # [N, 3] -> [N, 3]
    x, y, z = means.double().unbind(-1)
    if turns:
        m = matrix_from_quaternion(place.rotation).tolist()
        x, y, z = ((row[0] * x + row[1] * y) + row[2] * z for row in m)
    moved = [place.scale * axis + offset for axis, offset in zip((x, y, z), place.translation, strict=True)]
    return torch.stack(moved, dim=-1).to(means.dtype)


def _turned(quats: Tensor, place: Similarity) -> Tensor:  # [N, 4] -> [N, 4] unit
    aw, ax, ay, az = normalised(place.rotation).tolist()
    w, x, y, z = quats.double().unbind(-1)
    turned = (
        aw * w - ax * x - ay * y - az * z,
        aw * x + ax * w + ay * z - az * y,
        aw * y - ax * z + ay * w + az * x,
        aw * z + ax * y - ay * x + az * w,
    )
    w, x, y, z = turned
    norm = (w * w + x * x + y * y + z * z).sqrt()
    return torch.stack([part / norm for part in turned], dim=-1).to(quats.dtype)


def _padded(sh: Tensor, basis: int) -> Tensor:  # [N, K, 3] -> [N, basis, 3]
    missing = basis - sh.shape[1]
    return torch.cat([sh, sh.new_zeros(len(sh), missing, 3)], dim=1) if missing else sh


def _each_antialiased(parts: Sequence[Splats]) -> Tensor | None:  # -> [N] bool
    """Which splats are antialiased, where classic and antialiased ones meet; None where all are of one mode."""
    if len({part.mode for part in parts}) == 1 and parts[0].mode != "mixed":
        return None
    return torch.cat(
        [
            part.means.new_full((len(part),), part.mode == "antialiased", dtype=torch.bool)
            if part.antialiased is None
            else part.antialiased
            for part in parts
        ]
    )
