"""A reconstruction and its capture to a scene refiner stored beside it, and to a baked asset beside that.

Both are found again by what went into them, and go on after a kill where they stopped.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from splatfilm.base.files import atomic_path, write_json
from splatfilm.base.hashing import hash_file
from splatfilm.base.progress import SILENT, Progress
from splatfilm.capture import Capture
from splatfilm.reconstruct import Reconstruction, Settings
from splatfilm.reconstruct.evaluate import rendered
from splatfilm.reconstruct.losses import psnr
from splatfilm.reconstruct.trainer import View
from splatfilm.refine import baked
from splatfilm.refine.bake import Ground, Outcome, bake, score_of_refiner, sharpness, write_before_and_after
from splatfilm.refine.baked import Baked, find_baked, folder_of, record_of
from splatfilm.refine.net import LocalUNet, load_refiner, refine_planes, save_refiner
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.pairs import device_of, make_pairs, seen_by, views_of
from splatfilm.refine.recipe import Recipe, bake_key, plain, refiner_key
from splatfilm.refine.stored import FOLDER, find_refiner
from splatfilm.refine.train import RefinerTraining, train_refiner
from splatfilm.splats import read_splats, write_ply

_WORK = ".refining"
_SAYS = (0.0, 0.25, 0.5, 0.75, 1.0)


def learn_refiner(
    capture: Capture, made: Reconstruction, settings: Settings, recipe: Recipe, progress: Progress = SILENT
) -> tuple[LocalUNet, Opinions]:
    """The refiner of a reconstruction, trained or found in the folder `refiner` beside its splats.

    Raises as `reconstruct` does, and `InputError` for a capture with too few photographs for the folds.
    """
    key, place = refiner_key(made.key, recipe), made.folder / FOLDER
    found = find_refiner(made.splats)
    device = device_of(settings)
    if found is not None and found.facts.get("key") == key:
        net, known = load_refiner(place)
        return net.to(device), known.to(device)
    started = time.monotonic()
    splats = read_splats(made.splats).to(device)
    lesson = make_pairs(capture, splats, settings, recipe.pairs, made.folder.parent, progress)
    net = train_refiner(RefinerTraining(lesson.pairs, recipe.train, key, device), made.folder / _WORK, key, progress)
    known = Opinions(splats, tuple(read_splats(path).to(device) for path in lesson.opinions))
    if known.others:
        net.say = say_of(net, known, views_of(capture, "test", settings), settings.backend)
    facts: dict[str, Any] = {
        "key": key,
        "trained on": capture.path.name,
        "reconstruction": made.key,
        "pairs": plain(recipe.pairs),
        "training": plain(recipe.train),
        "seconds": round(time.monotonic() - started, 1),
        "licence": capture.sheet.licence,
    }
    with contextlib.suppress(OSError):
        shutil.rmtree(place)
    save_refiner(net, lesson.opinions, place, facts)
    with contextlib.suppress(OSError):
        shutil.rmtree(made.folder / _WORK)
    return net, known


def say_of(net: LocalUNet, known: Opinions, views: Sequence[View], backend: str) -> float:
    """How much of the network's part to take: what is best, by PSNR, at photographs that nothing was taught with.

    What the network learns of the folds, which know less than the asset and those it asks, need not hold for these.
    """
    sums = [0.0] * len(_SAYS)
    for view in views:
        planes, truth = seen_by(known, view.camera, backend), view.over((0.0, 0.0, 0.0))
        agreed = planes[:3] + planes[8:11]
        learnt = refine_planes(net, planes) - agreed
        for index, say in enumerate(_SAYS):
            sums[index] += psnr((agreed + say * learnt).movedim(0, -1), truth, view.weight)
    return _SAYS[max(range(len(_SAYS)), key=lambda index: sums[index])] if views else 1.0


def bake_asset(
    capture: Capture,
    made: Reconstruction,
    settings: Settings,
    recipe: Recipe,
    folder: Path,
    progress: Progress = SILENT,
) -> Baked:
    """The baked asset under `folder`, made or found. The reconstruction stays as it is.

    `made` is the reconstruction of `capture` with `settings`. Raises as `learn_refiner` and `bake.bake` do.
    """
    key = bake_key(made.key, recipe)
    there = find_baked(folder, key)
    if there is not None:
        return there
    started = time.monotonic()
    net, known = learn_refiner(capture, made, settings, recipe, progress)
    place = folder_of(folder, made.folder.name.rsplit("-", 1)[0], key)
    views, held_out = views_of(capture, "train", settings), views_of(capture, "test", settings)
    ground = Ground(read_splats(made.splats).to(device_of(settings)), views, held_out, settings, key)
    outcome = bake(ground, net, known.others, recipe.bake, place / _WORK, progress)
    facts = {
        "asset": made.key,
        "refiner": refiner_key(made.key, recipe),
        "settings": plain(recipe.bake),
        "seconds": round(time.monotonic() - started, 1),
        **_told(ground, outcome),
        "refined frame by frame": score_of_refiner(ground, net, known.others).as_plain(),
    }
    digest = _write(ground, outcome, made.splats, place)
    record = record_of(key, digest, facts)
    write_json(place / baked.RECORD, record)
    with contextlib.suppress(OSError):
        shutil.rmtree(place / _WORK)
    return Baked(place, key, digest, record)


def _told(ground: Ground, outcome: Outcome) -> dict[str, Any]:
    backend = ground.reconstruction.backend
    truth = [sharpness(rendered(ground.original, view, backend)[1]) for view in ground.held_out]
    return {
        "before": outcome.before.as_plain(),
        "after": outcome.after.as_plain(),
        "photographs": {"sharpness": round(sum(truth) / len(truth), 5)},
        "rounds": list(outcome.rounds),
        "kept": outcome.kept,
        "count": len(outcome.splats),
    }


def _write(ground: Ground, outcome: Outcome, source: Path, place: Path) -> str:
    """Splats and picture; the splats' hash. A bake that did not help has the asset's very file."""
    with atomic_path(place / baked.SPLATS) as temporary:
        if outcome.kept:
            write_ply(temporary, outcome.splats.to("cpu"))
        else:
            shutil.copyfile(source, temporary)
    pictures = ground.held_out, ground.reconstruction.backend
    write_before_and_after(place / baked.PICTURE, ground.original, outcome.splats, *pictures)
    return hash_file(place / baked.SPLATS)
