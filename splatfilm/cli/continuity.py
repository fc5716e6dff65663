"""`splatfilm continuity`: does the film hold together?"""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, film_argument, json_option, out_option, threads_option

if TYPE_CHECKING:
    from splatfilm.compare.supervise import Finding, Supervising, Supervision
    from splatfilm.film.model import Film

PROBLEMS_FOUND = 3


@click.command()
@film_argument
@click.option("--shot", "shots", multiple=True, metavar="NAME", help="Only this shot; give it for several.")
@click.option(
    "--fsc",
    type=click.FloatRange(0, 1),
    help="The least FSC of every cut, 0 to 1. Default: the film's, or 0.95.",
)
@click.option(
    "--revisit",
    type=click.FloatRange(0, 100),
    help="The least dB of every revisit after refinement. Default: the film's, or 35.",
)
@click.option("--cuts", "cuts_only", is_flag=True, help="Compare only shots that follow each other.")
@click.option(
    "--pairs",
    type=click.IntRange(1, 32),
    default=8,
    show_default=True,
    help="Pairs of frames that are compared of two shots.",
)
@click.option("--bare", is_flag=True, help="Look at the frames before refinement, also where there are refined ones.")
@click.option(
    "--takes",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Refined takes from this folder, as `<shot>/v001`, instead of the film's own: another refiner's.",
)
@click.option(
    "--width",
    type=click.IntRange(32, 16384),
    metavar="PIXELS",
    help="Measure at this width what is not held to the bit.  [default: 640]",
)
@click.option("--size", metavar="SIZE", help="The frames of this size, as in `render --size`.")
@backend_option("draws what the frames are held against")
@out_option
@threads_option
@json_option
def command(film_file: Path, fsc: float | None, revisit: float | None, as_json: bool, **chosen: Any) -> int:
    """Check the continuity of a rendered FILM: every cut, every camera that comes back, every object.

    Exits with 3 when something is below its goal. All numbers are written to OUT/<film>/continuity/continuity.json and
    continuity.csv; docs/compare.md says what they mean.

    \b
    Examples:
      splatfilm continuity film.toml
      splatfilm continuity film.toml --fsc 0.9 --shot 010 --shot 020
      splatfilm continuity film.toml --bare              only the frames before refinement
      splatfilm continuity film.toml --takes rival/      another refiner's frames of the same shots
    """
    from splatfilm.compare.scores import plain
    from splatfilm.compare.supervise import supervise
    from splatfilm.film import load
    from splatfilm.film.model import ContinuityGoal

    film = load(film_file)
    goal = ContinuityGoal(
        film.continuity.fsc if fsc is None else fsc, film.continuity.revisit if revisit is None else revisit
    )
    with terminal.progress() as progress:
        found = supervise(film, _asked(film, **chosen), goal, progress)
    if as_json:
        terminal.write_json(
            {
                "holds": found.holds,
                "alone": list(found.alone),
                "against_scene": plain(found.against_scene),
                "goal": plain(found.goal),
                "frames": plain(found.shown),
                "findings": plain(found.findings),
                "size": list(found.size),
                "working_size": list(found.working),
                "files": [str(path) for path in found.files],
            }
        )
    else:
        click.echo(_in_words(found))
    return 0 if found.holds else PROBLEMS_FOUND


def _asked(
    film: Film,
    *,
    shots: tuple[str, ...],
    size: str | None,
    backend: str,
    out: Path,
    bare: bool,
    takes: Path | None,
    cuts_only: bool,
    pairs: int,
    width: int | None,
) -> Supervising:
    """What the options ask for."""
    from splatfilm.compare.supervise import Supervising
    from splatfilm.compare.truth import TruthOptions
    from splatfilm.shots.names import parse_size

    truth = TruthOptions(out, shots or None, parse_size(size, film.size) if size else None, backend)
    return Supervising(truth, not bare, takes, cuts_only, pairs, width=width)


def _in_words(found: Supervision) -> str:
    rows = [_row(finding) for finding in found.findings]
    lines = [
        terminal.table(("what", "shots", "reached", "goal", "", "weakest object", "note"), rows, right=(2, 3)),
        "",
        *_summary(found),
        "frames: " + ", ".join(f"{shot} {kind}" for shot, kind in found.shown.items()),
        _measured_at(found),
        f"all numbers: {found.files[0]} and {found.files[1].name}",
    ]
    worst = found.worst
    if worst is None:
        return "\n".join([*lines, "The film holds together."])
    return "\n".join([*lines, _worst(worst)])


def _summary(found: Supervision) -> list[str]:
    """How much of the film could be held against itself, and how it did."""
    values = found.follow_ups
    if not values:
        return ["No two shots share enough to be compared."]
    cuts = [finding for finding in found.findings if finding.kind == "cut"]
    told = sum(finding.verdict != "nothing to compare" for finding in cuts)
    low = next(f for f in found.findings if f.kind in ("cut", "follow-up") and f.reached == values[0])
    lines = [
        f"{told} of {len(cuts)} cuts, {len(values)} pairs of shots in all, share enough to be compared: "
        f"FSC {statistics.median(values):.3f} (median), {values[0]:.3f} at worst ({low.a} > {low.b})"
    ]
    if found.alone:
        near = found.against_scene
        named = (f"{shot} ({_decibels(near[shot])})" if shot in near else shot for shot in found.alone)
        lines.append(f"held against no other shot, only against the bare scene: {', '.join(named)}")
    return lines


def _measured_at(found: Supervision) -> str:
    exact = f"frames and revisits were held to the bit at {found.size[0]}x{found.size[1]}"
    return f"{exact}, all else was measured at {found.working[0]}x{found.working[1]}"


def _decibels(value: float) -> str:
    return "exact" if math.isinf(value) else f"{value:.1f} dB"


def _row(finding: Finding) -> tuple[str, ...]:
    shots = f"{finding.a} > {finding.b}" if finding.b else finding.a
    verdict = {"holds": "holds", "fails": "FAILS", "nothing to compare": "-"}[finding.verdict]
    thing = finding.worst
    object_ = f"{thing.object} {thing.value:.2f}" if thing is not None and thing.value is not None else ""
    reached, goal = _figure(finding, finding.reached), _figure(finding, finding.wanted)
    return finding.kind, shots, reached, goal, verdict, object_, finding.why


def _figure(finding: Finding, value: float | None) -> str:
    if value is None:
        return "-"
    if finding.kind == "revisit":
        return _decibels(value)
    return f"{100 * value:.0f} %" if finding.kind == "frames" else f"{value:.3f}"


def _worst(finding: Finding) -> str:
    """The worst of all in one sentence: which cut, which object, which frames."""
    shots = f"{finding.kind} {finding.a} > {finding.b}" if finding.b else f"shot {finding.a}"
    text = f"Worst: {shots}"
    if finding.worst is not None and finding.worst.value is not None:
        text += f": the {finding.worst.object} changed (it keeps {100 * finding.worst.value:.0f} %)"
    if finding.at is not None:
        text += f", most between frame {finding.at[0]} and frame {finding.at[1]}"
    told = finding.worst is not None and finding.reached is not None  # the object says it better than the note
    return f"{text}." if told or not finding.why else f"{text}; {finding.why}."
