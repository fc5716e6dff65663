"""`splatfilm refine`: looks for shots, beside the bare frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, film_argument, json_option, out_option, threads_option

if TYPE_CHECKING:
    from splatfilm.film.model import RefineLook


@click.command()
@film_argument
@click.option("--shot", "shots", multiple=True, metavar="NAME", help="Only this shot; may be given several times.")
@click.option("--frames", metavar="FRAMES", help="Only these scene frames, such as 1001-1010,1020 or 1001-1100x10.")
@click.option("--size", metavar="SIZE", help="Another size for a test: half, quarter, 0.5, or 640x360.")
@click.option(
    "--look",
    type=click.Choice(["off", "clean", "natural", "sixteen-mm"]),
    help="This look for every shot instead of the film's.",
)
@click.option("--off", is_flag=True, help="The bare film: refine nothing, and cut the frames as they were rendered.")
@backend_option("renders")
@out_option
@threads_option
@json_option
def command(
    film_file: Path,
    shots: tuple[str, ...],
    frames: str | None,
    size: str | None,
    look: RefineLook | None,
    off: bool,
    backend: str,
    out: Path,
    as_json: bool,
) -> None:
    """Refine the shots of FILM and cut them anew. What is not rendered yet is rendered first.

    Refined frames go to OUT/<film>/refined/shots/<shot>/v001; the bare frames stay where they are. Each shot is held
    against its bare frames; where that fails its strength goes down, for the whole shot, and guards.json says so.
    With --shot or --frames only those are refined, and nothing is cut.

    \b
    Examples:
      splatfilm refine film.toml                      with the looks of the film file
      splatfilm refine film.toml --look sixteen-mm --shot 020
      splatfilm refine film.toml --off                the bare film again
    """
    from splatfilm.cli.make import film_in_words, refined_in_words
    from splatfilm.film import load
    from splatfilm.shots.make import make_film
    from splatfilm.shots.names import parse_frames, parse_size
    from splatfilm.shots.refining import film_uses_refinement, refine_report, refine_shots
    from splatfilm.shots.report import make_report
    from splatfilm.shots.schedule import RenderOptions

    if off and look not in (None, "off"):
        raise click.UsageError(f"--off and --look {look} contradict each other")
    film = load(film_file)
    if look is None and not off and not film_uses_refinement(film):
        look = "natural"
        terminal.say("the film file names no look, so every shot gets `natural` ([film.refine] chooses another)")
    options = RenderOptions(
        out=out,
        shots=shots or None,
        frames=parse_frames(frames) if frames else None,
        size=parse_size(size, film.size) if size else None,
        backend=backend,
        look="off" if off else look,
    )
    if shots or frames:
        with terminal.progress() as progress:
            refined = refine_shots(film, options, progress)
        if as_json:
            terminal.write_json(refine_report(refined))
        else:
            click.echo("\n".join(refined_in_words(refined)).strip() or "No shot that was chosen has a look.")
        return
    with terminal.progress() as progress:
        made = make_film(film, options, progress)
    if as_json:
        terminal.write_json({**make_report(made), **refine_report(made.refined)})
    else:
        click.echo(film_in_words(made))
