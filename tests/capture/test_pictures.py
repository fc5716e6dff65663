"""Photographs decoded for training: sizes, mattes, masks, depths of bits, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera, Distortion
from splatfilm.capture import Photograph
from splatfilm.capture.pictures import load_picture, load_pictures, shrunk, training_size


def camera(width: int, height: int, distortion: Distortion | None = None) -> Camera:
    return Camera(np.eye(4), 50.0, 50.0, width / 2, height / 2, width, height, distortion)


def saved(path: Path, values: np.ndarray, **more: object) -> Photograph:
    Image.fromarray(values).save(path)
    return Photograph(path.name, path, camera(values.shape[1], values.shape[0]), "train", **more)  # type: ignore[arg-type]


def test_a_pixel_keeps_its_value_and_its_place(tmp_path: Path) -> None:
    values = np.zeros((4, 6, 3), np.uint8)
    values[1, 2] = (255, 128, 51)
    picture = load_picture(saved(tmp_path / "a.png", values))
    assert picture.colour[1, 2].tolist() == pytest.approx([1.0, 128 / 255, 0.2])
    assert picture.colour.sum() == pytest.approx(1.2 + 128 / 255)
    assert picture.matte is None
    assert picture.weight is None


def test_the_longest_side_is_brought_down_and_never_up() -> None:
    assert training_size(camera(1080, 1920), 480) == (270, 480)
    assert training_size(camera(300, 200), 480) == (300, 200)
    assert training_size(camera(300, 200), None) == (300, 200)


def test_the_camera_shrinks_with_its_picture(tmp_path: Path) -> None:
    picture = load_picture(saved(tmp_path / "a.png", np.full((40, 60, 3), 90, np.uint8)), longest=30)
    assert picture.colour.shape == (20, 30, 3)
    assert (picture.camera.width, picture.camera.height, picture.camera.fx, picture.camera.cy) == (30, 20, 25.0, 10.0)
    assert picture.colour == pytest.approx(90 / 255, abs=1e-6)


def test_a_matte_multiplies_the_colour(tmp_path: Path) -> None:
    values = np.full((4, 4, 4), 255, np.uint8)
    values[..., 3] = 51
    picture = load_picture(saved(tmp_path / "a.png", values))
    assert picture.matte == pytest.approx(0.2)
    assert picture.colour == pytest.approx(0.2)


def test_colour_hidden_under_the_matte_does_not_bleed_when_scaled(tmp_path: Path) -> None:
    values = np.zeros((16, 16, 4), np.uint8)
    values[:, :8] = (255, 255, 255, 255)
    values[:, 8:] = (255, 0, 0, 0)  # red that nobody may see
    picture = load_picture(saved(tmp_path / "a.png", values), longest=8)
    assert picture.matte is not None
    assert np.abs(picture.colour - picture.matte[..., None]).max() < 1e-6


def test_black_in_the_mask_is_ignored(tmp_path: Path) -> None:
    mask = np.full((8, 8), 255, np.uint8)
    mask[:, 4:] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    picture = load_picture(saved(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8), mask=tmp_path / "mask.png"))
    assert picture.weight is not None
    assert (picture.weight[:, :4] == 1).all()
    assert (picture.weight[:, 4:] == 0).all()


def test_a_mask_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    Image.fromarray(np.full((5, 8), 255, np.uint8)).save(tmp_path / "mask.png")
    photograph = saved(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8), mask=tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"mask\.png: is 8x5 pixels, but its photograph a\.png is 8x8"):
        load_picture(photograph)


def test_sixteen_bit_grey_is_scaled_to_one(tmp_path: Path) -> None:
    values = np.full((4, 4), 13107, np.uint16)  # a fifth of 65535
    picture = load_picture(saved(tmp_path / "a.png", values))
    assert picture.colour == pytest.approx(0.2, abs=1e-6)


def test_quarter_turns_turn_the_pixels(tmp_path: Path) -> None:
    values = np.zeros((4, 6, 3), np.uint8)
    values[0, 5] = 255  # the upper right corner goes to the upper left
    Image.fromarray(values).save(tmp_path / "a.png")
    photograph = Photograph("a.png", tmp_path / "a.png", camera(4, 6), "train", quarter_turns=1)
    picture = load_picture(photograph)
    assert picture.colour.shape == (6, 4, 3)
    assert picture.colour[0, 0, 0] == 1


def test_every_truncated_file_is_named_at_once(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    photographs = [saved(tmp_path / f"{i}.jpg", noise) for i in range(4)]
    for index in (1, 3):
        path = tmp_path / f"{index}.jpg"
        path.write_bytes(path.read_bytes()[:-800])
    with pytest.raises(InputError) as caught:
        load_pictures(photographs)
    assert [Path(p.path).name for p in caught.value.problems] == ["1.jpg", "3.jpg"]
    assert "truncated" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png"):
        load_picture(Photograph("a.png", tmp_path / "a.png", camera(4, 4), "train"))


def test_a_bent_picture_is_straightened_and_its_unknown_corners_weigh_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((60, 80, 3), 128, np.uint8)).save(path)
    lens = camera(80, 60, Distortion("brown-conrady", (0.2,)))
    picture = load_picture(Photograph("a.png", path, lens, "train"), longest=40)
    assert picture.camera.distortion is None
    assert picture.weight is not None
    assert picture.weight[0, 0] == 0
    # Black from beyond the border may leak in by at most 2 % of a pixel's light.
    assert picture.colour[picture.weight > 0] == pytest.approx(128 / 255, abs=0.02 * 128 / 255)


def test_a_smaller_copy_only_counts_pixels_that_are_whole(tmp_path: Path) -> None:
    mask = np.full((16, 16), 255, np.uint8)
    mask[:, 9:] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    picture = load_picture(saved(tmp_path / "a.png", np.full((16, 16, 3), 77, np.uint8), mask=tmp_path / "mask.png"))
    small = shrunk(picture, 0.5)
    assert small.weight is not None
    assert small.camera.width == 8
    assert (small.weight[:, :2] == 1).all()
    assert (small.weight[:, 4:] == 0).all()
