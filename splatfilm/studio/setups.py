"""Cameras that Python puts somewhere: coverage set-ups and first versions of rigs, as commands on the open film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from splatfilm.film import Film, Shot
from splatfilm.layout import Document, command_from_value
from splatfilm.layout.coverage import Setting, Subject, coverage, set_ups
from splatfilm.layout.editing import Command
from splatfilm.layout.rigs import Rig, to_value
from splatfilm.layout.starters import From, starting
from splatfilm.stage.placement import Placements
from splatfilm.studio.looks import shot_of
from splatfilm.studio.messages import RefusedError
from splatfilm.studio.messages import field as given

PERSON, PROP = 1.7, 0.15  # metres, where the film says no more than what they are
FOCUS = 3.0  # metres in front of a camera that has no focus


def cover(document: Document, message: Mapping[str, Any]) -> Command:
    """Put the message's `shot` where the `setup` between `a` and `b` stands, on that `side`. Raises `RefusedError`."""
    name = given(message, "shot", str)
    shot, film = shot_of(document, name), _film(document)
    a, b = (_subject(film, shot, given(message, key, str)) for key in ("a", "b"))
    try:
        side = given(message, "side", str)
        setting = Setting(a, b, side, document.state.seen(name).lens_at(shot.frames.first), film.size)
        return _on_rig(name, coverage(setting, given(message, "setup", str)))
    except ValueError as error:
        raise RefusedError(str(error)) from error


def names_of(document: Document, message: Mapping[str, Any]) -> dict[str, Any]:
    """The set-ups that there are between `a` and `b`. Raises `RefusedError`."""
    shot = shot_of(document, given(message, "shot", str))
    a, b = (_subject(_film(document), shot, given(message, key, str)) for key in ("a", "b"))
    return {"setups": list(set_ups(a, b))}


def start_rig(document: Document, message: Mapping[str, Any]) -> Command:
    """A first version of a rig, from the picture that the shot begins with. Raises `RefusedError`."""
    name = given(message, "shot", str)
    shot, path = shot_of(document, name), document.state.seen(name)
    lens = path.lens_at(shot.frames.first)
    start = From(path.pose_at(shot.frames.first), lens.focal_mm, lens.focus_m or FOCUS)
    try:
        return _on_rig(name, starting(given(message, "kind", str), start))
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _on_rig(shot: str, rig: Rig) -> Command:
    return command_from_value("set-rig", {"shot": shot, "rig": to_value(rig)})


def _film(document: Document) -> Film:
    film = document.state.film
    if film is None:
        raise RefusedError("the film file has problems: mend them first")
    return film


def _subject(film: Film, shot: Shot, who: str) -> Subject:
    there = {p.member: p.place for p in Placements(film, shot.scene).at(shot.frames.first)[1:]}
    if who not in there:
        raise RefusedError(f"{who!r} is not in the scene; there is {', '.join(there) or 'nobody'}")
    asset = next(member.asset for member in film.scenes[shot.scene].cast if member.name == who)
    person = film.assets[asset].kind == "character"
    return Subject(who, there[who].translation, (PERSON if person else PROP) * there[who].scale, person)
