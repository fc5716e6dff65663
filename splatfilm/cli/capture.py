"""`splatfilm capture`: what a folder of photographs holds, before hours are spent on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import json_option

if TYPE_CHECKING:
    from splatfilm.capture.report import Bounds, Report

_SMALL = 32  # px: pictures are decoded to see that they can be, not to be looked at


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="CAPTURE")
@click.option("--strict", is_flag=True, help="Refuse a capture that lists photographs without a file.")
@click.option("--quick", is_flag=True, help="Do not decode the photographs; truncated files are not found then.")
@json_option
def command(folder: Path, strict: bool, quick: bool, as_json: bool) -> None:
    """Look at CAPTURE, a folder of posed photographs: what is there, how it is split, what looks wrong.

    Read are nerfstudio's and Blender's transforms.json and COLMAP's images and sparse folders. Every file is decoded
    once. Exits with 3 when something is broken; doubts are only told.

    \b
    Examples:
      splatfilm capture captures/flat
      splatfilm capture captures/flat --json
    """
    from splatfilm.capture import read_capture
    from splatfilm.capture.pictures import load_pictures
    from splatfilm.capture.report import report_on

    capture = read_capture(folder, strict)
    report = report_on(capture)
    if not quick:
        with terminal.progress() as progress:
            progress.start(f"decoding {capture.path.name}", len(capture.photographs), "photographs")
            load_pictures(capture.photographs, _SMALL, progress.advance)
            progress.finish()
    if as_json:
        terminal.write_json(report.as_plain())
    else:
        click.echo(_in_words(report))


def _in_words(report: Report) -> str:
    rows = [
        ("layout", report.layout),
        ("photographs", f"{report.train} for training, {report.test} held out"),
        ("sizes", ", ".join(f"{count} of {size}" for size, count in report.sizes.items())),
        ("lenses", ", ".join(f"{count} {model}" for model, count in report.distortions.items())),
        ("mattes", f"{report.mattes} with an alpha channel, {report.masks} with a mask"),
        ("sparse points", f"{report.points:,}" if report.points else "none"),
        ("cameras within", _box(report.camera_bounds)),
        ("points within", _box(report.point_bounds) if report.point_bounds else "-"),
        ("cameras reach", f"{report.reach:.3g} m from their middle, views up to {report.view_angle:.0f} degrees apart"),
    ]
    lines = [report.name, *(f"  {label:<15} {value}" for label, value in rows)]
    lines += [f"  note: {note}" for note in report.notes]
    lines += [f"  doubt: {doubt}" for doubt in report.doubts]
    return "\n".join(lines)


def _box(bounds: Bounds) -> str:
    return " x ".join(f"{low:.2f}..{high:.2f}" for low, high in zip(*bounds, strict=True)) + " m"
