"""The continuity supervisor: our own film held to its own scene, cut by cut and object by object, like code to tests.

Before refinement a film must be exact: frames are what the scene gives, and a camera that comes back at the same moment
of the story brings back the same bits. After refinement it is a matter of degree; the goals are the film's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.agreement import measure_agreement, some
from splatfilm.compare.determinism import measure_determinism
from splatfilm.compare.followup import Take, lay_ground, measure_follow_up
from splatfilm.compare.guards import Allowed, shot_guards
from splatfilm.compare.measure import write_scores
from splatfilm.compare.motion import measure_motion
from splatfilm.compare.overlap import Seer
from splatfilm.compare.pairs import PairSpec, film_pairs, is_cut
from splatfilm.compare.returns import find_returns, measure_return_of
from splatfilm.compare.revisit import measure_revisit
from splatfilm.compare.scores import Continuity, MethodScores, ObjectScore, PairScores, ShotScores
from splatfilm.compare.truth import FOLDER, TruthOptions, film_clips, film_truth
from splatfilm.compare.views import Clip, ShotTruth
from splatfilm.film.model import ContinuityGoal, Film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.takes import Take as RenderedTake

REFINED_MAY_ADD = 4.0
"""Times the bare frames' fine detail that refinement may bring: to add texture is what it is for."""

BESIDE_WHAT_MOVED = 60.0
"""Decibels of bare frames when a camera comes back after something was moved: the faint rims of its splats reach a
little beyond its outline, so what is left differs by a level here and there."""

LEAST_OBJECT = 0.6
"""OBJ below which a cut fails whatever its FSC: a small prop that moved hardly weighs in the whole picture. A bed moved
by 20 cm keeps 0.4, by 5 cm 0.8."""

Verdict = Literal["holds", "fails", "nothing to compare"]


@dataclass(frozen=True)
class Supervising:
    """What is looked at: `refined` frames where there are any, every two shots or cuts alone, how many frames of each.

    `takes` is a folder of refined takes elsewhere, `<shot>/v001/` as refinement writes them: another refiner's.
    """

    truth: TruthOptions = field(default_factory=TruthOptions)
    refined: bool = True
    takes: Path | None = None
    cuts_only: bool = False
    pairs: int = 8  # of frames, of two shots
    frames: int = 8  # of a shot by itself


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. `reached` None: nothing could be compared, and `why` says so."""

    kind: Literal["frames", "cut", "follow-up", "revisit"]
    a: str
    b: str  # empty for frames
    verdict: Verdict
    reached: float | None
    wanted: float
    why: str = ""
    worst: ObjectScore | None = None
    at: tuple[int, int] | None = None  # scene frames in A and in B where it fits worst


@dataclass(frozen=True)
class Supervision:
    """A film's continuity: every finding, the scores behind them, and which kind of frames each shot has."""

    goal: ContinuityGoal
    findings: tuple[Finding, ...]
    scores: MethodScores
    shown: Mapping[str, str]  # shot -> "refined v002" or "bare v001"
    files: tuple[Path, Path]

    @property
    def holds(self) -> bool:
        return all(finding.verdict != "fails" for finding in self.findings)

    @property
    def follow_ups(self) -> list[float]:
        """FSC of every two shots that could be held against each other, the lowest first."""
        scored = (f.reached for f in self.findings if f.kind in ("cut", "follow-up"))
        return sorted(value for value in scored if value is not None)

    @property
    def alone(self) -> tuple[str, ...]:
        """Shots that are held against no other: nothing that they show is seen well enough from elsewhere."""
        held = {shot for f in self.findings if f.b and f.verdict != "nothing to compare" for shot in (f.a, f.b)}
        return tuple(shot for shot in self.shown if shot not in held)

    @property
    def against_scene(self) -> Mapping[str, float]:
        """How near each shot's frames are to the bare scene through the same cameras, dB, the median; inf where equal.

        For a shot that no other shows anything of, this is all that can be said of it.
        """
        named = {shot.shot: {score.name: score.value for score in shot.agreement} for shot in self.scores.shots}
        return {name: value for name, own in named.items() if (value := own.get("OURS_PSNR")) is not None}

    @property
    def worst(self) -> Finding | None:
        """The failed finding that says most: cuts first, and of these the one with the lowest score."""
        failed = [finding for finding in self.findings if finding.verdict == "fails"]
        return min(failed, key=_shortfall, default=None)


def supervise(
    film: Film,
    asked: Supervising = Supervising(),
    goal: ContinuityGoal | None = None,
    progress: Progress = SILENT,
) -> Supervision:
    """Measure a rendered film and judge it; `goal` instead of the film's own.

    Writes `continuity.json` and `continuity.csv` into the film's folder `continuity`. Raises `InputError` when a shot
    has no finished take.
    """
    goal = goal or film.continuity
    shown = _rendered(film, asked)
    truths = film_truth(film, asked.truth, progress)
    fitting = {name: clip for name, (_, _, clip) in shown.items()}
    specs = [s for s in film_pairs(truths) if s.kind != "follow-up" or not asked.cuts_only or is_cut(truths, s)]
    progress.start("continuity", len(truths) + len(specs), "comparisons")
    findings: list[Finding] = []
    shots: list[ShotScores] = []
    takes: dict[str, Take] = {}
    for done, (name, truth) in enumerate(truths.items(), 1):
        bare = shown[name][1] == "bare"
        scores, take, finding = _shot(truth, fitting[name], bare, asked)
        shots.append(scores)
        takes[name] = take
        findings += [finding] if finding else []
        progress.advance(done, name)
    pairs: list[PairScores] = []
    seers = {name: Seer(truth) for name, truth in truths.items()}
    judge = _Judge(truths, seers, takes, {n for n, (_, kind, _) in shown.items() if kind == "bare"}, goal, asked.pairs)
    for done, spec in enumerate(specs, 1):
        found, finding = judge.pair(spec)
        if finding.verdict != "nothing to compare" or finding.kind == "cut":
            pairs.append(found)
            findings.append(finding)
        progress.advance(len(truths) + done, f"{spec.a} > {spec.b}")
    for found, finding in judge.returns():
        pairs.append(found)
        findings.append(finding)
    progress.finish()
    scores_of_film = MethodScores("ours", film.title, "ours", tuple(shots), tuple(pairs))
    kinds = {name: f"{kind} {take.name}" for name, (take, kind, _) in shown.items()}
    folder = FilmFolders.of(asked.truth.out, film, asked.truth.size).root / FOLDER
    more = {"goal": goal, "findings": findings, "frames": kinds, "holds": all(f.verdict != "fails" for f in findings)}
    files = write_scores(folder, [scores_of_film], more)
    return Supervision(goal, tuple(findings), scores_of_film, kinds, files)


def _rendered(film: Film, asked: Supervising) -> dict[str, tuple[RenderedTake, str, Clip]]:
    """The take that counts of every shot, what kind it is, and its frames."""
    bare = film_clips(film, asked.truth, refined=False)
    refined = film_clips(film, asked.truth, refined=True, elsewhere=asked.takes) if asked.refined else {}
    if asked.takes is not None and not refined:
        raise InputError.at(asked.takes, "holds no finished take of a shot (<shot>/v001/manifest.json)")
    chosen = [s.name for s in film.shots if asked.truth.shots is None or s.name in asked.truth.shots]
    missing = [name for name in chosen if name not in bare and name not in refined]
    if missing:
        raise InputError.at(
            film.path, f"not rendered yet: shot {', '.join(missing)} (splatfilm render {film.path} first)", "shots"
        )
    found: dict[str, tuple[RenderedTake, str, Clip]] = {}
    for name in chosen:
        take, clip = refined[name] if name in refined else bare[name]
        found[name] = take, "refined" if name in refined else "bare", clip
    return found


def _shot(truth: ShotTruth, clip: Clip, bare: bool, asked: Supervising) -> tuple[ShotScores, Take, Finding | None]:
    """One shot by itself: bare frames must be the scene's to the bit; refined ones must still be a picture of it."""
    if len(clip) != len(truth) or clip.frames[0].shape[1::-1] != truth.size:
        size = clip.frames[0].shape[1::-1]
        why = (
            f"its take has {len(clip)} frames of {size[0]}x{size[1]}, "
            f"the film asks for {len(truth)} of {truth.size[0]}x{truth.size[1]}: render again"
        )
        raise InputError.at(truth.shot, why)
    motion, ours = (measure_motion(c.frames, most=asked.frames) for c in (clip, truth.clip()))
    allowed = Allowed() if bare else Allowed(detail=(Allowed().detail[0], REFINED_MAY_ADD))
    guards = shot_guards(clip, truth, motion, ours, allowed)
    scores = ShotScores(
        truth.shot,
        None,
        len(clip),
        guards=guards,
        agreement=measure_agreement(clip, truth, asked.frames),
    )
    take = Take(clip, truth, None, guards)
    if not bare:
        return scores, take, None
    chosen = some(len(clip), asked.frames)
    same = measure_determinism([clip.frames[i] for i in chosen], [truth.views[i].picture for i in chosen])
    share = same.share.value or 0.0
    why = ""
    if share < 1:
        wrong = [index for index, equal in zip(chosen, same.share.per_frame, strict=True) if not equal[1]]
        why = (
            f"{len(wrong)} of {len(chosen)} frames are not what the scene gives, by up to {same.largest.value:.0f} "
            f"levels, first {truth.scene_frames[wrong[0]]}"
        )
    return scores, take, Finding("frames", truth.shot, "", "fails" if why else "holds", share, 1.0, why)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Holds shots against each other and against the goal."""

    truths: Mapping[str, ShotTruth]
    seers: Mapping[str, Seer]
    takes: Mapping[str, Take]
    bare: Set[str]
    goal: ContinuityGoal
    most: int

    def pair(self, spec: PairSpec) -> tuple[PairScores, Finding]:
        """One pair of shots."""
        if spec.kind != "revisit":
            return self._follow_up(spec)
        wrong = self._wrong(spec.a, spec.b)
        revisit = measure_revisit(self.takes[spec.a].clip, self.takes[spec.b].clip, spec.frames, wrong)
        return self._revisited(PairScores("revisit", spec.a, spec.b, revisit=revisit), math.inf, "")

    def returns(self) -> Iterator[tuple[PairScores, Finding]]:
        """Cameras that come back after something was moved: everything else must be as it was."""
        clips: dict[tuple[str, int | None], Clip] = {(name, None): take.clip for name, take in self.takes.items()}
        for back in find_returns(self.truths):
            for found in measure_return_of(back, clips, self._wrong(back.a, back.b)):
                note = f"without {', '.join(back.moved)}, which moved; "
                yield self._revisited(found, BESIDE_WHAT_MOVED, note)

    def _wrong(self, a: str, b: str) -> Clip | None:
        return next((truth.clip() for name, truth in self.truths.items() if name not in (a, b)), None)

    def _revisited(self, found: PairScores, bare: float, note: str) -> tuple[PairScores, Finding]:
        """The worst frame counts: a median would hide one bad frame. `bare` is what bare frames must reach, dB."""
        assert found.revisit is not None, "a revisit was measured"
        wanted = bare if {found.a, found.b} <= self.bare else self.goal.revisit
        rows = [value for _, value in found.revisit.psnr.per_frame]
        low = min(range(len(rows)), key=lambda k: rows[k])
        a, b = self.takes[found.a], self.takes[found.b]
        at = _scene_frames(a, b, found.revisit.pairs[low])
        verdict: Verdict = "holds" if rows[low] >= wanted else "fails"
        why = f"{note}{found.revisit.exact} of {len(rows)} frames exact"
        return found, Finding("revisit", found.a, found.b, verdict, rows[low], wanted, why, None, at)

    def _follow_up(self, spec: PairSpec) -> tuple[PairScores, Finding]:
        a, b = self.takes[spec.a], self.takes[spec.b]
        other = next((t.clip().frames for t in self.truths.values() if t.scene != a.truth.scene), ())
        ground = lay_ground(self.seers[spec.a], self.seers[spec.b], other, self.most)
        found = measure_follow_up(a, b, other, ground, self.most)
        scores = PairScores(spec.kind, spec.a, spec.b, continuity=found)
        return scores, _judged(spec, self.truths, a, b, found, self.goal)


def _judged(
    spec: PairSpec, truths: Mapping[str, ShotTruth], a: Take, b: Take, found: Continuity, goal: ContinuityGoal
) -> Finding:
    kind: Literal["cut", "follow-up"] = "cut" if is_cut(truths, spec) else "follow-up"
    if found.not_comparable:
        return Finding(kind, spec.a, spec.b, "nothing to compare", None, goal.fsc, found.not_comparable)
    at = found.worst.worst_frames if found.worst is not None else found.worst_frames
    where = _scene_frames(a, b, at)
    if found.blocked:
        return Finding(kind, spec.a, spec.b, "fails", None, goal.fsc, f"blocked: {found.blocked}", found.worst, where)
    reached, worst = found.score.value, found.worst
    verdict: Verdict = "holds" if reached is not None and reached >= goal.fsc else "fails"
    why = found.score.note
    if worst is not None and worst.value is not None and worst.value < min(LEAST_OBJECT, goal.fsc):
        verdict = "fails"
        why = "; ".join(filter(None, (f"the {worst.object} is not the same in both", why)))
    return Finding(kind, spec.a, spec.b, verdict, reached, goal.fsc, why, worst, where)


def _scene_frames(a: Take, b: Take, at: tuple[int, int] | None) -> tuple[int, int] | None:
    return None if at is None else (a.truth.scene_frames[at[0]], b.truth.scene_frames[at[1]])


def _shortfall(finding: Finding) -> tuple[int, float]:
    """Cuts before revisits before frames, then by what was reached: a moved thing fails all three, the cut names it."""
    order: Sequence[str] = ("cut", "follow-up", "revisit", "frames")
    return order.index(finding.kind), finding.reached or 0.0
