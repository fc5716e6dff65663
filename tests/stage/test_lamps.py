"""The cast in declared lamps: values by hand of what falls on splats, and of what keeps it off."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from splatfilm.film.model import Lamp, Light
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.stage.lamps import Layer, Shades, ShadowMap, arriving, lamplit, neighbours, rays, smoothed, studio_light
from splatfilm.stage.light import Probes
from splatfilm.stage.placement import light_value

DOWN = (0.0, 0.0, -1.0)
SUN = Lamp("sun", math.pi, direction=DOWN)  # a white card below it shows 1


def sheet(height: float, half: float, shown: float = 0.5, middle: tuple[float, float] = (0.0, 0.0)) -> Splats:
    """A level square of opaque splats, 5 cm apart."""
    across = np.arange(-half, half + 0.025, 0.05)
    x, y = np.meshgrid(across, across, indexing="ij")
    means = np.stack([x.ravel() + middle[0], y.ravel() + middle[1], np.full(x.size, height)], axis=1)
    scales = torch.tensor([[0.05, 0.05, 0.002]]).repeat(x.size, 1)
    sh = torch.full((x.size, 1, 3), (shown - 0.5) / SH_C0)
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(x.size, 1)
    return Splats(torch.from_numpy(means.astype(np.float32)), quats, scales, torch.full((x.size,), 0.99), sh)


def card(height: float = 0.0, half: float = 0.1) -> Layer:
    """A small card that faces up."""
    splats = sheet(height, half)
    return Layer(splats, torch.tensor([[0.0, 0, 1]]).repeat(len(splats), 1), splats)


def shown(splats: Splats) -> np.ndarray:
    return (splats.sh[:, 0] * SH_C0 + 0.5).numpy()


def dark_room() -> Splats:
    """A set that sends nothing: black splats far below."""
    return sheet(-3.0, 0.5, shown=0.0)


def lit_by(lamps: tuple[Lamp, ...], layers: list[Layer], setting: Splats | None = None, **more: object) -> list[Splats]:
    setting = dark_room() if setting is None else setting
    light = Light(highlights=1.0, lamps=lamps, **more)  # type: ignore[arg-type]
    return list(lamplit(layers, light, Probes(setting), Shades(setting)))


def test_a_sun_straight_on_gives_all_and_aslant_the_cosine() -> None:
    normals = np.array([[0.0, 0, 1], [0, math.sin(math.pi / 3), 0.5], [0, 0, -1]])
    (ray,) = rays(SUN)
    assert arriving(ray, np.zeros((3, 3)), normals)[:, 0] == pytest.approx([1.0, 0.5, 0.0])


def test_watts_fall_off_with_the_square_of_the_distance() -> None:
    (ray,) = rays(Lamp("point", 100.0, position=(0.0, 0.0, 2.0)))
    up = np.array([[0.0, 0, 1]])
    near, far = (arriving(ray, np.array([[0.0, 0, z]]), up)[0, 0] for z in (1.0, 0.0))
    assert near == pytest.approx(100 / (4 * math.pi**2))
    assert far == pytest.approx(near / 4)


def test_a_panel_sends_one_way_and_its_parts_are_the_whole() -> None:
    lamp = Lamp("panel", 10.0, position=(0.0, 0.0, 5.0), direction=DOWN, size=(0.2, 0.1))
    parts = rays(lamp)
    assert len(parts) == 4
    below = sum(arriving(part, np.zeros((1, 3)), np.array([[0.0, 0, 1]]))[0, 0] for part in parts)
    above = sum(arriving(part, np.array([[0.0, 0, 9]]), np.array([[0.0, 0, -1]]))[0, 0] for part in parts)
    assert below == pytest.approx(10 / (math.pi**2 * 25), rel=1e-3)
    assert above == 0


def test_the_sun_comes_in_by_its_window_only() -> None:
    travels = (0.0, -math.sqrt(0.5), -math.sqrt(0.5))
    sun = Lamp("sun", math.pi, (1, 1, 1), (0.0, 4.0, 1.5), travels, (1.0, 1.0), (0.0, -1.0, 0.0))
    (ray,) = rays(sun)
    points = np.array([[0.0, 3, 0.5], [0, 3, 1.2], [0.8, 3, 0.5], [0, 5, 2.5]])  # in; above; beside; out of doors
    found = arriving(ray, points, np.tile([[0.0, 0, 1]], (4, 1)))[:, 0]
    assert found == pytest.approx([math.sqrt(0.5), 0, 0, 0])


def test_what_the_set_shades_gets_no_sun() -> None:
    beneath = lit_by((SUN,), [card()], sheet(1.0, 1.0, shown=0.0))[0]
    open_air = lit_by((SUN,), [card()])[0]
    assert shown(open_air) == pytest.approx(0.5, abs=0.01)  # as much falls on it as on the white card of its studio
    assert shown(beneath).max() < 0.05


def test_a_member_throws_a_shadow_on_itself() -> None:
    low, high = lit_by((SUN,), [card(0.0), card(0.6)])
    assert shown(low).max() < 0.05
    assert shown(high) == pytest.approx(0.5, abs=0.01)


def test_haze_throws_no_shadow() -> None:
    haze = dataclasses.replace(sheet(1.0, 1.0), opacities=torch.full((41 * 41,), 0.02))
    (ray,) = rays(SUN)
    seen = ShadowMap.of(haze, ray, np.zeros(3), 64).lets_by(np.zeros((1, 3)), 0.1)
    assert seen == pytest.approx([1.0])


def test_the_light_of_the_studio_is_taken_out_again() -> None:
    studio = (Lamp("sky", 2.0),)
    assert studio_light([card()], studio) == pytest.approx(2.0)
    half = lit_by((SUN,), [card()], studio=studio)[0]
    linear = ((0.5 + 0.055) / 1.055) ** 2.4 / 2
    assert shown(half) == pytest.approx(1.055 * linear ** (1 / 2.4) - 0.055, abs=0.01)


def test_only_colours_change_and_what_was_asked_before_does_not_matter() -> None:
    layer, setting = card(), sheet(1.0, 0.3, middle=(0.3, 0.0))
    probes, shades, light = Probes(setting), Shades(setting), Light(highlights=1.0, lamps=(SUN,))
    lamplit([card(0.4)], light, probes, shades)
    again = lamplit([layer], light, probes, shades)[0]
    first = lamplit([layer], light, Probes(setting), Shades(setting))[0]
    assert torch.equal(first.sh, again.sh)
    for name in ("means", "quats", "scales", "opacities"):
        assert getattr(again, name) is getattr(layer.stands, name)


def test_light_is_evened_out_within_a_layer_and_never_across() -> None:
    layers = [card(0.0), card(0.0)]
    cells = neighbours(layers)
    count = len(layers[0].rest)
    falls = np.concatenate([np.ones((count, 3)), np.zeros((count, 3))])
    even = smoothed(falls, cells, np.ones(2 * count, np.float32))
    assert even[:count] == pytest.approx(1.0)
    assert even[count:] == pytest.approx(0.0)


def test_a_frames_key_knows_the_lamps_and_without_any_is_what_it_was() -> None:
    plain, sunny = Light(), Light(lamps=(SUN,))
    later = Light(lamps=(dataclasses.replace(SUN, direction=(0.6, 0.0, -0.8)),))
    assert len(light_value(plain)["light"]) == 4
    assert len({str(light_value(one)) for one in (plain, sunny, later)}) == 3
