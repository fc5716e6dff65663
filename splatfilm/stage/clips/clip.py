"""Clips: a skeleton's motion over time, sampled exactly.

A clip is what a file holds: keyed tracks of joints and of blendshapes. Everything that moves a skeleton, clips and
procedural ones alike, is a `Motion`: it has a skeleton, a duration and a pose at every moment. Operations
(`operations.py`) make motions of motions and keep no state, so a pose depends on nothing but the time asked for.

Interpolation follows glTF 2.0, section 3.11 and appendix C: STEP, LINEAR (rotations by slerp, the short way round) and
CUBICSPLINE (Hermite with tangents a second). Before the first key and after the last a track holds their values.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import normalised
from splatfilm.stage.clips.rotations import slerped
from splatfilm.stage.rigs import Pose, Skeleton, rest_pose

Array = NDArray[np.float64]
Kind = Literal["translation", "rotation", "shape"]
Interpolation = Literal["LINEAR", "STEP", "CUBICSPLINE"]
WIDTHS: Mapping[str, int] = MappingProxyType({"translation": 3, "rotation": 4, "shape": 1})


class Motion(Protocol):
    """What moves a skeleton: a pose for every moment of `0 .. duration` seconds; beyond, it holds its ends."""

    @property
    def skeleton(self) -> Skeleton: ...

    @property
    def duration(self) -> float: ...

    def at(self, seconds: float) -> Pose: ...


@dataclass(frozen=True, eq=False)
class Track:
    """Keys of one joint's translation (metres) or rotation (wxyz), or of one blendshape's weight.

    `times` [K] seconds, strictly ascending. `values` [K, n] with n = 3, 4 or 1; for CUBICSPLINE [K, 3, n]: the tangent
    that leads in, the value, the tangent that leads out. Raises `ValueError` for anything else.
    """

    target: str
    kind: Kind
    times: Array  # [K]
    values: Array  # [K, n] or [K, 3, n]
    interpolation: Interpolation = "LINEAR"

    def __post_init__(self) -> None:
        times, values = np.array(self.times, dtype=np.float64), np.array(self.values, dtype=np.float64)
        if self.kind not in WIDTHS or self.interpolation not in get_args(Interpolation):
            raise ValueError(f"{self.where}: no such track: {self.kind}, {self.interpolation}")
        width, cubic = WIDTHS[self.kind], self.interpolation == "CUBICSPLINE"
        expected = (len(times), 3, width) if cubic else (len(times), width)
        if times.ndim != 1 or not len(times) or values.shape != expected:
            raise ValueError(
                f"{self.where}: {len(times)} times want values of shape {expected}, found {values.shape}"
                if len(times)
                else f"{self.where}: a track needs at least one key"
            )
        if not (np.all(np.isfinite(times)) and np.all(np.isfinite(values))):
            raise ValueError(f"{self.where}: times and values must be finite")
        if np.any(np.diff(times) <= 0):
            k = int(np.argmax(np.diff(times) <= 0)) + 1
            raise ValueError(f"{self.where}: key {k} at {times[k]:g} s must come after key {k - 1} at {times[k - 1]:g}")
        if self.kind == "rotation":
            points = values[:, 1] if cubic else values
            if np.any(np.linalg.norm(points, axis=-1) < 1e-6):
                raise ValueError(f"{self.where}: a rotation must not be zero")
            if not cubic:
                length = np.linalg.norm(values, axis=-1, keepdims=True)
                # A unit quaternion keeps its bits, so that a clip read back from its file is the same clip.
                values = np.where(np.abs(length - 1) < 1e-14, values, values / length)
        for name, array in (("times", times), ("values", values)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def where(self) -> str:
        """The track in words, for messages."""
        return f"{self.kind} of {self.target!r}"


@dataclass(frozen=True, eq=False)
class Clip:
    """A named motion of `skeleton`, from keyed tracks; what no track moves stays at rest, shapes at 0.

    `rate` is the rate the keys were made at, for people and for baking; sampling does not round to it. `source` says
    where the clip came from. Raises `ValueError` for tracks of joints that are not there, two tracks of one thing, or
    a duration that is not positive.
    """

    name: str
    skeleton: Skeleton
    tracks: tuple[Track, ...]
    rate: Fraction = Fraction(24)
    duration: float = 0.0  # seconds; 0 takes the last key's time
    source: str = ""
    licence: str = ""
    _groups: tuple[_Group, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tracks = tuple(self.tracks)
        known = set(self.skeleton.names)
        seen: set[tuple[str, str]] = set()
        for track in tracks:
            if track.kind != "shape" and track.target not in known:
                raise ValueError(f"clip {self.name!r}: {track.where}: the skeleton has no such joint")
            if (track.kind, track.target) in seen:
                raise ValueError(f"clip {self.name!r}: two tracks of the {track.where}")
            seen.add((track.kind, track.target))
        last = max((float(track.times[-1]) for track in tracks), default=0.0)
        duration = float(self.duration) or last
        if not (duration >= 0 and np.isfinite(duration)) or self.rate <= 0:
            raise ValueError(f"clip {self.name!r}: a duration of {duration:g} s at {self.rate} a second is no time")
        object.__setattr__(self, "tracks", tracks)
        object.__setattr__(self, "duration", duration)
        object.__setattr__(self, "_groups", _grouped(tracks, self.skeleton))

    @cached_property
    def shapes(self) -> tuple[str, ...]:
        """The names of the blendshapes that the clip moves."""
        return tuple(track.target for track in self.tracks if track.kind == "shape")

    def track(self, kind: Kind, target: str) -> Track | None:
        """The track of one thing, or None."""
        return next((t for t in self.tracks if t.kind == kind and t.target == target), None)

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`, exactly; before 0 and after the duration the clip holds still."""
        time = min(max(float(seconds), 0.0), self.duration)
        rest = rest_pose(self.skeleton)
        translations, rotations = rest.translations.copy(), rest.rotations.copy()
        shapes: dict[str, float] = {}
        for group in self._groups:
            values = group.at(time)
            if group.kind == "shape":
                shapes.update(zip(group.targets, values[:, 0].tolist(), strict=True))
            else:
                (translations if group.kind == "translation" else rotations)[group.rows] = values
        return Pose(translations, rotations, shapes)


@dataclass(frozen=True, eq=False)
class _Group:
    """Tracks of one kind that share their times, so that they are sampled together."""

    kind: Kind
    interpolation: Interpolation
    times: Array  # [K]
    values: Array  # [K, C, n] or [K, 3, C, n]
    targets: tuple[str, ...]
    rows: NDArray[np.intp]  # [C] joints; empty for shapes

    def at(self, time: float) -> Array:  # -> [C, n]
        cubic = self.interpolation == "CUBICSPLINE"
        points = self.values[:, 1] if cubic else self.values
        k = int(np.searchsorted(self.times, time, side="right")) - 1
        if k < 0 or k >= len(self.times) - 1:
            point = points[0 if k < 0 else -1]
            return normalised(point) if cubic and self.kind == "rotation" else np.asarray(point)
        here, there = points[k], points[k + 1]
        span = float(self.times[k + 1] - self.times[k])
        u = (time - float(self.times[k])) / span
        if self.interpolation == "STEP" or (u == 0 and not cubic):
            return np.asarray(here)
        if cubic:
            out, into = self.values[k, 2] * span, self.values[k + 1, 0] * span
            u2, u3 = u * u, u * u * u
            blend = (2 * u3 - 3 * u2 + 1) * here + (u3 - 2 * u2 + u) * out
            blend = blend + (3 * u2 - 2 * u3) * there + (u3 - u2) * into
            return normalised(blend) if self.kind == "rotation" else np.asarray(blend)
        if self.kind == "rotation":
            return slerped(here, there, np.full(len(here), u))
        return np.asarray(here + u * (there - here))


def _grouped(tracks: Sequence[Track], skeleton: Skeleton) -> tuple[_Group, ...]:
    def key(track: Track) -> tuple[str, str, bytes]:
        return track.kind, track.interpolation, track.times.tobytes()

    rows = {name: i for i, name in enumerate(skeleton.names)}
    result = []
    for (kind, _, _), members in itertools.groupby(sorted(tracks, key=key), key):
        group = list(members)
        joints = [rows[t.target] for t in group] if kind != "shape" else []
        result.append(
            _Group(
                group[0].kind,
                group[0].interpolation,
                group[0].times,
                np.stack([t.values for t in group], axis=-2),
                tuple(t.target for t in group),
                np.array(joints, dtype=np.intp),
            )
        )
    return tuple(result)


def sample_times(duration: float, rate: Fraction) -> Array:  # -> [T]
    """The moments of every frame at `rate` from 0 up to `duration`, and the duration itself."""
    count = int(np.floor(duration * float(rate) + 1e-9)) + 1
    times = np.array([float(Fraction(k) / rate) for k in range(count)])
    return times if duration - times[-1] < 1e-9 else np.append(times, duration)


def baked(motion: Motion, name: str, rate: Fraction = Fraction(24), source: str = "") -> Clip:
    """Any motion as a clip with a key a frame at `rate`; exact at those frames, interpolated between them."""
    times = sample_times(motion.duration, rate)
    poses = [motion.at(float(t)) for t in times]
    skeleton = motion.skeleton
    rest = rest_pose(skeleton)
    rotations = np.stack([p.rotations for p in poses])
    translations = np.stack([p.translations for p in poses])
    tracks = []
    for j, joint in enumerate(skeleton.names):
        for kind, values, still in (
            ("translation", translations[:, j], rest.translations[j]),
            ("rotation", rotations[:, j], rest.rotations[j]),
        ):
            if np.all(values == still):
                continue
            constant = np.all(values == values[0])
            keys = slice(0, 1) if constant else slice(None)
            tracks.append(Track(joint, "rotation" if kind == "rotation" else "translation", times[keys], values[keys]))
    for shape in sorted({name for pose in poses for name in pose.shapes}):
        weights = np.array([[pose.shapes.get(shape, 0.0)] for pose in poses])
        if np.any(weights != 0):
            tracks.append(Track(shape, "shape", times, weights))
    return Clip(name, skeleton, tuple(tracks), rate, motion.duration, source)
