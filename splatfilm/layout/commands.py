"""Everything that can be done to a film that is open: frozen commands, each a function from a state to a state.

A command says what a person meant ("move these keys by four frames"), so it can be named in an undo menu, sent over a
wire and tried again. `command_from_value` makes one from plain values and checks every field; `COMMANDS` lists them.
Commands raise `EditError` where they make no sense, and the state stays as it was.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any

from splatfilm.base.errors import did_you_mean
from splatfilm.layout.camera_commands import (
    Aim,
    DeleteKeys,
    MoveKeys,
    RigToKeys,
    ScaleKeys,
    SetEasing,
    SetKey,
    SetLens,
    SetRig,
    SetSpeed,
)
from splatfilm.layout.editing import MOST_NUMBER, Command, EditError
from splatfilm.layout.hand_commands import Nudge, Stand, TrackFocus
from splatfilm.layout.shot_commands import (
    AddShot,
    ConvertCamera,
    DeleteShot,
    DuplicateShot,
    ImportCamera,
    MoveShot,
    RenameShot,
    SetFrames,
    SetMarker,
    SetOptics,
    SetRefine,
)

COMMANDS: Mapping[str, Any] = {
    "set-lens": SetLens,
    "set-optics": SetOptics,
    "set-key": SetKey,
    "nudge": Nudge,
    "stand": Stand,
    "track-focus": TrackFocus,
    "move-keys": MoveKeys,
    "scale-keys": ScaleKeys,
    "delete-keys": DeleteKeys,
    "set-easing": SetEasing,
    "set-speed": SetSpeed,
    "aim": Aim,
    "set-rig": SetRig,
    "rig-to-keys": RigToKeys,
    "add-shot": AddShot,
    "duplicate-shot": DuplicateShot,
    "move-shot": MoveShot,
    "delete-shot": DeleteShot,
    "rename-shot": RenameShot,
    "set-frames": SetFrames,
    "set-marker": SetMarker,
    "set-look": SetRefine,
    "convert-camera": ConvertCamera,
    "import-camera": ImportCamera,
}
"""Every command by the name that it has outside Python."""


def command_from_value(name: object, values: object) -> Command:
    """The command that plain values mean. Raises `EditError` with the field and what would have been right."""
    if not isinstance(name, str) or name not in COMMANDS:
        near = did_you_mean(name, COMMANDS) if isinstance(name, str) else ""
        raise EditError(f"no command {str(name)[:60]!r}{near}")
    made = COMMANDS[name]
    if not isinstance(values, Mapping):
        raise EditError(f"{name}: expected its fields as an object")
    hints = typing.get_type_hints(made)
    fields = {f.name: f for f in dataclasses.fields(made)}
    for key in values:
        if key not in fields:
            raise EditError(f"{name}: unknown field {str(key)[:60]!r}; it has {', '.join(fields)}")
    missing = [k for k, f in fields.items() if k not in values and f.default is dataclasses.MISSING]
    if missing:
        raise EditError(f"{name}: missing {', '.join(missing)}")
    command: Command = made(**{key: _typed(value, hints[key], f"{name}.{key}") for key, value in values.items()})
    return command


def _typed(value: Any, kind: Any, place: str) -> Any:
    """`value` as the field's type, checked."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, UnionType):
        return None if value is None and NoneType in inside else _typed(value, inside[0], place)
    if origin is tuple and isinstance(value, list | tuple) and len(value) <= 10_000:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return tuple(_typed(item, inside[0], f"{place}[{i}]") for i, item in enumerate(value))
        if len(inside) == len(value):
            return tuple(_typed(item, inside[0], f"{place}[{i}]") for i, item in enumerate(value))
    elif origin is not None and origin is not tuple and isinstance(value, Mapping):
        return value
    elif kind is bool or kind is str:
        if isinstance(value, kind):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER:
        if kind is float:
            return float(value)
        if kind is int and float(value).is_integer():
            return int(value)
    raise EditError(f"{place}: {str(value)[:60]!r} is not {_in_words(kind)}")


def _in_words(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        inside = typing.get_args(kind)
        return "a list" if Ellipsis in inside else f"a list of {len(inside)} numbers"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}.get(kind, "an object")
