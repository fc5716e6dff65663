"""From one actor in clothes to layers: whose splat is it, and learning a garment over a body that stays.

A capture may hold id masks beside its photographs (`ids/NAME.png`, one number a pixel). A splat belongs to the id that
it shows most: the sum, over all training photographs, of its blended weight at the pixels of each id. That sum is
exactly the gradient of the rendered picture with respect to the splat's colour, so the renderer's backward pass counts
the votes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.capture import Capture, SparsePoints
from splatfilm.reconstruct import checkpoint
from splatfilm.reconstruct.layer_key import IDS, mask_of
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.settings import Settings
from splatfilm.reconstruct.surface import found_points, surface_of
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import RenderSettings, render, resolve_backend
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats

UNSEEN = 0
"""The label of a splat that no training photograph shows: it belongs to nothing."""
OVER_SHARE = 0.6
"""Of a reconstruction's steps: a layer learnt over others is one thing of several, and they are there already."""
_REPORT_EVERY = 10  # steps between two calls of the progress
_CHANNELS = 3


@dataclass(frozen=True, eq=False)
class Marked:
    """A camera and whose each of its pixels is."""

    camera: Camera
    ids: NDArray[np.uint8]  # [H, W]


@dataclass(frozen=True, eq=False)
class Learnt:
    """A layer, and what it took."""

    splats: Splats
    steps: int
    seconds: float
    train_psnr: float


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


@dataclass(frozen=True)
class Kept:
    """Where a layer's training is frozen now and then, and the key that its checkpoints bear."""

    folder: Path
    key: str


def learn_over(below: Splats, trainer: Trainer, kept: Kept | None = None, progress: Progress = SILENT) -> Splats:
    """Train in pictures that also show `below`, which does not change by a bit. `trainer` stands at its beginning.

    A training that was killed goes on from its last checkpoint in `kept`. Returns what was learnt, without `below`.
    """
    trainer.below = below
    steps = trainer.settings.steps
    if kept is not None:
        found, _ = checkpoint.newest(kept.folder, kept.key)
        if found is not None:
            trainer.resume(found)
    saved = time.monotonic()
    while trainer.step < steps:
        trainer.advance()
        if trainer.step % _REPORT_EVERY == 0 or trainer.step == steps:
            progress.advance(trainer.step, f"{trainer.train_psnr:.1f} dB, {len(trainer.gaussians['means']):,} splats")
        if kept is not None and time.monotonic() - saved > checkpoint.SECONDS and trainer.step < steps:
            trainer.check()
            checkpoint.save(kept.folder, kept.key, trainer.state())
            saved = time.monotonic()
    trainer.check()
    return trainer.splats()


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


def points_of(capture: Capture, marks: Sequence[Marked], ids: Sequence[int]) -> SparsePoints:
    """The points that were found in a capture and that most of its id masks have in `ids`.

    Raises `InputError` when there are none.
    """
    points = found_points(capture.points)
    if points is None or not len(points.positions):
        raise InputError.at(capture.path, "a layer that is learnt over others begins on sparse points: there are none")
    inside, seen = np.zeros(len(points.positions)), np.zeros(len(points.positions))
    for marked in marks:
        camera = marked.camera
        local = (points.positions - camera.position) @ camera.pose[:3, :3]
        depth = np.maximum(local[:, 2], 1e-9)
        column = np.floor(camera.fx * local[:, 0] / depth + camera.cx).astype(int)
        row = np.floor(camera.fy * local[:, 1] / depth + camera.cy).astype(int)
        shown = (local[:, 2] > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
        seen += shown
        inside[shown] += np.isin(marked.ids[row[shown], column[shown]], list(ids))
    own = inside > 0.5 * np.maximum(seen, 1)
    if not own.any():
        raise InputError.at(capture.path, f"no sparse point belongs to {', '.join(map(str, ids))}", IDS)
    return SparsePoints(points.positions[own], points.colours[own])


def _without_the_rest(view: View, ids: NDArray[np.uint8], own: Sequence[int], below: Splats, backend: str) -> View:
    """A photograph in which what belongs to neither `own` nor the empty ground looks as `below` does.

    So a garment is not asked to paint its own shadow onto a face that must not change.
    """
    others = torch.from_numpy((ids != 0) & ~np.isin(ids, list(own))).to(view.colour.device)
    frame = render(below, view.camera, RenderSettings(), backend=backend)
    colour = torch.where(others[..., None], frame.beauty.to(view.colour.dtype), view.colour)
    matte = None if view.matte is None else torch.where(others, frame.alpha.to(view.matte.dtype), view.matte)
    return dataclasses.replace(view, colour=colour, matte=matte)


def learn_layer(
    capture: Capture,
    ids: Sequence[int],
    below: Splats,
    settings: Settings,
    kept: Kept | None = None,
    progress: Progress = SILENT,
) -> Learnt:
    """One layer of a capture, learnt from its sparse points over `below`, which stands in the capture's world."""
    from splatfilm.capture.pictures import load_pictures
    from splatfilm.reconstruct.initialise import chosen_points, from_points, on_surface, scene_extent
    from splatfilm.reconstruct.run import budget_for

    started = time.monotonic()
    marks = read_marks(capture, settings.longest or 1 << 20) if ids else ()
    train = [photograph for photograph in capture.of("train") if not ids or mask_of(capture, photograph) is not None]
    device = torch.device("cuda" if resolve_backend(settings.backend).name == "gsplat" else "cpu")
    pictures = load_pictures(train, settings.longest, lambda done: None)
    below = below.to(device)
    views = [View.of(picture, device) for picture in pictures]
    points = found_points(capture.points)
    with one_torch_thread():
        if ids:
            points = points_of(capture, marks, ids)
            views = [
                _without_the_rest(view, marked.ids, ids, below, settings.backend)
                for view, marked in zip(views, marks, strict=True)
            ]
        if points is None:
            raise InputError.at(capture.path, "a layer that is learnt over others begins on sparse points")
        covered = _share_of(marks, ids) if ids else 1.0
        budget = max(1, round(covered * budget_for(settings.budget, views)))
        steps = max(1, round(OVER_SHARE * settings.steps))
        own = dataclasses.replace(settings, steps=steps, coarse=(), gains=False, budget=budget)
        extent = scene_extent([photograph.camera for photograph in train], capture.points)
        anchor = f"{capture.path.name} {sorted(ids)}"
        trainer = Trainer({1.0: views}, own, extent, anchor)
        first = from_points(points, budget, extent, generator(anchor, "first splats", 0))
        if (surface := surface_of(capture.points)) is not None:
            own_pixels = [np.isin(marked.ids, list(ids)) for marked in marks] or None
            more = on_surface(chosen_points(surface, views, budget, own_pixels), extent)
            first = {name: torch.cat([values, more[name]])[:budget] for name, values in first.items()}
        trainer.begin(first)
        if marks:
            trainer.alone = [_own_pixels(marked.ids, ids).to(device) for marked in marks]
        progress.start(f"learning {capture.path.name} over {len(below):,} splats that stay", steps, "steps")
        splats = learn_over(below, trainer, kept, progress)
        progress.finish(f"{trainer.train_psnr:.1f} dB")
    return Learnt(splats, steps, round(time.monotonic() - started, 1), round(trainer.train_psnr, 3))


def _own_pixels(ids: NDArray[np.uint8], own: Sequence[int]) -> torch.Tensor:  # [H, W] -> [H, W] float32
    """1 where a mask has `own` or nothing, a pixel or more away from everything else."""
    other = torch.from_numpy((ids != 0) & ~np.isin(ids, list(own))).float()
    near = torch.nn.functional.max_pool2d(other[None, None], 3, 1, 1)[0, 0]
    return 1 - near


def _share_of(marks: Sequence[Marked], ids: Sequence[int]) -> float:
    """Which part of everything that the masks show belongs to `ids`."""
    shown = sum(int((marked.ids != 0).sum()) for marked in marks)
    return sum(int(np.isin(marked.ids, list(ids)).sum()) for marked in marks) / max(1, shown)
