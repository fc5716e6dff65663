"""Clips as picture sequences and a timeline for reviewers' own players."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_film import build_film

from splatfilm.compare.exporting import export_rows
from splatfilm.compare.rows import Row, RowClip
from splatfilm.film import load


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    film = load(build_film(tmp_path / "film"))

    def clip(level: int) -> RowClip:
        frames = [np.full((6, 8, 3), level + index, np.uint8) for index in range(3)]
        return RowClip(frames, (8, 6), str(level))

    names = [shot.name for shot in film.shots]
    rows = [
        Row("ours", "Splatfilm", "ours", "I4", {(name, 1): clip(10 * k) for k, name in enumerate(names)}),
        Row("kling", "Kling", "closed", "I1", {(names[1], 1): clip(100), (names[1], 2): clip(200)}),
    ]
    return export_rows(tmp_path / "review", film, rows)


def test_every_method_has_the_same_frame_numbers_and_its_own_pixels(exported: Path) -> None:
    files = [exported.parent / method / "020_side/t1/small_020_side.1012.png" for method in ("ours", "kling")]
    assert [int(np.asarray(Image.open(file))[0, 0, 0]) for file in files] == [12, 102]
    assert sorted(p.name for p in (exported.parent / "kling/020_side").iterdir()) == ["t1", "t2"]
    assert not (exported.parent / "kling/010_wide").exists()


def test_the_timeline_has_a_track_a_take_and_gaps_where_there_is_no_clip(exported: Path) -> None:
    tracks = json.loads(exported.read_text())["tracks"]["children"]
    assert [track["name"] for track in tracks] == ["Splatfilm", "Kling, take 1", "Kling, take 2"]
    assert [child["OTIO_SCHEMA"] for child in tracks[1]["children"]] == ["Gap.1", "Clip.2", "Gap.1"]


def test_opentimelineio_reads_it_and_finds_every_picture(exported: Path) -> None:
    otio = pytest.importorskip("opentimelineio", reason="opentimelineio is not installed")
    timeline = otio.adapters.read_from_file(str(exported))
    assert timeline.duration() == otio.opentime.RationalTime(9, 24)
    clips = list(timeline.find_clips())
    assert len(clips) == 5
    for clip in clips:
        media = clip.media_reference
        assert media.number_of_images_in_sequence() == 3
        for image in range(3):
            assert (exported.parent / media.target_url_for_image_number(image)).is_file()
    assert clips[0].media_reference.frame_for_time(clips[0].source_range.start_time) == 1001
