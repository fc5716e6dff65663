"""Procedural clips keep their promises on Ada and on a figure of round numbers."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clip_makers import person

from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.face import Blinks, gaze_of, looking
from splatfilm.stage.clips.library import Brush, Idle, Reach, get_up, lean_on_sill, mouth_of, yawn
from splatfilm.stage.clips.stepping import Placement, Steps, heading_of, turn, walk
from splatfilm.stage.rigs import rest_pose, world_transforms
from splatfilm.stage.rigs.gltf import read_rig

RATE = Fraction(24)


@pytest.fixture(scope="module", params=["ada", "person"])
def body(request: pytest.FixtureRequest, repository: Path) -> Body:
    if request.param == "person":
        return Body(person())
    return Body(read_rig(repository / "captures" / "ada" / "rig.glb").skeleton)


def assert_planted(steps: Steps) -> None:
    body = steps.body
    for stand in steps.planted():
        for t in np.linspace(stand.start, stand.end, 5):
            puppet = Puppet(body, steps.at(float(t)))
            assert np.linalg.norm(puppet.place(f"toes.{stand.side}") - stand.ball) < 1e-5
            height = puppet.place(f"foot.{stand.side}")[2] - body.at_rest(f"foot.{stand.side}")[2]
            assert abs(height) < 1e-5


def test_a_walk_arrives_with_both_feet_side_by_side_and_nothing_slides(body: Body) -> None:
    steps = walk(body, [(0, 0), (0.4, -1.0), (1.2, -1.4)])
    assert_planted(steps)
    end = Puppet(body, steps.at(steps.duration))
    assert np.allclose(end.place("hips")[:2], [1.2, -1.4], atol=0.03)
    between = (end.place("foot.left") + end.place("foot.right")) / 2
    rest = (body.at_rest("foot.left") + body.at_rest("foot.right")) / 2
    assert np.allclose(between, steps.placement(steps.duration).apply(rest), atol=1e-6)


def test_no_foot_goes_through_the_floor_and_no_knee_bends_back(body: Body) -> None:
    lowest = min(float(body.at_rest("toes.left")[2]), 0.0)
    for steps in (walk(body, [(0, 0), (0, -2)]), turn(body, Placement(), 2.0)):
        for t in np.linspace(0, steps.duration, 60):
            puppet = Puppet(body, steps.at(float(t)))
            facing = -(puppet.turn("hips") @ body.axes)[:, 1]
            for side in ("left", "right"):
                assert puppet.place(f"toes.{side}")[2] > lowest - 1e-6
                hip, knee, ankle = (puppet.place(f"{r}.{side}") for r in ("thigh", "shin", "foot"))
                assert (knee - (hip + ankle) / 2) @ facing > -0.01


def test_a_walk_never_moves_a_joint_faster_than_people_do(body: Body) -> None:
    steps = walk(body, [(0, 0), (0, -2)])
    places = [Puppet(body, steps.at(k / 48)).places for k in range(int(steps.duration * 48))]
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=2) * 48
    assert speeds.max() < 6.0
    assert np.abs(np.diff(speeds, axis=0)).max() < 1.5  # no jumps from one half frame to the next


def test_a_turn_ends_where_it_was_told_and_takes_the_short_way(body: Body) -> None:
    steps = turn(body, Placement((1.0, 2.0, 0.0), 3.0), -3.0)
    assert_planted(steps)
    away = steps.placement(steps.duration).heading - 3.0
    assert away == pytest.approx(2 * np.pi - 6.0)


def test_a_body_faces_the_way_it_walks(body: Body) -> None:
    steps = walk(body, [(0, 0), (2, 0)])
    puppet = Puppet(body, steps.at(steps.duration / 2))
    facing = -(puppet.turn("chest") @ body.axes)[:, 1]
    assert facing[0] > 0.95
    assert heading_of(body, (0, -1)) == pytest.approx(0)


@pytest.mark.parametrize(("path", "message"), [([(0, 0)], "two points"), ([(0, 0), (0, 0)], "stand still")])
def test_a_path_that_is_none_is_refused(path: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        walk(Body(person()), path)


def test_feet_do_not_move_while_one_idles_or_yawns_or_leans(body: Body) -> None:
    for motion in (Idle(body, 6.0, ("scene", "ada")), yawn(body), lean_on_sill(body)):
        for t in np.linspace(0, motion.duration, 7):
            puppet = Puppet(body, motion.at(float(t)))
            for side in ("left", "right"):
                assert np.linalg.norm(puppet.place(f"toes.{side}") - body.at_rest(f"toes.{side}")) < 1e-6


def test_getting_up_goes_from_lying_on_the_mattress_to_standing(body: Body) -> None:
    top = 0.5 * float(body.at_rest("hips")[2])
    for head in ("left", "right"):
        motion = get_up(body, top, head=head)  # type: ignore[arg-type]
        start, end = Puppet(body, motion.at(0)), Puppet(body, motion.at(motion.duration))
        lying = start.place("head") - start.place("hips")
        sign = 1 if head == "left" else -1
        assert lying @ body.axes[:, 0] * sign > 0.9 * np.linalg.norm(lying)
        for role in ("hips", "chest", "foot.left", "foot.right"):
            assert top - 0.02 < start.place(role)[2] < top + 0.25
        assert np.allclose(end.place("hips"), body.at_rest("hips"), atol=1e-3)
        steady = [Puppet(body, motion.at(k / 20)).places for k in range(int(motion.duration * 20))]
        assert np.linalg.norm(np.diff(steady, axis=0), axis=2).max() * 20 < 5.0
    with pytest.raises(ValueError, match="nothing to sit up from"):
        get_up(body, 2.0)


def test_a_yawn_opens_the_mouth_behind_the_hand(body: Body) -> None:
    motion = yawn(body)
    pose = motion.at(0.3 * motion.duration)
    assert pose.shapes["jawOpen"] == pytest.approx(1.0)
    assert pose.shapes["eyeBlinkLeft"] == pytest.approx(1.0)
    puppet = Puppet(body, pose)
    assert np.linalg.norm(puppet.place("hand.left") - mouth_of(body, pose)) < 0.45 * body.arm
    stretched = Puppet(body, motion.at(0.66 * motion.duration))
    assert stretched.place("hand.left")[2] > stretched.place("head")[2]


def test_the_brush_stays_within_a_centimetre_of_the_mouth(body: Body) -> None:
    motion = Brush(body, Idle(body, 4.0))
    for t in np.linspace(0.9, 4.0, 25):
        pose = motion.at(float(t))
        assert np.linalg.norm(motion.tip(pose) - mouth_of(body, pose)) < 0.01
    assert motion.at(2.0).shapes["jawOpen"] > 0.1


def test_a_hand_reaches_what_it_can_within_a_millimetre(body: Body) -> None:
    target = body.at_rest("arm.right") + body.axes @ (-0.2 * body.arm, -0.6 * body.arm, -0.1 * body.arm)
    motion = Reach(body, Idle(body, 3.0), "right", tuple(target.tolist()), 1.0, 2.0)
    assert np.linalg.norm(Puppet(body, motion.at(1.5)).place("hand.right") - target) < 1e-3
    assert np.allclose(motion.at(0).rotations, motion.base.at(0).rotations)


def test_blinks_have_an_address_and_close_fully() -> None:
    blinks = Blinks("morning", "ada")
    frames = np.arange(1001, 1001 + 24 * 60, 0.5)
    weights = np.array([blinks.weight(float(f), RATE) for f in frames])
    assert weights.max() == 1.0
    shut = weights > 0.5
    count = int(np.sum(np.diff(shut.astype(int)) == 1))
    assert 14 <= count <= 24  # in a minute; people at rest blink 15 to 20 times
    assert weights.tolist() == [Blinks("morning", "ada").weight(float(f), RATE) for f in frames]
    other = [Blinks("morning", "bea").weight(float(f), RATE) for f in frames]
    assert weights.tolist() != other


def test_a_blink_opens_no_lid_that_a_clip_has_closed() -> None:
    body = Body(person())
    asleep = yawn(body).at(0.3 * 4.6)
    closed = [Blinks("s", "a").apply(asleep, f, RATE).shapes["eyeBlinkLeft"] for f in range(1001, 1100)]
    assert min(closed) == pytest.approx(1.0)


def test_eyes_meet_what_they_can_and_stop_at_their_limits(body: Body) -> None:
    pose = rest_pose(body.skeleton)
    eyes = body.at_rest("eye.left")
    near = eyes + body.axes @ (0.5, -2.0, 0.2)
    for side in ("left", "right"):
        at, way = gaze_of(body, looking(body, pose, near), side)
        aim = (near - at) / np.linalg.norm(near - at)
        assert np.degrees(np.arccos(np.clip(way @ aim, -1, 1))) < 1.0
    behind = looking(body, pose, eyes + body.axes @ (0.3, 2.0, 0.0))
    puppet = Puppet(body, behind)
    facing = -(puppet.turn("head") @ body.axes)[:, 1]
    assert np.degrees(np.arccos(facing @ -body.axes[:, 1])) <= 70.0
    assert np.array_equal(looking(body, pose, near, 0.0).rotations, pose.rotations)


def test_bones_keep_their_length_through_every_clip(body: Body) -> None:
    def lengths(pose: object) -> np.ndarray:
        at = Puppet(body, pose).places  # type: ignore[arg-type]
        pairs = [(j, p) for j, p in enumerate(body.skeleton.parents) if p > 1]
        return np.array([np.linalg.norm(at[j] - at[p]) for j, p in pairs])

    rest = lengths(rest_pose(body.skeleton))
    motions = (walk(body, [(0, 0), (0, -1)]), get_up(body, 0.45), yawn(body), Brush(body, Idle(body, 3)))
    for motion, u in itertools.product(motions, (0.2, 0.5, 0.9)):
        assert np.allclose(lengths(motion.at(u * motion.duration)), rest, atol=1e-12)


def test_a_clip_is_the_same_bits_at_every_call_and_in_any_order(body: Body) -> None:
    times = [0.3, 2.1, 1.7]
    first = [walk(body, [(0, 0), (1, -1)]).at(t) for t in times]
    steps = walk(body, [(0, 0), (1, -1)])
    again = [steps.at(t) for t in reversed(times)][::-1]
    for a, b in zip(first, again, strict=True):
        assert a.rotations.tobytes() == b.rotations.tobytes()
        assert world_transforms(body.skeleton, a).tobytes() == world_transforms(body.skeleton, b).tobytes()
