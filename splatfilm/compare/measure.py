"""A whole method measured: every take of every shot, and every pair of shots, with what is shared measured once."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.files import write_bytes, write_json
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare import vision
from splatfilm.compare.agreement import measure_agreement
from splatfilm.compare.edit import measure_edit
from splatfilm.compare.following import follow_camera
from splatfilm.compare.followup import Ground, PairGround, Take, lay_ground, measure_follow_up
from splatfilm.compare.guards import Allowed, shot_guards
from splatfilm.compare.joint import measure_joint, measure_own_camera
from splatfilm.compare.motion import MOST_STEPS, Motion, measure_motion
from splatfilm.compare.overlap import LOCATED_ENOUGH, MOST_PAIRS, own_seer
from splatfilm.compare.pairs import PairSpec
from splatfilm.compare.revisit import measure_revisit
from splatfilm.compare.scores import (
    COLUMNS,
    SCHEMA,
    CameraFollowing,
    Joint,
    MethodScores,
    PairScores,
    Score,
    ShotScores,
    plain,
    rows_of,
)
from splatfilm.compare.stability import measure_stability, own_brightness
from splatfilm.compare.views import Clip, Frames, ShotTruth

ShotTake = tuple[str, int | None]
GroundKey = tuple[str, str, tuple[int, int], int]
ShotKey = tuple[str, tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class MethodClips:
    """One method's clips by (shot, take), conformed to the truth. `given` is its class of information."""

    method: str
    title: str
    given: str
    clips: Mapping[ShotTake, Clip]
    notes: tuple[str, ...] = ()
    imported: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)  # learned metrics by shot


@dataclass(frozen=True)
class Depth:
    """How much is looked at. The work grows with these, and no figure's meaning depends on them."""

    pairs: int = MOST_PAIRS  # of frames, of two shots
    frames: int | None = None  # of a shot, spread evenly, held against ours; None: all
    every: int = 4  # this many of those apart, cameras are found
    steps: int = MOST_STEPS  # from frame to frame, of a shot
    follow: bool = True  # find cameras at all
    alone: bool = False  # ask clips that our scene is not recognised in whether they show one room of their own
    allowed: Allowed = field(default_factory=Allowed)


@dataclass(frozen=True)
class Known:
    """What was measured of the scene alone, in plain figures that go from process to process.

    `grounds` are the pairs of frames of two shots, and whether the shots changed places; `motions` are our own steps
    and `brightness` our mean luma, levels; by the shots, the size and how many were asked for.
    """

    grounds: Mapping[GroundKey, tuple[tuple[PairGround, ...], bool]] = field(default_factory=dict)
    motions: Mapping[ShotKey, Motion] = field(default_factory=dict)
    brightness: Mapping[ShotKey, NDArray[np.float64]] = field(default_factory=dict)

    def and_also(self, more: Known) -> Known:
        """Both together."""
        return Known(
            {**self.grounds, **more.grounds},
            {**self.motions, **more.motions},
            {**self.brightness, **more.brightness},
        )


def known_shot(truth: ShotTruth, depth: Depth) -> Known:
    """What every take of a shot is held against."""
    motion = measure_motion(truth.clip().frames, most=depth.steps)
    return Known(
        motions={(truth.shot, truth.size, depth.steps): motion},
        brightness={(truth.shot, truth.size, len(truth)): own_brightness(truth, len(truth))},
    )


def known_ground(truths: Mapping[str, ShotTruth], pair: PairSpec, depth: Depth) -> Known:
    """The ground on which takes of two shots are held against each other."""
    a, b = truths[pair.a], truths[pair.b]
    ground = lay_ground(own_seer(a), own_seer(b), other_scene(truths, a), depth.pairs)
    return Known({(a.shot, b.shot, a.size, depth.pairs): (ground.pairs, ground.turned)})


class Shared:
    """What depends on the scene alone, kept between methods that are compared with the same truths."""

    def __init__(self, known: Known = Known()) -> None:
        self.known = known
        self.grounds: dict[GroundKey, Ground] = {}
        self.motions: dict[ShotKey, Motion] = {}
        self.joints: dict[tuple[str, str, tuple[int, int]], Joint] = {}

    def ground(self, a: ShotTruth, b: ShotTruth, other_scene: Frames, most: int) -> Ground:
        key = (a.shot, b.shot, a.size, most)
        if key not in self.grounds:
            eyes = own_seer(a), own_seer(b)
            if key in self.known.grounds:
                pairs, turned = self.known.grounds[key]
                first, second = reversed(eyes) if turned else eyes
                self.grounds[key] = Ground(first, second, pairs, turned)
            else:
                self.grounds[key] = lay_ground(*eyes, other_scene, most)
        return self.grounds[key]

    def joint(self, a: ShotTruth, b: ShotTruth) -> Joint:
        """What our own frames reach, which is the best that pictures alone can tell of these two shots."""
        key = (a.shot, b.shot, a.size)
        if key not in self.joints:
            self.joints[key] = measure_joint(a.clip(), b.clip())
        return self.joints[key]

    def motion(self, truth: ShotTruth, most: int) -> Motion:
        key = (truth.shot, truth.size, most)
        if key not in self.motions:
            own = self.known.motions.get(key)
            self.motions[key] = measure_motion(truth.clip().frames, most=most) if own is None else own
        return self.motions[key]

    def remind(self, truth: ShotTruth, count: int) -> None:
        """Let a truth know what was measured of it elsewhere."""
        if (own := self.known.brightness.get((truth.shot, truth.size, count))) is not None:
            own_brightness(truth, count, known=own)


def measure_method(
    method: MethodClips,
    truths: Mapping[str, ShotTruth],
    pairs: Sequence[PairSpec],
    depth: Depth = Depth(),
    progress: Progress = SILENT,
    shared: Shared | None = None,
) -> MethodScores:
    """Everything that can be measured of a method. Takes are compared with the take of the same number.

    Give `shared` when several methods are measured against one film.
    """
    shared = shared or Shared()
    progress.start(f"measure {method.method}", len(method.clips) + len(pairs), "steps")
    shots: list[ShotScores] = []
    takes: dict[ShotTake, Take] = {}
    for done, ((shot, number), clip) in enumerate(method.clips.items(), 1):
        scores, take = _shot(shot, number, clip, truths[shot], depth, shared)
        takes[shot, number] = take
        shots.append(replace(scores, imported=method.imported.get(shot, ())))
        progress.advance(done, shot)
    found: list[PairScores] = []
    for done, pair in enumerate(pairs, 1):
        found += _pair(pair, takes, truths, depth, shared)
        progress.advance(len(method.clips) + done, f"{pair.a} > {pair.b}")
    progress.finish()
    return MethodScores(method.method, method.title, method.given, tuple(shots), tuple(found), method.notes)


def _shot(
    shot: str, number: int | None, clip: Clip, truth: ShotTruth, depth: Depth, shared: Shared
) -> tuple[ShotScores, Take]:
    following: CameraFollowing | None = None
    if depth.follow and vision.available():
        following = follow_camera(clip, truth, depth.every, depth.frames)
    shared.remind(truth, min(len(clip), len(truth)))
    motion = measure_motion(clip.frames, clip.mask, depth.steps)
    if clip.mask is None and len(clip) == len(truth):
        ours = shared.motion(truth, depth.steps)
    else:
        ours = measure_motion(truth.clip().frames[: len(clip)], clip.mask, depth.steps)
    guards = shot_guards(clip, truth, motion, ours, depth.allowed)
    scores = ShotScores(
        shot,
        number,
        min(len(clip), len(truth)),
        following,
        measure_stability(clip, truth, following, motion, ours),
        guards,
        measure_agreement(clip, truth, depth.frames),
        own_camera=measure_own_camera(clip, truth) if depth.alone and _is_elsewhere(following) else None,
    )
    return scores, Take(clip, truth, following, guards)


def _is_elsewhere(following: CameraFollowing | None) -> bool:
    """Whether our scene is not recognised in a clip: it never saw it, and must be judged by itself."""
    return following is not None and (following.located.value or 0) < LOCATED_ENOUGH


def _joint(a: Take, b: Take, shared: Shared) -> Joint:
    """Two takes by their pictures alone, with what ours reach as the ceiling."""
    found, ours = measure_joint(a.clip, b.clip), shared.joint(a.truth, b.truth)
    return Joint(
        replace(found.registered, ceiling=ours.registered.value), replace(found.colour, ceiling=ours.colour.value)
    )


def _pair(
    pair: PairSpec,
    takes: Mapping[ShotTake, Take],
    truths: Mapping[str, ShotTruth],
    depth: Depth,
    shared: Shared,
) -> list[PairScores]:
    """A pair in every take that both shots have."""
    numbers = {shot: [n for s, n in takes if s == shot] for shot in (pair.a, pair.b)}
    both = [n for n in numbers[pair.a] if n in numbers[pair.b]]
    if not both:
        missing = ", ".join(shot for shot in dict.fromkeys((pair.a, pair.b)) if not numbers[shot])
        note = f"no clip of {missing}" if missing else "no take that both shots have"
        return [PairScores(pair.kind, pair.a, pair.b, note=note)]
    return [_pair_of_take(pair, n, takes[pair.a, n], takes[pair.b, n], truths, depth, shared) for n in both]


def _pair_of_take(
    pair: PairSpec,
    number: int | None,
    a: Take,
    b: Take,
    truths: Mapping[str, ShotTruth],
    depth: Depth,
    shared: Shared,
) -> PairScores:
    if pair.kind == "follow-up":
        other = other_scene(truths, a.truth)
        ground = shared.ground(a.truth, b.truth, other, depth.pairs)
        continuity = measure_follow_up(a, b, other, ground, depth.pairs)
        alone = depth.alone and (_is_elsewhere(a.following) or _is_elsewhere(b.following))
        joint = _joint(a, b, shared) if alone else None
        return PairScores(pair.kind, pair.a, pair.b, number, continuity=continuity, joint=joint)
    if pair.kind == "revisit":
        frames = [(i, j) for i, j in pair.frames if i < len(a.clip) and j < len(b.clip)]
        others = (t for name, t in truths.items() if name not in (pair.a, pair.b) and t.size == a.truth.size)
        wrong = next((other.clip() for other in others), None)
        return PairScores(pair.kind, pair.a, pair.b, number, revisit=measure_revisit(a.clip, b.clip, frames, wrong))
    if pair.kind == "edit" and pair.object is not None:
        edit = measure_edit(a.clip, b.clip, (a.truth, b.truth), pair.object)
        return PairScores(pair.kind, pair.a, pair.b, number, edit=edit)
    return PairScores(pair.kind, pair.a, pair.b, number, note="an edit needs the object that was edited")


def other_scene(truths: Mapping[str, ShotTruth], truth: ShotTruth) -> Frames:
    """Our frames of another scene of the film, for the null; none where the film has one scene."""
    for other in truths.values():
        if other.scene != truth.scene and other.size == truth.size:
            return other.clip().frames
    return ()


def write_scores(
    folder: Path, methods: Sequence[MethodScores], more: Mapping[str, object] | None = None
) -> tuple[Path, Path]:
    """`continuity.json` with everything (and `more` beside it) and `continuity.csv` with one row a number."""
    folder.mkdir(parents=True, exist_ok=True)
    json_path, csv_path = folder / "continuity.json", folder / "continuity.csv"
    made = {"schema": SCHEMA, "made_with": list(vision.versions()), "methods": plain(methods), **plain(more or {})}
    write_json(json_path, made)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for method in methods:
        table.writerows(rows_of(method))
    write_bytes(csv_path, text.getvalue().encode("utf-8"))
    return json_path, csv_path
