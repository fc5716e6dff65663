"""The surface of a character's layers, as its rig's mesh knows it, given to those who learn them.

Sparse points of cloth are few and lie where the pattern is. What grows from them over a body that is there already
leaves holes, through which that body shows in other poses and from farther away; and a body is learnt around a core.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.base.hashing import hash_value
from splatfilm.capture import Capture, SparsePoints
from splatfilm.film.model import Film, Layer
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.shell import SHELL_VERSION, shell

AGREE_METRES = 0.03
"""A capture whose sparse points are farther from the mesh, half of them, was taken in another pose or place."""


def surface_key(film: Film, asset: str, layer: Layer) -> str | None:
    """The hash of all that decides where the first splats of a layer lie; none where there is no mesh."""
    path = film.assets[asset].rig
    if path is None:
        return None
    try:
        rig = load_rig(path)
    except InputError:  # it is refused where it is needed
        return None
    parts = _parts(film, asset, layer)
    if rig.mesh is None or not set(parts) <= set(rig.mesh.parts):
        return None
    place = layer.place
    where = [list(place.rotation), list(place.translation), place.scale]
    return hash_value(["shell", SHELL_VERSION, rig.content, list(parts), where])


def with_surface(capture: Capture, film: Film, asset: str, layer: Layer) -> Capture:
    """The capture with points of the rig's mesh, in its own world; itself where its sparse points say otherwise."""
    from splatfilm.stage.rigs.surface import nearest

    path = film.assets[asset].rig
    assert path is not None, "there is a surface"
    rig = load_rig(Path(path))
    assert rig.mesh is not None, "there is a surface"
    positions, facing = shell(rig, _parts(film, asset, layer))
    found = capture.points
    if found is None or not len(found.positions):
        return capture
    matrix = layer.place.matrix()
    there = found.positions.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    mesh = rig.mesh.vertices[rig.mesh.triangles]
    if float(np.median(nearest(there, mesh).distance)) > AGREE_METRES:
        return capture
    back = layer.place.inverse().matrix()
    turn = back[:3, :3] / np.cbrt(np.linalg.det(back[:3, :3]))
    here = (positions @ back[:3, :3].T + back[:3, 3]).astype(np.float32)
    points = SparsePoints(
        np.concatenate([found.positions, here]),
        np.concatenate([found.colours, np.full(here.shape, 128, np.uint8)]),
        np.concatenate([np.zeros_like(found.positions), (facing @ turn.T).astype(np.float32)]),
    )
    return dataclasses.replace(capture, points=points)


def _parts(film: Film, asset: str, layer: Layer) -> tuple[str, ...]:
    """The parts of the mesh that a layer's reconstruction shows: those of all layers that share it."""
    if layer.over:
        return layer.mesh
    sharing = [o for o in film.assets[asset].layers.values() if o.capture == layer.capture and not o.over]
    if not all(other.mesh for other in sharing):
        return ()
    return tuple(dict.fromkeys(part for other in sharing for part in other.mesh))
