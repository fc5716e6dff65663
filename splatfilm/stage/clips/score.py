"""Performance files: what an actor does, written by hand in TOML, one `[[span]]` after another.

    actor = "ada"
    start = 1001                     # scene frame
    at = [1.05, 2.72]                # where the actor stands at the start, metres
    facing = 90                      # degrees from +X, as headings on a map of the set

    [[span]]
    do = "get-up"
    mattress = 0.53

    [[span]]
    do = "walk"
    path = [[2.6, 3.22]]             # from where the actor stands

A span begins where the one before it ends, standing where that one stopped and facing as it did. `do` is one of the
procedural clips, or `clip` with the `name` of a clip of the rig, whose feet are locked to the floor.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.stage.clips.body import Body
from splatfilm.stage.clips.clip import Clip, Motion
from splatfilm.stage.clips.feet import FootLock
from splatfilm.stage.clips.library import Brush, Idle, Reach, get_up, lean_on_sill, yawn
from splatfilm.stage.clips.performance import Gaze, Performance, Span
from splatfilm.stage.clips.stepping import Placement, Steps, heading_of, turn, walk

_FADE = 8.0  # frames


@dataclass
class _Stage:
    """Where the actor is while spans are laid one after another."""

    body: Body
    clips: Mapping[str, Clip]
    address: tuple[str, ...]
    place: Placement
    heading_offset: float


def read_performance(
    path: str | os.PathLike[str], body: Body, clips: Mapping[str, Clip], scene: str, rate: Fraction
) -> Performance:
    """The performance in a file, for `body`, whose rig's own `clips` it may name.

    Raises `InputError` with the key of whatever is wrong: unknown words, missing or impossible values, clips that the
    rig does not have.
    """
    file = Path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError.at(file, "no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.at(file, f"not a performance file: {error}") from error
    try:
        _only(document, ("actor", "start", "at", "facing", "blinks", "span", "gaze"))
        actor = _text(document, "actor")
        start = _number(document, "start")
        facing = math.radians(_number(document, "facing"))
        at = _point(document.get("at"), 2, "at")
        heading = heading_of(body, (math.cos(facing), math.sin(facing)))
        stage = _Stage(body, clips, (scene, actor), Placement((at[0], at[1], 0.0), heading), heading - facing)
        spans = _spans(document.get("span"), stage, start, rate)
        gazes = tuple(_gaze(entry, k) for k, entry in enumerate(document.get("gaze", [])))
        return Performance(body, spans, scene, actor, gazes, bool(document.get("blinks", True)))
    except ValueError as error:
        raise InputError.at(file, str(error)) from error


def _spans(entries: Any, stage: _Stage, start: float, rate: Fraction) -> tuple[Span, ...]:
    if not isinstance(entries, list) or not entries:
        raise ValueError("span: expected at least one [[span]]")
    spans: list[Span] = []
    frame = start
    for k, entry in enumerate(entries):
        where = f"span[{k}]"
        if not isinstance(entry, dict) or entry.get("do") not in _MAKERS:
            found = str(entry.get("do")) if isinstance(entry, dict) else repr(entry)
            raise ValueError(
                f"{where}.do: {found!r} is nothing to do: expected {', '.join(_MAKERS)}{did_you_mean(found, _MAKERS)}"
            )
        make, allowed = _MAKERS[entry["do"]]
        try:
            _only(entry, ("do", "fade", *allowed))
            placement, motion = make(entry, stage)
            fade = _number(entry, "fade", _FADE) if spans else 0.0
        except ValueError as error:
            raise ValueError(f"{where} ({entry['do']}): {error}") from error
        steps = isinstance(motion, Steps)
        since = -fade / float(rate) if steps else 0.0  # nobody steps off before the fade is over
        spans.append(Span(motion, frame, placement, fade, since, name=str(entry.get("name", entry["do"]))))
        following = entries[k + 1] if k + 1 < len(entries) else {}
        overlap = following.get("fade", _FADE) if isinstance(following, dict) and not steps else 0.0
        # A fade overlaps the end of what it fades from, but for footsteps: the last one must land first.
        frame = max(spans[-1].end(rate) - float(overlap), frame + fade + 1)
    return tuple(spans)


_Made = tuple[Placement, Motion]


def _get_up(entry: dict[str, Any], stage: _Stage) -> _Made:
    head = str(entry.get("head", "left"))
    if head not in ("left", "right"):
        raise ValueError(f'head: expected "left" or "right", found {head!r}')
    seconds = _number(entry, "seconds", 6.0)
    edge, pillow = _number(entry, "edge", 0.28), _number(entry, "pillow", 0.0)
    side = "left" if head == "left" else "right"
    return stage.place, get_up(stage.body, _number(entry, "mattress"), edge, side, seconds, pillow)  # type: ignore[arg-type]


def _walk(entry: dict[str, Any], stage: _Stage) -> _Made:
    given = entry.get("path")
    if not isinstance(given, list) or not given:
        raise ValueError("path: expected a list of points [x, y]")
    points = [_point(p, 2, f"path[{k}]") for k, p in enumerate(given)]
    x, y, _ = stage.place.position
    way = [(x, y), *((p[0], p[1]) for p in points)]
    speed = _number(entry, "speed", 1.0)
    return _stepped(walk(stage.body, way, speed, heading=stage.place.heading), stage)


def _turn(entry: dict[str, Any], stage: _Stage) -> _Made:
    facing = math.radians(_number(entry, "facing"))
    return _stepped(turn(stage.body, stage.place, facing + stage.heading_offset), stage)


def _stepped(steps: Steps, stage: _Stage) -> _Made:
    stage.place = steps.placement(steps.duration)
    return Placement(), steps


def _idle(entry: dict[str, Any], stage: _Stage) -> _Made:
    return stage.place, Idle(stage.body, _number(entry, "seconds"), stage.address)


def _yawn(entry: dict[str, Any], stage: _Stage) -> _Made:
    return stage.place, yawn(stage.body, _number(entry, "seconds", 4.6))


def _sill(entry: dict[str, Any], stage: _Stage) -> _Made:
    return stage.place, lean_on_sill(stage.body, _number(entry, "seconds", 4.0), _number(entry, "look", 22.0))


def _brush(entry: dict[str, Any], stage: _Stage) -> _Made:
    seconds = _number(entry, "seconds")
    side = str(entry.get("hand", "right"))
    if side not in ("left", "right"):
        raise ValueError(f'hand: expected "left" or "right", found {side!r}')
    base = Idle(stage.body, seconds, stage.address)
    leave = seconds - 0.9 if entry.get("lower", False) else 1e9
    return stage.place, Brush(stage.body, base, _number(entry, "length", 0.108), side, leave=leave)


def _reach(entry: dict[str, Any], stage: _Stage) -> _Made:
    seconds = _number(entry, "seconds")
    side = str(entry.get("hand", "right"))
    if side not in ("left", "right"):
        raise ValueError(f'hand: expected "left" or "right", found {side!r}')
    x, y, z = _point(entry.get("target"), 3, "target")
    local = stage.place.turn().T @ (x - stage.place.position[0], y - stage.place.position[1], z)
    target = (float(local[0]), float(local[1]), float(local[2]))
    base = Idle(stage.body, seconds, stage.address)
    return stage.place, Reach(stage.body, base, side, target, 0.4 * seconds, 0.6 * seconds)


def _clip(entry: dict[str, Any], stage: _Stage) -> _Made:
    name = _text(entry, "name")
    if name not in stage.clips:
        known = ", ".join(stage.clips) or "none"
        raise ValueError(f"name: the rig has no clip {name!r}: it has {known}{did_you_mean(name, stage.clips)}")
    return stage.place, FootLock(stage.body, stage.clips[name])


_MAKERS: Mapping[str, tuple[Callable[[dict[str, Any], _Stage], _Made], tuple[str, ...]]] = {
    "get-up": (_get_up, ("mattress", "edge", "head", "seconds", "pillow")),
    "walk": (_walk, ("path", "speed")),
    "turn": (_turn, ("facing",)),
    "idle": (_idle, ("seconds",)),
    "yawn": (_yawn, ("seconds",)),
    "lean-on-sill": (_sill, ("seconds", "look")),
    "brush-teeth": (_brush, ("seconds", "hand", "length", "lower")),
    "reach": (_reach, ("seconds", "hand", "target")),
    "clip": (_clip, ("name",)),
}


def _gaze(entry: Any, k: int) -> Gaze:
    if not isinstance(entry, dict):
        raise ValueError(f"gaze[{k}]: expected a table")
    try:
        _only(entry, ("at", "start", "end", "ease", "strength"))
        x, y, z = _point(entry.get("at"), 3, "at")
        gaze = Gaze((x, y, z), _number(entry, "start"), _number(entry, "end"))
        gaze = replace(gaze, ease=_number(entry, "ease", 10.0), strength=_number(entry, "strength", 1.0))
        if gaze.end <= gaze.start or gaze.ease <= 0 or not 0 <= gaze.strength <= 1:
            raise ValueError("end must come after start, ease be above 0 and strength within 0..1")
    except ValueError as error:
        raise ValueError(f"gaze[{k}]: {error}") from error
    return gaze


def _only(entry: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for key in entry:
        if key not in allowed:
            raise ValueError(f"{key}: unknown key: expected {', '.join(allowed)}{did_you_mean(key, allowed)}")


def _number(entry: Mapping[str, Any], key: str, default: float | None = None) -> float:
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key}: expected a number, found {value!r}")
    if key in ("seconds", "speed", "length") and not value > 0:
        raise ValueError(f"{key}: expected a number above 0, found {value!r}")
    return float(value)


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: expected a name, found {value!r}")
    return value


def _point(value: Any, count: int, key: str) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"{key}: expected {count} numbers, found {value!r}")
    return tuple(_number({key: v}, key) for v in value)
