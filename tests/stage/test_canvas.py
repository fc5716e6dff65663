"""Splats are put together in memory that is used again, and nobody who still looks at a frame can tell."""

from __future__ import annotations

import dataclasses

import torch

from splatfilm.base.rigid import IDENTITY
from splatfilm.splats import Splats, compose
from splatfilm.stage.canvas import Canvas
from splatfilm.stage.contact import darkened

NAMES = ("means", "quats", "scales", "opacities", "sh", "stretches", "turns")


def splats(count: int, seed: int, moved: bool = False) -> Splats:
    made = torch.Generator().manual_seed(seed)

    def some(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=made)

    quats = torch.nn.functional.normalize(some(4) - 0.5, dim=-1)
    turns = torch.nn.functional.normalize(some(4) - 0.5, dim=-1) if moved else None
    stretches = some(6) if moved else None
    return Splats(some(3), quats, some(3), some(), some(4, 3), stretches=stretches, turns=turns)


def assert_same(one: Splats, other: Splats) -> None:
    for name in NAMES:
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None) and (a is None or torch.equal(a, b)), name


def whole(*parts: Splats) -> Splats:
    return compose([(part, IDENTITY) for part in parts])


def test_parts_are_joined_as_compose_joins_them() -> None:
    canvas, setting = Canvas(), splats(50, 1)
    for step in range(6):
        cast = splats(20, 10 + step, moved=step % 2 == 1)
        assert_same(canvas.joined([setting, cast]), whole(setting, cast))
    assert_same(canvas.joined([setting]), setting)
    odd = dataclasses.replace(splats(5, 3), sh=torch.rand(5, 1, 3))
    assert_same(canvas.joined([setting, odd]), whole(setting, odd))


def test_a_frame_that_is_still_looked_at_keeps_its_values() -> None:
    canvas, setting, cast = Canvas(), splats(50, 1), [splats(20, 10 + step, moved=True) for step in range(4)]
    held = [canvas.joined([setting, one]) for one in cast]
    rows = held[0].means[50:]  # a part of a tensor keeps the whole of it
    for one, parts in zip(held, cast, strict=True):
        assert_same(one, whole(setting, parts))
    del held
    for step in range(8):
        canvas.joined([setting, splats(20, 30 + step, moved=True)])
    assert torch.equal(rows, cast[0].means)


def test_memory_that_nobody_looks_at_is_used_again_and_what_stands_still_is_one_tensor() -> None:
    canvas, setting, scales = Canvas(), splats(50, 1), splats(20, 2).scales
    places = set()
    for step in range(6):
        one = dataclasses.replace(splats(20, 10 + step), scales=scales)
        joined = canvas.joined([setting, one])
        places.add(joined.means.data_ptr())
        again = canvas.joined([setting, one])
        assert again.scales.data_ptr() == joined.scales.data_ptr() == again.scales.data_ptr()
        del joined, again
    assert len(places) <= 2


def test_gains_and_the_root_of_what_is_kept_multiply_colours() -> None:
    setting, cast = splats(2, 1), dataclasses.replace(splats(2, 2), sh=torch.full((2, 4, 3), 0.4))
    gains = torch.tensor([[2.0, 2.0, 2.0], [1.0, 3.0, 0.5]])
    found = Canvas().joined([setting, cast], torch.tensor([1.0, 1.0, 0.25, 1.0]), [None, gains]).sh
    assert torch.equal(found[:2], setting.sh)
    torch.testing.assert_close(found[2], cast.sh[0])  # twice the colour, and the root of a quarter of it
    middle = 0.5 / 0.28209479177387814  # colour = SH + 0.5
    torch.testing.assert_close(found[3, 0], torch.tensor([0.4, 1.2 + 2 * middle, 0.2 - 0.5 * middle]))
    torch.testing.assert_close(found[3, 1:], torch.tensor([[0.4, 1.2, 0.2]]).repeat(3, 1))


def test_a_frame_in_a_light_holds_what_it_would_if_it_were_the_first() -> None:
    canvas, setting, made = Canvas(), splats(50, 1), torch.Generator().manual_seed(9)
    for step in range(9):
        cast = splats(20, 10 + step // 3)
        gains = None if step % 3 == 0 else torch.rand(20, 3, generator=made) + 0.5
        kept = None if step % 4 == 1 else torch.rand(70, generator=made).clamp(min=0.4, max=0.9) + 0.1
        found = canvas.joined([setting, cast], kept, [None, gains])
        assert_same(found, Canvas().joined([setting, cast], kept, [None, gains]))
        del found


def test_what_was_dark_in_one_frame_is_as_bright_as_before_in_the_next() -> None:
    canvas, setting, made = Canvas(), splats(50, 1), torch.Generator().manual_seed(7)
    for step in range(6):
        cast = splats(20, 10 + step // 2)
        kept = torch.rand(70, generator=made).clamp(max=0.9) + 0.1
        kept[torch.rand(70, generator=made) < 0.5] = 1.0
        expected = darkened(whole(setting, cast), kept)
        found = canvas.joined([setting, cast], kept)
        torch.testing.assert_close(found.sh, expected.sh, atol=1e-6, rtol=1e-6)
        assert torch.equal(found.sh[kept == 1], expected.sh[kept == 1])
        del found
        assert_same(canvas.joined([setting, cast]), whole(setting, cast))
