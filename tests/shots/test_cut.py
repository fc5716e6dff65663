"""The cut, decoded again: every frame there, in order, in the right colours, at the exact rate."""

from __future__ import annotations

import itertools
import resource
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from splatfilm.base.errors import InputError, StorageError
from splatfilm.base.progress import SILENT
from splatfilm.shots.cut import CutShot, make_cut
from splatfilm.shots.pictures import encode_png, hash_pixels
from splatfilm.shots.takes import FrameRecord, PictureRecord, Take
from splatfilm.shots.video import Reel, Strip, encode_strips, pieces_of

BARS = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191), (0, 0, 0)]


def colour_bars(size: tuple[int, int], mark: int) -> np.ndarray:
    """75% colour bars over a grey ramp; the ramp's height says which frame it is."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    for column, colour in enumerate(BARS):
        pixels[:, column * width // 8 : (column + 1) * width // 8] = colour
    pixels[height - 4 - 4 * mark :] = np.linspace(0, 255, width).astype(np.uint8)[None, :, None]
    return pixels


def write_take(folder: Path, pictures: list[np.ndarray], size: tuple[int, int]) -> Take:
    folder.mkdir(parents=True)
    frames = {}
    for index, pixels in enumerate(pictures):
        name = f"film_{folder.parent.name}_beauty_v001.{1001 + index}.png"
        (folder / name).write_bytes(encode_png(pixels, {}))
        frames[1001 + index] = FrameRecord(1001 + index, "k", {"beauty": PictureRecord(name, hash_pixels(pixels))})
    return Take(folder, 1, True, frames, {"size": list(size)})


def two_shots(folder: Path, size: tuple[int, int] = (160, 90)) -> list[CutShot]:
    marks = {"010": range(0, 7), "020": range(8, 13)}
    return [
        CutShot(
            name,
            write_take(folder / name / "v001", [colour_bars(size, m) for m in ms], size),
            tuple(range(1001, 1001 + len(ms))),
        )
        for name, ms in marks.items()
    ]


def reel(size: tuple[int, int] = (160, 90), rate: Fraction = Fraction(24000, 1001)) -> Reel:
    return Reel("Bars", rate, size, "01:00:00:00")


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [
            frame.reformat(
                format="rgb24", src_colorspace=frame.colorspace, dst_colorspace=frame.colorspace
            ).to_ndarray()
            for frame in container.decode(video=0)
        ]


def test_every_frame_of_every_shot_is_there_in_order(tmp_path: Path) -> None:
    result = make_cut(tmp_path / "bars.mp4", two_shots(tmp_path), reel(), SILENT)
    frames = decoded(result.path)
    assert result.frames == len(frames) == 12
    for mark, frame in zip([*range(0, 7), *range(8, 13)], frames, strict=True):
        errors = [np.abs(frame.astype(int) - colour_bars((160, 90), other)).mean() for other in range(14)]
        assert int(np.argmin(errors)) == mark


def test_colours_survive_within_two_and_a_half_levels(tmp_path: Path) -> None:
    """The wrong matrix (BT.601 values under a BT.709 tag) costs 7 levels and more on these bars."""
    frames = decoded(make_cut(tmp_path / "bars.mp4", two_shots(tmp_path), reel(), SILENT).path)
    assert np.abs(frames[0].astype(int) - colour_bars((160, 90), 0)).mean() < 2.5
    for column, colour in enumerate(BARS):
        patch = frames[0][10:60, column * 20 + 6 : column * 20 + 14].reshape(-1, 3).mean(axis=0)
        assert np.abs(patch - colour).max() <= 4, f"bar {column} is {patch}, not {colour}"


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    path = make_cut(tmp_path / "bars.mp4", two_shots(tmp_path), reel(), SILENT).path
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (stream.average_rate, stream.frames) == (Fraction(24000, 1001), 12)
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", 160, 90)
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
        assert tuple(map(int, tags)) == (1, 1, 1, 1)  # BT.709 three times, limited range
        assert container.metadata["title"] == "Bars"
        assert stream.metadata["timecode"] == "01:00:00:00"
        frames = list(container.decode(video=0))
    assert [Fraction(f.pts) * f.time_base for f in frames] == [Fraction(1001 * i, 24000) for i in range(12)]
    assert {i for i, f in enumerate(frames) if f.key_frame} >= {0, 7}, "every shot begins with a key frame"
    assert all(int(f.colorspace) == 1 and int(f.color_range) == 1 for f in frames)


def test_the_film_starts_without_loading_all_of_it(tmp_path: Path) -> None:
    data = make_cut(tmp_path / "bars.mp4", two_shots(tmp_path), reel(), SILENT).path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    shots = two_shots(tmp_path)
    files = [make_cut(tmp_path / name, shots, reel(), SILENT).path.read_bytes() for name in ("a.mp4", "b.mp4", "c.mp4")]
    assert files[0] == files[1] == files[2]


def test_the_cut_has_the_same_bytes_with_one_thread_and_with_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = two_shots(tmp_path)
    made = []
    for threads in ("1", "4"):
        monkeypatch.setenv("SPLATFILM_THREADS", threads)
        made.append(make_cut(tmp_path / f"{threads}.mp4", shots, reel(), SILENT).path.read_bytes())
    assert made[0] == made[1]


def test_shots_of_one_frame_stand_with_their_neighbours_in_one_piece() -> None:
    pieces = pieces_of([1, 1, 2, 5, 1], longest=4)
    assert [piece.pictures for piece in pieces] == [
        ((0, 0), (1, 0), (2, 0), (2, 1)),
        ((3, 0), (3, 1)),
        ((3, 2), (3, 3), (3, 4)),
        ((4, 0),),
    ]
    assert [piece.start for piece in pieces] == [0, 4, 6, 9]
    assert [piece.is_last for piece in pieces] == [False, False, False, True]
    assert pieces_of([]) == []


def test_a_long_shot_and_shots_of_one_frame_are_whole_and_begin_with_key_frames(tmp_path: Path) -> None:
    marks = [0, *(mark % 14 for mark in range(300)), 3, 9, 1]
    counts = [1, 300, 1, 1, 1]
    pictures = [colour_bars((160, 90), mark) for mark in marks]
    starts = [sum(counts[:k]) for k in range(len(counts))]
    strips = [Strip(n, lambda place, of=start: pictures[of + place]) for n, start in zip(counts, starts, strict=True)]  # type: ignore[misc]
    told: list[int] = []
    encode_strips(tmp_path / "long.mp4", strips, reel(), told.append, threads=3)
    frames = decoded(tmp_path / "long.mp4")
    assert len(frames) == len(marks) == told[-1] and told == sorted(told)
    for mark, frame in zip(marks, frames, strict=True):
        errors = [np.abs(frame.astype(int) - colour_bars((160, 90), other)).mean() for other in range(14)]
        assert int(np.argmin(errors)) == mark
    with av.open(str(tmp_path / "long.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        keys = {round(packet.pts * packet.time_base * reel().rate) for packet in packets if packet.is_keyframe}
        stamps = [packet.dts for packet in packets if packet.dts is not None]
        assert len(stamps) == len(marks) and all(one < two for one, two in itertools.pairwise(stamps))
    assert set(starts) <= keys


def test_a_cut_of_the_same_frames_is_left_alone(tmp_path: Path) -> None:
    shots = two_shots(tmp_path)
    path = tmp_path / "bars.mp4"
    assert make_cut(path, shots, reel(), SILENT).made
    before = path.stat()
    assert not make_cut(path, shots, reel(), SILENT).made
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert make_cut(path, shots, reel(rate=Fraction(25)), SILENT).made
    assert make_cut(path, shots[:1], reel(rate=Fraction(25)), SILENT).made
    path.write_bytes(path.read_bytes()[:-10])
    assert make_cut(path, shots[:1], reel(rate=Fraction(25)), SILENT).made
    assert len(decoded(path)) == 7


def test_odd_sides_are_made_even_by_doubling_the_last_line(tmp_path: Path) -> None:
    size = (65, 37)
    pixels = np.full((37, 65, 3), 120, np.uint8)
    shot = CutShot("010", write_take(tmp_path / "010" / "v001", [pixels], size), (1001,))
    frames = decoded(make_cut(tmp_path / "odd.mp4", [shot], reel(size), SILENT).path)
    assert frames[0].shape == (38, 66, 3)
    assert np.abs(frames[0].astype(int) - 120).max() <= 2


def test_a_take_of_another_size_or_with_a_missing_frame_is_refused(tmp_path: Path) -> None:
    shots = two_shots(tmp_path)
    wrong = [CutShot("010", shots[0].take, (1001, 1099)), shots[1]]
    with pytest.raises(InputError) as refused:
        make_cut(tmp_path / "bars.mp4", wrong, reel((320, 180)), SILENT)
    assert [p.message for p in refused.value.problems] == [
        "frames 1099 of shot 010 are not in this take",
        "the take is 160x90, the cut is 320x180: render it again",
        "the take is 160x90, the cut is 320x180: render it again",
    ]


def test_a_frame_that_was_painted_over_does_not_get_into_the_cut(tmp_path: Path) -> None:
    shots = two_shots(tmp_path)
    file = shots[1].take.folder / shots[1].take.frame(1003).pictures["beauty"].file
    file.write_bytes(encode_png(np.zeros((90, 160, 3), np.uint8), {}))
    with pytest.raises(InputError, match=r"020_beauty_v001\.1003\.png"):
        make_cut(tmp_path / "bars.mp4", shots, reel(), SILENT)
    assert not (tmp_path / "bars.mp4").exists()
    assert not list(tmp_path.glob(".writing-*"))


def test_takes_may_move_together_with_their_film(tmp_path: Path) -> None:
    shots = two_shots(tmp_path / "here")
    make_cut(tmp_path / "here" / "bars.mp4", shots, reel(), SILENT)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert (tmp_path / "there" / "bars.mp4").stat().st_mtime_ns == (tmp_path / "here" / "bars.mp4").stat().st_mtime_ns
    assert not make_cut(tmp_path / "there" / "bars.mp4", shots, reel(), SILENT).made


@pytest.mark.parametrize("room", [0, 100, 3000, 20_000])
def test_a_full_disk_leaves_no_half_cut(tmp_path: Path, room: int) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (6, 90, 160, 3), dtype=np.uint8)
    take = write_take(tmp_path / "010" / "v001", list(noise), (160, 90))
    shots = [CutShot("010", take, tuple(range(1001, 1007)))]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # no file may grow beyond this
    try:
        with pytest.raises(StorageError, match=r"noise\.mp4: cannot write"):
            make_cut(tmp_path / "noise.mp4", shots, reel(), SILENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["010"]
    assert make_cut(tmp_path / "noise.mp4", shots, reel(), SILENT).path.stat().st_size > 20_000
