"""The compared clips for reviewers' own players: picture sequences with equal frame numbers, and a timeline of them.

The timeline is OpenTimelineIO's own JSON (schemas Timeline.1, Track.1, Clip.2, Gap.1, ImageSequenceReference.1), which
RV, Hiero and others open without a plugin: one track a method and take, cut as the film is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from splatfilm.base.files import write_bytes, write_json
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.rows import Row, RowClip
from splatfilm.film.model import Film, Shot
from splatfilm.shots.pictures import encode_png

DIGITS = 4  # of a frame's number, at least


def export_rows(folder: Path, film: Film, rows: Sequence[Row], progress: Progress = SILENT) -> Path:
    """Write `<method>/<shot>/t<take>/<film>_<shot>.<scene frame>.png` for every clip, and the timeline; gives that.

    Frames have the scene's numbers, the same for every method. Pictures that are there already are written anew.
    """
    clips = [(row, shot, take) for row in rows for shot in film.shots for take in row.takes(shot.name)]
    progress.start("writing sequences", len(clips), "clips")
    for done, (row, shot, take) in enumerate(clips, 1):
        _write(folder / _place(row, shot, take), film, shot, row.clips[shot.name, take])
        progress.advance(done, f"{row.name} {shot.name}")
    progress.finish()
    path = folder / f"{film.name}-compare.otio"
    write_json(path, timeline(film, rows))
    return path


def _place(row: Row, shot: Shot, take: int) -> str:
    return f"{row.name}/{shot.name}/t{take}"


def _prefix(film: Film, shot: Shot) -> str:
    return f"{film.name}_{shot.name}."


def _write(folder: Path, film: Film, shot: Shot, clip: RowClip) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(clip.frames) if clip.whole is None else clip.whole():
        file = folder / f"{_prefix(film, shot)}{shot.frames.first + index:0{DIGITS}d}.png"
        write_bytes(file, encode_png(pixels, {}))


# ---- OpenTimelineIO --------------------------------------------------------------------------------------------------


def timeline(film: Film, rows: Sequence[Row]) -> dict[str, Any]:
    """The timeline as OpenTimelineIO writes it; media are named relative to the timeline's own folder."""
    takes = [(row, take) for row in rows for take in sorted({number for _, number in row.clips})]
    tracks = [_track(film, row, take) for row, take in takes]
    stack = _item("Stack.1", "tracks", children=tracks)
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"splatfilm": {"film": film.name}},
        "name": f"{film.title}: compared",
        "global_start_time": None,
        "tracks": stack,
    }


def _track(film: Film, row: Row, take: int) -> dict[str, Any]:
    """One method's take of every shot; a gap where it has none."""
    several = len({number for _, number in row.clips}) > 1
    children = [
        _clip(film, row, shot, take) if (shot.name, take) in row.clips else _gap(film, shot) for shot in film.shots
    ]
    name = f"{row.title}, take {take}" if several else row.title
    return _item("Track.1", name, {"class": row.information}, children=children, kind="Video")


def _clip(film: Film, row: Row, shot: Shot, take: int) -> dict[str, Any]:
    media = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "metadata": {},
        "name": "",
        "available_range": _range(film, shot.frames.first, len(shot.frames)),
        "available_image_bounds": None,
        "target_url_base": f"{_place(row, shot, take)}/",
        "name_prefix": _prefix(film, shot),
        "name_suffix": ".png",
        "start_frame": shot.frames.first,
        "frame_step": 1,
        "rate": float(film.rate),
        "frame_zero_padding": DIGITS,
        "missing_frame_policy": "error",
    }
    return _item(
        "Clip.2",
        shot.name,
        {"method": row.name, "take": take, "scene": shot.scene},
        source_range=_range(film, shot.frames.first, len(shot.frames)),
        media_references={"DEFAULT_MEDIA": media},
        active_media_reference_key="DEFAULT_MEDIA",
    )


def _gap(film: Film, shot: Shot) -> dict[str, Any]:
    return _item("Gap.1", shot.name, source_range=_range(film, 0, len(shot.frames)))


def _item(schema: str, name: str, own: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """What every item of a timeline has."""
    head = {"OTIO_SCHEMA": schema, "metadata": {"splatfilm": own or {}}, "name": name}
    return {**head, "source_range": None, "effects": [], "markers": [], "enabled": True, **values}


def _range(film: Film, first: int, count: int) -> dict[str, Any]:
    def time(value: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(film.rate), "value": float(value)}

    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(first), "duration": time(count)}
