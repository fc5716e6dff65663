"""The scene refiner and the bake: seconds a frame, and what they are worth on the flat with every fourth photograph.

Beside seconds stand those that two cores need by the processor's own time, which other people's work stretches less.

Quality is measured at 240 pixels so that it takes minutes. The views that judge here were seen by nothing: neither by
the splats, nor by the refiner, nor by the bake's own judge, which has the capture's test photographs. Beside the bake
stands the same bake without refined views, for continued training helps by itself.

The refiner's mode of several steps is measured with noise that is anchored to the scene and, beside it, with the plain
noise that a video model would draw for every frame: when a camera comes back, and from one frame to the next.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch

from benchmarks.report import Row, alternate, main
from splatfilm.cameras import Camera
from splatfilm.capture import Capture, read_capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import reconstruct, settings_for
from splatfilm.reconstruct.losses import psnr, ssim
from splatfilm.reconstruct.trainer import View
from splatfilm.refine import net as network
from splatfilm.refine.asset import learn_refiner
from splatfilm.refine.bake import Ground, bake, score_of, sharpness
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.guards import held, lock_pixels, measure_pair
from splatfilm.refine.looks import LOOKS
from splatfilm.refine.net import LocalUNet, SceneRefiner, Steps
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.pairs import asked_settings, seen_by, views_of
from splatfilm.refine.recipe import BakeSettings, PairSettings, Recipe, TrainSettings
from splatfilm.refine.steps import anchored
from splatfilm.refine.stored import AnchoredSteps
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.splats import Splats, read_splats

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

    rivals: dict[str, Callable[[], object]] = {"tiles": lambda: network.refine_planes(net, planes), "plain": plain}
    seconds, spent = alternate(rivals), alternate(rivals, clock=time.process_time)
    return [
        Row("refiner/640x360-seconds", seconds["tiles"], "s", 1.0),
        Row("refiner/640x360-seconds-of-the-processor-by-two", spent["tiles"] / 2, "s"),
        Row("refiner/640x360-plain-torch-seconds", seconds["plain"], "s"),
        Row("refiner/reach", network.REACH, "px"),
    ]


def sparse() -> list[Row]:
    """Every fourth photograph: what refiner and bake add on views that nothing has seen.

    In the folder that the environment's `SPLATFILM_BENCH_OUT` names, a run that was stopped goes on.
    """
    capture, judges = thinned(read_capture(FLAT))
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.environ.get("SPLATFILM_BENCH_OUT", temporary)
        made = reconstruct(capture, SETTINGS, Path(folder))
        splats = read_splats(made.splats)
        started = time.perf_counter()
        refiner = learn_refiner(capture, made, SETTINGS, RECIPE)
        taught = time.perf_counter() - started
        rows = [*worth("sparse/refiner", judges, refiner), *in_steps(judges, refiner), *with_opinions(judges, refiner)]
        alike = reconstruct(capture, asked_settings(SETTINGS, RECIPE.pairs), Path(folder))
        views, test = views_of(capture, "train", SETTINGS), views_of(capture, "test", SETTINGS)
        ground = Ground(splats, views, test, SETTINGS, "benchmark")
        started = time.perf_counter()
        net, others = refiner[0], refiner[1].others
        after = bake(ground, net, others, RECIPE.bake, Path(folder) / "bake")
        baked = time.perf_counter() - started
        alone = bake(ground, net, others, dataclasses.replace(RECIPE.bake, views=0), Path(folder) / "alone")
        longer = score_of(read_splats(alike.splats), judges, "cpu")
    before, found, control = (score_of(s, judges, "cpu") for s in (splats, after.splats, alone.splats))
    photographs = sum(sharpness(view.over((0.0, 0.0, 0.0))) for view in judges) / len(judges)
    return [
        Row("sparse/unrefined-psnr", before.psnr, "dB"),
        Row("sparse/unrefined-ssim", before.ssim, ""),
        *rows,
        Row("sparse/trained-like-an-opinion-psnr-gain", longer.psnr - before.psnr, "dB"),
        Row("sparse/trained-like-an-opinion-ssim-gain", longer.ssim - before.ssim, ""),
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


STEPS = 4
FORWARD = 0.02  # metres that a camera moves between two frames
EXACT = 99.0  # dB that stand for the same bits


def in_steps(judges: list[View], refiner: tuple[LocalUNet, Opinions]) -> list[Row]:
    """One step, several from anchored noise, and several from noise that is new in every frame."""
    net, known = refiner
    assert known.own is not None, "it was taught on an asset"
    drawn = torch.Generator().manual_seed(1)
    modes: dict[str, Steps | None] = {
        "one-step": None,
        "anchored": anchored(AnchoredSteps(STEPS, "1", ("flat",))),
        "plain-noise": Steps(STEPS, lambda frame: torch.randn(*frame.size, 3, generator=drawn)),
    }
    rows = []
    frames = [(frame_of(known.own, view.camera), frame_of(known.own, moved(view.camera)), view) for view in judges[::3]]
    for name, mode in modes.items():
        refine = SceneRefiner(net, known, torch.device("cpu"), mode)
        gains, back, apart = [], [], []
        for here, there, view in frames:
            first, after, again = refine(here), refine(there), refine(here)
            truth = view.over((0.0, 0.0, 0.0))
            gains.append(psnr(first, truth) - psnr(here.beauty, truth))
            back.append(EXACT if torch.equal(first, again) else psnr(first, again))
            found = measure_pair((here, there), (first, after), "the next frame")
            if found is not None:
                apart.append(255 * (found.refined - found.bare))
        target = 35.0 if name != "plain-noise" else None
        rows += [
            Row(f"sparse/{name}-psnr-gain", sum(gains) / len(gains), "dB"),
            Row(f"sparse/{name}-revisit", min(back), "dB", target, "higher"),
            Row(f"sparse/{name}-next-frame-differs-more", sum(apart) / len(apart), "of 255"),
        ]
    return rows


def with_opinions(judges: list[View], refiner: tuple[LocalUNet, Opinions]) -> list[Row]:
    """Seconds of the whole refiner on a frame of 640 x 360: its opinions' renders and the network, in turn.

    The network has its say here whether or not it helped: without, it is not asked and costs nothing.
    """
    net, known = refiner
    assert known.own is not None, "it was taught on an asset"
    camera, width = judges[0].camera, 640
    scale = width / camera.width
    larger = {name: scale * getattr(camera, name) for name in ("fx", "fy", "cx", "cy")}
    frame = frame_of(known.own, dataclasses.replace(camera, width=width, height=360, **larger))
    asked = torch.ones_like(frame.depth)
    whole = SceneRefiner(net, known, torch.device("cpu"))
    rivals: dict[str, Callable[[], object]] = {
        "whole": lambda: whole(frame),
        "opinions": lambda: known.planes(frame.camera, asked, "cpu"),
    }
    with mock.patch.object(net, "say", 1.0):
        seconds, spent = alternate(rivals), alternate(rivals, clock=time.process_time)
    return [
        Row("sparse/refiner-640x360-seconds", seconds["whole"], "s", 1.0),
        Row("sparse/refiner-640x360-seconds-of-the-processor-by-two", spent["whole"] / 2, "s"),
        Row("sparse/refiner-640x360-opinions-seconds", seconds["opinions"], "s"),
    ]


def moved(camera: Camera) -> Camera:
    """The camera a frame later, on its way forward."""
    pose = camera.pose.copy()
    pose[:3, 3] += FORWARD * pose[:3, 2]
    return dataclasses.replace(camera, pose=pose)


def frame_of(splats: Splats, camera: Camera) -> BareFrame:
    """What a film's frame of the set alone hands to a refiner."""
    with torch.no_grad():
        frame = render_passes(splats, camera, PassInputs(("normal", "position", "depth-median")), backend="cpu")
    owner = torch.where(frame.alpha > 0.5, 0, -1)
    layers = frame.layers
    place = (frame.alpha, frame.depth, layers["normal"], layers["position"], owner, frame.alpha)
    return BareFrame(frame.beauty, *place, camera, ("flat",), 1001.0, 24.0)


def thinned(capture: Capture) -> tuple[Capture, list[View]]:
    """The capture with every fourth of its training photographs, and some of the others to judge by."""
    train = capture.of("train")
    kept = {photograph.name for photograph in train[::EVERY]}
    rest = [photograph for photograph in train if photograph.name not in kept][::JUDGES]
    chosen = tuple(p for p in capture.photographs if p.split == "test" or p.name in kept)
    pictures = load_pictures(rest, SETTINGS.longest)
    return dataclasses.replace(capture, photographs=chosen), [View.of(p, torch.device("cpu")) for p in pictures]


def worth(name: str, judges: list[View], refiner: tuple[LocalUNet, Opinions]) -> list[Row]:
    """What a refiner adds frame by frame, the mean of the opinions that it starts from, and what a film's look leaves.

    A look takes broad changes out again, whatever made them, and bounds the rest.
    """
    net, known = refiner
    gains, means, left = [], [], []
    look = LOOKS["clean"]
    for view in judges:
        planes, truth = seen_by(known, view.camera, "cpu"), view.over((0.0, 0.0, 0.0))
        bare, refined = planes[:3].movedim(0, -1), network.refine_planes(net, planes).movedim(0, -1)
        means.append(psnr(bare + planes[8:11].movedim(0, -1), truth) - psnr(bare, truth))
        lock = lock_pixels(look.lock_px, view.camera.width)
        left.append(psnr(held(bare, refined, look.bound, lock, 1.0), truth) - psnr(bare, truth))
        gains.append((psnr(refined, truth) - psnr(bare, truth), ssim(refined, truth) - ssim(bare, truth)))
    decibels, similarity = (sum(column) / len(gains) for column in zip(*gains, strict=True))
    return [
        Row(f"{name}-psnr-gain", decibels, "dB", 1.5, "higher"),
        Row(f"{name}-ssim-gain", similarity, ""),
        Row(f"{name}-within-a-look-psnr-gain", sum(left) / len(left), "dB"),
        Row(f"{name}-say-of-the-network", net.say, ""),
        Row(f"{name}-opinions-alone-psnr-gain", sum(means) / len(means), "dB"),
        Row(f"{name}-worst-view-psnr-gain", min(gain for gain, _ in gains), "dB"),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
