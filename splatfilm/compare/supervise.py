"""The continuity supervisor: our own film held to its own scene, cut by cut and object by object, like code to tests.

Before refinement a film must be exact: frames are what the scene gives, and a camera that comes back at the same moment
of the story brings back the same bits. After refinement it is a matter of degree; the goals are the film's.

What must be equal to the bit is looked at as large as it was made. All else is a matter of degree, and is measured at a
working size: there a figure means the same for a film of any size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.agreement import measure_agreement, some
from splatfilm.compare.determinism import measure_determinism
from splatfilm.compare.finished import OwnFrames
from splatfilm.compare.followup import Take, lay_ground, measure_follow_up
from splatfilm.compare.guards import Allowed, shot_guards
from splatfilm.compare.measure import write_scores
from splatfilm.compare.motion import measure_motion
from splatfilm.compare.overlap import own_seer
from splatfilm.compare.pairs import PairSpec, film_pairs, is_cut
from splatfilm.compare.returns import find_returns, measure_return_of
from splatfilm.compare.revisit import measure_revisit
from splatfilm.compare.scores import Continuity, MethodScores, ObjectScore, PairScores, ShotScores
from splatfilm.compare.truth import FOLDER, TruthOptions, film_clips, film_truth
from splatfilm.compare.views import Chosen, Clip, Lazy, ShotTruth, scaled_clip, scaled_truth, working_size
from splatfilm.film.model import ContinuityGoal, Film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.takes import Take as RenderedTake

WIDTH = 640
"""Pixels: what is not held to the bit is measured at this width unless another is asked for, or the film is smaller."""

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

    `takes` is a folder of refined takes elsewhere, `<shot>/v001/` as refinement writes them: another refiner's. `width`
    is what is not held to the bit measured at; None: `WIDTH`.
    """

    truth: TruthOptions = field(default_factory=TruthOptions)
    refined: bool = True
    takes: Path | None = None
    cuts_only: bool = False
    pairs: int = 8  # of frames, of two shots
    frames: int = 8  # of a shot by itself
    width: int | None = None  # pixels


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
    size: tuple[int, int]  # at which frames are held to the bit
    working: tuple[int, int]  # at which all else is measured

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
    whole = film_truth(film, replace(asked.truth, stored=True), progress)
    size = next(iter(whole.values())).size
    working = working_size(size, asked.width or WIDTH)
    specs = [s for s in film_pairs(whole) if s.kind != "follow-up" or not asked.cuts_only or is_cut(whole, s)]
    progress.start("continuity", len(whole) + len(specs), "comparisons")
    findings: list[Finding] = []
    shots: list[ShotScores] = []
    takes: dict[str, Take] = {}
    for done, (name, truth) in enumerate(whole.items(), 1):
        _, kind, clip = shown[name]
        _check_fits(truth, clip)
        if kind == "bare":
            findings.append(exact := _exact(truth, clip, asked.frames))
            if exact.verdict == "fails":  # finished frames are not what the scene gives, so it is drawn
                own = OwnFrames(None, (None,) * len(truth), truth.drawn) if truth.drawn else None
                truth = replace(truth, stored=own)
        scores, takes[name] = _shot(scaled_truth(truth, *working), scaled_clip(clip, working), kind, asked.frames)
        shots.append(scores)
        progress.advance(done, name)
    pairs: list[PairScores] = []
    judge = _Judge(takes, {name: clip for name, (_, _, clip) in shown.items()}, _bare(shown), goal, asked.pairs)
    for done, spec in enumerate(specs, 1):
        found, finding = judge.pair(spec)
        if finding.verdict != "nothing to compare" or finding.kind == "cut":
            pairs.append(found)
            findings.append(finding)
        progress.advance(len(whole) + done, f"{spec.a} > {spec.b}")
    for found, finding in judge.returns():
        pairs.append(found)
        findings.append(finding)
    progress.finish()
    scores_of_film = MethodScores("ours", film.title, "ours", tuple(shots), tuple(pairs))
    kinds = {name: f"{kind} {take.name}" for name, (take, kind, _) in shown.items()}
    folder = FilmFolders.of(asked.truth.out, film, asked.truth.size).root / FOLDER
    more = {"goal": goal, "findings": findings, "frames": kinds, "holds": all(f.verdict != "fails" for f in findings)}
    files = write_scores(folder, [scores_of_film], {**more, "size": size, "working_size": working})
    return Supervision(goal, tuple(findings), scores_of_film, kinds, files, size, working)


Shown = Mapping[str, tuple[RenderedTake, str, Clip]]
"""By shot: the take that counts, which kind of frames it has (bare or refined), and them."""


def _bare(shown: Shown) -> Set[str]:
    return {name for name, (_, kind, _) in shown.items() if kind == "bare"}


def _rendered(film: Film, asked: Supervising) -> Shown:
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


def _check_fits(truth: ShotTruth, clip: Clip) -> None:
    """Raises `InputError` where a take has another length or size than its shot."""
    size = clip.frames[0].shape[1::-1]
    if len(clip) != len(truth) or size != truth.size:
        why = (
            f"its take has {len(clip)} frames of {size[0]}x{size[1]}, "
            f"the film asks for {len(truth)} of {truth.size[0]}x{truth.size[1]}: render again"
        )
        raise InputError.at(truth.shot, why)


def _shot(truth: ShotTruth, clip: Clip, kind: str, frames: int) -> tuple[ShotScores, Take]:
    """One shot by itself: it must still be a picture of its scene. Refined frames may bring detail of their own."""
    motion, ours = (measure_motion(c.frames, most=frames) for c in (clip, truth.clip()))
    allowed = Allowed() if kind == "bare" else Allowed(detail=(Allowed().detail[0], REFINED_MAY_ADD))
    guards = shot_guards(clip, truth, motion, ours, allowed)
    agreement = measure_agreement(clip, truth, frames)
    return ShotScores(truth.shot, None, len(clip), guards=guards, agreement=agreement), Take(clip, truth, None, guards)


def _exact(truth: ShotTruth, clip: Clip, frames: int) -> Finding:
    """Bare frames must be what the scene gives, to the bit: some of them, drawn anew as large as they are."""
    chosen = some(len(clip), frames)
    drawn = Lazy(len(truth), truth.drawn or (lambda index: truth.views[index].picture), keep=0)
    same = measure_determinism(Chosen(clip.frames, chosen), Chosen(drawn, chosen))
    share = same.share.value or 0.0
    why = ""
    if share < 1:
        wrong = [index for index, equal in zip(chosen, same.share.per_frame, strict=True) if not equal[1]]
        why = (
            f"{len(wrong)} of {len(chosen)} frames are not what the scene gives, by up to {same.largest.value:.0f} "
            f"levels, first {truth.scene_frames[wrong[0]]}"
        )
    return Finding("frames", truth.shot, "", "fails" if why else "holds", share, 1.0, why)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Holds shots against each other and against the goal; `whole` are their frames as large as they were made."""

    takes: Mapping[str, Take]  # at the working size
    whole: Mapping[str, Clip]
    bare: Set[str]
    goal: ContinuityGoal
    most: int

    @property
    def truths(self) -> Mapping[str, ShotTruth]:
        return {name: take.truth for name, take in self.takes.items()}

    def pair(self, spec: PairSpec) -> tuple[PairScores, Finding]:
        """One pair of shots."""
        if spec.kind != "revisit":
            return self._follow_up(spec)
        wrong = self._wrong(spec.a, spec.b)
        whole = self.whole[spec.a], self.whole[spec.b]
        revisit = measure_revisit(self.takes[spec.a].clip, self.takes[spec.b].clip, spec.frames, wrong, whole)
        return self._revisited(PairScores("revisit", spec.a, spec.b, revisit=revisit), math.inf, "")

    def returns(self) -> Iterator[tuple[PairScores, Finding]]:
        """Cameras that come back after something was moved: everything else must be as it was."""
        clips: dict[tuple[str, int | None], Clip] = {(name, None): take.clip for name, take in self.takes.items()}
        whole: dict[tuple[str, int | None], Clip] = {(name, None): clip for name, clip in self.whole.items()}
        for back in find_returns(self.truths):
            for found in measure_return_of(back, clips, self._wrong(back.a, back.b), whole):
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
        ground = lay_ground(own_seer(a.truth), own_seer(b.truth), other, self.most)
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
