"""Splats as the overview draws them: fewer where there are many, with one colour each, as plain arrays.

The overview is for finding one's way, the look-through for judging pictures: view-dependent colour is left out, and of
a large scene those splats are kept that cover most, so that a million of them open as quickly as a hundred thousand.
A set is looked into from above, as a doll's house: without what was learnt of the world beyond it, without haze in the
air, and, where it is a room, cut open above the highest camera.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.hashing import hash_value

if TYPE_CHECKING:
    from torch import Tensor

    from splatfilm.splats import Splats
    from splatfilm.stage.stage import Stage

Array = NDArray[np.float32]

MOST_SPLATS = 200_000
"""What a laptop's browser sorts and draws thirty times a second; 32 bytes each on the wire."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Some splats to draw. `key` changes when they do."""

    key: str
    centres: Array  # [N, 3] metres
    covariances: Array  # [N, 3, 3] square metres
    colours: Array  # [N, 3] 0..1
    opacities: Array  # [N, 1] 0..1

    def __len__(self) -> int:
        return len(self.centres)


def cloud_of(splats: Splats, most: int = MOST_SPLATS, key: str = "", rows: Tensor | None = None) -> Cloud:
    """At most `most` of the splats: those that cover most (opacity times the area of their two longest axes).

    Where `rows` are given, of these alone.
    """
    import torch

    from splatfilm.splats.posed import covariances
    from splatfilm.splats.sh import C0

    with torch.no_grad():
        if rows is None:
            rows = torch.arange(len(splats), device=splats.means.device)
        if len(rows) > most:
            scales = splats.scales[rows]
            cover = splats.opacities[rows] * scales.prod(dim=1) / scales.amin(dim=1)
            rows = rows[cover.topk(most).indices.sort().values]
        if len(rows) < len(splats):
            splats = _rows(splats, rows)
        colours = (splats.sh[:, 0] * C0 + 0.5).clamp(0, 1)
        arrays = [splats.means, covariances(splats), colours, splats.opacities[:, None]]
        means, spread, rgb, opacities = (a.detach().cpu().numpy().astype(np.float32) for a in arrays)
    return Cloud(key, means, spread, rgb, opacities)


@dataclass(frozen=True, eq=False)
class Part:
    """A member of a scene that is to become a cloud of at most `most` splats; a set is cut open for these `eyes`."""

    key: str
    splats: Splats
    most: int
    eyes: Array | None = None  # [N, 3] metres: cameras; None is no set

    def cloud(self) -> Cloud:
        """Its cloud; takes a while where there are many splats."""
        return cloud_of(self.splats, self.most, self.key, None if self.eyes is None else opened(self.splats, self.eyes))


def parts_of(
    stage: Stage, frame: int, known: Mapping[str, str], eyes: Array, most: int = MOST_SPLATS
) -> dict[str, Part | None]:
    """Everything that is in a scene at a frame, by member; None for what still has the key in `known`.

    Each member gets its share of `most` by its number of splats. `eyes` [N, 3] are where the scene's cameras stand.
    """
    placed = stage.placements.at(frame)
    roof = roof_over(eyes)
    keys = {
        p.member: hash_value(
            [id(stage), p.asset, p.look, list(p.worn), p.pose_key, *_place(p.place), *([] if n else [roof])]
        )
        for n, p in enumerate(placed)
    }
    if keys == dict(known):
        return dict.fromkeys(keys)
    staged = stage.at(frame)
    share = min(1.0, most / max(1, len(staged.splats)))
    found: dict[str, Part | None] = {}
    for name, key in keys.items():
        spans = [span for span in staged.spans if span.member == name]
        if known.get(name) == key or not spans:
            found[name] = None
            continue
        part = _rows(staged.splats, slice(spans[0].start, spans[-1].stop))
        found[name] = Part(key, part, max(1, int(len(part) * share)), eyes if name == placed[0].member else None)
    return found


ROOF_STEP = 0.5  # metres: a camera that rises a little does not have the whole set drawn anew
ROOM_ABOVE = 3.0  # metres: what is lower above the roof is a room's, and cut off; a street or a wood stays whole
BEYOND = 2.0  # per cent of the splats at either end of an axis that may be the world beyond the set
AIR = 0.3  # metres added around the rest
HAZE = 0.04  # of the set's diagonal: a splat that is longer is no thing that one could walk around


def roof_over(eyes: Array) -> float:
    """The height at which a room is cut open, so that every camera of it stays in sight."""
    highest = float(eyes[:, 2].max(initial=0.0)) + 0.35
    return ROOF_STEP * math.ceil(highest / ROOF_STEP)


def opened(splats: Splats, eyes: Array) -> Tensor:  # -> [K] rows
    """The splats of a set that one sees when one looks into it from above; all, where none would be left."""
    import torch

    means = splats.means.detach().cpu()
    sample = means[:: max(1, len(means) // 100_000)].numpy()
    low, high = np.percentile(sample, (BEYOND, 100 - BEYOND), axis=0)
    roof, top = roof_over(eyes), float(high[2])
    low, high = low - AIR, high + AIR
    if roof < top < roof + ROOM_ABOVE:
        high[2] = roof
    corners = torch.from_numpy(np.stack([low, high]).astype(np.float32))
    inside = ((means >= corners[0]) & (means <= corners[1])).all(dim=1)
    compact = splats.scales.detach().amax(dim=1).cpu() <= HAZE * float(np.linalg.norm(high - low))
    kept = torch.nonzero(inside & compact)[:, 0].to(splats.means.device)
    return kept if len(kept) else torch.arange(len(splats))


def _place(place: object) -> list[object]:
    return [list(place.rotation), list(place.translation), place.scale]  # type: ignore[attr-defined]


def _rows(splats: Splats, rows: object) -> Splats:
    import dataclasses

    more: dict[str, Any] = {
        name: None if (v := getattr(splats, name)) is None else v[rows] for name in ("stretches", "turns")
    }
    return dataclasses.replace(
        splats,
        means=splats.means[rows],  # type: ignore[index]
        quats=splats.quats[rows],  # type: ignore[index]
        scales=splats.scales[rows],  # type: ignore[index]
        opacities=splats.opacities[rows],  # type: ignore[index]
        sh=splats.sh[rows],  # type: ignore[index]
        **more,
    )
