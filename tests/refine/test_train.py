"""Teaching: losses by hand, the same bits however it is run, pairs that never saw their photograph."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from synthetic import cameras, known_splats, quick, write_capture

from splatfilm.base.errors import InputError
from splatfilm.capture import read_capture
from splatfilm.reconstruct import reconstruct
from splatfilm.reconstruct.trainer import View
from splatfilm.refine import pairs as making
from splatfilm.refine.asset import say_of
from splatfilm.refine.net import LocalUNet
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.pairs import Pair
from splatfilm.refine.recipe import NetSettings, PairSettings, TrainSettings
from splatfilm.refine.train import RefinerTraining, loss_of, train_refiner
from splatfilm.render import render
from splatfilm.splats import read_splats

SMALL = TrainSettings(net=NetSettings(channels=(8, 8, 8)), steps=40, crops=3, size=16, rate=4e-3)
CPU = torch.device("cpu")


def dull_pairs(count: int = 6) -> list[Pair]:
    """Photographs with three quarters of their contrast taken away: something that can be learnt."""
    found = []
    for index in range(count):
        truth = torch.rand(3, 32, 40, generator=torch.Generator().manual_seed(index))
        planes = torch.zeros(13, 32, 40)
        planes[:3] = 0.5 + 0.25 * (truth - 0.5)
        found.append(Pair(f"{index}", index < 4, planes.half(), truth.half(), None))
    return found


def test_the_loss_is_l1_four_times_l2_and_half_the_gradients() -> None:
    image, truth, weight = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    truth[..., 0, 0] = 0.4
    # L1 0.1, L2 0.04; of two differences along each axis one is 0.4: 0.2 either way, half of their mean 0.1.
    assert float(loss_of(image, truth, weight)) == pytest.approx(0.1 + 4 * 0.04 + 0.1, abs=1e-6)
    weight[..., 0, 0] = 0
    assert float(loss_of(image, truth, weight)) == 0


def test_teaching_brings_the_render_nearer_to_the_photographs() -> None:
    training = RefinerTraining(dull_pairs(), dataclasses.replace(SMALL, steps=60), "dull", CPU)
    while training.step < 60:
        training.advance()
    planes = dull_pairs(9)[8].planes.float()[None]
    truth = dull_pairs(9)[8].truth.float()
    with torch.no_grad():
        after = float((training.refiner()(planes)[0] - truth).abs().mean())
    assert after < 0.8 * float((planes[0, :3] - truth).abs().mean())


def weights_after(steps: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    monkeypatch.setenv("SPLATFILM_THREADS", threads)
    training = RefinerTraining(dull_pairs(), SMALL, "same", CPU)
    for _ in range(steps):
        training.advance()
    return training.average


def test_any_number_of_threads_teaches_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    one, three = weights_after(4, "1", monkeypatch), weights_after(4, "3", monkeypatch)
    assert all(torch.equal(a, b) for a, b in zip(one, three, strict=True))


def test_a_training_that_goes_on_ends_with_the_bits_of_one_that_never_stopped() -> None:
    whole = RefinerTraining(dull_pairs(), SMALL, "same", CPU)
    first = RefinerTraining(dull_pairs(), SMALL, "same", CPU)
    for _ in range(6):
        whole.advance()
    for _ in range(3):
        first.advance()
    second = RefinerTraining(dull_pairs(), SMALL, "same", CPU)
    second.resume(first.state())
    for _ in range(3):
        second.advance()
    assert second.step == 6
    assert all(torch.equal(a, b) for a, b in zip(whole.average, second.average, strict=True))


def test_another_anchor_draws_other_crops_and_nothing_touches_the_global_generator() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other = (RefinerTraining(dull_pairs(), SMALL, anchor, CPU) for anchor in ("a", "b"))
    one.advance()
    other.advance()
    assert not torch.equal(one.average[0], other.average[0])
    assert torch.equal(before, torch.random.get_rng_state())


KILLED = """
import sys; sys.path[:0] = [{tests!r}]
from pathlib import Path
from test_train import CPU, SMALL, dull_pairs
from splatfilm.refine import train
train.CHECKPOINT_SECONDS = 0.0
training = train.RefinerTraining(dull_pairs(), SMALL, "killed", CPU)
train.train_refiner(training, Path({folder!r}), "key")
"""


def test_a_training_that_was_killed_ends_with_the_same_bits(tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    code = KILLED.format(tests=str(here), folder=str(tmp_path / "work"))
    path = os.pathsep.join([str(here.parent / "reconstruct"), str(here.parents[1])])
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    until = time.monotonic() + 120
    while not list((tmp_path / "work").glob("step-*.checkpoint")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = train_refiner(RefinerTraining(dull_pairs(), SMALL, "killed", CPU), tmp_path / "work", "key")
    whole = train_refiner(RefinerTraining(dull_pairs(), SMALL, "killed", CPU), tmp_path / "other", "key")
    for a, b in zip(found.parameters(), whole.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not list((tmp_path / "work").glob("step-*"))


def test_a_mirrored_crop_turns_the_normals_with_it() -> None:
    pairs = dull_pairs(1)
    pairs[0].planes[5] = 1.0
    training = RefinerTraining(pairs, SMALL, "mirror", CPU)
    signs = {float(training._crop(training_random).planes[0, 5].mean()) for training_random in randoms(20)}
    assert signs == {1.0, -1.0}


def randoms(count: int) -> list[object]:
    from splatfilm.reconstruct.randomness import generator

    return [generator("mirror", "test", index) for index in range(count)]


@pytest.mark.parametrize("wrong", [{"size": 30}, {"steps": 0}, {"ema": 1.0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        dataclasses.replace(SMALL, **wrong)


def test_every_photograph_is_paired_with_splats_that_never_saw_it(tmp_path: Path) -> None:
    capture = read_capture(write_capture(tmp_path / "ball", count=10))
    settings = quick(steps=30, budget=200)
    names = [photograph.name for photograph in capture.of("train")]
    folds = list(making.fold_captures(capture, 2))
    assert sorted(name for _, left_out in folds for name in left_out) == names
    for rest, left_out in folds:
        assert not {p.name for p in rest.photographs} & set(left_out)
        assert not [p for p in rest.photographs if p.split == "test"]
    made = reconstruct(capture, settings, tmp_path / "out")
    splats = read_splats(made.splats)
    wanted = PairSettings(folds=2)
    found = making.make_pairs(capture, splats, settings, wanted, tmp_path / "out").pairs
    assert [pair.name for pair in found if pair.held_out] == names
    assert [pair.name for pair in found if not pair.held_out] == names[::3]
    assert found[0].planes.shape == (13, 64, 96)
    again = making.make_pairs(capture, splats, settings, wanted, tmp_path / "out").pairs
    assert all(torch.equal(a.planes, b.planes) for a, b in zip(found, again, strict=True))
    with pytest.raises(InputError, match="folds need at least"):
        list(making.fold_captures(capture, 8))


def test_no_opinion_that_is_learnt_from_saw_the_photograph(tmp_path: Path) -> None:
    capture = read_capture(write_capture(tmp_path / "ball", count=14))
    settings, wanted = quick(steps=10, budget=200), PairSettings(folds=2, opinions=2, asked=3)
    for rest, left_out in making.fold_captures(capture, 2):
        first, second = making.opinion_captures(rest, 2)
        assert first is rest
        assert len(second.photographs) < len(first.photographs)
        assert not {p.name for p in second.photographs} & set(left_out)
    splats = read_splats(reconstruct(capture, settings, tmp_path / "out").splats)
    lesson = making.make_pairs(capture, splats, settings, wanted, tmp_path / "out")
    names = [photograph.name for photograph in capture.of("train")]
    assert [pair.name for pair in lesson.pairs] == [name for name in names for _ in range(2)], "each in its turn"
    assert all(pair.held_out for pair in lesson.pairs), "the asset's own renders have seen too much"
    one, other = lesson.pairs[0].planes.float(), lesson.pairs[1].planes.float()
    assert torch.allclose(one[:3] + one[8:11], other[:3] + other[8:11], atol=2e-3), "both have the same mean"
    assert one[8:11].abs().max() > 0
    assert len(lesson.opinions) == len(set(lesson.opinions)) == 3


def test_photographs_that_nothing_was_taught_with_say_how_much_a_network_has_to_say() -> None:
    splats = known_splats()
    known, net = Opinions(splats, (splats,)), LocalUNet(NetSettings(channels=(8, 8, 8), bound=0.35))
    views = []
    for camera in cameras(3):
        picture = render(splats, camera, backend="cpu").beauty + 0.02
        views.append(View("brighter", camera, picture.half(), None, None))
    assert say_of(net, known, views, "cpu") == 0.0, "what changes nothing has nothing to say"
    with torch.no_grad():
        net.inner.conv_out.bias.fill_(math.atanh(0.04 / 0.35))  # type: ignore[union-attr,operator]
    assert say_of(net, known, views, "cpu") == 0.5, "it wants 0.04 where 0.02 is right"
    assert say_of(net, known, (), "cpu") == 1.0


def test_a_share_of_the_crops_is_for_several_steps() -> None:
    training = RefinerTraining(dull_pairs(), dataclasses.replace(SMALL, noisy=0.5), "noisy", CPU)
    crops = [training._crop(random) for random in randoms(40)]
    noisy = [crop for crop in crops if crop.time > 0]
    assert 8 < len(noisy) < 32
    assert all(crop.planes.shape[1] == 16 for crop in crops)
    assert all(not crop.planes[:, 13:].any() for crop in crops if crop.time == 0)
    assert all(float(crop.planes[:, 13:].std()) > 0.3 for crop in noisy)
    training.advance()
    assert training.step == 1


def test_the_network_of_a_training_is_the_size_that_was_asked_for() -> None:
    training = RefinerTraining(dull_pairs(), SMALL, "size", CPU)
    assert isinstance(training.refiner(), LocalUNet)
    assert training.refiner().settings.channels == (8, 8, 8)
