"""`splatfilm report`: a film beside other methods, measured and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, film_argument, json_option, out_option, threads_option

if TYPE_CHECKING:
    from splatfilm.compare.report import Report

FILE = click.Path(path_type=Path, exists=True)


@click.command()
@film_argument
@click.option(
    "--baseline",
    "baselines",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="A baseline.json; repeatable. Default: the one beside FILM, and those that `splatfilm baseline` made.",
)
@click.option("--method", "methods", multiple=True, metavar="ID", help="Only these methods of them; repeatable.")
@click.option(
    "--width", type=click.IntRange(32, 16384), metavar="PIXELS", help="Measure at this width.  [default: 320]"
)
@click.option(
    "--learned",
    "imported",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Scores that a tool with learned weights gave (docs/compare.md); repeatable.",
)
@click.option(
    "--alone",
    is_flag=True,
    help="Also judge clips that never saw the scene by their pictures alone (needs pycolmap; 15 s a cut and take).",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also write all clips as PNG sequences with equal frame numbers, and a timeline of them (.otio), for players.",
)
@backend_option("draws depth and objects")
@out_option
@threads_option
@json_option
def command(film_file: Path, as_json: bool, **chosen: Any) -> None:
    """Compare FILM with other methods' clips of the same shots: one page for your browser, with CSV and JSON beside.

    The film must be made. Rows without any model (nearest photograph, frozen frame, mean picture, ours compressed) are
    always there. What is wrong with a clip is told, and the rest is compared.

    \b
    Examples:
      splatfilm report film.toml
      splatfilm report film.toml --baseline baselines/baseline.json --method kling
      splatfilm report film.toml --export review/        for RV, Hiero and other players
    """
    from splatfilm.compare.report import ReportOptions, make_report
    from splatfilm.film import load

    options = ReportOptions(**{**chosen, "methods": chosen["methods"] or None})
    with terminal.progress() as progress:
        made = make_report(load(film_file), options, progress)
    if as_json:
        terminal.write_json(_plain(made))
        return
    for problem in made.problems:
        terminal.error(f"left out: {problem}")
    for remark in made.remarks:
        terminal.say(remark)
    click.echo(_in_words(made))


def _in_words(made: Report) -> str:
    from splatfilm.compare.verdict import verdicts

    rows = []
    for scores in made.scores.values():
        found = verdicts(scores)
        cells = [f"{v.word}{f' ({v.value})' if v.value else ''}" for v in found.values()]
        rows.append((scores.title, scores.given, *cells))
    headings = ("method", "given", "same room after the cut", "same when we come back", "camera")
    files = [made.page, made.csv, made.json, *([made.timeline] if made.timeline else [])]
    written = "\n        ".join(str(path) for path in files)
    return f"{terminal.table(headings, rows)}\n\nreport  {written}"


def _plain(made: Report) -> dict[str, Any]:
    from splatfilm.compare.scores import plain
    from splatfilm.compare.verdict import verdicts

    return {
        "page": str(made.page),
        "csv": str(made.csv),
        "json": str(made.json),
        "timeline": str(made.timeline) if made.timeline else None,
        "verdicts": {name: plain(verdicts(scores)) for name, scores in made.scores.items()},
        "problems": list(made.problems),
        "remarks": list(made.remarks),
    }
