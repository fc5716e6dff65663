"""What a character does at a scene frame: its clips on the scene's clock, and the expressions over them, as one pose.

Needs no torch: plans of what must be rendered again ask it for every frame. A pose depends on the film, the rig and the
scene frame alone, never on the shot that looks at it nor on the frames that were asked for before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NoReturn

import numpy as np

from splatfilm.base.curves import Curve
from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.base.hashing import hash_bytes, hash_value
from splatfilm.base.rigid import IDENTITY, Similarity
from splatfilm.film.model import CastMember, ClipCue, Film, Scene
from splatfilm.stage.clips.body import Body
from splatfilm.stage.clips.bvh import read_bvh
from splatfilm.stage.clips.clip import Clip, Motion
from splatfilm.stage.clips.clip_file import read_clip
from splatfilm.stage.clips.feet import FootLock
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.clips.performance import Performance, Performed
from splatfilm.stage.clips.retarget import Retarget
from splatfilm.stage.clips.rotations import slerped
from splatfilm.stage.clips.score import read_performance
from splatfilm.stage.clips.usd import read_usd_clip
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.gltf import read_rig
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.skeleton import Pose, Skeleton, rest_pose

_PURSED = ("mouthPucker", "mouthFunnel")
_MOST_MOMENTS = 20_000  # of a score, kept: a pose of 60 joints takes 4 KB


class Performer:
    """A cast member with a rig. Files are read when a pose is first asked for."""

    def __init__(self, film: Film, scene: Scene, member: CastMember) -> None:
        self._film, self._scene, self._member = film, scene, member
        path = film.assets[member.asset].rig
        assert path is not None, "only characters with a rig perform"
        self._path: Path = path

    @cached_property
    def rig(self) -> Rig:
        """The rig. Raises `InputError`."""
        return load_rig(self._path)

    @cached_property
    def _motions(self) -> Mapping[str, Motion]:
        names = dict.fromkeys(cue.clip for cue in self._member.directions.cues)
        return {name: self._motion(name) for name in names}

    def _motion(self, name: str) -> Motion:
        """A clip of the rig by its name, or of a file; a clip of another skeleton comes over to this one."""
        location = Path(name)
        if not location.is_absolute():
            known = self._own_clips()
            if name not in known:
                there = ", ".join(known) or "none"
                self._refuse(f'no clip "{name}" in {self._path.name} (there is {there}){did_you_mean(name, known)}')
            return known[name]
        clip = clip_of(location, self.rig.skeleton)
        if clip is None:
            self._refuse(f"{location} holds no animation")
        if clip.skeleton.names == self.rig.skeleton.names:
            return clip
        try:
            body = body_of(self.rig)
            return FootLock(body, Retarget(body, clip))
        except ValueError as error:
            self._refuse(f"the clip {location.name} moves another skeleton than {self._path.name}: {error}")

    def _own_clips(self) -> Mapping[str, Clip]:
        return _clips_of(str(self._path), self._path.stat().st_mtime_ns) if self.rig.clips else {}

    @cached_property
    def _score(self) -> _Score | None:
        """What the performance file says. Scores are kept, with the moments that were asked of them."""
        score = self._member.directions.score
        if score is None:
            return None
        stamp = score.stat().st_mtime_ns, self._path.stat().st_mtime_ns
        return _score_of(str(score), str(self._path), stamp, self._scene.name, self._film.rate)

    def _refuse(self, message: str) -> NoReturn:
        told = self._member.directions
        raise InputError.at(self._film.path, message, told.place, told.line)

    def stands(self, frame: float) -> Similarity:
        """Where a score puts the rig at a scene frame, before the cast member's own place."""
        return IDENTITY if self._score is None else self._score.at(frame).placement

    def at(self, frame: float) -> Pose:
        """The pose at a scene frame, from where the rig stands. Raises `InputError` for clips that are not there."""
        cues = self._member.directions.cues
        if self._score is not None:
            pose = self._score.at(frame).pose
        elif cues:
            current = max(bisect_right([cue.frame for cue in cues], frame) - 1, 0)
            pose = self._cued(current, frame)
        else:
            pose = rest_pose(self.rig.skeleton)
        shapes = {**pose.shapes, **self._expressions(frame)}
        kept = {name: weight for name, weight in shapes.items() if name in self.rig.shape_names and weight != 0.0}
        return Pose(pose.translations, pose.rotations, kept)

    def _cued(self, number: int, frame: float) -> Pose:
        cues = self._member.directions.cues
        cue = cues[number]
        pose = self._motions[cue.clip].at(self._seconds(cue, frame))
        if number == 0 or cue.blend <= 0 or frame >= cue.frame + cue.blend:
            return pose
        u = max((frame - cue.frame) / cue.blend, 0.0)
        return mixed(self._cued(number - 1, frame), pose, u * u * (3 - 2 * u))

    def _seconds(self, cue: ClipCue, frame: float) -> float:
        """Where in its clip a cue is at a scene frame."""
        duration = self._motions[cue.clip].duration
        seconds = cue.offset + cue.speed * max(frame - cue.frame, 0.0) / float(self._film.rate)
        return seconds % duration if cue.loop and duration > 0 else seconds

    @cached_property
    def _tracks(self) -> Mapping[str, Curve]:
        keys = self._member.directions.shapes
        names = dict.fromkeys(name for key in keys for name in key.weights)
        tracks = {}
        for name in names:
            own = [key for key in keys if name in key.weights]
            values = np.array([[key.weights[name]] for key in own])
            tracks[name] = Curve([key.frame for key in own], values, [key.easing for key in own])
        return tracks

    def _expressions(self, frame: float) -> dict[str, float]:
        return {name: float(track.at(frame)[0]) for name, track in self._tracks.items()}

    def notes(self) -> tuple[str, ...]:
        """What the film will show otherwise than it was asked for: shapes that the rig lacks, clips that end early."""
        told = self._member.directions
        asked = dict.fromkeys(name for key in told.shapes for name in key.weights)
        found = [f"{problem}: it moves nothing" for problem in self.rig.unknown_shapes(list(asked))]
        for name, motion in self._motions.items():
            strange = [shape for shape in motion.at(0.0).shapes if shape not in self.rig.shape_names]
            if strange:
                found.append(f'the clip "{name}" moves blendshapes that the rig lacks: {", ".join(strange)}')
            made = _recorded(motion)
            if made is not None and made.rate != self._film.rate:
                found.append(f'the clip "{name}" was made at {made.rate} frames a second; it plays at its own speed')
        last = (self._member.frames or self._scene.frames).last
        if self._score is not None:
            found += self._score.performance.notes(last, self._film.rate, self.rig.shape_names)
        ends = [*(cue.frame for cue in told.cues[1:]), float(last)]
        for cue, end in zip(told.cues, ends, strict=False):  # no cues, no end of one
            clip = self._motions[cue.clip]
            if cue.loop or cue.speed == 0:
                continue
            left = clip.duration - cue.offset if cue.speed > 0 else cue.offset
            over = cue.frame + left / abs(cue.speed) * float(self._film.rate)
            if over < end - 1e-6:
                found.append(f'the clip "{cue.clip}" ends at frame {over:.10g}; its last pose is held to {end:.10g}')
        return tuple(found)


def _recorded(motion: Motion) -> Clip | None:
    """The clip below a foot lock and a retargeting, which are made of it."""
    while isinstance(motion, FootLock | Retarget):
        motion = motion.motion
    return motion if isinstance(motion, Clip) else None


class _Score:
    """A performance and its moments so far: eight shots and the blur of each ask for many of them twice."""

    def __init__(self, performance: Performance, rate: Fraction) -> None:
        self.performance, self._rate = performance, rate
        self._moments: dict[float, Performed] = {}

    def at(self, frame: float) -> Performed:
        if frame not in self._moments:
            if len(self._moments) >= _MOST_MOMENTS:
                self._moments.clear()
            self._moments[frame] = self.performance.at(frame, self._rate)
        return self._moments[frame]


@lru_cache(maxsize=8)
def _score_of(score: str, rig: str, _stamps: tuple[int, int], scene: str, rate: Fraction) -> _Score:
    clips = _clips_of(rig, Path(rig).stat().st_mtime_ns)
    return _Score(read_performance(score, body_of(load_rig(rig)), clips, scene, rate), rate)


def body_of(rig: Rig) -> Body:
    """The body of a rig. Its lips are where the shapes that purse them move its mesh."""
    for shape in () if rig.mesh is None else rig.mesh.shapes:
        if shape.name in _PURSED and len(shape.vertices):
            assert rig.mesh is not None
            moved = np.linalg.norm(shape.offsets, axis=1)
            x, y, z = ((rig.mesh.vertices[shape.vertices] * moved[:, None]).sum(axis=0) / moved.sum()).tolist()
            return Body(rig.skeleton, lips=(x, y, z))
    return Body(rig.skeleton)


def clip_of(path: Path, skeleton: Skeleton) -> Clip | None:
    """The first clip of a file of any format, of `skeleton` where the format says joints by name alone."""
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        return read_bvh(path)
    if suffix in (".usd", ".usda", ".usdc", ".usdz"):
        return read_usd_clip(path)
    if suffix in (".glb", ".gltf"):
        own = read_rig(path).skeleton
        same = own.names == skeleton.names
        return next(iter(read_gltf_clips(path, skeleton if same else own).values()), None)
    return read_clip(path)


@lru_cache(maxsize=16)
def _clips_of(path: str, _time: int) -> Mapping[str, Clip]:
    """The clips of a rig's own file."""
    if path.lower().endswith(".json"):
        return {}
    return read_gltf_clips(path, load_rig(path).skeleton)


def mixed(a: Pose, b: Pose, share: float) -> Pose:
    """Between two poses of one skeleton: `a` at 0, `b` at 1."""
    if share <= 0:
        return a
    if share >= 1:
        return b
    shapes = {
        name: (1 - share) * a.shapes.get(name, 0.0) + share * b.shapes.get(name, 0.0)
        for name in dict.fromkeys((*a.shapes, *b.shapes))
    }
    return Pose((1 - share) * a.translations + share * b.translations, slerped(a.rotations, b.rotations, share), shapes)


def pose_hash(rig: Rig, pose: Pose) -> str:
    """SHA-256 of what decides how splats stand in a pose: the rig, the joints, the blendshapes that are not at 0."""
    # A zero is a zero, whatever its sign.
    arrays = [hash_bytes((array + 0.0).tobytes()) for array in (pose.translations, pose.rotations)]
    return hash_value([rig.content, arrays, {name: pose.shapes[name] for name in sorted(pose.shapes)}])


def findings(film: Film) -> tuple[tuple[Problem, ...], tuple[tuple[str, str], ...]]:
    """What is wrong with the film's rigs, clips, joints and layers, and what is worth a remark (file, what)."""
    from splatfilm.stage.placement import Placements

    problems: list[Problem] = []
    remarks: list[tuple[str, str]] = []
    for asset in film.assets.values():
        if asset.rig is None:
            continue
        try:
            rig = load_rig(asset.rig)
        except InputError as error:
            problems += error.problems
            continue
        remarks += [(str(asset.rig), note) for note in rig.notes]
        parts = () if rig.mesh is None else rig.mesh.parts
        for layer in asset.layers.values():
            for part in layer.mesh:
                if part not in parts:
                    message = f'the proxy mesh has no part "{part}" ({", ".join(parts)}){did_you_mean(part, parts)}'
                    problems.append(Problem(str(film.path), f"assets.{asset.name}.layers.{layer.name}.mesh", message))
    for name in film.scenes:
        try:
            remarks += [(str(film.path), note) for note in Placements(film, name).notes()]
        except InputError as error:
            problems += error.problems
    return tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(remarks))
