"""Claim: a film of ordinary captures is made on two CPU cores in minutes, and made again in seconds.

Runs the steps of `splatfilm make` on the sample film one process a step, in a folder of its own, and reports wall
seconds and peak memory of each; then the whole of `make` with nothing to do, and which part of a frame's time the stage
takes (posing, light, contact, composing; every frame of every shot). One run, no repeats: the steps take minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row, main

ROOT = Path(__file__).resolve().parent.parent
FILM = ROOT / "cameras" / "morning" / "film.toml"
MIB = 1024.0


def measure() -> list[Row]:
    """Rows for every reconstruction, the rendering, the cut, and the second run."""
    from splatfilm.film import load

    looks = [(asset, look) for asset in load(FILM).assets.values() for look in asset.looks.values()]
    captures = {(look.capture, look.care) for asset, look in looks if look.capture is not None}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="splatfilm-bench-") as folder:
        for capture, care in sorted(captures, key=lambda pair: str(pair[0])):
            given = (("--steps", care.steps), ("--budget", care.budget), ("--size", care.size))
            numbers = [word for name, value in given if value is not None for word in (name, str(value))]
            name = f"film/reconstruct-{capture.name}"
            rows += _step(name, "reconstruct", str(capture), "--out", folder, "--preset", care.preset, *numbers)
        last = load(FILM).shots[-1]
        one = ("--shot", last.name, "--frames", str(last.frames.first), "--size", "64x36")
        rows += _step("film/layers-of-the-cast", "render", str(FILM), "--out", folder, *one)
        rows += _step("film/render", "render", str(FILM), "--out", folder)
        rows += _step("film/cut-and-sheet", "make", str(FILM), "--out", folder)
        seconds, memory = _step("film/nothing-changed", "make", str(FILM), "--out", folder)
        rows += [Row(seconds.name, seconds.value, "s", 5.0), memory, *stage_share(Path(folder))]
    return rows


def stage_share(folder: Path) -> list[Row]:
    """What the stage, rendering and writing take of a frame, in a folder of a made film, and the stage's share of all.

    CPU milliseconds, which a busy machine stretches less than wall seconds; the share of the wall is told beside it.
    Every frame of every shot, one after the other as they are rendered: what is looked for once (light, what a set is
    for contact shadows) is counted where it is looked for. The stage's part of planning (poses) is the stage's. Reading
    and binding splats, which is done once a film, is not counted: whatever a shot shows first is shown once before.
    """
    import torch

    from splatfilm.base.progress import SILENT
    from splatfilm.cameras import load_path
    from splatfilm.film import load
    from splatfilm.render import RenderSettings, render
    from splatfilm.shots.assets import Ways, resolve_assets
    from splatfilm.shots.pictures import encode_png, quantise
    from splatfilm.shots.plan import looks_of
    from splatfilm.stage import Stage

    film = load(FILM)
    assets = folder / "assets"
    found = resolve_assets(film, looks_of(film, film.shots), Ways(assets), SILENT)
    stage = Stage(film, film.shots[0].scene, {n: f.path for n, f in found.items()}, bindings=assets / "bindings")
    clocks = (time.process_time, time.perf_counter)
    staging, drawing, writing, frames = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0
    shown: set[tuple[str, str]] = set()
    with torch.no_grad(), tempfile.TemporaryDirectory(prefix="splatfilm-bench-") as written:
        for shot in film.shots:
            path = load_path(shot.camera, lens_changes=shot.lens)
            for frame in range(shot.frames.first, shot.frames.last + 1):
                places = stage.placements  # asked for looks alone: poses are found where they are counted
                looks = {(member.asset, places.look_of(member, frame)) for member in places.scene.cast}
                if not looks <= shown:
                    stage.at(frame)
                    shown |= looks
                times = [[clock() for clock in clocks]]
                splats = stage.at(frame, contact=shot.contact).splats
                times.append([clock() for clock in clocks])
                picture = render(splats, path.at(frame, *film.size), RenderSettings(), backend="cpu")
                times.append([clock() for clock in clocks])
                (Path(written) / "frame.png").write_bytes(encode_png(quantise("beauty", picture), {}))
                times.append([clock() for clock in clocks])
                for spent, before, after in zip((staging, drawing, writing), times, times[1:], strict=False):
                    for kind in range(2):
                        spent[kind] += after[kind] - before[kind]
                frames += 1
    total = [staging[kind] + drawing[kind] + writing[kind] for kind in range(2)]
    return [
        Row("film/stage-a-frame", 1000 * staging[0] / frames, "ms CPU"),
        Row("film/render-a-frame", 1000 * drawing[0] / frames, "ms CPU"),
        Row("film/write-a-frame", 1000 * writing[0] / frames, "ms CPU"),
        Row("film/stage-share", 100 * staging[0] / total[0], "% of CPU", 15.0),
        Row("film/stage-share-of-wall", 100 * staging[1] / total[1], "%"),
    ]


def _step(name: str, *arguments: str) -> list[Row]:
    """Wall seconds and peak memory of one `splatfilm` process."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "splatfilm", "--quiet", *arguments]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise RuntimeError(f"{' '.join(command)} failed: exit status {os.waitstatus_to_exitcode(status)}")
    return [Row(f"{name}/seconds", seconds, "s"), Row(f"{name}/peak-memory", usage.ru_maxrss / MIB, "MiB")]


if __name__ == "__main__":
    main(__doc__ or "", measure)
