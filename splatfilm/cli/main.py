"""`splatfilm`: where the command line begins and where every error ends.

Nothing heavy is imported here: `splatfilm --help` and `--version` come without numpy and torch.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

import click

from splatfilm import __version__
from splatfilm.base.errors import SplatfilmError, StorageError
from splatfilm.cli import terminal
from splatfilm.cli.terminal import Settings
from splatfilm.cli.verbs import VerbGroup, everywhere

PROGRAM = "splatfilm"
COMPLETION_VARIABLE = "_SPLATFILM_COMPLETE"

DISK_REFUSES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
DEFECT = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells count
READER_GONE = 141  # 128 + SIGPIPE: the program that read our output has ended

HELP = """Films rendered from persistent Gaussian splats: the same people and places in every shot, exactly.

A film is a file, film.toml: the things in it and their photographs, the scenes, the shot list. Splatfilm turns the
photographs into splats, places them in scenes, and renders every shot as numbered frames and one cut.

\b
Examples:
  splatfilm check film.toml                  is everything right?
  splatfilm info film.toml                   the shot list, with timecodes
  splatfilm make film.toml                   from photographs to the cut
  splatfilm render film.toml --shot 020      one shot again

`splatfilm VERB --help` explains a verb.
"""

EPILOG = """\b
Exit codes:
  0    all is well
  1    a defect in Splatfilm itself
  2    the command was used wrongly
  3    a file or folder you gave is not what it must be
  4    a part is missing: a library, a device, a program
  5    the disk refused: full, read-only, gone
  130  interrupted (Ctrl-C); what was finished is kept
  141  whoever read the output (head, less) has gone

\b
Environment:
  SPLATFILM_THREADS  CPU threads for work, as --threads
  NO_COLOR           set to anything: no colours
"""


@click.group(
    cls=VerbGroup,
    help=HELP,
    epilog=EPILOG,
    params=list(everywhere()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="[OPTIONS]",
    subcommand_metavar="VERB ...",
)
@click.version_option(__version__, "--version", "-V", prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `arguments` without the program's name, default `sys.argv[1:]`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a name that the locale cannot spell must not stop the work
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    settings = Settings()
    try:
        return _run(arguments, settings)
    except BrokenPipeError:
        _forget_stdout()
        return READER_GONE


def _run(arguments: list[str], settings: Settings) -> int:
    """The command's exit code. Only `BrokenPipeError` escapes."""
    try:
        return _invoke(arguments, settings)
    except BrokenPipeError:
        raise
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        terminal.error("interrupted")
        return INTERRUPTED
    except Exception as error:
        terminal.traceback_if(settings.verbose)
        if isinstance(error, OSError) and error.errno in DISK_REFUSES:
            _forget_stdout()
            error = StorageError(f"{error.filename or 'standard output'}: cannot write: {error.strerror}")
        if isinstance(error, SplatfilmError):
            terminal.splatfilm_error(error)
            return error.exit_code
        terminal.defect(error, verbose=settings.verbose)
        return DEFECT


def _invoke(arguments: list[str], settings: Settings) -> int:
    """Run the verb, and make sure that what it printed has arrived. A verb may return an exit code."""
    try:
        with cli.make_context(PROGRAM, arguments, obj=settings) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as done:
        result = done.exit_code
    sys.stdout.flush()
    return result if type(result) is int else 0


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, so that Python does not complain about it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
