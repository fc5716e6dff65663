"""What rendering, verifying and making came to, as plain values: one form for `--json` and for scripts in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.film.model import Film
from splatfilm.render import resolve_backend
from splatfilm.shots.make import MadeFilm
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.schedule import RenderOptions, ShotResult, choose_shots
from splatfilm.shots.summary import pixels_hash
from splatfilm.shots.takes import Take, newest_finished
from splatfilm.shots.verify import check_frames


@dataclass(frozen=True)
class Verified:
    """One take whose every picture was decoded and compared with its records."""

    shot: str
    take: Take
    frames: int
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()


def verify_shots(film: Film, options: RenderOptions) -> list[Verified]:
    """Decode every picture of the newest finished take of the chosen shots and compare it with the manifest.

    Raises `InputError` when a shot has no finished take.
    """
    folders = FilmFolders.of(options.out, film, options.size)
    shots = choose_shots(film, options.shots)
    takes = {shot.name: newest_finished(folders.shot(shot.name)) for shot in shots}
    missing = [name for name, take in takes.items() if take is None]
    if missing:
        raise InputError(
            [Problem(str(folders.shot(name)), "", "there is no finished take to verify") for name in missing]
        )
    return [_verified(name, take, options) for name, take in takes.items() if take is not None]


def render_report(results: Sequence[ShotResult]) -> dict[str, Any]:
    """What `render` did, with the hash of every picture's pixels."""
    return {"shots": [_shot(result) for result in results]}


def verify_report(results: Sequence[Verified]) -> dict[str, Any]:
    """What `verify_shots` found."""
    return {
        "shots": [
            {
                "shot": result.shot,
                "take": result.take.name,
                "frames": result.frames,
                "pixels": pixels_hash(result.take, sorted(result.take.frames)),
                "problems": [str(problem) for problem in result.problems],
                "remarks": list(result.remarks),
            }
            for result in results
        ]
    }


def make_report(made: MadeFilm) -> dict[str, Any]:
    """What `make` did: the summary of the film, what each step took, and every shot."""
    return {
        "changed": made.changed,
        "cut": str(made.cut),
        "contact_sheet": str(made.contact_sheet),
        "summary_file": str(made.summary_file),
        "seconds": made.seconds,
        "peak_memory_mib": made.peak_memory_mib,
        "film": made.summary,
        **render_report(made.shots),
    }


def _shot(result: ShotResult) -> dict[str, Any]:
    take = result.take
    return {
        "shot": result.shot,
        "take": take.name,
        "folder": str(take.folder),
        "finished": take.finished,
        "drawn": result.drawn,
        "shared": result.shared,
        "kept": result.kept,
        "reasons": list(result.reasons),
        "pixels": pixels_hash(take, sorted(take.frames)),
        "frames": [take.frames[frame].as_json() for frame in sorted(take.frames)],
    }


def _verified(shot: str, take: Take, options: RenderOptions) -> Verified:
    records = [r for r in take.frames.values() if options.frames is None or r.frame in options.frames]
    wrong = check_frames(take.folder, records)
    problems = tuple(problem for frame in sorted(wrong) for problem in wrong[frame])
    there = take.header.get("inputs", {}).get("renderer", {})
    here = resolve_backend(options.backend).manifest()
    remarks = (renderer_remark(there, here),) if there != here else ()
    return Verified(shot, take, len(records), problems, remarks)


def renderer_remark(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """That a take's renderer is not this machine's, in plain words."""
    differing = [
        f"{name} {there.get(name, 'not noted')!s} there, {here.get(name, 'not noted')!s} here"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]
    return (
        f"rendered with another renderer than this machine's ({'; '.join(differing)}): "
        "the pictures are verified as files, but rendering them here may give slightly different pixels"
    )
