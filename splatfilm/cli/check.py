"""`splatfilm check`: every mistake in film files and in what they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from splatfilm.base.errors import InputError, Problem
from splatfilm.cli import terminal
from splatfilm.cli.options import FILM, json_option

if TYPE_CHECKING:
    from splatfilm.film.check import Findings, Readers

PROBLEMS_FOUND = 3


@click.command()
@click.argument("film_files", type=FILM, nargs=-1, required=True, metavar="FILM...")
@json_option
def command(film_files: tuple[Path, ...], as_json: bool) -> int:
    """Find every mistake in FILM, all at once, before anything is rendered.

    Read are the film file itself, and every file that it names: camera files (is each move as long as its shot?),
    captures (are the photographs there?), splat files (is the header right, is the file whole?), rigs (are the clips,
    joints and blendshapes there, do the clips last?). Nothing is written. Cuts and moves that an audience would stumble
    over (the 180-degree line, jump cuts, pans that judder) are remarks.

    Problems are printed one a line, as FILE:LINE: KEY: what is wrong, and what would be right. Exits with 3 when there
    is one.

    \b
    Examples:
      splatfilm check film.toml
      splatfilm check reel1/film.toml reel2/film.toml --json
    """
    checked = {film_file: _check(film_file) for film_file in dict.fromkeys(film_files)}
    problems = list(dict.fromkeys(problem for found in checked.values() for problem in found.problems))
    remarks = list(dict.fromkeys(remark for found in checked.values() for remark in found.remarks))
    if as_json:
        terminal.write_json(
            {
                "files": [str(film_file) for film_file in checked],
                "problems": [_problem_value(problem) for problem in problems],
                "remarks": [{"path": path, "message": message} for path, message in remarks],
            }
        )
        return PROBLEMS_FOUND if problems else 0
    for problem in problems:
        click.echo(terminal.problem_line(problem))
    for path, message in remarks:
        terminal.say(f"{terminal.short_path(path)}: {message}")
    if problems:
        click.echo(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}")
        return PROBLEMS_FOUND
    if not terminal.settings().quiet:
        for film_file, found in checked.items():
            click.echo(f"{film_file}: {_in_words(found)}, and nothing wrong")
    return 0


def readers() -> Readers:
    """How to look into captures and splat files without loading their pixels and splats."""
    from splatfilm.film.check import Readers

    def capture(path: Path) -> tuple[str, ...]:
        from splatfilm.capture import read_capture

        return read_capture(path).notes

    def splats(path: Path) -> tuple[str, ...]:
        from splatfilm.splats import inspect_splats

        inspect_splats(path)
        return ()

    return Readers(capture, splats)


def _check(film_file: Path) -> Findings:
    from splatfilm.film.check import Findings, check

    try:
        found = check(film_file, readers())
    except InputError as error:
        return Findings(None, error.problems, ())
    if found.film is not None and any(asset.rig for asset in found.film.assets.values()):
        from splatfilm.stage.performance import findings

        problems, remarks = findings(found.film)
        found = Findings(found.film, (*found.problems, *problems), (*found.remarks, *remarks))
    if found.problems:
        return found
    return replace(found, remarks=(*found.remarks, *_camera_notes(film_file)))


def _camera_notes(film_file: Path) -> list[tuple[str, str]]:
    """What a script supervisor would say about the cuts and the moves."""
    from splatfilm.layout import Document
    from splatfilm.layout.checks import NOTHING_KNOWN, notes
    from splatfilm.layout.surroundings import known_of

    state = Document.open(film_file).state
    known = NOTHING_KNOWN if state.film is None else known_of(state.film, {}, look_into_splats=False)
    return [(str(film_file), str(note)) for note in notes(state, known)]


def _problem_value(problem: Problem) -> dict[str, object]:
    return {"path": problem.path, "line": problem.line or None, "place": problem.place, "message": problem.message}


def _in_words(found: Findings) -> str:
    assert found.film is not None, "a film without problems is whole"
    film = found.film
    counts = ((len(film.shots), "shot"), (len(film.scenes), "scene"), (len(film.assets), "asset"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
