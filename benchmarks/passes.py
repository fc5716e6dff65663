"""Claim: all nine passes of a 1080p frame, drawn and written as EXR layers, take at most 64 bytes a pixel and pass.

A furnished room of 100 000 splats, two objects, a moving camera. Memory is what the process grew by from the room alone
to its peak, less 400 bytes a splat; it is measured in a process of its own. Times are recorded beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.report import Row, main, peak

WIDTH, HEIGHT = 1920, 1080
SPLATS = 100_000
TARGET = 64.0  # bytes a pixel and pass
FRAMES = 3

Figures = dict[str, float]


def measure() -> list[Row]:
    """Rows for memory, drawing and writing."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.passes", "--child"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    figures: Figures = json.loads(done.stdout)
    return [
        Row("passes/memory", figures["bytes"], "bytes a pixel and pass", TARGET),
        Row("passes/beauty-alone", figures["alone"], "s"),
        Row("passes/draw", figures["draw"], "s"),
        Row("passes/write", figures["write"], "s"),
        Row("passes/file", figures["file"], "MB"),
    ]


def child() -> Figures:
    """Draw and write, and say what it took."""
    import torch

    from benchmarks.room import corner_camera, furnished_room
    from splatfilm.film.model import PASSES
    from splatfilm.render import render
    from splatfilm.render.memory import BYTES_A_SPLAT
    from splatfilm.render.passes import Instant, PassInputs, render_passes
    from splatfilm.shots.exr import write_exr
    from splatfilm.shots.files import files_of
    from splatfilm.shots.layers import parts_of, values_of
    from splatfilm.shots.pictures import encode_png, quantise

    splats, camera = furnished_room(SPLATS), corner_camera(WIDTH, HEIGHT)
    pose = camera.pose.copy()
    pose[0, 3] += 0.01
    other = Instant(splats.means, replace(camera, pose=pose))
    objects = (splats.means[:, 0] > 0).long()
    inputs = PassInputs([name for name in PASSES if name not in ("beauty", "alpha", "depth")], other, other, objects, 2)
    small = camera.scaled(16, 16)
    render_passes(
        splats, small, replace(inputs, before=replace(other, camera=small), after=replace(other, camera=small))
    )
    before = peak()
    seconds: dict[str, list[float]] = {"alone": [], "draw": [], "write": []}
    preview, layers = files_of(PASSES, "exr")
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder) / "frame.exr"
        for _ in range(FRAMES):
            start = time.perf_counter()
            frame = render_passes(splats, camera, inputs)
            drawn = time.perf_counter()
            encode_png(quantise(preview.name, frame), {})
            values = values_of(frame, layers.passes)
            write_exr(path, parts_of(layers, values, "acescg", ("left", "right")), {})
            written = time.perf_counter()
            del frame, values
            seconds["draw"].append(drawn - start)
            seconds["write"].append(written - drawn)
        highest = peak()
        for _ in range(FRAMES):
            start = time.perf_counter()
            render(splats, camera)
            seconds["alone"].append(time.perf_counter() - start)
        size = path.stat().st_size / 1e6
    grown = max(0, highest - before - SPLATS * BYTES_A_SPLAT)
    best = {name: min(values) for name, values in seconds.items()}
    return {"bytes": grown / (WIDTH * HEIGHT * len(PASSES)), "file": size, **best}


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child()))
    else:
        main(__doc__ or "", measure)
