"""Move a prop before a set and count refined pixels that change, near it and elsewhere; prints one JSON object.

The set and the prop are drawn splats, the refiner is one whose every layer was drawn at random, for a network that
changes everything hides nothing. Beside it stands what leaks through a big model, which looks at the whole picture at
once: the weights in a folder (`python -m tests.acceptance.moved_prop FOLDER`), or else Stable Diffusion's image to
image with a few thousand random weights, which show the mechanism and not the level of real ones.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import Camera
from splatfilm.film.refine_model import ModelSettings
from splatfilm.refine.apply import Settings, refine_frame
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.looks import LOOKS
from splatfilm.refine.models import ModelSource
from splatfilm.refine.net import REACH, LocalUNet, SceneRefiner
from splatfilm.refine.opinions import Opinions
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.render.renderer import render
from splatfilm.splats import Splats, compose
from tests import tiny_models

HEIGHT, WIDTH = 270, 480


def drawn(count: int, low: tuple[float, ...], high: tuple[float, ...], size: float, seed: int) -> Splats:
    """Blobs in a box."""
    random = np.random.default_rng(seed)
    arrays = (
        random.uniform(low, high, (count, 3)),
        np.tile([1.0, 0, 0, 0], (count, 1)),
        random.uniform(0.5 * size, size, (count, 3)),
        random.uniform(0.6, 0.95, count),
        random.uniform(-1.5, 1.5, (count, 1, 3)),
    )
    return Splats(*(torch.from_numpy(a.astype(np.float32)) for a in arrays), mode="antialiased")


def frame_of(splats: Splats, part: Tensor, camera: Camera) -> BareFrame:
    """What a film's frame hands to a refiner; `part` is how much of every pixel is the prop's."""
    frame = render_passes(splats, camera, PassInputs(("normal", "position")), backend="cpu")
    owner = (part > 0.5).to(torch.int64)
    normal, place = frame.layers["normal"], frame.layers["position"]
    return BareFrame(
        frame.beauty, frame.alpha, frame.depth, normal, place, owner, frame.alpha, camera, ("set", "prop"), 1001.0, 24.0
    )


def part_of(whole: Splats, count: int, camera: Camera) -> Tensor:  # [H, W]
    """The weight of the last `count` splats in every pixel."""
    owned = torch.zeros(len(whole), 1)
    owned[-count:] = 1
    found = render(whole, camera, backend="cpu", features=owned).features
    assert found is not None
    return found[..., 0]


def leak(frames: list[BareFrame], covered: Tensor, model: Path | None) -> dict[str, float]:
    """What a big model, held in the look `clean`, changes outside of a prop's footprints [H, W] when that moves."""
    with tempfile.TemporaryDirectory() as folder:
        found = model or tiny_models.stable_diffusion(Path(folder) / "stable_diffusion")
        refiner = ModelSource(ModelSettings(model=str(found)), found.parent).open("cpu")
        before, after = (
            refine_frame(one, refiner, Settings(LOOKS["clean"], "seed"), ("set", "prop")).still for one in frames
        )
    elsewhere = (before - after).abs().amax(-1)[~covered]
    return {
        "big model: changed outside, percent": round(100 * float((elsewhere > 0).float().mean()), 1),
        "big model: by a level or more, percent": round(100 * float((elsewhere >= 1 / 255).float().mean()), 1),
        "big model: largest change outside, of 255": round(255 * float(elsewhere.max()), 2),
    }


def main(model: Path | None = None) -> None:
    """Print the counts."""
    room, prop = drawn(6000, (-3, -2, 4), (3, 2, 5), 0.12, 1), drawn(60, (-0.15, -0.15, 3), (0.15, 0.15, 3.2), 0.05, 2)
    moved = dataclasses.replace(prop, means=prop.means + torch.tensor([0.12, 0.05, 0.0]))
    camera = Camera(np.eye(4), 420.0, 420.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
    scenes = [compose([(room, IDENTITY), (one, IDENTITY)]) for one in (prop, moved)]
    parts = [part_of(scene, len(prop), camera) for scene in scenes]
    covered = (parts[0] > 0) | (parts[1] > 0)
    net = LocalUNet(seed=3)
    with torch.no_grad():
        for name, values in net.named_parameters():
            if "conv_out" in name:
                values.copy_(torch.randn(values.shape, generator=torch.Generator().manual_seed(4)) * 0.3)
    others = tuple(drawn(6000, (-3, -2, 4), (3, 2, 5), 0.12, seed) for seed in (5, 6))
    refine = SceneRefiner(net.eval(), Opinions(room, others), torch.device("cpu"))
    frames = [frame_of(scene, part, camera) for scene, part in zip(scenes, parts, strict=True)]
    bare = (frames[0].beauty != frames[1].beauty).any(-1)
    changed = (refine(frames[0]) != refine(frames[1])).any(-1)
    grown = torch.nn.functional.max_pool2d(covered[None].float(), 2 * REACH + 1, 1, REACH)[0] > 0
    counts = {
        "pixels": HEIGHT * WIDTH,
        "covered by the prop": int(covered.sum()),
        "within the reach of it": int(grown.sum()),
        "changed near": int((changed & grown).sum()),
        "changed beyond the reach": int((changed & ~grown).sum()),
        "baked: changed outside the footprints": int((bare & ~covered).sum()),
        **leak(frames, covered, model),
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
