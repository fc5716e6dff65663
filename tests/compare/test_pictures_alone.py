"""Clips judged by their own pictures: is it one place, and which way went the camera? Needs pycolmap."""

from __future__ import annotations

import pytest
from bedroom import Bedroom, clip_of, dolly, second_angle, shot, turned

from splatfilm.compare import joint, measure
from splatfilm.compare.joint import measure_joint, measure_own_camera
from splatfilm.compare.measure import Depth, MethodClips, measure_method
from splatfilm.compare.pairs import film_pairs
from splatfilm.compare.scores import Joint, Score, rows_of

SIZE = (320, 180)
COUNT = 12


@pytest.fixture
def colmap() -> None:
    pytest.importorskip("pycolmap", reason="pycolmap is not installed")


@pytest.mark.slow
def test_a_second_angle_stands_in_the_first_one_s_place_and_another_room_does_not(colmap: None) -> None:
    a = clip_of(Bedroom(), dolly(COUNT, SIZE))
    same = measure_joint(a, clip_of(Bedroom(), second_angle(COUNT, SIZE)))
    assert same.registered.value == 1.0
    assert same.colour.value is not None and same.colour.value < 3
    other = measure_joint(a, clip_of(Bedroom(seed=9), second_angle(COUNT, SIZE)))
    assert other.registered.value == 0.0
    assert other.colour.value is None and "0 points" in other.colour.note


@pytest.mark.slow
def test_a_place_of_other_colours_is_the_same_place_and_its_colours_are_told(colmap: None) -> None:
    a = clip_of(Bedroom(), dolly(COUNT, SIZE))
    warm = dict.fromkeys(("room", "bed", "dresser", "ball"), (0.12, 0.0, -0.12))
    found = measure_joint(a, clip_of(Bedroom(tint=warm), second_angle(COUNT, SIZE)))
    assert found.registered.value is not None and found.registered.value >= 0.75
    assert found.colour.value is not None and found.colour.value > 8


@pytest.mark.slow
def test_a_clip_s_own_camera_is_found_without_our_scene_and_its_turn_is_told(colmap: None) -> None:
    truth = shot("A", dolly(COUNT, SIZE))
    kept = measure_own_camera(clip_of(Bedroom(seed=9), dolly(COUNT, SIZE)), truth)
    assert kept.registered.value == 1.0
    assert kept.rotation.value is not None and kept.rotation.value < 0.2
    assert kept.translation.value is not None and kept.translation.value < 1.0
    yawed = [turned(camera, 0.5 * index) for index, camera in enumerate(dolly(COUNT, SIZE))]
    strayed = measure_own_camera(clip_of(Bedroom(seed=9), yawed), truth)
    assert strayed.rotation.value == pytest.approx(2.75, abs=0.2), "half a degree a frame: 2.75 in the middle of twelve"


@pytest.mark.slow
def test_a_frozen_clip_makes_no_place(colmap: None) -> None:
    found = measure_own_camera(clip_of(Bedroom(), [dolly(1, SIZE)[0]] * COUNT), shot("A", dolly(COUNT, SIZE)))
    assert found.registered.value == 0.0 and found.rotation.value is None
    assert "no place of their own" in found.rotation.note


def test_without_pycolmap_the_reason_stands_in_place_of_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "available", lambda: False)
    clip = clip_of(Bedroom(), dolly(2))
    found = measure_joint(clip, clip)
    assert found.registered.value is None and "pip install 'splatfilm[colmap]'" in found.registered.note
    own = measure_own_camera(clip, shot("A", dolly(2)))
    assert own.translation.value is None and "pycolmap" in own.translation.note


def test_only_what_never_saw_our_scene_is_judged_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    asked = []

    def alone(a: object, b: object) -> Joint:
        asked.append((a, b))
        return Joint(Score("JRR", 0.5, "share"), Score("TRK_dE", 4.0, "dE00", "lower"))

    monkeypatch.setattr(measure, "measure_joint", alone)
    monkeypatch.setattr(joint, "available", lambda: False)
    truths = {"A": shot("A", dolly(3)), "B": shot("B", second_angle(3))}
    depth = Depth(pairs=2, every=1, alone=True)

    def measured(room: Bedroom) -> list[dict]:
        clips = {("A", 1): clip_of(room, dolly(3)), ("B", 1): clip_of(room, second_angle(3))}
        method = MethodClips("m", "M", "I0", clips)
        return list(rows_of(measure_method(method, truths, film_pairs(truths)[:1], depth)))

    assert "JRR" not in {row["name"] for row in measured(Bedroom())} and not asked
    rows = {row["name"]: row for row in measured(Bedroom(seed=9))}
    assert rows["JRR"]["value"] == 0.5 and rows["JRR"]["ceiling"] == 0.5, "ours by the same means is the ceiling"
    assert rows["REG"]["value"] is None and "pycolmap" in rows["REG"]["note"]
    assert len(asked) == 2
