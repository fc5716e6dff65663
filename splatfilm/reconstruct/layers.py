"""From one actor in clothes to layers: whose splat is it, and learning a garment over a body that stays.

A capture may hold id masks beside its photographs (`ids/NAME.png`, one number a pixel). A splat belongs to the id that it
shows most: the sum, over all training photographs, of its blended weight at the pixels of each id. That sum is exactly the
gradient of the rendered picture with respect to the splat's colour, so the renderer's backward pass counts the votes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.cameras import Camera
from splatfilm.capture import Capture, Photograph, SparsePoints
from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.reconstruct.settings import Settings
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import RenderSettings, render
from splatfilm.splats import Splats

IDS = "ids"
UNSEEN = 0
"""The label of a splat that no training photograph shows: it belongs to nothing."""
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
        path = _mask_of(capture, photograph)
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


def _mask_of(capture: Capture, photograph: Photograph) -> Path | None:
    path = capture.path / IDS / f"{photograph.image.stem}.png"
    return path if path.is_file() else None


def votes(splats: Splats, marks: Sequence[Marked], ids: Sequence[int], backend: str = "auto") -> torch.Tensor:
    """How much each splat shows of each id, in pixels: [N, len(ids)]."""
    plain = dataclasses.replace(splats, sh=torch.zeros_like(splats.sh[:, :1]))
    total = splats.means.new_zeros(len(splats), len(ids))
    from splatfilm.render.constants import SH_C0

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
    result = np.array(ids, dtype=np.uint8)[best]
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
    trainer = Trainer(dict(views), dataclasses.replace(settings, budget=max(settings.budget, len(first))), extent, anchor)
    trainer.below = below
    trainer.begin(parameters_of(first))
    while trainer.step < settings.steps:
        trainer.advance()
    trainer.check()
    return trainer.splats()


def _extent(cameras: Sequence[Camera], points: SparsePoints | None = None) -> float:
    from splatfilm.reconstruct.initialise import scene_extent

    return scene_extent(cameras, points)


def split_file_name(ids: Sequence[int]) -> str:
    """What a layer of some ids is called beside the splats that it was taken from."""
    return f"layer-{'-'.join(map(str, sorted(ids)))}.ply"


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
