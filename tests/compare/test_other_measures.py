"""Determinism, revisits, edits, imported scores, and how scores are written down."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bedroom import Bedroom, clip_of, look_at, noisy, second_angle, shot, spoilt, turned

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.compare import vision
from splatfilm.compare.agreement import measure_agreement
from splatfilm.compare.ahead import ahead
from splatfilm.compare.determinism import measure_determinism
from splatfilm.compare.edit import measure_edit
from splatfilm.compare.following import follow_camera
from splatfilm.compare.imported import imported_by_method, read_imported
from splatfilm.compare.mattes import LINE, matte
from splatfilm.compare.measure import Depth, MethodClips, Shared, measure_method, write_scores
from splatfilm.compare.pairs import PairSpec, film_pairs
from splatfilm.compare.revisit import measure_return, measure_revisit, revisit_pairs
from splatfilm.compare.scores import COLUMNS, Score, plain, rows_of
from splatfilm.compare.views import Clip, Lazy, ShotTruth, View, scaled_truth
from splatfilm.compare.warp import shaded


def test_equal_runs_are_deterministic_and_one_level_in_one_pixel_is_not() -> None:
    frames = [np.full((4, 4, 3), 0.5, np.float32)] * 4
    other = frames[0].copy()
    other[1, 2, 0] += 3 / 255
    assert measure_determinism(frames, frames).share.value == 1
    found = measure_determinism(frames, [*frames[:3], other])
    assert found.share.value == 0.75 and found.largest.value == 3
    assert measure_determinism(frames, frames[:3]).share.value == 0.75, "a frame that only one run has"
    assert measure_determinism([], []).share.value is None


def test_a_revisit_is_exact_or_as_many_decibels_as_the_noise_makes(shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    pairs = revisit_pairs(shot_a, replace(shot_a, shot="C"))
    assert pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
    same = measure_revisit(shot_a.clip(), shot_a.clip(), pairs, shot_b.clip())
    assert same.psnr.value == math.inf and same.exact == 4 and same.ssim.value == pytest.approx(1)
    assert same.colour.value == 0
    assert same.psnr.null is not None and 8 < same.psnr.null < 18
    noisy_clip = spoilt(shot_a.clip(), lambda p, i: np.where((p > 0.1) & (p < 0.9), noisy(p, i, 0.01), p))
    found = measure_revisit(shot_a.clip(), noisy_clip, pairs)
    assert found.exact == 0 and found.psnr.value == pytest.approx(40, abs=0.5)
    assert measure_revisit(shot_a.clip(), noisy_clip, []).psnr.value is None


def test_a_masked_revisit_is_exact_where_it_counts(shot_a: ShotTruth) -> None:
    mark = np.zeros(shot_a.size[::-1], bool)
    mark[40:60, 50:90] = True
    stamped = spoilt(shot_a.clip(), lambda p, i: np.where(mark[..., None], 1.0, p))
    pairs = ((0, 0), (1, 1))
    assert measure_revisit(shot_a.clip(), stamped, pairs).exact == 0
    hidden = measure_revisit(shot_a.clip(), Clip(stamped.frames, mark), pairs)
    assert hidden.exact == 2 and hidden.psnr.value == math.inf


def test_revisits_fall_with_every_step_of_drift(shot_b: ShotTruth) -> None:
    pairs = ((0, 0), (3, 3))
    steps = [clip_of(Bedroom(drift=d), second_angle()) for d in (0.05, 0.1, 0.25, 0.5)]
    values = [measure_revisit(shot_b.clip(), clip, pairs).psnr.value for clip in steps]
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    assert values[0] == pytest.approx(values[1] + 6, abs=0.3), "half the drift is half the error: 6 dB"


def test_another_moment_of_the_story_is_no_revisit(shot_a: ShotTruth) -> None:
    later = replace(shot_a, shot="C", states=("later",) * 4)
    assert revisit_pairs(replace(shot_a, states=("now",) * 4), later) == ()
    assert revisit_pairs(shot_a, replace(shot_a, scene="elsewhere")) == ()


@pytest.mark.skipif(not vision.available(), reason="needs OpenCV")
def test_the_return_frame_of_a_camera_that_drifted_is_found_by_its_pose() -> None:
    way = [0.0, 0.3, 0.6, 0.3, 0.0]
    truth = shot("there and back", [look_at((-0.5 + x, -2, 1.4), (0, 1, 0.5)) for x in way])
    late = [look_at((-0.5 + x, -2, 1.4), (0, 1, 0.5)) for x in (0.0, 0.3, 0.6, 0.02, -0.3)]
    clip = clip_of(Bedroom(), late)
    found = measure_return(clip, follow_camera(clip, truth), truth)
    assert found.pairs == ((0, 3),), "frame 3 stands 2 cm from the start, frame 4 has gone past it"
    assert found.success.value == 1.0
    gone = clip_of(Bedroom(), [turned(camera, 10 * (i > 0)) for i, camera in enumerate(late)])
    assert measure_return(gone, follow_camera(gone, truth), truth).success.value == 0.0


def test_an_edit_of_the_dresser_stays_on_the_dresser() -> None:
    cameras = [look_at((-1.2, -1.6, 1.5), (1.8, 0.0, 0.4)), look_at((-1.0, -1.6, 1.5), (1.8, 0.0, 0.4))]
    before, after = shot("b", cameras), shot("a", cameras, Bedroom(tint={"dresser": (0.3, -0.1, 0)}))
    found = measure_edit(before.clip(), after.clip(), (before, after), "dresser")
    assert found.outside.value == 0 and found.outside_mean.value == 0, "exact"
    assert found.inside.value is not None and found.inside.value > 0.9 and not found.note
    leaking = spoilt(after.clip(), lambda p, i: p + 0.02)
    leak = measure_edit(before.clip(), leaking, (before, after), "dresser")
    assert leak.outside.value is not None and leak.outside.value > 0.9
    assert leak.outside_mean.value == pytest.approx(5, abs=0.6)
    nothing = measure_edit(before.clip(), before.clip(), (before, after), "dresser")
    assert nothing.inside.value == 0 and "did nothing" in nothing.note
    with pytest.raises(KeyError, match='did you mean "dresser"'):
        measure_edit(before.clip(), after.clip(), (before, after), "dreser")


def test_a_method_is_measured_take_by_take_and_written_as_json_and_csv(
    tmp_path: Path, shot_a: ShotTruth, shot_b: ShotTruth
) -> None:
    truths = {"A": shot_a, "B": shot_b}
    drifted = clip_of(Bedroom(drift=0.25), second_angle())
    clips = {("A", 1): shot_a.clip(), ("A", 2): shot_a.clip(), ("B", 1): shot_b.clip(), ("B", 2): drifted}
    learned = {"B": (Score("LPIPS", 0.2, "", "lower", note="lpips 0.1, weights 01234567"),)}
    pairs = [*film_pairs(truths), PairSpec("follow-up", "A", "C")]
    method = MethodClips("trial", "A trial", "I3", clips, ("made by hand",), learned)
    scores = measure_method(method, truths, pairs, Depth(pairs=2, every=3, steps=2), shared=Shared())
    assert [(p.a, p.b, p.take) for p in scores.pairs] == [("A", "B", 1), ("A", "B", 2), ("A", "C", None)]
    first, second, missing = scores.pairs
    assert first.continuity is not None and second.continuity is not None
    assert first.continuity.score.value == 1.0
    assert second.continuity.unguarded is not None and second.continuity.unguarded < 0.8
    assert missing.note == "no clip of C"
    json_file, csv_file = write_scores(tmp_path, [scores])
    stored = json.loads(json_file.read_text())
    assert stored["methods"][0]["shots"][0]["agreement"][0]["value"] == "inf"
    assert stored["methods"][0]["pairs"][0]["continuity"]["score"]["value"] == 1.0
    rows = list(csv.DictReader(csv_file.open()))
    assert tuple(rows[0]) == COLUMNS
    assert {row["name"] for row in rows} >= {"LOC", "ROT", "FWE", "FLK", "OURS_PSNR", "LPIPS", "FSC", "PHO", "OBJ"}
    assert len(rows) == len(list(rows_of(scores)))


def test_scores_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        plain(Score("X", math.nan, ""))
    assert plain(Score("X", math.inf, "dB"))["value"] == "inf"


def test_pieces_of_a_clip_are_compared_only_where_both_have_frames(shot_a: ShotTruth) -> None:
    short = Clip(shot_a.clip().frames[:2])
    scores = measure_method(
        MethodClips("short", "Short", "I0", {("A", None): short}), {"A": shot_a}, [], Depth(follow=False)
    )
    assert scores.shots[0].frames == 2


GOOD = {
    "schema": "splatfilm.scores/1",
    "tool": "lpips",
    "version": "0.1.4",
    "weights_sha256": "a" * 64,
    "scores": [{"shot": "010", "name": "LPIPS", "value": 0.21, "better": "lower", "frames": [[0, 0.2], [1, 0.22]]}],
}


def test_learned_scores_are_read_with_their_tool_and_weights(tmp_path: Path) -> None:
    file = tmp_path / "lpips.json"
    file.write_text(json.dumps(GOOD))
    (score,) = read_imported(file)["010"]
    assert (score.name, score.value, score.better) == ("LPIPS", 0.21, "lower")
    assert score.note == "lpips 0.1.4, weights aaaaaaaa" and score.per_frame == ((0, 0.2), (1, 0.22))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights_sha256": None}, "64 hexadecimal digits"),
        ({"version": ""}, "expected the version"),
        ({"schema": "other"}, "splatfilm.scores/1"),
        ({"scores": []}, "at least one score"),
        ({"scores": [{"shot": "010", "name": "X", "value": True, "better": "lower"}]}, "finite number"),
        ({"scores": [{"shot": "010", "name": "X", "value": 1.0, "better": "less"}]}, '"higher" or "lower"'),
    ],
)
def test_learned_scores_without_their_origin_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(GOOD | change))
    with pytest.raises(InputError, match=message):
        read_imported(file)


def test_learned_scores_go_to_the_method_that_the_file_names(tmp_path: Path) -> None:
    files = tmp_path / "ours.json", tmp_path / "kling.json"
    files[0].write_text(json.dumps(GOOD))
    files[1].write_text(json.dumps({**GOOD, "method": "kling"}))
    found = imported_by_method(files, ("ours", "kling"), ("010",))
    assert {method: own["010"][0].value for method, own in found.items()} == {"ours": 0.21, "kling": 0.21}
    with pytest.raises(InputError, match="there is no method 'kling', only ours"):
        imported_by_method(files, ("ours",), ("010",))
    with pytest.raises(InputError, match="no shot is called 010"):
        imported_by_method(files[:1], ("ours",), ("020",))


def test_cameras_are_found_in_at_most_so_many_frames(shot_a: ShotTruth) -> None:
    found = follow_camera(shot_a.clip(), shot_a, every=2, most=3)
    assert [frame.index for frame in found.frames] == [0, len(shot_a) - 1]


def test_pictures_that_are_stored_are_not_drawn(shot_a: ShotTruth) -> None:
    never = Lazy(len(shot_a), lambda index: pytest.fail("drawn"))
    stored = replace(shot_a, stored=shot_a.clip().frames, views=never)
    psnr, _, _ = measure_agreement(shot_a.clip(), stored)
    assert psnr.value == float("inf")
    assert scaled_truth(stored, 64, 36).clip().frames[0].shape == (36, 64, 3)


def test_what_lies_in_the_reach_of_a_moved_thing_s_shadow_is_left_out_of_a_return() -> None:
    # A floor 4 m below a camera that looks straight down, a thing of 1 m on it, 16 pixels a metre.
    camera = Camera(np.eye(4), 64.0, 64.0, 32.0, 32.0, 64, 64)
    ids = np.zeros((64, 64), np.int64)
    ids[24:40, 24:40] = 1
    view = View(np.zeros((64, 64, 3), np.float32), np.full((64, 64), 4.0, np.float32), ids, camera)
    rows, columns = np.nonzero(shaded(view, 1, 0.5))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (16, 47, 16, 47), "half a metre is 8 pixels"
    assert not shaded(view, 2, 0.5).any()


# ---- how far ahead ----

PAIRS = [("010", "020"), ("020", "030"), ("010", "030"), ("030", "040")]


def test_a_method_that_is_always_a_quarter_behind_is_a_quarter_behind_for_sure() -> None:
    ours, theirs = {pair: [1.0] for pair in PAIRS}, {pair: [0.75] * 4 for pair in PAIRS}
    found = ahead(ours, theirs, "kling")
    assert found is not None and (found.difference, found.low, found.high) == (0.25, 0.25, 0.25)
    assert (found.pairs, found.takes) == (4, 16)
    assert found.words == "+0.25 (+0.25 to +0.25) over 4 pairs of shots, 16 takes"


def test_the_interval_is_that_of_the_binomial_where_half_of_the_pairs_are_lost() -> None:
    ours = {pair: [1.0] for pair in PAIRS}
    theirs = {pair: [float(place < 2)] for place, pair in enumerate(PAIRS)}
    found = ahead(ours, theirs, "kling")
    # Four draws of 0 or 1, even odds: all lost or all won happen once in sixteen each, more than 2.5 %.
    assert found is not None and (found.difference, found.low, found.high) == (0.5, 0.0, 1.0)
    assert found == ahead(ours, theirs, "kling"), "the draws have an address"


def test_a_lucky_take_is_not_chosen_and_widens_the_interval() -> None:
    ours, theirs = {pair: [1.0] for pair in PAIRS}, {pair: [0.2, 0.2, 0.2, 1.0] for pair in PAIRS}
    found = ahead(ours, theirs, "kling")
    assert found is not None and found.difference == 0.8 and found.low is not None and found.low < 0.8


def test_two_pairs_of_shots_give_no_interval_and_none_gives_nothing() -> None:
    ours = {pair: [1.0] for pair in PAIRS}
    found = ahead(ours, {pair: [0.5] for pair in PAIRS[:2]}, "kling")
    assert found is not None and (found.difference, found.low) == (0.5, None)
    assert found.words.endswith("over 2 pairs of shots, 2 takes: too few for an interval")
    assert ahead(ours, {("x", "y"): [0.5]}, "kling") is None


# ---- edits, seen ----


def test_a_matte_shows_what_changed_and_draws_the_outline_of_the_edited_thing() -> None:
    before = np.full((9, 9, 3), 100, np.uint8)
    after = before.copy()
    after[4, 4] = 110  # inside
    after[0, 8] = 102  # two levels: nothing that anybody notices
    foot = np.zeros((9, 9), bool)
    foot[3:6, 3:6] = True
    shown = matte(before, after, foot)
    assert shown.shape == (9, 27, 3) and np.array_equal(shown[:, :18], np.concatenate([before, after], 1))
    difference = shown[:, 18:]
    assert difference[4, 4].tolist() == [80, 80, 80], "ten levels, eight times as bright"
    line = (difference == LINE).all(axis=-1)
    assert line.sum() == 16 and line[2, 2] and not line[3:6, 3:6].any(), "the ring of 5x5 about 3x3"
    assert not difference[0, 8].any()


def test_the_contact_shadow_of_an_edited_thing_is_no_leak() -> None:
    camera = Camera(np.eye(4), 64.0, 64.0, 32.0, 32.0, 64, 64)
    ids = np.zeros((64, 64), np.int64)
    ids[24:40, 24:40] = 1
    still = View(np.full((64, 64, 3), 0.5, np.float32), np.full((64, 64), 4.0, np.float32), ids, camera)
    bare = ShotTruth("010", "s", (1001,), (camera,), ("floor", "gown"), [still])
    changed = still.picture.copy()
    changed[24:40, 24:40] = 0.8
    changed[18:24, 24:40] = 0.4  # darker floor, 6 pixels (38 cm) beside it
    clips = bare.clip(), Clip([changed])
    leak = measure_edit(*clips, (bare, bare), "gown")
    assert leak.outside.value is not None and leak.outside.value > 0.02
    shaded_truth = replace(bare, shade=0.5)
    assert measure_edit(*clips, (shaded_truth, shaded_truth), "gown").outside.value == 0
