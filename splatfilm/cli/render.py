"""`splatfilm render`: shots to numbered frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, film_argument, json_option, out_option, threads_option

if TYPE_CHECKING:
    from splatfilm.film.model import Film
    from splatfilm.shots.schedule import RenderOptions

PROBLEMS_FOUND = 3


@click.command()
@film_argument
@click.option("--shot", "shots", multiple=True, metavar="NAME", help="Only this shot; may be given several times.")
@click.option("--frames", metavar="FRAMES", help="Only these scene frames, such as 1001-1010,1020 or 1001-1100x10.")
@click.option(
    "--take",
    type=click.Choice(["latest", "new"]),
    default="latest",
    show_default=True,
    help="latest: go on from the newest take, and begin a new one only for what changed. "
    "new: render everything anew into a new take.",
)
@click.option("--size", metavar="SIZE", help="Another size for a test: half, quarter, 0.5, or 640x360.")
@click.option(
    "--passes",
    metavar="NAMES",
    help="These passes instead of the shots' own, such as depth,normal,motion,id. Beauty is always there.",
)
@click.option(
    "--preset",
    type=click.Choice(["draft", "preview", "final"]),
    help="Use reconstructions of this preset instead of the film's, as with `make --preset`.",
)
@backend_option("renders")
@out_option
@click.option(
    "--verify", is_flag=True, help="Render nothing; decode every frame and compare it with its take's records."
)
@threads_option
@json_option
def command(
    film_file: Path,
    shots: tuple[str, ...],
    frames: str | None,
    take: Literal["latest", "new"],
    size: str | None,
    passes: str | None,
    preset: str | None,
    backend: str,
    out: Path,
    verify: bool,
    as_json: bool,
) -> int:
    """Render the shots of FILM to numbered frames: PNG, and EXR for what PNG cannot hold or where the film asks.

    Frames go to OUT/<film>/shots/<shot>/v001. A take is never overwritten: where inputs changed since the newest
    take, a new one begins that shares every unchanged frame and renders the rest. A run that was stopped goes on
    where it was.

    \b
    Examples:
      splatfilm render film.toml                            everything that is not up to date
      splatfilm render film.toml --shot 020 --shot 030
      splatfilm render film.toml --shot 020 --frames 1010-1020 --size half
      splatfilm render film.toml --shot 020 --passes depth,normal,position,motion,id
      splatfilm render film.toml --verify                   are all frames what they were?
    """
    from splatfilm.film import load
    from splatfilm.shots.names import parse_frames, parse_passes, parse_size
    from splatfilm.shots.schedule import RenderOptions

    film = load(film_file)
    options = RenderOptions(
        out=out,
        shots=shots or None,
        frames=parse_frames(frames) if frames else None,
        size=parse_size(size, film.size) if size else None,
        take=take,
        backend=backend,
        preset=preset,
        passes=parse_passes(passes) if passes else None,
    )
    return _verify(film, options, as_json) if verify else _render(film, options, as_json)


def _render(film: Film, options: RenderOptions, as_json: bool) -> int:
    from splatfilm.shots.report import render_report
    from splatfilm.shots.schedule import render_shots

    with terminal.progress() as progress:
        results = render_shots(film, options, progress)
    if as_json:
        terminal.write_json(render_report(results))
        return 0
    rows = [
        (r.shot, r.take.name, str(r.drawn), str(r.shared), str(r.kept), "" if r.take.finished else "unfinished")
        for r in results
    ]
    click.echo(terminal.table(("shot", "take", "rendered", "shared", "kept", ""), rows, right=(2, 3, 4)))
    return 0


def _verify(film: Film, options: RenderOptions, as_json: bool) -> int:
    from splatfilm.shots.report import verify_report, verify_shots

    results = verify_shots(film, options)
    damaged = any(result.problems for result in results)
    if as_json:
        terminal.write_json(verify_report(results))
        return PROBLEMS_FOUND if damaged else 0
    for result in results:
        for remark in result.remarks:
            terminal.say(f"shot {result.shot}, take {result.take.name}: {remark}")
        for problem in result.problems:
            terminal.error(str(problem))
        if not result.problems:
            click.echo(f"shot {result.shot}, take {result.take.name}: all {result.frames} frames are as rendered")
    return PROBLEMS_FOUND if damaged else 0
