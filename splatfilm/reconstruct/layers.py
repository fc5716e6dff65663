"""From one actor in clothes to layers: whose splat is it, and learning a garment over a body that stays.

A capture may hold id masks beside its photographs (`ids/NAME.png`, one number a pixel). A splat belongs to the id that
it shows most: the sum, over all training photographs, of its blended weight at the pixels of each id. That sum is
exactly the gradient of the rendered picture with respect to the splat's colour, so the renderer's backward pass counts
the votes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.cameras import Camera
from splatfilm.capture import Capture, SparsePoints
from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.reconstruct.layer_key import IDS, mask_of
from splatfilm.reconstruct.settings import Settings
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import RenderSettings, render, resolve_backend
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats

UNSEEN = 0
"""The label of a splat that no training photograph shows: it belongs to nothing."""
OVER_SHARE = 0.25
"""Of a reconstruction's steps: a layer that is learnt over others starts from what was found with all of them free."""
_CHANNELS = 3
_CEILING = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Marked:
    """A camera and whose each of its pixels is."""

    camera: Camera
    ids: NDArray[np.uint8]  # [H, W]


def read_marks(capture: Capture, longest: int) -> tuple[Marked, ...]:
    """The id masks of the training photographs, at most `longest` pixels long; nearest pixels, never mixed.

    Raises `InputError` when there are none, or one has another size than its photograph.
    """
    marks = []
    for photograph in capture.of("train"):
        path = mask_of(capture, photograph)
        if path is None:
            continue
        try:
            with Image.open(path) as picture:
                ids = np.array(picture if picture.mode in ("L", "P") else picture.convert("L"), dtype=np.uint8)
        except (OSError, ValueError) as error:
            raise InputError.at(path, f"is no picture of ids: {error}") from None
        camera = photograph.camera
        if ids.shape != (camera.height, camera.width):
            found = f"{ids.shape[1]} x {ids.shape[0]}"
            raise InputError.at(path, f"is {found}, but its photograph is {camera.width} x {camera.height}")
        share = min(1.0, longest / max(ids.shape))
        width, height = max(1, round(camera.width * share)), max(1, round(camera.height * share))
        rows = ((np.arange(height) + 0.5) * ids.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * ids.shape[1] / width).astype(int)
        marks.append(Marked(camera.scaled(width, height), ids[rows[:, None], columns]))
    if not marks:
        raise InputError.at(capture.path / IDS, "no id mask of a training photograph is here: expected ids/NAME.png")
    return tuple(marks)


def votes(splats: Splats, marks: Sequence[Marked], ids: Sequence[int], backend: str = "auto") -> torch.Tensor:
    """How much each splat shows of each id, in pixels: [N, len(ids)]."""
    plain = dataclasses.replace(splats, sh=torch.zeros_like(splats.sh[:, :1]))
    total = splats.means.new_zeros(len(splats), len(ids))
    for marked in marks:
        for first in range(0, len(ids), _CHANNELS):
            chosen = list(ids[first : first + _CHANNELS])
            sh = plain.sh.expand(-1, 1, 3).clone().requires_grad_(True)
            frame = render(dataclasses.replace(plain, sh=sh), marked.camera, RenderSettings(), backend=backend)
            wanted = np.zeros((*marked.ids.shape, _CHANNELS), dtype=np.float32)
            for channel, number in enumerate(chosen):
                wanted[..., channel] = marked.ids == number
            frame.beauty.backward(torch.from_numpy(wanted).to(frame.beauty.device))  # type: ignore[no-untyped-call]
            assert sh.grad is not None
            total[:, first : first + len(chosen)] += sh.grad[:, 0, : len(chosen)] / SH_C0
    return total


def label(splats: Splats, marks: Sequence[Marked], backend: str = "auto") -> NDArray[np.uint8]:  # -> [N]
    """The id that each splat shows most; `UNSEEN` for splats that show nothing or most of all the empty ground."""
    ids = sorted({int(number) for marked in marks for number in np.unique(marked.ids)} | {0})
    counted = votes(splats, marks, ids, backend)
    best = counted.argmax(dim=1).cpu().numpy()
    result: NDArray[np.uint8] = np.array(ids, dtype=np.uint8)[best]
    result[counted.sum(dim=1).cpu().numpy() <= 0] = UNSEEN
    return result


def chosen(splats: Splats, rows: NDArray[np.bool_]) -> Splats:
    """The splats of some rows."""
    at = torch.from_numpy(np.nonzero(rows)[0]).to(splats.device)
    fields = {name: getattr(splats, name)[at] for name in ("means", "quats", "scales", "opacities", "sh")}
    return dataclasses.replace(splats, **fields)


def parameters_of(splats: Splats) -> Gaussians:
    """Splats as an optimiser holds them."""
    opacities = splats.opacities.double().clamp(1e-6, _CEILING)
    return {
        "means": splats.means.clone(),
        "log_scales": splats.scales.double().log().float(),
        "quats": splats.quats.clone(),
        "logits": torch.log(opacities / (1 - opacities)).float(),
        "sh0": splats.sh[:, :1].clone(),
        "sh_rest": splats.sh[:, 1:].clone(),
    }


def learn_over(
    below: Splats, first: Splats, views: Mapping[float, Sequence[View]], settings: Settings, anchor: str
) -> Splats:
    """Train the splats `first` in pictures that also show `below`, which does not change by a bit.

    `views`, `settings` and `anchor` as a `Trainer` takes them. Returns what became of `first` alone.
    """
    cameras = [view.camera for view in next(iter(views.values()))]
    extent = _extent(cameras)
    trainer = Trainer(
        dict(views), dataclasses.replace(settings, budget=max(settings.budget, len(first))), extent, anchor
    )
    trainer.below = below
    trainer.begin(parameters_of(first))
    while trainer.step < settings.steps:
        trainer.advance()
    trainer.check()
    return trainer.splats()


def _extent(cameras: Sequence[Camera], points: SparsePoints | None = None) -> float:
    from splatfilm.reconstruct.initialise import scene_extent

    return scene_extent(cameras, points)


def split(
    splats: Splats, capture: Capture, ids: Sequence[int], settings: Settings, progress: Progress = SILENT
) -> Splats:
    """The splats of a capture that belong to `ids`. Raises `InputError` when none does."""
    marks = read_marks(capture, settings.longest or 1 << 20)
    progress.say(f"{capture.path.name}: telling apart {len(splats):,} splats in {len(marks)} photographs")
    labels = label(splats, marks, settings.backend)
    rows = np.isin(labels, list(ids))
    if not rows.any():
        found = ", ".join(map(str, np.unique(labels)))
        raise InputError.at(capture.path, f"no splat belongs to {', '.join(map(str, ids))}; there is {found}", IDS)
    return chosen(splats, rows)


def learn_layer(
    capture: Capture,
    splats: Splats,
    ids: Sequence[int],
    below: Splats | None,
    settings: Settings,
    progress: Progress = SILENT,
) -> Splats:
    """One layer of a capture that was reconstructed as `splats`: what belongs to `ids`, learnt over `below`.

    `below` stands in the capture's world. Without it the layer is what the reconstruction has of it.
    """
    from splatfilm.capture.pictures import load_pictures
    from splatfilm.reconstruct.run import one_torch_thread

    own = split(splats, capture, ids, settings, progress) if ids else splats
    if below is None:
        return own
    train = capture.of("train")
    device = torch.device("cuda" if resolve_backend(settings.backend).name == "gsplat" else "cpu")
    pictures = load_pictures(train, settings.longest, lambda done: None)
    steps = max(1, round(OVER_SHARE * settings.steps))
    quieter = dataclasses.replace(settings.growth, noise=0.0)
    shorter = dataclasses.replace(settings, steps=steps, coarse=(), growth=quieter, gains=False)
    progress.say(f"{capture.path.name}: learning {len(own):,} splats over {len(below):,} that stay, {steps} steps")
    views = {1.0: [View.of(picture, device) for picture in pictures]}
    with one_torch_thread():
        return learn_over(below.to(device), own.to(device), views, shorter, f"{capture.path.name} {sorted(ids)}")
