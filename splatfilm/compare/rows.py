"""The rows of a comparison: one a method, each with its clips of the film's shots as bytes that cost no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError, Problem
from splatfilm.compare.baselines import Conforming
from splatfilm.compare.conform import conformed_frames
from splatfilm.compare.finished import Files
from splatfilm.compare.manifest import INFORMATION, ClipEntry, MethodEntry
from splatfilm.compare.views import Clip, Lazy, Mapped, from_bytes, small_of
from splatfilm.film.model import Film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.takes import Take, newest_finished

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class RowClip:
    """One take of one shot. `frames[i]` is [H, W, 3] for frame i of the shot; `facts` are what a slate says."""

    frames: Sequence[Bytes]
    size: tuple[int, int]  # width, height
    identity: str  # hash of what decides its pixels
    mask: NDArray[np.bool_] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    made: tuple[int, int] | None = None  # the size in which it was made, where that is another
    whole: Callable[[], Iterator[tuple[int, Bytes]]] | None = None  # every frame and its place, as large as the film's


@dataclass(frozen=True, eq=False)
class Row:
    """One method: what it is, what it was given, and its clips by (shot, take)."""

    name: str
    title: str
    kind: str  # ours, closed, open, mini, trivial
    information: str  # I0 to I5
    clips: Mapping[tuple[str, int], RowClip]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # protocol, given, model

    def takes(self, shot: str) -> list[int]:
        """The takes of a shot, ascending."""
        return sorted(take for name, take in self.clips if name == shot)


def our_takes(film: Film, folders: FilmFolders) -> dict[str, Take]:
    """The newest finished take of every shot. Raises `InputError` naming the shots that have none."""
    takes = {shot.name: newest_finished(folders.shot(shot.name)) for shot in film.shots}
    missing = [name for name, take in takes.items() if take is None]
    stale = [
        name for name, take in takes.items() if take is not None and set(film.shot(name).frames) - set(take.frames)
    ]
    if missing or stale:
        told = f"shots {', '.join(missing + stale)} are not made yet: `splatfilm make {film.path}` first"
        raise InputError(Problem(str(film.path), "", told))
    return {name: take for name, take in takes.items() if take is not None}


def refined_takes(film: Film, folders: FilmFolders) -> dict[str, Take]:
    """The newest finished refined take of the shots that have one with all their frames."""
    found = {shot.name: newest_finished(folders.root / "refined" / "shots" / shot.name) for shot in film.shots}
    return {
        name: take
        for name, take in found.items()
        if take is not None and not set(film.shot(name).frames) - set(take.frames)
    }


def take_frames(film: Film, shot: str, take: Take, pass_name: str = "beauty") -> Sequence[Bytes]:
    """The 8-bit pictures of a take, decoded when asked for."""
    numbers = film.shot(shot).frames
    files = tuple(take.folder / take.frame(number).pictures[pass_name].file for number in numbers)
    return Files(files)


def baseline_rows(conforming: Conforming) -> list[Row]:
    """A row a method of the manifests, with the clips that could be conformed."""
    rows = []
    for method in conforming.methods:
        clips = {}
        for entry in method.clips:
            conformed = conforming.clips.get((method.name, entry.shot, entry.take))
            if conformed is not None:
                facts = {**clip_facts(entry), "source": dict(conformed.facts)}
                identity = f"{entry.sha256} {conformed.key}"
                clip = RowClip(
                    Mapped(conformed.path),
                    conformed.size,
                    identity,
                    conformed.mask,
                    facts,
                    conformed.remarks,
                    tuple(conformed.facts["size"]),
                    partial(conformed_frames, entry, conforming.targets[entry.shot]),
                )
                clips[entry.shot, entry.take] = clip
        notes = (*((method.sentence,) if method.sentence else ()), *method.takes_withheld)
        rows.append(Row(method.name, method.title, method.kind, method.information, clips, notes, method_facts(method)))
    return rows


def clip_facts(entry: ClipEntry) -> dict[str, Any]:
    """What a slate says of a clip."""
    return {
        "file": entry.path.name,
        "sha256": entry.sha256,
        "seed": entry.seed,
        "seed_kind": entry.seed_kind,
        "seed_mode": entry.seed_mode,
        "prompt": entry.prompt,
        "in_reel": entry.in_reel,
        "notes": entry.notes,
    }


def method_facts(method: MethodEntry) -> dict[str, Any]:
    """What the table of methods says of one."""
    return {
        "given": list(method.given),
        "information": INFORMATION[method.information],
        "protocol": method.protocol,
        "camera_input": method.camera_input,
        "translation_scale": method.translation_scale,
        "model": dict(method.model or {}),
        "made": dict(method.made or {}),
    }


def with_masks(rows: Sequence[Row]) -> list[Row]:
    """The rows with every shot's watermarks left out of every method alike, whoever they belong to."""
    boxes: dict[str, list[NDArray[np.bool_]]] = {}
    for row in rows:
        for (shot, _), clip in row.clips.items():
            if clip.mask is not None:
                boxes.setdefault(shot, []).append(clip.mask)
    if not boxes:
        return list(rows)
    return [
        replace(row, clips={key: replace(clip, mask=_union(boxes, key[0], clip)) for key, clip in row.clips.items()})
        for row in rows
    ]


def _union(boxes: Mapping[str, list[NDArray[np.bool_]]], shot: str, clip: RowClip) -> NDArray[np.bool_] | None:
    if shot not in boxes:
        return clip.mask
    whole = np.zeros((clip.size[1], clip.size[0]), bool)
    for mask in boxes[shot]:
        image = Image.fromarray(mask.astype(np.uint8) * 255)
        whole |= np.asarray(image.resize(clip.size, Image.Resampling.BOX)) > 0
    return whole


def measured_clip(clip: RowClip, size: tuple[int, int]) -> Clip:
    """A clip as measures want it, brought down to `size` where it is larger."""
    mask = clip.mask
    if mask is not None and clip.size != size:
        mask = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)) > 0
    return Clip(Lazy(len(clip.frames), lambda index: from_bytes(small_of(clip.frames, index, size))), mask)
