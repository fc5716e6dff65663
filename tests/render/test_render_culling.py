"""Blocks that no camera sees are passed over, and no bit of any picture tells."""

from __future__ import annotations

import dataclasses
import gc
import math
import weakref

import numpy as np
import pytest
import torch
from render_scenes import random_splats, splats_of, tensors_of
from test_render_distortion import LENSES
from torch import Tensor

from splatfilm.base.rigid import IDENTITY, Similarity
from splatfilm.cameras import Camera
from splatfilm.render import Frame, RenderSettings, ScreenStats, culling, render
from splatfilm.render.kernels import instruction_sets, set_threads, threads, use_instruction_set
from splatfilm.splats import Splats, compose

SETTINGS = RenderSettings(depths=True, background=(0.1, 0.2, 0.3))


def scattered(rng: np.random.Generator, count: int = 12_000) -> Splats:
    """Clusters about the origin: most splats small, a few needles, and some of the size of the whole."""
    places = rng.normal(size=(1 + count // 200, 3)) * 4
    means = np.repeat(places, 200, axis=0)[:count] + rng.normal(size=(count, 3)) * 0.05
    scales = np.exp(rng.normal(-4.5, 0.8, (count, 3)))
    scales[:: count // 3] *= 200
    scales[:: count // 5, 0] *= 900
    order = rng.permutation(count)
    parts = (means, rng.normal(size=(count, 4)), scales, rng.uniform(0, 1, count), rng.normal(size=(count, 4, 3)) * 0.3)
    return Splats(*(torch.tensor(part[order], dtype=torch.float32) for part in parts))


def camera_inside(rng: np.random.Generator, lens: str = "pinhole") -> Camera:
    """Anywhere in the cloud, looking anywhere, from wide to long, on or off the axis, with overscan now and then."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    pose = np.eye(4)
    pose[:3, :3] = q * np.sign(np.diag(r)) * np.sign(np.linalg.det(q * np.sign(np.diag(r))))
    pose[:3, 3] = rng.normal(size=3) * 3
    width, height = int(rng.integers(1, 90)), int(rng.integers(1, 60))
    focal = width * math.exp(rng.uniform(-0.6, 1.6))
    middle = rng.uniform(0.3, 0.7, 2) if rng.random() < 0.8 else rng.uniform(-1.5, 2.5, 2)
    distortion = LENSES.get(lens)
    if distortion is not None and distortion.model == "kannala-brandt":
        focal = width * rng.uniform(0.25, 1.5)
    overscan = tuple(int(n) for n in rng.integers(0, 20, 4)) if rng.random() < 0.3 else (0, 0, 0, 0)
    camera = Camera(pose, focal, focal * rng.uniform(0.7, 1.4), middle[0] * width, middle[1] * height, width, height)
    shift = (rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.05)) if distortion is not None else (0.0, 0.0)
    return dataclasses.replace(camera, distortion=distortion, overscan=overscan, shift=shift)


def everything(splats: Splats, camera: Camera, chosen: RenderSettings = SETTINGS) -> list[Tensor]:
    """Every pass, and which splats have a footprint."""
    stats = ScreenStats.of(len(splats))
    features = torch.linspace(-1, 1, 2 * len(splats)).view(-1, 2)
    with torch.no_grad():
        frame = render(splats, camera, chosen, "cpu", stats, features)
    return [*passes(frame), stats.radii]


def passes(frame: Frame) -> list[Tensor]:
    found = (frame.beauty, frame.alpha, frame.depth, frame.features, frame.median_depth, frame.front_depth)
    return [p for p in found if p is not None]


def hidden(splats: Splats, camera: Camera) -> int:
    """How many blocks the kernels pass over."""
    from splatfilm.render import cpu

    view = cpu._view(splats, camera, SETTINGS)
    inputs = [*tensors_of(splats), torch.empty(0), torch.empty(0)]
    culled = culling.make_blocks(splats), culling.sight(camera, view.window)
    _, kernel_pass = cpu._forward(tuple(inputs), view, cpu._modes(splats), False, None, culled)
    return int(kernel_pass.hidden)


@pytest.fixture
def always_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of any size get blocks the second time that they are drawn."""
    monkeypatch.setattr(culling, "FEWEST", 1)


def alike(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a.view(torch.int32), b.view(torch.int32)) for a, b in zip(first, second, strict=True))


@pytest.mark.usefixtures("always_in_blocks")
@pytest.mark.parametrize("lens", ["pinhole", *LENSES])
def test_every_picture_has_the_same_bits_in_blocks(lens: str) -> None:
    rng = np.random.default_rng(sum(map(ord, lens)))
    splats, found = scattered(rng), 0
    for _ in range(60):
        camera = camera_inside(rng, lens)
        sort = "distance" if rng.random() < 0.3 else "depth"
        chosen = dataclasses.replace(SETTINGS, sort=sort, near=rng.choice([0.01, 0.5]), far=rng.choice([3.0, 1e10]))
        anew = dataclasses.replace(splats, means=splats.means.clone())
        plain = everything(anew, camera, chosen)
        assert culling.blocks_of(anew) is not None
        assert alike(plain, everything(anew, camera, chosen))
        found += hidden(splats, camera) > 0
    assert found >= 10  # of 60 cameras: else nothing was tried


@pytest.mark.usefixtures("always_in_blocks")
def test_splats_that_something_has_moved_have_the_same_bits_in_blocks() -> None:
    rng = np.random.default_rng(5)
    splats = scattered(rng, 6000)
    turns = torch.nn.functional.normalize(torch.tensor(rng.normal(size=(6000, 4)), dtype=torch.float32))
    stretches = torch.tensor([1.0, 0, 0, 1, 0, 1]) + torch.tensor(rng.normal(size=(6000, 6)) * 0.5).float()
    modes = torch.arange(6000) % 3 == 0
    moved = dataclasses.replace(splats, stretches=stretches, turns=turns, mode="mixed", antialiased=modes)
    for _ in range(20):
        camera = camera_inside(rng)
        anew = dataclasses.replace(moved, means=moved.means.clone())
        plain = everything(anew, camera)
        assert alike(plain, everything(anew, camera))


@pytest.mark.usefixtures("always_in_blocks")
@pytest.mark.parametrize("field", range(5))
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 0.0, 1e38, -1e38, 1e-45, 1e19, -1e-20, 3.0])
def test_poisoned_splats_have_the_same_bits_in_blocks(field: int, poison: float) -> None:
    rng = np.random.default_rng(field)
    parts = [part.clone() for part in tensors_of(scattered(rng, 3000))]
    parts[field].view(3000, -1)[::50] = poison
    for _ in range(4):
        splats, camera = splats_of(tuple(part.clone() for part in parts), "classic"), camera_inside(rng)
        plain = everything(splats, camera)
        assert alike(plain, everything(splats, camera))


@pytest.mark.usefixtures("always_in_blocks")
def test_splats_at_one_depth_keep_their_order() -> None:
    # 9000 bright splats side by side on one plane before the camera, each over many others: any other order shows. The
    # rest lies behind the camera, so that blocks are used.
    rng = np.random.default_rng(7)
    count = 20_000
    means = rng.uniform(-1, 1, (count, 3))
    means[:, 2] = np.where(np.arange(count) % 20 < 9, 2.0, -2.0)
    colours = torch.tensor(rng.uniform(-1.5, 1.5, (count, 1, 3)), dtype=torch.float32)
    splats = Splats(
        torch.tensor(means, dtype=torch.float32),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        torch.full((count, 3), 0.05),
        torch.full((count,), 0.6),
        colours,
    )
    camera = Camera(np.eye(4), 60.0, 60.0, 32.0, 24.0, 64, 48)
    plain = everything(splats, camera)
    assert hidden(splats, camera) > 30
    assert alike(plain, everything(splats, camera))
    backwards = splats_of(tuple(part.flip(0) for part in tensors_of(splats)), "classic")
    assert not torch.equal(everything(backwards, camera)[0], plain[0])  # the order is seen


@pytest.mark.usefixtures("always_in_blocks")
def test_blocks_give_the_same_bits_on_any_threads_and_instruction_set() -> None:
    rng = np.random.default_rng(9)
    splats, camera = scattered(rng), camera_inside(rng)
    plain, before = everything(splats, camera), threads()
    try:
        for name in instruction_sets():
            use_instruction_set(name)
            for count in (1, 2, 3):
                set_threads(count)
                assert alike(plain, everything(splats, camera))
    finally:
        use_instruction_set()
        set_threads(before)


@pytest.mark.usefixtures("always_in_blocks")
def test_gradients_have_the_same_bits_before_and_after_a_set_has_blocks() -> None:
    rng = np.random.default_rng(11)
    leaves = tuple(part.requires_grad_() for part in tensors_of(scattered(rng, 2000)))
    splats, camera = splats_of(leaves, "classic"), camera_inside(rng)

    def gradients() -> list[Tensor]:
        beauty = render(splats, camera, backend="cpu").beauty
        return list(torch.autograd.grad(beauty.square().sum(), leaves))

    before = gradients()
    everything(splats, camera), everything(splats, camera)
    assert culling.blocks_of(splats) is not None
    assert alike(before, gradients())


@pytest.mark.usefixtures("always_in_blocks")
@pytest.mark.parametrize("name", ["means", "quats", "scales", "opacities"])
def test_splats_that_are_written_to_lose_their_blocks(name: str) -> None:
    rng = np.random.default_rng(13)
    splats, camera = scattered(rng, 4000), camera_inside(rng)
    everything(splats, camera), everything(splats, camera)
    getattr(splats, name).mul_(-2.0 if name == "means" else 0.5)
    fresh = splats_of(tuple(part.clone() for part in tensors_of(splats)), "classic")
    assert alike(everything(splats, camera), everything(fresh, camera))
    replaced = dataclasses.replace(splats, **{name: getattr(splats, name).flip(0)})
    fresh = splats_of(tuple(part.clone() for part in tensors_of(replaced)), "classic")
    for _ in range(2):
        assert alike(everything(replaced, camera), everything(fresh, camera))


@pytest.mark.usefixtures("always_in_blocks")
def test_a_set_keeps_its_blocks_whatever_cast_stands_in_it() -> None:
    rng = np.random.default_rng(15)
    setting, actor = scattered(rng, 5003), random_splats(rng, 700, 1)
    for step in range(3):
        place = Similarity((1.0, 0.0, 0.0, 0.0), (0.1 * step, 0.0, 0.0), 1.0)
        scene, camera = compose([(setting, IDENTITY), (actor, place)]), camera_inside(rng)
        drawn = everything(scene, camera)
        apart = splats_of(tuple(part.clone() for part in tensors_of(scene)), "classic")
        assert alike(drawn, everything(apart, camera))
    kept = culling.blocks_of(setting)
    assert kept is not None and kept is culling.blocks_of(setting)
    found = culling.culling(compose([(setting, IDENTITY), (actor, IDENTITY)]), camera, (0, 0, 9, 9))
    assert found is not None and found[0] is kept


@pytest.mark.usefixtures("always_in_blocks")
def test_nothing_of_a_set_outlives_it() -> None:
    rng = np.random.default_rng(17)
    setting, camera = scattered(rng, 2000), camera_inside(rng)
    scene = compose([(setting, IDENTITY), (random_splats(rng, 300, 1), IDENTITY)])
    everything(scene, camera), everything(scene, camera)
    alive = [weakref.ref(setting.means), weakref.ref(scene.means), weakref.ref(setting.scales)]
    del setting, scene
    gc.collect()
    assert [one() for one in alive] == [None, None, None]


def test_small_sets_and_single_pictures_have_no_blocks() -> None:
    rng = np.random.default_rng(19)
    small, large = scattered(rng, 1000), scattered(rng, culling.FEWEST)
    assert [culling.blocks_of(small) for _ in range(3)] == [None, None, None]
    assert culling.blocks_of(large) is None
    assert culling.blocks_of(large) is not None
    with torch.inference_mode():  # such tensors do not say when they are written to
        unsaid = splats_of(tuple(part.clone() for part in tensors_of(large)), "classic")
        assert [culling.blocks_of(unsaid) for _ in range(3)] == [None, None, None]
