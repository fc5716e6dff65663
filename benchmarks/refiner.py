"""The scene refiner and the bake: seconds a frame, and what they are worth on the flat with every fourth photograph.

Quality is measured at 240 pixels so that it takes minutes. The views that judge here were seen by nothing: neither by
the splats, nor by the refiner, nor by the bake's own judge, which has the capture's test photographs. Beside the bake
stands the same bake without refined views, for continued training helps by itself.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.report import Row, alternate, main
from splatfilm.capture import Capture, read_capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import reconstruct, settings_for
from splatfilm.reconstruct.losses import psnr, ssim
from splatfilm.reconstruct.trainer import View
from splatfilm.refine import net as network
from splatfilm.refine.asset import learn_refiner
from splatfilm.refine.bake import Ground, bake, score_of, sharpness
from splatfilm.refine.net import LocalUNet
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.pairs import seen_by, views_of
from splatfilm.refine.recipe import BakeSettings, PairSettings, Recipe, TrainSettings
from splatfilm.splats import read_splats

FLAT = Path(__file__).resolve().parents[1] / "captures" / "flat"
EVERY = 4  # of the photographs are trained on
JUDGES = 7  # one in so many of the others judges
SETTINGS = settings_for("draft", longest=240, steps=3000, budget=20_000, backend="cpu")
RECIPE = Recipe(
    PairSettings(folds=4, opinions=3),
    TrainSettings(steps=600, crops=4, size=48, rate=2e-3, ema=0.99, noisy=0.25),
    BakeSettings(rounds=4, views=48),
)


def measure() -> list[Row]:
    """Speed, then worth."""
    return [*speed(), *sparse()]


def speed() -> list[Row]:
    """The network on a frame of 640 x 360, by tiles on all cores, and that frame in torch as it comes, in turn."""
    net = LocalUNet().eval()
    planes = torch.rand(network.PLANES, 360, 640)

    def plain() -> None:
        with torch.inference_mode():
            net(planes[None])

    seconds = alternate({"tiles": lambda: network.refine_planes(net, planes), "plain": plain})
    return [
        Row("refiner/640x360-seconds", seconds["tiles"], "s", 1.0),
        Row("refiner/640x360-plain-torch-seconds", seconds["plain"], "s"),
        Row("refiner/reach", network.REACH, "px"),
    ]


def sparse() -> list[Row]:
    """Every fourth photograph: what refiner and bake add on views that nothing has seen."""
    capture, judges = thinned(read_capture(FLAT))
    with tempfile.TemporaryDirectory() as folder:
        made = reconstruct(capture, SETTINGS, Path(folder))
        splats = read_splats(made.splats)
        started = time.perf_counter()
        refiner = learn_refiner(capture, made, SETTINGS, RECIPE)
        taught = time.perf_counter() - started
        rows = worth("sparse/refiner", judges, refiner)
        views, test = views_of(capture, "train", SETTINGS), views_of(capture, "test", SETTINGS)
        ground = Ground(splats, views, test, SETTINGS, "benchmark")
        started = time.perf_counter()
        net, others = refiner[0], refiner[1].others
        after = bake(ground, net, others, RECIPE.bake, Path(folder) / "bake")
        baked = time.perf_counter() - started
        alone = bake(ground, net, others, dataclasses.replace(RECIPE.bake, views=0), Path(folder) / "alone")
    before, found, control = (score_of(s, judges, "cpu") for s in (splats, after.splats, alone.splats))
    photographs = sum(sharpness(view.over((0.0, 0.0, 0.0))) for view in judges) / len(judges)
    return [
        Row("sparse/unrefined-psnr", before.psnr, "dB"),
        Row("sparse/unrefined-ssim", before.ssim, ""),
        *rows,
        Row("sparse/baked-psnr-gain", found.psnr - before.psnr, "dB", 0.7, "higher"),
        Row("sparse/baked-ssim-gain", found.ssim - before.ssim, "", 0.0, "higher"),
        Row("sparse/baked-without-refined-views-psnr-gain", control.psnr - before.psnr, "dB"),
        Row("sparse/baked-without-refined-views-ssim-gain", control.ssim - before.ssim, ""),
        Row("sparse/baked-gain-where-the-gate-looked", after.after.psnr - after.before.psnr, "dB"),
        Row("sparse/rounds-kept", after.kept, "rounds"),
        Row("sparse/sharpness-unrefined", before.sharpness / photographs, "of the photographs'"),
        Row("sparse/sharpness-baked", found.sharpness / photographs, "of the photographs'"),
        Row("sparse/teaching-seconds", taught, "s"),
        Row("sparse/bake-seconds", baked, "s"),
    ]


def thinned(capture: Capture) -> tuple[Capture, list[View]]:
    """The capture with every fourth of its training photographs, and some of the others to judge by."""
    train = capture.of("train")
    kept = {photograph.name for photograph in train[::EVERY]}
    rest = [photograph for photograph in train if photograph.name not in kept][::JUDGES]
    chosen = tuple(p for p in capture.photographs if p.split == "test" or p.name in kept)
    pictures = load_pictures(rest, SETTINGS.longest)
    return dataclasses.replace(capture, photographs=chosen), [View.of(p, torch.device("cpu")) for p in pictures]


def worth(name: str, judges: list[View], refiner: tuple[LocalUNet, Opinions]) -> list[Row]:
    """What a refiner adds frame by frame, and what the mean of the opinions is worth that it starts from."""
    net, known = refiner
    gains, means = [], []
    for view in judges:
        planes, truth = seen_by(known, view.camera, "cpu"), view.over((0.0, 0.0, 0.0))
        bare, refined = planes[:3].movedim(0, -1), network.refine_planes(net, planes).movedim(0, -1)
        means.append(psnr(bare + planes[8:11].movedim(0, -1), truth) - psnr(bare, truth))
        gains.append((psnr(refined, truth) - psnr(bare, truth), ssim(refined, truth) - ssim(bare, truth)))
    decibels, similarity = (sum(column) / len(gains) for column in zip(*gains, strict=True))
    return [
        Row(f"{name}-psnr-gain", decibels, "dB", 1.5, "higher"),
        Row(f"{name}-ssim-gain", similarity, ""),
        Row(f"{name}-opinions-alone-psnr-gain", sum(means) / len(means), "dB"),
        Row(f"{name}-worst-view-psnr-gain", min(gain for gain, _ in gains), "dB"),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
