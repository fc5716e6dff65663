"""`splatfilm make`: from captures to the cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, film_argument, json_option, out_option, threads_option

if TYPE_CHECKING:
    from splatfilm.shots.make import MadeFilm
    from splatfilm.shots.refining import RefinedShot


@click.command()
@film_argument
@click.option(
    "--preset",
    type=click.Choice(["draft", "preview", "final"]),
    help="Reconstruct every capture with this preset instead of the film's.",
)
@backend_option("trains and renders")
@out_option
@threads_option
@json_option
def command(film_file: Path, preset: str | None, backend: str, out: Path, as_json: bool) -> None:
    """Make the whole FILM: reconstruct its captures, render its shots, encode the cut, draw the contact sheet.

    Only what changed is done again, and a run that was stopped goes on where it was.

    \b
    Examples:
      splatfilm make film.toml
      splatfilm make film.toml --preset final --out /mnt/renders
    """
    from splatfilm.film import load
    from splatfilm.shots.make import make_film
    from splatfilm.shots.report import make_report
    from splatfilm.shots.schedule import RenderOptions

    film = load(film_file)
    with terminal.progress() as progress:
        made = make_film(film, RenderOptions(out=out, backend=backend, preset=preset), progress)
    if as_json:
        terminal.write_json(make_report(made))
    else:
        click.echo(film_in_words(made))


def film_in_words(made: MadeFilm) -> str:
    """The end of a run as a person wants to read it."""
    film = made.summary
    lines = [
        terminal.table(
            ("shot", "take", "rendered", "shared", "kept"),
            [(r.shot, r.take.name, str(r.drawn), str(r.shared), str(r.kept)) for r in made.shots],
            right=(2, 3, 4),
        ),
        *refined_in_words(made.refined),
        "",
        *(_asset_in_words(name, value["reconstruction"]) for name, value in film["assets"].items()),
        f"cut            {made.cut}  ({film['frames']} frames, {film['seconds']:g} s)",
        f"contact sheet  {made.contact_sheet}",
        f"summary        {made.summary_file}",
        "",
        ", ".join(f"{step} {seconds:.1f} s" for step, seconds in made.seconds.items())
        + (f"; peak memory {made.peak_memory_mib:.0f} MiB" if made.peak_memory_mib else ""),
    ]
    if not made.changed:
        lines.append("Nothing had changed.")
    return "\n".join(lines)


def refined_in_words(refined: Mapping[str, RefinedShot]) -> list[str]:
    """What became of refined shots: a table, and what their guards measured."""
    from splatfilm.shots.refining import report_line

    if not refined:
        return []
    rows = [
        (r.result.shot, r.look, r.result.take.name, *map(str, (r.result.drawn, r.result.shared, r.result.kept)))
        for r in refined.values()
    ]
    table = terminal.table(("shot", "look", "take", "refined", "shared", "kept"), rows, right=(3, 4, 5))
    return ["", table, "", *(report_line(name, one) for name, one in refined.items())]


def _asset_in_words(name: str, score: dict[str, Any]) -> str:
    if score["heldout_psnr"] is None:
        return f"{name}: {score['count']:,} splats, no held-out views to judge by"
    return (
        f"{name}: {score['count']:,} splats, held-out {score['heldout_psnr']:.1f} dB, SSIM {score['heldout_ssim']:.3f}"
    )
