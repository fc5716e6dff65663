"""Refinement folded back into the splats: what all cameras then share cannot differ between two shots.

Views between the photographs are rendered from the asset as it was captured, refined, and learnt together with the
photographs by continued training. Only the captured asset is ever refined: a refiner fed with its own output drifts.
Views are the capture's own and never a film's, so moving a camera does not change an asset. Where views disagree about
a splat's change, its pixels count less (a vote, by the weights with which it was blended), so that what a refiner
invents in one view alone does not enter. Splats that err most are split first, for detail needs something to hold it.

After each round the views held out of the reconstruction judge: a round that does not make them better is rolled
back, and the bake is over. The splats of every round go through their file, so a bake that was killed and goes on ends
with the bytes of one that was not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splatfilm.base.errors import InputError
from splatfilm.base.files import atomic_path
from splatfilm.base.progress import SILENT, Progress
from splatfilm.base.rigid import matrix_from_quaternion, quaternion_from_matrix, slerp
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.reconstruct import Settings, checkpoint
from splatfilm.reconstruct.evaluate import rendered, scores
from splatfilm.reconstruct.gaussians import Gaussians
from splatfilm.reconstruct.initialise import scene_extent
from splatfilm.reconstruct.losses import psnr, ssim
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.run import CHECKPOINT_SECONDS
from splatfilm.reconstruct.splitting import parameters_of, split_in_two
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.refine.net import LocalUNet, refine_planes
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.pairs import seen_by
from splatfilm.refine.recipe import BakeSettings
from splatfilm.render import RenderSettings, render
from splatfilm.render.constants import SH_C0
from splatfilm.render.frame import ScreenStats
from splatfilm.splats import Splats, read_splats, write_ply

_NEIGHBOURS = 4  # a view lies between a photograph and one of so many that were taken nearest
_WIDEST = 60.0  # degrees between two photographs that still have a view between them
_LEAST_PIXELS = 1.5  # half extent of a splat on the screen: smaller ones hold all the detail that they can
_SEEN = 0.5  # coverage under which a refined pixel is not learnt


@dataclass(frozen=True, eq=False)
class Ground:
    """What a bake works on and is judged by. `views` are photographs for training, `held_out` those that are not."""

    original: Splats  # the asset as it was captured
    views: Sequence[View]
    held_out: Sequence[View]
    reconstruction: Settings
    anchor: str  # what all that is drawn is keyed by


@dataclass(frozen=True)
class Score:
    """What splats are worth: mean PSNR (dB), SSIM and sharpness over the views that judge."""

    psnr: float
    ssim: float
    sharpness: float

    def as_plain(self) -> dict[str, float]:
        """For the record."""
        return {"psnr": round(self.psnr, 3), "ssim": round(self.ssim, 4), "sharpness": round(self.sharpness, 5)}


def sharpness(image: Tensor) -> float:  # [H, W, 3]
    """Mean absolute Laplacian of the grey picture: needs no truth, and says how crisp a picture is."""
    grey = image.clamp(0, 1).mean(2)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(laplacian.abs().mean())


def score_of(splats: Splats, views: Sequence[View], backend: str) -> Score:
    """Over all of some views."""
    found = scores(splats, views, backend)
    crisp = [sharpness(rendered(splats, view, backend)[0]) for view in views]
    count = len(found)
    return Score(sum(v.psnr for v in found) / count, sum(v.ssim for v in found) / count, sum(crisp) / count)


def score_of_refiner(ground: Ground, net: LocalUNet, others: Sequence[Splats]) -> Score:
    """What refining every frame of the captured asset would be worth instead of a bake, over the views that judge."""
    sums, known = np.zeros(3), Opinions(ground.original, tuple(others))
    for view in ground.held_out:
        image = refine_planes(net, seen_by(known, view.camera, ground.reconstruction.backend))
        image, truth = image.movedim(0, -1), view.over((0.0, 0.0, 0.0))
        sums += psnr(image, truth, view.weight), ssim(image, truth, view.weight), sharpness(image)
    return Score(*(sums / len(ground.held_out)).tolist())


# ---- views of the capture that nobody photographed -------------------------------------------------------------------


def cameras_between(views: Sequence[View], count: int, anchor: str, index: int) -> list[Camera]:
    """Cameras on the way from one photograph to a neighbour that looks the same way, drawn for one round."""
    random = generator(anchor, "views between photographs", index)
    places = np.stack([view.camera.position for view in views])
    ahead = np.stack([view.camera.forward for view in views])
    found = []
    for first in random.permutation(max(count, len(views)))[:count] % len(views):
        apart = np.linalg.norm(places - places[first], axis=1)
        apart[(ahead @ ahead[first] < np.cos(np.radians(_WIDEST))) | (np.arange(len(views)) == first)] = np.inf
        near = [int(i) for i in np.argsort(apart, kind="stable")[:_NEIGHBOURS] if np.isfinite(apart[i])]
        second = near[int(random.random() * len(near))] if near else int(first)
        found.append(_between(views[first].camera, views[second].camera, float(random.uniform(0.2, 0.8))))
    return found


def _between(a: Camera, b: Camera, share: float) -> Camera:
    pose = np.eye(4)
    turns = quaternion_from_matrix(a.pose[:3, :3]), quaternion_from_matrix(b.pose[:3, :3])
    pose[:3, :3] = matrix_from_quaternion(slerp(*turns, share))
    pose[:3, 3] = (1 - share) * a.position + share * b.position
    return dataclasses.replace(a, pose=pose)


@dataclass(frozen=True, eq=False)
class Refined:
    """A view of the original and what the refiner made of it."""

    camera: Camera
    bare: Tensor  # [H, W, 3]
    picture: Tensor  # [H, W, 3]


def refined_views(
    original: Splats, cameras: Sequence[Camera], net: LocalUNet, others: Sequence[Splats], backend: str
) -> list[Refined]:
    """Always of the captured asset."""
    found, known = [], Opinions(original, tuple(others))
    for camera in cameras:
        planes = seen_by(known, camera, backend)
        picture = refine_planes(net, planes).movedim(0, -1).clamp(0, 1)
        found.append(Refined(camera, planes[:3].movedim(0, -1).contiguous(), picture.contiguous()))
    return found


def agreement(original: Splats, views: Sequence[Refined], spread: float, backend: str) -> Tensor:  # [N] 0..1
    """How far views agree on the change of every splat: exp(-variance / spread^2) of its mean change over views.

    A splat's change in a view is the change of its pixels, weighted as it was blended into them: the gradient of the
    picture by the splat's colour.
    """
    count = len(original)
    weight = original.means.new_zeros(count)
    first, second = weight.new_zeros(count, 3), weight.new_zeros(count)
    for view in views:
        shown = _votes(original, view.camera, torch.ones_like(view.bare), backend)[:, 0]
        change = _votes(original, view.camera, view.picture - view.bare, backend)
        weight += shown
        first += change
        second += change.square().sum(1) / shown.clamp_min(1e-6)
    total = weight.clamp_min(1e-6)
    variance = (second / total - (first / total[:, None]).square().sum(1)).clamp_min(0)
    return torch.exp(-variance / spread**2)


def _votes(splats: Splats, camera: Camera, values: Tensor, backend: str) -> Tensor:  # [H, W, 3] -> [N, 3]
    sh = torch.zeros_like(splats.sh[:, :1]).requires_grad_(True)
    frame = render(dataclasses.replace(splats, sh=sh), camera, backend=backend)
    (gradient,) = torch.autograd.grad(frame.beauty, sh, values)
    return gradient[:, 0] / SH_C0


def as_views(
    original: Splats, refined: Sequence[Refined], believed: Tensor, settings: BakeSettings, backend: str
) -> list[View]:
    """Refined views as the trainer takes photographs: pixels count by how far their splats are believed."""
    found = []
    for index, view in enumerate(refined):
        with torch.no_grad():
            frame = render(original, view.camera, backend=backend, features=believed[:, None])
        assert frame.features is not None, "features were given"
        weight = (frame.features[..., 0] / frame.alpha.clamp_min(1e-6)).clamp(0, 1) * (frame.alpha > _SEEN)
        colour = view.picture.to(torch.float16)
        found.append(View(f"refined {index}", view.camera, colour, None, weight, settings.refined_strength))
    return found


# ---- a round ---------------------------------------------------------------------------------------------------------


def mixed(photographs: Sequence[View], refined: Sequence[View], settings: BakeSettings) -> list[View]:
    """One epoch: photographs and refined views in the shares of the settings, all of a kind equally often."""
    if not refined:
        return list(photographs)
    strong = [dataclasses.replace(view, strength=settings.photograph_strength) for view in photographs]
    share = settings.photograph_share
    more = max(1, round(share * len(refined) / ((1 - share) * len(strong)))) if share < 1 else 1
    again = max(1, round((1 - share) * len(strong) * more / (share * len(refined))))
    return strong * more + list(refined) * again


def where_it_errs(splats: Splats, views: Sequence[View], backend: str) -> Tensor:  # [N]
    """The error of every splat's pixels, by its blended weight, over the views; 0 for splats too small to split."""
    total = splats.means.new_zeros(len(splats))
    widest = splats.means.new_zeros(len(splats))
    for view in views:
        stats = ScreenStats.of(len(splats), splats.device)
        with torch.no_grad():
            frame = render(splats, view.camera, RenderSettings(), backend, stats)
        error = (frame.beauty - view.over((0.0, 0.0, 0.0))).abs()
        if view.weight is not None:
            error = error * view.weight[..., None]
        total += _votes(splats, view.camera, error, backend).sum(1)
        widest = torch.maximum(widest, stats.radii)
    return total * (widest > _LEAST_PIXELS)


def _settings_of(reconstruction: Settings, bake: BakeSettings, count: int) -> Settings:
    """Those of the reconstruction's end: everything there is moves little, nothing is born by chance."""
    rates = reconstruction.rates
    slower = dataclasses.replace(
        rates,
        means=0.1 * rates.means,
        scales=0.3 * rates.scales,
        quats=0.3 * rates.quats,
        opacities=0.3 * rates.opacities,
    )
    return dataclasses.replace(
        reconstruction,
        steps=max(1, round(bake.share * reconstruction.steps)),
        budget=count,
        coarse=(),
        gains=False,
        rates=slower,
        growth=dataclasses.replace(reconstruction.growth, noise=0.0, by=0.0),
    )


def _grown(splats: Splats, views: Sequence[View], grow: float, backend: str) -> Gaussians:
    gaussians = parameters_of(splats)
    wanted = round(grow * len(splats))
    if not wanted:
        return gaussians
    error = where_it_errs(splats, views, backend)
    rows = torch.topk(error, min(wanted, int((error > 0).sum()))).indices.sort().values
    return split_in_two(gaussians, rows)


def bake_round(
    ground: Ground, current: Splats, refined: Sequence[View], settings: BakeSettings, work: Path, progress: Progress
) -> Splats:
    """Train on from `current` with photographs and refined views. Goes on from a checkpoint in `work`."""
    backend = ground.reconstruction.backend
    start = _grown(current, [*ground.views[::3], *refined[::3]], settings.grow, backend)
    views = mixed(ground.views, refined, settings)
    training = _settings_of(ground.reconstruction, settings, len(start["means"]))
    extent = scene_extent([view.camera for view in ground.views], None)
    trainer = Trainer({1.0: views}, training, extent, f"{ground.anchor} {work.name}")
    trainer.begin(start)
    found, _ = checkpoint.newest(work, ground.anchor)
    if found is not None:
        trainer.resume(found)
    progress.start(f"baking, {work.name}", training.steps, "steps")
    saved = time.monotonic()
    while trainer.step < training.steps:
        trainer.advance()
        if trainer.step % 10 == 0 or trainer.step == training.steps:
            progress.advance(trainer.step, f"{trainer.train_psnr:.1f} dB")
        if time.monotonic() - saved > CHECKPOINT_SECONDS and trainer.step < training.steps:
            checkpoint.save(work, ground.anchor, trainer.state())
            saved = time.monotonic()
    trainer.check()
    progress.finish(f"{trainer.train_psnr:.1f} dB")
    return trainer.splats()


# ---- all of it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Outcome:
    """The best splats and how they came about: `before` the bake, the score of every round, how many were kept."""

    splats: Splats
    before: Score
    after: Score
    rounds: tuple[dict[str, Any], ...]
    kept: int


def bake(
    ground: Ground,
    net: LocalUNet,
    others: Sequence[Splats],
    settings: BakeSettings,
    work: Path,
    progress: Progress = SILENT,
) -> Outcome:
    """Rounds until the held-out views stop getting better. `work` holds what a killed bake goes on from.

    Raises `InputError` when there is no photograph that may judge.
    """
    if not ground.held_out:
        raise InputError.at(work, "no photograph was held out of the reconstruction: nothing can judge a bake")
    backend = ground.reconstruction.backend
    before = score_of(ground.original, ground.held_out, backend)
    best, score, kept = ground.original, before, 0
    rounds: list[dict[str, Any]] = []
    with one_torch_thread():
        for number in range(settings.rounds):
            current = _round(ground, best, (net, others), settings, work / f"round-{number + 1}", progress)
            found = score_of(current, ground.held_out, backend)
            better = found.psnr >= score.psnr + settings.least_gain
            rounds.append({**found.as_plain(), "splats": len(current), "kept": better})
            verdict = "kept" if better else "rolled back"
            progress.say(f"round {number + 1}: held-out {score.psnr:.2f} -> {found.psnr:.2f} dB, {verdict}")
            if not better:
                break
            best, score, kept = current, found, number + 1
    return Outcome(best, before, score, tuple(rounds), kept)


def _round(
    ground: Ground,
    current: Splats,
    refiner: tuple[LocalUNet, Sequence[Splats]],
    settings: BakeSettings,
    place: Path,
    progress: Progress,
) -> Splats:
    """The splats after one round, through their file, which is there already when an earlier run got so far."""
    device, path, backend = ground.original.device, place / "splats.ply", ground.reconstruction.backend
    if not path.is_file():
        index = int(place.name.rsplit("-", 1)[1])
        refined: list[View] = []
        if settings.views:
            progress.say(f"{place.name}: refining {settings.views} views between the photographs")
            cameras = cameras_between(ground.views, settings.views, ground.anchor, index)
            seen = refined_views(ground.original, cameras, *refiner, backend)
            believed = agreement(ground.original, seen, settings.spread, backend)
            refined = as_views(ground.original, seen, believed, settings, backend)
        write_ply(path, bake_round(ground, current, refined, settings, place, progress).to("cpu"))
        checkpoint.sweep(place)
    return read_splats(path).to(device)


def write_before_and_after(path: Path, before: Splats, after: Splats, views: Sequence[View], backend: str) -> None:
    """A PNG with a row for up to three views: before, after, truth."""
    from PIL import Image

    chosen = [views[index] for index in sorted({round(i) for i in np.linspace(0, len(views) - 1, min(3, len(views)))})]
    rows = []
    for view in chosen:
        bare, truth = rendered(before, view, backend)
        row = torch.cat([bare, rendered(after, view, backend)[0], truth], 1).clamp(0, 1)
        rows.append((row * 255 + 0.5).to(torch.uint8).cpu().numpy())
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    with atomic_path(path) as temporary:
        Image.fromarray(np.concatenate(padded)).save(temporary)
