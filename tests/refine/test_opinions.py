"""What other splats say of a frame: their mean, how far they differ, silence where they may not be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from splatfilm.base.errors import InputError
from splatfilm.refine import opinions
from splatfilm.refine.opinions import PLANES, Opinions, compared


def plain(value: float) -> torch.Tensor:
    return torch.full((3, 4, 5), value)


def test_three_pictures_give_their_mean_and_their_deviation() -> None:
    found = compared([plain(0.2), plain(0.3), plain(0.7)], torch.ones(4, 5))
    assert found.shape == (PLANES, 4, 5)
    assert float(found[0, 0, 0]) == pytest.approx(0.2)  # the mean is 0.4, the asset's own 0.2
    # Squares of -0.2, -0.1 and 0.3 are 0.14 together, by two 0.07.
    assert float(found[3, 0, 0]) == pytest.approx(0.07**0.5)
    assert float(found[4, 0, 0]) == 1.0


def test_nothing_is_said_where_nobody_is_asked() -> None:
    asked = torch.zeros(4, 5)
    asked[2, 3] = 1.0
    found = compared([plain(0.2), plain(0.4)], asked)
    assert float(found[0, 2, 3]) == pytest.approx(0.1)
    found[:, 2, 3] = 0
    assert not found.any()


def test_opinions_need_an_asset_to_be_held_against() -> None:
    with pytest.raises(ValueError, match="there is none"):
        Opinions(None, (object(),))  # type: ignore[arg-type]


def test_a_refiner_whose_asset_is_gone_is_refused(tmp_path: Path) -> None:
    assert opinions.kept(tmp_path / "refiner", 0).others == ()
    with pytest.raises(InputError, match=r"splats\.ply.*not there"):
        opinions.kept(tmp_path / "refiner", 2)
