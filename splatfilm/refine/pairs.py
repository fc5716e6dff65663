"""What a scene refiner learns from: renders of splats that never saw a photograph, beside that photograph.

Splats look better where they were trained than anywhere else, so a refiner taught with renders at the training views
learns too little. The capture's photographs are dealt into K folds; splats are trained K times without one of them and
rendered at its photographs. The trainings are reconstructions like any other: found again by what went into them, and
resumed after a kill. Some renders of the asset itself come with them, for its own faults must be known as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT, Progress
from splatfilm.cameras import Camera
from splatfilm.capture import Capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import Settings, reconstruct
from splatfilm.reconstruct.trainer import View
from splatfilm.refine.net import Photographs, planes_of, with_photographs
from splatfilm.refine.recipe import PairSettings
from splatfilm.refine.references import Reference
from splatfilm.render import render, resolve_backend
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.splats import Splats, read_splats

FOLDS = "folds"


@dataclass(frozen=True, eq=False)
class Pair:
    """One render and the photograph that it should have been, on the CPU."""

    name: str
    held_out: bool  # the splats never saw this photograph
    planes: Tensor  # [13, H, W] float16: what the network takes
    truth: Tensor  # [3, H, W] float16, multiplied by its matte
    weight: Tensor | None  # [H, W] float32, 0 for pixels that do not count


def pair_of(splats: Splats, view: View, backend: str, known: Photographs, held_out: bool) -> Pair:
    """The render of some splats, and what photographs are known, beside the photograph of a view."""
    planes = seen_by(splats, view.camera, backend, known).to(device="cpu", dtype=torch.float16)
    truth = view.over((0.0, 0.0, 0.0)).movedim(-1, 0).to(device="cpu", dtype=torch.float16)
    return Pair(view.name, held_out, planes, truth, None if view.weight is None else view.weight.cpu())


def seen_by(splats: Splats, camera: Camera, backend: str, known: Photographs) -> Tensor:  # [13, H, W]
    """What the network takes of some splats through a camera, before black."""
    frame = render_passes(splats, camera, PassInputs(("normal",)), backend=backend)
    normal = frame.layers["normal"].to(frame.beauty.device)
    planes = planes_of(frame.beauty, frame.alpha, frame.depth, normal, camera)
    return with_photographs(planes, known, camera, frame.depth)


def photographs_of(splats: Splats, views: Sequence[View], backend: str, most: int) -> Photographs:
    """Some of the views, evenly chosen, as what a refiner may look things up in; depth as the splats have it."""
    chosen = [views[index * len(views) // most] for index in range(most)] if len(views) > most else list(views)
    found = []
    with torch.no_grad():
        for view in chosen:
            depth = render(splats, view.camera, backend=backend).depth.to(torch.float16)
            colour = (view.over((0.0, 0.0, 0.0)).clamp(0, 1) * 255 + 0.5).to(torch.uint8).movedim(-1, 0).contiguous()
            found.append(Reference(view.name, view.camera, colour, depth))
    return Photographs.of(found)


def fold_settings(settings: Settings, pairs: PairSettings) -> Settings:
    """The settings of a fold's training: those of the asset, in fewer steps."""
    return dataclasses.replace(settings, steps=max(1, round(pairs.share * settings.steps)))


def fold_captures(capture: Capture, folds: int) -> Iterator[tuple[Capture, tuple[str, ...]]]:
    """For every fold the capture without it, and the names of its photographs: every K-th of those for training.

    Raises `InputError` for a capture with too few photographs to leave some of them out.
    """
    train = capture.of("train")
    if len(train) < 2 * folds:
        raise InputError.at(
            capture.path, f"has {len(train)} photographs for training: {folds} folds need at least {2 * folds}"
        )
    for fold in range(folds):
        rest = tuple(photograph for index, photograph in enumerate(train) if index % folds != fold)
        names = tuple(photograph.name for index, photograph in enumerate(train) if index % folds == fold)
        yield dataclasses.replace(capture, photographs=rest, notes=()), names


def views_of(capture: Capture, split: str, settings: Settings) -> tuple[View, ...]:
    """The photographs of a split at the size that the settings train at, on the device that they train on."""
    chosen = [photograph for photograph in capture.photographs if photograph.split == split]
    return tuple(View.of(picture, device_of(settings)) for picture in load_pictures(chosen, settings.longest))


def device_of(settings: Settings) -> torch.device:
    """Where the settings' backend works."""
    return torch.device("cuda" if resolve_backend(settings.backend).name == "gsplat" else "cpu")


def make_pairs(
    capture: Capture,
    splats: Splats,
    settings: Settings,
    pairs: PairSettings,
    folder: Path,
    progress: Progress = SILENT,
) -> tuple[Pair, ...]:
    """Pairs of a capture whose asset, trained with `settings`, is `splats`; the folds' trainings go under `folder`.

    Raises as `reconstruct` does. Held-out pairs come first, in the order of the photographs.
    """
    views = views_of(capture, "train", settings)
    held_out = _held_out(capture, views, settings, pairs, folder, progress) if pairs.folds else []
    own = views[:: pairs.own_every] if pairs.folds else views
    near, backend = splats.to(device_of(settings)), settings.backend
    known = photographs_of(near, views, backend, pairs.photographs)
    return (*held_out, *(pair_of(near, v, backend, known.without(v.name), held_out=False) for v in own))


def _held_out(
    capture: Capture,
    views: Sequence[View],
    settings: Settings,
    pairs: PairSettings,
    folder: Path,
    progress: Progress,
) -> list[Pair]:
    found: dict[str, Pair] = {}
    for number, (rest, names) in enumerate(fold_captures(capture, pairs.folds), 1):
        progress.say(f"{capture.path.name}: fold {number} of {pairs.folds}, {len(names)} photographs left out")
        result = reconstruct(rest, fold_settings(settings, pairs), folder / FOLDS, progress)
        splats = read_splats(result.splats).to(device_of(settings))
        known = photographs_of(splats, [v for v in views if v.name not in names], settings.backend, pairs.photographs)
        left_out = [view for view in views if view.name in names]
        found.update({v.name: pair_of(splats, v, settings.backend, known, held_out=True) for v in left_out})
    return [found[view.name] for view in views]
