"""Every row of a comparison measured, each at the size that it and our film have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.determinism import measure_determinism
from splatfilm.compare.imported import imported_by_method
from splatfilm.compare.manifest import PairEntry
from splatfilm.compare.measure import Depth, MethodClips, Shared, measure_method, write_scores
from splatfilm.compare.overlap import Seer, shares
from splatfilm.compare.pairs import PairSpec, film_pairs, is_cut
from splatfilm.compare.returns import Return, find_returns, measure_return_of
from splatfilm.compare.rows import Row, measured_clip
from splatfilm.compare.scores import MethodScores, PairKind, PairScores, Score
from splatfilm.compare.truth import TruthOptions, film_truth
from splatfilm.compare.views import Clip, ShotTruth, scaled_truth
from splatfilm.film.model import Film
from splatfilm.shots.takes import Take

_KINDS: Mapping[str, PairKind] = {"follow-up": "follow-up", "revisit": "revisit", "edit": "edit"}
Learned = Mapping[str, Mapping[str, tuple[Score, ...]]]  # method -> shot -> scores of other tools

WIDTH = 320
"""Pictures are measured at this width unless another is asked for: the ladders that the thresholds come from were."""

DEPTH = Depth(pairs=12, frames=24, every=2, steps=24)
"""What is looked at of long shots too: the work of a report grows with its shots and takes, not with their length."""

WORKERS = 2  # threads


@dataclass(frozen=True, eq=False)
class Measuring:
    """What is measured, and how. Nothing is measured wider than `width` (None: `WIDTH`), nor larger than its clip."""

    film: Film
    out: Path
    backend: str
    width: int | None
    imported: tuple[Path, ...]
    takes: Mapping[str, Take]
    alone: bool = False  # also judge by their pictures alone what never saw our scene

    def write(self, folder: Path, scores: Sequence[MethodScores]) -> tuple[Path, Path]:
        """The JSON and the CSV of everything measured."""
        return write_scores(folder, scores)


def measure_rows(
    asked: Measuring, rows: Sequence[Row], pairs: Sequence[PairEntry], progress: Progress = SILENT
) -> dict[str, MethodScores]:
    """The scores of every row by its name.

    Follow-ups are every cut, the nearest shot that shows enough where a cut does not, and what the manifests ask for.
    """
    names = [row.name for row in rows]
    learned = imported_by_method(asked.imported, names, [shot.name for shot in asked.film.shots])
    truths = film_truth(asked.film, TruthOptions(out=asked.out, backend=asked.backend, stored=True), progress)
    wanted = [*film_pairs(truths)]
    known = {(pair.kind, pair.a, pair.b) for pair in wanted}
    wanted += [
        PairSpec(_KINDS[pair.kind], pair.a, pair.b, pair.frames, pair.object or None)
        for pair in pairs
        if (pair.kind, pair.a, pair.b) not in known
    ]
    telling = [pair for pair in wanted if pair.kind != "follow-up" or pair.frames or is_cut(truths, pair)]
    there = {(pair.a, pair.b) for pair in telling if pair.kind == "follow-up"}
    telling += [pair for pair in nearest_shots(truths) if (pair.a, pair.b) not in there]
    workers = [_Worker(asked, telling, Shared(), learned) for _ in range(min(WORKERS, len(rows)))]
    progress.start("measuring", sum(len(row.clips) for row in rows), "takes")
    free: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def measure(row: Row) -> MethodScores:
        worker = free.get()
        try:
            return worker.measure(row)
        finally:
            free.put(worker)

    scores: dict[str, MethodScores] = {}
    done = 0
    with ThreadPoolExecutor(len(workers)) as pool:
        for together in (rows[:1], rows[1:]):  # the first draws what all others find drawn
            for row, made in zip(together, pool.map(measure, together), strict=True):
                scores[row.name] = made
                done += len(row.clips)
                progress.advance(done, row.name)
    progress.finish()
    return scores


def nearest_shots(truths: Mapping[str, ShotTruth]) -> list[PairSpec]:
    """For every cut that shows too little of the same, the nearest earlier shot that shows enough of the later one."""
    seers = {name: Seer(truth) for name, truth in truths.items()}
    names, found = list(truths), []
    for place in range(2, len(names)):
        name = names[place]
        for earlier in reversed(names[:place]):
            if truths[earlier].scene == truths[name].scene and shares(seers[earlier], seers[name]):
                found += [PairSpec("follow-up", earlier, name)] if earlier != names[place - 1] else []
                break
    return found


class _Worker:
    """One thread's own view of the film: what is drawn and kept for it is shared with nobody."""

    def __init__(self, asked: Measuring, pairs: Sequence[PairSpec], shared: Shared, learned: Learned) -> None:
        self._asked, self._pairs, self._shared, self._learned = asked, pairs, shared, learned
        self._truths = film_truth(asked.film, TruthOptions(out=asked.out, backend=asked.backend, stored=True))
        self._scaled: dict[tuple[str, tuple[int, int]], ShotTruth] = {}
        self._returns: dict[tuple[tuple[str, tuple[int, int]], ...], list[Return]] = {}

    def measure(self, row: Row) -> MethodScores:
        """Everything that is measured of a row."""
        sizes = measured_sizes(self._asked, row)
        clips: dict[tuple[str, int | None], Clip] = {
            key: measured_clip(clip, sizes[key[0]]) for key, clip in row.clips.items()
        }
        own = {shot: self._truth(shot, size) for shot, size in sizes.items()}
        method = MethodClips(row.name, row.title, row.information, clips, row.notes, self._learned.get(row.name, {}))
        there = [pair for pair in self._pairs if pair.a in own and pair.b in own]
        depth = replace(DEPTH, alone=self._asked.alone)
        made = measure_method(method, own, there, depth, SILENT, self._shared)
        strict = {(pair.a, pair.b) for pair in there if pair.kind == "revisit"}
        returns = [
            score
            for found in self._find_returns(own)
            if (found.a, found.b) not in strict
            for score in measure_return_of(found, clips, _wrong(own, found))
        ]
        return replace(made, pairs=(*made.pairs, *returns, *repeated(row)))

    def _truth(self, shot: str, size: tuple[int, int]) -> ShotTruth:
        if (shot, size) not in self._scaled:
            self._scaled[shot, size] = scaled_truth(self._truths[shot], *size)
        return self._scaled[shot, size]

    def _find_returns(self, own: Mapping[str, ShotTruth]) -> list[Return]:
        key = tuple((shot, truth.size) for shot, truth in own.items())
        if key not in self._returns:
            self._returns[key] = find_returns(own)
        return self._returns[key]


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
    limit, width = asked.film.size, asked.width or WIDTH
    if width < limit[0]:
        limit = width, max(1, round(width * limit[1] / limit[0]))
    for (shot, _), clip in row.clips.items():
        sizes[shot] = min(sizes.get(shot, limit), clip.size, key=lambda size: size[0] * size[1])
    return sizes
