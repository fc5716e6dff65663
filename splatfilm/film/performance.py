"""Characters in a film file: their rig, layers and looks, what they perform, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast, get_args

from splatfilm.base.errors import did_you_mean
from splatfilm.base.rigid import IDENTITY
from splatfilm.film import fields
from splatfilm.film.fields import REQUIRED
from splatfilm.film.model import (
    Attachment,
    Care,
    CastMember,
    ClipCue,
    Directions,
    FrameRange,
    Layer,
    Look,
    Preset,
    ShapeKey,
)
from splatfilm.film.placement import PLACE_KEYS, placement
from splatfilm.film.positions import dotted
from splatfilm.film.source import Table, shown

CUE_KEYS = ("clip", "offset", "speed", "loop", "blend")
CARE_KEYS = ("preset", "steps", "budget", "size", "widest")
DIRECTION_KEYS = ("performance", *CUE_KEYS, "clips", "shapes")
CLIP_SUFFIXES = (".npz", ".glb", ".gltf", ".bvh", ".usd", ".usda", ".usdc", ".usdz")
"""What a clip's name ends in when it is a file: a path from the film file's folder."""
LONGEST_OFFSET = 86_400.0  # seconds
FASTEST = 100.0
WILDEST_SHAPE = 5.0  # a blendshape's weight: beyond 1 exaggerates, below 0 reverses
MOST_IDS = 255
MOST_STEPS, MOST_SPLATS, LARGEST_PICTURE = 10_000_000, 100_000_000, 65_536


# ---- assets -------------------------------------------------------------------------------------------------------


def character_parts(table: Table, kind: str | None, looks: Mapping[str, Look]) -> tuple[Path | None, dict[str, Layer]]:
    """A character's `rig` and `layers`; notes both on anything else, and looks that name layers which are not there."""
    rig = fields.existing(table, "rig", "file", None)
    if kind is not None and kind != "character":
        for key in ("rig", "layers"):
            if key in table.values:
                table.fail(f"only a character has this, and this is a {kind}", key)
    layers = {name: _layer(name, inside) for name, inside in fields.tables(table, "layers")}
    for name, layer in layers.items():
        for key, others in (("covers", layer.covers), ("over", layer.over)):
            for index, other in enumerate(others):
                if other not in layers or other == name:
                    near = did_you_mean(other, [one for one in layers if one != name])
                    table.fail(f"found {shown(other)}, expected another layer{near}", "layers", name, key, index)
    _note_learning_circles(table, layers)
    for name, look in looks.items():
        for index, layer_name in enumerate(look.layers):
            if layer_name not in layers:
                found = f"found {shown(layer_name)}, expected a layer ({', '.join(layers) or 'none is here'})"
                table.fail(f"{found}{did_you_mean(layer_name, layers)}", "looks", name, "layers", index)
    if layers and rig is None and "rig" not in table.values:
        table.fail("missing: layers hang on a rig, expected a glTF file (.glb) or a rig.json", "rig")
    return rig, layers


def _note_learning_circles(table: Table, layers: Mapping[str, Layer]) -> None:
    """Note layers that would each have to be learnt before the other."""
    for name in layers:
        reached, waiting = set(), list(layers[name].over)
        while waiting:
            other = waiting.pop()
            if other in layers and other not in reached:
                reached.add(other)
                waiting += layers[other].over
        if name in reached:
            table.fail("is learnt over layers that are learnt over this one", "layers", name, "over")


def _layer(name: str, table: Table) -> Layer:
    table.only(("capture", "splats", *CARE_KEYS, "place", "ids", "over", "mesh", "covers"))
    capture = fields.existing(table, "capture", "folder", None)
    splats = fields.existing(table, "splats", "file", None)
    care = care_of(table)
    if ("capture" in table.values) == ("splats" in table.values):
        table.fail("expected either capture (a folder of photographs) or splats (a splat file)")
    for key in ("ids", "over", *CARE_KEYS[1:]):
        if key in table.values and "capture" not in table.values:
            table.fail("says how a capture is learnt; splats are taken as they are", key)
    place = IDENTITY
    if "place" in table.values and (inside := table.inside("place")) is not None:
        inside.only(PLACE_KEYS)
        place = placement(inside).over(IDENTITY)
    return Layer(
        name,
        capture,
        splats,
        care,
        place,
        ids=_whole_numbers(table, "ids"),
        over=_words(table, "over"),
        mesh=_words(table, "mesh"),
        covers=_words(table, "covers"),
    )


def care_of(table: Table) -> Care:
    """How carefully a capture is reconstructed."""
    preset = fields.choice(table, "preset", "draft", get_args(Preset))
    steps, budget = fields.count(table, "steps", 1, MOST_STEPS), fields.count(table, "budget", 1, MOST_SPLATS)
    size = fields.count(table, "size", 16, LARGEST_PICTURE)
    widest = fields.number(table, "widest", None, 0.1, 90, "degrees")
    return Care(cast(Preset, preset or "draft"), steps, budget, size, widest)


def layered_look(name: str, table: Table) -> Look:
    """A look that is made of layers."""
    for key in ("capture", "splats", *CARE_KEYS):
        if key in table.values:
            table.fail("layers have photographs and splats of their own, a look of layers has none", key)
    layers = _words(table, "layers")
    if not layers:
        table.fail("expected at least one layer's name, from the skin outwards", "layers")
    place = IDENTITY
    if "place" in table.values and (inside := table.inside("place")) is not None:
        inside.only(PLACE_KEYS)
        place = placement(inside).over(IDENTITY)
    return Look(name, place=place, layers=layers)


def _words(table: Table, key: str) -> tuple[str, ...]:
    found = table.values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(word, str) and word for word in found):
        table.fail(f"found {shown(found)}, expected an array of names", key)
        return ()
    for index, word in enumerate(found):
        if word in found[:index]:
            table.fail(f"{shown(word)} stands here twice", key, index)
    return tuple(found)


def _whole_numbers(table: Table, key: str) -> tuple[int, ...]:
    found = table.values.get(key, [])
    good = isinstance(found, list) and all(type(number) is int and 0 < number <= MOST_IDS for number in found)
    if not good:
        table.fail(f"found {shown(found)}, expected an array of whole numbers from 1 to {MOST_IDS}", key)
        return ()
    return tuple(found)


# ---- cast ---------------------------------------------------------------------------------------------------------


def frame_tables(table: Table, key: str) -> list[tuple[int, Table]]:
    """The tables of an array that must not be empty, with their indices."""
    if table.values[key] == []:
        table.fail("found an empty array, expected at least one { frame = ... }", key)
    return [(int(one.place[-1]), one) for one in fields.array(table, key)]


def frame_in(table: Table, clock: FrameRange | None) -> float | None:
    """The `frame` of a table, which must lie on the scene's clock."""
    frame = fields.number(table, "frame", REQUIRED, 0, fields.LAST_FRAME)
    if frame is not None and clock is not None and frame not in clock:
        table.fail(f"found {fields.plain(frame)}, outside the scene, which has [{clock.first}, {clock.last}]", "frame")
        return None
    return frame


def directions(table: Table, clock: FrameRange | None, kind: str | None) -> Directions:
    """What a cast member is told to do; notes it on anything but a character."""
    used = [key for key in DIRECTION_KEYS if key in table.values]
    if used and kind is not None and kind != "character":
        table.fail(f"only a character performs, and this is a {kind}", used[0])
    score = fields.existing(table, "performance", "file", None)
    if "performance" in table.values:
        for key in (*CUE_KEYS, "clips"):
            if key in table.values:
                table.fail("is here together with performance, which says what is done and when", key)
    cues = _cues(table, clock) if "performance" not in table.values else ()
    shapes = _shape_keys(table, clock)
    return Directions(cues, shapes, dotted(table.place), table.line, score)


def _cues(table: Table, clock: FrameRange | None) -> tuple[ClipCue, ...]:
    start = float(clock.first) if clock else 0.0
    if "clips" not in table.values:
        if "clip" in table.values:
            cue = _cue(table, start)
            return () if cue is None else (cue,)
        for key in CUE_KEYS[1:]:
            if key in table.values:
                table.fail("belongs to a clip, and there is none here", key)
        return ()
    for key in CUE_KEYS:
        if key in table.values:
            table.fail("is here together with clips, expected it inside of them", key)
    cues, frame_of = [], {}
    for index, one in frame_tables(table, "clips"):
        one.only(("frame", *CUE_KEYS))
        frame = frame_in(one, clock)
        if frame is None:
            continue
        frame_of[index] = frame
        cue = _cue(one, frame)
        if cue is not None:
            cues.append(cue)
    fields.note_falling(table, "clips", frame_of)
    return tuple(cues)


def _cue(table: Table, frame: float) -> ClipCue | None:
    clip = _clip(table)
    offset = fields.number(table, "offset", 0.0, -LONGEST_OFFSET, LONGEST_OFFSET, "seconds")
    speed = fields.number(table, "speed", 1.0, -FASTEST, FASTEST)
    blend = fields.number(table, "blend", 0.0, 0, 100_000, "frames")
    loop = table.values.get("loop", False)
    if not isinstance(loop, bool):
        table.fail(f"found {shown(loop)}, expected true or false", "loop")
        loop = False
    if clip is None or offset is None or speed is None or blend is None:
        return None
    return ClipCue(frame, clip, offset, speed, loop, blend)


def _clip(table: Table) -> str | None:
    """A clip's name, or the absolute path of a clip file."""
    given = table.values.get("clip")
    if isinstance(given, str) and given.lower().endswith(CLIP_SUFFIXES):
        path = fields.existing(table, "clip", "file", REQUIRED)
        return None if path is None else str(path)
    return fields.text(table, "clip", REQUIRED)


def _shape_keys(table: Table, clock: FrameRange | None) -> tuple[ShapeKey, ...]:
    if "shapes" not in table.values:
        return ()
    start = float(clock.first) if clock else 0.0
    if isinstance(table.values["shapes"], dict):
        inside = table.inside("shapes")
        assert inside is not None
        return (ShapeKey(start, _weights(inside, inside.values)),)
    keys, frame_of = [], {}
    for index, one in frame_tables(table, "shapes"):
        frame = frame_in(one, clock)
        easing = fields.easing(one, "easing", "ease-in-out")
        weights = _weights(one, [name for name in one.values if name not in ("frame", "easing")])
        if not weights:
            one.fail("names no blendshape, expected at least one, as in jawOpen = 0.4")
        if frame is not None:
            frame_of[index] = frame
            keys.append(ShapeKey(frame, weights, easing or "ease-in-out"))
    fields.note_falling(table, "shapes", frame_of)
    return tuple(keys)


def _weights(table: Table, names: Iterable[str]) -> dict[str, float]:
    weights = {}
    for name in names:
        weight = fields.number(table, name, REQUIRED, -WILDEST_SHAPE, WILDEST_SHAPE)
        if weight is not None:
            weights[name] = weight
    return weights


def attachment(table: Table, clock: FrameRange | None) -> Attachment | None:
    """What holds a cast member: `attach = { to = "ada", joint = "hand.right", frames = [1040, 1090] }`."""
    if "attach" not in table.values or (inside := table.inside("attach")) is None:
        return None
    inside.only(("to", "joint", "frames"))
    to = fields.name(inside, "to", REQUIRED)
    joint = fields.text(inside, "joint", REQUIRED)
    frames = fields.frames(inside, "frames", None)
    if frames is not None and clock is not None:
        fields.note_outside(inside, "frames", frames, clock, "the scene")
    return None if to is None or joint is None else Attachment(to, joint, frames)


def note_attachments(tables: list[Table], members: list[CastMember]) -> None:
    """Note attachments to members that are not in the scene, or that hold one another in a circle."""
    known = {member.name: member for member in members}
    for table in tables:
        inside = table.values.get("attach")
        to = inside.get("to") if isinstance(inside, dict) else None
        own = table.values.get("name", table.values.get("asset"))
        if not isinstance(to, str):
            continue
        if to not in known:
            others = [name for name in known if name != own]
            near = did_you_mean(to, others)
            table.fail(f"found {shown(to)}, expected a cast member ({', '.join(others)}){near}", "attach", "to")
            continue
        chain, at = [own], to
        while at in known and at not in chain:
            chain.append(at)
            held = known[at].attach
            at = held.to if held is not None else ""
        if at == own:
            table.fail(f"{' holds '.join(map(str, [*reversed(chain), chain[-1]]))}: nothing can hold itself", "attach")
