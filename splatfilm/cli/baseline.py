"""`splatfilm baseline`: clips of the same shots made by other methods."""

from __future__ import annotations

from pathlib import Path

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import film_argument, json_option, out_option

FILE = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Bring in, check and make clips of a film's shots by other methods, to compare with.

    \b
    Examples:
      splatfilm baseline scan film.toml baselines/       # a draft of baselines/baseline.json
      splatfilm baseline check film.toml baselines/baseline.json
    """


@command.command("scan")
@film_argument
@click.argument("folder", type=FILE, metavar="FOLDER")
@click.option("--write", is_flag=True, help="Write FOLDER/baseline.json instead of printing the draft.")
def scan(film_file: Path, folder: Path, write: bool) -> None:
    """Draft a baseline.json from the names of the clips in FOLDER (020_t2.mp4: take 2 of shot 020).

    What each method was given cannot be seen in a file: correct `class`, `given`, `kind` and `protocol` by hand.
    """
    from splatfilm.base.errors import InputError
    from splatfilm.base.files import write_json
    from splatfilm.compare.manifest import INFORMATION
    from splatfilm.compare.scan import scan as draft_of
    from splatfilm.film import load

    draft = draft_of(folder, tuple(shot.name for shot in load(film_file).shots))
    for name in draft.unclear:
        terminal.say(f"{name}: no shot's name stands in it; left out")
    if not write:
        terminal.write_json(draft.value)
    else:
        path = folder / "baseline.json"
        if path.exists():
            raise InputError.at(path, "is there already; move it away, or leave --write out and merge by hand")
        write_json(path, draft.value)
        click.echo(path)
    known = ", ".join(f"{name} {words}" for name, words in INFORMATION.items())
    terminal.say(f"now say what each method was given (class: {known})")


@command.command("check")
@film_argument
@click.argument("manifest", type=FILE, metavar="BASELINE")
@click.option("--quick", is_flag=True, help="Do not decode the clips; damage in the middle of one is not found then.")
@out_option
@json_option
def check(film_file: Path, manifest: Path, quick: bool, out: Path, as_json: bool) -> None:
    """Check BASELINE, a baseline.json, and every clip in it against FILM. Exits with 3 when something is wrong."""
    from splatfilm.base.errors import InputError
    from splatfilm.compare.baselines import check_baseline
    from splatfilm.film import load

    with terminal.progress() as progress:
        found = check_baseline(load(film_file), manifest, out, not quick, progress)
    if as_json:
        terminal.write_json(found.as_plain())
    else:
        click.echo(terminal.table(("method", "class", "shot", "take", "clip", "remarks"), found.rows()))
        for remark in found.remarks:
            click.echo(remark)
    if found.problems:
        raise InputError(found.problems)
