"""The verbs of the command line: one table, and the group that imports a verb only when it is called.

`splatfilm --help` and shell completion read the table alone, so they stay instant however heavy a verb's room is. A
verb lives in `splatfilm/cli/<verb>.py` (dashes become underscores) and exposes a click command named `command`.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from splatfilm.base.errors import did_you_mean
from splatfilm.cli.terminal import Settings

VERBS = {
    "make": "Make a whole film: reconstruct, render and cut what has changed.",
    "capture": "Look at a folder of photographs before it is reconstructed.",
    "reconstruct": "Turn captures into splats.",
    "render": "Render shots to numbered frames.",
    "refine": "Give shots their look: crispness, texture, grain, within set bounds.",
    "view": "Lay out a film's cameras in the browser.",
    "rig": "Look at rigs, and at how splats hang on them.",
    "check": "Find every mistake in film files.",
    "info": "Show what is in a film, a splat file, a camera file or a capture.",
    "completion": "Print the script that completes splatfilm's verbs in your shell.",
}
"""Every verb with its one-line help, in the order in which `--help` lists them."""


class VerbGroup(click.Group):
    """A click group whose commands are modules, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"splatfilm.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.short_help = VERBS[cmd_name]
        known = {parameter.name for parameter in command.params}
        command.params += [option for option in everywhere() if option.name not in known]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            near = did_you_mean(name, VERBS)
            raise click.UsageError(f"there is no verb {name!r}{near}\nThe verbs are: {', '.join(VERBS)}.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Verbs from the table (no verb is imported), then the options."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=text) for name, text in VERBS.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)


def everywhere() -> list[click.Option]:
    """The options that are understood before the verb and after it."""

    def note(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing and parameter.name:
            setattr(ctx.find_root().ensure_object(Settings), parameter.name, True)

    return [
        click.Option(
            ["--quiet", "-q"],
            is_flag=True,
            expose_value=False,
            callback=note,
            help="Show no progress and no remarks; errors are still printed.",
        ),
        click.Option(
            ["--verbose", "-v"],
            is_flag=True,
            expose_value=False,
            callback=note,
            help="Show where in Splatfilm an error comes from (a traceback).",
        ),
    ]
