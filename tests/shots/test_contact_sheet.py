"""The contact sheet: what stands on it, and when it is drawn again."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from splatfilm.base.errors import StorageError
from splatfilm.shots import contact
from splatfilm.shots.contact import (
    GAP,
    HEADER,
    MARGIN,
    PAPER,
    SLATE,
    WIDTH,
    Sheet,
    Slate,
    draw_sheet,
    make_contact_sheet,
    thumb_size,
)
from splatfilm.shots.pictures import encode_png, hash_pixels
from splatfilm.shots.takes import FrameRecord, PictureRecord, Take

COLOURS = {1001: (200, 40, 40), 1012: (40, 200, 40), 1024: (40, 40, 200)}


def slate(folder: Path, size: tuple[int, int] = (160, 90), shot: str = "010", **changes: object) -> Slate:
    folder.mkdir(parents=True, exist_ok=True)
    frames = {}
    for number, colour in COLOURS.items():
        pixels = np.full((size[1], size[0], 3), colour, np.uint8)
        (folder / f"{number}.png").write_bytes(encode_png(pixels, {}))
        frames[number] = FrameRecord(number, "k", {"beauty": PictureRecord(f"{number}.png", hash_pixels(pixels))})
    fields: dict = {
        "shot": shot,
        "scene": "kitchen",
        "frames": (1001, 1024),
        "length": "24 frames, 1.0 s",
        "timecode": "01:00:00:00",
        "lens": "35 mm",
        "take": Take(folder, 1, True, frames),
        "pictures": tuple((number, f"01:00:00:{number - 1001:02d}") for number in COLOURS),
    }
    return Slate(**{**fields, **changes})


def sheet(*slates: Slate, size: tuple[int, int] = (160, 90), title: str = "Morning") -> Sheet:
    return Sheet(title, "24 fps", size, slates)


def test_each_shot_has_a_row_with_its_three_frames_in_order(tmp_path: Path) -> None:
    page = np.asarray(draw_sheet(sheet(slate(tmp_path / "a"), slate(tmp_path / "b", shot="020"))))
    width, height = thumb_size((160, 90))
    assert page.shape[1] == WIDTH and tuple(page[2, 2]) == PAPER
    row = (page.shape[0] - HEADER - 48) // 2
    for top in (HEADER, HEADER + row):
        for column, colour in enumerate(COLOURS.values()):
            left = MARGIN + SLATE + column * (width + GAP)
            assert tuple(page[top + height // 2, left + width // 2]) == colour
            assert (page[top + 2 : top + height - 2, left + 2 : left + width - 2] == colour).all()
        words = page[top : top + 200, MARGIN : MARGIN + SLATE - GAP]
        assert (words != PAPER).any(axis=2).mean() > 0.02, "the slate says something"


def test_the_last_frame_ends_at_the_margin() -> None:
    width, _ = thumb_size((640, 360))
    assert MARGIN + SLATE + 3 * width + 2 * GAP <= WIDTH - MARGIN
    assert WIDTH - MARGIN - (MARGIN + SLATE + 3 * width + 2 * GAP) < 4


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (4096, 1716), (100, 100), (16, 16), (2000, 16)])
def test_frames_keep_their_shape(size: tuple[int, int]) -> None:
    width, height = thumb_size(size)
    assert 1 <= height <= 420 and abs(width / height - size[0] / size[1]) <= 0.5 * size[0] / size[1] / height + 1e-2


def test_words_that_are_too_long_are_cut_short_and_any_script_is_drawn(tmp_path: Path) -> None:
    long = slate(tmp_path / "a", shot="A" * 60, scene="утро на кухне " * 9)
    usual = slate(tmp_path / "a")
    one, other = np.asarray(draw_sheet(sheet(long, title="Frühstück 朝 " * 20))), np.asarray(draw_sheet(sheet(usual)))
    assert one.shape == other.shape
    frames = np.s_[HEADER:, MARGIN + SLATE - GAP :]
    assert np.array_equal(one[frames], other[frames]), "words do not run into the pictures"


def test_a_single_frame_shot_shows_one_frame(tmp_path: Path) -> None:
    one = slate(tmp_path / "a", pictures=((1001, "01:00:00:00"),))
    page = np.asarray(draw_sheet(sheet(one)))
    width, height = thumb_size((160, 90))
    assert tuple(page[HEADER + height // 2, MARGIN + SLATE + width + GAP + width // 2]) == PAPER


def test_the_sheet_is_drawn_again_only_when_it_would_look_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    first = sheet(slate(tmp_path / "a"))
    assert make_contact_sheet(path, first)
    before = path.stat().st_mtime_ns
    assert not make_contact_sheet(path, first) and path.stat().st_mtime_ns == before
    assert make_contact_sheet(path, sheet(slate(tmp_path / "a", lens="50 mm")))
    path.write_bytes(b"broken")
    assert make_contact_sheet(path, first)
    with Image.open(path) as image:
        image.load()


def test_a_full_disk_leaves_the_old_sheet(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert make_contact_sheet(path, sheet(slate(tmp_path / "a")))
    changed = sheet(slate(tmp_path / "a", lens="50 mm"))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"sheet\.png: cannot write"):
            make_contact_sheet(path, changed)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before and not list(tmp_path.glob(".writing-*"))


def test_a_long_film_goes_on_on_further_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "PAGE", 2)
    path, slates = tmp_path / "sheet.png", [slate(tmp_path / "a", shot=f"{n}0") for n in range(1, 6)]
    assert make_contact_sheet(path, sheet(*slates))
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["sheet-2.png", "sheet-3.png", "sheet.png"]
    assert not make_contact_sheet(path, sheet(*slates))
    assert make_contact_sheet(path, sheet(*slates[:3]))
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["sheet-2.png", "sheet.png"]
