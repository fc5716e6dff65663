"""Claim: the CPU renderer runs near what the processor can do, far beyond plain torch, and on all its cores.

A furnished room with a figure (`room.py`). Times on a shared machine drift: every target is a ratio of things measured
in turn in one run; absolute times are recorded beside them. The ceiling is the blend's inner loop on data that stays in
the first cache.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import torch

from benchmarks import room, torch_raster
from benchmarks.report import MINIMUM_REPEATS, Row, alternate, main
from splatfilm.cameras.camera import Camera
from splatfilm.render import RenderSettings, cpu, culling, kernels, render, set_threads, threads
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


BIG_COUNT = 5_000_000
BIG_SCENE = """
import sys
from benchmarks import room
from benchmarks.report import peak
from splatfilm.render import render
render(room.furnished_room(1000), room.corner_camera(64, 36), backend="cpu")
before = peak()
splats = room.repeated_room(int(sys.argv[1]))
for _ in range(3):  # from the second on in blocks
    frame = render(splats, room.corner_camera(1920, 1080), backend="cpu")
print(peak() - before)
"""


BIG_BACKWARD = """
import sys, torch
from benchmarks import room
from benchmarks.report import peak
from splatfilm.render import render
from splatfilm.splats.splats import Splats
splats = room.repeated_room(int(sys.argv[1]))
fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
for field in fields:
    field.requires_grad_()
small = render(Splats(*(field[:1000] for field in fields)), room.corner_camera(64, 36), backend="cpu").beauty
before = peak()
beauty = render(Splats(*fields), room.corner_camera(1920, 1080), backend="cpu").beauty
torch.autograd.grad(beauty, fields, torch.ones_like(beauty))
print(peak() - before)
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
    fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh, torch.empty(0), torch.empty(0))
    blend, ceiling = [], []
    for _ in range(MINIMUM_REPEATS):
        start = time.perf_counter()
        vectors = kernels.extension().ceiling(CEILING_ROUNDS)
        ceiling.append(16 * vectors / (time.perf_counter() - start))
        _, kernel_pass = cpu._forward(fields, view, cpu._modes(splats), for_backward=False)
        blend.append(kernel_pass.evaluations / kernel_pass.seconds[3])
    set_threads(THREADS)
    return max(blend) / max(ceiling), max(ceiling)


def _hashes(splats: Splats, camera: Camera) -> set[bytes]:
    """Of a frame and its gradients, by every instruction set at 1, 2, 3 and 5 threads."""
    found = set()
    for name in kernels.instruction_sets():
        kernels.use_instruction_set(name)
        for count in (1, 2, 3, 5):
            set_threads(count)
            leaves = _leaves(splats)
            fields = (leaves.means, leaves.quats, leaves.scales, leaves.opacities, leaves.sh)
            beauty = render(leaves, camera, backend="cpu").beauty
            gradients = torch.autograd.grad(beauty.square().sum(), fields)
            digest = hashlib.blake2b(beauty.detach().numpy().tobytes())
            for gradient in gradients:
                digest.update(gradient.numpy().tobytes())
            found.add(digest.digest())
    kernels.use_instruction_set()
    set_threads(THREADS)
    return found


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
        Row("raster/hashes-over-threads-and-instruction-sets", len(_hashes(splats, camera)), "", 1),
        Row("raster/two-threads-over-one", _thread_scaling(splats, camera), "times", 1.7, "higher"),
    ]
    return rows


def _mixed_modes() -> Row:
    """A scene half classic and half antialiased over the same scene all antialiased: a mode each must cost nothing."""
    splats, camera = room.furnished_room(100_000), room.corner_camera(640, 360)
    fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    modes = torch.arange(len(splats)) % 2 == 0
    rivals = {
        "mixed": Splats(*fields, mode="mixed", antialiased=modes),
        "uniform": Splats(*fields, mode="antialiased"),
    }
    seconds = alternate({name: partial(render, scene, camera, backend="cpu") for name, scene in rivals.items()})
    return Row("raster/mixed-modes-over-one", seconds["mixed"] / seconds["uniform"], "times", 1.1)


def _larger_pictures() -> list[Row]:
    """Against plain torch, at the larger sizes of the first target."""
    splats = room.furnished_room(100_000)
    rows = []
    for width, height in SIZES[1:]:
        camera = room.corner_camera(width, height)
        ours = alternate({"ours": partial(render, splats, camera, backend="cpu")})["ours"]
        theirs = _torch_seconds(splats, camera, False)
        rows.append(Row(f"raster/forward-over-torch-{height}p", theirs / ours, "times", 100, "higher"))
    return rows


def _big_scene() -> Row:
    """Memory at its highest, the splats included: at most 400 bytes a splat and 64 a pixel."""
    done = subprocess.run([sys.executable, "-c", BIG_SCENE, str(BIG_COUNT)], capture_output=True, text=True, check=True)
    width, height = SIZES[-1]
    share = (float(done.stdout) - 64 * width * height) / BIG_COUNT
    return Row("raster/bytes-a-splat-of-5-million-1080p", share, "bytes", 400)


def _big_backward() -> Row:
    """Forwards and backwards, the gradients included and the splats not: at most 400 bytes a splat and 64 a pixel."""
    command = [sys.executable, "-c", BIG_BACKWARD, str(BIG_COUNT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    width, height = SIZES[-1]
    share = (float(done.stdout) - 64 * width * height) / BIG_COUNT
    return Row("raster/backward-bytes-a-splat-of-5-million-1080p", share, "bytes", 400)


def _inside_camera(width: int, height: int, millimetres: float) -> Camera:
    """From beside the figure towards a wall: most of the room is behind or beside the picture."""
    return room.camera_towards((0.2, -1.2, 1.6), (2.8, 0.5, 1.2), millimetres, width, height)


def _in_blocks(count: int, cameras: dict[str, Camera], most: float) -> list[Row]:
    """Frames of a set that has its blocks over frames that look at each splat, and what blocks take to make."""
    splats = room.repeated_room(count)
    start = time.perf_counter()
    blocks = culling.make_blocks(splats)
    rows = [Row(f"raster/making-blocks-{count // 1000}k", 1e3 * (time.perf_counter() - start), "ms")]
    for name, camera in cameras.items():
        view = cpu._view(splats, camera, RenderSettings())
        fields = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
        inputs = (*fields, torch.empty(0), torch.empty(0))
        seen = blocks, culling.sight(camera, view.window)

        def draw(culled: object, inputs: tuple[torch.Tensor, ...] = inputs, view: cpu._View = view) -> None:
            cpu._forward(inputs, view, cpu._modes(splats), False, None, culled)  # type: ignore[arg-type]

        seconds = alternate({"blocks": partial(draw, seen), "each": partial(draw, None)})
        label = f"raster/blocks-over-each-splat-{count // 1000}k-{name}"
        rows.append(Row(label, seconds["blocks"] / seconds["each"], "times", most))
    return rows


def _blocks() -> list[Row]:
    """Large sets seen from within gain, whole views and small sets lose nothing."""
    views = {"24mm": _inside_camera(1920, 1080, 24), "50mm": _inside_camera(1920, 1080, 50)}
    rows = _in_blocks(BIG_COUNT, views, 0.9)
    rows += _in_blocks(BIG_COUNT, {"outside": room.outside_camera(1920, 1080)}, 1.1)[1:]
    return rows + _in_blocks(100_000, {"24mm": views["24mm"]}, 1.1)[1:]


def _sizes() -> list[Row]:
    rows: list[Row] = []
    at_1080p: dict[int, float] = {}
    for count in (100_000, 500_000):
        splats = room.furnished_room(count)
        for name, camera_of in (("corner", room.corner_camera), ("outside", room.outside_camera)):
            cameras = {f"{h}p": camera_of(w, h) for w, h in SIZES}
            rivals = {key: lambda c=c, s=splats: render(s, c, backend="cpu") for key, c in cameras.items()}
            for key, seconds in alternate(rivals).items():
                rows.append(Row(f"raster/forward-{count // 1000}k-{name}-{key}", 1e3 * seconds, "ms"))
                if (name, key) == ("corner", "1080p"):
                    at_1080p[count] = seconds
    # Linear in splats and no worse: five times the splats take at most five times as long.
    growth = at_1080p[500_000] / at_1080p[100_000]
    return [*rows, Row("raster/five-times-the-splats-corner-1080p", growth, "times", 5)]


def _first_frame() -> Row:
    done = subprocess.run([sys.executable, "-c", FIRST_FRAME], capture_output=True, text=True, check=True)
    return Row("raster/first-frame-in-a-process", float(done.stdout), "s", 0.5)


def measure() -> list[Row]:
    """Rows for every target of the rasteriser."""
    set_threads(THREADS)
    print(f"{kernels.extension().instruction_set()}, {threads()} threads", file=sys.stderr)
    small = [*_small_scene(), _mixed_modes()]
    return [*small, *_larger_pictures(), *_sizes(), _first_frame(), *_blocks(), _big_scene(), _big_backward()]


if __name__ == "__main__":
    main(__doc__ or "", measure)
