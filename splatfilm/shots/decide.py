"""What is to be done for one shot, given what its takes hold: nothing, go on with a take, or begin a new one.

The rules, in order:
1. The newest take is finished, whole, and every frame asked for has the planned key: nothing is done.
2. The newest take is unfinished and all it holds is still right: it is continued.
3. Otherwise a new take begins. A take that is finished, or holds frames of other inputs, is left exactly as it is.
Frames of other takes whose key is the planned one are shared with the new take instead of being drawn again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.shots.files import read_said
from splatfilm.shots.names import FilmFolders, picture_name, spell_frames, take_name
from splatfilm.shots.pictures import KEY_TEXT, PICTURE_TEXT, PIXELS_TEXT
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.takes import FrameRecord, PictureRecord, Take, find_takes
from splatfilm.shots.verify import check_frames, quick_check


@dataclass(frozen=True)
class Source:
    """A frame with the wanted pixels in the folder of another take."""

    folder: Path
    record: FrameRecord


@dataclass(frozen=True)
class Decision:
    """What one shot needs. `draw` and `share` are empty when nothing is to be done."""

    take: int
    folder: Path
    current: Take | None  # the take that already is what was asked for
    keep: Mapping[int, FrameRecord] = field(default_factory=dict)  # already in the take, verified
    share: Mapping[int, Source] = field(default_factory=dict)
    draw: tuple[tuple[int, ...], ...] = ()  # groups of frames that are drawn alike: drawn once, written under each name
    reasons: tuple[str, ...] = ()  # sentences for people: why this take, what was found


def decide(plan: ShotPlan, frames: Sequence[int], folders: FilmFolders, new_take: bool = False) -> Decision:
    """Decide for the scene frames `frames` of one shot. Reads; writes nothing. For the holder of the shot's lock."""
    takes = find_takes(folders.shot(plan.shot))
    newest = takes[-1] if takes else None
    reasons: list[str] = []
    if newest is not None and not new_take:
        if newest.finished:
            reasons = _why_not_current(newest, plan, frames)
            if not reasons:
                return Decision(newest.number, newest.folder, newest)
        else:
            held = _held_frames(newest, plan)
            if _all_right(held, plan):
                return _fill(plan, frames, takes, held, folders)
            reasons = [f"{newest.name} is unfinished and holds frames of other inputs; it is left as it is"]
    number = newest.number + 1 if newest else 1
    folder = folders.shot(plan.shot) / take_name(number)
    share = {} if new_take else _share(plan, frames, takes, folders)
    draw = _alike((frame for frame in frames if frame not in share), plan)
    return Decision(number, folder, None, {}, share, draw, tuple(reasons))


def _fill(
    plan: ShotPlan, frames: Sequence[int], takes: list[Take], held: Mapping[int, FrameRecord], folders: FilmFolders
) -> Decision:
    """Continue an unfinished take: keep what is whole, share what others have, draw the rest."""
    take = takes[-1]
    complete = {f: r for f, r in held.items() if not _lacking(r, plan, f)}
    damaged = check_frames(take.folder, complete.values())
    keep = {frame: record for frame, record in complete.items() if frame not in damaged}
    missing = [frame for frame in frames if frame not in keep]
    share = _share(plan, missing, takes[:-1], folders)
    draw = _alike((frame for frame in missing if frame not in share), plan)
    reasons = [f"{take.name} is continued: {len(keep)} of {len(plan.frames)} frames are already there"] if keep else []
    if damaged:
        reasons.append(f"frames {spell_frames(list(damaged))} of {take.name} are damaged and made anew")
    return Decision(take.number, take.folder, None, keep, share, draw, tuple(reasons))


def _why_not_current(take: Take, plan: ShotPlan, frames: Sequence[int]) -> list[str]:
    """Why a finished take is not what is asked for, in sentences; empty when it is."""
    reasons: list[str] = []
    wanted = set(frames)
    if wanted == set(plan.keys) and set(take.frames) - wanted:
        reasons.append(f"the shot has become shorter than {take.name}")
    if missing := sorted(wanted - set(take.frames)):
        reasons.append(f"{take.name} lacks frames {spell_frames(missing)}")
    held = [frame for frame in frames if frame in take.frames]
    lacking = {name: None for f in held for name in _lacking(take.frames[f], plan, f) if _is_absent(take, f, name)}
    if lacking:
        reasons.append(f"{take.name} lacks the pass {', '.join(lacking)}")
    same = [frame for frame in held if take.frames[frame].key == plan.keys[frame]]
    other = {name: None for f in same for name in _lacking(take.frames[f], plan, f) if not _is_absent(take, f, name)}
    if other:
        reasons.append(f"the files or headers of {', '.join(other)} changed since {take.name}")
    if changed := [frame for frame in held if take.frames[frame].key != plan.keys[frame]]:
        what = ", ".join(changed_inputs(take.header.get("inputs"), plan.inputs)) or "its inputs"
        reasons.append(f"{len(changed)} of {len(held)} frames changed since {take.name}: {what}")
    if wrong := quick_check(take, held):
        first = next(iter(wrong.values()))[0]
        reasons.append(f"frames {spell_frames(list(wrong))} of {take.name} are damaged ({first})")
    return reasons


def changed_inputs(before: object, now: Mapping[str, object]) -> list[str]:
    """The names of inputs that differ between two `inputs` records: `camera file`, `asset flat/day`, `renderer`, ..."""
    if not isinstance(before, Mapping):
        return []
    names: list[str] = []
    for name in now:
        old, new = before.get(name), now[name]
        if name == "assets" and isinstance(old, Mapping) and isinstance(new, Mapping):
            names += [f"asset {item}" for item in sorted({*old, *new}) if _content(old, item) != _content(new, item)]
        elif _content(before, name) != _content(now, name):
            names.append(f"{name} file" if name in ("film", "camera") else name)
    return names


def _content(inputs: Mapping[str, object], name: str) -> object:
    """What of an input counts: a file's hash, where it is a file, else all of it."""
    value = inputs.get(name)
    return value.get("sha256", value) if isinstance(value, Mapping) else value


def _held_frames(take: Take, plan: ShotPlan) -> dict[int, FrameRecord]:
    """What an unfinished take holds: its journal, and pictures that a kill left without a line in it."""
    held = {f: r for f, r in take.frames.items() if any((take.folder / p.file).exists() for p in r.pictures.values())}
    for frame in plan.keys:
        if frame not in held and (record := _self_described(take, plan, frame)) is not None:
            held[frame] = record
    return held


def _self_described(take: Take, plan: ShotPlan, frame: int) -> FrameRecord | None:
    """The record of a frame as its own pictures tell it; None unless every pass is there and they agree."""
    pictures: dict[str, PictureRecord] = {}
    keys: set[str | None] = set()
    for picture in plan.pictures:
        file = picture_name(plan.film, plan.shot, picture.name, take.number, frame, picture.suffix)
        text = read_said(take.folder / file)
        if PIXELS_TEXT not in text:
            return None
        keys.add(text.get(KEY_TEXT))
        pictures[picture.name] = PictureRecord(file, text[PIXELS_TEXT], text.get(PICTURE_TEXT))
    key = keys.pop() if len(keys) == 1 else None
    return FrameRecord(frame, key, pictures) if key is not None else None


def _all_right(held: Mapping[int, FrameRecord], plan: ShotPlan) -> bool:
    """Whether nothing that an unfinished take holds is of other inputs. What it does not hold yet does not matter."""
    names = {picture.name for picture in plan.pictures}
    return all(
        plan.keys.get(frame) == record.key and not (set(_lacking(record, plan, frame)) & names & set(record.pictures))
        for frame, record in held.items()
    )


def _is_absent(take: Take, frame: int, picture: str) -> bool:
    return picture not in take.frames[frame].pictures


def _lacking(record: FrameRecord, plan: ShotPlan, frame: int) -> list[str]:
    """The pictures of the plan that a record of the same pixels does not have, or has in another form."""
    keys = plan.wanted[frame].keys
    held = record.pictures
    return [p.name for p in plan.pictures if p.name not in held or held[p.name].key != keys.get(p.name)]


def _share(plan: ShotPlan, frames: Iterable[int], takes: list[Take], folders: FilmFolders) -> dict[int, Source]:
    """Frames with the wanted key and passes in other takes, of this shot first, then of the film's other shots.

    Two shots of one moment through the same camera have the same key: the picture is drawn once.
    """
    wanted: dict[str, list[int]] = {}
    for frame in frames:
        wanted.setdefault(plan.keys[frame], []).append(frame)
    found: dict[int, Source] = {}
    for take in chain(reversed(takes), _takes_of_others(plan.shot, folders)):
        if not wanted:
            break
        usable = {
            record.frame: fitting
            for record in take.frames.values()
            if (fitting := [f for f in wanted.get(record.key, ()) if not _lacking(record, plan, f)])
        }
        damaged = quick_check(take, list(usable))
        for held, fitting in usable.items():
            if held not in damaged:
                found.update({frame: Source(take.folder, take.frames[held]) for frame in fitting if frame not in found})
        wanted = {key: left for key, these in wanted.items() if (left := [f for f in these if f not in found])}
    return found


def _takes_of_others(shot: str, folders: FilmFolders) -> Iterator[Take]:
    shots = folders.shot(shot).parent
    names = sorted(p.name for p in shots.iterdir() if p.is_dir() and p.name != shot) if shots.is_dir() else []
    for name in names:
        with contextlib.suppress(InputError):  # a damaged manifest of another shot is that shot's trouble
            yield from [take for take in reversed(find_takes(folders.shot(name))) if take.finished]


def _alike(frames: Iterable[int], plan: ShotPlan) -> tuple[tuple[int, ...], ...]:
    """Frames grouped by what is drawn, in order: a still camera on a still scene is drawn once."""
    groups: dict[str, list[int]] = {}
    for frame in frames:
        groups.setdefault(plan.wanted[frame].drawing, []).append(frame)
    return tuple(tuple(group) for group in groups.values())
