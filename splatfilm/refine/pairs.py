"""What a scene refiner learns from: renders of splats that never saw a photograph, beside that photograph.

Splats look better where they were trained than anywhere else, so a refiner taught with renders at the training views
learns too little. The capture's photographs are dealt into K folds; splats are trained without one of them, several
times, and rendered at its photographs: one of them stands for the asset and the rest are what others say of it
(`opinions`), none of which saw the photograph. The splats that are asked in the end saw all photographs but an eighth
and were trained longer: they are better than any fold's. The trainings are reconstructions like any other: found again
by what went into them, and resumed after a kill. Without folds, or with one training a fold, renders of the asset
itself come in, for its own faults must be known as well.
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
from splatfilm.refine.net import planes_of
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.recipe import PairSettings
from splatfilm.render import resolve_backend
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.splats import Splats, read_splats

FOLDS = "folds"
_LEFT_OUT = 8  # one photograph in so many of a fold's are left out for another opinion
_FEW = 60  # photographs: of so few every one is paired with each of its fold's splats in turn


@dataclass(frozen=True, eq=False)
class Pair:
    """One render and the photograph that it should have been, on the CPU."""

    name: str
    held_out: bool  # the splats never saw this photograph
    planes: Tensor  # [13, H, W] float16: what the network takes
    truth: Tensor  # [3, H, W] float16, multiplied by its matte
    weight: Tensor | None  # [H, W] float32, 0 for pixels that do not count


def pair_of(splats: Splats, view: View, backend: str, others: Sequence[Splats], held_out: bool) -> Pair:
    """The render of some splats, and what others say of it, beside the photograph of a view."""
    planes = seen_by(Opinions(splats, tuple(others)), view.camera, backend).to(device="cpu", dtype=torch.float16)
    truth = view.over((0.0, 0.0, 0.0)).movedim(-1, 0).to(device="cpu", dtype=torch.float16)
    return Pair(view.name, held_out, planes, truth, None if view.weight is None else view.weight.cpu())


def seen_by(known: Opinions, camera: Camera, backend: str) -> Tensor:  # [13, H, W]
    """What the network takes of an asset through a camera, before black."""
    assert known.own is not None, "there is something to see"
    with torch.no_grad():
        frame = render_passes(known.own, camera, PassInputs(("normal",)), backend=backend)
        normal = frame.layers["normal"].to(frame.beauty.device)
        planes = planes_of(frame.beauty, frame.alpha, frame.depth, normal, camera)
        said = known.planes(camera, torch.ones_like(frame.depth), backend, frame.beauty)
    return torch.cat([planes, said])


def fold_settings(settings: Settings, pairs: PairSettings) -> Settings:
    """The settings of a fold's training: those of the asset, in fewer steps."""
    return dataclasses.replace(settings, steps=max(1, round(pairs.share * settings.steps)))


def asked_settings(settings: Settings, pairs: PairSettings) -> Settings:
    """The settings of splats that are kept to be asked: longer, with more room, and each resting on many splats."""
    steps, budget = round(pairs.asked_share * settings.steps), round(pairs.asked_room * settings.budget)
    return dataclasses.replace(settings, steps=max(1, steps), budget=max(1, budget), drop=pairs.asked_drop)


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


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a refiner is taught with: pairs, and the files of the splats whose opinions it will ask."""

    pairs: tuple[Pair, ...]
    opinions: tuple[Path, ...]


def make_pairs(
    capture: Capture,
    splats: Splats,
    settings: Settings,
    pairs: PairSettings,
    folder: Path,
    progress: Progress = SILENT,
) -> Lesson:
    """Pairs of a capture whose asset, trained with `settings`, is `splats`; the folds' trainings go under `folder`.

    Raises as `reconstruct` does. Held-out pairs come first, in the order of the photographs.
    """
    views = views_of(capture, "train", settings)
    held_out = _held_out(capture, views, settings, pairs, folder, progress) if pairs.folds else []
    if pairs.opinions > 1:
        return Lesson(tuple(held_out), _asked(capture, settings, pairs, folder, progress))
    near = splats.to(device_of(settings))
    own = views[:: pairs.own_every]
    return Lesson((*held_out, *(pair_of(near, v, settings.backend, (), held_out=False) for v in own)), ())


def opinion_captures(capture: Capture, count: int) -> Iterator[Capture]:
    """A capture, and the same without one photograph in eight, other ones each time: `count` in all."""
    for number in range(count):
        train = capture.of("train")
        less = {photograph.name for photograph in train[(number - 1) % _LEFT_OUT :: _LEFT_OUT]} if number else set()
        rest = tuple(photograph for photograph in capture.photographs if photograph.name not in less)
        yield dataclasses.replace(capture, photographs=rest, notes=()) if less else capture


def _asked(
    capture: Capture, settings: Settings, pairs: PairSettings, folder: Path, progress: Progress
) -> tuple[Path, ...]:
    """The splats that the refiner asks: of the whole capture but for an eighth, which makes each err elsewhere."""
    found = []
    for number, one in enumerate(opinion_captures(capture, pairs.asked + 1)):
        if number:
            progress.say(f"{capture.path.name}: opinion {number} of {pairs.asked}")
            found.append(reconstruct(one, asked_settings(settings, pairs), folder / FOLDS, progress).splats)
    return tuple(found)


def _held_out(
    capture: Capture,
    views: Sequence[View],
    settings: Settings,
    pairs: PairSettings,
    folder: Path,
    progress: Progress,
) -> list[Pair]:
    """Pairs in the order of the photographs."""
    found: dict[str, list[Pair]] = {}
    for number, (rest, names) in enumerate(fold_captures(capture, pairs.folds), 1):
        progress.say(f"{capture.path.name}: fold {number} of {pairs.folds}, {len(names)} photographs left out")
        trained = []
        for one in opinion_captures(rest, pairs.opinions):
            result = reconstruct(one, fold_settings(settings, pairs), folder / FOLDS, progress)
            trained.append(read_splats(result.splats).to(device_of(settings)))
        for index, view in enumerate(view for view in views if view.name in names):
            turns = range(pairs.opinions) if len(views) <= _FEW else [index % pairs.opinions]
            found[view.name] = [
                pair_of(trained[turn], view, settings.backend, trained[:turn] + trained[turn + 1 :], held_out=True)
                for turn in turns
            ]
    return [pair for view in views for pair in found[view.name]]
