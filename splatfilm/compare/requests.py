"""What a person asks of `splatfilm baseline run`, checked: prompts by shot, names, what a control video shows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.compare.generate import Request
from splatfilm.compare.rows import our_takes, take_frames
from splatfilm.film.model import Film
from splatfilm.shots.names import FilmFolders, parse_size

Bytes = NDArray[np.uint8]


def request_of(film: Film, asked: Mapping[str, Any], out: Path) -> Request:
    """The request of a command line's options. Raises `InputError` with every shot that the film does not have."""
    known = [shot.name for shot in film.shots]
    if unknown := [name for name in asked["shots"] if name not in known]:
        raise InputError.at(film.path, f"there is no shot {', '.join(unknown)}; the film has {', '.join(known)}")
    name = asked["name"] or re.sub(r"[^A-Za-z0-9_.+-]", "-", Path(asked["model"]).name)[:50] or "model"
    if asked["seeds"] != "per-shot":
        name = f"{name}-{asked['seeds']}"
    return Request(
        name=name,
        title=asked["title"] or name,
        prompts=read_prompts(film, asked["prompts"], asked["prompt"]),
        negative=asked["negative"],
        takes=asked["takes"],
        mode=asked["seeds"],
        protocol=asked["protocol"],
        size=parse_size(asked["size"], film.size) if asked["size"] else None,
        steps=asked["steps"],
        guidance=asked["guidance"],
        translation_scale=asked["translation_scale"],
        licence=asked["licence"],
        shots=tuple(asked["shots"]),
        control=control_of(film, asked["control"], out) if asked["control"] else None,
    )


def read_prompts(film: Film, path: Path | None, everywhere: str) -> dict[str, str]:
    """The prompt of every shot: from a TOML file of texts by shot, else the one for all."""
    known = [shot.name for shot in film.shots]
    prompts = {name: everywhere for name in known if everywhere}
    if path is None:
        return prompts
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except (OSError, ValueError) as error:
        raise InputError.at(path, f"not valid TOML: {error}") from error
    problems = [
        Problem(str(path), key, f"there is no such shot; the film has {', '.join(known)}{did_you_mean(key, known)}")
        for key in value
        if key not in known
    ]
    problems += [Problem(str(path), key, "expected a text") for key, text in value.items() if not isinstance(text, str)]
    if problems:
        raise InputError(problems)
    return prompts | value


def control_of(film: Film, kind: str, out: Path) -> Callable[[str], Sequence[Bytes]]:
    """The control video of a shot: our own frames, or our depth, near white and far black over the whole shot."""
    if kind == "beauty":
        takes = our_takes(film, FilmFolders.of(out, film))
        return lambda shot: take_frames(film, shot, takes[shot])

    def depths(shot: str) -> Sequence[Bytes]:
        from splatfilm.compare.truth import TruthOptions, film_truth

        truth = film_truth(film, TruthOptions(out=out, shots=(shot,)))[shot]
        near = [1 / np.maximum(view.depth, 0.05) * (view.depth > 0) for view in truth.views]
        low, high = min(float(n[n > 0].min(initial=np.inf)) for n in near), max(float(n.max()) for n in near)
        levels = [np.clip((n - low) / max(high - low, 1e-9), 0, 1) * 255 + 0.5 for n in near]
        return [np.repeat(level.astype(np.uint8)[..., None], 3, axis=2) for level in levels]

    return depths
