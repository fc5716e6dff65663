"""`splatfilm rig`: rigs as files, and whether splats belong on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splatfilm.cli import terminal
from splatfilm.cli.options import json_option

if TYPE_CHECKING:
    from splatfilm.stage.rigs.rig import Rig

FILE = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Look at rigs, and at how splats hang on them.

    A rig is a glTF file (.glb, .gltf) with a skin, as Blender, Mixamo, Character Creator and MetaHuman export it, or a
    rig.json that `splatfilm rig import` made of one.

    \b
    Examples:
      splatfilm rig check captures/ada/rig.glb
      splatfilm rig check captures/ada/rig.glb out/assets/pyjamas/splats.ply
      splatfilm rig import captures/ada/rig.glb characters/ada
    """


@command.command("import")
@click.argument("rig_file", type=FILE, metavar="RIG")
@click.argument("folder", type=FILE, metavar="FOLDER")
def import_rig(rig_file: Path, folder: Path) -> None:
    """Write the rig in RIG to FOLDER, as rig.json and weights.npz."""
    from splatfilm.stage.rigs.files import load_rig, write_rig

    rig = load_rig(rig_file)
    path = write_rig(folder, rig, rig_file.name)
    click.echo(f"{path}: {_counts(rig)}")
    for note in rig.notes:
        terminal.say(note)


@command.command("check")
@click.argument("rig_file", type=FILE, metavar="RIG")
@click.argument("splat_files", type=FILE, nargs=-1, metavar="[SPLATS]...")
@click.option("--part", "parts", multiple=True, metavar="NAME", help="Bind to this part of the mesh only; repeatable.")
@json_option
def check(rig_file: Path, splat_files: tuple[Path, ...], parts: tuple[str, ...], as_json: bool) -> None:
    """Say what is in RIG, what is odd about it, and how well SPLATS hang on it.

    Told are splats far from the mesh (strays), and splats that stand in another place or pose than the rig's; where a
    turn, a shift or a scale mends it, the place to write into the film file is offered.
    """
    from splatfilm.base.errors import InputError
    from splatfilm.stage.rigs.check import check_rig, check_splats, place_words
    from splatfilm.stage.rigs.files import load_rig

    rig = load_rig(rig_file)
    value: dict[str, Any] = {"rig": str(rig_file), **_plain(rig), "remarks": list(check_rig(rig)), "splats": []}
    for path in splat_files:
        from splatfilm.splats import read_splats

        means = read_splats(path).means.numpy()
        try:
            found = check_splats(rig, means, parts)
        except ValueError as error:
            raise InputError.at(rig_file, str(error), "--part") from None
        value["splats"].append(
            {
                "file": str(path),
                "count": len(means),
                "median_m": found.median,
                "strays": len(found.strays),
                "fits": found.fits,
                "place": None if found.alignment is None else place_words(found.alignment),
                "remarks": list(found.remarks),
            }
        )
    if as_json:
        terminal.write_json(value)
        return
    click.echo(f"{rig_file}: {_counts(rig)}")
    for remark in value["remarks"]:
        click.echo(f"  {remark}")
    for one in value["splats"]:
        away = f"half of them within {1000 * one['median_m']:.1f} mm of the mesh, {one['strays']} strays"
        click.echo(f"{one['file']}: {one['count']} splats, {away}")
        for remark in one["remarks"]:
            click.echo(f"  {remark}")


def _plain(rig: Rig) -> dict[str, Any]:
    mesh = rig.mesh
    return {
        "joints": list(rig.skeleton.names),
        "shapes": list(rig.shape_names),
        "clips": list(rig.clips),
        "parts": [] if mesh is None else list(mesh.parts),
        "vertices": 0 if mesh is None else len(mesh.vertices),
        "triangles": 0 if mesh is None else len(mesh.triangles),
        "content": rig.content,
    }


def _counts(rig: Rig) -> str:
    parts = "no mesh" if rig.mesh is None else f"mesh of {', '.join(rig.mesh.parts)}"
    counts = f"{len(rig.skeleton)} joints, {len(rig.shape_names)} blendshapes, {len(rig.clips)} clips"
    return f"{counts}, {parts}"
