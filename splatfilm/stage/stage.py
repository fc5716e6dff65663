"""A scene at a scene frame, as one set of splats: set first, then the cast in the film's order.

What stands still is read and placed once and keeps its bits from frame to frame; what moves is placed anew. Nothing
depends on which frames were asked for before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.threads import one_torch_thread
from splatfilm.film.model import LAYER_PREFIX, Contact, Film
from splatfilm.stage.placement import Placed, Placements
from splatfilm.stage.wardrobe import Source, Stood, Wardrobe

if TYPE_CHECKING:
    from torch import Tensor

    from splatfilm.splats import Splats
    from splatfilm.stage.actor import Carried
    from splatfilm.stage.canvas import Canvas
    from splatfilm.stage.contact import Known, Patches
    from splatfilm.stage.lighting import Lighting
    from splatfilm.stage.resting import Resting

    Stands = tuple[tuple[Splats, ...], tuple[Tensor | None, ...]]
    """A member's splats, layer by layer, and what the light of the set multiplies their colours by."""


@dataclass(frozen=True)
class Span:
    """Which rows of the staged splats belong to which member of the scene. The first is always the set.

    A look of layers has a span for each of them, one after the other; `layer` is empty where a look is one thing.
    """

    member: str
    asset: str
    look: str
    start: int
    stop: int
    layer: str = ""
    shown: NDArray[np.int64] | None = field(default=None, compare=False)
    """[stop - start] which splats of its source, ascending: what is worn over a layer hides the others. None: all."""

    @property
    def source(self) -> Source:
        """Where the splats come from."""
        return self.asset, LAYER_PREFIX + self.layer if self.layer else self.look

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)


@dataclass(frozen=True, eq=False)
class Staged:
    """The splats of a scene at a frame, and whose they are. Frames may share tensors: never write to them."""

    splats: Splats
    spans: tuple[Span, ...]
    visibility: Tensor | None = None  # [N] share of its light that each splat keeps; None: nothing was asked of contact


@dataclass(frozen=True, eq=False)
class _Moment:
    """A scene frame: who is where, their splats span by span, and those put together, with contact and without.

    `gains` are what the light of the set multiplies the colours of a part by.
    """

    placed: tuple[Placed, ...]
    parts: tuple[Splats, ...]
    gains: tuple[Tensor | None, ...]
    spans: tuple[Span, ...]
    staged: dict[Contact | None, Staged]


class Stage:
    """A scene that can be asked for its splats at any scene frame.

    `sources` maps (asset, look) and (asset, layer) to the splat file that shows it. Files are read when a frame first
    needs them. Keeps the splats of every look that was shown, and every member's as last placed. Bindings of splats to
    rigs take seconds and are kept in the folder `bindings`, where one is given.
    """

    def __init__(
        self,
        film: Film,
        scene_name: str,
        sources: Mapping[Source, str | os.PathLike[str]],
        device: str = "cpu",
        bindings: str | os.PathLike[str] | None = None,
    ) -> None:
        """Raises `KeyError` for an unknown scene, `ValueError` when `sources` lacks a look that the scene shows."""
        self.placements = Placements(film, scene_name)
        missing = [source for source in self.placements.sources() if source not in sources]
        if missing:
            listed = ", ".join(f"{asset} ({look})" for asset, look in missing)
            raise ValueError(f"scene {scene_name!r} needs splats that were not given: {listed}")
        self._wardrobe = Wardrobe(film, sources, device, bindings)
        self._lit_by: Lighting | None = None
        self._standing: dict[int, tuple[Placed, Stands]] = {}
        self._moment: _Moment | None = None
        self._known: Known | None = None
        self._diagonals: dict[tuple[Source, ...], float] = {}
        self._patched: dict[tuple[Source, ...], Patches] = {}
        self._drawn_on: Canvas | None = None

    def describe(self, frame: float) -> dict[str, Any]:
        """`Placements.describe`: what decides the staged splats, for a frame's key. Does not import torch."""
        return self.placements.describe(frame)

    def at(self, frame: float, shown: float | None = None, contact: Contact | None = None) -> Staged:
        """The scene's splats at a scene frame; `shown` as for `Placements.at`. With `contact`, in one another's shadow.

        Raises `InputError` when a file is damaged.
        """
        placed = self.placements.at(frame, shown)
        if len(placed) == 1:
            contact = None
        if self._moment is None or self._moment.placed != placed:
            with one_torch_thread():
                self._moment = self._moment_of(placed)
        moment = self._moment
        if contact not in moment.staged:
            with one_torch_thread():
                moment.staged[contact] = self._composed(moment, contact)
        return moment.staged[contact]

    @property
    def _canvas(self) -> Canvas:
        from splatfilm.stage.canvas import Canvas

        if self._drawn_on is None:
            self._drawn_on = Canvas()
        return self._drawn_on

    @property
    def _lighting(self) -> Lighting:
        from splatfilm.stage.lighting import Lighting

        if self._lit_by is None:
            self._lit_by = Lighting(self._wardrobe, self.placements.scene)
        return self._lit_by

    def _composed(self, moment: _Moment, contact: Contact | None) -> Staged:
        """All parts of a moment in their order; with `contact` in one another's shadow."""
        if contact is None:
            return Staged(self._canvas.joined(moment.parts, None, moment.gains), moment.spans)
        from splatfilm.stage.contact import Body, Known, visibility

        part = {member.name: member.contact for member in self.placements.scene.cast}
        before = moment.spans[0].stop
        bodies = []
        for one in moment.placed[1:]:
            own = [span for span in moment.spans[1:] if span.member == one.member]
            rows = slice(own[0].start - before, own[-1].stop - before)
            bodies.append(Body(rows, self._diagonal(one), one, part[one.member], self._patches(one)))
        if self._known is None:
            self._known = Known()
        means, quats, scales, opacities = (part[before:] for part in self._canvas.geometry(moment.parts))
        cast = means, quats, scales, opacities
        kept = visibility(moment.parts[0], cast, bodies, contact, self._known)
        splats = self._canvas.joined(moment.parts, kept if contact.beauty else None, moment.gains)
        return Staged(splats, moment.spans, kept.to(splats.device))

    def _diagonal(self, placed: Placed) -> float:
        """How large what a member shows is at rest; the same at every frame, whatever its pose."""
        from splatfilm.stage.contact import diagonal

        sources = tuple((placed.asset, source) for source in placed.sources)
        if sources not in self._diagonals:
            film = self.placements.film
            sizes = (diagonal(self._wardrobe.splats(*one)) * film.source(*one).place.scale for one in sources)
            self._diagonals[sources] = max(sizes)
        return self._diagonals[sources]

    def _patches(self, placed: Placed) -> Patches:
        """What of a member stands for all that it shows when light is taken from it; the same in whatever pose."""
        from splatfilm.stage.contact import patches

        sources = tuple((placed.asset, source) for source in placed.sources)
        if sources not in self._patched:
            parts = [self._wardrobe.rest(placed, source) for source in placed.sources]
            self._patched[sources] = patches(parts)
        return self._patched[sources]

    def resting(self, frame: float, shown: float | None = None) -> tuple[Resting, ...]:
        """Where the splats of `at(frame, shown)` lie at rest, span by span."""
        from splatfilm.stage.resting import Resting

        staged = self.at(frame, shown)
        members = {placed.member: placed for placed in self.placements.at(frame, shown)}
        found = []
        for span in staged.spans:
            placed = members[span.member]
            posed, space = placed.pose is not None, f"{placed.asset}/{placed.member}"
            means = self._wardrobe.rest(placed, span.source[1]).means if posed or placed.sways else None
            found.append(Resting(space, span.member, span.start, span.stop, placed.place, means, posed))
        return tuple(found)

    def _moment_of(self, placed: tuple[Placed, ...]) -> _Moment:
        order = {member.name: number for number, member in enumerate(self.placements.scene.cast, start=1)}
        numbers = [0, *(order[p.member] for p in placed[1:])]
        parts: list[Splats] = []
        lights: list[Tensor | None] = []
        spans, start = [], 0
        for number, member in zip(numbers, placed, strict=True):
            splats, gains = self._stand(number, member)
            lights += gains
            for source, part in zip(member.sources, splats, strict=True):
                layer = source.removeprefix(LAYER_PREFIX) if source.startswith(LAYER_PREFIX) else ""
                shown, stop = self._wardrobe.which(member, source), start + len(part)
                spans.append(Span(member.member, member.asset, member.look, start, stop, layer, shown))
                parts.append(part)
                start += len(part)
        return _Moment(placed, tuple(parts), tuple(lights), tuple(spans), {})

    def _stand(self, number: int, placed: Placed) -> Stands:
        """The splats of one member, layer by layer, from the frame before when nothing about it has changed."""
        from splatfilm.splats import transformed

        known = self._standing.get(number)
        if known is not None and known[0] == placed:
            return known[1]
        carried: Carried | None = None
        if placed.pose is None and not placed.worn:
            look = self._wardrobe.splats(placed.asset, placed.look)
            stood: tuple[Stood, ...] = (Stood(transformed(look, placed.place)),)
        else:
            carried = self._wardrobe.carried(placed)
            stood = self._wardrobe.dressed(placed, carried)
        splats = tuple(one.seen for one in stood)
        gains: tuple[Tensor | None, ...] = (None,) * len(splats)
        if placed.light is not None:
            gains = self._lighting.gains(placed, stood, carried)
        if placed.stirs:
            from splatfilm.stage.ambient import stirred
            from splatfilm.stage.light import shown

            splats, gains = tuple(map(shown, splats, gains)), (None,) * len(splats)
            rests = [self._wardrobe.rest(placed, source) for source in placed.sources]
            splats = tuple(stirred(part, rest, placed) for part, rest in zip(splats, rests, strict=True))
        self._standing[number] = placed, (splats, gains)
        return splats, gains
