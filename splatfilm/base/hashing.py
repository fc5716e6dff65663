"""Content hashes: the names by which caches, manifests and takes know what went into a picture.

A hash is SHA-256 in hex. Structured values are hashed through one canonical JSON form, so that a key never depends on
dictionary order, on the platform or on how a number was typed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError

_CHUNK = 1 << 20


def hash_bytes(data: bytes | memoryview) -> str:
    """SHA-256 of `data`, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes. Raises `InputError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def hash_value(value: Any) -> str:
    """SHA-256 of a structured value.

    Made of dicts with string keys, lists, tuples, strings, numbers, booleans, None and `Fraction`. 1 and 1.0 hash the
    same; a tuple and a list of the same items too. Raises `TypeError` for anything else and `ValueError` for NaN and
    Infinity, which must have been stopped at the door.
    """
    return hash_bytes(json.dumps(_canonical(value), sort_keys=True, separators=(",", ":")).encode("utf-8"))


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} cannot be hashed: numbers must be finite")
        return int(value) if float(value).is_integer() else float(value).hex()
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if isinstance(value, os.PathLike):
        raise TypeError(f"{value!r}: hash a file's contents, not its path")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("dictionary keys must be strings to be hashed")
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be hashed; turn it into plain values first")
