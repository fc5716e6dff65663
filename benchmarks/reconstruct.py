"""Claim: a training step costs little more than rendering its view forward and backward.

A textured box room is photographed by rendering 50 000 known splats at 480x270. A training step on as many is compared
with forward and backward alone, in turn, in one process. Then a draft is trained whole from 6000 noisy points and
scored on views that it never saw.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.report import Row, alternate, main
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.capture import Capture, read_capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import reconstruct, settings_for
from splatfilm.reconstruct.gaussians import activated
from splatfilm.reconstruct.initialise import scene_extent
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import render
from splatfilm.splats import Splats

WIDTH, HEIGHT, FOCAL = 480, 270, 330.0
ROOM = np.array([5.0, 4.0, 2.6])  # metres
TRUTH, VIEWS, POINTS = 50_000, 48, 6000


FURNITURE = (
    ((0.3, 0.3, 0.0), (1.2, 0.8, 0.7)),
    ((3.4, 0.4, 0.0), (1.2, 1.8, 0.5)),
    ((1.9, 3.0, 0.0), (1.2, 0.6, 1.7)),
    ((2.2, 1.5, 0.0), (0.8, 0.6, 0.4)),
)
"""(corner, size) of boxes in the room, metres."""


def measure() -> list[Row]:
    """Steps a second, the overhead over forward and backward, and the draft's quality."""
    with tempfile.TemporaryDirectory() as folder, one_torch_thread():
        random = np.random.default_rng(4)
        truth = room(random)
        capture = read_capture(photographed(Path(folder) / "room", truth, random))
        trainer = at_work(capture, truth)
        bare = Bare(trainer)
        seconds = alternate({"step": lambda: repeat(trainer.advance), "bare": lambda: repeat(bare.once)})
        start = time.perf_counter()
        draft = reconstruct(capture, settings_for("draft"), Path(folder) / "out")
        whole = time.perf_counter() - start
        start = time.perf_counter()
        reconstruct(capture, settings_for("draft"), Path(folder) / "out")
        again = time.perf_counter() - start
    return [
        Row("reconstruct/steps-per-second", REPEAT / seconds["step"], "1/s"),
        Row("reconstruct/step-over-forward-and-backward", seconds["step"] / seconds["bare"], "times", 1.6),
        Row("reconstruct/draft-seconds", whole, "s"),
        Row("reconstruct/draft-heldout-psnr", draft.heldout_psnr or 0.0, "dB"),
        Row("reconstruct/draft-splats", draft.count, "splats"),
        Row("reconstruct/draft-again-seconds", again, "s", 1.0),
    ]


def at_work(capture: Capture, truth: Splats) -> Trainer:
    """A trainer in the middle of its work: as many splats as in the end, harmonics in use, nothing to grow."""
    pictures = load_pictures(capture.of("train"))
    views: dict[float, Sequence[View]] = {1.0: [View.of(picture, torch.device("cpu")) for picture in pictures]}
    settings = settings_for("draft", steps=100_000, budget=len(truth), coarse=())
    trainer = Trainer(views, settings, scene_extent([v.camera for v in views[1.0]], None), "benchmark")
    trainer.begin(
        {
            "means": truth.means,
            "log_scales": truth.scales.log(),
            "quats": truth.quats,
            "logits": truth.opacities.logit(),
            "sh0": truth.sh,
            "sh_rest": truth.sh.new_zeros(len(truth), 0, 3),
        }
    )
    trainer.step = settings.steps // 2
    return trainer


REPEAT = 20


def repeat(work: Callable[[], object]) -> None:
    """A measurement long enough for the clock."""
    for _ in range(REPEAT):
        work()


class Bare:
    """Forward and backward of the trainer's splats through its views, and nothing else."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.turn = trainer, 0

    def once(self) -> None:
        """One view."""
        views = self.trainer.views[1.0]
        view = views[self.turn % len(views)]
        self.turn += 1
        leaves = {name: values.detach().requires_grad_() for name, values in self.trainer.gaussians.items()}
        frame = render(activated(leaves, True), view.camera, backend="cpu")
        torch.autograd.backward([frame.beauty], [torch.ones_like(frame.beauty)])


def photographed(folder: Path, truth: Splats, random: np.random.Generator) -> Path:
    """A capture of the room in nerfstudio's layout, with noisy points."""
    (folder / "images").mkdir(parents=True)
    frames = []
    for index in range(VIEWS):
        camera = inside(index, random)
        with torch.no_grad():
            beauty = render(truth, camera, backend="cpu").beauty
        name = f"images/{index:03}.png"
        Image.fromarray((beauty.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()).save(folder / name)
        pose = camera.pose.copy()
        pose[:3, 1:3] *= -1
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    chosen = random.permutation(TRUTH)[:POINTS]
    points = truth.means.numpy()[chosen] + random.normal(scale=0.01, size=(POINTS, 3))
    names = "".join(f"property float {axis}\n" for axis in "xyz")
    header = f"ply\nformat ascii 1.0\nelement vertex {POINTS}\n{names}end_header\n"
    (folder / "points.ply").write_text(header + "\n".join(f"{x:.4f} {y:.4f} {z:.4f}" for x, y, z in points) + "\n")
    top = {"w": WIDTH, "h": HEIGHT, "fl_x": FOCAL, "fl_y": FOCAL, "ply_file_path": "points.ply", "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(top))
    return folder


def room(random: np.random.Generator) -> Splats:
    """Flat splats on the walls, the floor and four boxes, coloured by a pattern of waves."""
    positions, axes = [], []
    boxes = [(np.zeros(3), ROOM)]
    boxes += [(np.array(corner), np.array(corner) + size) for corner, size in FURNITURE]
    for share, (low, high) in zip((0.6, 0.1, 0.1, 0.1, 0.1), boxes, strict=True):
        count = int(share * TRUTH)
        place = low + (high - low) * random.random((count, 3))
        axis = random.integers(3, size=count)
        side = random.integers(2, size=count)
        place[np.arange(count), axis] = np.where(side == 0, low[axis], high[axis])
        positions.append(place)
        axes.append(axis)
    means, axis = np.concatenate(positions), np.concatenate(axes)
    scales = random.uniform(0.012, 0.03, (len(means), 3))
    scales[np.arange(len(means)), axis] = 0.002
    waves = np.stack([np.sin(means @ w) for w in ((5, 3, 7), (11, -6, 4), (-8, 13, 9))], axis=1)
    sh = np.clip(waves + 0.4 * random.normal(size=waves.shape), -1.6, 1.6)[:, None, :]
    quats = np.tile([1.0, 0, 0, 0], (len(means), 1))
    arrays = (means, quats, scales, np.full(len(means), 0.95), sh)
    mean, quat, scale, opacity, colour = (torch.from_numpy(np.asarray(a, dtype=np.float32)) for a in arrays)
    return Splats(mean, quat, scale, opacity, colour, mode="antialiased")


def inside(index: int, random: np.random.Generator) -> Camera:
    """A camera inside the room, looking across it."""
    angle = 2.399963 * index
    position = ROOM / 2 + np.array([1.6 * np.cos(angle), 1.2 * np.sin(angle), random.uniform(-0.2, 0.5)])
    forward = ROOM * (0.5, 0.5, 0.3) + random.uniform(-0.5, 0.5, 3) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = position
    return Camera(pose, FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


if __name__ == "__main__":
    main(__doc__ or "", measure)
