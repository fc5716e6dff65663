"""Checkpoints: a training frozen to disk so that it goes on as if nothing had happened.

A file is one JSON line (format, step, names, types and shapes), the arrays' bytes one after another, and the SHA-256 of
all that. It is written to a temporary name and renamed, and the one before it is kept; a file that is damaged all the
same is noticed by its hash and the one before is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.files import TEMPORARY_PREFIX, atomic_path

SECONDS = 20.0
"""Between two checkpoints of a training: what a kill may cost."""
_FORMAT = "splatfilm-checkpoint"
_VERSION = 1
_NAME = re.compile(r"^step-(\d{8})\.checkpoint$")
_DIGEST = 32
_KEPT = 2


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state after `step` steps: arrays by name, and plain values."""

    step: int
    arrays: dict[str, NDArray[Any]]
    values: dict[str, Any]


def save(folder: Path, key: str, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint and sweep away all but the last two. Raises `StorageError`, and then older ones stay."""
    path = folder / f"step-{checkpoint.step:08d}.checkpoint"
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "key": key,
        "step": checkpoint.step,
        "values": checkpoint.values,
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()],
    }
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        digest = hashlib.sha256()
        parts: list[bytes | memoryview] = [json.dumps(header).encode() + b"\n"]
        parts += [array.reshape(-1).view(np.uint8).data for array in arrays.values()]
        for part in parts:
            digest.update(part)
            stream.write(part)
        stream.write(digest.digest())
    for old in _listed(folder)[_KEPT:]:
        with contextlib.suppress(OSError):
            old.unlink()
    return path


def newest(folder: Path, key: str) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest whole checkpoint with this key, and a note for every damaged one that was passed over."""
    notes: list[str] = []
    for path in _listed(folder):
        found = _load(path, key)
        if isinstance(found, Checkpoint):
            return found, tuple(notes)
        notes.append(f"{path.name} {found}; it is passed over")
    return None, tuple(notes)


def sweep(folder: Path) -> None:
    """Remove all checkpoints and whatever a killed process left half-written."""
    for path in [*_listed(folder), *folder.glob(f"{TEMPORARY_PREFIX}*")]:
        with contextlib.suppress(OSError):
            path.unlink()


def _listed(folder: Path) -> list[Path]:
    """Checkpoints in a folder, the newest first."""
    return sorted((p for p in folder.glob("step-*.checkpoint") if _NAME.match(p.name)), reverse=True)


def _load(path: Path, key: str) -> Checkpoint | str:
    """The checkpoint, or what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    body = memoryview(data)[:-_DIGEST]
    if len(data) <= _DIGEST or hashlib.sha256(body).digest() != data[-_DIGEST:]:
        return "is damaged"
    line = data.index(b"\n")
    header = json.loads(data[:line])
    if header["format"] != _FORMAT or header["version"] != _VERSION or header["key"] != key:
        return "belongs to another training"
    arrays: dict[str, NDArray[Any]] = {}
    offset = line + 1
    for name, kind, shape in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(body, dtype=kind, count=count, offset=offset).reshape(shape).copy()
        offset += arrays[name].nbytes
    return Checkpoint(header["step"], arrays, header["values"])
