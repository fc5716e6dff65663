"""Claims about refinement: how fast anchored noise is on one thread, and how white and how anchored it is.

The room of `tests/refine/analytic_room.py` at 640 x 360: its geometry is known exactly, so are its regions and what two
views of it have in common. The rival of anchored noise is independent noise, measured in the same run.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import MINIMUM_REPEATS, Row, main
from splatfilm.cameras import Camera
from splatfilm.refine.filters import blurred
from splatfilm.refine.grain import grain
from splatfilm.refine.looks import LOOKS
from splatfilm.refine.noise import LATENT, NoiseGrid, NoiseKey, anchored_noise, anchored_noise_torch
from splatfilm.render.kernels import set_threads

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "refine"))
from analytic_room import View, agreement, correlation, view

SIZE = (640, 360)
KEY = NoiseKey("1", "benchmark")


def measure() -> list[Row]:
    """Rows for speed on one thread, statistics by region and agreement of views."""
    set_threads(1)
    torch.set_num_threads(1)
    here = view(0.0, SIZE)
    return [*_speed(here), *_whiteness(here), *_agreement(here)]


def _speed(here: View) -> list[Row]:
    anchors = here.anchors
    coarse, fine = NoiseGrid(sub=2), NoiseGrid(sub=4)
    seconds = _one_thread(
        {
            "kernel": lambda: anchored_noise(anchors, KEY, coarse),
            "kernel-4x4": lambda: anchored_noise(anchors, KEY, fine),
            "torch": lambda: anchored_noise_torch(anchors, KEY, coarse),
            "latent": lambda: anchored_noise(anchors, KEY, LATENT),
            "lock": lambda: blurred(anchors.places, 8.0),
        }
    )
    camera = _camera()
    stock = LOOKS["sixteen-mm"].stock
    assert stock is not None
    grainy = _one_thread({"grain": lambda: grain(stock, "1", camera, 1001.0)})
    return [
        Row("refine/noise-640x360-2x2", seconds["kernel"], "s", 0.25),
        Row("refine/noise-640x360-4x4", seconds["kernel-4x4"], "s"),
        Row("refine/noise-640x360-2x2-torch", seconds["torch"], "s"),
        Row("refine/noise-latent-80x45", seconds["latent"], "s", 0.05),
        Row("refine/low-frequency-lock", seconds["lock"], "s"),
        Row("refine/grain", grainy["grain"], "s"),
    ]


def _one_thread(rivals: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds that one thread worked, run in turn: a thread that waits for a processor does not work."""
    for work in rivals.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(MINIMUM_REPEATS):
        for name, work in rivals.items():
            start = time.process_time()
            work()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _whiteness(here: View) -> list[Row]:
    noise = anchored_noise(here.anchors, KEY, NoiseGrid(channels=64, sub=4)).double()
    rows = []
    for name, region in here.regions().items():
        variance = float(noise[region].var())
        rows.append(Row(f"refine/noise-variance-off-one-{name}", abs(variance - 1), "", 0.01))
        for axis, word in ((1, "across"), (0, "down")):
            length = noise.shape[axis] - 1
            both = region.narrow(axis, 0, length) & region.narrow(axis, 1, length)
            lag = correlation(noise.narrow(axis, 0, length)[both], noise.narrow(axis, 1, length)[both])
            rows.append(Row(f"refine/noise-lag-1-{word}-{name}", abs(lag), "", 0.01))
    return rows


def _agreement(here: View) -> list[Row]:
    grid = NoiseGrid(channels=16, sub=4)
    there = view(5.0, SIZE)
    rows = []
    for error, word, targets in ((0.0, "exact-depth", (0.5, 0.8)), (0.25, "splat-depth", (0.4, 0.7))):
        a, b = (view(degrees, SIZE, error) for degrees in (0.0, 5.0))
        noises = anchored_noise(a.anchors, KEY, grid), anchored_noise(b.anchors, KEY, grid)
        near, low = agreement(a, b, noises)
        rows.append(Row(f"refine/noise-5-degrees-{word}", near, "correlation", targets[0], "higher"))
        rows.append(Row(f"refine/noise-5-degrees-{word}-low-passed", low, "correlation", targets[1], "higher"))
    independent = torch.randn(2, *SIZE[::-1], 16, generator=torch.Generator().manual_seed(1))
    near, low = agreement(here, there, (independent[0], independent[1]))
    back = torch.equal(anchored_noise(here.anchors, KEY, grid), anchored_noise(view(0.0, SIZE).anchors, KEY, grid))
    return [
        *rows,
        Row("refine/noise-5-degrees-independent", near, "correlation"),
        Row("refine/noise-5-degrees-independent-low-passed", low, "correlation"),
        Row("refine/noise-revisit", float(back), "correlation", 1.0, "higher"),
    ]


def _camera() -> Camera:
    width, height = SIZE
    return Camera(np.eye(4), 554.0, 554.0, width / 2, height / 2, width, height)


if __name__ == "__main__":
    main(__doc__ or "", measure)
