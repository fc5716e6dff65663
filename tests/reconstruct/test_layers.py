"""Whose splat is it? Votes against arithmetic, and a garment learnt over a body that stays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from synthetic import cameras, known_splats, quick, write_capture

from splatfilm.base.errors import InputError
from splatfilm.capture import read_capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import layers
from splatfilm.reconstruct.layer_key import layer_key
from splatfilm.reconstruct.settings import Rates
from splatfilm.reconstruct.trainer import View
from splatfilm.render import RenderSettings, render
from splatfilm.splats import Splats


def painted(splats: Splats, colours: torch.Tensor) -> Splats:
    return dataclasses.replace(splats, sh=((colours - 0.5) / 0.28209479177387814)[:, None, :].float())


def ids_of(splats: Splats, own: np.ndarray, camera: object) -> np.ndarray:
    """The id that covers most of each pixel, found by rendering every id by itself in its place."""
    shown = []
    for number in (1, 2):
        flat = painted(splats, torch.from_numpy((own == number).astype(np.float32))[:, None].expand(-1, 3))
        shown.append(render(flat, camera, RenderSettings(), backend="cpu").beauty[..., 0])  # type: ignore[arg-type]
    nothing = 1 - torch.stack(shown).sum(0)
    return torch.stack([nothing, *shown]).argmax(0).numpy().astype(np.uint8)


@pytest.fixture(scope="module")
def splats() -> Splats:
    return known_splats()


@pytest.fixture(scope="module")
def own(splats: Splats) -> np.ndarray:
    return np.where(splats.means[:, 2].numpy() > float(splats.means[:, 2].median()), 2, 1)


def test_votes_are_blended_weights_summed_over_the_pixels_of_an_id(splats: Splats) -> None:
    camera = cameras(24)[0]
    ids = np.zeros((camera.height, camera.width), dtype=np.uint8)
    ids[:, camera.width // 2 :] = 7
    one = 5
    counted = layers.votes(splats, [layers.Marked(camera, ids)], [0, 7, 9, 11], "cpu")
    white = torch.zeros(len(splats), 3)
    white[one] = 1.0
    alone = render(painted(splats, white), camera, RenderSettings(), backend="cpu").beauty[..., 0]
    half = camera.width // 2
    expected = torch.stack([alone[:, :half].sum(), alone[:, half:].sum(), torch.tensor(0.0), torch.tensor(0.0)])
    torch.testing.assert_close(counted[one], expected, atol=1e-3, rtol=1e-4)


def test_splats_are_labelled_by_what_they_show(splats: Splats, own: np.ndarray) -> None:
    marks = [layers.Marked(camera, ids_of(splats, own, camera)) for camera in cameras(24)[::3]]
    labels = layers.label(splats, marks, "cpu")
    seen = labels != 0
    assert seen.mean() > 0.7
    assert (labels[seen] == own[seen]).mean() > 0.9


@pytest.fixture(scope="module")
def capture_folder(tmp_path_factory: pytest.TempPathFactory, splats: Splats, own: np.ndarray) -> Path:
    folder = write_capture(tmp_path_factory.mktemp("capture"), matte=True)
    (folder / "ids").mkdir()
    for photograph in read_capture(folder).photographs:
        Image.fromarray(ids_of(splats, own, photograph.camera)).save(folder / "ids" / f"{photograph.image.stem}.png")
    return folder


def test_a_layer_is_learnt_over_splats_that_stay_as_they_are(
    capture_folder: Path, splats: Splats, own: np.ndarray
) -> None:
    capture = read_capture(capture_folder)
    body, garment = layers.chosen(splats, own == 1), layers.chosen(splats, own == 2)
    before = {name: getattr(body, name).clone() for name in ("means", "quats", "scales", "opacities", "sh")}
    views = [
        View.of(picture, torch.device("cpu")) for picture in load_pictures(capture.of("train"), None, lambda n: None)
    ]
    grey = dataclasses.replace(garment, sh=torch.zeros_like(garment.sh))

    def error(top: Splats) -> float:
        from splatfilm.base.rigid import IDENTITY
        from splatfilm.splats import compose

        both = compose([(body, IDENTITY), (top, IDENTITY)])
        shown = [render(both, view.camera, RenderSettings(), backend="cpu").beauty for view in views[:4]]
        return float(np.mean([(s - v.over((0, 0, 0))).abs().mean() for s, v in zip(shown, views, strict=False)]))

    settings = quick(steps=60, budget=len(garment), antialiased=body.mode == "antialiased", rates=Rates(sh0=5e-2))
    learnt = layers.learn_over(body, grey, {1.0: views}, dataclasses.replace(settings, coarse=()), "garment")
    assert error(learnt) < 0.7 * error(grey)
    for name, values in before.items():
        assert torch.equal(getattr(body, name), values), name


def test_a_capture_is_split_by_its_masks_and_the_split_has_a_name(capture_folder: Path, splats: Splats) -> None:
    capture, settings = read_capture(capture_folder), quick()
    part = layers.learn_layer(capture, splats, [2], None, settings)
    assert 0 < len(part) < len(splats)
    assert float(part.means[:, 2].mean()) > float(splats.means[:, 2].mean())
    key = layer_key(capture, "base", [2], [], settings)
    assert key == layer_key(capture, "base", [2], [], settings) != layer_key(capture, "base", [1], [], settings)
    with pytest.raises(InputError, match="no splat belongs to 9"):
        layers.split(splats, capture, [9], settings)


def test_masks_that_are_missing_or_do_not_fit_are_refused(tmp_path: Path, capture_folder: Path) -> None:
    bare = write_capture(tmp_path / "bare", count=4)
    with pytest.raises(InputError, match="no id mask"):
        layers.read_marks(read_capture(bare), 1000)
    (bare / "ids").mkdir()
    name = read_capture(bare).of("train")[0].image.stem
    Image.new("L", (3, 2)).save(bare / "ids" / f"{name}.png")
    with pytest.raises(InputError, match="is 3 x 2"):
        layers.read_marks(read_capture(bare), 1000)
