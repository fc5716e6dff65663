"""Who is in a scene at a scene frame, in which look and where, in plain numbers.

Apart from `stage`, because a plan of what must be rendered again needs this for every frame and must not wait for torch
or for splats to be read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from splatfilm.base.curves import Curve, RotationCurve
from splatfilm.base.rigid import Similarity
from splatfilm.film.model import CastMember, Film, Scene


@dataclass(frozen=True)
class Placed:
    """A member of the scene at one scene frame. `place` brings the splats of its file into the scene."""

    member: str
    asset: str
    look: str
    place: Similarity


class Placements:
    """The set and the cast of a scene over its frames, always in the order of composition: set first, then the cast.

    Pure: the same film and frame give the same numbers to the bit, in any order of calls.
    """

    def __init__(self, film: Film, scene_name: str) -> None:
        """Raises `KeyError` when the film has no such scene."""
        if scene_name not in film.scenes:
            raise KeyError(f"no scene {scene_name!r}; there is {', '.join(film.scenes) or 'none'}")
        self.film = film
        self.scene: Scene = film.scenes[scene_name]
        self._tracks = {member.name: _Track(member) for member in self.scene.cast}

    def at(self, frame: float, shown: float | None = None) -> tuple[Placed, ...]:
        """Everything present at a scene frame; between whole frames things are on their way.

        A member is there until the frame after its last one begins. `shown` is the whole frame that a moment of an
        open shutter belongs to: who is there and what they wear is then the same for the whole of its exposure.
        """
        shown = frame if shown is None else shown
        scene = self.scene
        set_look = self.film.assets[scene.set].looks[scene.set_look]
        placed = [Placed(scene.set, scene.set, scene.set_look, set_look.place)]
        for member in scene.cast:
            if member.frames is not None and not member.frames.first <= shown < member.frames.last + 1:
                continue
            look = self.look_of(member, shown)
            own = self.film.assets[member.asset].looks[look].place
            place = _after(own, self._tracks[member.name].at(frame))
            placed.append(Placed(member.name, member.asset, look, place))
        return tuple(placed)

    def look_of(self, member: CastMember, frame: float) -> str:
        """The look that a cast member wears at a scene frame."""
        if not member.looks:
            return self.film.assets[member.asset].default_look.name
        changed = bisect_right([change.frame for change in member.looks], frame)
        return member.looks[max(changed - 1, 0)].look

    def knots(self, first: float, last: float) -> tuple[float, ...]:
        """The scene frames between two others at which something is keyed, ascending."""
        return tuple(sorted({k.frame for member in self.scene.cast for k in member.keys if first < k.frame < last}))

    def describe(self, frame: float) -> dict[str, Any]:
        """What decides the staged splats at a frame, apart from the splat files' contents: plain values, to be hashed.

        Names of cast members are not in it: giving one another name renders nothing again.
        """
        return {"members": [_plain(placed) for placed in self.at(frame)]}

    def sources(self) -> tuple[tuple[str, str], ...]:
        """Every (asset, look) that the scene shows at some frame, each once, in the order of composition."""
        found = {(self.scene.set, self.scene.set_look): None}
        for member in self.scene.cast:
            if member.looks:
                found |= {(member.asset, change.look): None for change in member.looks}
            else:
                found[member.asset, self.film.assets[member.asset].default_look.name] = None
        return tuple(found)


class _Track:
    """Where a cast member stands over time: position, rotation and scale each on a curve of its own."""

    def __init__(self, member: CastMember) -> None:
        keys = member.keys
        times, easings = [key.frame for key in keys], [key.easing for key in keys]
        places = [key.place for key in keys]
        self._times, self._places = times, places
        self._position = Curve(times, np.array([place.translation for place in places]), easings)
        self._rotation = RotationCurve(times, np.array([place.rotation for place in places]), easings)
        self._scale = Curve(times, np.array([(place.scale,) for place in places]), easings)

    def at(self, frame: float) -> Similarity:
        """The placement at a scene frame; at a key, before the first and after the last it is the key's, to the bit."""
        key = max(bisect_right(self._times, frame) - 1, 0)
        if frame <= self._times[key] or key == len(self._times) - 1:
            return self._places[key]
        x, y, z = self._position.at(frame).tolist()
        w, i, j, k = self._rotation.at(frame).tolist()
        return Similarity((w, i, j, k), (x, y, z), float(self._scale.at(frame)[0]))


def _after(own: Similarity, place: Similarity) -> Similarity:
    """`own` followed by `place`; when one of them does nothing the other comes back untouched."""
    if own.is_identity:
        return place
    return own if place.is_identity else own.then(place)


def _plain(placed: Placed) -> Mapping[str, Any]:
    place = placed.place
    return {
        "asset": placed.asset,
        "look": placed.look,
        "rotation": list(place.rotation),
        "translation": list(place.translation),
        "scale": place.scale,
    }
