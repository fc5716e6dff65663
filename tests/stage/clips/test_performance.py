"""Performances: spans and fades, the file they are written in, and Ada's morning against her set."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clip_makers import person

from splatfilm.base.errors import InputError
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Clip, Track
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.clips.library import Brush, Idle, mouth_of, yawn
from splatfilm.stage.clips.performance import Gaze, Performance, Span
from splatfilm.stage.clips.score import read_performance
from splatfilm.stage.clips.stepping import Placement
from splatfilm.stage.rigs import world_transforms
from splatfilm.stage.rigs.gltf import read_rig

RATE = Fraction(24)
BED = ((0.0, 2.2), (0.9, 2.5))  # x and y of the mattress with its frame, captures/make/bedroom.py


def make(*spans: Span, **more: object) -> Performance:
    return Performance(Body(person()), spans, "scene", "ada", **more)  # type: ignore[arg-type]


def test_pose_and_placement_together_are_the_pose_in_the_scene() -> None:
    body = Body(person())
    place = Placement((1.0, 2.0, 0.0), 0.7)
    performance = Performance(body, (Span(yawn(body), 1001, place),), "scene", "ada")
    moment = performance.at(1031, RATE)
    placed = moment.placement.matrix() @ world_transforms(body.skeleton, moment.pose)
    assert np.allclose(placed, world_transforms(body.skeleton, performance.world(1031, RATE)), atol=1e-12)
    assert np.allclose(Puppet(body, moment.pose).place("hips")[:2], 0, atol=1e-12)
    assert np.allclose(moment.placement.translation[:2], [1.0, 2.0], atol=0.05)


def test_a_fade_between_two_ways_of_standing_keeps_both_feet_where_they_are() -> None:
    body = Body(person())
    spans = (Span(Idle(body, 3.0, ("a",)), 1001), Span(yawn(body), 1049, fade=12))
    performance = Performance(body, spans, "scene", "ada")
    for frame in np.arange(1045, 1065, 0.5):
        puppet = Puppet(body, performance.world(float(frame), RATE))
        for side in ("left", "right"):
            assert np.linalg.norm(puppet.place(f"toes.{side}") - body.at_rest(f"toes.{side}")) < 1e-5


def test_a_clip_of_another_rate_plays_at_its_own_speed() -> None:
    body = Body(person())
    jaw = Track("jawOpen", "shape", [0.0, 1.0], [[0.0], [1.0]])
    clip = Clip("open", body.skeleton, (jaw,), Fraction(30))
    performance = Performance(body, (Span(clip, 1001),), "s", "a", blinks=False)
    assert performance.world(1013, RATE).shapes["jawOpen"] == pytest.approx(0.5)  # 12 frames of 24 are half a second
    assert performance.world(1016, Fraction(30)).shapes["jawOpen"] == pytest.approx(0.5)
    fast = Performance(body, (Span(clip, 1001, speed=2.0),), "s", "a", blinks=False)
    assert fast.world(1007, RATE).shapes["jawOpen"] == pytest.approx(0.5)


def test_what_a_filmmaker_should_know_is_said_and_nothing_is_refused() -> None:
    body = Body(person())
    jaw = Track("jawOpen", "shape", [0.0, 1.0], [[0.0], [1.0]])
    clip = Clip("open", body.skeleton, (jaw,), Fraction(30))
    performance = Performance(body, (Span(clip, 1001, name="open"),), "s", "ada", blinks=False)
    assert performance.notes(1060, RATE, ["smile"]) == (
        "ada: open is over at frame 1025 and holds its last pose until 1060",
        "ada: open was made at 30 frames a second; it plays at its own speed",
        "ada: the rig has no blendshapes jawOpen; they do nothing",
    )
    assert performance.notes(1020, Fraction(30), ["jawOpen"]) == ()


def test_a_gaze_comes_and_goes_smoothly() -> None:
    gaze = Gaze((0, -1, 1), 1010, 1050, ease=10, strength=0.8)
    assert [gaze.weight(f) for f in (1000, 1010, 1015, 1030, 1045, 1050)] == pytest.approx([0, 0, 0.4, 0.8, 0.4, 0])


def test_spans_that_make_no_sense_are_refused() -> None:
    body = Body(person())
    still = Idle(body, 1.0)
    with pytest.raises(ValueError, match="at least one span"):
        make()
    with pytest.raises(ValueError, match="starts at 1001, not after 1001"):
        make(Span(still, 1001), Span(still, 1001))
    with pytest.raises(ValueError, match="a fade of 20 frames does not fit"):
        make(Span(still, 1001), Span(still, 1010, fade=20), Span(still, 1020))
    other = Clip("c", person(2.0), ())
    with pytest.raises(ValueError, match="another skeleton; retarget"):
        make(Span(other, 1001))


SCORE = """
actor = "ada"
start = 1001
at = [1, 2]
facing = 90

[[span]]
do = "idle"
seconds = 2

[[span]]
do = "walk"
path = [[1, 4]]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"walk"', '"wlak"', r'span\[1\]\.do: \'wlak\' is nothing to do: expected get-up, .*did you mean "walk"'),
        ("seconds = 2", "second = 2", r'span\[0\] \(idle\): second: unknown key.*did you mean "seconds"'),
        ("seconds = 2", "seconds = -2", "expected a number above 0"),
        ("[[1, 4]]", "[[1, nan]]", r"path\[0\]: expected a number, found nan"),
        ("[[1, 4]]", "[[1, 2]]", "must not stand still"),
        ("at = [1, 2]", "at = [1]", "at: expected 2 numbers"),
        ("start = 1001", "start = true", "start: expected a number, found True"),
        ('"walk"\npath = [[1, 4]]', '"clip"\nname = "wave"', "the rig has no clip 'wave'"),
        ('actor = "ada"', 'actor = "ada', "not a performance file"),
        ("[[span]]", "[[spam]]", r'spam: unknown key.*did you mean "span"'),
    ],
)
def test_a_performance_file_is_refused_with_the_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SCORE
    path = tmp_path / "a.toml"
    path.write_text(SCORE.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_performance(path, Body(person()), {}, "scene", RATE)


def test_a_span_begins_where_the_one_before_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(SCORE + '[[span]]\ndo = "idle"\nseconds = 1\n')
    performance = read_performance(path, Body(person()), {}, "scene", RATE)
    assert performance.spans[2].placement.position == pytest.approx((1, 4, 0))
    # Footsteps fade in standing and set off when what comes before them is over.
    assert performance.spans[1].start == 1041
    assert performance.spans[1].seconds(1049, RATE) == pytest.approx(0)
    end = performance.world(performance.spans[2].end(RATE), RATE)
    puppet = Puppet(performance.body, end)
    facing = -(puppet.turn("chest") @ performance.body.axes)[:, 1]
    assert facing[1] > 0.98


@pytest.fixture(scope="module")
def morning(repository: Path) -> Performance:
    rig = repository / "captures" / "ada" / "rig.glb"
    skeleton = read_rig(rig).skeleton
    clips = read_gltf_clips(rig, skeleton)
    score = repository / "cameras" / "morning" / "ada.performance.toml"
    return read_performance(score, Body(skeleton), clips, "morning", RATE)


def test_ada_s_morning_keeps_its_promises(morning: Performance) -> None:
    body, skeleton = morning.body, morning.body.skeleton
    end = morning.spans[-1].end(RATE)
    frames = np.arange(1001.0, end, 3.0)
    poses = [morning.world(float(f), RATE) for f in frames]
    at = np.array([world_transforms(skeleton, p)[:, :3, 3] for p in poses])

    # She leaves the bed once and does not walk through it, nor through the wall beside the doorway.
    hips = at[:, skeleton.index("hips")]
    (x0, x1), (y0, y1) = BED
    in_bed = (hips[:, 0] > x0) & (hips[:, 0] < x1) & (hips[:, 1] > y0) & (hips[:, 1] < y1)
    assert in_bed[0]
    assert frames[in_bed].max() < morning.spans[0].end(RATE)
    passing = np.abs(hips[:, 0] - 4.66) < 0.2
    assert passing.any()
    body_y = at[passing][:, :, 1]
    assert body_y.min() > 1.15
    assert body_y.max() < 2.05

    # Feet: nothing below the floor, and a flat foot does not move.
    assert at[:, 1:, 2].min() > -1e-6
    for side in ("left", "right"):
        ball, ankle = (at[:, skeleton.index(f"{r}.{side}")] for r in ("toes", "foot"))
        down = np.abs(ball[:, 2] - body.at_rest(f"toes.{side}")[2]) < 1e-3
        down &= np.abs(ankle[:, 2] - body.at_rest(f"foot.{side}")[2]) < 2e-3
        both = down[1:] & down[:-1]
        assert np.linalg.norm(np.diff(ball, axis=0), axis=1)[both].max() < 0.003

    # The brush is at the teeth for as long as she brushes.
    span = morning.spans[-1]
    assert isinstance(span.motion, Brush)
    brushing = [p for f, p in zip(frames, poses, strict=True) if span.seconds(float(f), RATE) > 1.0]
    assert len(brushing) > 30
    assert max(np.linalg.norm(span.motion.tip(p) - mouth_of(body, p)) for p in brushing) < 0.01


def test_the_yawn_opens_ada_s_mouth_and_she_blinks(morning: Performance) -> None:
    span = next(s for s in morning.spans if s.name == "yawn")
    assert morning.world(span.start + 0.3 * 4.6 * 24, RATE).shapes["jawOpen"] > 0.95
    lids = [morning.world(float(f), RATE).shapes.get("eyeBlinkLeft", 0.0) for f in range(1530, 1620, 2)]
    assert max(lids) > 0.6 > 0.1 > min(lids)
