"""`splatfilm shotlist`: the shots of a film as a table for people and spreadsheets."""

from __future__ import annotations

from pathlib import Path

import click

from splatfilm.cli.options import film_argument


@click.command()
@film_argument
@click.option("-f", "--file", type=click.Path(path_type=Path, dir_okay=False), help="Write there instead of printing.")
def command(film_file: Path, file: Path | None) -> None:
    """Write the shot list of FILM as CSV: frames, timecode, lens, height, what the camera does.

    \b
    Examples:
      splatfilm shotlist film.toml
      splatfilm shotlist film.toml -f shots.csv
    """
    from splatfilm.base.errors import InputError
    from splatfilm.base.files import write_bytes
    from splatfilm.layout import Document
    from splatfilm.layout.shot_list import shot_list_csv

    document = Document.open(film_file)
    if document.state.film is None:
        raise InputError(document.problems)
    text = shot_list_csv(document.state)
    if file is None:
        click.echo(text, nl=False)
    else:
        write_bytes(file, text.encode("utf-8-sig"))
        click.echo(str(file))
