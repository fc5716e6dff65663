"""The shot list: what a script supervisor hands round, one row a shot, as plain values or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import Film, Shot
from splatfilm.film.timecode import count_of, timecode
from splatfilm.layout.aiming import heading_and_tilt
from splatfilm.layout.state import Baked, State, bake

COLUMNS = (
    "shot", "scene", "first frame", "last frame", "frames", "seconds", "timecode in", "timecode out",
    "focal mm", "T-stop", "focus m", "height m", "move", "camera file", "remark",
)  # fmt: skip
STILL_METRES, STILL_DEGREES, STILL_FOCAL = 0.01, 0.2, 0.005


@dataclass(frozen=True)
class ShotRow:
    """One shot as people speak of it; `values` in the order of `COLUMNS`."""

    shot: str
    values: tuple[str, ...]


def shot_list(state: State) -> list[ShotRow]:
    """A row for every shot that is right, in the order of the cut; a broken camera is said under `remark`."""
    return list(_rows(state))


def shot_list_csv(state: State) -> str:
    """The shot list as CSV (RFC 4180), with a heading. Cells that a spreadsheet would take for a formula are quoted
    with an apostrophe."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in shot_list(state):
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in row.values])
    return written.getvalue()


def _rows(state: State) -> Iterator[ShotRow]:
    head = state.head
    if head is None:
        return
    count = count_of(head.timecode, head.rate)
    drop = ";" in head.timecode
    for shot in state.shots.values():
        length = len(shot.frames)
        cells = [
            shot.name, shot.scene, str(shot.frames.first), str(shot.frames.last), str(length),
            f"{float(length / head.rate):.2f}",
            timecode(count, head.rate, drop), timecode(count + length, head.rate, drop),
            *_camera_cells(state, head, shot),
        ]  # fmt: skip
        count += length
        yield ShotRow(shot.name, tuple(cells))


def _camera_cells(state: State, head: Film, shot: Shot) -> list[str]:
    try:
        path = state.seen(shot.name)
        baked = bake(path, tuple(shot.frames))
    except (SplatfilmError, ValueError) as error:
        return ["", "", "", "", "", state.relative(shot.camera), str(error).splitlines()[0]]
    stop = path.lens.t_stop
    return [
        _span(baked.focal_mm, "{:.4g}"),
        "" if stop is None else f"{stop:g}",
        "" if np.isnan(baked.focus_m).any() else _span(baked.focus_m, "{:.2f}"),
        _span(baked.poses[:, 2, 3], "{:.2f}"),
        move_in_words(baked),
        state.relative(shot.camera),
        "",
    ]


def move_in_words(baked: Baked) -> str:
    """What the camera does in a shot, as a shot list says it: `still`, or any of pan, tilt, push in, track, zoom..."""
    first, last = baked.poses[0], baked.poses[-1]
    words = []
    (h0, t0), (h1, t1) = heading_and_tilt(first[:3, :3]), heading_and_tilt(last[:3, :3])
    pan = (np.degrees(h1 - h0) + 180) % 360 - 180
    tilt = np.degrees(t1 - t0)
    way = first[:3, :3].T @ (last[:3, 3] - first[:3, 3])
    rise = float(last[2, 3] - first[2, 3])
    level = way - first[:3, :3].T @ np.array([0.0, 0.0, rise])
    if abs(level[2]) > max(STILL_METRES, abs(level[0])):
        words.append("push in" if level[2] > 0 else "pull out")
    elif abs(level[0]) > STILL_METRES:
        words.append("track right" if level[0] > 0 else "track left")
    if abs(rise) > STILL_METRES:
        words.append("rise" if rise > 0 else "sink")
    if abs(pan) > STILL_DEGREES:
        words.append("pan left" if pan > 0 else "pan right")
    if abs(tilt) > STILL_DEGREES:
        words.append("tilt up" if tilt > 0 else "tilt down")
    zoom = float(baked.focal_mm[-1] / baked.focal_mm[0])
    if abs(zoom - 1) > STILL_FOCAL:
        words.append("zoom in" if zoom > 1 else "zoom out")
    if not words:
        swayed = float(np.ptp(baked.poses[:, :3, 3], axis=0).max())
        words.append("still" if swayed < STILL_METRES else "moves and returns")
    return ", ".join(words)


def _span(values: NDArray[np.float64], form: str) -> str:
    """`24` or `24-50`: from the first to the last value."""
    here, there = form.format(float(values[0])), form.format(float(values[-1]))
    return here if here == there else f"{here} to {there}"
