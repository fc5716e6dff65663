"""Baked assets on disk: found by what went into them, and read without torch.

Layout: `<folder>/<asset>-baked-<first 12 digits of the key>/` with `splats.ply`, `bake.json` and `bake.png`; the asset
that it was baked from stays where it is. The record is written last. A bake whose every round was rolled back has the
splats that it began with, to the byte, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json
from splatfilm.base.hashing import hash_file

RECORD = "bake.json"
SPLATS = "splats.ply"
PICTURE = "bake.png"
_FORMAT = "splatfilm-bake"
_VERSION = 1
_KEY_DIGITS = 12


@dataclass(frozen=True)
class Baked:
    """A finished bake. `record` is what `bake.json` holds: scores before and after, every round, where it came from."""

    folder: Path
    key: str
    splats_hash: str
    record: Mapping[str, Any]

    @property
    def splats(self) -> Path:
        """The splat file that takes the asset's place."""
        return self.folder / SPLATS

    @property
    def helped(self) -> bool:
        """Whether a round was kept; otherwise the splats are the asset's own."""
        return bool(self.record["kept"])


def folder_of(folder: Path, name: str, key: str) -> Path:
    """Where the bake with this key is or will be: an existing folder with the key wins over the asset's name."""
    there = sorted(folder.glob(f"*-baked-{key[:_KEY_DIGITS]}")) if folder.is_dir() else []
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "asset"
    return there[0] if there else folder / f"{plain}-baked-{key[:_KEY_DIGITS]}"


def find_baked(folder: Path, key: str) -> Baked | None:
    """The finished bake under `folder`, or None when there is none or it is damaged. Imports no torch."""
    place = folder_of(folder, "", key)
    if not (place / RECORD).is_file() or not (place / SPLATS).is_file():
        return None
    try:
        record = read_json(place / RECORD)
        if (record["format"], record["version"], record["key"]) != (_FORMAT, _VERSION, key):
            return None
        if hash_file(place / SPLATS) != record["splats_hash"]:
            return None
        return Baked(place, key, str(record["splats_hash"]), record)
    except (InputError, KeyError, TypeError):
        return None


def record_of(key: str, splats_hash: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `bake.json`."""
    return {"format": _FORMAT, "version": _VERSION, "key": key, "splats_hash": splats_hash, **facts}
