"""The cast in declared lamps: values by hand of what falls on splats, and of what keeps it off."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from splatfilm.film.model import Lamp, Light
from splatfilm.render import kernels
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.stage.lamps import (
    LOT,
    Group,
    Lamplight,
    Places,
    Together,
    Worn,
    given,
    lamp_gains,
    shining,
    solid_of,
    studio_light,
)
from splatfilm.stage.light import Probes, Surface
from splatfilm.stage.light import shown as in_light
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


Card = tuple[Splats, torch.Tensor]


def card(height: float = 0.0, half: float = 0.1, up: float = 1.0) -> Card:
    """A small card that faces up, or down."""
    splats = sheet(height, half)
    return splats, torch.tensor([[0.0, 0, up]]).repeat(len(splats), 1)


def shown(splats: Splats) -> np.ndarray:
    return (splats.sh[:, 0] * SH_C0 + 0.5).numpy()


def dark_room() -> Splats:
    """A set that sends nothing: black splats far below."""
    return sheet(-3.0, 0.5, shown=0.0)


def lit_by(lamps: tuple[Lamp, ...], cards: list[Card], setting: Splats | None = None, **more: object) -> list[Splats]:
    setting = dark_room() if setting is None else setting
    light = Light(lamps=lamps, **more)  # type: ignore[arg-type]
    parts = [part for part, _ in cards]
    gains = gains_in(cards, light, Lamplight(lamps, setting), setting)
    return [in_light(part, gain) for part, gain in zip(parts, gains, strict=True)]


def gains_in(cards: list[Card], light: Light, lamplight: Lamplight, setting: Splats) -> tuple[torch.Tensor, ...]:
    """Of cards that were photographed together."""
    parts, normals = tuple(part for part, _ in cards), [normal for _, normal in cards]
    together = Together.of(parts, normals, range(len(cards)), light.studio)
    rows = np.split(np.arange(sum(len(part) for part in parts)), np.cumsum([len(part) for part in parts])[:-1])
    worn = [Worn.of(0, together, Surface.of(*card), own) for card, own in zip(cards, rows, strict=True)]
    return lamp_gains(parts, worn, [Group(together, parts)], light, lamplight, Probes(setting))


def falls(lamp: Lamp, at: tuple[float, float, float], normal: tuple[float, float, float]) -> float:
    """What a lamp with nothing in its way gives a tiny card, over pi."""
    splats = dataclasses.replace(sheet(0.0, 0.0), means=torch.tensor([at]))
    facing = torch.tensor([normal])
    fallen = Lamplight((lamp,)).falls([splats], Places.of([splats], [facing], [0]), solid_of([splats]))
    return float(given(fallen.vectors[:, 0], np.array([normal]), 0.0)[0])


def test_a_sun_straight_on_gives_all_and_aslant_the_cosine() -> None:
    found = [falls(SUN, (0, 0, 0), n) for n in ((0, 0, 1), (0, math.sin(math.pi / 3), 0.5), (0, 0, -1))]
    assert found == pytest.approx([1.0, 0.5, 0.0])


def test_watts_fall_off_with_the_square_of_the_distance() -> None:
    lamp = Lamp("point", 100.0, position=(0.0, 0.0, 2.0))
    near, far = (falls(lamp, (0, 0, z), (0, 0, 1)) for z in (1.0, 0.0))
    assert near == pytest.approx(100 / (4 * math.pi**2))
    assert far == pytest.approx(near / 4)


def test_a_panel_sends_one_way_and_its_parts_are_the_whole() -> None:
    lamp = Lamp("panel", 10.0, position=(0.0, 0.0, 5.0), direction=DOWN, size=(0.2, 0.1))
    assert len(shining([lamp])) == 4
    assert falls(lamp, (0, 0, 0), (0, 0, 1)) == pytest.approx(10 / (math.pi**2 * 25), rel=1e-3)
    assert falls(lamp, (0, 0, 9), (0, 0, -1)) == pytest.approx(0, abs=1e-9)


def test_a_ceiling_that_shines_gives_a_wall_below_it_what_its_integral_says() -> None:
    lamp = Lamp("panel", 64.0, position=(0.0, 0.0, 2.45), direction=DOWN, size=(3.4, 2.8))
    at, wall = np.array([0.3, -1.2, 1.3]), np.array([0.0, 1.0, 0.0])
    x, y = np.meshgrid((np.arange(200) + 0.5) / 200 * 3.4 - 1.7, (np.arange(200) + 0.5) / 200 * 2.8 - 1.4)
    way = np.stack([x, y, np.full_like(x, 2.45)], axis=-1).reshape(-1, 3) - at
    far = np.sqrt((way**2).sum(axis=1))
    whole = 64 / math.pi**2 * np.mean(np.maximum(way @ wall, 0) / far * (way[:, 2] / far) / far**2)
    fallen = falls(lamp, (0.3, -1.2, 1.3), (0.0, 1.0, 0.0))
    assert fallen == pytest.approx(whole, rel=0.1)  # sixteen parts of it


def test_a_lamp_half_below_the_horizon_gives_a_part() -> None:
    up = np.array([[0.0, 0, 1]] * 3)
    vectors = np.array([[0.0, 0, 1], [1.0, 0, 0], [0.8, 0, -0.6]])
    assert given(vectors, up, 0.4) == pytest.approx([1.0, 0.1, 0.0])


def test_the_sun_comes_in_by_its_window_only() -> None:
    travels = (0.0, -math.sqrt(0.5), -math.sqrt(0.5))
    sun = Lamp("sun", math.pi, (1, 1, 1), (0.0, 4.0, 1.5), travels, (1.0, 1.0), (0.0, -1.0, 0.0))
    places = [(0.0, 3.0, 0.5), (0.0, 3.0, 1.2), (0.8, 3.0, 0.5), (0.0, 5.0, 2.5)]  # in; above; beside; out of doors
    assert [falls(sun, at, (0, 0, 1)) for at in places] == pytest.approx([math.sqrt(0.5), 0, 0, 0])


def test_what_the_set_shades_gets_no_sun() -> None:
    beneath = lit_by((SUN,), [card()], sheet(1.0, 1.0, shown=0.0))[0]
    open_air = lit_by((SUN,), [card()])[0]
    assert shown(open_air) == pytest.approx(0.5, abs=0.01)  # as much falls on it as on the white card of its studio
    assert shown(beneath).max() < 0.1


def test_a_member_throws_a_shadow_on_itself() -> None:
    low, high = lit_by((SUN,), [card(0.0), card(0.6, half=0.3)])
    assert shown(low).max() < 0.1
    assert shown(high) == pytest.approx(0.5, abs=0.01)


def test_light_from_all_around_does_not_get_under_what_hangs_close_over_it() -> None:
    sky = (Lamp("sky", 1.0),)
    free = lit_by(sky, [card()])[0]
    low, high = lit_by(sky, [card(0.0), card(0.2, half=0.5)])
    assert shown(free) == pytest.approx(0.5, abs=0.01)
    assert shown(high) == pytest.approx(0.5, abs=0.01)
    assert shown(low).max() < 0.35


def test_haze_throws_no_shadow() -> None:
    haze = dataclasses.replace(sheet(1.0, 1.0, shown=0.0), opacities=torch.full((41 * 41,), 0.02))
    assert shown(lit_by((SUN,), [card()], haze)[0]) == pytest.approx(0.5, abs=0.01)


def test_the_light_of_the_studio_is_taken_out_again() -> None:
    studio = (Lamp("sky", 2.0),)
    splats, normals = card()
    places = Places.of([splats], [normals], [0])
    assert studio_light([splats], [normals], places, studio) == pytest.approx(2.0, rel=1e-4)
    half = lit_by((SUN,), [(splats, normals)], studio=studio)[0]
    linear = ((0.5 + 0.055) / 1.055) ** 2.4 / 2
    assert shown(half) == pytest.approx(1.055 * linear ** (1 / 2.4) - 0.055, abs=0.01)


def test_what_surfaces_send_falls_on_a_member_as_far_as_it_is_told_to() -> None:
    bright = sheet(-0.5, 2.0, shown=0.9)
    below = [card(up=-1.0)]
    all_of_it, none = (lit_by((SUN,), below, bright, bounce=share)[0] for share in (1.0, 0.0))
    assert shown(all_of_it).min() > 0.3
    assert shown(none).max() < 0.05


def test_only_colours_change_and_what_was_asked_before_does_not_matter() -> None:
    setting, light = sheet(1.0, 0.3, middle=(0.3, 0.0)), Light(lamps=(SUN,))
    low, known = [card()], Lamplight((SUN,), setting)
    gains_in([card(0.4)], light, known, setting)
    again = gains_in(low, light, known, setting)[0]
    first = gains_in(low, light, Lamplight((SUN,), setting), setting)[0]
    assert torch.equal(first, again)


def test_the_same_bits_at_any_thread_count_and_instruction_set() -> None:
    cards, found, threads = [card(0.0, half=0.8), card(0.3, half=0.2)], [], kernels.threads()
    try:
        for count, name in itertools.product((1, 3), kernels.instruction_sets()):
            kernels.set_threads(count)
            kernels.use_instruction_set(name)
            found.append([part.sh for part in lit_by((SUN, Lamp("sky", 0.2)), cards, sheet(1.0, 0.2))])
    finally:
        kernels.set_threads(threads)
        kernels.use_instruction_set()
    assert all(torch.equal(one, first) for other in found for one, first in zip(other, found[0], strict=True))


def test_splats_of_a_lot_lie_together_and_face_alike_in_one_layer() -> None:
    up, down, other = card(), card(up=-1.0), card()
    places = Places.of([up[0], down[0], other[0]], [up[1], down[1], other[1]], [0, 1, 2])
    count = len(up[0])
    lots = [set(places.lot[k * count : (k + 1) * count].tolist()) for k in range(3)]
    assert not (lots[0] & lots[1] or lots[0] & lots[2] or lots[1] & lots[2])
    points = np.concatenate([part.means.numpy() for part, _ in (up, down, other)])
    assert np.abs(points - points[places.rows[places.lot]]).max() <= LOT
    own = int(places.lot[0])
    near = places.beside[places.starts[own] : places.starts[own + 1]]
    assert len(near) and set(near.tolist()) <= lots[0], "what lots share stays on one side of one layer"


def test_what_is_not_asked_for_keeps_light_off_and_has_no_place() -> None:
    low, high = card(0.0), card(0.5, half=0.4)
    whole = Together.of([low[0], high[0]], [low[1], high[1]], [0], (SUN,))
    count = len(low[0])
    assert (whole.places.lot[:count] >= 0).all() and (whole.places.lot[count:] == -1).all()
    assert whole.studio[:count].max() < 0.3 and (whole.studio[count:] == 1).all()


def test_a_frames_key_knows_the_lamps_and_without_any_is_what_it_was() -> None:
    plain, sunny = Light(), Light(lamps=(SUN,))
    later = Light(lamps=(dataclasses.replace(SUN, direction=(0.6, 0.0, -0.8)),))
    still = Light(lamps=(SUN,), bounce=0.0)
    assert len(light_value(plain)["light"]) == 4
    assert len({str(light_value(one)) for one in (plain, sunny, later, still)}) == 4


def test_what_is_there_already_is_not_looked_at_again_unless_somebody_else_asked_in_between() -> None:
    lower, facing = card()
    roof, other = sheet(0.3, 0.2), sheet(0.15, 0.2)
    places, solid = Places.of([lower], [facing], [0]), solid_of([lower, roof, other])

    def under_the_roof(lamplight: Lamplight, there: int) -> np.ndarray:
        return lamplight.falls([lower, roof], places, solid, there=there).vectors

    expected = under_the_roof(Lamplight((SUN,)), 0)
    lamplight = Lamplight((SUN,))
    alone = lamplight.falls([lower], places, solid).vectors
    assert expected.max() < 0.5 * alone.max()
    assert np.array_equal(under_the_roof(lamplight, 1), expected)
    lamplight.falls([lower], places, solid)
    lamplight.falls([other], places, solid)
    assert np.array_equal(under_the_roof(lamplight, 1), expected), "the other sheet is not in her way"
