"""Claim: a film of ordinary captures is made on two CPU cores in minutes, and made again in seconds.

Runs the steps of `splatfilm make` on the sample film one process a step, in a folder of its own, and reports wall
seconds and peak memory of each; then the whole of `make` with nothing to do. One run, no repeats: the steps take
minutes, and only the last row has a target.
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

    captures = {
        (look.capture, look.preset)
        for asset in load(FILM).assets.values()
        for look in asset.looks.values()
        if look.capture is not None
    }
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="splatfilm-bench-") as folder:
        for capture, preset in sorted(captures):
            name = f"film/reconstruct-{capture.name}"
            rows += _step(name, "reconstruct", str(capture), "--out", folder, "--preset", preset)
        rows += _step("film/render", "render", str(FILM), "--out", folder)
        rows += _step("film/cut-and-sheet", "make", str(FILM), "--out", folder)
        seconds, memory = _step("film/nothing-changed", "make", str(FILM), "--out", folder)
        rows += [Row(seconds.name, seconds.value, "s", 5.0), memory]
    return rows


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
