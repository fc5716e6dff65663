"""`splatfilm view`: a film in the browser, to lay out its cameras."""

from __future__ import annotations

import asyncio
import contextlib
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from splatfilm.cli.options import backend_option, film_argument, out_option, threads_option


@click.command()
@film_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0, the default, takes a free one.")
@click.option("--browser/--no-browser", default=True, help="Open the page in your browser.  [default: browser]")
@backend_option("renders")
@out_option
@threads_option
def command(film_file: Path, port: int, browser: bool, backend: str, out: Path) -> None:
    """Open the studio: FILM in your browser, to lay out its cameras. A splat file is shown alone, for a quick look.

    The page shows what `splatfilm render` will write, and edits the film's camera files. It is served on this machine
    alone, at an address with a token in it. Reconstruct the film's assets first (`splatfilm make`). Ends with Ctrl-C.

    \b
    Examples:
      splatfilm view cameras/morning/film.toml
      splatfilm view film.toml --no-browser --port 8700
      splatfilm view out/assets/flat-1b6ed4ceaa47/splats.ply
    """
    from splatfilm.base.errors import MissingPartError
    from splatfilm.studio.server import Options, run_studio

    def opened(address: str) -> None:
        click.echo(address)
        if browser:
            webbrowser.open(address)

    if film_file.suffix.lower() == ".ply":
        _show(film_file, port, opened)
        return
    options = Options(out, backend, port)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(run_studio(film_file, options, opened))
    except OSError as error:
        raise MissingPartError(f"port {port} cannot be opened: {error.strerror or error}") from error


def _show(file: Path, port: int, opened: Callable[[str], None]) -> None:
    """A splat file alone, until Ctrl-C."""
    import threading

    from splatfilm.studio.bare import show

    shown = show(file, port)
    opened(shown.address)
    try:
        threading.Event().wait()
    finally:
        shown.close()
