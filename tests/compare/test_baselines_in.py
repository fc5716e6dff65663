"""Manifests and clips of other methods: what is right comes through, what is wrong is named, the rest goes on."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_makers import SHOTS, clip_value, picture, write_clip, write_manifest

from splatfilm.base.errors import InputError
from splatfilm.compare.conform import Conformed, Target, conform, conformed_frames, open_clip
from splatfilm.compare.manifest import ClipEntry, hash_clip, read_baseline
from splatfilm.compare.scan import scan

TARGET = Target((160, 90), 12, 24.0)


def entry(path: Path, **more: object) -> ClipEntry:
    return ClipEntry("010", 1, path, hash_clip(path), "methods[0].clips[0]", **more)  # type: ignore[arg-type]


def conformed(path: Path, target: Target = TARGET, **more: object) -> Conformed:
    return conform(entry(path, **more), target, path.parent / "conformed")


def reds(clip: Conformed) -> list[int]:
    """The index that each conformed frame shows."""
    return [round(float(frame[..., 0].mean()) / 8) for frame in clip.frames]


def test_a_clip_of_the_films_own_framing_comes_through_as_it_is(tmp_path: Path) -> None:
    clip = conformed(write_clip(tmp_path / "a.mp4", [picture(i) for i in range(12)], audio=True))
    assert clip.remarks == () and clip.shown == tuple(range(12)) and clip.size == (160, 90)
    worst = max(np.abs(clip.frames[i].astype(int) - picture(i)).max() for i in range(12))
    assert worst <= 6


def test_a_conformed_clip_is_read_from_disk_the_second_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", [picture(i) for i in range(12)])
    asked = entry(path)
    first = conform(asked, TARGET, tmp_path / "c")
    path.unlink()
    second = conform(asked, TARGET, tmp_path / "c")
    assert np.array_equal(first.frames, second.frames) and first.remarks == second.remarks


def test_a_larger_clip_comes_down_by_area_and_a_smaller_one_is_not_enlarged(tmp_path: Path) -> None:
    large = conformed(write_clip(tmp_path / "l.mp4", [picture(i, 320, 180) for i in range(12)]))
    assert large.size == (160, 90)
    small = conformed(write_clip(tmp_path / "s.mp4", [picture(i, 80, 46) for i in range(12)]))
    assert small.size == (80, 45)
    assert any("smaller than the film" in remark for remark in small.remarks)


def test_a_kept_clip_is_small_and_its_frames_are_still_to_be_had_as_large_as_the_film(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "l.mp4", [picture(i, 320, 180) for i in range(14)])
    kept = conformed(path, Target((80, 45), 12, 24.0), first=1)
    assert kept.size == (80, 45) and kept.frames.nbytes == 12 * 80 * 45 * 3
    whole = dict(conformed_frames(entry(path, first=1), Target((320, 180), 12, 24.0)))
    assert sorted(whole) == list(range(12)) and whole[0].shape == (180, 320, 3)
    for place, pixels in whole.items():
        assert round(float(pixels[..., 0].mean()) / 8) == kept.shown[place]
        assert np.abs(np.asarray(Image.fromarray(pixels).reduce(4)).astype(int) - kept.frames[place]).max() <= 1


def test_area_means_the_mean_of_what_a_pixel_covers(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    checks = np.zeros((180, 320, 3), np.uint8)
    checks[::2, ::2] = 200  # one of every four pixels
    Image.fromarray(checks).save(folder / "0001.png")
    clip = conformed(folder, Target((160, 90), 1, 24.0), crop=(0, 0, 320, 180))
    assert (clip.frames[0] == 50).all()


def test_a_longer_clip_gives_its_nearest_frames_in_time(tmp_path: Path) -> None:
    clip = conformed(write_clip(tmp_path / "a.mp4", [picture(i) for i in range(23)]))
    assert reds(clip) == list(range(0, 24, 2))
    assert any("23 frames stand for the shot's 12" in remark for remark in clip.remarks)
    assert any("2.00 times as fast" in remark for remark in clip.remarks)
    part = conformed(tmp_path / "a.mp4", first=5, last=16)
    assert reds(part) == list(range(5, 17))


def test_another_rate_is_told_and_frames_are_taken_by_their_times(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", [picture(i) for i in range(12)], rate=Fraction(12))
    clip = conformed(path, rate=24.0)
    assert any("12.000 frames a second, the manifest says 24" in remark for remark in clip.remarks)


def test_a_variable_rate_is_told_and_followed(tmp_path: Path) -> None:
    times = [0, 100, 200, 300, 400, 500, 900, 1000]  # nothing new between 500 and 900 ms
    path = write_clip(tmp_path / "v.mp4", [picture(i) for i in range(8)], times=times)
    clip = conformed(path, Target((160, 90), 11, 10.0))
    assert any("variable frame rate" in remark for remark in clip.remarks)
    assert reds(clip)[:6] == [0, 1, 2, 3, 4, 5] and reds(clip)[-2:] == [6, 7]


def test_a_turned_clip_stands_upright(tmp_path: Path) -> None:
    upright = [picture(i) for i in range(12)]
    path = write_clip(tmp_path / "r.mp4", [np.rot90(p, -1) for p in upright], rotation=90)
    clip = conformed(path)
    assert clip.size == (160, 90) and any("turned by 90" in remark for remark in clip.remarks)
    assert np.abs(clip.frames[3].astype(int) - upright[3]).max() <= 6


@pytest.mark.parametrize(("tags", "word"), [((16, 9), "PQ"), ((18, 9), "HLG")])
def test_an_hdr_clip_is_refused_with_what_to_do(tmp_path: Path, tags: tuple[int, int], word: str) -> None:
    path = write_clip(tmp_path / "h.mp4", [picture(i) for i in range(12)], tags=tags)
    with pytest.raises(InputError, match=rf"h\.mp4.*{word}.*BT\.709"):
        conformed(path)


def test_a_letterbox_is_found_and_cut_off(tmp_path: Path) -> None:
    def boxed(index: int) -> np.ndarray:
        frame = np.zeros((130, 160, 3), np.uint8)
        frame[20:110] = picture(index + 4)
        return frame

    clip = conformed(write_clip(tmp_path / "b.mp4", [boxed(i) for i in range(12)]))
    assert any("letterbox cut off: 0, 0, 20 and 20" in remark for remark in clip.remarks)
    assert np.abs(clip.frames[0].astype(int) - picture(4)).max() <= 8


def test_a_night_scene_is_no_letterbox(tmp_path: Path) -> None:
    dark = [np.where(np.mgrid[0:90, 0:160][0][..., None] < 30, 0, picture(i)).astype(np.uint8) for i in range(12)]
    clip = conformed(write_clip(tmp_path / "n.mp4", dark))
    assert not any("letterbox" in remark for remark in clip.remarks)


def test_another_shape_is_cropped_about_the_middle(tmp_path: Path) -> None:
    clip = conformed(write_clip(tmp_path / "w.mp4", [picture(i, 240, 90) for i in range(12)]))
    assert any("33 % cropped at the sides" in remark for remark in clip.remarks)
    assert np.abs(clip.frames[2].astype(int) - picture(2, 240, 90)[:, 40:200]).max() <= 6


def test_a_watermark_becomes_a_mask_in_the_films_pixels(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "m.mp4", [picture(i, 320, 180) for i in range(12)])
    clip = conformed(path, mask=((301, 161, 10, 10),))
    assert clip.mask is not None
    assert np.argwhere(clip.mask).min(0).tolist() == [80, 150] and np.argwhere(clip.mask).max(0).tolist() == [85, 155]


def test_missing_sound_is_told(tmp_path: Path) -> None:
    clip = conformed(write_clip(tmp_path / "q.mp4", [picture(i) for i in range(12)]))
    assert "no sound (sound is not compared)" in clip.remarks


def test_a_damaged_tail_is_refused_with_the_last_whole_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (90, 160, 3)).astype(np.uint8) for _ in range(12)]
    path = write_clip(tmp_path / "d.mp4", frames)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    with pytest.raises(InputError, match=r"d\.mp4.*(is damaged: \d+ of its|asks for 0 to 11)"):
        conformed(path, last=11)
    whole = len([1 for _ in open_clip(entry(path), 24.0).decode()])
    assert 0 < whole < 12
    assert len(conformed(path, last=whole - 2).frames) == 12


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"no video" * 100)
    with pytest.raises(InputError, match=r"x\.mp4.*cannot be read as a video"):
        conformed(path)


def test_everything_wrong_with_a_manifest_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    project = tmp_path / "film"
    project.mkdir()
    good = write_clip(project / "020.mp4", [picture(i) for i in range(4)])
    other = write_clip(project / "020b.mp4", [picture(i + 1) for i in range(4)])
    outside = write_clip(tmp_path / "outside.mp4", [picture(0)])
    path = write_manifest(
        project,
        clip_value(good, project, "020"),
        clip_value(other, project, "020"),
        clip_value(good, project, "03o"),
        {**clip_value(good, project, "010"), "sha256": "0" * 64},
        {**clip_value(good, project, "010", 2), "file": "../outside.mp4", "sha256": hash_clip(outside)},
        {**clip_value(good, project, "010", 3), "file": "020c.mp4"},
        {**clip_value(good, project, "010", 4), "sed": 7},
        {**clip_value(good, project, "010", 5), "in": 3, "out": 1},
    )
    found = read_baseline(path, SHOTS)
    assert [(clip.shot, clip.take) for clip in found.methods[0].clips] == [("020", 1)]
    said = {problem.place: problem.message for problem in found.problems}
    assert "two clips, 020.mp4 (methods[0].clips[0]) and 020b.mp4" in said["methods[0].clips[1].shot"]
    assert "no shot '03o'" in said["methods[0].clips[2].shot"]
    assert "is not the file that was described" in said["methods[0].clips[3].sha256"]
    assert "leaves the project" in said["methods[0].clips[4].file"]
    assert 'did you mean "020' in said["methods[0].clips[5].file"]
    assert 'did you mean "seed"?' in said["methods[0].clips[6].sed"]
    assert "found 1, expected a frame from 3" in said["methods[0].clips[7].out"]
    assert len(found.problems) == 7


def test_a_link_that_leaves_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "film"
    project.mkdir()
    outside = write_clip(tmp_path / "o.mp4", [picture(0)])
    (project / "in.mp4").symlink_to(outside)
    path = write_manifest(project, clip_value(project / "in.mp4", project))
    assert "leaves the project" in read_baseline(path, SHOTS).problems[0].message


def test_takes_that_were_not_supplied_are_said_to_be_missing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "020.mp4", [picture(i) for i in range(4)])
    found = read_baseline(write_manifest(tmp_path, clip_value(clip, tmp_path, "020", takes_made=4)), SHOTS)
    assert found.remarks == ("Kling: shot 020: 1 of 4 takes were supplied, chosen by whoever made them",)


def test_a_file_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"schema": "splatfilm.baseline/9"}))
    with pytest.raises(InputError, match=r"splatfilm\.baseline/9.*expected 'splatfilm\.baseline/1'"):
        read_baseline(path, SHOTS)


def test_a_scan_drafts_what_names_say_and_leaves_out_what_they_do_not(tmp_path: Path) -> None:
    (tmp_path / "kling").mkdir()
    write_clip(tmp_path / "kling" / "020_t2.mp4", [picture(0)])
    write_clip(tmp_path / "kling" / "shot-010.mp4", [picture(1)])
    write_clip(tmp_path / "kling" / "1020.mp4", [picture(2)])
    story = tmp_path / "story" / "020"
    story.mkdir(parents=True)
    Image.fromarray(picture(3)).save(story / "0001.png")
    draft = scan(tmp_path, SHOTS)
    found = {(m["id"], c["shot"], c["take"]): c["file"] for m in draft.value["methods"] for c in m["clips"]}
    assert found == {
        ("kling", "020", 2): "kling/020_t2.mp4",
        ("kling", "010", 1): "kling/shot-010.mp4",
        ("story", "020", 1): "story/020",
    }
    assert draft.unclear == ("kling/1020.mp4",)
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(draft.value))
    assert read_baseline(path, SHOTS).problems == ()
