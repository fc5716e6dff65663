"""Arguments and options that several verbs share, so that they are spelled and explained alike."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

THREADS_VARIABLE = "SPLATFILM_THREADS"
MOST_THREADS = 1024

Command = TypeVar("Command", bound=Callable[..., Any])


class FilmFile(click.Path):
    """A film file, or a folder with a `film.toml` in it; gives the file's `Path`, which need not exist yet."""

    name = "film file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        with contextlib.suppress(OSError):  # a folder that may not be entered: whoever reads the file will say so
            return path / "film.toml" if path.is_dir() else path
        return path


FILM = FilmFile()

film_argument = click.argument("film_file", type=FILM, metavar="FILM")
"""The film file as the keyword `film_file: Path`; load it with `splatfilm.film.load`."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on standard output, for scripts."
)
"""The keyword `as_json: bool`; print with `splatfilm.cli.terminal.write_json`."""

out_option = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    metavar="FOLDER",
    help="Where everything that is made goes; splats land in its folder `assets`.",
)
"""The keyword `out: Path`."""


def backend_option(what: str) -> Callable[[Command], Command]:
    """The keyword `backend: str`; `what` it is that works (`trains`, `renders`)."""
    return click.option(
        "--backend",
        type=click.Choice(["auto", "cpu", "gsplat"]),
        default="auto",
        show_default=True,
        help=f"What {what}: the CPU kernels, or gsplat on an NVIDIA GPU.",
    )


def threads_option(command: Command) -> Command:
    """`--threads N`: how many CPU threads work; handed down as the environment variable SPLATFILM_THREADS."""

    def hand_down(ctx: click.Context, parameter: click.Parameter, value: int | None) -> None:
        if value is not None and not ctx.resilient_parsing:
            os.environ[THREADS_VARIABLE] = str(value)

    option = click.option(
        "--threads",
        type=click.IntRange(1, MOST_THREADS),
        envvar=THREADS_VARIABLE,
        show_envvar=True,
        expose_value=False,
        callback=hand_down,
        metavar="N",
        help="CPU threads to work with; the pictures are the same with any number. Default: all.",
    )
    return option(command)
