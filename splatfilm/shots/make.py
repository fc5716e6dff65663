"""The whole way in one call: captures to splats, shots to frames, frames to the cut and the contact sheet.

Each step does only what its inputs ask for, so making a film again after a change costs what the change costs, and
making it again after none costs a second and imports no torch.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splatfilm.base.progress import SILENT, Progress
from splatfilm.film.model import Film
from splatfilm.shots.contact import make_contact_sheet
from splatfilm.shots.cut import make_cut
from splatfilm.shots.lock import hold
from splatfilm.shots.names import LOCK
from splatfilm.shots.refining import RefinedShot, refine_planned
from splatfilm.shots.schedule import (
    Draw,
    RenderOptions,
    ShotResult,
    choose,
    find_splats,
    plan_chosen,
    render_planned,
)
from splatfilm.shots.summary import FilmState, cut_of, sheet_of, write_summary
from splatfilm.shots.takes import sweep


@dataclass(frozen=True)
class MadeFilm:
    """A film that is made. `changed` is False when there was nothing to do."""

    cut: Path
    contact_sheet: Path
    summary_file: Path
    summary: dict[str, Any]
    shots: Sequence[ShotResult]
    seconds: dict[str, float]  # by step, in order
    peak_memory_mib: float
    changed: bool
    refined: Mapping[str, RefinedShot] = field(default_factory=dict)  # shots that have a look


@dataclass
class _Clock:
    """Seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)


def make_film(film: Film, options: RenderOptions, progress: Progress = SILENT, draw: Draw | None = None) -> MadeFilm:
    """Make everything of a film that is not made yet.

    Raises `InputError` with every problem of cameras and shots before anything is reconstructed or rendered; an
    interruption leaves what was finished, and the next call goes on from there.
    """
    clock = _Clock()
    with clock.step("check"):
        chosen = choose(film, options)
    with clock.step("reconstruct"):
        sources = find_splats(film, chosen, options, progress)
    with clock.step("plan"):
        planned = plan_chosen(film, chosen, sources, options)
    with clock.step("render"):
        results = render_planned(planned, options, progress, draw)
    with clock.step("refine"):
        refined = refine_planned(planned, options, progress)
    takes = {result.shot: result.take for result in results}
    takes |= {name: one.result.take for name, one in refined.items()}
    state = FilmState(film, planned.folders, planned.picture.size, takes, chosen.paths, sources, set(refined))
    folders = planned.folders
    with hold(folders.root / LOCK, f"the cut of {film.name}", progress):
        sweep(folders.root)
        with clock.step("cut"):
            cut = make_cut(folders.cut, *cut_of(state), progress)
        with clock.step("contact sheet"):
            drawn = make_contact_sheet(folders.contact_sheet, sheet_of(state))
        text = write_summary(state, cut)
    everything = [*results, *(one.result for one in refined.values())]
    changed = cut.made or drawn or any(result.drawn or result.shared for result in everything)
    return MadeFilm(
        folders.cut,
        folders.contact_sheet,
        folders.summary,
        text,
        results,
        clock.seconds,
        peak_memory_mib(),
        changed,
        refined,
    )


def peak_memory_mib() -> float:
    """The most memory this process has held at once, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20) if sys.platform == "darwin" else peak / 1024, 1)
