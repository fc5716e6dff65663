"""The `[assets]` and `[scenes]` of a film file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from splatfilm.base.rigid import IDENTITY
from splatfilm.film import fields
from splatfilm.film.ambient import read_ambient
from splatfilm.film.contact import touches
from splatfilm.film.fields import REQUIRED
from splatfilm.film.light import read_lamps, read_light
from splatfilm.film.model import (
    Asset,
    AssetKind,
    CastMember,
    FrameRange,
    Lamp,
    Look,
    LookChange,
    PlacementKey,
    Scene,
)
from splatfilm.film.performance import (
    CARE_KEYS,
    DIRECTION_KEYS,
    attachment,
    care_of,
    character_parts,
    directions,
    frame_in,
    frame_tables,
    layered_look,
    note_attachments,
)
from splatfilm.film.placement import PLACE_KEYS, placement
from splatfilm.film.source import Table, shown


@dataclass(frozen=True)
class Known:
    """What the rest of the file may refer to, even where it has mistakes of its own: names before values."""

    kinds: Mapping[str, str | None]  # asset -> kind, None when that is wrong
    looks: Mapping[str, tuple[str, ...]]  # asset -> its looks' names
    studios: Mapping[str, tuple[Lamp, ...]] = field(default_factory=dict)  # asset -> the lamps of its photographs

    def assets(self, *kinds: str) -> tuple[str, ...]:
        """The assets of these kinds, and those of which no kind is known."""
        return tuple(name for name, kind in self.kinds.items() if kind is None or kind in kinds)


# ---- assets -------------------------------------------------------------------------------------------------------


def read_assets(film: Table) -> tuple[dict[str, Asset], Known]:
    """Every asset that is right, and what is known of all of them."""
    assets: dict[str, Asset] = {}
    kinds: dict[str, str | None] = {}
    looks: dict[str, tuple[str, ...]] = {}
    studios: dict[str, tuple[Lamp, ...]] = {}
    for name, table in fields.tables(film, "assets"):
        table.only(("kind", "looks", "rig", "layers", "studio"))
        kind = fields.choice(table, "kind", REQUIRED, get_args(AssetKind))
        kinds[name] = kind
        found = {look: _look(look, inside) for look, inside in fields.tables(table, "looks")}
        looks[name] = tuple(found)
        studios[name] = read_lamps(table, "studio")
        if table.values.get("looks", {}) == {}:
            table.fail("missing, expected at least one look: [assets.NAME.looks.LOOK]", "looks")
        rig, layers = character_parts(table, kind, found)
        if kind is not None:
            assets[name] = Asset(name, cast(AssetKind, kind), found, rig, layers)
    return assets, Known(kinds, looks, studios)


def _look(name: str, table: Table) -> Look:
    table.only(("capture", "splats", *CARE_KEYS, "place", "layers"))
    if "layers" in table.values:
        return layered_look(name, table)
    capture = fields.existing(table, "capture", "folder", None)
    splats = fields.existing(table, "splats", "file", None)
    care = care_of(table)
    if "capture" in table.values and "splats" in table.values:
        table.fail("capture and splats are both here, expected one of them", "splats")
    elif "capture" not in table.values and "splats" not in table.values:
        table.fail("expected capture (a folder of photographs), splats (a splat file) or, for a character, layers")
    elif "capture" not in table.values:
        for key in CARE_KEYS:
            if key in table.values:
                table.fail("says how a capture is reconstructed; splats are taken as they are", key)
    place = IDENTITY
    if "place" in table.values and (inside := table.inside("place")) is not None:
        inside.only(PLACE_KEYS)
        place = placement(inside).over(IDENTITY)
    return Look(name, capture, splats, care, place)


# ---- scenes -------------------------------------------------------------------------------------------------------


def read_scenes(film: Table, known: Known) -> tuple[dict[str, Scene], dict[str, FrameRange | None]]:
    """Every scene that is right, and the clock of all of them, None for one whose clock is wrong."""
    scenes: dict[str, Scene] = {}
    clocks: dict[str, FrameRange | None] = {}
    for name, table in fields.tables(film, "scenes"):
        table.only(("set", "frames", "cast", "ambient", "lamps"))
        clock = clocks[name] = fields.frames(table, "frames", REQUIRED)
        set_name, set_look = _set(table, known)
        members = fields.array(table, "cast")
        cast_members = [_cast_member(one, clock, known) for one in members]
        _note_twins(members, set_name)
        note_attachments(members, [member for member in cast_members if member is not None])
        if clock is not None and set_name is not None and set_look is not None:
            lamps = read_lamps(table, "lamps", clock)
            whole = tuple(_in_lamps(member, lamps, known) for member in cast_members if member is not None)
            ambient = read_ambient(table, (set_name, *(member.name for member in whole)))
            scenes[name] = Scene(name, set_name, set_look, clock, whole, ambient)
    return scenes, clocks


def _in_lamps(member: CastMember, lamps: tuple[Lamp, ...], known: Known) -> CastMember:
    """A cast member that is lit from the set, in the scene's lamps; without any nothing is asked of the studio's."""
    if member.light is None or not lamps:
        return member
    light = dataclasses.replace(member.light, lamps=lamps, studio=known.studios.get(member.asset, ()))
    return dataclasses.replace(member, light=light)


def _set(table: Table, known: Known) -> tuple[str | None, str | None]:
    """The set and its look, from `set = "flat"` or `set = { asset = "flat", look = "day" }`."""
    if isinstance(table.values.get("set"), dict):
        inside = table.inside("set")
        assert inside is not None
        inside.only(("asset", "look"))
        asset = _asset(inside, "asset", known, ("set",))
        return asset, _known_look(inside, asset, known)
    asset = _asset(table, "set", known, ("set",))
    return asset, next(iter(known.looks.get(asset or "", ())), None)


def _asset(table: Table, key: str, known: Known, kinds: tuple[str, ...]) -> str | None:
    found = table.values.get(key)
    if isinstance(found, str) and (kind := known.kinds.get(found)) is not None and kind not in kinds:
        table.fail(f'"{found}" is a {kind}, expected a {" or a ".join(kinds)}', key)
        return None
    what = "a set" if kinds == ("set",) else "an asset"
    return fields.choice(table, key, REQUIRED, known.assets(*kinds), what)


def _known_look(table: Table, asset: str | None, known: Known, required: bool = False) -> str | None:
    """The `look` of an asset, by default its first; unjudged while the asset itself is unknown."""
    looks = known.looks.get(asset or "", ())
    if not looks:
        return None
    return fields.choice(table, "look", REQUIRED if required else looks[0], looks, f'a look of "{asset}"')


def _note_twins(members: list[Table], set_name: str | None) -> None:
    """Two of one name in one scene could not be told apart, in the id pass nor by a person."""
    seen: dict[str, str] = {} if set_name is None else {set_name.casefold(): "the set"}
    for member in members:
        key = "name" if "name" in member.values else "asset"
        own = member.values.get(key)
        if not fields.is_name(own):
            continue
        if own.casefold() in seen:
            other = seen[own.casefold()]
            member.fail(f"{shown(own)} is already the name of {other}; give this one a name of its own", key)
        seen.setdefault(own.casefold(), f"the cast member on line {member.line}")


# ---- cast ---------------------------------------------------------------------------------------------------------


def _cast_member(table: Table, clock: FrameRange | None, known: Known) -> CastMember | None:
    own = ("name", "asset", "keys", "look", "looks", "frames", "attach", "contact", "light")
    table.only((*own, *PLACE_KEYS, *DIRECTION_KEYS))
    asset = _asset(table, "asset", known, ("character", "prop", "set"))
    name = fields.name(table, "name", asset)
    keys = _placement_keys(table, clock)
    looks = _look_changes(table, asset, clock, known)
    frames = fields.frames(table, "frames", None)
    if frames is not None and clock is not None:
        fields.note_outside(table, "frames", frames, clock, "the scene")
    told = directions(table, clock, known.kinds.get(asset or ""))
    held = attachment(table, clock)
    light = read_light(table)
    if asset is None or name is None or not looks:
        return None
    return CastMember(name, asset, keys, looks, frames, told, held, touches(table), light)


def _placement_keys(table: Table, clock: FrameRange | None) -> tuple[PlacementKey, ...]:
    base = placement(table).over(IDENTITY)
    start = float(clock.first) if clock else 0.0
    if "keys" not in table.values:
        return (PlacementKey(start, base),)
    keys, frame_of = [], {}
    for index, one in frame_tables(table, "keys"):
        one.only(("frame", *PLACE_KEYS, "easing"))
        frame = frame_in(one, clock)
        easing = fields.easing(one, "easing", "linear")
        place = placement(one).over(base)
        if frame is not None:
            frame_of[index] = frame
            keys.append(PlacementKey(frame, place, easing or "linear"))
    fields.note_falling(table, "keys", frame_of)
    return tuple(keys)


def _look_changes(table: Table, asset: str | None, clock: FrameRange | None, known: Known) -> tuple[LookChange, ...]:
    start = float(clock.first) if clock else 0.0
    first = _known_look(table, asset, known)
    changes, frame_of = [], {}
    for index, one in frame_tables(table, "looks") if "looks" in table.values else ():
        one.only(("frame", "look"))
        frame = frame_in(one, clock)
        look = _known_look(one, asset, known, required=True)
        if frame is not None:
            frame_of[index] = frame
            if look is not None:
                changes.append(LookChange(frame, look))
    fields.note_falling(table, "looks", frame_of)
    if first is None or (changes and changes[0].frame == start):
        return tuple(changes)
    return (LookChange(start, first), *changes)
