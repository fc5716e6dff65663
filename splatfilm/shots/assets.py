"""Every look that the shots show, as a splat file: given by the film, or reconstructed from its capture.

Reconstructions lie under `out/assets/`, named by what went into them, so films that share a capture share the work.
Finding that everything is there already imports no torch, and a film of splat files alone needs neither room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_file
from splatfilm.base.progress import Progress
from splatfilm.film.model import LAYER_PREFIX, Care, Film, Layer, Look, Preset
from splatfilm.shots.lock import hold
from splatfilm.shots.plan import SplatSource, stamp_of

if TYPE_CHECKING:
    from splatfilm.capture import Capture
    from splatfilm.reconstruct import Reconstruction, Settings

_LAYER_RECORD = "layer.json"


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
    preset: str


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
                jobs.append(_job(film, name, look, ways))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    layers = {job.name: job for job in jobs if _is_taken_apart(film.source(*job.name))}
    whole: dict[tuple[str, str], SplatSource] = {}
    for job in jobs:
        source = film.source(*job.name)
        if not (isinstance(source, Layer) and source.over):
            whole[job.name] = _reconstructed(film, job, ways, progress)
    found |= {name: source for name, source in whole.items() if name not in layers}
    if film.bake:
        found.update({job.name: _baked(job, found[job.name], ways, progress) for job in jobs if _bakes(film, job)})
    for name in _in_order_of_learning(film, list(layers)):
        if name in whole:
            found[name] = _share(film, layers[name], whole[name], ways, progress)
        else:
            found[name] = _learnt(film, layers[name], found, ways, progress)
    return {name: found[name] for name in looks}


def _is_taken_apart(source: Look | Layer) -> bool:
    return isinstance(source, Layer) and bool(source.ids or source.over)


def _in_order_of_learning(film: Film, names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Layers after those that they are learnt over."""
    done: list[tuple[str, str]] = []

    def visit(name: tuple[str, str]) -> None:
        layer = film.source(*name)
        assert isinstance(layer, Layer)
        for other in layer.over:
            if (name[0], LAYER_PREFIX + other) in names:
                visit((name[0], LAYER_PREFIX + other))
        if name not in done:
            done.append(name)

    for name in names:
        visit(name)
    return done


def _share(film: Film, job: _Job, whole: SplatSource, ways: Ways, progress: Progress) -> SplatSource:
    """A layer as a splat file: what a reconstruction has of it."""
    from splatfilm.reconstruct.layer_key import layer_key

    layer = film.source(*job.name)
    assert isinstance(layer, Layer)
    key = layer_key(job.capture, whole.sha256, layer.ids, (), job.settings)
    path = ways.folder / f"{job.name[0]}-{layer.name}-{key[:12]}" / "splats.ply"
    if not path.is_file():
        with hold(ways.folder / f".layer-{key[:12]}.lock", f"the layer {layer.name}", progress):
            if not path.is_file():
                from splatfilm.reconstruct.layers import split
                from splatfilm.splats import read_splats, write_ply

                write_ply(
                    path, split(read_splats(whole.path), job.capture, layer.ids, job.settings, progress).to("cpu")
                )
    return SplatSource(path, hash_file(path), stamp_of(path), {**whole.origin, "layer": {"ids": list(layer.ids)}})


def _learnt(
    film: Film, job: _Job, found: Mapping[tuple[str, str], SplatSource], ways: Ways, progress: Progress
) -> SplatSource:
    """A layer as a splat file, learnt from its own capture over other layers."""
    from splatfilm.reconstruct.layer_key import layer_key

    layer = film.source(*job.name)
    assert isinstance(layer, Layer)
    below = [(job.name[0], LAYER_PREFIX + other) for other in layer.over]
    if missing := [name[1] for name in below if name not in found]:
        listed = ", ".join(name.removeprefix(LAYER_PREFIX) for name in missing)
        place = f"assets.{job.name[0]}.layers.{layer.name}.over"
        raise InputError.at(film.path, f"no look that is shown wears {listed}", place)
    key = layer_key(job.capture, job.content, layer.ids, [found[name].sha256 for name in below], job.settings)
    path = ways.folder / f"{job.name[0]}-{layer.name}-{key[:12]}" / "splats.ply"
    if not (path.is_file() and (path.parent / _LAYER_RECORD).is_file()):
        with hold(ways.folder / f".layer-{key[:12]}.lock", f"the layer {layer.name}", progress):
            if not (path.is_file() and (path.parent / _LAYER_RECORD).is_file()):
                _learn(film, job, key, [(name, found[name]) for name in below], path, progress)
    origin = {"layer": {"ids": list(layer.ids), **read_json(path.parent / _LAYER_RECORD)}}
    return SplatSource(path, hash_file(path), stamp_of(path), origin)


def _learn(
    film: Film,
    job: _Job,
    key: str,
    below: Sequence[tuple[tuple[str, str], SplatSource]],
    path: Path,
    progress: Progress,
) -> None:
    from splatfilm.reconstruct import checkpoint
    from splatfilm.reconstruct.layers import Kept, learn_layer
    from splatfilm.splats import compose, read_splats, write_ply

    layer = film.source(*job.name)
    assert isinstance(layer, Layer)
    back = layer.place.inverse()
    parts = [(read_splats(source.path), film.source(*name).place.then(back)) for name, source in below]
    under = compose(parts)
    learnt = learn_layer(_begun(film, job), layer.ids, under, job.settings, Kept(path.parent, key), progress)
    write_ply(path, learnt.splats.to("cpu"))
    record = {"count": len(learnt.splats), "steps": learnt.steps, "seconds": learnt.seconds}
    write_json(path.parent / _LAYER_RECORD, {**record, "train_psnr": learnt.train_psnr})
    checkpoint.sweep(path.parent)


def asset_scores(sources: Mapping[tuple[str, str], SplatSource]) -> dict[str, dict[str, Any]]:
    """What each reconstruction is worth, by `asset/look`: held-out PSNR and SSIM, splats, seconds, where it lies."""
    return {
        f"{asset}/{look}": dict(source.origin)
        for (asset, look), source in sources.items()
        if "reconstruction" in source.origin
    }


def _job(film: Film, name: tuple[str, str], look: Look | Layer, ways: Ways) -> _Job:
    from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
    from splatfilm.reconstruct import settings_of
    from splatfilm.shots.surfaces import surface_key

    assert look.capture is not None, "a look has splats or a capture"
    capture = read_capture(look.capture)
    care = look.care if ways.preset is None else Care(cast(Preset, ways.preset))
    settings = settings_of(care, ways.backend, bends=film.assets[name[0]].rig is not None)
    if isinstance(look, Layer):
        settings = dataclasses.replace(settings, surface=surface_key(film, name[0], look))
    return _Job(name, capture, settings, capture_hash(capture, ways.folder / MEMO_NAME), care.preset)


def _begun(film: Film, job: _Job) -> Capture:
    """The capture of a job with points of the surface that is known."""
    layer = film.source(*job.name)
    if job.settings.surface is None or not isinstance(layer, Layer):
        return job.capture
    from splatfilm.shots.surfaces import with_surface

    return with_surface(job.capture, film, job.name[0], layer)


def _reconstructed(film: Film, job: _Job, ways: Ways, progress: Progress) -> SplatSource:
    from splatfilm.reconstruct import cached

    result = cached(job.content, job.settings, ways.folder)
    if result is None:
        with hold(ways.folder / f".{job.content[:12]}.lock", f"the reconstruction of {job.name[0]}", progress):
            from splatfilm.capture import MEMO_NAME
            from splatfilm.reconstruct import reconstruct

            made = reconstruct(_begun(film, job), job.settings, ways.folder, progress, memo=ways.folder / MEMO_NAME)
            result = cached(job.content, job.settings, ways.folder) or made  # told as every later run will tell it
    return SplatSource(result.splats, result.splats_hash, stamp_of(result.splats), _origin(result))


def _bakes(film: Film, job: _Job) -> bool:
    """What has photographs to judge by. Layers are taken from the captured asset, never from a baked one."""
    return bool(job.capture.of("test")) and not _is_taken_apart(film.source(*job.name))


def _baked(job: _Job, captured: SplatSource, ways: Ways, progress: Progress) -> SplatSource:
    """The asset with its refinement baked in, which lies beside it; made when it is not there."""
    from splatfilm.refine.baked import find_baked
    from splatfilm.refine.recipe import bake_key, recipe_for

    recipe, made = recipe_for(job.preset), captured.origin["reconstruction"]
    key = bake_key(made["key"], recipe)
    found = find_baked(ways.folder, key)
    if found is None:
        with hold(ways.folder / f".bake-{key[:12]}.lock", f"the bake of {job.name[0]}", progress):
            from splatfilm.reconstruct import cached
            from splatfilm.refine.asset import bake_asset

            whole = cached(job.content, job.settings, ways.folder)
            assert whole is not None, "it was reconstructed a moment ago"
            found = bake_asset(job.capture, whole, job.settings, recipe, ways.folder, progress)
    names = ("key", "kept", "before", "after", "seconds")
    told = {**captured.origin, "bake": {name: found.record[name] for name in names}}
    return SplatSource(found.splats, found.splats_hash, stamp_of(found.splats), told)


def _origin(result: Reconstruction) -> dict[str, Any]:
    record = result.record()
    names = ("capture_hash", "key", "count", "steps", "seconds", "heldout_psnr", "heldout_ssim")
    return {"reconstruction": {name: record[name] for name in names}}
