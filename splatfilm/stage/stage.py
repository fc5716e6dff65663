"""A scene at a scene frame, as one set of splats: set first, then the cast in the film's order.

What stands still is read and placed once and keeps its bits from frame to frame; what moves is placed anew. Nothing
depends on which frames were asked for before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from splatfilm.base.rigid import IDENTITY
from splatfilm.film.model import Film
from splatfilm.stage.placement import Placed, Placements

if TYPE_CHECKING:
    from splatfilm.splats import Splats

Source = tuple[str, str]
"""(asset, look)."""


@dataclass(frozen=True)
class Span:
    """Which rows of the staged splats belong to which member of the scene. The first is always the set."""

    member: str
    asset: str
    look: str
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)


@dataclass(frozen=True, eq=False)
class Staged:
    """The splats of a scene at a frame, and whose they are. Frames may share tensors: never write to them."""

    splats: Splats
    spans: tuple[Span, ...]


class Stage:
    """A scene that can be asked for its splats at any scene frame.

    `sources` maps (asset, look) to the splat file that shows it. Files are read when a frame first needs them. Keeps
    the splats of every look that was shown, and every member's as last placed.
    """

    def __init__(
        self, film: Film, scene_name: str, sources: Mapping[Source, str | os.PathLike[str]], device: str = "cpu"
    ) -> None:
        """Raises `KeyError` for an unknown scene, `ValueError` when `sources` lacks a look that the scene shows."""
        self.placements = Placements(film, scene_name)
        missing = [source for source in self.placements.sources() if source not in sources]
        if missing:
            listed = ", ".join(f"{asset} ({look})" for asset, look in missing)
            raise ValueError(f"scene {scene_name!r} needs splats that were not given: {listed}")
        self._sources = dict(sources)
        self._device = device
        self._read: dict[Source, Splats] = {}
        self._standing: dict[int, tuple[Placed, Splats]] = {}
        self._last: tuple[tuple[Placed, ...], Staged] | None = None

    def describe(self, frame: float) -> dict[str, Any]:
        """`Placements.describe`: what decides the staged splats, for a frame's key. Does not import torch."""
        return self.placements.describe(frame)

    def at(self, frame: float, shown: float | None = None) -> Staged:
        """The scene's splats at a scene frame; `shown` as for `Placements.at`.

        Raises `InputError` when a file is damaged, or when classic and antialiased splats meet.
        """
        placed = self.placements.at(frame, shown)
        if self._last is None or self._last[0] != placed:
            self._last = placed, self._compose(placed)
        return self._last[1]

    def _compose(self, placed: tuple[Placed, ...]) -> Staged:
        from splatfilm.splats import compose

        order = {member.name: number for number, member in enumerate(self.placements.scene.cast, start=1)}
        numbers = [0, *(order[p.member] for p in placed[1:])]
        parts = [self._stand(number, member) for number, member in zip(numbers, placed, strict=True)]
        scene = self.placements.scene.name
        splats = compose([(part, IDENTITY) for part in parts], [f"{scene}: {p.member} ({p.look})" for p in placed])
        spans, start = [], 0
        for member, part in zip(placed, parts, strict=True):
            spans.append(Span(member.member, member.asset, member.look, start, start + len(part)))
            start += len(part)
        return Staged(splats, tuple(spans))

    def _stand(self, number: int, placed: Placed) -> Splats:
        """The splats of one member in their place, from the frame before when nothing about it has changed."""
        from splatfilm.splats import transformed

        known = self._standing.get(number)
        if known is not None and known[0] == placed:
            return known[1]
        splats = transformed(self._splats(placed.asset, placed.look), placed.place)
        self._standing[number] = placed, splats
        return splats

    def _splats(self, asset: str, look: str) -> Splats:
        """The splats of a look as its file has them."""
        from splatfilm.splats import read_splats

        if (asset, look) not in self._read:
            self._read[asset, look] = read_splats(self._sources[asset, look]).to(self._device)
        return self._read[asset, look]
