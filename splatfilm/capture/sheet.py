"""`capture.toml`: what a person says about a capture, beside what its photographs say."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.capture.model import Sheet, UpAxis

NAME = "capture.toml"
_KINDS = ("set", "character", "prop")
_KEYS = ("kind", "scale", "up", "author", "licence")


def read_sheet(folder: Path) -> Sheet:
    """The sheet of a capture, or an empty one. Raises one `InputError` with every problem in the file.

    Keys that Splatfilm does not know are allowed in tables of their own (`[notes]`), never at the top.
    """
    path = folder / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Sheet()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.at(path, f"cannot be read: {error}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError.at(path, f"not valid TOML: {error}") from error
    entries = {key: value for key, value in table.items() if not isinstance(value, dict)}
    problems = [
        Problem(str(path), key, f"unknown key; known keys: {', '.join(_KEYS)}{did_you_mean(key, _KEYS)}")
        for key in entries
        if key not in _KEYS
    ]
    problems += [Problem(str(path), key, message) for key, message in _wrong_values(entries)]
    if problems:
        raise InputError(problems)
    return Sheet(
        kind=entries.get("kind", ""),
        scale=float(entries.get("scale", 1.0)),
        up=entries.get("up", "z"),
        author=entries.get("author", ""),
        licence=entries.get("licence", ""),
    )


def _wrong_values(entries: dict[str, Any]) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    kind, scale, up = entries.get("kind", "set"), entries.get("scale", 1.0), entries.get("up", "z")
    if kind not in _KINDS:
        wrong.append(("kind", f"is {kind!r}: expected one of {', '.join(_KINDS)}{did_you_mean(str(kind), _KINDS)}"))
    number = isinstance(scale, int | float) and not isinstance(scale, bool)
    if not number or not math.isfinite(scale) or scale <= 0:
        wrong.append(("scale", f"is {scale!r}: expected metres for one unit of the poses, a positive number"))
    if up not in get_args(UpAxis):
        wrong.append(("up", f"is {up!r}: expected one of {', '.join(get_args(UpAxis))}"))
    wrong += [
        (key, f"is {entries[key]!r}: expected text")
        for key in ("author", "licence")
        if not isinstance(entries.get(key, ""), str)
    ]
    return wrong


def to_world(sheet: Sheet) -> NDArray[np.float64]:  # [4, 4]
    """From the units and axes of the supplied poses to metres and Z up: the shortest turn of `up`, scaled."""
    axis = np.zeros(3)
    axis["xyz".index(sheet.up[-1])] = -1.0 if sheet.up.startswith("-") else 1.0
    z = np.array([0.0, 0.0, 1.0])
    if axis[2] < 0:
        rotation = np.diag([1.0, -1.0, -1.0])
    else:
        cross, cosine = np.cross(axis, z), float(axis @ z)
        k = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
        rotation = np.eye(3) + k + k @ k / (1 + cosine)
    world = np.eye(4)
    world[:3, :3] = sheet.scale * rotation
    return world
