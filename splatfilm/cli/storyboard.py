"""`splatfilm storyboard`: the cut as drawn panels."""

from __future__ import annotations

from pathlib import Path

import click

from splatfilm.cli.options import backend_option, film_argument, out_option, threads_option


@click.command()
@film_argument
@backend_option("renders")
@out_option
@threads_option
def command(film_file: Path, backend: str, out: Path) -> None:
    """Draw the storyboard of FILM: a panel a shot, two where the camera moves, with lens and move under it.

    Pictures are rendered small, so nothing has to be rendered before; assets must be reconstructed. Written are
    OUT/<film>/storyboard.pdf and its pages as PNG.

    \b
    Example:
      splatfilm storyboard cameras/morning/film.toml
    """
    from splatfilm.studio.boards import draw_storyboard

    for file in draw_storyboard(film_file, out, backend):
        click.echo(str(file))
