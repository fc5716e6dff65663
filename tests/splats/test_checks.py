"""The door: what may enter as splats."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from splat_makers import random_splats

from splatfilm.base.errors import InputError
from splatfilm.splats import Splats, check


def spoiled(name: str, index: tuple[int, ...], value: float) -> Splats:
    splats = random_splats(10)
    tensor = getattr(splats, name).clone()
    tensor[index] = value
    return dataclasses.replace(splats, **{name: tensor})


def message(splats: Splats) -> str:
    with pytest.raises(InputError) as caught:
        check(splats, "mug.ply", "look plain")
    return str(caught.value)


def test_good_splats_pass_as_the_same_object() -> None:
    splats = random_splats(10)
    assert check(splats, "mug.ply") is splats


@pytest.mark.parametrize(
    ("name", "index", "value", "expected"),
    [
        ("means", (3, 1), float("nan"), "splat 3: means[1] is nan, must be finite"),
        ("quats", (0, 2), float("inf"), "splat 0: quats[2] is inf, must be finite"),
        ("scales", (9, 0), float("nan"), "splat 9: scales[0] is nan, must be finite"),
        ("scales", (4, 2), 0.0, "splat 4: scales[2] is 0, a size in metres must be greater than 0"),
        ("scales", (4, 2), -0.5, "splat 4: scales[2] is -0.5, a size in metres must be greater than 0"),
        ("opacities", (2,), 1.5, "splat 2: opacities is 1.5, must be 0 to 1"),
        ("opacities", (2,), -0.25, "splat 2: opacities is -0.25, must be 0 to 1"),
        ("sh", (7, 15, 2), float("-inf"), "splat 7: sh[15][2] is -inf, must be finite"),
    ],
)
def test_a_bad_number_is_named_by_splat_and_property(
    name: str, index: tuple[int, ...], value: float, expected: str
) -> None:
    assert message(spoiled(name, index, value)) == f"mug.ply: look plain, {expected}"


def test_the_first_of_several_is_named_and_all_are_counted() -> None:
    splats = random_splats(10)
    splats.means[4:8, 2] = float("nan")
    assert message(splats) == "mug.ply: look plain, splat 4: means[2] is nan, must be finite (4 of 10 splats)"


def test_every_kind_of_fault_is_told_at_once() -> None:
    splats = random_splats(10)
    splats.means[1, 0] = float("nan")
    splats.quats[2] = 0.0
    splats.opacities[3] = 2.0
    lines = message(splats).splitlines()
    assert [line.split(": ")[1].removeprefix("look plain, ") for line in lines] == ["splat 1", "splat 2", "splat 3"]
    assert "rotation needs a direction" in lines[1]


def test_quaternions_are_made_unit_and_unit_ones_keep_their_bits() -> None:
    splats = random_splats(10)
    long = splats.quats.clone()
    long[5] = torch.tensor([0.0, 3.0, 0.0, 4.0])
    checked = check(dataclasses.replace(splats, quats=long), "mug.ply")
    assert checked.quats[5].tolist() == [0.0, pytest.approx(0.6), 0.0, pytest.approx(0.8)]
    others = torch.arange(10) != 5
    assert torch.equal(checked.quats[others], splats.quats[others])
    assert check(checked, "mug.ply") is checked


def test_wrong_shapes_types_and_modes_are_told_at_once() -> None:
    splats = random_splats(10)
    wrong = dataclasses.replace(
        splats,
        quats=splats.quats[:, :3],
        scales=splats.scales.double(),
        opacities=splats.opacities[:, None],
        sh=splats.sh[:, :5],
        mode="mip",  # type: ignore[arg-type]
    )
    text = message(wrong)
    assert "quats has shape [10, 3], must be [10, 4]" in text
    assert "scales is float64, must be float32" in text
    assert "opacities has shape [10, 1], must be [10]" in text
    assert "sh has shape [10, 5, 3], must be [10, K, 3] with K = 1, 4, 9 or 16" in text
    assert 'mode is \'mip\', must be "classic" or "antialiased"' in text


def test_an_empty_set_is_refused() -> None:
    assert message(random_splats(0)) == "mug.ply: look plain: holds no splats"


def test_splats_with_gradients_pass_with_their_gradients() -> None:
    splats = random_splats(10)
    quats = (splats.quats * 2).requires_grad_()
    checked = check(dataclasses.replace(splats, quats=quats), "mug.ply")
    assert checked.quats.requires_grad
