"""The ladders of follow-up continuity: every fault, made in known steps, must lower the score step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from bedroom import Bedroom, blurred, clip_of, dolly, look_at, noisy, second_angle, shot, spoilt, turned

from splatfilm.compare import followup, vision
from splatfilm.compare.following import follow_camera
from splatfilm.compare.followup import Ground, Take, _pair_ground, lay_ground, measure_follow_up
from splatfilm.compare.guards import shot_guards
from splatfilm.compare.overlap import Seer, overlapping
from splatfilm.compare.scores import Continuity
from splatfilm.compare.views import Clip, Frames, ShotTruth

Follow = Callable[..., Continuity]


@pytest.fixture(scope="module")
def follow(shot_a: ShotTruth, shot_b: ShotTruth, ground: Ground, other_scene: Frames) -> Follow:
    """FSC of a faulty B after the true A; `guarded` asks the guards of the shot as well."""

    def measure(b: Clip, a: Clip | None = None, guarded: bool = False, following: object = None) -> Continuity:
        first = a or shot_a.clip()
        guards = (*shot_guards(first, shot_a), *shot_guards(b, shot_b)) if guarded else ()
        takes = Take(first, shot_a), Take(b, shot_b, following, guards)  # type: ignore[arg-type]
        return measure_follow_up(*takes, other_scene, ground, most=4)

    return measure


def falling(scores: list[Continuity]) -> bool:
    """Whether FSC falls at every step, by more than rounding."""
    values = [score.unguarded for score in scores]
    return all(a is not None and b is not None and a > b + 0.005 for a, b in pairwise(values))


def test_the_true_second_angle_reaches_the_ceiling(follow: Follow, shot_b: ShotTruth) -> None:
    found = follow(shot_b.clip(), guarded=True)
    assert found.score.value == 1.0
    assert (found.pho.value, found.col.value, found.epi.value) == (1.0, 1.0, 1.0)
    assert all(guard.passed for guard in found.guards)
    assert {guard.name for guard in found.guards} == {"DETAIL", "MOTION", "RANGE", "COPY"}
    assert found.psnr.ceiling is not None and found.psnr.null is not None
    assert 30 < found.psnr.ceiling < 45, "a warped picture is resampled: the ceiling is not perfect"
    assert 8 < found.psnr.null < 18, "an unrelated picture is not at zero decibels"


def test_a_picture_from_nearly_the_same_camera_is_no_wrong_shot() -> None:
    # 5 mm to the side: pasted, A is nearly B. As a null it would leave a scale so short that grain alone breaks a film.
    first = look_at((-1.2, -1.6, 1.5), (1.8, 0.0, 0.4))
    beside = replace(first, pose=first.pose + np.array([[0, 0, 0, 0.005], *np.zeros((3, 4))]))
    other = look_at((1.0, -1.6, 1.5), (1.8, 0.0, 0.4))
    a, near, far = (shot(name, [camera]) for name, camera in (("A", first), ("near", beside), ("far", other)))
    alike, apart = (_pair_ground(Seer(a), Seer(b), (0, 0), (), ()) for b in (near, far))
    assert [len(alike.nulls), len(apart.nulls)] == [1, 2]
    assert alike.nulls[0].psnr < 20 < 30 < alike.ceiling.psnr


def test_texture_that_drifts_lowers_continuity_step_by_step(follow: Follow, shot_b: ShotTruth) -> None:
    cameras = second_angle()
    drifting = [follow(clip_of(Bedroom(drift=d), cameras)) for d in (0.05, 0.10, 0.25, 0.50)]
    another = follow(clip_of(Bedroom(seed=2), cameras))
    assert falling([follow(shot_b.clip()), *drifting, another])
    assert another.unguarded is not None and another.unguarded < 0.1


def test_a_bed_moved_by_20_cm_is_named_as_the_object_that_changed(follow: Follow, shot_b: ShotTruth) -> None:
    cameras = second_angle()
    near, far = (follow(clip_of(Bedroom(shifts={"bed": (0, s, 0)}), cameras)) for s in (0.05, 0.20))
    assert falling([follow(shot_b.clip()), near, far])
    for moved in (near, far):
        assert moved.worst is not None and moved.worst.object == "bed"
    objects = {item.object: item.value for item in far.objects}
    assert objects["bed"] is not None and objects["bed"] < 0.5
    assert objects["room"] is not None and objects["room"] > objects["bed"] + 0.2
    assert objects["ball"] is None or objects["ball"] > 0.95
    assert far.worst is not None and far.worst.pixels >= 400
    assert far.worst.worst_frames in far.pairs


def test_a_turned_camera_lowers_continuity_as_long_as_it_is_believed_to_be_the_prescribed_one(
    follow: Follow, shot_b: ShotTruth
) -> None:
    turns = [clip_of(Bedroom(), [turned(camera, yaw) for camera in second_angle()]) for yaw in (0.25, 1, 5)]
    assert falling([follow(shot_b.clip()), *map(follow, turns)])


@pytest.mark.skipif(not vision.available(), reason="needs OpenCV")
def test_a_camera_error_of_5_degrees_is_reported_as_camera_and_not_as_drift(follow: Follow, shot_b: ShotTruth) -> None:
    yawed = clip_of(Bedroom(), [turned(camera, 5) for camera in second_angle()])
    following = follow_camera(yawed, shot_b)
    assert following.located.value == 1.0
    assert following.rotation.value == pytest.approx(5, abs=0.05)
    assert following.translation.value is not None and following.translation.value < 0.006
    found = follow(yawed, following=following)
    assert found.cameras == "recovered"
    assert found.unguarded is not None and found.unguarded > 0.97
    assert not found.blocked


@pytest.mark.slow
@pytest.mark.skipif(not vision.available(), reason="needs OpenCV")
def test_drift_stays_visible_behind_a_camera_error(follow: Follow, shot_b: ShotTruth) -> None:
    cameras = [turned(camera, 1, 0.05) for camera in second_angle()]
    drifted = clip_of(Bedroom(drift=0.25), cameras)
    both = follow(drifted, following=follow_camera(drifted, shot_b))
    alone = follow(clip_of(Bedroom(drift=0.25), second_angle()))
    assert both.cameras == "recovered"
    assert both.unguarded == pytest.approx(alone.unguarded, abs=0.06)
    assert both.psnr.value == pytest.approx(alone.psnr.value, abs=1.0)


def test_a_colour_cast_lowers_continuity_step_by_step(follow: Follow, shot_b: ShotTruth) -> None:
    cast = [spoilt(shot_b.clip(), lambda p, i, k=k: p * np.array([1 + k, 1, 1])) for k in (0.02, 0.1, 0.2)]
    scores = [follow(clip) for clip in cast]
    assert falling([follow(shot_b.clip()), *scores])
    assert scores[-1].epi.value is not None and scores[-1].pho.value is not None
    assert scores[-1].epi.value > scores[-1].pho.value, "matches do not see colour; that is why they are not alone"


def test_noise_lowers_continuity_step_by_step(follow: Follow, shot_b: ShotTruth) -> None:
    clips = [spoilt(shot_b.clip(), lambda p, i, k=k: noisy(p, i, k)) for k in (0.01, 0.03, 0.1)]
    assert falling([follow(shot_b.clip()), *map(follow, clips)])
    assert "noisy" in follow(clips[-1], guarded=True).blocked


def test_blur_is_flagged_however_little_and_lowers_continuity(follow: Follow, shot_b: ShotTruth) -> None:
    scores = [
        follow(spoilt(shot_b.clip(), lambda p, i, k=k: blurred(p, k)), guarded=True)  # type: ignore[misc]
        for k in (1, 2, 4)
    ]
    assert falling([follow(shot_b.clip()), *scores])
    for score in scores:
        assert score.score.value is None
        assert "blurred" in score.blocked


def test_a_flat_picture_is_blocked(follow: Follow, shot_b: ShotTruth) -> None:
    flat = follow(spoilt(shot_b.clip(), lambda p, i: np.full_like(p, 0.5)), guarded=True)
    assert flat.score.value is None and flat.score.note.startswith("blocked:")
    assert flat.unguarded is not None and flat.unguarded < 0.1


def test_two_flat_shots_agree_perfectly_and_are_blocked(follow: Follow, shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    a, b = (spoilt(s.clip(), lambda p, i: np.full_like(p, 0.5)) for s in (shot_a, shot_b))
    both = follow(b, a, guarded=True)
    assert both.pho.value == 1.0 and both.psnr.value == 60.0, "nothing is easier to match than nothing"
    assert both.score.value is None and "flat" in both.blocked


def test_two_blurred_shots_are_blocked(follow: Follow, shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    a, b = (spoilt(s.clip(), lambda p, i: blurred(p, 4)) for s in (shot_a, shot_b))
    assert "blurred" in follow(b, a, guarded=True).blocked


def test_a_frozen_second_shot_is_blocked(follow: Follow, shot_b: ShotTruth) -> None:
    frozen = follow(spoilt(shot_b.clip(), lambda p, i: shot_b.views[0].picture), guarded=True)
    assert frozen.score.value is None and "frozen" in frozen.blocked


def test_the_first_shot_pasted_as_the_second_is_blocked(follow: Follow, shot_a: ShotTruth) -> None:
    pasted = follow(shot_a.clip(), guarded=True)
    assert pasted.score.value is None and "over again" in pasted.blocked
    assert pasted.unguarded is not None and pasted.unguarded < 0.15


def test_a_copy_is_seen_without_opencv_too(
    monkeypatch: pytest.MonkeyPatch, follow: Follow, shot_a: ShotTruth, shot_b: ShotTruth
) -> None:
    monkeypatch.setattr(vision, "available", lambda: False)
    assert "over again" in follow(shot_a.clip()).blocked
    honest = follow(shot_b.clip())
    assert not honest.blocked
    assert honest.score.value == 1.0


def test_shots_that_share_nothing_are_not_comparable(shot_a: ShotTruth) -> None:
    away = [turned(camera, 180) for camera in dolly()]
    back = shot("C", away)
    found = measure_follow_up(Take(shot_a.clip(), shot_a), Take(back.clip(), back))
    assert found.score.value is None
    assert "not comparable" in found.score.note


def test_a_wide_after_its_close_up_is_compared_the_other_way_round() -> None:
    close = shot("close", [look_at((0.0, -1.0, 1.2), (0.0, 1.0, 0.3), focal=2.4)])
    wide = shot("wide", [look_at((0.1, -2.2, 1.3), (0.0, 1.0, 0.4)), look_at((0.2, -2.2, 1.3), (0.0, 1.0, 0.4))])
    assert not overlapping(Seer(close), Seer(wide)) and overlapping(Seer(wide), Seer(close), whole=True)
    moved = clip_of(Bedroom(shifts={"bed": (0.2, 0, 0)}), list(wide.cameras))
    honest, faulty = (measure_follow_up(Take(close.clip(), close), Take(clip, wide)) for clip in (wide.clip(), moved))
    assert honest.score.value == 1.0
    assert all(i == 0 and j in (0, 1) for i, j in honest.pairs), "told as (frame of the first, frame of the second)"
    assert faulty.worst is not None and faulty.worst.object == "bed"
    assert faulty.unguarded is not None and faulty.unguarded < 0.7


def test_a_thing_that_moves_between_the_shots_is_left_out(shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    from dataclasses import replace

    stays, goes = ("room", "bed here", "dresser", "ball"), ("room", "bed there", "dresser", "ball")
    a = replace(shot_a, placed=(stays,) * 4)
    moved = Bedroom(shifts={"bed": (0, 0.2, 0)})
    b = replace(shot("B", second_angle(), moved), placed=(goes,) * 4)
    ground = lay_ground(Seer(a), Seer(b), most=2)
    found = measure_follow_up(Take(a.clip(), a), Take(b.clip(), b), ground=ground)
    assert found.score.value == 1.0
    assert "bed" not in {item.object for item in found.objects}
    assert {"room", "dresser"} & {item.object for item in found.objects}


def test_a_watermark_is_counted_nowhere(shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    mark = np.zeros((117, 208), bool)
    mark[80:112, 48:160] = True
    stamped = spoilt(shot_b.clip(), lambda p, i: np.where(mark[..., None], 1.0, p))
    seen = measure_follow_up(Take(shot_a.clip(), shot_a), Take(stamped, shot_b), most=2)
    hidden = measure_follow_up(Take(shot_a.clip(), shot_a), Take(Clip(stamped.frames, mark), shot_b), most=2)
    assert hidden.pho.value == 1.0
    assert seen.pho.value is not None and seen.pho.value < 0.9


def test_pairs_are_few_and_share_enough(shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    pairs = overlapping(Seer(shot_a), Seer(shot_b), most=5)
    assert len(pairs) == len(set(pairs)) == 5
    assert {i for i, _ in pairs} <= set(range(4)) and {j for _, j in pairs} <= set(range(4))


def test_the_ground_does_not_depend_on_when_it_is_laid(shot_a: ShotTruth, shot_b: ShotTruth) -> None:
    first, second = (lay_ground(Seer(shot_a), Seer(shot_b), most=2) for _ in range(2))
    assert first.pairs == second.pairs
    assert followup.MOST_PAIRS == 32
