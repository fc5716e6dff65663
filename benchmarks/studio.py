"""Claims: dragging a camera shows twelve pictures a second, a key press shows within a tenth, and baking is instant.

A furnished room of 100,000 splats at 640x360 through the studio's own session and its look-through thread, without a
browser: from the message to the picture's bytes. CPU seconds of this process are told too, since a loaded machine
stretches the others.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.report import Row, main
from benchmarks.room import furnished_room

SPLATS = 100_000
TIMES = 25
FILM = """\
[film]
name = "bench"
title = "Bench"
rate = "24"
size = [640, 360]

[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[scenes.room]
set = "room"
frames = [1001, 1240]

[[shots]]
name = "010"
scene = "room"
camera = "010.json"
frames = [1001, 1240]
"""


def measure() -> list[Row]:
    """Milliseconds from a drag's message to its picture, of a bake of ten seconds, and of the overview's splats."""
    with tempfile.TemporaryDirectory() as folder:
        return _measured(Path(folder))


def _measured(folder: Path) -> list[Row]:
    from benchmarks.room import corner_camera
    from splatfilm.layout import Document
    from splatfilm.render import set_threads
    from splatfilm.splats import write_ply
    from splatfilm.studio.clouds import cloud_of
    from splatfilm.studio.lookthrough import LookThrough
    from splatfilm.studio.queue import RenderQueue
    from splatfilm.studio.session import Room, Session

    set_threads(int(os.environ.get("SPLATFILM_THREADS", "2")))
    splats = furnished_room(SPLATS)
    write_ply(folder / "room.ply", splats)
    camera = corner_camera(640, 360)
    x, y, z = camera.position.tolist()
    there = (camera.position + camera.forward).tolist()
    keys = [
        {"frame": 1001, "position": [x, y, z], "look_at": there},
        {"frame": 1240, "position": [x, y, z + 0.2], "look_at": there},
    ]
    move = {"format": "splatfilm-camera", "version": 1, "lens": {"focal_mm": 24}, "keys": keys}
    (folder / "010.json").write_text(json.dumps(move))
    (folder / "film.toml").write_text(FILM)
    arrived = threading.Semaphore(0)
    looker = LookThrough(folder / "out", "cpu", lambda seen: arrived.release())
    queue = RenderQueue(folder / "out", "cpu", lambda: None)
    session = Session(Document.open(folder / "film.toml"), Room(looker, queue, lambda do: do(), folder / "out"))
    session.join("window", lambda message: None)

    def drag() -> None:
        nudge = {"shot": "010", "frame": 1001, "pan": 0.3}
        session.receive("window", json.dumps({"do": "edit", "command": "nudge", "values": nudge, "group": "drag"}))
        session.receive("window", json.dumps({"do": "look", "shot": "010", "frame": 1001, "width": 640}))
        arrived.acquire()

    def bake() -> None:
        session.document._baked.clear()
        session.document.bake("010")

    try:
        drag()
        dragging, dragging_cpu = _median(drag)
        baking, baking_cpu = _median(bake)
        opening, _ = _median(lambda: cloud_of(splats, SPLATS // 5), 9)
    finally:
        looker.close()
    return [
        Row("studio/drag-to-picture", 1e3 * dragging, "ms", 1000 / 12),
        Row("studio/drag-to-picture-cpu", 1e3 * dragging_cpu, "ms of CPU"),
        Row("studio/bake-10-seconds", 1e3 * baking, "ms", 50),
        Row("studio/bake-10-seconds-cpu", 1e3 * baking_cpu, "ms of CPU"),
        Row("studio/overview-cloud", 1e3 * opening, "ms"),
    ]


def _median(do, times: int = TIMES) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Median seconds and CPU seconds of a call."""
    clock, cpu = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        do()
        clock.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(cpu)


if __name__ == "__main__":
    main(__doc__ or "", measure)
