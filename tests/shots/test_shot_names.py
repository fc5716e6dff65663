"""Names of files, spans of frames, sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.shots.names import (
    FilmFolders,
    parse_frames,
    parse_size,
    picture_name,
    spell_frames,
    take_name,
    take_number,
)


def test_a_frame_is_named_as_the_design_says() -> None:
    assert picture_name("morning", "010", "beauty", 2, 1001) == "morning_010_beauty_v002.1001.png"


def test_a_take_folder_is_told_from_other_folders() -> None:
    assert take_name(7) == "v007"
    assert [take_number(n) for n in ("v001", "v1000", "v01", "v001-old", "x")] == [1, 1000, None, None, None]


def test_frames_of_another_size_lie_in_a_folder_of_their_own() -> None:
    full = FilmFolders(Path("out"), "morning")
    half = FilmFolders(Path("out"), "morning", (320, 180))
    assert full.shot("010") == Path("out/morning/shots/010")
    assert half.shot("010") == Path("out/morning/320x180/shots/010")
    assert full.assets == half.assets == Path("out/assets")


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001", [1001]),
        ("1001-1003,1010", [1001, 1002, 1003, 1010]),
        ("1010,1001-1002,1002-1003", [1001, 1002, 1003, 1010]),
        ("1001-1010x4", [1001, 1005, 1009]),
        (" 5 - 6 ".replace(" ", ""), [5, 6]),
        ("-3--1", [-3, -2, -1]),
    ],
)
def test_spans_of_frames_are_read(text: str, frames: list[int]) -> None:
    assert list(parse_frames(text)) == frames


@pytest.mark.parametrize("text", ["", "abc", "1010-1001", "1-2x0", "1,,2", "1-99999999", "1.5", "9" * 5000])
def test_nonsense_spans_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--frames"):
        parse_frames(text)


def test_frames_are_spelled_as_a_person_writes_them() -> None:
    assert spell_frames([1003, 1001, 1002, 1007]) == "1001-1003, 1007"
    assert spell_frames([]) == ""


@pytest.mark.parametrize(
    ("text", "size"),
    [("half", (320, 180)), ("quarter", (160, 90)), ("1/3", (214, 120)), ("0.01", (6, 4)), ("100x50", (100, 50))],
)
def test_sizes_are_read_and_fractions_give_even_sides(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text, (640, 360)) == size


@pytest.mark.parametrize("text", ["", "0", "big", "-1", "1/0", "0x10", "99999x99999", "100", "1e9"])
def test_nonsense_sizes_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--size"):
        parse_size(text, (640, 360))
