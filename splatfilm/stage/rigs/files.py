"""A rig as plain files, `rig.json` and `weights.npz`: what can be read and compared, and what is numbers.

A film may name a glTF file or a `rig.json`. Both are read through `load_rig`, which keeps what it read for as long as
the file stays the same.
"""

from __future__ import annotations

import io
import os
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_bytes, write_json
from splatfilm.base.hashing import hash_bytes
from splatfilm.stage.rigs.gltf import read_rig as read_gltf_rig
from splatfilm.stage.rigs.rig import ProxyMesh, Rig, Shape
from splatfilm.stage.rigs.skeleton import Joint, Skeleton

FORMAT, VERSION = "splatfilm-rig", 1
RIG, WEIGHTS = "rig.json", "weights.npz"


def load_rig(path: str | PathLike[str]) -> Rig:
    """The rig in a glTF file or a `rig.json`, from memory when the file has not changed. Raises `InputError`."""
    location = Path(path)
    try:
        stamp = location.stat()
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from None
    return _loaded(str(location), stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=16)
def _loaded(path: str, _time: int, _size: int) -> Rig:
    return read_rig_file(path) if path.lower().endswith(".json") else read_gltf_rig(path)


def write_rig(folder: str | PathLike[str], rig: Rig, source: str = "") -> Path:
    """Write `rig.json` and `weights.npz` into `folder`, each atomically; gives the path of `rig.json`.

    The numbers go first and `rig.json` names them by hash, so that a reader never takes one for the other's.
    """
    arrays: dict[str, Any] = {"inverse_binds": rig.inverse_binds}
    mesh = rig.mesh
    if mesh is not None:
        arrays |= {"vertices": mesh.vertices, "triangles": mesh.triangles, "part": mesh.part}
        arrays |= {"joints": mesh.joints, "weights": mesh.weights}
        for number, shape in enumerate(mesh.shapes):
            arrays |= {f"shape{number}_vertices": shape.vertices, f"shape{number}_offsets": shape.offsets}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    data = stream.getvalue()
    write_bytes(Path(folder) / WEIGHTS, data)
    path = Path(folder) / RIG
    joints = [
        {"name": j.name, "parent": j.parent, "translation": j.translation, "rotation": j.rotation, "scale": j.scale}
        for j in rig.skeleton.joints
    ]
    header = {
        "format": FORMAT,
        "version": VERSION,
        "axes": "Z up, metres, quaternions wxyz",
        "source": source,
        "joints": joints,
        "parts": [] if mesh is None else list(mesh.parts),
        "shapes": list(rig.shape_names),
        "clips": list(rig.clips),
        "notes": list(rig.notes),
        "weights": {"file": WEIGHTS, "sha256": hash_bytes(data)},
    }
    write_json(path, header)
    return path


def read_rig_file(path: str | PathLike[str]) -> Rig:
    """A rig as `write_rig` wrote it. Raises `InputError` when the two files do not belong together."""
    header = read_json(path)
    if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise InputError.at(path, f'expected "format": "{FORMAT}" and "version": {VERSION}')
    try:
        joints = tuple(
            Joint(str(j["name"]), int(j["parent"]), tuple(j["translation"]), tuple(j["rotation"]), tuple(j["scale"]))
            for j in header["joints"]
        )
        skeleton = Skeleton(joints)
        names = [str(name) for name in header["shapes"]]
        parts = tuple(str(part) for part in header["parts"])
        digest = header["weights"]["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.at(path, f"is no rig: {error}") from None
    numbers = Path(path).parent / WEIGHTS
    try:
        data = numbers.read_bytes()
    except OSError as error:
        raise InputError.at(numbers, f"cannot be read: {error.strerror or os.strerror(error.errno or 0)}") from None
    if hash_bytes(data) != digest:
        raise InputError.at(numbers, f"is not the file that {path} was written with; import the rig again")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        mesh = None
        if parts:
            shapes = tuple(
                Shape(name, arrays[f"shape{number}_vertices"], arrays[f"shape{number}_offsets"])
                for number, name in enumerate(names)
            )
            mesh = ProxyMesh(
                arrays["vertices"],
                arrays["triangles"],
                arrays["joints"],
                arrays["weights"],
                parts,
                arrays["part"],
                shapes,
            )
        binds = arrays["inverse_binds"]
    return Rig(skeleton, binds, mesh, tuple(map(str, header["clips"])), tuple(map(str, header["notes"])))
