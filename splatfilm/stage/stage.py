"""A scene at a scene frame, as one set of splats: set first, then the cast in the film's order.

What stands still is read and placed once and keeps its bits from frame to frame; what moves is placed anew. Nothing
depends on which frames were asked for before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.base.hashing import hash_value
from splatfilm.base.threads import one_torch_thread
from splatfilm.film.model import LAYER_PREFIX, Contact, Film, Lamp
from splatfilm.stage.placement import Placed, Placements
from splatfilm.stage.rigs.files import load_rig

if TYPE_CHECKING:
    from torch import Tensor

    from splatfilm.splats import Splats
    from splatfilm.stage.actor import BoundLayer, Carried
    from splatfilm.stage.canvas import Canvas
    from splatfilm.stage.contact import Known, Patches
    from splatfilm.stage.lamps import Group, Lamplight, Shone, Together, Worn
    from splatfilm.stage.light import Probes, Surface
    from splatfilm.stage.normals import Footing
    from splatfilm.stage.resting import Resting
    from splatfilm.stage.rigs.rig import Rig
    from splatfilm.stage.sunlight import Proxy, Sunlight

Source = tuple[str, str]
"""(asset, look), or (asset, "layers/" and the layer's name)."""


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


_Stands = tuple[tuple["Splats", ...], tuple["Tensor | None", ...]]
"""A member's splats, layer by layer, and what the light of the set multiplies their colours by."""


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
        self._sources = dict(sources)
        self._device = device
        self._read: dict[Source, Splats] = {}
        self._bindings = bindings
        self._bound: dict[tuple[Source, tuple[str, ...]], BoundLayer] = {}
        self._shown: dict[tuple[Source, tuple[str, ...]], NDArray[np.int64]] = {}
        self._standing: dict[int, tuple[Placed, _Stands]] = {}
        self._moment: _Moment | None = None
        self._known: Known | None = None
        self._diagonals: dict[tuple[Source, ...], float] = {}
        self._patched: dict[tuple[Source, ...], Patches] = {}
        self._surfaces: dict[tuple[Source, tuple[str, ...]], Surface] = {}
        self._probes: Probes | None = None
        self._drawn_on: Canvas | None = None
        self._lamplights: dict[tuple[Lamp, ...], Lamplight] = {}
        self._sunlight: tuple[tuple[Lamp, ...], Sunlight] | None = None
        self._footings: dict[Source, Footing] = {}
        self._proxies: dict[tuple[Any, ...], tuple[Proxy, list[Any]]] = {}
        self._worn_in_lamps: dict[tuple[tuple[Source, ...], tuple[Lamp, ...]], tuple[list[Worn], list[Together]]] = {}
        self._together: dict[tuple[tuple[Source, ...], tuple[Lamp, ...]], Together] = {}
        self._normals: dict[Source, Tensor] = {}

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
            sizes = (diagonal(self._splats(*one)) * film.source(*one).place.scale for one in sources)
            self._diagonals[sources] = max(sizes)
        return self._diagonals[sources]

    def _patches(self, placed: Placed) -> Patches:
        """What of a member stands for all that it shows when light is taken from it; the same in whatever pose."""
        from splatfilm.stage.contact import patches

        sources = tuple((placed.asset, source) for source in placed.sources)
        if sources not in self._patched:
            parts = [self._rest(placed, source) for source in placed.sources]
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
            means = self._rest(placed, span.source[1]).means if posed or placed.sways else None
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
                shown, stop = self._which(member, source), start + len(part)
                spans.append(Span(member.member, member.asset, member.look, start, stop, layer, shown))
                parts.append(part)
                start += len(part)
        return _Moment(placed, tuple(parts), tuple(lights), tuple(spans), {})

    def _stand(self, number: int, placed: Placed) -> _Stands:
        """The splats of one member, layer by layer, from the frame before when nothing about it has changed."""
        from splatfilm.splats import transformed

        known = self._standing.get(number)
        if known is not None and known[0] == placed:
            return known[1]
        splats: tuple[Splats, ...]
        carried: Carried | None = None
        if placed.pose is None and not placed.worn:
            splats = (transformed(self._splats(placed.asset, placed.look), placed.place),)
        else:
            carried = self._carried(placed)
            splats = tuple(self._dressed(placed, source, carried) for source in placed.sources)
        gains: tuple[Tensor | None, ...] = (None,) * len(splats)
        if placed.light is not None:
            splats, gains = self._lit(placed, splats, carried)
        if placed.stirs:
            from splatfilm.stage.ambient import stirred
            from splatfilm.stage.light import shown

            splats, gains = tuple(map(shown, splats, gains)), (None,) * len(splats)
            rests = [self._rest(placed, source) for source in placed.sources]
            splats = tuple(stirred(part, rest, placed) for part, rest in zip(splats, rests, strict=True))
        self._standing[number] = placed, (splats, gains)
        return splats, gains

    def _rest(self, placed: Placed, source: str) -> Splats:
        """The splats of a member as nothing has moved them yet."""
        if placed.pose is not None or placed.worn:
            return self._worn(placed, source).rest
        return self._splats(placed.asset, source)

    def _worn(self, placed: Placed, source: str) -> BoundLayer:
        """What is to be seen of a layer below what is worn over it."""
        name, hiding = (placed.asset, source), self._hiding(placed, source)
        if (name, hiding) not in self._bound:
            shown = self._seen(name, hiding)
            layer = self._layer(name)
            self._bound[name, hiding] = layer if shown is None else layer.only(shown)
        return self._bound[name, hiding]

    def _which(self, placed: Placed, source: str) -> NDArray[np.int64] | None:
        """The splats of a layer that are to be seen; None for all."""
        return self._seen((placed.asset, source), self._hiding(placed, source)) if placed.worn else None

    def _carried(self, placed: Placed) -> Carried | None:
        """What a member's pose does to all of its layers; None for one that has no pose."""
        from splatfilm.stage.actor import Carried

        if placed.pose is None:
            return None
        return Carried.by(self._rig(placed.asset), placed.pose, placed.place)

    def _dressed(self, placed: Placed, source: str, carried: Carried | None) -> Splats:
        """One layer of a character: posed, in its place, without what the layers over it hide."""
        from splatfilm.splats import transformed

        layer = self._worn(placed, source)
        return transformed(layer.rest, placed.place) if carried is None else layer.moved(carried)

    def _lit(self, placed: Placed, splats: tuple[Splats, ...], carried: Carried | None) -> _Stands:
        """A member in the light of the set, which stands still."""
        from splatfilm.splats import transformed
        from splatfilm.stage.light import Probes, gains_of

        assert placed.light is not None, "it is asked for"
        if self._probes is None:
            scene = self.placements.scene
            place = self.placements.film.assets[scene.set].looks[scene.set_look].place
            self._probes = Probes(transformed(self._splats(scene.set, scene.set_look), place))
        worn = [self._worn(placed, s) if placed.pose is not None or placed.worn else None for s in placed.sources]
        seen = tuple(p if one is None else one.photographed(p) for p, one in zip(splats, worn, strict=True))
        if placed.light.lamps:
            gains = self._in_lamps(placed, seen, carried)
        else:
            surfaces = tuple(self._surface(placed, source) for source in placed.sources)
            gains = gains_of(seen, surfaces, placed.light, self._probes, self._standing_at(placed))
        return splats, tuple(g if one is None else one.lit(g) for g, one in zip(gains, worn, strict=True))

    def _in_lamps(self, placed: Placed, splats: tuple[Splats, ...], carried: Carried | None) -> tuple[Tensor, ...]:
        """What a member's colours are multiplied by in the lamps of its scene."""
        from splatfilm.stage.lamps import Group, lamp_gains

        assert placed.light is not None and self._probes is not None, "it is lit, from a set that is known"
        lamps, names = placed.light.lamps, [(placed.asset, source) for source in placed.sources]
        on_mesh = carried is not None and self._rig(placed.asset).mesh is not None
        lamplight = self._lamplight(lamps, on_mesh)
        studio, groups = placed.light.studio, self._groups(placed)
        whole = {n: part for n, part in zip(names, splats, strict=True) if self._which(placed, n[1]) is None}
        for name in dict.fromkeys(one for group in groups for one in group):
            if name not in whole:
                whole[name] = self._stands_whole(placed, name, carried)
        key = tuple(names), studio
        if key not in self._worn_in_lamps:
            self._worn_in_lamps[key] = self._found_for_lamps(placed, names, groups)
        worn, together = self._worn_in_lamps[key]
        standing = []
        for group, known in zip(groups, together, strict=True):
            over = [name for name in names if name not in group] if placed.light.worn_shadows else []
            parts, others = (tuple(whole[name] for name in some) for some in (group, over))
            mesh = self._mesh_parts([*group, *over]) if on_mesh else ()
            standing.append(Group(known, parts, others, mesh))
        shone = self._shone(placed, carried, groups, standing) if carried is not None and on_mesh else None
        return lamp_gains(splats, worn, standing, placed.light, lamplight, self._probes, shone)

    def _found_for_lamps(
        self, placed: Placed, names: Sequence[Source], groups: Sequence[tuple[Source, ...]]
    ) -> tuple[list[Worn], list[Together]]:
        """What lamps take of each layer that is worn, and of what was photographed together, where it is seen."""
        from splatfilm.stage.lamps import Worn

        assert placed.light is not None, "it is lit"
        seen: dict[Source, NDArray[np.int64]] = {}
        for name in names:
            group = self._photographed_with(name)
            before = sum(len(self._whole(one)) for one in group[: group.index(name)])
            rows = self._which_lit(placed, name[1])
            seen[name] = before + (np.arange(len(self._whole(name))) if rows is None else rows)
        together = []
        for group in groups:
            own = [seen[name] for name in names if self._photographed_with(name) == group]
            together.append(self._before_camera(group, placed.light.studio).seen(np.concatenate(own)))
        worn = []
        for name in names:
            number = groups.index(self._photographed_with(name))
            worn.append(Worn.of(number, together[number], self._surface(placed, name[1]), seen[name]))
        return worn, together

    def _lamplight(self, lamps: tuple[Lamp, ...], on_mesh: bool) -> Lamplight:
        """The lamps that are looked for lot by lot; where splats hang on a mesh, a sun in a window is none of them."""
        from splatfilm.stage.lamps import Lamplight
        from splatfilm.stage.sunlight import by_window

        assert self._probes is not None, "the set is known"
        left = tuple(lamp for lamp in lamps if not (on_mesh and by_window(lamp)))
        if left not in self._lamplights:
            self._lamplights[left] = Lamplight(left, self._probes.setting)
        return self._lamplights[left]

    def _shone(
        self, placed: Placed, carried: Carried, groups: Sequence[tuple[Source, ...]], standing: Sequence[Group]
    ) -> Shone:
        """The suns on a member as its mesh stands."""
        from splatfilm.stage.lamps import Shone
        from splatfilm.stage.normals import Footing
        from splatfilm.stage.sunlight import Figure, Proxy, Sunlight

        assert placed.light is not None and self._probes is not None, "it is lit, from a set that is known"
        if self._sunlight is None or self._sunlight[0] != placed.light.lamps:
            before = None if self._sunlight is None else self._sunlight[1]
            self._sunlight = placed.light.lamps, Sunlight.of(placed.light.lamps, self._probes.setting, before)
        meshes = tuple(group.mesh for group in standing)
        key = (placed.asset, *placed.worn), meshes, placed.light.studio
        if key not in self._proxies:
            layers = [self._footing(placed, source) for source in placed.sources]
            places = [
                Footing.joined([self._foot(name) for name in group]).only(one.together.places.rows)
                for group, one in zip(groups, standing, strict=True)
            ]
            self._proxies[key] = Proxy.of(self._rig(placed.asset), [*layers, *places], meshes)
        proxy, feet = self._proxies[key]
        count = len(placed.sources)
        return Shone(self._sunlight[1], Figure.of(proxy, carried), feet[:count], feet[count:])

    def _footing(self, placed: Placed, source: str) -> Footing:
        """Where what is seen of a layer hangs on its mesh."""
        found, rows = self._foot((placed.asset, source)), self._which_lit(placed, source)
        return found if rows is None else found.only(rows)

    def _foot(self, name: Source) -> Footing:
        """Where all photographed splats of a layer hang on its mesh."""
        from splatfilm.stage.normals import footing

        if name not in self._footings:
            self._footings[name] = footing(self._rig(name[0]), self._whole(name), self._mesh_parts([name]))
        return self._footings[name]

    def _mesh_parts(self, names: Sequence[Source]) -> tuple[str, ...]:
        """The parts of the mesh that layers hang on; a layer that names none hangs on all of it."""
        parts: list[str] = []
        whole = self._rig(names[0][0]).mesh
        assert whole is not None, "they hang on one"
        for asset, source in names:
            mesh = self.placements.film.assets[asset].layers[source.removeprefix(LAYER_PREFIX)].mesh
            parts += mesh or whole.parts
        return tuple(dict.fromkeys(parts))

    def _groups(self, placed: Placed) -> list[tuple[Source, ...]]:
        """Which layers were photographed together, of all that a member wears."""
        names = ((placed.asset, source) for source in placed.sources)
        return list(dict.fromkeys(self._photographed_with(name) for name in names))

    def _stands_whole(self, placed: Placed, name: Source, carried: Carried | None) -> Splats:
        """A layer as it stands, with what is hidden of it or is not worn at all."""
        from splatfilm.splats import transformed

        layer = self._layer(name)
        return layer.photographed(transformed(layer.rest, placed.place) if carried is None else layer.standing(carried))

    def _before_camera(self, group: tuple[Source, ...], studio: tuple[Lamp, ...]) -> Together:
        """What is known at rest of layers that were photographed together."""
        from splatfilm.stage.lamps import Together

        if (group, studio) not in self._together:
            own = [k for k, name in enumerate(group) if self._photographed_with(name) == group]
            rests = [self._whole(name) for name in group]
            self._together[group, studio] = Together.of(rests, [self._facing(name) for name in group], own, studio)
        return self._together[group, studio]

    def _photographed_with(self, name: Source) -> tuple[Source, ...]:
        """A layer and what stood before the camera with it: others of its capture, or those that it is worn over."""
        asset, source = name
        layers = self.placements.film.assets[asset].layers
        own = source.removeprefix(LAYER_PREFIX)
        if own == source or layers[own].capture is None:
            return (name,)
        alike = {n for n in layers if not layers[n].over and layers[n].capture == layers[own].capture}
        there = {own, *(layers[own].over or alike)}
        group = ((asset, LAYER_PREFIX + n) for n in layers if n in there)
        return tuple(one for one in group if one in self._sources)

    def _whole(self, name: Source) -> Splats:
        """All splats of a layer or look that were photographed, at rest."""
        if self.placements.film.assets[name[0]].rig is None:
            return self._splats(*name)
        layer = self._layer(name)
        return layer.photographed(layer.rest)

    def _which_lit(self, placed: Placed, source: str) -> NDArray[np.int64] | None:
        """The photographed splats of a layer that are to be seen; None for all."""
        rows = self._which(placed, source)
        return None if rows is None else rows[rows < len(self._whole((placed.asset, source)))]

    def _standing_at(self, placed: Placed) -> NDArray[np.float64] | None:
        """The corners of the box about a character's joints, whatever it wears; None for one without a pose."""
        if placed.pose is None:
            return None
        from splatfilm.stage.rigs.skeleton import world_transforms

        joints = world_transforms(self._rig(placed.asset).skeleton, placed.pose)
        at = (placed.place.matrix() @ joints)[:, :3, 3]
        corners: NDArray[np.float64] = np.stack([at.min(axis=0), at.max(axis=0)])
        return corners

    def _surface(self, placed: Placed, source: str) -> Surface:
        """What light finds of what is seen of a layer or look."""
        from splatfilm.stage.light import Surface

        name = (placed.asset, source), self._hiding(placed, source)
        if name not in self._surfaces:
            rows, normals, rest = self._which_lit(placed, source), self._facing(name[0]), self._rest(placed, source)
            if placed.pose is not None or placed.worn:
                rest = self._worn(placed, source).photographed(rest)
            self._surfaces[name] = Surface.of(rest, normals if rows is None else normals[rows])
        return self._surfaces[name]

    def _facing(self, name: Source) -> Tensor:
        """The normals of a layer or look, in its splats' own axes; those of its mesh, where it has one."""
        from splatfilm.stage.light import in_own_axes, outward
        from splatfilm.stage.normals import facing_at_rest

        if name not in self._normals:
            asset, source = name
            rest, known = self._whole(name), None
            hangs = source.startswith(LAYER_PREFIX) and self.placements.film.assets[asset].rig is not None
            if hangs and self._rig(asset).mesh is not None:
                known = facing_at_rest(self._rig(asset), rest, self._foot(name))
            self._normals[name] = outward(rest) if known is None else in_own_axes(rest, known)
        return self._normals[name]

    def _rig(self, asset: str) -> Rig:
        path = self.placements.film.assets[asset].rig
        assert path is not None, "layers hang on a rig"
        return load_rig(path)

    def _layer(self, name: Source) -> BoundLayer:
        """A layer in its rig's space, bound."""
        from splatfilm.base.hashing import hash_file
        from splatfilm.stage.actor import bound_layer, in_rig_space

        if (name, ()) not in self._bound:
            film, (asset, source) = self.placements.film, name
            file, place = self._sources[name], film.source(asset, source).place
            given = hash_value([hash_file(file), list(place.rotation), list(place.translation), place.scale])
            mesh = film.assets[asset].layers[source.removeprefix(LAYER_PREFIX)].mesh if "/" in source else ()
            splats = in_rig_space(self._splats(asset, source), place)
            try:
                self._bound[name, ()] = bound_layer(self._rig(asset), splats, given, mesh, self._bindings)
            except ValueError as error:
                raise InputError.at(film.path, str(error), f"assets.{asset}.{source.replace('/', '.')}.mesh") from None
        return self._bound[name, ()]

    def _hiding(self, placed: Placed, source: str) -> tuple[str, ...]:
        """The layers that are worn over this one and cover it."""
        layers = self.placements.film.assets[placed.asset].layers
        own = source.removeprefix(LAYER_PREFIX)
        over = placed.worn[placed.worn.index(source) + 1 :] if source in placed.worn else ()
        names = [other.removeprefix(LAYER_PREFIX) for other in over]
        return tuple(name for name in names if own in layers[name].covers)

    def _seen(self, name: Source, hiding: tuple[str, ...]) -> NDArray[np.int64] | None:
        """The splats of a layer that the layers `hiding` do not hide; None where nothing is worn over it."""
        from splatfilm.stage.actor import covered

        if not hiding:
            return None
        if (name, hiding) not in self._shown:
            layer, rig = self._layer(name), self._rig(name[0])
            layers = self.placements.film.assets[name[0]].layers
            parts = tuple(dict.fromkeys(part for other in hiding for part in layers[other].mesh))
            own = layers[name[1].removeprefix(LAYER_PREFIX)].mesh if "/" in name[1] else ()
            hidden = covered(rig, layer.rest.means.cpu().numpy(), parts, own)
            if layer.borrowed is not None:
                hidden[layer.borrowed.lenders] = False
            self._shown[name, hiding] = np.nonzero(~hidden)[0]
        return self._shown[name, hiding]

    def _splats(self, asset: str, look: str) -> Splats:
        """The splats of a look as its file has them."""
        from splatfilm.splats import read_splats

        if (asset, look) not in self._read:
            self._read[asset, look] = read_splats(self._sources[asset, look]).to(self._device)
        return self._read[asset, look]
