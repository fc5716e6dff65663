"""Claim: the CPU renderer runs near what the processor can do, far beyond plain torch, and on all its cores.

A furnished room with a figure (`room.py`). Times on a shared machine drift: every target is a ratio of things measured
in turn in one run; absolute times are recorded beside them. The ceiling is the blend's inner loop on data that stays in
the first cache.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import torch

from benchmarks import room, torch_raster
from benchmarks.report import MINIMUM_REPEATS, Row, alternate, main
from splatfilm.cameras.camera import Camera
from splatfilm.render import RenderSettings, cpu, kernels, render, set_threads, threads
from splatfilm.splats.splats import Splats

THREADS = 2
SIZES = ((640, 360), (1280, 720), (1920, 1080))
CEILING_ROUNDS = 4000
FIRST_FRAME = """
import time
from benchmarks import room
from splatfilm.render import kernels, render
splats, camera = room.furnished_room(100_000), room.corner_camera(1280, 720)
start = time.perf_counter()
render(splats, camera, backend="cpu")
print(time.perf_counter() - start)
"""


def _leaves(splats: Splats) -> Splats:
    fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    return Splats(*(t.clone().requires_grad_() for t in fields))


def _both_ways(splats: Splats, camera: Camera) -> Callable[[], None]:
    leaves, ones = _leaves(splats), torch.ones(camera.height, camera.width, 3)

    def work() -> None:
        frame = render(leaves, camera, backend="cpu")
        torch.autograd.grad(
            frame.beauty, [leaves.means, leaves.quats, leaves.scales, leaves.opacities, leaves.sh], ones
        )

    return work


def _torch_seconds(splats: Splats, camera: Camera, backward: bool) -> float:
    """One run after none: it takes seconds, next to which no drift counts."""
    scene = _leaves(splats) if backward else splats
    start = time.perf_counter()
    with torch.set_grad_enabled(backward):
        picture = torch_raster.render(scene, camera)
    if backward:
        picture[..., :3].sum().backward()
    return time.perf_counter() - start


def _share_of_ceiling(splats: Splats, camera: Camera) -> tuple[float, float]:
    """Pair evaluations a second of the blend over those of the inner loop alone, on one thread; and the latter."""
    set_threads(1)
    view = cpu._view(splats, camera, RenderSettings())
    fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    blend, ceiling = [], []
    for _ in range(MINIMUM_REPEATS):
        start = time.perf_counter()
        vectors = kernels.extension().ceiling(CEILING_ROUNDS)
        ceiling.append(16 * vectors / (time.perf_counter() - start))
        _, kernel_pass = cpu._forward(fields, view, for_backward=False)
        blend.append(kernel_pass.evaluations / kernel_pass.seconds[3])
    set_threads(THREADS)
    return max(blend) / max(ceiling), max(ceiling)


def _thread_scaling(splats: Splats, camera: Camera) -> float:
    def with_threads(count: int) -> Callable[[], None]:
        def work() -> None:
            set_threads(count)
            render(splats, camera, backend="cpu")

        return work

    seconds = alternate({"one": with_threads(1), "two": with_threads(2)})
    set_threads(THREADS)
    return seconds["one"] / seconds["two"]


def _small_scene() -> list[Row]:
    """Against plain torch, at the size of the first target."""
    splats, camera = room.furnished_room(100_000), room.corner_camera(640, 360)
    rows = []
    ours = alternate(
        {"forward": lambda: render(splats, camera, backend="cpu"), "both": _both_ways(splats, camera)},
    )
    torch.set_num_threads(THREADS)
    forward, both = _torch_seconds(splats, camera, False), _torch_seconds(splats, camera, True)
    share, ceiling = _share_of_ceiling(splats, camera)
    rows += [
        Row("raster/ceiling-one-thread", ceiling / 1e9, "G pairs/s"),
        Row("raster/blend-over-ceiling", share, "", 0.5, "higher"),
        Row("raster/torch-forward-100k-360p", 1e3 * forward, "ms"),
        Row("raster/torch-both-100k-360p", 1e3 * both, "ms"),
        Row("raster/forward-over-torch", forward / ours["forward"], "times", 100, "higher"),
        Row("raster/forward-backward-over-torch", both / ours["both"], "times", 150, "higher"),
        Row("raster/forward-backward-100k-360p", 1e3 * ours["both"], "ms"),
        Row("raster/two-threads-over-one", _thread_scaling(splats, camera), "times", 1.7, "higher"),
    ]
    return rows


def _sizes() -> list[Row]:
    rows = []
    for count in (100_000, 500_000):
        splats = room.furnished_room(count)
        for name, camera_of in (("corner", room.corner_camera), ("outside", room.outside_camera)):
            cameras = {f"{h}p": camera_of(w, h) for w, h in SIZES}
            rivals = {key: lambda c=c, s=splats: render(s, c, backend="cpu") for key, c in cameras.items()}
            for key, seconds in alternate(rivals).items():
                rows.append(Row(f"raster/forward-{count // 1000}k-{name}-{key}", 1e3 * seconds, "ms"))
    return rows


def _first_frame() -> Row:
    done = subprocess.run([sys.executable, "-c", FIRST_FRAME], capture_output=True, text=True, check=True)
    return Row("raster/first-frame-in-a-process", float(done.stdout), "s", 0.5)


def measure() -> list[Row]:
    """Rows for every target of the rasteriser."""
    set_threads(THREADS)
    print(f"{kernels.extension().instruction_set()}, {threads()} threads", file=sys.stderr)
    return [*_small_scene(), *_sizes(), _first_frame()]


if __name__ == "__main__":
    main(__doc__ or "", measure)
