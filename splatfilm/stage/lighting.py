"""What the light of its set multiplies the colours of a scene's members by, and what of it is found once.

`stage.light` and `stage.lamps` compute; here is what they need of a member's layers: who was photographed with whom,
which splats are seen, where they hang.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.film.model import LAYER_PREFIX, Lamp, Scene
from splatfilm.splats import Splats, transformed
from splatfilm.stage.actor import Carried
from splatfilm.stage.lamps import Group, Lamplight, Shone, Together, Worn, lamp_gains
from splatfilm.stage.light import Probes, Surface, gains_of, in_own_axes, outward
from splatfilm.stage.normals import Footing, facing_at_rest, footing
from splatfilm.stage.placement import Placed
from splatfilm.stage.rigs.skeleton import world_transforms
from splatfilm.stage.sunlight import Figure, Proxy, Sunlight, by_window
from splatfilm.stage.wardrobe import Source, Stood, Wardrobe


class Lighting:
    """The light of a scene's set on its cast."""

    def __init__(self, wardrobe: Wardrobe, scene: Scene) -> None:
        self._wardrobe, self._scene = wardrobe, scene
        self._surfaces: dict[tuple[Source, tuple[str, ...]], Surface] = {}
        self._probes: Probes | None = None
        self._lamplights: dict[tuple[Lamp, ...], Lamplight] = {}
        self._sunlight: tuple[tuple[Lamp, ...], Sunlight] | None = None
        self._footings: dict[Source, Footing] = {}
        self._proxies: dict[tuple[Any, ...], tuple[Proxy, list[Any]]] = {}
        self._worn_in_lamps: dict[tuple[tuple[Source, ...], tuple[Lamp, ...]], tuple[list[Worn], list[Together]]] = {}
        self._together: dict[tuple[tuple[Source, ...], tuple[Lamp, ...]], Together] = {}
        self._normals: dict[Source, Tensor] = {}

    def gains(self, placed: Placed, stood: Sequence[Stood], carried: Carried | None) -> tuple[Tensor, ...]:
        """What the light of the set, which stands still, multiplies colours of a member's layers by: [N, 3] each."""
        assert placed.light is not None, "it is asked for"
        if self._probes is None:
            scene = self._scene
            place = self._wardrobe.film.assets[scene.set].looks[scene.set_look].place
            self._probes = Probes(transformed(self._wardrobe.splats(scene.set, scene.set_look), place))
        worn = [
            self._wardrobe.worn(placed, s) if placed.pose is not None or placed.worn else None for s in placed.sources
        ]
        seen = tuple(s.seen if one is None else one.photographed(s.seen) for s, one in zip(stood, worn, strict=True))
        if placed.light.lamps:
            gains = self._in_lamps(placed, seen, [one.whole for one in stood], carried)
        else:
            surfaces = tuple(self._surface(placed, source) for source in placed.sources)
            gains = gains_of(seen, surfaces, placed.light, self._probes, self._standing_at(placed))
        return tuple(g if one is None else one.lit(g) for g, one in zip(gains, worn, strict=True))

    def _in_lamps(
        self, placed: Placed, splats: tuple[Splats, ...], wholes: Sequence[Splats | None], carried: Carried | None
    ) -> tuple[Tensor, ...]:
        """What a member's colours are multiplied by in the lamps of its scene."""
        assert placed.light is not None and self._probes is not None, "it is lit, from a set that is known"
        lamps, names = placed.light.lamps, [(placed.asset, source) for source in placed.sources]
        on_mesh = carried is not None and self._wardrobe.rig(placed.asset).mesh is not None
        lamplight = self._lamplight(lamps, on_mesh)
        studio, groups = placed.light.studio, self._groups(placed)
        whole: dict[Source, Splats] = {}
        for name, part, all_of_it in zip(names, splats, wholes, strict=True):
            if all_of_it is not None:
                whole[name] = self._wardrobe.layer(name).photographed(all_of_it)
            elif self._wardrobe.which(placed, name[1]) is None:
                whole[name] = part
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
        assert placed.light is not None, "it is lit"
        seen: dict[Source, NDArray[np.int64]] = {}
        for name in names:
            group = self._photographed_with(name)
            before = sum(len(self._wardrobe.whole(one)) for one in group[: group.index(name)])
            rows = self._which_lit(placed, name[1])
            seen[name] = before + (np.arange(len(self._wardrobe.whole(name))) if rows is None else rows)
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
        assert self._probes is not None, "the set is known"
        left = tuple(lamp for lamp in lamps if not (on_mesh and by_window(lamp)))
        if left not in self._lamplights:
            self._lamplights[left] = Lamplight(left, self._probes.setting)
        return self._lamplights[left]

    def _shone(
        self, placed: Placed, carried: Carried, groups: Sequence[tuple[Source, ...]], standing: Sequence[Group]
    ) -> Shone:
        """The suns on a member as its mesh stands."""
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
            self._proxies[key] = Proxy.of(self._wardrobe.rig(placed.asset), [*layers, *places], meshes)
        proxy, feet = self._proxies[key]
        count = len(placed.sources)
        return Shone(self._sunlight[1], Figure.of(proxy, carried), feet[:count], feet[count:])

    def _footing(self, placed: Placed, source: str) -> Footing:
        """Where what is seen of a layer hangs on its mesh."""
        found, rows = self._foot((placed.asset, source)), self._which_lit(placed, source)
        return found if rows is None else found.only(rows)

    def _foot(self, name: Source) -> Footing:
        """Where all photographed splats of a layer hang on its mesh."""
        if name not in self._footings:
            self._footings[name] = footing(
                self._wardrobe.rig(name[0]), self._wardrobe.whole(name), self._mesh_parts([name])
            )
        return self._footings[name]

    def _mesh_parts(self, names: Sequence[Source]) -> tuple[str, ...]:
        """The parts of the mesh that layers hang on; a layer that names none hangs on all of it."""
        parts: list[str] = []
        whole = self._wardrobe.rig(names[0][0]).mesh
        assert whole is not None, "they hang on one"
        for asset, source in names:
            mesh = self._wardrobe.film.assets[asset].layers[source.removeprefix(LAYER_PREFIX)].mesh
            parts += mesh or whole.parts
        return tuple(dict.fromkeys(parts))

    def _groups(self, placed: Placed) -> list[tuple[Source, ...]]:
        """Which layers were photographed together, of all that a member wears."""
        names = ((placed.asset, source) for source in placed.sources)
        return list(dict.fromkeys(self._photographed_with(name) for name in names))

    def _stands_whole(self, placed: Placed, name: Source, carried: Carried | None) -> Splats:
        """A layer as it stands, with what is hidden of it or is not worn at all."""
        layer = self._wardrobe.layer(name)
        return layer.photographed(transformed(layer.rest, placed.place) if carried is None else layer.standing(carried))

    def _before_camera(self, group: tuple[Source, ...], studio: tuple[Lamp, ...]) -> Together:
        """What is known at rest of layers that were photographed together."""
        if (group, studio) not in self._together:
            own = [k for k, name in enumerate(group) if self._photographed_with(name) == group]
            rests = [self._wardrobe.whole(name) for name in group]
            self._together[group, studio] = Together.of(rests, [self._facing(name) for name in group], own, studio)
        return self._together[group, studio]

    def _photographed_with(self, name: Source) -> tuple[Source, ...]:
        """A layer and what stood before the camera with it: others of its capture, or those that it is worn over."""
        asset, source = name
        layers = self._wardrobe.film.assets[asset].layers
        own = source.removeprefix(LAYER_PREFIX)
        if own == source or layers[own].capture is None:
            return (name,)
        alike = {n for n in layers if not layers[n].over and layers[n].capture == layers[own].capture}
        there = {own, *(layers[own].over or alike)}
        group = ((asset, LAYER_PREFIX + n) for n in layers if n in there)
        return tuple(one for one in group if one in self._wardrobe.sources)

    def _which_lit(self, placed: Placed, source: str) -> NDArray[np.int64] | None:
        """The photographed splats of a layer that are to be seen; None for all."""
        rows = self._wardrobe.which(placed, source)
        return None if rows is None else rows[rows < len(self._wardrobe.whole((placed.asset, source)))]

    def _standing_at(self, placed: Placed) -> NDArray[np.float64] | None:
        """The corners of the box about a character's joints, whatever it wears; None for one without a pose."""
        if placed.pose is None:
            return None
        joints = world_transforms(self._wardrobe.rig(placed.asset).skeleton, placed.pose)
        at = (placed.place.matrix() @ joints)[:, :3, 3]
        corners: NDArray[np.float64] = np.stack([at.min(axis=0), at.max(axis=0)])
        return corners

    def _surface(self, placed: Placed, source: str) -> Surface:
        """What light finds of what is seen of a layer or look."""
        name = (placed.asset, source), self._wardrobe.hiding(placed, source)
        if name not in self._surfaces:
            rows, normals, rest = (
                self._which_lit(placed, source),
                self._facing(name[0]),
                self._wardrobe.rest(placed, source),
            )
            if placed.pose is not None or placed.worn:
                rest = self._wardrobe.worn(placed, source).photographed(rest)
            self._surfaces[name] = Surface.of(rest, normals if rows is None else normals[rows])
        return self._surfaces[name]

    def _facing(self, name: Source) -> Tensor:
        """The normals of a layer or look, in its splats' own axes; those of its mesh, where it has one."""
        if name not in self._normals:
            asset, source = name
            rest, known = self._wardrobe.whole(name), None
            hangs = source.startswith(LAYER_PREFIX) and self._wardrobe.film.assets[asset].rig is not None
            if hangs and self._wardrobe.rig(asset).mesh is not None:
                known = facing_at_rest(self._wardrobe.rig(asset), rest, self._foot(name))
            self._normals[name] = outward(rest) if known is None else in_own_axes(rest, known)
        return self._normals[name]
