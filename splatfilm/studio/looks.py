"""Pictures that messages ask for: which frame of which shot, how large, checked before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from splatfilm.film import Film, Shot
from splatfilm.layout import Document
from splatfilm.studio.lookthrough import Look, seen_contact
from splatfilm.studio.messages import RefusedError
from splatfilm.studio.messages import field as given

WIDEST_LOOK = 4096
MOST_AHEAD = 48  # frames


def shot_of(document: Document, name: str) -> Shot:
    """The shot of that name. Raises `RefusedError`."""
    try:
        return document.state.shot(name)
    except KeyError as error:
        raise RefusedError(str(error.args[0])) from error


def look_of(
    document: Document, window: object, message: Mapping[str, Any], exact: bool, header: Mapping[str, Any]
) -> Look:
    """The picture of a message's `shot`, `frame` and `width`; `exact`: as it is rendered. Raises `RefusedError`."""
    name = given(message, "shot", str)
    shot, film = shot_of(document, name), document.state.film
    if film is None:
        raise RefusedError("the film file has problems: mend them to see through its cameras")
    frame, width = given(message, "frame", int), given(message, "width", int, film.size[0])
    if frame not in shot.frames:
        raise RefusedError(f"frame {frame} is not in shot {name}: {shot.frames.first} to {shot.frames.last}")
    if not 16 <= width <= WIDEST_LOOK:
        raise RefusedError(f"no look of {width} pixels: 16 to {WIDEST_LOOK}")
    size = film.size if exact else _scaled(film, min(width, film.size[0]))
    told = {"shot": shot.name, "revision": document.revision, **header}
    path = document.state.seen(shot.name)
    contact = seen_contact(shot)
    return Look(window, film, shot.scene, frame, path, size, exact, optics=shot.optics, contact=contact, header=told)


def looks_ahead(document: Document, window: object, message: Mapping[str, Any]) -> list[Look]:
    """Frames that will be wanted next, given as [shot, frame] pairs. Raises `RefusedError`."""
    pairs, width = given(message, "frames", list), given(message, "width", int)
    found = []
    for pair in pairs[:MOST_AHEAD]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise RefusedError("frames: expected pairs of a shot and a frame")
        wanted = {"shot": pair[0], "frame": pair[1], "width": width}
        found.append(look_of(document, window, wanted, False, {"slot": "ahead"}))
    return found


def _scaled(film: Film, width: int) -> tuple[int, int]:
    return width, max(1, round(film.size[1] * width / film.size[0]))
