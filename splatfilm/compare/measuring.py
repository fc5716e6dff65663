"""Every row of a comparison measured, each at the size that it and our film have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.manifest import PairEntry
from splatfilm.compare.rows import Row, measured_clip
from splatfilm.compare.scores import MethodScores
from splatfilm.compare.views import scaled_truth
from splatfilm.film.model import Film
from splatfilm.shots.takes import Take


@dataclass(frozen=True, eq=False)
class Measuring:
    """What is measured, and how: `width` None measures at the film's own size, or the clip's where it is smaller."""

    film: Film
    out: Path
    backend: str
    width: int | None
    imported: tuple[Path, ...]
    takes: Mapping[str, Take]

    def write(self, folder: Path, scores: Sequence[MethodScores]) -> tuple[Path, Path]:
        """The JSON and the CSV of everything measured."""
        from splatfilm.compare.measure import write_scores

        folder.mkdir(parents=True, exist_ok=True)
        write_scores(folder, scores)
        return folder / "continuity.json", folder / "continuity.csv"


def measure_rows(
    asked: Measuring, rows: Sequence[Row], pairs: Sequence[PairEntry], progress: Progress = SILENT
) -> tuple[dict[str, MethodScores], list[str]]:
    """The scores of every row by its name, and what is worth saying about how they were measured."""
    from splatfilm.compare.measure import MethodClips, measure_method
    from splatfilm.compare.pairs import PairSpec, film_pairs
    from splatfilm.compare.truth import TruthOptions, film_truth

    truths = film_truth(asked.film, TruthOptions(out=asked.out, backend=asked.backend), progress)
    wanted = [*film_pairs(truths)]
    known = {(pair.kind, pair.a, pair.b) for pair in wanted}
    wanted += [
        PairSpec(pair.kind, pair.a, pair.b, pair.frames, pair.object or None)
        for pair in pairs
        if (pair.kind, pair.a, pair.b) not in known
    ]
    scores: dict[str, MethodScores] = {}
    for row in rows:
        sizes = measured_sizes(asked, row)
        clips = {key: measured_clip(clip, sizes[key[0]]) for key, clip in row.clips.items()}
        own = {shot: scaled_truth(truths[shot], *size) for shot, size in sizes.items()}
        method = MethodClips(row.name, row.title, row.information, clips, row.notes)
        there = [pair for pair in wanted if pair.a in own and pair.b in own]
        scores[row.name] = measure_method(method, own, there, progress=progress)
    return scores, []


def measured_sizes(asked: Measuring, row: Row) -> dict[str, tuple[int, int]]:
    """The size at which each shot of a row is measured: the smallest that its takes and the film have."""
    sizes: dict[str, tuple[int, int]] = {}
    limit = asked.film.size
    if asked.width is not None and asked.width < limit[0]:
        limit = asked.width, max(1, round(asked.width * limit[1] / limit[0]))
    for (shot, _), clip in row.clips.items():
        sizes[shot] = min(sizes.get(shot, limit), clip.size, key=lambda size: size[0] * size[1])
    return sizes
