"""Baking: votes by hand, capacity that keeps the picture, rounds that are judged, splats that a kill cannot change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import cameras, known_splats, quick, write_capture

from splatfilm.base.errors import InputError
from splatfilm.capture import read_capture
from splatfilm.capture.model import Capture
from splatfilm.reconstruct import Reconstruction, Settings, reconstruct
from splatfilm.reconstruct.splitting import APART, parameters_of, split_in_two
from splatfilm.reconstruct.trainer import View
from splatfilm.refine import bake as baking
from splatfilm.refine.asset import bake_asset, learn_refiner
from splatfilm.refine.baked import find_baked
from splatfilm.refine.recipe import (
    BakeSettings,
    NetSettings,
    PairSettings,
    Recipe,
    TrainSettings,
    bake_key,
    recipe_for,
    refiner_key,
)
from splatfilm.refine.stored import find_refiner
from splatfilm.render import render
from splatfilm.splats import read_splats

TINY = Recipe(
    PairSettings(folds=2, opinions=2, asked=2, share=0.5),
    TrainSettings(net=NetSettings(channels=(8, 8, 8)), steps=3, crops=2, size=16),
    BakeSettings(rounds=2, views=4, share=1.0, least_gain=0.01),
)


def view_of(index: int, strength: float = 1.0) -> View:
    camera = cameras(24)[index]
    return View(f"{index}", camera, torch.rand(camera.height, camera.width, 3).half(), None, None, strength)


def test_a_laplacian_knows_a_crisp_picture() -> None:
    image = torch.zeros(5, 5, 3)
    image[2, 2] = 0.9
    assert baking.sharpness(image) == pytest.approx((4 * 0.9 + 4 * 0.9) / 9)  # the point itself, and four neighbours
    assert baking.sharpness(torch.full((5, 5, 3), 0.3)) == pytest.approx(0, abs=1e-6)


def test_half_a_splat_and_half_a_splat_have_its_mean_and_variance() -> None:
    splats = known_splats(5)
    gaussians = parameters_of(splats)
    halves = split_in_two({name: values.clone() for name, values in gaussians.items()}, torch.tensor([3]))
    assert len(halves["means"]) == 6
    a, b = halves["means"][3], halves["means"][5]
    torch.testing.assert_close((a + b) / 2, gaussians["means"][3])
    longest = float(splats.scales[3].max())
    assert float((a - b).norm()) == pytest.approx(2 * APART * longest, rel=1e-5)
    left = float(halves["log_scales"][3].exp().sort().values[-1])
    across = [float(v) for v in splats.scales[3].sort().values]
    shrunk = longest * (1 - APART**2) ** 0.5
    assert sorted([*across[:2], shrunk])[-1] == pytest.approx(left, rel=1e-5)
    assert shrunk**2 + (APART * longest) ** 2 == pytest.approx(longest**2)
    for name, values in gaussians.items():
        assert torch.equal(halves[name][[0, 1, 2, 4]], values[[0, 1, 2, 4]])


def test_splats_whose_views_disagree_are_not_believed() -> None:
    splats, found = known_splats(), []
    for index, change in enumerate((0.1, 0.1, 0.1)):
        bare = render(splats, cameras(24)[index], backend="cpu").beauty
        found.append(baking.Refined(cameras(24)[index], bare, bare + change))
    together = baking.agreement(splats, found, 0.06, "cpu")
    assert float(together.min()) > 0.99
    against = [
        dataclasses.replace(view, picture=view.bare + sign * 0.1) for view, sign in zip(found, (1, -1, 1), strict=True)
    ]
    votes = [baking._votes(splats, view.camera, torch.ones_like(view.bare), "cpu")[:, 0] for view in found]
    shown = torch.stack(votes).clamp_min(0)
    apart = baking.agreement(splats, against, 0.06, "cpu")
    seen = shown.min(0).values > 3
    share = shown / shown.sum(0)
    mean = 0.1 * (share[0] - share[1] + share[2])
    expected = torch.exp(-3 * (0.01 - mean.square()) / 0.06**2)  # three channels
    assert int(seen.sum()) > 10
    torch.testing.assert_close(apart[seen], expected[seen], atol=2e-3, rtol=1e-2)


def test_an_epoch_has_photographs_and_refined_views_in_their_shares() -> None:
    photographs, refined = [view_of(i) for i in range(7)], [view_of(i, 0.3) for i in range(12)]
    epoch = baking.mixed(photographs, refined, BakeSettings())
    strong = [view for view in epoch if view.strength == 1.5]
    assert len(strong) / len(epoch) == pytest.approx(0.7, abs=0.03)
    assert len(epoch) - len(strong) == 12
    assert baking.mixed(photographs, [], BakeSettings()) == photographs


def test_views_lie_between_photographs_and_have_an_address() -> None:
    views = [view_of(index) for index in range(24)]
    found = baking.cameras_between(views, 9, "ball", 1)
    again, other = baking.cameras_between(views, 9, "ball", 1), baking.cameras_between(views, 9, "ball", 2)
    assert all(np.array_equal(a.pose, b.pose) for a, b in zip(found, again, strict=True))
    assert not all(np.array_equal(a.pose, b.pose) for a, b in zip(found, other, strict=True))
    places = np.stack([view.camera.position for view in views])
    for camera in found:
        assert np.linalg.norm(places - camera.position, axis=1).min() > 1e-3, "nobody photographed it from there"
        assert np.linalg.norm(camera.position) <= 3.0


def test_a_key_changes_with_whatever_decides_the_result() -> None:
    recipe = recipe_for("draft")
    more = dataclasses.replace(recipe, bake=dataclasses.replace(recipe.bake, rounds=4))
    longer = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, steps=9))
    assert bake_key("a", recipe) != bake_key("b", recipe)
    assert bake_key("a", recipe) != bake_key("a", more)
    assert refiner_key("a", recipe) == refiner_key("a", more)
    assert len({bake_key("a", recipe), bake_key("a", longer)}) == 2
    alone, asking = (Recipe(PairSettings(opinions=n, asked_drop=0.1)) for n in (1, 2))
    assert refiner_key("a", alone) == refiner_key("a", Recipe()), (
        "who asks nobody does not care how they would be trained"
    )
    assert refiner_key("a", asking) != refiner_key("a", Recipe(PairSettings(opinions=2)))
    with pytest.raises(InputError, match='did you mean "draft"'):
        recipe_for("drat")


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> tuple[Capture, Reconstruction, Settings, Path]:
    """A capture, a quick reconstruction of it, how, and where."""
    folder = tmp_path_factory.mktemp("ball")
    capture, settings = read_capture(write_capture(folder / "ball", count=16)), quick(steps=60, budget=300)
    return capture, reconstruct(capture, settings, folder / "out"), settings, folder / "out"


def test_a_bake_is_made_once_told_in_full_and_leaves_the_asset_as_it_was(
    ball: tuple[Capture, Reconstruction, Settings, Path],
) -> None:
    capture, made, settings, out = ball
    before = made.splats.read_bytes()
    baked = bake_asset(capture, made, settings, TINY, out)
    assert made.splats.read_bytes() == before
    record = baked.record
    assert baked.helped
    assert record["after"]["psnr"] >= record["before"]["psnr"] + 0.01
    assert record["rounds"][0]["splats"] == record["count"] > made.count or record["kept"] == 2
    assert set(record["refined frame by frame"]) == {"psnr", "ssim", "sharpness"}
    assert (baked.folder / "bake.png").is_file()
    assert find_refiner(made.splats) is not None, "the refiner is stored with the asset"
    assert find_refiner(baked.splats) is None, "and not with what was refined already"
    stamp = baked.splats.stat().st_mtime_ns
    again = bake_asset(capture, made, settings, TINY, out)
    assert (again.splats_hash, again.splats.stat().st_mtime_ns) == (baked.splats_hash, stamp)
    baked.splats.write_bytes(b"ply")
    assert find_baked(out, baked.key) is None
    assert bake_asset(capture, made, settings, TINY, out).splats_hash == baked.splats_hash, "made again to the byte"


def test_a_bake_that_does_not_help_is_rolled_back_and_says_so(
    ball: tuple[Capture, Reconstruction, Settings, Path],
) -> None:
    capture, made, settings, out = ball
    never = dataclasses.replace(TINY, bake=dataclasses.replace(TINY.bake, least_gain=90.0, share=0.1))
    baked = bake_asset(capture, made, settings, never, out)
    assert not baked.helped
    assert baked.splats.read_bytes() == made.splats.read_bytes()
    assert [one["kept"] for one in baked.record["rounds"]] == [False]
    assert baked.record["after"] == baked.record["before"]


def test_a_bake_that_stopped_in_a_round_ends_with_the_same_splats(
    ball: tuple[Capture, Reconstruction, Settings, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, made, settings, _ = ball
    net, known = learn_refiner(capture, made, settings, TINY)
    others = known.others
    from splatfilm.refine.pairs import views_of

    views, held_out = views_of(capture, "train", settings), views_of(capture, "test", settings)
    ground = baking.Ground(read_splats(made.splats), views, held_out, settings, "stopped")
    whole = baking.bake(ground, net, others, TINY.bake, tmp_path / "whole")
    monkeypatch.setattr(baking, "CHECKPOINT_SECONDS", 0.0)
    steps = iter(range(25))
    advance = baking.Trainer.advance

    def failing(trainer: baking.Trainer) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        advance(trainer)

    monkeypatch.setattr(baking.Trainer, "advance", failing)
    with pytest.raises(KeyboardInterrupt):
        baking.bake(ground, net, others, TINY.bake, tmp_path / "stopped")
    assert list((tmp_path / "stopped" / "round-1").glob("step-*.checkpoint"))
    monkeypatch.setattr(baking.Trainer, "advance", advance)
    found = baking.bake(ground, net, others, TINY.bake, tmp_path / "stopped")
    assert torch.equal(found.splats.means, whole.splats.means)
    assert torch.equal(found.splats.sh, whole.splats.sh)


def test_without_held_out_photographs_nothing_can_judge(tmp_path: Path) -> None:
    ground = baking.Ground(known_splats(), [view_of(0)], [], quick(), "none")
    net = baking.LocalUNet(NetSettings(channels=(8, 8, 8)))
    with pytest.raises(InputError, match="nothing can judge a bake"):
        baking.bake(ground, net, (), TINY.bake, tmp_path)
