"""`splatfilm reconstruct`: photographs to splats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import backend_option, json_option, out_option, threads_option
from splatfilm.reconstruct.settings import PRESETS

if TYPE_CHECKING:
    from splatfilm.reconstruct import Reconstruction


@click.command()
@click.argument("captures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CAPTURE...")
@out_option
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    default="draft",
    show_default=True,
    help="draft to see whether a capture works, preview to look at it, final for the film.",
)
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Training steps, instead of the preset's.")
@click.option("--budget", type=click.IntRange(min=1), metavar="N", help="Splats at most, instead of the preset's.")
@click.option(
    "--size",
    type=click.IntRange(min=16),
    metavar="PX",
    help="Longest side of the training pictures, instead of the preset's.",
)
@click.option(
    "--gains/--no-gains",
    default=None,
    help="Even out exposure that wandered from photograph to photograph. Default: off.",
)
@backend_option("trains")
@click.option("--strict", is_flag=True, help="Refuse a capture that lists photographs without a file.")
@threads_option
@json_option
def command(captures: tuple[Path, ...], out: Path, preset: str, strict: bool, as_json: bool, **changes: Any) -> None:
    """Turn each CAPTURE, a folder of photographs with poses, into splats.

    A capture that was reconstructed before with the same settings is found again at once; a run that was stopped goes
    on where it was, and ends with the same splats to the bit.

    \b
    Examples:
      splatfilm reconstruct captures/flat
      splatfilm reconstruct captures/flat captures/mug --preset preview
      splatfilm reconstruct captures/flat --steps 2000 --size 320     a quick look
    """
    from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
    from splatfilm.reconstruct import cached, settings_for

    settings = settings_for(preset, longest=changes.pop("size"), **changes)
    assets = out / "assets"
    read = [read_capture(folder, strict) for folder in captures]
    results = []
    with terminal.progress() as progress:
        for capture in read:
            found = cached(capture_hash(capture, assets / MEMO_NAME), settings, assets)
            if found is None:
                from splatfilm.reconstruct import reconstruct

                found = reconstruct(capture, settings, assets, progress, memo=assets / MEMO_NAME)
            results.append((capture.path.name, found))
    if as_json:
        terminal.write_json([_plain(name, result) for name, result in results])
    else:
        for name, result in results:
            click.echo(_in_words(name, result))


def _plain(name: str, result: Reconstruction) -> dict[str, Any]:
    return {"capture": name, "from_cache": result.from_cache, "splats": str(result.splats), **result.record()}


def _in_words(name: str, result: Reconstruction) -> str:
    """One line when nothing was to be done, a few when there is something new to tell."""
    quality = "nothing held out"
    if result.heldout_psnr is not None and result.heldout_ssim is not None:
        quality = f"held-out {result.heldout_psnr:.2f} dB, SSIM {result.heldout_ssim:.3f}"
    if result.from_cache:
        return f"{name}: unchanged, {result.count:,} splats, {quality}: {result.splats}"
    return "\n".join(
        [
            f"{name}: {result.count:,} splats after {result.steps:,} steps in {result.seconds:.0f} s; {quality} "
            f"(training {result.train_psnr:.2f} dB)",
            f"  {result.splats}",
            f"  {result.folder / 'heldout.png'}  (photograph, render, difference times four)",
        ]
    )
