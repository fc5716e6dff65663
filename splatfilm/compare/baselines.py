"""The clips of every method, conformed: what the measures and the report look at.

A clip that cannot be compared is left out under its name, with the reason, and everything else goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.conform import Conformed, Target, conform, open_clip
from splatfilm.compare.crew import Crew
from splatfilm.compare.manifest import Baseline, ClipEntry, MethodEntry, read_baseline
from splatfilm.compare.views import kept_size
from splatfilm.film.model import Film
from splatfilm.shots.names import FilmFolders


@dataclass(frozen=True, eq=False)
class Conforming:
    """The methods of a manifest with their clips brought to the film's framing; `problems` name what is left out."""

    methods: tuple[MethodEntry, ...]
    clips: Mapping[tuple[str, str, int], Conformed]  # by (method, shot, take)
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)  # by shot, as large as the film


@dataclass(frozen=True)
class Checked:
    """What `splatfilm baseline check` found."""

    baseline: Baseline
    remarks: tuple[str, ...]
    problems: tuple[Problem, ...]
    clips: Mapping[str, Sequence[str]] = field(default_factory=dict)  # remarks by place in the manifest

    def rows(self) -> list[tuple[str, ...]]:
        """A row a clip that can be compared, for a table."""
        return [
            (m.name, m.information, c.shot, str(c.take), c.path.name, "; ".join(self.clips[c.place]) or "-")
            for m in self.baseline.methods
            for c in m.clips
            if c.place in self.clips
        ]

    def as_plain(self) -> dict[str, Any]:
        """For `--json`."""
        keys = ("method", "class", "shot", "take", "file", "remarks")
        problems = [{"path": p.path, "place": p.place, "message": p.message} for p in self.problems]
        return {
            "clips": [dict(zip(keys, row, strict=True)) for row in self.rows()],
            "problems": problems,
            "remarks": list(self.remarks),
        }


def target_of(film: Film, shot: str, size: tuple[int, int] | None = None) -> Target:
    """What clips of a shot are brought to: pictures of `size`, the film's where none is given."""
    return Target(size or film.size, len(film.shot(shot).frames), float(film.rate))


def shot_names(film: Film) -> tuple[str, ...]:
    """The names of the shots in the film's order."""
    return tuple(shot.name for shot in film.shots)


def conform_folder(film: Film, out: Path) -> Path:
    """Where conformed clips are kept; all of it may be deleted."""
    return FilmFolders.of(out, film).root / "compare" / "conformed"


def conform_all(
    film: Film,
    baselines: Sequence[Baseline],
    out: Path,
    progress: Progress = SILENT,
    shots: Sequence[str] = (),
    crew: Crew | None = None,
    width: int = 0,
) -> Conforming:
    """Conform every clip of the manifests (of `shots` only, where given), by a crew where there is one.

    They are kept as large as a page shows them, or `width` wide where that is more.
    """
    wanted = [
        (method, clip)
        for baseline in baselines
        for method in baseline.methods
        for clip in method.clips
        if not shots or clip.shot in shots
    ]
    clips: dict[tuple[str, str, int], Conformed] = {}
    problems = [problem for baseline in baselines for problem in baseline.problems]
    if wanted:
        progress.start("conforming clips", len(wanted), "clips")
    folder = conform_folder(film, out)
    size = kept_size(film.size, width)
    asked = [(clip, target_of(film, clip.shot, size), folder) for _, clip in wanted]
    for done, ((method, clip), error) in enumerate(zip(wanted, (crew or Crew(1)).map(_try, asked), strict=True)):
        if error is None:
            clips[method.name, clip.shot, clip.take] = conform(*asked[done])
        else:
            problems += _named(method, clip, error)
        progress.advance(done + 1)
    if wanted:
        progress.finish()
    methods = tuple(method for baseline in baselines for method in baseline.methods)
    targets = {shot: target_of(film, shot) for shot in shot_names(film)}
    return Conforming(methods, clips, tuple(problems), tuple(r for b in baselines for r in b.remarks), targets)


def _try(asked: tuple[ClipEntry, Target, Path]) -> InputError | None:
    """Conform a clip, so that it lies on disk; why not, where it cannot be compared."""
    try:
        conform(*asked)
    except InputError as error:
        return error
    return None


def check_baseline(film: Film, path: Path, out: Path, decode: bool, progress: Progress = SILENT) -> Checked:
    """Read a manifest and look at every clip of it; with `decode` each is decoded and conformed."""
    baseline = read_baseline(path, shot_names(film), film.path)
    found: dict[str, Sequence[str]] = {}
    if decode:
        conforming = conform_all(film, [baseline], out, progress)
        for method in baseline.methods:
            for clip in method.clips:
                if (conformed := conforming.clips.get((method.name, clip.shot, clip.take))) is not None:
                    found[clip.place] = conformed.remarks
        return Checked(baseline, conforming.remarks, conforming.problems, found)
    problems = list(baseline.problems)
    for method in baseline.methods:
        for clip in method.clips:
            try:
                found[clip.place] = open_clip(clip, float(film.rate)).remarks
            except InputError as error:
                problems += _named(method, clip, error)
    return Checked(baseline, baseline.remarks, tuple(problems), found)


def _named(method: MethodEntry, clip: ClipEntry, error: InputError) -> list[Problem]:
    """The problems of a clip, with the method, the shot and the take in front."""
    who = f"{method.title}, shot {clip.shot}, take {clip.take}"
    return [Problem(p.path, p.place or clip.place, f"{who}: {p.message}", p.line) for p in error.problems]
