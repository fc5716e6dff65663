"""A folder of clips to a draft of `baseline.json`, which a person then corrects.

Only here are names of files read for what they may mean: `020_t2.mp4` is take 2 of shot 020, a folder above it the
method. The draft says unknown where it does not know, and what was guessed is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.compare.manifest import PICTURES, SCHEMA, VIDEOS, hash_clip

_TAKE = re.compile(r"(?:^|[_\-. ])(?:t|take|v|seed)[_\-]?(\d{1,6})(?=$|[_\-. ])", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """The manifest as plain values, and what was left out because no shot's name stands in it."""

    value: dict[str, Any]
    unclear: tuple[str, ...]


def scan(folder: Path, shots: tuple[str, ...]) -> Draft:
    """Every clip below `folder`, by method (the first folder below it) and shot. Raises `InputError` without any."""
    if not folder.is_dir():
        raise InputError.at(folder, "no such folder")
    methods: dict[str, list[dict[str, Any]]] = {}
    unclear: list[str] = []
    for path in _clips(folder):
        inside = path.relative_to(folder)
        shot = _shot_in(inside, shots)
        if shot is None:
            unclear.append(inside.as_posix())
            continue
        method = inside.parts[0] if len(inside.parts) > 1 else folder.resolve().name
        own = methods.setdefault(method, [])
        found = _TAKE.search(inside.stem if path.is_file() else inside.name)
        take = _take(int(found[1]) if found else 0, {clip["take"] for clip in own if clip["shot"] == shot})
        own.append(_clip(path, inside, shot, take))
    if not methods:
        known = ", ".join(shots)
        raise InputError.at(folder, f"no clip in it has a shot's name in its own ({known}), such as {shots[0]}_t1.mp4")
    entries = [_method(name, clips) for name, clips in methods.items()]
    return Draft({"schema": SCHEMA, "methods": entries, "pairs": []}, tuple(unclear))


def _take(named: int, taken: set[int]) -> int:
    """The number that the name says, or the next one."""
    return named if named > 0 and named not in taken else max(taken, default=0) + 1


def _clips(folder: Path) -> list[Path]:
    """Video files, and folders that hold pictures and nothing deeper, in order of their names."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and path.is_file()]
    pictures = {path.parent for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file()}
    return sorted([*found, *(path for path in pictures if path != folder)])


def _shot_in(inside: Path, shots: tuple[str, ...]) -> str | None:
    """The shot whose name stands alone in the last part of the path that has one; the longest name wins."""
    for part in reversed([*inside.parts[:-1], inside.stem]):
        for shot in sorted(shots, key=len, reverse=True):
            if re.search(rf"(?:^|[^A-Za-z0-9]){re.escape(shot)}(?=$|[^A-Za-z0-9])", part):
                return shot
    return None


def _clip(path: Path, inside: Path, shot: str, take: int) -> dict[str, Any]:
    return {
        "shot": shot,
        "take": take,
        "file": inside.as_posix(),
        "sha256": hash_clip(path),
        "prompt": "",
        "seed": None,
        "seed_kind": "unknown",
        "in": None,
        "out": None,
        "takes_made": None,
        "notes": "",
    }


def _method(name: str, clips: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": re.sub(r"[^A-Za-z0-9_.+-]", "_", name)[:64],
        "title": name,
        "kind": "closed",
        "class": "I0",
        "given": ["text"],
        "protocol": "T",
        "camera_input": "none",
        "model": None,
        "made": None,
        "clips": clips,
    }
