"""Splats as the overview draws them: fewer where there are many, with one colour each, as plain arrays.

The overview is for finding one's way, the look-through for judging pictures: view-dependent colour is left out, and of
a large scene those splats are kept that cover most, so that a million of them open as quickly as a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.hashing import hash_value

if TYPE_CHECKING:
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


def cloud_of(splats: Splats, most: int = MOST_SPLATS, key: str = "") -> Cloud:
    """At most `most` of the splats: those that cover most (opacity times the area of their two longest axes)."""
    import torch

    from splatfilm.splats.posed import covariances
    from splatfilm.splats.sh import C0

    with torch.no_grad():
        if len(splats) > most:
            longest = splats.scales.topk(2, dim=1).values.prod(dim=1)
            chosen = (splats.opacities * longest).topk(most).indices.sort().values
            splats = _rows(splats, chosen)
        colours = (splats.sh[:, 0] * C0 + 0.5).clamp(0, 1)
        arrays = [splats.means, covariances(splats), colours, splats.opacities[:, None]]
        means, spread, rgb, opacities = (a.detach().cpu().numpy().astype(np.float32) for a in arrays)
    return Cloud(key, means, spread, rgb, opacities)


def clouds_of(stage: Stage, frame: int, known: Mapping[str, str], most: int = MOST_SPLATS) -> dict[str, Cloud | None]:
    """Everything that is in a scene at a frame, by member; None for what still has the key in `known`.

    Each member gets its share of `most` by its number of splats.
    """
    placed = {one.member: one for one in stage.placements.at(frame)}
    keys = {
        name: hash_value([id(stage), p.asset, p.look, list(p.worn), p.pose_key, *_place(p.place)])
        for name, p in placed.items()
    }
    if keys == dict(known):
        return dict.fromkeys(keys)
    staged = stage.at(frame)
    share = min(1.0, most / max(1, len(staged.splats)))
    found: dict[str, Cloud | None] = {}
    for name, key in keys.items():
        spans = [span for span in staged.spans if span.member == name]
        if known.get(name) == key or not spans:
            found[name] = None
            continue
        rows = slice(spans[0].start, spans[-1].stop)
        part = _rows(staged.splats, rows)
        found[name] = cloud_of(part, max(1, int(len(part) * share)), key)
    return found


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
