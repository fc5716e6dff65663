"""Starting `splatfilm` as its users do: in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """The environment of a user without habits: no colour wishes, no completion, no thread count."""
    dropped = ("NO_COLOR", "FORCE_COLOR", "TERM", "SPLATFILM_THREADS", "COLUMNS")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **more}


TRIAL = """
import sys, types
import click
from splatfilm.cli import main as front, options, terminal, verbs
from splatfilm.base.errors import InputError, MissingPartError, Problem, StorageError

@click.command()
{options}
def command():
{body}

verbs.VERBS["trial"] = "A verb for trying the frame."
sys.modules["splatfilm.cli.trial"] = types.SimpleNamespace(command=command)
sys.exit(front.main(sys.argv[1:]))
"""


def trial_command(body: str, *arguments: str, options: str = "") -> list[str]:
    """A `splatfilm` with one more verb, `trial`, that has `options` (decorators) and does `body`."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return [sys.executable, "-c", TRIAL.format(options=options, body=indented), *arguments]
