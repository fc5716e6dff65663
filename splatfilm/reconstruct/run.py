"""`reconstruct`: from a capture to finished splats on disk, resumed where an earlier run was stopped."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from splatfilm.base.files import write_json
from splatfilm.base.hashing import hash_file
from splatfilm.base.progress import SILENT, Progress
from splatfilm.base.threads import one_torch_thread
from splatfilm.capture import Capture, capture_hash
from splatfilm.capture.pictures import load_pictures, shrunk
from splatfilm.reconstruct import checkpoint
from splatfilm.reconstruct.cache import (
    HELDOUT,
    RECORD,
    SPLATS,
    Reconstruction,
    folder_of,
    key_of,
    read_reconstruction,
)
from splatfilm.reconstruct.evaluate import scores, write_comparison
from splatfilm.reconstruct.initialise import from_frusta, from_points, scene_extent
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.settings import Settings
from splatfilm.reconstruct.surface import core_of, found_points, surface_of
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import resolve_backend
from splatfilm.splats import write_ply

CHECKPOINT_SECONDS = checkpoint.SECONDS
_SPLATS_PER_PIXEL = 0.5  # of an object with a matte, in the average photograph of it: more cannot be told apart
_LEAST_BUDGET = 2000  # splats, however small the object
_RANDOM_SHARE = 0.5  # of the budget: random splats to begin with when there are no points
_REPORT_EVERY = 10  # steps between two calls of the progress


@dataclass(frozen=True)
class Job:
    """One reconstruction to do: what, how, where, and its name before it exists."""

    capture: Capture
    settings: Settings
    place: Path
    key: str
    content: str  # the capture's hash


def reconstruct(
    capture: Capture,
    settings: Settings,
    folder: Path,
    progress: Progress = SILENT,
    memo: Path | None = None,
) -> Reconstruction:
    """Train splats on a capture, or return at once what an earlier run left under `folder` for the same content.

    `folder` holds one subfolder a result (see `cache`); `memo` remembers content hashes of unchanged files. A run that
    was killed goes on from its last checkpoint and ends with the same bits. Raises `InputError` for unusable
    pictures, `DivergedError` for numbers that run away, `StorageError` when the disk refuses; checkpoints stay.
    """
    content = capture_hash(capture, memo)
    key = key_of(content, settings)
    job = Job(capture, settings, folder_of(folder, capture.path.name, key), key, content)
    finished = read_reconstruction(job.place, key)
    if finished is not None:
        checkpoint.sweep(job.place)
        return finished
    for note in capture.notes:
        progress.say(f"{capture.path.name}: {note}")
    clock = _Clock()
    with one_torch_thread():
        train, test = _views(job, progress)
        trainer, notes = _trainer(job, train, clock)
        for note in notes:
            progress.say(f"{capture.path.name}: {note}")
        _train(job, trainer, progress, clock)
        return _finish(job, trainer, test, (*capture.notes, *notes), clock)


class _Clock:
    """Seconds of work on one result, over all the runs that it took."""

    def __init__(self) -> None:
        self.before = 0.0
        self._started = time.monotonic()

    def seconds(self) -> float:
        return self.before + time.monotonic() - self._started


def _views(job: Job, progress: Progress) -> tuple[dict[float, Sequence[View]], Sequence[View]]:
    """Training views for every share of the size that the settings use, and held-out views at full size."""
    photographs = job.capture.photographs
    progress.start(f"reading {job.capture.path.name}", len(photographs), "photographs")
    pictures = load_pictures(photographs, job.settings.longest, progress.advance)
    progress.finish()
    device = torch.device("cuda" if resolve_backend(job.settings.backend).name == "gsplat" else "cpu")
    train = [picture for picture, photograph in zip(pictures, photographs, strict=True) if photograph.split == "train"]
    test = [picture for picture, photograph in zip(pictures, photographs, strict=True) if photograph.split == "test"]
    shares = {1.0, *(share for _, share in job.settings.coarse)}
    return (
        {share: [View.of(shrunk(picture, share), device) for picture in train] for share in sorted(shares)},
        [View.of(picture, device) for picture in test],
    )


def _trainer(job: Job, views: dict[float, Sequence[View]], clock: _Clock) -> tuple[Trainer, tuple[str, ...]]:
    """A trainer at the last whole checkpoint, or at the beginning."""
    capture = job.capture
    cameras = [photograph.camera for photograph in capture.of("train")]
    extent = scene_extent(cameras, capture.points)
    settings = dataclasses.replace(job.settings, budget=budget_for(job.settings.budget, views[1.0]))
    trainer = Trainer(views, settings, extent, job.content)
    if (surface := surface_of(capture.points)) is not None:
        core = core_of(surface)
        trainer.core = None if core is None else core.to(views[1.0][0].colour.device)
    found, notes = checkpoint.newest(job.place, job.key)
    if found is not None:
        trainer.resume(found)
        clock.before = float(found.values["seconds"])
        return trainer, (*notes, f"goes on at step {found.step} of {settings.steps}")
    random = generator(job.content, "first splats", 0)
    points = found_points(capture.points)
    if points is not None and len(points.positions):
        trainer.begin(from_points(points, settings.budget, extent, random))
    else:
        count = max(1, int(_RANDOM_SHARE * settings.budget))
        trainer.begin(from_frusta([v.camera for v in views[1.0]], count, extent, random))
    return trainer, notes


def budget_for(budget: int, views: Sequence[View]) -> int:
    """Splats that a capture may have: fewer when mattes say that the object is small in its photographs."""
    covered = [float(view.matte.double().sum()) for view in views if view.matte is not None]
    if len(covered) < len(views):
        return budget
    return min(budget, max(_LEAST_BUDGET, int(_SPLATS_PER_PIXEL * sum(covered) / len(covered))))


def _train(job: Job, trainer: Trainer, progress: Progress, clock: _Clock) -> None:
    steps = trainer.settings.steps
    progress.start(f"reconstructing {job.capture.path.name}", steps, "steps")
    saved = time.monotonic()
    while trainer.step < steps:
        trainer.advance()
        if trainer.step % _REPORT_EVERY == 0 or trainer.step == steps:
            progress.advance(trainer.step, f"{trainer.train_psnr:.1f} dB, {len(trainer.gaussians['means']):,} splats")
        if time.monotonic() - saved > CHECKPOINT_SECONDS and trainer.step < steps:
            _save(job, trainer, clock)
            saved = time.monotonic()
    trainer.check()
    progress.finish(f"{trainer.train_psnr:.1f} dB")


def _save(job: Job, trainer: Trainer, clock: _Clock) -> None:
    trainer.check()
    state = trainer.state()
    checkpoint.save(job.place, job.key, dataclasses.replace(state, values={**state.values, "seconds": clock.seconds()}))


def _finish(job: Job, trainer: Trainer, test: Sequence[View], notes: tuple[str, ...], clock: _Clock) -> Reconstruction:
    """Write the splats, what they are worth, and last of all the record that makes the folder count as finished."""
    splats, backend = trainer.splats(), job.settings.backend
    write_ply(job.place / SPLATS, splats)
    train = scores(splats, trainer.views[1.0], backend, job.settings.gains)
    heldout = scores(splats, test, backend, job.settings.gains)
    write_comparison(job.place / HELDOUT, splats, test or trainer.views[1.0], backend)
    result = Reconstruction(
        folder=job.place,
        key=job.key,
        capture_hash=job.content,
        splats_hash=hash_file(job.place / SPLATS),
        count=len(splats),
        steps=trainer.step,
        seconds=clock.seconds(),
        train_psnr=sum(score.psnr for score in train) / len(train),
        heldout=heldout,
        renderer=resolve_backend(backend).manifest(),
        settings=job.settings.as_plain(),
        notes=notes,
    )
    write_json(job.place / RECORD, result.record())
    checkpoint.sweep(job.place)
    return result
