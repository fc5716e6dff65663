"""`splatfilm completion`: the script that teaches a shell our verbs and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that completes splatfilm's verbs, options and files in SHELL when you press Tab.

    It prints to standard output and changes nothing; your shell reads it when it starts.

    \b
    bash (4.4 or newer), once:
      splatfilm completion bash > ~/.splatfilm-completion.bash
      echo 'source ~/.splatfilm-completion.bash' >> ~/.bashrc
    zsh, once, after compinit in ~/.zshrc:
      splatfilm completion zsh > ~/.splatfilm-completion.zsh
      echo 'source ~/.splatfilm-completion.zsh' >> ~/.zshrc
    fish, once:
      splatfilm completion fish > ~/.config/fish/completions/splatfilm.fish

    In this terminal alone, in bash: source <(splatfilm completion bash)
    """
    from click.shell_completion import get_completion_class

    from splatfilm.cli.main import COMPLETION_VARIABLE, PROGRAM, cli

    script = get_completion_class(shell)
    assert script is not None, f"click knows no {shell}"
    click.echo(script(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
