"""Splatfilm's own camera file: versioned JSON that a person can read and mend. docs/cameras.md describes it.

Angles are degrees here and radians in a `CameraPath`; everything else is as in memory. Writing and reading give back
the same path to the bit (a roll that no number of degrees gives exactly: to the last bit but one).
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

from splatfilm.base.curves import easing
from splatfilm.base.errors import did_you_mean
from splatfilm.base.files import write_bytes
from splatfilm.cameras.distortion import COEFFICIENTS, Distortion, coefficients_problem
from splatfilm.cameras.document import Document, as_number, describe, open_document
from splatfilm.cameras.lens import GATES, MOST_OVERSCAN, Lens
from splatfilm.cameras.path import SMOOTH, SPEEDS, CameraKey, CameraPath, Easings

FORMAT = "splatfilm-camera"
VERSION = 1
LARGEST_FILE = 16 << 20  # bytes
MOST_KEYS = 100_000
MOST_LISTED = 64  # coefficients that are looked at, of a list that should have eight at most

_TOP = ("format", "version", "lens", "speed", "rig", "keys")
_KEY = ("frame", "position", "rotation", "look_at", "roll", "focal_mm", "focus_m", "easing")
_CHANNELS = tuple(f.name for f in dataclasses.fields(Easings))
_LENS = tuple(f.name for f in dataclasses.fields(Lens))


def recognises(value: Any) -> bool:
    """Whether a parsed JSON file means to be one of ours; also when it says so badly."""
    return isinstance(value, dict) and ("keys" in value or str(value.get("format", "")).startswith("splatfilm"))


def read_camera_file(path: str | os.PathLike[str]) -> CameraPath:
    """Read a camera file. Raises one `InputError` with everything that is wrong in it."""
    return from_document(open_document(path, LARGEST_FILE))


def write_camera_file(path: str | os.PathLike[str], camera: CameraPath) -> None:
    """Write a camera file atomically, one key a line. Raises `StorageError` when the disk refuses."""
    write_bytes(path, camera_bytes(camera))


def camera_bytes(camera: CameraPath) -> bytes:
    """What `write_camera_file` writes."""
    value = to_value(camera)
    keys = value.pop("keys")
    head = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)[:-2]
    lines = ",\n".join("    " + json.dumps(key, allow_nan=False) for key in keys)
    return f'{head},\n  "keys": [\n{lines}\n  ]\n}}\n'.encode()


def to_value(camera: CameraPath) -> dict[str, Any]:
    """The camera file's contents as plain values; also what a hash of a path is made of."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "lens": lens_values(camera.lens),
        "speed": camera.speed,
        **({} if camera.rig is None else {"rig": dict(camera.rig)}),
        "keys": [_key_values(key) for key in camera.keys],
    }


def from_document(document: Document) -> CameraPath:
    """A camera path from a parsed camera file. Raises one `InputError` with everything that is wrong."""
    top = document.object(document.value, "", _TOP, ("format", "version", "keys"))
    if len(document.text) > LARGEST_FILE:
        document.refuse(f"is larger than {LARGEST_FILE >> 20} MiB")
    if "format" in top and top["format"] != FORMAT:
        document.problem("format", f'expected "{FORMAT}", found {describe(top["format"])}')
    if "version" in top and (as_number(top["version"]) != VERSION):
        document.refuse(f"this Splatfilm reads version {VERSION}, found {describe(top['version'])}", "version")
    lens = _lens(document, top.get("lens", {}))
    speed = top.get("speed", "keyed")
    if speed not in SPEEDS:
        guess = did_you_mean(speed, SPEEDS) if isinstance(speed, str) else ""
        document.problem("speed", f"expected {' or '.join(SPEEDS)}, found {describe(speed)}{guess}")
    rig = document.object(top["rig"], "rig", top["rig"]) if isinstance(top.get("rig"), dict) else None
    if "rig" in top and rig is None:
        document.problem("rig", f"expected an object, found {describe(top['rig'])}")
    keys = _keys(document, top.get("keys", []))
    document.finish()
    try:
        return CameraPath(tuple(keys), lens, speed, rig=rig)
    except ValueError as error:
        document.refuse(str(error), "speed" if speed == "constant" else "keys")


# ---- reading ---------------------------------------------------------------------------------------------------------


def _keys(document: Document, value: Any) -> list[CameraKey]:
    if not isinstance(value, list):
        document.problem("keys", f"expected a list of keys, found {describe(value)}")
        return []
    if not value and "keys" in document.value:
        document.problem("keys", "expected at least one key, found none")
    if len(value) > MOST_KEYS:
        document.refuse(f"{len(value)} keys: at most {MOST_KEYS} are read", "keys")
    keys: list[CameraKey] = []
    previous, previous_place = -math.inf, ""
    for i, item in enumerate(value):
        place = f"keys[{i}]"
        entry = document.object(item, place, _KEY, ("frame", "position"))
        frame = document.number(entry["frame"], f"{place}.frame") if "frame" in entry else None
        if frame is not None:
            if frame == previous:
                document.problem(f"{place}.frame", f"{frame:g} is the frame of {previous_place} too: one key a frame")
            elif frame < previous:
                document.problem(f"{place}.frame", f"{frame:g} comes after {previous:g}: keys stand in order of frames")
            previous, previous_place = frame, place
        key = _key(document, entry, place, 0.0 if frame is None else frame)
        if key is not None:
            keys.append(key)
    return keys


def _key(document: Document, entry: Mapping[str, Any], place: str, frame: float) -> CameraKey | None:
    before = document.found
    position = rotation = look_at = None
    if "position" in entry:
        position = document.numbers(entry["position"], f"{place}.position", 3, "[x, y, z] in metres")
    if "rotation" in entry:
        rotation = document.numbers(entry["rotation"], f"{place}.rotation", 4, "a quaternion [w, x, y, z]")
        if rotation is not None and math.hypot(*rotation) < 1e-9:
            document.problem(f"{place}.rotation", "a quaternion of length zero is no rotation")
    if "look_at" in entry:
        look_at = document.numbers(entry["look_at"], f"{place}.look_at", 3, "a point [x, y, z] in metres")
        if look_at is not None and look_at == position:
            document.problem(f"{place}.look_at", "is where the camera stands: give another point, or a rotation")
    if entry and ("rotation" in entry) == ("look_at" in entry):
        found = "both" if "rotation" in entry else "neither"
        document.problem(place, f"expected a rotation or a look_at, found {found}")
    roll = document.number(entry["roll"], f"{place}.roll") if "roll" in entry else None
    focal, focus = (
        document.number(entry[name], f"{place}.{name}", above=0) if name in entry else None
        for name in ("focal_mm", "focus_m")
    )
    easings = _easings(document, entry["easing"], f"{place}.easing") if "easing" in entry else SMOOTH
    if document.found > before or position is None:
        return None
    roll = None if roll is None else math.radians(roll)
    return CameraKey(frame, position, rotation, look_at, roll, focal, focus, easings)  # type: ignore[arg-type]


def _easings(document: Document, value: Any, place: str) -> Easings:
    channels = {}
    if isinstance(value, dict):
        channels = {
            name: (item, f"{place}.{name}")
            for name, item in document.object(value, place, _CHANNELS).items()
            if name in _CHANNELS
        }
    else:
        channels = dict.fromkeys(_CHANNELS, (value, place))
    known: dict[str, Any] = {}
    for name, (item, where) in channels.items():
        try:
            known[name] = easing(item)
        except ValueError as error:
            document.problem(where, str(error))
            if not isinstance(value, dict):
                break
    return Easings(**known)


def _lens(document: Document, value: Any) -> Lens:
    given = document.object(value, "lens", _LENS)
    fields: dict[str, Any] = {}
    for name in ("focal_mm", "squeeze", "t_stop", "focus_m"):
        if given.get(name) is not None:
            fields[name] = document.number(given[name], f"lens.{name}", above=0)
    if "filmback_mm" in given:
        size = given["filmback_mm"]
        fields["filmback_mm"] = document.numbers(size, "lens.filmback_mm", 2, "[width, height] in millimetres", above=0)
    if "gate" in given:
        fields["gate"] = given["gate"]
        if given["gate"] not in GATES:
            document.problem("lens.gate", f"expected {' or '.join(GATES)}, found {describe(given['gate'])}")
    if given.get("distortion") is not None:
        fields["distortion"] = _distortion(document, given["distortion"])
    if "overscan" in given:
        fields["overscan"] = document.number(given["overscan"], "lens.overscan")
        if fields["overscan"] is not None and not 0 <= fields["overscan"] <= MOST_OVERSCAN:
            document.problem(
                "lens.overscan",
                f"expected a part of the picture from 0 to {MOST_OVERSCAN:g}, found {fields['overscan']:g}",
            )
    try:
        return Lens(**{name: value for name, value in fields.items() if value is not None})
    except (ValueError, TypeError):
        return Lens()  # already told above, field by field


def _distortion(document: Document, value: Any) -> Distortion | None:
    before, place = document.found, "lens.distortion"
    given = document.object(value, place, ("model", "coefficients"), ("model", "coefficients"))
    model, listed = given.get("model"), given.get("coefficients")
    if "model" in given and model not in COEFFICIENTS:
        guess = did_you_mean(model, COEFFICIENTS) if isinstance(model, str) else ""
        document.problem(f"{place}.model", f"expected {' or '.join(COEFFICIENTS)}, found {describe(model)}{guess}")
    numbers: list[float | None] = []
    if isinstance(listed, list):
        numbers = [document.number(item, f"{place}.coefficients[{i}]") for i, item in enumerate(listed[:MOST_LISTED])]
    elif "coefficients" in given:
        document.problem(f"{place}.coefficients", f"expected a list of numbers, found {describe(listed)}")
    if document.found > before or model not in COEFFICIENTS:
        return None
    found = [number for number in numbers if number is not None]
    if problem := coefficients_problem(model, found):
        document.problem(f"{place}.coefficients", problem)
        return None
    return Distortion(model, tuple(found))


# ---- writing ---------------------------------------------------------------------------------------------------------


def lens_values(lens: Lens) -> dict[str, Any]:
    """The fields of a lens as plain values; without those that it does not have."""
    values: dict[str, Any] = {}
    for name in _LENS:
        value = getattr(lens, name)
        if value is None or (name == "overscan" and not value):
            continue
        if isinstance(value, Distortion):
            value = {"model": value.model, "coefficients": list(value.coefficients)}
        values[name] = list(value) if isinstance(value, tuple) else value
    return values


def _key_values(key: CameraKey) -> dict[str, Any]:
    value: dict[str, Any] = {"frame": int(key.frame) if float(key.frame).is_integer() else key.frame}
    value["position"] = list(key.position)
    if key.rotation is not None:
        value["rotation"] = list(key.rotation)
    if key.look_at is not None:
        value["look_at"] = list(key.look_at)
    if key.roll is not None:
        value["roll"] = _degrees(key.roll)
    if key.focal_mm is not None:
        value["focal_mm"] = key.focal_mm
    if key.focus_m is not None:
        value["focus_m"] = key.focus_m
    if key.easing != SMOOTH:
        channels = {name: _easing_value(getattr(key.easing, name)) for name in _CHANNELS}
        first = channels["position"]
        alike = all(item == first for item in channels.values())
        value["easing"] = first if alike else {n: item for n, item in channels.items() if item != "smooth"}
    return value


def _easing_value(value: object) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _degrees(angle: float) -> float:
    """The shortest number of degrees that reads back as exactly `angle` radians."""
    degrees = math.degrees(angle)
    for digits in range(16):
        if math.radians(round(degrees, digits)) == angle:
            return round(degrees, digits)
    nearby = [degrees]
    for direction in (-math.inf, math.inf):
        step = degrees
        for _ in range(4):
            step = math.nextafter(step, direction)
            nearby.append(step)
    return next((d for d in nearby if math.radians(d) == angle), degrees)
