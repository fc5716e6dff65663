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
from splatfilm.base.rigid import IDENTITY
from splatfilm.capture import read_capture
from splatfilm.capture.pictures import load_pictures
from splatfilm.reconstruct import checkpoint, layers
from splatfilm.reconstruct.layer_key import layer_key
from splatfilm.reconstruct.trainer import Trainer, View
from splatfilm.render import RenderSettings, render
from splatfilm.splats import Splats, compose


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


@pytest.fixture(scope="module")
def body(splats: Splats, own: np.ndarray) -> Splats:
    return layers.chosen(splats, own == 1)


@pytest.fixture(scope="module")
def learnt(capture_folder: Path, body: Splats) -> layers.Learnt:
    return layers.learn_layer(read_capture(capture_folder), [2], body, quick(steps=400))


def test_a_layer_is_learnt_over_splats_that_stay_as_they_are(
    capture_folder: Path, body: Splats, splats: Splats, learnt: layers.Learnt
) -> None:
    def error(scene: Splats) -> float:
        shown = [render(scene, view.camera, RenderSettings(), backend="cpu").beauty for view in views]
        return float(np.mean([(s - v.over((0, 0, 0))).abs().mean() for s, v in zip(shown, views, strict=True)]))

    pictures = load_pictures(read_capture(capture_folder).of("train")[:6], None, lambda done: None)
    views = [View.of(picture, torch.device("cpu")) for picture in pictures]
    assert error(compose([(body, IDENTITY), (learnt.splats, IDENTITY)])) < 0.35 * error(body)
    height, middle = learnt.splats.means[:, 2], float(splats.means[:, 2].median())
    assert float((height > middle - 0.1).float().mean()) > 0.9  # it grew where its mask is


def test_a_killed_layer_goes_on_and_ends_with_the_same_bits(
    capture_folder: Path, body: Splats, learnt: layers.Learnt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, settings = read_capture(capture_folder), quick(steps=400)
    kept = layers.Kept(tmp_path, "key")
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    advance = Trainer.advance

    def killed(trainer: Trainer) -> None:
        if trainer.step == 120:
            raise KeyboardInterrupt
        advance(trainer)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "advance", killed)
        layers.learn_layer(capture, [2], body, settings, kept)
    found, _ = checkpoint.newest(tmp_path, "key")
    assert found is not None and found.step == 120
    again = layers.learn_layer(capture, [2], body, settings, kept)
    for name in ("means", "quats", "scales", "opacities", "sh"):
        assert torch.equal(getattr(again.splats, name), getattr(learnt.splats, name)), name


def test_no_splat_of_what_bends_grows_longer_than_it_may(capture_folder: Path, body: Splats) -> None:
    limited = layers.learn_layer(read_capture(capture_folder), [2], body, quick(steps=60, largest=0.05))
    assert float(limited.splats.scales.max()) <= 0.05 * (1 + 1e-6)


def test_a_capture_is_split_by_its_masks_and_the_split_has_a_name(capture_folder: Path, splats: Splats) -> None:
    capture, settings = read_capture(capture_folder), quick()
    part = layers.split(splats, capture, [2], settings)
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
