"""The morning film refined: noise that is nailed to the scene, and beside it the plain noise of every frame.

Eight frames each of the first wide (010, and its end, where the film cuts), of the shot it cuts to (020) and of the
wide that comes back (080), judged by the continuity measures as `splatfilm continuity` does it. The look `natural` on
the baked set, as a refined film has it, stands in rows of its own, at the film's size. The stochastic mode is the scene
refiner's in several steps, on the set as it was captured; anchored and plain differ in the noise alone, at the same
strength. These modes are drawn 640 pixels wide, which is what all of them are measured at: in full HD the refiner takes
nine times as long. Takes twenty-five minutes of two cores.

With a folder as argument the pictures and clips that people can look at are left there: `make_noise.py` in
`docs/pictures` draws from them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import torch

from benchmarks.report import Row, main
from splatfilm.base.hashing import hash_value
from splatfilm.compare.supervise import Finding, Supervising, supervise
from splatfilm.compare.truth import TruthOptions
from splatfilm.film import load
from splatfilm.film.model import Film, FrameRange, Refine, RefineLook
from splatfilm.refine import steps as several
from splatfilm.refine.asset import learn_refiner
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.net import Steps
from splatfilm.refine.recipe import PairSettings, Recipe, TrainSettings
from splatfilm.refine.stored import AnchoredSteps
from splatfilm.shots import refine_drawing
from splatfilm.shots.refining import refine_shots
from splatfilm.shots.schedule import RenderOptions, plan_film

ROOT = Path(__file__).resolve().parent.parent
FILM = ROOT / "cameras" / "morning" / "film.toml"
OUT = ROOT / "out"
MOMENTS = (("010", "010", 1014), ("010-end", "010", 1141), ("020", "020", 1141), ("080", "080", 1960))
"""Shots of the excerpt: name, the film's shot, first scene frame."""
FRAMES = 8  # of each
STEPS = 4
SMALL = (640, 360)
RECIPE = Recipe(PairSettings(folds=0, own_every=2), TrainSettings(steps=1500, rate=2e-3, ema=0.99, noisy=0.6))


@dataclass(frozen=True)
class Mode:
    """One way to refine the excerpt. `bake`: the film's own set; otherwise the captured one, refined frame by frame."""

    name: str
    look: RefineLook
    steps: int | None
    bake: bool
    plain: bool = False
    size: tuple[int, int] | None = None  # None: the film's


MODES = (
    Mode("default", "natural", None, bake=True),
    Mode("one-step", "clean", None, bake=False, size=SMALL),
    Mode("anchored", "clean", STEPS, bake=False, size=SMALL),
    Mode("plain-noise", "clean", STEPS, bake=False, plain=True, size=SMALL),
)


def measure(folder: Path | None = None) -> list[Row]:
    """Every mode over the same excerpt. What the film has no splats of is reconstructed and baked first."""
    plan_film(load(FILM), RenderOptions(out=OUT, backend="cpu"))
    with tempfile.TemporaryDirectory(prefix="splatfilm-bench-") as temporary:
        home = folder or Path(temporary)
        return [row for mode in MODES for row in judged(mode, home / mode.name)]


def judged(mode: Mode, out: Path) -> list[Row]:
    """The excerpt in one mode: agreement of shots, the return, and what neighbouring frames differ more by."""
    film = excerpt(mode)
    lay_out(out, mode)
    with noise_of(mode):
        refined = refine_shots(film, RenderOptions(out=out, backend="cpu"))
    found = supervise(film, Supervising(TruthOptions(out, backend="cpu")))
    rows = [row for finding in found.findings if (row := _row(mode, finding)) is not None]
    worst = max(one.report["worst"]["warp"] for one in refined.values())
    held = min(one.held_to for one in refined.values())
    return [
        *rows,
        Row(
            f"film/{mode.name}-blocked-by-a-guard",
            sum("blocked" in one.why for one in found.findings),
            "pairs of shots",
        ),
        Row(f"film/{mode.name}-views-differ-more-at-worst", 255 * worst, "of 255"),
        Row(f"film/{mode.name}-strength", held, ""),
    ]


def excerpt(mode: Mode) -> Film:
    """The film's shots cut to a few frames, in a mode's look."""
    film = load(FILM)
    refine = Refine(look=mode.look, steps=mode.steps)
    shots = []
    for name, of, first in MOMENTS:
        frames = FrameRange(first, first + FRAMES - 1)
        shots.append(replace(film.shot(of), name=name, frames=frames, refine=refine, passes=("beauty",)))
    return replace(film, shots=tuple(shots), bake=mode.bake, size=mode.size or film.size)


def lay_out(out: Path, mode: Mode) -> None:
    """The made film's assets by links; the captured flat as a copy, with a refiner taught for several steps."""
    from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
    from splatfilm.reconstruct import cached, settings_of

    assets = out / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    for there in sorted((OUT / "assets").iterdir()):
        if there.is_dir() and not (assets / there.name).exists():
            (assets / there.name).symlink_to(there, target_is_directory=True)
    if mode.bake:
        return
    look = load(FILM).assets["flat"].looks["day"]
    assert look.capture is not None
    capture, settings = read_capture(look.capture), settings_of(look.care, "cpu")
    made = cached(capture_hash(capture, OUT / "assets" / MEMO_NAME), settings, assets)
    assert made is not None, "planning made it"
    taught = out.parent / "taught" / made.folder.name
    if not taught.is_dir():
        taught.mkdir(parents=True)
        for name in ("splats.ply", "reconstruction.json"):
            (taught / name).symlink_to((OUT / "assets" / made.folder.name / name).resolve())
    learn_refiner(capture, replace(made, folder=taught), settings, RECIPE)
    if made.folder.is_symlink():
        made.folder.unlink()
        made.folder.symlink_to(taught, target_is_directory=True)


@contextmanager
def noise_of(mode: Mode) -> Iterator[None]:
    """At full strength whatever the guards say; with plain noise where the mode wants it."""
    with mock.patch.object(refine_drawing, "STRENGTHS", (1.0,)):
        if not mode.plain:
            yield
            return
        with mock.patch.object(several, "anchored", plain):
            yield


def plain(settings: AnchoredSteps) -> Steps:
    """What a video model would draw: noise of its own for every shot and frame."""

    def noise(frame: BareFrame) -> torch.Tensor:  # [H, W, 3]
        of = [settings.seed, frame.scene_frame, frame.camera.pose.tolist()]
        return torch.randn(*frame.size, 3, generator=torch.Generator().manual_seed(int(hash_value(of)[:12], 16)))

    return Steps(settings.count, noise)


def _row(mode: Mode, finding: Finding) -> Row | None:
    if finding.reached is None or finding.kind == "frames":
        return None
    pair = f"film/{mode.name}-{finding.kind}-{finding.a}-{finding.b}"
    goal = None if mode.plain else finding.wanted
    return Row(pair, finding.reached, "dB" if finding.kind == "revisit" else "FSC", goal, "higher")


if __name__ == "__main__":
    os.environ.setdefault("SPLATFILM_THREADS", "2")
    keep = Path(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    main(__doc__ or "", lambda: measure(keep))
