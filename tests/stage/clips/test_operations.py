"""Motions made of motions, with values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from clip_makers import HALF, QUARTER_ABOUT_Z, chain, person

from splatfilm.base.curves import Curve
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Clip, Track
from splatfilm.stage.clips.operations import Crossfade, Layer, Loop, Mirror, Trim, Warp, joints_below

SKELETON = chain(1.0)


def gliding(speed: float = 1.0, seconds: float = 2.0) -> Clip:
    values = [[0, 0, 0], [speed * seconds, 0, 0]]
    return Clip("glide", SKELETON, (Track("j0", "translation", [0.0, seconds], values),))


def x_of(motion: object, seconds: float) -> float:
    return float(motion.at(seconds).translations[0, 0])  # type: ignore[attr-defined]


def test_a_trim_begins_at_zero_and_holds_its_ends() -> None:
    part = Trim(gliding(), 0.5, 1.5)
    assert [x_of(part, t) for t in (-1, 0, 0.5, 1, 9)] == [0.5, 0.5, 1.0, 1.5, 1.5]
    with pytest.raises(ValueError, match="no part of a motion of 2 s"):
        Trim(gliding(), 1.0, 3.0)


def test_a_loop_goes_on_from_where_it_came() -> None:
    assert [x_of(Loop(gliding(), 3, "j0"), t) for t in (1, 2, 3, 5.5, 6)] == pytest.approx([1, 2, 3, 5.5, 6])
    assert x_of(Loop(gliding(), 3), 3) == pytest.approx(1)  # without a mover it jumps back


def test_a_loop_that_turns_walks_a_square() -> None:
    # One round: one metre along x and a quarter turn to the left. Four rounds end where they began.
    tracks = (
        Track("j0", "translation", [0.0, 1.0], [[0, 0, 0], [1, 0, 0]]),
        Track("j0", "rotation", [0.0, 1.0], [[1, 0, 0, 0], QUARTER_ABOUT_Z]),
    )
    loop = Loop(Clip("turn", SKELETON, tracks), 4, "j0")
    corners = [loop.at(k).translations[0] for k in range(4)]
    assert np.allclose(corners, [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], atol=1e-12)
    assert np.allclose(loop.at(4).translations[0], [0, 0, 0], atol=1e-12)
    assert np.allclose(loop.at(1.5).translations[0], [1, 0.5, 0], atol=1e-12)


def test_a_blended_loop_has_no_jump() -> None:
    values = [[0, 0, 0], [0, 0, 1]]
    loop = Loop(Clip("saw", SKELETON, (Track("j0", "translation", [0.0, 1.0], values),)), 3, None, 0.2)
    heights = np.array([loop.at(t).translations[0, 2] for t in np.linspace(0, loop.duration, 500)])
    assert loop.duration == pytest.approx(2.6)
    assert np.abs(np.diff(heights)).max() < 0.05


def test_a_warp_runs_on_a_curve_of_time() -> None:
    slow = Warp(gliding(), Curve([0.0, 4.0], [[0.0], [2.0]]))
    assert slow.duration == 4
    assert x_of(slow, 1) == pytest.approx(0.5)
    frozen = Warp(gliding(), Curve([0.0, 1.0, 2.0], [[0.5], [0.5], [1.0]]))
    assert x_of(frozen, 0.7) == 0.5


def test_a_crossfade_is_half_of_each_in_its_middle() -> None:
    fade = Crossfade(gliding(0.0), gliding(2.0), 1.0, 1.0)
    assert x_of(fade, 1.5) == pytest.approx(0.5)  # half of 0 and half of 2 * 0.5
    assert x_of(fade, 3.0) == 4
    with pytest.raises(ValueError, match="two skeletons"):
        Crossfade(gliding(), Clip("c", chain(2.0), ()), 0, 1)


def test_a_layer_keeps_to_its_mask() -> None:
    track = [Track(j, "rotation", [0.0], [QUARTER_ABOUT_Z]) for j in ("j0", "j1")]
    top = Clip("top", SKELETON, tuple(track))
    pose = Layer(gliding(), top, mask=frozenset({"j1"})).at(1)
    assert pose.rotations[0].tolist() == [1, 0, 0, 0]
    assert np.allclose(pose.rotations[1], QUARTER_ABOUT_Z)
    assert x_of(Layer(gliding(), top, mask=frozenset({"j1"})), 1) == 1
    with pytest.raises(ValueError, match="not there: j9"):
        Layer(gliding(), top, mask=frozenset({"j9"}))


def test_an_additive_layer_adds_what_it_differs_from_its_own_start() -> None:
    quarter = Track("j0", "rotation", [0.0], [QUARTER_ABOUT_Z])
    over = Track("j0", "rotation", [0.0, 1.0], [QUARTER_ABOUT_Z, [0, 0, 0, 1]])  # from 90 to 180 degrees
    jaw = Track("jawOpen", "shape", [0.0, 1.0], [[0.2], [0.5]])
    base = Clip("base", SKELETON, (quarter, Track("jawOpen", "shape", [0.0], [[0.1]])))
    added = Layer(base, Clip("over", SKELETON, (over, jaw)), additive=True).at(1)
    assert abs(np.dot(added.rotations[0], [0, 0, 0, 1])) == pytest.approx(1)  # 90 + (180 - 90)
    assert added.shapes["jawOpen"] == pytest.approx(0.4)  # 0.1 + (0.5 - 0.2)
    half = Layer(base, Clip("over", SKELETON, (over,)), weight=0.5, additive=True).at(1)
    angle = np.radians(135) / 2
    assert np.allclose(half.rotations[0], [np.cos(angle), 0, 0, np.sin(angle)])


def test_a_mask_takes_what_hangs_on_its_joints() -> None:
    assert joints_below(person(), ["forearm.left"]) == {"forearm.left", "hand.left"}


def test_a_mirror_swaps_left_and_right_and_twice_is_the_same() -> None:
    body = Body(person())
    tracks = (
        Track("arm.left", "rotation", [0.0], [[HALF, 0, -HALF, 0]]),  # the left arm turned up about Y: (1,0,0) -> z
        Track("hips", "translation", [0.0], [[0.2, 0.1, 0.9]]),
        Track("eyeBlinkLeft", "shape", [0.0], [[0.7]]),
    )
    clip = Clip("wave", body.skeleton, tracks)
    mirror = Mirror(body, clip)
    pose = Puppet(body, mirror.at(0))
    original = Puppet(body, clip.at(0))
    for role in ("hand", "foot", "eye"):
        expected = original.place(f"{role}.left") * (-1, 1, 1)
        assert np.allclose(pose.place(f"{role}.right"), expected, atol=1e-12)
    assert pose.place("hand.right")[2] > 1.5 > pose.place("hand.left")[2]
    assert pose.shapes == {"eyeBlinkRight": 0.7}
    again = Mirror(body, mirror).at(0)
    assert np.allclose(Puppet(body, again).places, original.places, atol=1e-12)
