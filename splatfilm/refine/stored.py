"""The scene refiner that is stored with an asset: a folder `refiner` beside its `splats.ply`.

    out/assets/<asset>-<key>/splats.ply
    out/assets/<asset>-<key>/refiner/refiner.json        what it is, readable without torch
    out/assets/<asset>-<key>/refiner/...                 its weights, which refine/net.py reads

`refiner.json` is written last, so a folder without one holds no refiner yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.refine.contract import Refiner
from splatfilm.refine.recipe import UNIT

FORMAT = "splatfilm-refiner"
VERSION = 1  # of refiner.json
FOLDER = "refiner"
NOISE_REACH = 4  # pixels: how far an edit may hand a voxel of the noise to another pixel
DESCRIPTION = "refiner.json"


@dataclass(frozen=True)
class StoredRefiner:
    """A scene refiner on disk; a `RefinerSource`."""

    folder: Path
    version: int
    key: str
    reach: int | None
    facts: Mapping[str, Any]
    name: str = "scene"
    moves: bool = False
    noise: AnchoredSteps | None = None

    def open(self, device: str) -> Refiner:
        """Load the network. Raises `InputError` when its files are damaged."""
        steps = None
        if self.noise is not None:
            steps = import_module("splatfilm.refine.steps").anchored(self.noise)
        opened: Refiner = import_module("splatfilm.refine.net").open_refiner(self.folder, device, steps)
        return opened


@dataclass(frozen=True)
class AnchoredSteps:
    """The mode of several steps from noise that is anchored to the scene: what decides the noise."""

    count: int
    seed: str  # the film's
    spaces: tuple[str, ...]  # names of the members' rest spaces


def in_steps(found: StoredRefiner, count: int, seed: str, spaces: Sequence[str]) -> StoredRefiner:
    """The same refiner in several steps; every one of them carries an edit on.

    Raises `InputError` for a refiner that was taught for one step only, or to count changes otherwise than is done now.
    """
    training = found.facts.get("training")
    if not isinstance(training, Mapping) or not training.get("noisy"):
        raise InputError.at(
            found.folder / DESCRIPTION,
            "was taught for one step only: leave film.refine.steps out, or train it with a share of noise "
            "(presets preview and final do)",
        )
    if training.get("unit") != UNIT:
        why = f"counts changes in units of {training.get('unit', 'an earlier version')}, which are {UNIT} now"
        raise InputError.at(found.folder / DESCRIPTION, f"{why}: train it again")
    noise = AnchoredSteps(count, seed, tuple(spaces))
    key = hash_value({"refiner": found.key, "steps": count, "seed": seed, "spaces": list(spaces)})
    reach = None if found.reach is None else count * found.reach + NOISE_REACH
    return replace(found, key=key, reach=reach, noise=noise)


def find_refiner(splats: Path) -> StoredRefiner | None:
    """The refiner stored beside a splat file, or none. Raises `InputError` when there is one that cannot be used."""
    folder = splats.parent / FOLDER
    path = folder / DESCRIPTION
    if not path.exists():
        return None
    value = read_json(path)
    try:
        if value["format"] != FORMAT or value["format_version"] != VERSION:
            raise ValueError(f"its format is {value['format']!r} {value['format_version']!r}")
        files = {str(name): str(digest) for name, digest in value["files"].items()}
        reach = value["reach"]
        found = StoredRefiner(
            folder, int(value["version"]), _key(value), None if reach is None else int(reach), value["facts"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError.at(path, f"not the description of a refiner: {error} (train it again)") from error
    for name, digest in files.items():
        if Path(name).name != name or hash_file(folder / name) != digest:
            raise InputError.at(folder / name, "not the file that refiner.json describes (train the refiner again)")
    return found


def describe_refiner(folder: Path, version: int, reach: int | None, facts: Mapping[str, Any]) -> None:
    """Write `refiner.json` for the weights in `folder`, every other file of which belongs to the refiner."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != DESCRIPTION)
    value = {
        "format": FORMAT,
        "format_version": VERSION,
        "version": version,
        "reach": reach,
        "files": {name: hash_file(folder / name) for name in names},
        "facts": dict(facts),
    }
    write_json(folder / DESCRIPTION, value)


def _key(value: Mapping[str, Any]) -> str:
    return hash_value({"refiner": value["version"], "files": value["files"]})
