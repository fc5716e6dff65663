"""Learned metrics (LPIPS, DINO, CLIP, MEt3R, VBench, ...) from those tools' own runs: read, never computed here.

A learned score means nothing without the weights it was computed with, so a file that does not name the tool, its
version and the weights' SHA-256 is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.files import read_json
from splatfilm.compare.scores import Score

SCHEMA = "splatfilm.scores/1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_imported(path: Path) -> dict[str, tuple[Score, ...]]:
    """Scores by shot. Raises one `InputError` with every problem.

    The file: `{"schema": "splatfilm.scores/1", "tool": ..., "version": ..., "method": ..., "weights_sha256": ...,
    "scores": [{"shot": ..., "name": ..., "value": ..., "better": "higher" or "lower", "frames": [[index, value],
    ...]}]}`.
    """
    value = read_json(path)
    problems: list[Problem] = []

    def wrong(place: str, message: str) -> None:
        problems.append(Problem(str(path), place, message))

    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InputError.at(path, f'expected an object with "schema": "{SCHEMA}"')
    for key in ("tool", "version"):
        if not isinstance(value.get(key), str) or not value[key].strip():
            wrong(key, f"found {value.get(key)!r}, expected the {key}'s name")
    weights = value.get("weights_sha256")
    if not isinstance(weights, str) or not _SHA256.fullmatch(weights):
        wrong("weights_sha256", f"found {weights!r}, expected the 64 hexadecimal digits of the weights' SHA-256")
    listed = value.get("scores")
    if not isinstance(listed, list) or not listed:
        wrong("scores", "expected a list with at least one score")
        listed = []
    found: dict[str, tuple[Score, ...]] = {}
    for number, item in enumerate(listed):
        problem, score = _score(item, f"{value.get('tool')} {value.get('version')}, weights {str(weights)[:8]}")
        if problem or score is None:
            wrong(f"scores[{number}]", problem)
        else:
            found[item["shot"]] = (*found.get(item["shot"], ()), score)
    if problems:
        raise InputError(problems)
    return found


def imported_by_method(
    paths: Sequence[Path], methods: Collection[str], shots: Collection[str]
) -> dict[str, dict[str, tuple[Score, ...]]]:
    """Scores of several files by method and shot. A file's `"method"` says whose they are, `"ours"` without.

    Raises `InputError` for a method or a shot that is not compared.
    """
    found: dict[str, dict[str, tuple[Score, ...]]] = {}
    for path in paths:
        scores = read_imported(path)
        method = read_json(path).get("method", "ours")
        if method not in methods:
            raise InputError.at(path, f"there is no method {method!r}, only {', '.join(methods)}", "method")
        if missing := [shot for shot in scores if shot not in shots]:
            raise InputError.at(path, f"no shot is called {', '.join(missing)}, only {', '.join(shots)}", "scores")
        own = found.setdefault(method, {})
        for shot, more in scores.items():
            own[shot] = (*own.get(shot, ()), *more)
    return found


def _score(item: Any, origin: str) -> tuple[str, Score | None]:
    """What is wrong with one entry, or the score it is."""
    if not isinstance(item, dict):
        return f"found {item!r}, expected an object", None
    for key in ("shot", "name"):
        if not isinstance(item.get(key), str) or not item[key]:
            return f"{key}: found {item.get(key)!r}, expected a name", None
    if not _is_number(item.get("value")):
        return f"value: found {item.get('value')!r}, expected a finite number", None
    if item.get("better") not in ("higher", "lower"):
        return f'better: found {item.get("better")!r}, expected "higher" or "lower"', None
    frames = item.get("frames", [])
    good = isinstance(frames, list) and all(
        isinstance(row, list) and len(row) == 2 and type(row[0]) is int and _is_number(row[1]) for row in frames
    )
    if not good:
        return "frames: expected pairs [index, value]", None
    rows = tuple((int(index), float(value)) for index, value in frames)
    return "", Score(item["name"], float(item["value"]), "", item["better"], per_frame=rows, note=origin)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
