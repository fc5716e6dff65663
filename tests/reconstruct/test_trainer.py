"""The training loop's smaller promises: schedules, keyed randomness, numbers that run away."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from synthetic import HEIGHT, WIDTH, cameras, known_splats, quick

from splatfilm.base.errors import InputError
from splatfilm.capture.pictures import Picture
from splatfilm.reconstruct import settings_for
from splatfilm.reconstruct.gaussians import activated
from splatfilm.reconstruct.initialise import from_frusta
from splatfilm.reconstruct.randomness import generator
from splatfilm.reconstruct.run import budget_for
from splatfilm.reconstruct.trainer import DivergedError, Trainer, View
from splatfilm.render import render


def view(index: int = 0, matte: float | None = None) -> View:
    camera = cameras(index + 1)[index]
    colour = render(known_splats(), camera, backend="cpu").beauty.numpy().copy()
    plane = None if matte is None else np.full((HEIGHT, WIDTH), matte, np.float32)
    return View.of(Picture(f"{index}", camera, colour, plane, None), torch.device("cpu"))


def trainer() -> Trainer:
    made = Trainer({1.0: [view(i) for i in range(3)]}, quick(100, coarse=()), 3.0, "anchor")
    made.begin(from_frusta([v.camera for v in made.views[1.0]], 40, 3.0, np.random.default_rng(0)))
    return made


def test_the_same_address_gives_the_same_numbers_and_another_gives_others() -> None:
    first = generator("capture", "noise", 7).random(4)
    assert (generator("capture", "noise", 7).random(4) == first).all()
    for other in (generator("capture", "noise", 8), generator("capture", "ground", 7), generator("else", "noise", 7)):
        assert not (other.random(4) == first).any()


def test_global_generators_have_no_say() -> None:
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        made = trainer()
        for _ in range(12):
            made.advance()
        states.append(made.gaussians["means"].clone())
    assert torch.equal(states[0], states[1])


def test_every_epoch_shows_each_photograph_once() -> None:
    made = trainer()
    seen = []
    for step in range(9):
        made.step = step
        seen.append(made._view_index())
    assert [sorted(seen[i : i + 3]) for i in (0, 3, 6)] == [[0, 1, 2]] * 3


def test_a_state_that_is_taken_up_again_goes_on_to_the_bit() -> None:
    straight = trainer()
    for _ in range(30):
        straight.advance()
    broken = trainer()
    for _ in range(17):
        broken.advance()
    resumed = trainer()
    resumed.resume(broken.state())
    for _ in range(13):
        resumed.advance()
    assert all(torch.equal(straight.gaussians[name], resumed.gaussians[name]) for name in straight.gaussians)


def test_a_parameter_that_is_no_number_stops_training_with_its_step() -> None:
    made = trainer()
    made.advance()
    made.gaussians["sh0"][:] = float("nan")
    with pytest.raises(DivergedError, match=r"at step \d of 100"):
        made.advance()
        made.check()


def test_activation_and_its_derivatives_are_those_of_plain_torch() -> None:
    random = torch.Generator().manual_seed(1)
    raw = {
        "means": torch.randn(5, 3, generator=random),
        "log_scales": torch.randn(5, 3, generator=random),
        "quats": torch.randn(5, 4, generator=random) * 3,
        "logits": torch.randn(5, generator=random),
        "sh0": torch.randn(5, 1, 3, generator=random),
        "sh_rest": torch.zeros(5, 0, 3),
    }
    factors = [torch.randn(*shape, generator=random) for shape in ((5, 3), (5, 4), (5,))]
    found, expected = [], []
    for plain in (False, True):
        leaves = {name: values.clone().requires_grad_() for name, values in raw.items()}
        if plain:
            scales = leaves["log_scales"].exp()
            quats = torch.nn.functional.normalize(leaves["quats"], dim=1)
            opacities = leaves["logits"].sigmoid()
            # The regularisers as the terms of the loss that they stand for.
            loss = 0.3 * scales.sum() + 0.2 * opacities.sum()
        else:
            splats = activated(leaves, True, (0.3, 0.2))
            scales, quats, opacities, loss = splats.scales, splats.quats, splats.opacities, torch.zeros(())
        loss = loss + sum((v * f).sum() for v, f in zip((scales, quats, opacities), factors, strict=True))
        loss.backward()
        (expected if plain else found).extend(leaves[name].grad for name in ("log_scales", "quats", "logits"))
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6)


def test_harmonics_rise_in_equal_parts_of_the_first_half() -> None:
    settings = settings_for("final", steps=800)
    assert [settings.degree_at(step) for step in (0, 99, 100, 199, 200, 300, 799)] == [0, 0, 1, 1, 2, 3, 3]


def test_the_rate_of_the_means_falls_exponentially() -> None:
    settings = settings_for("final")
    first, last = settings.rates.means, settings.rates.means_last
    assert settings.means_rate_at(0) == pytest.approx(first)
    assert settings.means_rate_at(settings.steps // 2) == pytest.approx((first * last) ** 0.5)
    assert settings.means_rate_at(settings.steps) == pytest.approx(last)


def test_an_object_gets_half_a_splat_for_each_pixel_that_it_covers_in_an_average_photograph() -> None:
    pixels = WIDTH * HEIGHT  # 6144
    assert budget_for(50_000, [view(0, 1.0), view(1, 0.5)]) == pytest.approx(0.5 * 0.75 * pixels, abs=1)
    assert budget_for(2200, [view(0, 1.0), view(1, 1.0)]) == 2200
    assert budget_for(50_000, [view(0, 0.001)]) == 2000
    assert budget_for(50_000, [view(0, 0.1), view(1)]) == 50_000


def test_a_step_leaves_out_a_share_of_the_splats_and_the_others_make_up_for_it() -> None:
    made = Trainer({1.0: [view()]}, quick(100, coarse=(), drop=0.2), 3.0, "anchor")
    splats = known_splats(400)
    made.step = 25
    share = made.settings.dropped_at(25)
    assert share == pytest.approx(0.1), "half of the full share, at half of the first half"
    assert made.settings.dropped_at(50) == made.settings.dropped_at(99) == pytest.approx(0.2)
    thin = made._thinned(splats).opacities
    gone = thin == 0
    assert 20 < int(gone.sum()) < 65
    torch.testing.assert_close(thin[~gone], (splats.opacities[~gone] / 0.9).clamp_max(0.999))
    assert torch.equal(thin, made._thinned(splats).opacities), "the step alone decides"
    made.step = 26
    assert not torch.equal(thin == 0, made._thinned(splats).opacities == 0)
    made.step = 0
    assert made._thinned(splats) is splats


def test_a_reconstruction_that_leaves_nothing_out_keeps_its_name() -> None:
    assert "drop" not in quick(100).as_plain()
    assert quick(100, drop=0.1).as_plain()["drop"] == 0.1


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r'draft, preview, final; did you mean "draft"'):
        settings_for("drafft")


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"sh_degree": 4}, {"longest": 3}, {"ssim_weight": 2.0}, {"drop": 1.0}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        settings_for("draft", **change)


def test_no_splat_is_seen_wider_than_asked_from_the_nearest_photograph_once_growth_has_ended() -> None:
    made = trainer()
    made.settings = quick(100, coarse=(), widest=0.02, budget=len(made.gaussians["means"]))  # no room to split
    places = np.stack([v.camera.pose[:3, 3] for v in made.views[1.0]])
    means = made.gaussians["means"].numpy()
    nearest = np.linalg.norm(means[:, None] - places[None], axis=2).min(axis=1)
    made.gaussians["log_scales"][0] = np.log(1e-4)
    made.step = 50
    made._limit()
    assert float(made.splats().scales.max()) > 0.02 * nearest.max(), "while splats grow they may be long"
    made.step = 99
    made._limit()
    assert float(made.splats().scales.max()) > 0.02 * nearest.max(), "only every 50 steps"
    made.step = 100
    made._limit()
    scales = made.splats().scales.numpy()
    assert scales[0] == pytest.approx(1e-4)
    assert (scales.max(axis=1) <= 0.02 * nearest * (1 + 1e-5)).all()
    assert scales.max(axis=1)[1:] == pytest.approx(0.02 * nearest[1:], rel=1e-4)


def test_when_growth_ends_the_widest_splats_are_split_as_far_as_there_is_room() -> None:
    made = trainer()
    count = len(made.gaussians["means"])
    made.gaussians["log_scales"][:] = np.log(1e-4)
    made.gaussians["log_scales"][3, 1] = np.log(0.5)
    made.settings = quick(100, coarse=(), widest=0.02, budget=count + 2)
    assert made.settings.narrows_from == 80
    before = made.splats()
    made.step = 80
    made._limit()
    after = made.splats()
    assert len(after) == count + 2
    shorter = 0.5 * np.sqrt(1 - 0.7**2)  # twice the longest is halved: 0.714 of its length each time
    lengths = np.sort(after.scales.max(dim=1).values.numpy())[::-1]
    assert lengths[:3] == pytest.approx([shorter, shorter * np.sqrt(0.51), shorter * np.sqrt(0.51)], rel=1e-4)
    kept = [k for k in range(count) if k != 3]
    assert np.array_equal(after.means[kept].numpy(), before.means[kept].numpy())
    assert all(len(first) == len(second) == count + 2 for first, second in made.moments.values())
