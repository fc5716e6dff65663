"""The scene refiner: a small convolutional network that takes a render nearer to the photographs, and cannot wander.

diffusers' `UNet2DModel` with everything global taken out. Its GroupNorms average over the whole frame, so that an edit
in one corner re-tones every pixel; here each pixel is normalised over its own channels. There is no attention. What is
left is a stack of small convolutions, so a pixel depends on the `reach` of its neighbours and on nothing else, and to
the bit. The output is the render plus a bounded residual, whose last layer starts at zero: an untrained refiner changes
nothing but what other splats of the same place agree on (`opinions`), and a trained one never moves a channel by more
than `bound`.

The same network can be taught to take noise out in several steps. Noise that is anchored to the scene then makes a
detail where the photographs left several possible, and the same one in every view.

The network halves its grid twice. Tiles start on multiples of four pixels from the frame's origin, so they see the same
grid as the whole frame; with a margin of the reach around them they give the whole frame's bits. Tiles follow from the
size of the frame alone, each is worked on by one thread, and so no pixel depends on the number of threads.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from splatfilm.base.errors import InputError
from splatfilm.base.files import atomic_path, read_json, write_json
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.refine import opinions as opinions_of
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.diffusion import diffusers_class
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.recipe import GRID, REFINER_VERSION, UNIT, NetSettings
from splatfilm.refine.stored import describe_refiner
from splatfilm.render.backends import threads_wanted

WEIGHTS = "weights.safetensors"
NETWORK = "network.json"
PLANES = 8 + opinions_of.PLANES
"""Planes in: render (3), 1/(1 + depth), alpha, normal (3), and what other splats show (5, zero without any)."""
NOISY = 3
"""Planes more in the mode of several steps: the change so far, in units of `UNIT`, under noise."""
TIMES = 1000  # the network's diffusion time runs from 0, no noise, to this, nothing else
LEVELS = 3
TILE = (540, 640)  # rows, columns: the largest part of a frame that is worked on at once on a CPU
TILE_GPU = (2160, 3840)
_WORTH_HALVING = 256  # pixels: a single tile at least this wide is shared by two threads
_BLOCKS_DOWN, _BLOCKS_UP = 1, 2  # residual blocks a level, as UNet2DModel makes them of layers_per_block = 1


class PixelNorm(nn.Module):
    """Layer normalisation over a pixel's own channels: what GroupNorm does over the frame, kept local."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(count))
        self.bias = nn.Parameter(torch.zeros(count))

    def forward(self, planes: Tensor) -> Tensor:  # [B, C, H, W]
        """One fused pass where the channels lie side by side in memory."""
        last = planes.permute(0, 2, 3, 1)
        return nn.functional.layer_norm(last, self.weight.shape, self.weight, self.bias, 1e-5).permute(0, 3, 1, 2)


class LocalUNet(nn.Module):
    """`refined = max(0, render + change)`, each output pixel a function of its neighbourhood only.

    The change is what the opinions agree on and `bound tanh(network)`, together at most `bound`. In one step `say`,
    0..1, is how much of the network's part is taken.
    """

    def __init__(self, settings: NetSettings = NetSettings(), seed: int = 0) -> None:  # noqa: B008  (frozen)
        super().__init__()
        self.settings = settings
        self.say = 1.0
        self.inner = _unet(settings.channels, seed)

    def forward(self, planes: Tensor, time: float | Tensor = 0) -> Tensor:  # [B, 13 or 16, H, W] -> [B, 3, H, W]
        """The picture. H and W are multiples of `GRID`; `time` 0 is the mode of one step."""
        change = planes[:, 8:11]
        say = 1.0 if isinstance(time, Tensor) or time else self.say
        if say:
            change = change + say * self.learnt(planes, time)
        return torch.clamp_min(planes[:, :3] + change.clamp(-self.settings.bound, self.settings.bound), 0.0)

    def learnt(self, planes: Tensor, time: float | Tensor = 0) -> Tensor:  # [B, 13 or 16, H, W] -> [B, 3, H, W]
        """What the network adds to what the opinions agree on. Without planes of noise they are zeros."""
        if planes.shape[1] == PLANES:
            planes = torch.cat([planes, planes.new_zeros(len(planes), NOISY, *planes.shape[2:])], 1)
        found = self.inner(planes.contiguous(memory_format=torch.channels_last), time).sample
        return self.settings.bound * torch.tanh(found)


def _unet(channels: Sequence[int], seed: int) -> nn.Module:
    """diffusers' network without GroupNorm, attention and middle block, its last layer at zero."""
    with _seeded(seed):
        inner: nn.Module = diffusers_class("UNet2DModel")(
            in_channels=PLANES + NOISY,
            out_channels=3,
            block_out_channels=tuple(channels),
            layers_per_block=_BLOCKS_DOWN,
            down_block_types=("DownBlock2D",) * 3,
            up_block_types=("UpBlock2D",) * 3,
            mid_block_type=None,
            add_attention=False,
            norm_num_groups=math.gcd(*channels),
        )
    _localise(inner)
    last: Any = inner.conv_out
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    local: nn.Module = inner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return local


def _localise(module: nn.Module) -> None:
    """Put a `PixelNorm` in the place of every `GroupNorm`."""
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, PixelNorm(child.num_channels))
        else:
            _localise(child)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """torch's modules draw their first weights from the global generator: it is set, and put back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def reach_of(levels: int = LEVELS) -> int:
    """The receptive field's radius in pixels, by following what an output pixel reads back to the input.

    A 3 x 3 convolution widens an interval of pixels by one at its level; nearest upsampling of [a, b] reads
    [a // 2, b // 2]; a convolution of stride two reads [2a - 1, 2b + 1]. Taken over all places on the grid.
    """
    furthest = 0
    for pixel in range(GRID):
        low, high = pixel - 1, pixel + 1  # conv_out
        for level in range(levels):
            low, high = low - 2 * _BLOCKS_UP, high + 2 * _BLOCKS_UP
            if level < levels - 1:
                low, high = (low - 1) // 2, (high + 1) // 2  # the convolution after upsampling, then upsampling
        for level in reversed(range(levels)):
            low, high = low - 2 * _BLOCKS_DOWN, high + 2 * _BLOCKS_DOWN
            if level > 0:
                low, high = 2 * low - 1, 2 * high + 1
        low, high = low - 1, high + 1  # conv_in
        furthest = max(furthest, pixel - low, high - pixel)
    return furthest


REACH = reach_of()
"""Pixels: an edit farther away than this leaves a refined pixel as it was, to the bit."""
_MARGIN = math.ceil(REACH / GRID) * GRID


# ---- what goes in ----------------------------------------------------------------------------------------------------


def planes_of(beauty: Tensor, alpha: Tensor, depth: Tensor, normal: Tensor, camera: Camera) -> Tensor:
    """A frame as the network takes it, [8, H, W]. `normal` is [H, W, 3] in the world; it is turned into the camera.

    Inverse depth is 1 / (1 + metres), 0 where nothing is: near things get most of the range, whatever the scene's size.
    """
    near = torch.where(depth > 0, 1 / (1 + depth.clamp_min(0)), torch.zeros_like(depth))
    x, y, z = normal.unbind(-1)
    axes = camera.pose[:3, :3].T.tolist()  # rows: the camera's axes in the world
    turned = [row[0] * x + row[1] * y + row[2] * z for row in axes]
    return torch.cat([beauty.movedim(-1, 0), torch.stack([near, alpha, *turned])])


def mirrored(planes: Tensor) -> Tensor:  # [..., H, W]
    """Grown at the right and at the bottom to multiples of `GRID` by what the frame's edge reflects."""
    for axis in (-2, -1):
        size = planes.shape[axis]
        whole = math.ceil(size / GRID) * GRID
        if whole > size:
            back = max(1, 2 * (size - 1))  # the period of a reflection that does not repeat the edge
            at = [min(i % back, back - i % back) if size > 1 else 0 for i in range(whole)]
            planes = planes.index_select(axis, torch.tensor(at, device=planes.device))
    return planes


# ---- a frame, by tiles -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """A part of a frame (`rows`, `columns`) and the larger part that must be read for it."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    read_rows: tuple[int, int]
    read_columns: tuple[int, int]


def tiles_of(height: int, width: int, largest: tuple[int, int] = TILE) -> tuple[Tile, ...]:
    """Parts of a frame whose sides are multiples of `GRID`, evenly cut on the grid; a function of its size alone."""
    down = math.ceil(height / largest[0])
    across = math.ceil(width / largest[1])
    if down * across == 1 and max(height, width) >= _WORTH_HALVING:
        down, across = (2, 1) if height > width else (1, 2)
    found = []
    for top, bottom in _cuts(height, down):
        for left, right in _cuts(width, across):
            read_rows = max(0, top - _MARGIN), min(height, bottom + _MARGIN)
            read_columns = max(0, left - _MARGIN), min(width, right + _MARGIN)
            found.append(Tile((top, bottom), (left, right), read_rows, read_columns))
    return tuple(found)


def _cuts(size: int, parts: int) -> list[tuple[int, int]]:
    ends = [round(size / GRID * part / parts) * GRID for part in range(parts + 1)]
    return list(itertools.pairwise(ends))


def refine_planes(
    net: Callable[[Tensor], Tensor],  # [1, C, h, w] -> [1, 3, h, w], of this reach
    planes: Tensor,  # [C, H, W]
    largest: tuple[int, int] | None = None,
) -> Tensor:  # [3, H, W]
    """The network's picture of a frame of any size. On a CPU one thread a tile, as many tiles at a time as there are
    threads; `largest` bounds a tile, and no bit depends on it."""
    height, width = planes.shape[-2:]
    padded = mirrored(planes)
    on_cpu = padded.device.type == "cpu"
    result = padded.new_empty(3, *padded.shape[-2:])

    def work(tile: Tile) -> None:
        (top, bottom), (left, right) = tile.read_rows, tile.read_columns
        with torch.inference_mode():
            found = net(padded[None, :, top:bottom, left:right])[0]
            rows = slice(tile.rows[0] - top, tile.rows[1] - top)
            columns = slice(tile.columns[0] - left, tile.columns[1] - left)
            result[:, slice(*tile.rows), slice(*tile.columns)] = found[:, rows, columns]

    tiles = tiles_of(padded.shape[-2], padded.shape[-1], largest or (TILE if on_cpu else TILE_GPU))
    if on_cpu:
        each_in_one_thread(work, tiles)
    else:
        for tile in tiles:
            work(tile)
    return result[:, :height, :width]


def each_in_one_thread(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """`work` on every item, its results in order; several at a time, each with one of torch's threads.

    How torch shares one convolution among threads is left out of it: barriers between its threads cost more than they
    save on a busy machine, and no sum's order depends on how many threads there are.
    """
    with one_torch_thread():
        return list(_pool(threads_wanted()).map(work, items))


@lru_cache(maxsize=1)
def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads that stay: what oneDNN prepares for a convolution it keeps by thread."""
    return ThreadPoolExecutor(workers, "refiner", initializer=torch.set_num_threads, initargs=(1,))


# ---- several steps ---------------------------------------------------------------------------------------------------


def signal_at(time: float) -> float:
    """The part of the variance that is no noise at a diffusion time: a cosine (Nichol and Dhariwal 2021, without their
    offset)."""
    return math.cos(0.5 * math.pi * time / TIMES) ** 2


def refine_in_steps(net: LocalUNet, planes: Tensor, noise: Tensor, steps: int) -> Tensor:  # [13, H, W], [3, H, W]
    """Noise to a picture in a few steps of DDIM without new noise (Song et al. 2021), each of them by tiles.

    The last step's change is held by the bound like that of one step. An edit reaches `steps` times as far.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected at least 1")
    times = [(TIMES - 1) * (steps - step) / steps for step in range(steps)]
    change = noise
    for time, after in itertools.pairwise(times):
        signal, kept = signal_at(time), signal_at(after)
        clean = refine_planes(partial(net.learnt, time=time), torch.cat([planes, change])) / UNIT
        left = (change - math.sqrt(signal) * clean) / math.sqrt(1 - signal)
        change = math.sqrt(kept) * clean + math.sqrt(1 - kept) * left
    return refine_planes(partial(net, time=times[-1]), torch.cat([planes, change]))


@dataclass(frozen=True, eq=False)
class Steps:
    """The mode of several steps: how many, and which noise a frame begins with ([H, W, 3], of variance 1)."""

    count: int
    noise: Callable[[BareFrame], Tensor]


@dataclass(frozen=True, eq=False)
class SceneRefiner:
    """A trained network as a per-frame refiner (`contract.Refiner`); in one step where no `steps` are given."""

    net: LocalUNet
    opinions: Opinions
    device: torch.device
    steps: Steps | None = None

    def __call__(self, frame: BareFrame) -> Tensor:
        """The refined beauty, [H, W, 3], on the frame's device.

        The opinions are of the set alone: where somebody stands before it they are not asked.
        """
        planes = planes_of(frame.beauty, frame.alpha, frame.depth, frame.normal, frame.camera).to(self.device)
        asked = (frame.owner == 0).to(planes)
        backend = "cpu" if self.device.type == "cpu" else "gsplat"
        planes = torch.cat([planes, self.opinions.planes(frame.camera, asked, backend)])
        if self.steps is None:
            refined = refine_planes(self.net, planes)
        else:
            noise = self.steps.noise(frame).movedim(-1, 0).to(planes)
            refined = refine_in_steps(self.net, planes, noise, self.steps.count)
        return refined.movedim(0, -1).contiguous().to(frame.beauty.device)


# ---- on disk ---------------------------------------------------------------------------------------------------------


def save_refiner(net: LocalUNet, others: Sequence[Path], folder: Path, facts: Mapping[str, Any]) -> None:
    """Write a refiner into a folder that `open_refiner` and `stored.find_refiner` read; its description comes last.

    `others` are the splat files of the opinions, which are copied; `facts` say where it comes from. Raises
    `StorageError`.
    """
    from safetensors.torch import save_file

    weights = {name: values.detach().cpu().contiguous() for name, values in net.state_dict().items()}
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    opinions_of.keep(others, folder)
    value = {
        "format": "splatfilm-network",
        "version": 2,
        "settings": asdict(net.settings),
        "say": net.say,
        "opinions": len(others),
    }
    write_json(folder / NETWORK, value)
    describe_refiner(folder, REFINER_VERSION, REACH, facts)


def load_refiner(folder: Path) -> tuple[LocalUNet, Opinions]:
    """What is in a folder. Raises `InputError` when its files are missing, damaged, or hold weights not finite."""
    value, path = read_json(folder / NETWORK), folder / NETWORK
    try:
        settings = NetSettings(tuple(int(n) for n in value["settings"]["channels"]), float(value["settings"]["bound"]))
        count, say = int(value["opinions"]), float(value.get("say", 1.0))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.at(path, f"not the description of a network: {error} (train it again)") from error
    path, net = folder / WEIGHTS, LocalUNet(settings)
    net.say = say
    tensors = _tensors(path)
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError.at(path, f"not the weights of this network: {str(error).splitlines()[0]}") from error
    if bad := [name for name, values in tensors.items() if not bool(torch.isfinite(values).all())]:
        raise InputError.at(path, "has weights that are not finite: train the refiner again", bad[0])
    return net.eval(), opinions_of.kept(folder, count)


def _tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError.at(path, "no such file: train the refiner again") from None
    except (OSError, SafetensorError) as error:
        raise InputError.at(path, f"is damaged ({error}): train the refiner again") from error


def open_refiner(folder: Path, device: str, steps: Steps | None = None) -> SceneRefiner:
    """The refiner stored in a folder, on a device. Raises `InputError` for files that are damaged."""
    where = torch.device(device)
    net, known = load_refiner(folder)
    return SceneRefiner(net.to(where), known.to(where), where, steps)
