"""Every look that the shots show, as a splat file: given by the film, or reconstructed from its capture.

Reconstructions lie under `out/assets/`, named by what went into them, so films that share a capture share the work.
Finding that everything is there already imports no torch, and a film of splat files alone needs neither room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.hashing import hash_file
from splatfilm.base.progress import Progress
from splatfilm.film.model import Film, Layer, Look
from splatfilm.shots.lock import hold
from splatfilm.shots.plan import SplatSource, stamp_of

if TYPE_CHECKING:
    from splatfilm.capture import Capture
    from splatfilm.reconstruct import Reconstruction, Settings


@dataclass(frozen=True)
class Ways:
    """How captures are to be reconstructed: where to, with which preset instead of the film's, on which backend."""

    folder: Path
    preset: str | None = None
    backend: str = "auto"


@dataclass(frozen=True, eq=False)
class _Job:
    """A look that needs a reconstruction: its capture, the settings, the content's hash."""

    name: tuple[str, str]
    capture: Capture
    settings: Settings
    content: str


def resolve_assets(
    film: Film, looks: Sequence[tuple[str, str]], ways: Ways, progress: Progress
) -> dict[tuple[str, str], SplatSource]:
    """A splat file for every (asset, look), reconstructing what is missing.

    Raises one `InputError` with every problem of captures and files before anything is reconstructed.
    """
    found: dict[tuple[str, str], SplatSource] = {}
    jobs: list[_Job] = []
    problems: list[Problem] = []
    for name in looks:
        look = film.source(*name)
        try:
            if look.splats is not None:
                stamp = stamp_of(look.splats)
                found[name] = SplatSource(look.splats, hash_file(look.splats), stamp)
            else:
                jobs.append(_job(name, look, ways))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    for job in jobs:
        found[job.name] = _reconstructed(job, ways, progress)
    return {name: found[name] for name in looks}


def asset_scores(sources: Mapping[tuple[str, str], SplatSource]) -> dict[str, dict[str, Any]]:
    """What each reconstruction is worth, by `asset/look`: held-out PSNR and SSIM, splats, seconds, where it lies."""
    return {f"{asset}/{look}": dict(source.origin) for (asset, look), source in sources.items() if source.origin}


def _job(name: tuple[str, str], look: Look | Layer, ways: Ways) -> _Job:
    from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
    from splatfilm.reconstruct import settings_for

    assert look.capture is not None, "a look has splats or a capture"
    capture = read_capture(look.capture)
    settings = settings_for(ways.preset or look.preset, backend=ways.backend)
    return _Job(name, capture, settings, capture_hash(capture, ways.folder / MEMO_NAME))


def _reconstructed(job: _Job, ways: Ways, progress: Progress) -> SplatSource:
    from splatfilm.reconstruct import cached

    result = cached(job.content, job.settings, ways.folder)
    if result is None:
        with hold(ways.folder / f".{job.content[:12]}.lock", f"the reconstruction of {job.name[0]}", progress):
            from splatfilm.capture import MEMO_NAME
            from splatfilm.reconstruct import reconstruct

            made = reconstruct(job.capture, job.settings, ways.folder, progress, memo=ways.folder / MEMO_NAME)
            result = cached(job.content, job.settings, ways.folder) or made  # told as every later run will tell it
    return SplatSource(result.splats, result.splats_hash, stamp_of(result.splats), _origin(result))


def _origin(result: Reconstruction) -> dict[str, Any]:
    record = result.record()
    names = ("capture_hash", "key", "count", "steps", "seconds", "heldout_psnr", "heldout_ssim")
    return {"reconstruction": {name: record[name] for name in names}}
