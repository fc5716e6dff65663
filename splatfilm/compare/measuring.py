"""Every row of a comparison measured, each at the size that it and our film have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.agreement import some
from splatfilm.compare.crew import Crew
from splatfilm.compare.determinism import measure_determinism
from splatfilm.compare.imported import imported_by_method
from splatfilm.compare.manifest import PairEntry
from splatfilm.compare.measure import (
    Depth,
    Known,
    MethodClips,
    Shared,
    known_ground,
    known_shot,
    measure_method,
    write_scores,
)
from splatfilm.compare.overlap import own_seer, shares
from splatfilm.compare.pairs import PairSpec, film_pairs, is_cut
from splatfilm.compare.returns import Return, find_returns, measure_return_of
from splatfilm.compare.rows import Row, RowClip, measured_clip
from splatfilm.compare.scores import MethodScores, PairKind, PairScores, Score
from splatfilm.compare.stability import depth_steps
from splatfilm.compare.truth import TruthOptions, film_truth
from splatfilm.compare.views import Clip, ShotTruth, scaled_truth, working_size
from splatfilm.film.model import Film

_KINDS: Mapping[str, PairKind] = {"follow-up": "follow-up", "revisit": "revisit", "edit": "edit"}

WIDTH = 320
"""Pictures are measured at this width unless another is asked for: the ladders that the thresholds come from were."""

DEPTH = Depth(pairs=12, frames=24, every=2, steps=24)
"""What is looked at of long shots too: the work of a report grows with its shots and takes, not with their length."""


@dataclass(frozen=True, eq=False)
class Measuring:
    """What is measured, and how. Nothing is measured wider than `width` (None: `WIDTH`), nor larger than its clip."""

    film: Film
    out: Path
    backend: str
    width: int | None
    imported: tuple[Path, ...]
    alone: bool = False  # also judge by their pictures alone what never saw our scene

    @property
    def size(self) -> tuple[int, int]:
        """The size that everything is measured at which is not smaller itself."""
        return working_size(self.film.size, self.width or WIDTH)

    def truths(self) -> dict[str, ShotTruth]:
        """Our film as it is measured against."""
        return film_truth(self.film, TruthOptions(out=self.out, backend=self.backend, stored=True))

    def write(self, folder: Path, scores: Sequence[MethodScores]) -> tuple[Path, Path]:
        """The JSON and the CSV of everything measured."""
        return write_scores(folder, scores)


def measure_rows(
    asked: Measuring,
    rows: Sequence[Row],
    pairs: Sequence[PairEntry],
    progress: Progress = SILENT,
    crew: Crew | None = None,
) -> dict[str, MethodScores]:
    """The scores of every row by its name.

    Follow-ups are every cut, the nearest shot that shows enough where a cut does not, and what the manifests ask for.
    First what depends on our scene alone is measured, shot by shot; then every take, each by itself.
    """
    crew = crew or Crew(1)
    learned = imported_by_method(asked.imported, [row.name for row in rows], [shot.name for shot in asked.film.shots])
    job = _Job(uuid4().hex, asked)
    shots = [shot.name for shot in asked.film.shots]
    progress.start("looking at our own shots", len(shots), "shots")
    known = Known()
    for done, found in enumerate(crew.map(partial(_prepare_shot, job), shots), 1):
        known = known.and_also(found)
        progress.advance(done, shots[done - 1])
    telling = _telling(asked, pairs)
    follow_ups = [pair for pair in telling if pair.kind == "follow-up"]
    progress.start("looking at our own cuts", len(follow_ups), "pairs of shots")
    for done, found in enumerate(crew.map(partial(_prepare_pair, job), follow_ups), 1):
        known = known.and_also(found)
        progress.advance(done, f"{follow_ups[done - 1].a} > {follow_ups[done - 1].b}")
    job = replace(job, pairs=tuple(telling), known=known)
    units = [unit for row in rows for unit in _units(asked, row, learned.get(row.name, {}))]
    different = list({unit.identity: unit for unit in reversed(units)}.values())[::-1]
    progress.start("measuring", sum(len(unit.clips) for unit in different), "takes")
    made: dict[str, MethodScores] = {}
    done = 0
    for unit, scores in zip(different, crew.map(partial(_measure_unit, job), different), strict=True):
        made[unit.identity] = scores
        done += len(unit.clips)
        progress.advance(done, unit.row)
    progress.finish()
    _desks.clear()  # of this process, where it did the work itself
    return {row.name: _together(row, telling, [made[u.identity] for u in units if u.row == row.name]) for row in rows}


def _telling(asked: Measuring, pairs: Sequence[PairEntry]) -> list[PairSpec]:
    """Every pair of shots that is held against each other."""
    truths = {name: scaled_truth(truth, *asked.size) for name, truth in asked.truths().items()}
    wanted = [*film_pairs(truths)]
    known = {(pair.kind, pair.a, pair.b) for pair in wanted}
    wanted += [
        PairSpec(_KINDS[pair.kind], pair.a, pair.b, pair.frames, pair.object or None)
        for pair in pairs
        if (pair.kind, pair.a, pair.b) not in known
    ]
    telling = [pair for pair in wanted if pair.kind != "follow-up" or pair.frames or is_cut(truths, pair)]
    there = {(pair.a, pair.b) for pair in telling if pair.kind == "follow-up"}
    return telling + [pair for pair in nearest_shots(truths) if (pair.a, pair.b) not in there]


def nearest_shots(truths: Mapping[str, ShotTruth]) -> list[PairSpec]:
    """For every cut that shows too little of the same, the nearest earlier shot that shows enough of the later one."""
    seers = {name: own_seer(truth) for name, truth in truths.items()}
    names, found = list(truths), []
    for place in range(2, len(names)):
        name = names[place]
        for earlier in reversed(names[:place]):
            if truths[earlier].scene == truths[name].scene and shares(seers[earlier], seers[name]):
                found += [PairSpec("follow-up", earlier, name)] if earlier != names[place - 1] else []
                break
    return found


# ---- one take, in any process ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Job:
    """What all pieces of one comparison have in common; a process keeps what it worked out for it under its name."""

    name: str
    asked: Measuring
    pairs: tuple[PairSpec, ...] = ()
    known: Known = field(default_factory=Known)


@dataclass(frozen=True, eq=False)
class _Unit:
    """One take of every shot of a row that has it. Units of one identity come to the same scores."""

    row: str
    information: str
    clips: Mapping[tuple[str, int], RowClip]
    sizes: Mapping[str, tuple[int, int]]
    learned: Mapping[str, tuple[Score, ...]]

    @property
    def identity(self) -> str:
        clips = [[*key, clip.identity, list(self.sizes[key[0]])] for key, clip in self.clips.items()]
        masked = any(clip.mask is not None for clip in self.clips.values())
        return hash_value([clips, self.row if masked or self.learned else ""])


def _units(asked: Measuring, row: Row, learned: Mapping[str, tuple[Score, ...]]) -> list[_Unit]:
    sizes = measured_sizes(asked, row)
    return [
        _Unit(row.name, row.information, {key: c for key, c in row.clips.items() if key[1] == take}, sizes, learned)
        for take in sorted({take for _, take in row.clips})
    ]


_desks: dict[str, _Desk] = {}


def _desk(job: _Job) -> _Desk:
    """This process's own for a comparison; that of an earlier one is cleared."""
    if job.name not in _desks:
        _desks.clear()
        _desks[job.name] = _Desk(job.asked)
    return _desks[job.name]


def _prepare_shot(job: _Job, shot: str) -> Known:
    """What every take of a shot is held against; also draws the views that all processes will look at."""
    truth = _desk(job).truth(shot, job.asked.size)
    for index in {*some(len(truth), DEPTH.frames), *(i + 1 for i in depth_steps(len(truth)))}:
        own_seer(truth).coarse(index)
    return known_shot(truth, DEPTH)


def _prepare_pair(job: _Job, pair: PairSpec) -> Known:
    desk = _desk(job)
    return known_ground({name: desk.truth(name, job.asked.size) for name in desk.shots}, pair, DEPTH)


def _measure_unit(job: _Job, unit: _Unit) -> MethodScores:
    return _desk(job).measure(unit, job)


class _Desk:
    """One process's view of the film: what is drawn and kept for it is shared with nobody."""

    def __init__(self, asked: Measuring) -> None:
        self._truths = asked.truths()
        self._scaled: dict[tuple[str, tuple[int, int]], ShotTruth] = {}
        self._returns: dict[tuple[tuple[str, tuple[int, int]], ...], list[Return]] = {}
        self._shared: Shared | None = None

    @property
    def shots(self) -> tuple[str, ...]:
        """The film's shots, in its order."""
        return tuple(self._truths)

    def measure(self, unit: _Unit, job: _Job) -> MethodScores:
        """Everything that is measured of a take."""
        if self._shared is None:
            self._shared = Shared(job.known)
        clips: dict[tuple[str, int | None], Clip] = {
            key: measured_clip(clip, unit.sizes[key[0]]) for key, clip in unit.clips.items()
        }
        own = {shot: self.truth(shot, unit.sizes[shot]) for shot, _ in unit.clips}
        method = MethodClips(unit.row, "", unit.information, clips, (), unit.learned)
        there = [pair for pair in job.pairs if pair.a in own and pair.b in own]
        made = measure_method(method, own, there, replace(DEPTH, alone=job.asked.alone), SILENT, self._shared)
        strict = {(pair.a, pair.b) for pair in there if pair.kind == "revisit"}
        returns = [
            score
            for found in self._find_returns(own)
            if (found.a, found.b) not in strict
            for score in measure_return_of(found, clips, _wrong(own, found))
        ]
        return replace(made, pairs=(*made.pairs, *returns))

    def truth(self, shot: str, size: tuple[int, int]) -> ShotTruth:
        """A shot of ours at the size of a clip."""
        if (shot, size) not in self._scaled:
            self._scaled[shot, size] = scaled_truth(self._truths[shot], *size)
        return self._scaled[shot, size]

    def _find_returns(self, own: Mapping[str, ShotTruth]) -> list[Return]:
        key = tuple((shot, truth.size) for shot, truth in own.items())
        if key not in self._returns:
            self._returns[key] = find_returns(own)
        return self._returns[key]


def _together(row: Row, telling: Sequence[PairSpec], takes: Sequence[MethodScores]) -> MethodScores:
    """The takes of a row as one method: shots in the row's order, pairs in the film's, take after take."""
    shots = {(shot.shot, shot.take): shot for scores in takes for shot in scores.shots}
    found: dict[tuple[str, str, str], list[PairScores]] = {
        (pair.kind, pair.a, pair.b): [] for pair in telling if row.takes(pair.a) and row.takes(pair.b)
    }
    for scores in takes:
        for pair in scores.pairs:
            found.setdefault((pair.kind, pair.a, pair.b), []).append(pair)
    none = "no take that both shots have"
    pairs = [score for key, own in found.items() for score in own or [PairScores(key[0], *key[1:], note=none)]]  # type: ignore[arg-type]
    ordered = tuple(shots[key] for key in row.clips)
    return MethodScores(row.name, row.title, row.information, ordered, (*pairs, *repeated(row)), row.notes)


def _wrong(truths: Mapping[str, ShotTruth], found: Return) -> Clip | None:
    """Our pictures of another shot, for what an unrelated picture gets."""
    others = (t for name, t in truths.items() if name not in (found.a, found.b) and t.size == truths[found.a].size)
    return next((other.clip() for other in others), None)


def repeated(row: Row) -> list[PairScores]:
    """Takes that were made twice from one seed, held against each other: whether the seed decides the picture."""
    found = []
    for (shot, take), clip in sorted(row.clips.items()):
        other = row.clips.get((shot, take + 1))
        if take % 2 and other is not None and clip.facts.get("seed_mode") == "twice":
            same = measure_determinism(*(measured_clip(one, one.size).frames for one in (clip, other)))
            found.append(PairScores("determinism", shot, shot, take, determinism=same))
    return found


def measured_sizes(asked: Measuring, row: Row) -> dict[str, tuple[int, int]]:
    """The size at which each shot of a row is measured: the smallest that its takes and the film have."""
    sizes: dict[str, tuple[int, int]] = {}
    for (shot, _), clip in row.clips.items():
        sizes[shot] = min(sizes.get(shot, asked.size), clip.size, key=lambda size: size[0] * size[1])
    return sizes
