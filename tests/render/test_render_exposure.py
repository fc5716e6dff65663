"""Frames that a pupil and an open shutter blur: against the formulas, and against many more samples."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
import torch
from render_scenes import random_splats
from torch import Tensor

from splatfilm.cameras import Camera, Lens
from splatfilm.cameras.aperture import aperture_of, circle_of_confusion
from splatfilm.render import Frame, RenderSettings, render, render_each, sampling
from splatfilm.render.exposure import LEAST_AUTO, MOST_AUTO, Blur, Moment, expose, samples_needed
from splatfilm.render.kernels import instruction_sets, use_instruction_set
from splatfilm.render.sampling import concentric, samples_of
from splatfilm.render.transfer import add_light, linear_from_srgb, on_display, srgb_from_linear
from splatfilm.splats.splats import Splats

draw = partial(render, settings=RenderSettings(), backend="cpu")
draw_each = partial(render_each, settings=RenderSettings(), backend="cpu")


def point_at(*position: float, size: float, opacity: float = 0.9) -> Splats:
    """A white splat. To be measured its picture must be as wide as a pixel, or the pixels' grid shows in its width."""
    return Splats(
        torch.tensor([position]),
        torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        torch.full((1, 3), size),
        torch.tensor([opacity]),
        torch.full((1, 1, 3), 0.5 / 0.28209479177387814),
    )


def camera_with(lens: Lens, width: int = 96, height: int = 64, x: float = 0.0) -> Camera:
    """Stands at (x, 0, 0) and looks along z."""
    pose = np.eye(4)
    pose[0, 3] = x
    return Camera.through(lens, pose, width, height)


def spread(light: Tensor) -> tuple[float, float]:
    """Standard deviations of a spot across and up, pixels; `light` is linear in what fell there."""
    ys, xs = torch.meshgrid(torch.arange(light.shape[0]) + 0.5, torch.arange(light.shape[1]) + 0.5, indexing="ij")
    weight = light.double() / light.double().sum()
    return tuple(math.sqrt(float((weight * (p - (weight * p).sum()) ** 2).sum())) for p in (xs, ys))  # type: ignore[return-value]


@pytest.mark.parametrize("distance", [1.2, 4.0, 30.0])
@pytest.mark.parametrize("squeeze", [1.0, 2.0])
def test_a_point_out_of_focus_becomes_the_thin_lens_s_disc(distance: float, squeeze: float) -> None:
    lens = Lens(focal_mm=200, t_stop=2.0, focus_m=2.0, squeeze=squeeze)
    camera = camera_with(lens)
    splats = point_at(0.0, 0.0, distance, size=distance / camera.fx)
    frame, count = expose(lambda _: (splats, camera), draw_each, Blur(pupil=True, samples=1024))
    assert count == 1024
    sharp = spread(linear_from_srgb(draw(splats, camera).beauty)[..., 0])
    blurred = spread(linear_from_srgb(frame.beauty)[..., 0])
    aperture = aperture_of(lens)
    assert aperture is not None
    for have, before, want in zip(blurred, sharp, circle_of_confusion(camera, aperture, distance), strict=True):
        # A disc of diameter c has a standard deviation of c / 4; the splat's own picture adds its variance.
        assert 4 * math.sqrt(have**2 - before**2) == pytest.approx(want, rel=0.02)


def test_what_is_in_focus_stays_where_it_is_and_sharp() -> None:
    lens = Lens(focal_mm=50, t_stop=1.4, focus_m=2.0)
    splats, camera = point_at(0.1, -0.05, 2.0, size=1e-3), camera_with(lens)
    frame, _ = expose(lambda _: (splats, camera), draw_each, Blur(pupil=True, samples=64))
    assert (frame.beauty - draw(splats, camera).beauty).abs().max() < 2e-4


def test_a_moving_point_draws_a_line_as_long_as_its_way() -> None:
    lens = Lens(focal_mm=36)  # fx = 96 px at a width of 96
    splats = point_at(0.0, 0.0, 4.8, size=0.05)

    def moment(time: float) -> Moment:
        return splats, camera_with(lens, x=time)  # 1 m at 4.8 m: 20 px

    frame, _ = expose(moment, draw_each, Blur(shutter=True, samples=256))
    sharp = spread(linear_from_srgb(draw(splats, moment(0)[1]).beauty)[..., 0])
    across, up = spread(linear_from_srgb(frame.beauty)[..., 0])
    assert math.sqrt(12 * (across**2 - sharp[0] ** 2)) == pytest.approx(20.0, rel=0.01)
    assert up == pytest.approx(sharp[1], rel=5e-3)


def blurred_room(lens: Lens) -> tuple[Splats, Camera]:
    splats = random_splats(np.random.default_rng(3), 150, 1)
    keep = splats.means[:, 2] > -1.5
    parts = (splats.means + torch.tensor([0, 0, 3.0]), splats.quats, splats.scales, splats.opacities, splats.sh)
    return Splats(*(p[keep] for p in parts)), camera_with(lens, 48, 36)


def errors(moment_at: object, blur: Blur, counts: tuple[int, ...]) -> list[float]:
    """Root mean square against 1024 samples, in linear light."""
    reference = linear_from_srgb(expose(moment_at, draw_each, dataclasses.replace(blur, samples=1024))[0].beauty)  # type: ignore[arg-type]
    found = []
    for count in counts:
        light = linear_from_srgb(expose(moment_at, draw_each, dataclasses.replace(blur, samples=count))[0].beauty)  # type: ignore[arg-type]
        found.append(float((light - reference).square().mean().sqrt()))
    return found


def slope(counts: tuple[int, ...], found: list[float]) -> float:
    return float(np.polyfit(np.log2(counts), np.log2(found), 1)[0])


COUNTS = (4, 8, 16, 32, 64, 128)


def test_depth_of_field_converges_faster_than_random_points_would() -> None:
    splats, camera = blurred_room(Lens(focal_mm=40, t_stop=0.15, focus_m=2.6))
    found = errors(lambda _: (splats, camera), Blur(pupil=True), COUNTS)
    assert slope(COUNTS, found) < -0.75, found  # random points: -0.5
    assert found[-1] < 2e-3, found


def test_motion_blur_converges_as_the_midpoint_rule_does() -> None:
    splats, _ = blurred_room(Lens(focal_mm=40))
    found = errors(lambda t: (splats, camera_with(Lens(focal_mm=40), 48, 36, 0.3 * t)), Blur(shutter=True), COUNTS)
    assert slope(COUNTS, found) < -1.0, found
    assert found[-1] < 5e-4, found


def test_pupil_and_shutter_together_converge() -> None:
    lens = Lens(focal_mm=40, t_stop=0.15, focus_m=2.6)
    splats, _ = blurred_room(lens)
    found = errors(lambda time: (splats, camera_with(lens, 48, 36, 0.3 * time)), Blur(True, True), COUNTS)
    assert slope(COUNTS, found) < -0.7, found
    assert found[-1] < 2e-3, found


def test_auto_is_within_a_display_step_of_many_samples() -> None:
    lens = Lens(focal_mm=40, t_stop=0.3, focus_m=2.6)
    splats, _ = blurred_room(lens)

    def moment(time: float) -> Moment:
        return splats, camera_with(lens, 48, 36, 0.1 * time)

    frame, count = expose(moment, draw_each, Blur(True, True))
    reference, _ = expose(moment, draw_each, Blur(True, True, 1024))
    assert LEAST_AUTO <= count <= MOST_AUTO
    assert float((frame.beauty - reference.beauty).square().mean().sqrt()) < 1 / 255


def test_nothing_to_blur_is_one_sample_and_the_same_bits() -> None:
    splats, camera = blurred_room(Lens(focal_mm=40, focus_m=2.0))
    plain = draw(splats, camera)
    for blur in (Blur(), Blur(pupil=True), Blur(shutter=True), Blur(True, True)):
        frame, count = expose(lambda _: (splats, camera), draw_each, blur)
        assert count == 1
        for one, other in ((frame.beauty, plain.beauty), (frame.alpha, plain.alpha), (frame.depth, plain.depth)):
            assert torch.equal(one, other)


def test_more_blur_asks_for_more_samples() -> None:
    counts = []
    for t_stop in (2.0, 0.5, 0.1):
        splats, camera = blurred_room(Lens(focal_mm=40, t_stop=t_stop, focus_m=2.6))
        counts.append(samples_needed([(splats, camera)], pupil=True))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    far = [(splats, camera_with(camera.lens, 48, 36, x)) for x in (0.0, 1.0, 2.0)]  # type: ignore[arg-type]
    assert samples_needed(far, pupil=False) > samples_needed([*far[:1], far[0]], pupil=False) == 1


def test_alpha_is_averaged_and_depth_is_weighted_by_it() -> None:
    def picture(alpha: float, depth: float) -> Frame:
        return Frame(torch.full((1, 1, 3), alpha), torch.full((1, 1), alpha), torch.full((1, 1), depth))

    pictures = iter((picture(0.9, 2.0), picture(0.3, 4.0), picture(0.0, 0.0)))
    camera = camera_with(Lens())
    splats = point_at(0.0, 0.0, 1.0, size=0.1)
    frame, _ = expose(lambda _: (splats, camera), lambda *_: pictures, Blur(shutter=True, samples=3))
    assert float(frame.alpha) == pytest.approx(0.4)
    assert float(frame.depth) == pytest.approx((0.9 * 2 + 0.3 * 4) / 1.2)
    light = (((0.9 + 0.055) / 1.055) ** 2.4 + ((0.3 + 0.055) / 1.055) ** 2.4) / 3
    assert float(frame.beauty[0, 0, 0]) == pytest.approx(1.055 * light ** (1 / 2.4) - 0.055, abs=1e-6)


def test_transfer_curves_are_the_standard_s_and_each_other_s_inverse() -> None:
    values = torch.linspace(0, 4, 40001)
    light = linear_from_srgb(values)
    exact = torch.where(values <= 0.04045, values.double() / 12.92, ((values.double() + 0.055) / 1.055) ** 2.4)
    assert ((light - exact).abs() / exact.clamp_min(1)).max() < 3e-7
    assert ((srgb_from_linear(light) - values).abs() / values.clamp_min(1)).max() < 3e-7


def test_samples_fill_the_pupil_and_the_exposure_evenly() -> None:
    samples = samples_of(256, pupil=True, shutter=True)
    assert [s.time for s in samples[:2]] == [0.5 / 256, 1.5 / 256]
    points = np.array([(s.x, s.y) for s in samples])
    assert (np.hypot(*points.T) <= 1).all()
    assert np.abs(points.mean(axis=0)).max() < 0.01
    assert (points**2).mean(axis=0) == pytest.approx([0.25, 0.25], abs=0.005)
    assert concentric(1.0, 0.5) == pytest.approx((1.0, 0.0))
    assert concentric(0.0, 0.5) == pytest.approx((-1.0, 0.0))
    assert concentric(0.5, 1.0) == pytest.approx((0.0, 1.0))


def test_every_elementary_box_holds_one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A (0, 4, 3)-net: time, and the two numbers that the pupil's point is made of."""
    monkeypatch.setattr(sampling, "concentric", lambda u, v: (u, v))
    samples = samples_of(16, pupil=True, shutter=True)
    points = np.array([(s.time, s.x, s.y) for s in samples])
    for a in range(5):
        for b in range(5 - a):
            cells = {tuple(np.floor(p * (2**a, 2**b, 2 ** (4 - a - b))).astype(int)) for p in points}
            assert len(cells) == 16, (a, b)


def test_the_kernels_sum_light_as_the_tables_do_and_alike_on_every_instruction_set() -> None:
    values = torch.linspace(0, 4, 40001)
    found = []
    try:
        for instructions in instruction_sets():
            use_instruction_set(instructions)
            light = torch.full_like(values, 0.25)
            add_light(values, light)
            found.append((light, on_display(light.clone() - 0.25, 1)))
    finally:
        use_instruction_set("")
    light, back = found[0]
    assert ((light - 0.25 - linear_from_srgb(values)).abs() / light).max() < 1e-6
    assert ((back - values).abs() / values.clamp_min(1)).max() < 1e-6
    assert all(torch.equal(light, one) and torch.equal(back, other) for one, other in found)
    nothing = torch.tensor([float("nan")])
    add_light(nothing, total := torch.zeros(1))
    assert total.isnan().all()
    assert on_display(total, 3).isnan().all()
