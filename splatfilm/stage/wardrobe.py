"""What a scene's members are made of: splats as their files have them, bound to rigs, and what of them is seen.

Everything is read and found once, when it is first asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.base.hashing import hash_value
from splatfilm.film.model import LAYER_PREFIX, Film
from splatfilm.stage.placement import Placed
from splatfilm.stage.rigs.files import load_rig

if TYPE_CHECKING:
    from splatfilm.splats import Splats
    from splatfilm.stage.actor import BoundLayer, Carried
    from splatfilm.stage.rigs.rig import Rig

Source = tuple[str, str]
"""(asset, look), or (asset, "layers/" and the layer's name)."""


@dataclass(frozen=True, eq=False)
class Stood:
    """A layer as it stands: what is seen of it, and, where that is not all and somebody has asked, the whole of it."""

    seen: Splats
    whole: Splats | None = None


class Wardrobe:
    """The splats of a film's assets, layer by layer. Importing this and making one does not import torch."""

    def __init__(
        self,
        film: Film,
        sources: Mapping[Source, str | os.PathLike[str]],
        device: str,
        bindings: str | os.PathLike[str] | None,
    ) -> None:
        self.film = film
        self.sources = dict(sources)
        self._device = device
        self._read: dict[Source, Splats] = {}
        self._bindings = bindings
        self._bound: dict[tuple[Source, tuple[str, ...]], BoundLayer] = {}
        self._shown: dict[tuple[Source, tuple[str, ...]], NDArray[np.int64]] = {}

    def rest(self, placed: Placed, source: str) -> Splats:
        """The splats of a member as nothing has moved them yet."""
        if placed.pose is not None or placed.worn:
            return self.worn(placed, source).rest
        return self.splats(placed.asset, source)

    def worn(self, placed: Placed, source: str) -> BoundLayer:
        """What is to be seen of a layer below what is worn over it."""
        name, hiding = (placed.asset, source), self.hiding(placed, source)
        if (name, hiding) not in self._bound:
            shown = self._seen(name, hiding)
            layer = self.layer(name)
            self._bound[name, hiding] = layer if shown is None else layer.only(shown)
        return self._bound[name, hiding]

    def which(self, placed: Placed, source: str) -> NDArray[np.int64] | None:
        """The splats of a layer that are to be seen; None for all."""
        return self._seen((placed.asset, source), self.hiding(placed, source)) if placed.worn else None

    def carried(self, placed: Placed) -> Carried | None:
        """What a member's pose does to all of its layers; None for one that has no pose."""
        from splatfilm.stage.actor import Carried

        if placed.pose is None:
            return None
        return Carried.by(self.rig(placed.asset), placed.pose, placed.place)

    def dressed(self, placed: Placed, carried: Carried | None) -> tuple[Stood, ...]:
        """What is seen of each of a member's layers, posed, in its place; and, where lamps ask, where all of it is."""
        asked = placed.light is not None and bool(placed.light.lamps)
        return tuple(self._stood(placed, source, carried, asked) for source in placed.sources)

    def _stood(self, placed: Placed, source: str, carried: Carried | None, asked: bool) -> Stood:
        from splatfilm.splats import transformed

        worn, rows = self.worn(placed, source), self.which(placed, source)
        if carried is None:
            return Stood(transformed(worn.rest, placed.place))
        if rows is None or not asked:
            return Stood(worn.moved(carried))
        layer = self.layer((placed.asset, source))
        whole = layer.moved(carried)
        return Stood(worn.among(layer, whole, rows), whole)

    def whole(self, name: Source) -> Splats:
        """All splats of a layer or look that were photographed, at rest."""
        if self.film.assets[name[0]].rig is None:
            return self.splats(*name)
        layer = self.layer(name)
        return layer.photographed(layer.rest)

    def rig(self, asset: str) -> Rig:
        path = self.film.assets[asset].rig
        assert path is not None, "layers hang on a rig"
        return load_rig(path)

    def layer(self, name: Source) -> BoundLayer:
        """A layer in its rig's space, bound."""
        from splatfilm.base.hashing import hash_file
        from splatfilm.stage.actor import bound_layer, in_rig_space

        if (name, ()) not in self._bound:
            film, (asset, source) = self.film, name
            file, place = self.sources[name], film.source(asset, source).place
            given = hash_value([hash_file(file), list(place.rotation), list(place.translation), place.scale])
            mesh = film.assets[asset].layers[source.removeprefix(LAYER_PREFIX)].mesh if "/" in source else ()
            splats = in_rig_space(self.splats(asset, source), place)
            try:
                self._bound[name, ()] = bound_layer(self.rig(asset), splats, given, mesh, self._bindings)
            except ValueError as error:
                raise InputError.at(film.path, str(error), f"assets.{asset}.{source.replace('/', '.')}.mesh") from None
        return self._bound[name, ()]

    def hiding(self, placed: Placed, source: str) -> tuple[str, ...]:
        """The layers that are worn over this one and cover it."""
        layers = self.film.assets[placed.asset].layers
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
            layer, rig = self.layer(name), self.rig(name[0])
            layers = self.film.assets[name[0]].layers
            parts = tuple(dict.fromkeys(part for other in hiding for part in layers[other].mesh))
            own = layers[name[1].removeprefix(LAYER_PREFIX)].mesh if "/" in name[1] else ()
            hidden = covered(rig, layer.rest.means.cpu().numpy(), parts, own)
            if layer.borrowed is not None:
                hidden[layer.borrowed.lenders] = False
            self._shown[name, hiding] = np.nonzero(~hidden)[0]
        return self._shown[name, hiding]

    def splats(self, asset: str, look: str) -> Splats:
        """The splats of a look as its file has them."""
        from splatfilm.splats import read_splats

        if (asset, look) not in self._read:
            self._read[asset, look] = read_splats(self.sources[asset, look]).to(self._device)
        return self._read[asset, look]
