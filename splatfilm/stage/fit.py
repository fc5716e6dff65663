"""Do a film's splats stand in the pose that their rigs rest in? Found once, and said with what mends it.

Splats that were captured in another pose or place than the rig's hang on the wrong triangles: the film renders, and
limbs tear. What is found is kept beside the bindings, so that asking again reads a few lines and needs no torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_value
from splatfilm.base.rigid import Similarity
from splatfilm.film.model import LAYER_PREFIX, Film, Layer
from splatfilm.stage.rigs.binding import binding_key, cached_binding
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import Rig

FIT_VERSION = 1
"""Raised whenever the same rig and splats would be judged otherwise."""


class Source(Protocol):
    """A splat file and its hash."""

    @property
    def path(self) -> Path: ...

    @property
    def sha256(self) -> str: ...


def misfits(
    film: Film, sources: Mapping[tuple[str, str], Source], folder: Path | None = None
) -> dict[tuple[str, str], str]:
    """What hangs badly on its rig, by (asset, look or layer): what is wrong, and the `place` that mends it.

    `folder` keeps bindings and what was found. A layer whose rig or mesh parts cannot be read says nothing here: that
    is refused elsewhere.
    """
    found = {}
    for (asset, name), source in sources.items():
        path = film.assets[asset].rig
        if path is None:
            continue
        try:
            remark = _remark(load_rig(path), film, (asset, name), source, folder)
        except (InputError, ValueError):
            continue
        if remark:
            found[asset, name] = remark
    return found


def place_of(film: Film, name: tuple[str, str]) -> str:
    """Where a film file speaks of a look or a layer."""
    asset, source = name
    own = f"layers.{source.removeprefix(LAYER_PREFIX)}" if source.startswith(LAYER_PREFIX) else f"looks.{source}"
    return f"{film.path}: assets.{asset}.{own}"


def _remark(rig: Rig, film: Film, name: tuple[str, str], source: Source, folder: Path | None) -> str:
    given = film.source(*name)
    place = given.place
    value = hash_value([source.sha256, list(place.rotation), list(place.translation), place.scale])
    parts = given.mesh if isinstance(given, Layer) else ()
    key = binding_key(rig, value, parts)
    kept = None if folder is None else folder / f"fit-{key[:24]}.json"
    if kept is not None and kept.is_file():
        with contextlib.suppress(InputError):  # what is damaged is found again
            record = read_json(kept)
            if isinstance(record, dict) and record.get("version") == FIT_VERSION:
                return str(record.get("remark", ""))
    remark = _judged(rig, read_means(source.path, place), place, parts, (folder, key))
    if kept is not None:
        write_json(kept, {"version": FIT_VERSION, "remark": remark})
    return remark


def read_means(path: Path, place: Similarity) -> NDArray[np.float32]:  # [N, 3] metres
    """Where the splats of a file are in their rig's space."""
    from splatfilm.splats import read_splats
    from splatfilm.stage.actor import in_rig_space

    means: NDArray[np.float32] = in_rig_space(read_splats(path), place).means.numpy()
    return means


def _judged(
    rig: Rig, means: NDArray[np.float32], place: Similarity, parts: tuple[str, ...], kept: tuple[Path | None, str]
) -> str:
    from splatfilm.stage.rigs.check import check_splats, place_words

    folder, key = kept
    check = check_splats(rig, means, parts, cached_binding(folder, key, rig, means, parts))
    if check.fits:
        return "; ".join(check.remarks)
    words = f"half of the splats are more than {100 * check.median:.1f} cm from where the rig's mesh rests"
    if check.alignment is None:
        return f"{words}, and no place mends it: they were captured in another pose, and limbs will tear"
    offer = place_words(place.then(check.alignment))
    return f"{words}; {offer} brings them to {100 * check.aligned_median:.1f} cm"
