"""What a script supervisor and a camera operator would say about a film's cameras: remarks, never refusals.

Cuts are judged between neighbouring shots of one scene: the 180-degree line, the 30-degree rule, jumps of size, focal
length and height. Moves are judged frame by frame: panning speed, and, where splats and photographs are at hand, a
camera inside matter and a view that nobody photographed. Every limit is named once, with where it comes from.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.film import Film, Scene, Shot
from splatfilm.layout.aiming import recorded_mm
from splatfilm.layout.coverage import EYES
from splatfilm.layout.state import Baked, State, bake
from splatfilm.stage.placement import Placements

Array = NDArray[np.float64]

LEAST_TURN = math.radians(30)
"""A cut to the same subject should turn the camera by this much (the 30-degree rule), or change its size."""
SAME_SIZE = 1.4
"""A subject that grows or shrinks by less than this factor has the same size on both sides of a cut."""
SIZE_JUMP = 8.0
"""About wide shot to extreme close-up: beyond, an audience has to look for what it was looking at."""
ON_THE_LINE = math.radians(8)
"""A camera this close to the line looks along it: a neutral shot, after which either side may follow."""
SECONDS_ACROSS = 7.0
"""The slowest object may cross the frame in this time at 24 frames a second without judder (the seven-second rule:
RED 101, "Panning Speed Best Practices"; the panning tables of the American Cinematographer Manual say the same)."""
FOCAL_JUMP = 3.0
HEIGHT_JUMP = 0.6  # metres
STANDING = 1.7  # metres: how tall a character counts, so that its eyes are looked at and not its feet

MATTER_RADIUS = 0.10  # metres: the body of a camera
MATTER_OPACITY = 4.0  # sum of opacities within that radius; a wall of trained splats holds tens
FAR_FROM_CAPTURE = 0.75  # metres from the nearest photograph that looks the same way
TURNED_FROM_CAPTURE = math.radians(35)


@dataclass(frozen=True)
class Note:
    """A remark about a shot, at a scene frame; `before` is the shot that it is cut from, for remarks about cuts."""

    shot: str
    rule: str
    frame: int
    message: str
    before: str | None = None

    def __str__(self) -> str:
        where = f"cut {self.before} to {self.shot}" if self.before else f"shot {self.shot}, frame {self.frame}"
        return f"{where}: {self.message}"


class Matter:
    """Where a scene's splats are dense: sums of opacity in a grid of cells, asked by point."""

    def __init__(self, means: Array, opacities: Array) -> None:
        """`means` [N, 3] metres, `opacities` [N] 0..1."""
        cells = np.floor(np.asarray(means, dtype=np.float64) / MATTER_RADIUS).astype(np.int64)
        keys, inverse = np.unique(cells, axis=0, return_inverse=True)
        order = np.argsort(inverse.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(inverse.ravel(), minlength=len(keys)))
        self._rows = {
            tuple(key): order[end - count : end]
            for key, end, count in zip(keys.tolist(), ends, np.diff(ends, prepend=0), strict=True)
        }
        self._means, self._opacities = np.asarray(means, dtype=np.float64), np.asarray(opacities, dtype=np.float64)

    def around(self, point: Array) -> float:
        """The sum of opacities within `MATTER_RADIUS` of `point`."""
        x, y, z = np.floor(point / MATTER_RADIUS).astype(np.int64).tolist()
        near = [
            self._rows[cell]
            for cell in itertools.product((x - 1, x, x + 1), (y - 1, y, y + 1), (z - 1, z, z + 1))
            if cell in self._rows
        ]
        if not near:
            return 0.0
        rows = np.concatenate(near)
        inside = np.linalg.norm(self._means[rows] - point, axis=-1) <= MATTER_RADIUS
        return float(self._opacities[rows][inside].sum())


@dataclass(frozen=True, eq=False)
class Views:
    """The photographs that a set was made from, in the scene's axes."""

    positions: Array  # [C, 3] metres
    forwards: Array  # [C, 3] unit

    def distance(self, position: Array, forward: Array) -> tuple[float, float]:
        """Metres and radians to the photograph that is nearest in both, a metre counting as 45 degrees."""
        metres = np.linalg.norm(self.positions - position, axis=-1)
        turn = np.arccos(np.clip(self.forwards @ forward, -1.0, 1.0))
        best = int(np.argmin(metres + turn / math.radians(45)))
        return float(metres[best]), float(turn[best])


@dataclass(frozen=True)
class Known:
    """What is known of scenes beside the film file, by scene name."""

    matter: Mapping[str, Matter] = field(default_factory=dict)
    views: Mapping[str, Views] = field(default_factory=dict)


NOTHING_KNOWN = Known()


def notes(state: State, known: Known = NOTHING_KNOWN) -> list[Note]:
    """Every remark about a film, in the order of the cut. Shots whose camera is broken, or outlasted, are left out."""
    film = state.film
    if film is None:
        return []
    shots = [one for shot in film.shots if (one := _seen(state, film, shot)) is not None]
    found: list[Note] = []
    for before, after in itertools.pairwise([None, *shots]):
        assert after is not None, "only the first neighbour is nobody"
        if before is not None and before.shot.scene == after.shot.scene:
            found += _cut_notes(film, before, after)
        found += _move_notes(film, after)
        found += _place_notes(after, known)
    return found


@dataclass(frozen=True, eq=False)
class _Seen:
    """A shot with its baked camera; first and last camera as the renderer makes them."""

    shot: Shot
    baked: Baked
    first: Camera
    last: Camera


def _seen(state: State, film: Film, shot: Shot) -> _Seen | None:
    try:
        path = state.seen(shot.name)
    except (InputError, ValueError):
        return None
    frames = tuple(shot.frames)
    return _Seen(shot, bake(path, frames), path.at(frames[0], *film.size), path.at(frames[-1], *film.size))


# ---- cuts ------------------------------------------------------------------------------------------------------------


def _cut_notes(film: Film, before: _Seen, after: _Seen) -> Iterator[Note]:
    old, new = before.last, after.first
    frame, name, cut = after.shot.frames.first, after.shot.name, before.shot.name
    scene = film.scenes[after.shot.scene]
    if (message := _line_crossed(film, scene, before, after)) is not None:
        yield Note(name, "line", frame, message, cut)
    subject = _common_subject(film, scene, before, after)
    if subject is not None:
        who, there, here = subject
        turn = _angle(old.position - there, new.position - here)
        ratio = _size_of(new, here) / _size_of(old, there)
        if turn < LEAST_TURN and 1 / SAME_SIZE < ratio < SAME_SIZE:
            message = f"jump cut: {who} is seen from {math.degrees(turn):.0f} degrees aside in nearly the same size"
            yield Note(name, "30-degrees", frame, f"{message}; turn 30 degrees or change the size", cut)
        elif not 1 / SIZE_JUMP < ratio < SIZE_JUMP:
            factor = max(ratio, 1 / ratio)
            yield Note(
                name, "size", frame, f"{who} becomes {factor:.0f} times {'larger' if ratio > 1 else 'smaller'}", cut
            )
    focal = float(after.baked.focal_mm[0] / before.baked.focal_mm[-1])
    if not 1 / FOCAL_JUMP < focal < FOCAL_JUMP:
        numbers = f"from {before.baked.focal_mm[-1]:.0f} to {after.baked.focal_mm[0]:.0f} mm"
        yield Note(name, "focal", frame, f"the focal length jumps {numbers}", cut)
    rise = float(new.position[2] - old.position[2])
    if abs(rise) > HEIGHT_JUMP:
        yield Note(name, "height", frame, f"the camera jumps {abs(rise):.1f} m {'up' if rise > 0 else 'down'}", cut)


def line_of(film: Film, scene: Scene, frame: int) -> tuple[Array, Array] | None:
    """The 180-degree line at a frame: where the scene's first two characters stand; None with fewer."""
    characters = [m.name for m in scene.cast if film.assets[m.asset].kind == "character"]
    placed = {p.member: np.asarray(p.place.translation) for p in Placements(film, scene.name).at(frame)}
    there = [placed[name] for name in characters if name in placed]
    return (there[0], there[1]) if len(there) >= 2 else None


def _line_crossed(film: Film, scene: Scene, before: _Seen, after: _Seen) -> str | None:
    sides = []
    for one, camera, frame in (
        (before, before.last, before.shot.frames.last),
        (after, after.first, after.shot.frames.first),
    ):
        line = line_of(film, film.scenes[one.shot.scene], frame)
        if line is None:
            return None
        a, b = line
        way, to = (b - a)[:2], (camera.position - (a + b) / 2)[:2]
        if min(np.linalg.norm(way), np.linalg.norm(to)) < 1e-6:
            return None
        angle = math.asin(float((way[0] * to[1] - way[1] * to[0]) / np.linalg.norm(way) / np.linalg.norm(to)))
        sides.append(0 if abs(angle) < ON_THE_LINE else 1 if angle > 0 else -1)
    if sides[0] * sides[1] >= 0:
        return None
    return (
        "crosses the 180-degree line: left and right change places; stay on its side, or cut by way of the line itself"
    )


def _common_subject(film: Film, scene: Scene, before: _Seen, after: _Seen) -> tuple[str, Array, Array] | None:
    """The member of the cast that both sides of a cut show, nearest to both pictures' centres, and where it is."""
    found: list[tuple[float, str, Array, Array]] = []
    there = _points(film, scene, before.shot.frames.last)
    here = _points(film, scene, after.shot.frames.first)
    for name in there.keys() & here.keys():
        offsets = [_off_centre(before.last, there[name]), _off_centre(after.first, here[name])]
        if max(offsets) < 1.0:
            found.append((sum(offsets), name, there[name], here[name]))
    return min(found, key=lambda one: one[:2])[1:] if found else None


def _points(film: Film, scene: Scene, frame: int) -> dict[str, Array]:
    """A point of every member of the cast to judge it by: the eyes of a character, else where it stands."""
    points = {}
    kinds = {m.name: film.assets[m.asset].kind for m in scene.cast}
    for placed in Placements(film, scene.name).at(frame)[1:]:
        up = STANDING * EYES * placed.place.scale if kinds[placed.member] == "character" else 0.0
        points[placed.member] = np.asarray(placed.place.translation) + np.array([0.0, 0.0, up])
    return points


def _off_centre(camera: Camera, point: Array) -> float:
    """How far from the picture's centre a point is, 1 at its edge; infinite behind the camera."""
    x, y, z = (camera.pose[:3, :3].T @ (point - camera.position)).tolist()
    if z <= 0.01:
        return math.inf
    return max(float(abs(x / z * camera.fx)) / (camera.width / 2), float(abs(y / z * camera.fy)) / (camera.height / 2))


def _size_of(camera: Camera, point: Array) -> float:
    """Pixels that a metre takes at a point."""
    return float(camera.fy) / max(float((point - camera.position) @ camera.forward), 0.01)


def _angle(a: Array, b: Array) -> float:
    return math.acos(min(max(float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12), -1.0), 1.0))


# ---- moves and places ------------------------------------------------------------------------------------------------


def pan_speeds(baked: Baked, recorded_width_mm: float, rate: float) -> Array:  # [F - 1] frame widths a second
    """How fast far things cross the frame because the camera turns (rolling apart)."""
    forward = baked.poses[:, :3, 2]
    cosine = np.clip(np.einsum("fi,fi->f", forward[1:], forward[:-1]), -1.0, 1.0)
    chord = np.linalg.norm(np.diff(forward, axis=0), axis=-1)
    turn = np.where(cosine > 0.9, 2 * np.arcsin(np.clip(chord / 2, 0, 1)), np.arccos(cosine))
    speeds: Array = turn * rate * baked.focal_mm[:-1] / recorded_width_mm
    return speeds


def _move_notes(film: Film, seen: _Seen) -> Iterator[Note]:
    if len(seen.baked.frames) < 2 or seen.first.lens is None:
        return
    rate = float(film.rate)
    width = recorded_mm(seen.first.lens, film.size)[0]
    speeds = pan_speeds(seen.baked, width, rate)
    limit = rate / 24 / SECONDS_ACROSS
    worst = int(np.argmax(speeds))
    if speeds[worst] > limit * 1.001:
        message = f"pans a frame's width in {1 / speeds[worst]:.1f} s: under {1 / limit:.0f} s it will judder"
        yield Note(seen.shot.name, "pan", seen.baked.frames[worst], message)


def _place_notes(seen: _Seen, known: Known) -> Iterator[Note]:
    matter, views = known.matter.get(seen.shot.scene), known.views.get(seen.shot.scene)
    name, frames = seen.shot.name, seen.baked.frames
    positions, forwards = seen.baked.poses[:, :3, 3], seen.baked.poses[:, :3, 2]
    if matter is not None:
        inside = next((i for i, place in enumerate(positions) if matter.around(place) > MATTER_OPACITY), None)
        if inside is not None:
            yield Note(name, "matter", frames[inside], "the camera is inside something")
    if views is not None:
        away = [views.distance(place, way) for place, way in zip(positions, forwards, strict=True)]
        worst = max(range(len(away)), key=lambda i: away[i][0] / FAR_FROM_CAPTURE + away[i][1] / TURNED_FROM_CAPTURE)
        metres, turn = away[worst]
        if metres > FAR_FROM_CAPTURE or turn > TURNED_FROM_CAPTURE:
            message = f"the nearest photograph is {metres:.1f} m and {math.degrees(turn):.0f} degrees away"
            yield Note(name, "capture", frames[worst], f"{message}: the set was not captured from here")
