"""`splatfilm baseline`: clips of the same shots made by other methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
      splatfilm baseline run film.toml --model models/Wan2.1-T2V-1.3B-Diffusers --prompts prompts.toml
      splatfilm baseline mini film.toml                   # a small model trained on the capture itself
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


@command.command("run")
@film_argument
@click.option("--model", required=True, metavar="FOLDER|NAME", help="A folder of weights, or a name on the hub.")
@click.option("--pipeline", default="", metavar="CLASS", help="The class in diffusers. Default: what the model says.")
@click.option("--online", is_flag=True, help="Ask the hub for what is not in its local cache.")
@click.option("--revision", metavar="COMMIT", help="The model's revision on the hub.")
@click.option("--prompts", type=FILE, metavar="FILE", help='A TOML file with a line a shot: 010 = "a sunny bedroom".')
@click.option("--prompt", default="", metavar="TEXT", help="The prompt of every shot that --prompts leaves out.")
@click.option("--negative", default="", metavar="TEXT", help="The negative prompt.")
@click.option("--takes", type=click.IntRange(1, 1000), default=4, show_default=True, help="Takes a shot; all are kept.")
@click.option(
    "--seeds",
    type=click.Choice(["per-shot", "one", "twice"]),
    default="per-shot",
    show_default=True,
    help="Another seed a shot, one seed for all shots, or every take twice from one seed.",
)
@click.option(
    "--protocol",
    type=click.Choice(["FF", "F1"]),
    default="FF",
    show_default=True,
    help="Models that begin with an image: our first frame of every shot, or only of the first shot.",
)
@click.option(
    "--control", type=click.Choice(["depth", "beauty"]), help="What a control video shows: our depth, our frames."
)
@click.option("--size", metavar="WxH", help="Pixels to ask for. Default: the film's, as near as the model can.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps. Default: the model's.")
@click.option("--guidance", type=float, help="Guidance scale. Default: the model's.")
@click.option("--translation-scale", type=float, default=1.0, show_default=True, help="The model's units a metre.")
@click.option("--licence", default="", metavar="TEXT", help="The licence of the weights, for the report.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda.")
@click.option("--offload", is_flag=True, help="Keep on the GPU only the part that works (needs accelerate).")
@click.option("--id", "name", default="", metavar="NAME", help="What the method is called. Default: from the model.")
@click.option("--title", default="", metavar="TEXT", help="What people call it.")
@click.option("--shot", "shots", multiple=True, metavar="NAME", help="Only this shot; repeatable.")
@out_option
def run(film_file: Path, out: Path, **asked: Any) -> None:
    """Make every shot of FILM with a video model of diffusers, take after take.

    The class of the pipeline decides what the model is given, and the report says so: text alone, our first frame, our
    camera's matrices, or a control video. Seeds follow a rule (SHA-256 of scene, shot and take). A run that was stopped
    goes on where it was.

    \b
    Examples:
      splatfilm baseline run film.toml --model models/LTX-Video --prompts prompts.toml
      splatfilm baseline run film.toml --model Efficient-Large-Model/SANA-WM_bidirectional-diffusers --online \\
          --prompt "a sunny bedroom" --translation-scale 0.8
    """
    from splatfilm.compare.generate import run_baseline
    from splatfilm.compare.pipelines import Weights, load_pipeline
    from splatfilm.compare.requests import request_of
    from splatfilm.film import load

    film = load(film_file)
    request = request_of(film, asked, out)
    weights = Weights(
        asked["model"], asked["pipeline"], asked["revision"], asked["online"], asked["device"], asked["offload"]
    )
    with terminal.progress() as progress:
        click.echo(run_baseline(film, load_pipeline(weights), request, out, progress))


@command.command("mini")
@film_argument
@click.option(
    "--steps",
    type=click.IntRange(1, 1_000_000),
    default=1200,
    show_default=True,
    help="Training steps; half a second each.",
)
@click.option("--takes", type=click.IntRange(1, 100), default=4, show_default=True, help="Takes a shot.")
@click.option(
    "--pictures",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Sample only N pictures a take, spread evenly, and hold each until the next. Default: one a frame.",
)
@click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True, help="Of the training.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@out_option
def mini(film_file: Path, steps: int, takes: int, pictures: int | None, seed: int, device: str, out: Path) -> None:
    """Train a small diffusion model on FILM's own capture and make every shot with it.

    It shows how new noise makes a new picture, on any computer, in minutes. It says nothing about big models, and the
    report prints that beside it.
    """
    from splatfilm.compare.miniature import Settings, make_miniature
    from splatfilm.film import load

    with terminal.progress() as progress:
        click.echo(make_miniature(load(film_file), Settings(steps, seed, takes, device, pictures), out, progress))
