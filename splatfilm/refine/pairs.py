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
from splatfilm.capture import Capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import Settings, reconstruct
from splatfilm.reconstruct.trainer import View
from splatfilm.refine.net import planes_of
from splatfilm.render import resolve_backend
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.splats import Splats, read_splats

FOLDS = "folds"


@dataclass(frozen=True)
class PairSettings:
    """How pairs are made. `folds` 0 takes renders of the asset at its own photographs, where nothing is left out."""

    folds: int = 4
    share: float = 0.5  # of the reconstruction's steps, for the splats of each fold
    own_every: int = 3  # of the photographs, one in so many is also paired with the asset's own render

    def __post_init__(self) -> None:
        if self.folds < 0 or self.folds == 1:
            raise ValueError(f"folds is {self.folds}: expected 0, or at least 2")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}: expected more than 0, at most 1")
        if self.own_every < 1:
            raise ValueError(f"own_every is {self.own_every}: expected at least 1")


@dataclass(frozen=True, eq=False)
class Pair:
    """One render and the photograph that it should have been, on the CPU."""

    name: str
    held_out: bool  # the splats never saw this photograph
    planes: Tensor  # [8, H, W] float16: what the network takes, without the sampler's state
    truth: Tensor  # [3, H, W] float16, multiplied by its matte
    weight: Tensor | None  # [H, W] float32, 0 for pixels that do not count


def pair_of(splats: Splats, view: View, backend: str, held_out: bool) -> Pair:
    """The render of some splats beside the photograph of a view."""
    planes = seen_by(splats, view, backend)[3:].to(device="cpu", dtype=torch.float16)
    truth = view.over((0.0, 0.0, 0.0)).movedim(-1, 0).to(device="cpu", dtype=torch.float16)
    return Pair(view.name, held_out, planes, truth, None if view.weight is None else view.weight.cpu())


def seen_by(splats: Splats, view: View, backend: str) -> Tensor:  # [11, H, W]
    """What the network takes of some splats at a view, before black."""
    frame = render_passes(splats, view.camera, PassInputs(("normal",)), backend=backend)
    normal = frame.layers["normal"].to(frame.beauty.device)
    return planes_of(frame.beauty, frame.alpha, frame.depth, normal, view.camera)


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
    near = splats.to(device_of(settings))
    return (*held_out, *(pair_of(near, view, settings.backend, held_out=False) for view in own))


def _held_out(
    capture: Capture,
    views: Sequence[View],
    settings: Settings,
    pairs: PairSettings,
    folder: Path,
    progress: Progress,
) -> list[Pair]:
    by_name = {view.name: view for view in views}
    found: dict[str, Pair] = {}
    for number, (rest, names) in enumerate(fold_captures(capture, pairs.folds), 1):
        progress.say(f"{capture.path.name}: fold {number} of {pairs.folds}, {len(names)} photographs left out")
        result = reconstruct(rest, fold_settings(settings, pairs), folder / FOLDS, progress)
        splats = read_splats(result.splats).to(device_of(settings))
        found.update({name: pair_of(splats, by_name[name], settings.backend, held_out=True) for name in names})
    return [found[view.name] for view in views]
