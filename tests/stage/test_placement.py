"""Who stands where at a scene frame."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stage_makers import film, heading, key, member

from splatfilm.base.hashing import hash_value
from splatfilm.base.rigid import IDENTITY, Similarity, quaternion_about
from splatfilm.film.model import CastMember, Film, FrameRange, Look, LookChange
from splatfilm.stage import Placements


def place_of(cast: CastMember, frame: float) -> Similarity:
    return Placements(film(cast), "morning").at(frame)[1].place


def test_the_set_comes_first_and_the_cast_in_the_films_order() -> None:
    placed = Placements(film(member("mug"), member("cup", "mug"), member("anna", "anna")), "morning").at(1001)
    assert [(p.member, p.asset, p.look) for p in placed] == [
        ("flat", "flat", "day"),
        ("mug", "mug", "plain"),
        ("cup", "mug", "plain"),
        ("anna", "anna", "pyjamas"),
    ]


def test_half_way_between_two_keys_is_half_way() -> None:
    """Linear from (0, 0, 0) to (2, 4, 0), 0 to 90 degrees, scale 1 to 3: at the middle (1, 2, 0), 45 degrees, 2."""
    mug = member("mug", keys=(key(1001, (0, 0, 0), 0), key(1011, (2, 4, 0), 90, 3.0)))
    place = place_of(mug, 1006)
    assert place.translation == pytest.approx((1, 2, 0))
    assert place.rotation == pytest.approx(heading(45))
    assert place.scale == pytest.approx(2)


def test_at_a_key_and_beyond_the_ends_a_member_stands_exactly_where_the_film_says() -> None:
    keys = (key(1010, (0.1, 0.2, 0.3), 10), key(1020, (0.7, 0, 0), 50), key(1030, (0.1, 0, 0), 20))
    mug = member("mug", keys=keys)
    for frame, expected in ((900, 0), (1010, 0), (1020, 1), (1030, 2), (1030.5, 2), (2000, 2)):
        assert place_of(mug, frame) is keys[expected].place


def test_rotations_take_the_short_way_round() -> None:
    """From 350 to 10 degrees is 20 degrees through 0, not 340 backwards."""
    mug = member("mug", keys=(key(1001, (0, 0, 0), 350), key(1003, (0, 0, 0), 10)))
    w, x, y, z = place_of(mug, 1002).rotation
    assert abs(w) == pytest.approx(1) and (x, y, z) == pytest.approx((0, 0, 0), abs=1e-12)


def test_hold_stays_until_the_next_key_and_smooth_passes_through_every_key() -> None:
    held = member("mug", keys=(key(1001, (0, 0, 0), easing="hold"), key(1011, (5, 0, 0))))
    assert place_of(held, 1010.999).translation == (0, 0, 0)
    assert place_of(held, 1011).translation == (5, 0, 0)
    smooth = tuple(key(1001 + 10 * i, (math.cos(i), math.sin(i), 0), 57.3 * i, easing="smooth") for i in range(4))
    near = place_of(member("mug", keys=smooth), 1011 + 1e-6)
    assert near.translation == pytest.approx(smooth[1].place.translation, abs=1e-5)


def test_a_member_that_rests_between_two_equal_keys_rests_to_the_bit() -> None:
    rest = (key(1001, (0.1, 0.2, 0.3), 33.3, 1.7, "smooth"), key(1011, (0.1, 0.2, 0.3), 33.3, 1.7))
    places = {place_of(member("mug", keys=rest), frame) for frame in (1001, 1002.5, 1007, 1011, 1050)}
    assert len({p.translation for p in places}) == 1 and {p.scale for p in places} == {1.7}
    assert np.ptp([p.rotation for p in places], axis=0).max() < 1e-15


def test_a_member_is_there_only_in_its_frames() -> None:
    visitor = member("anna", "anna", frames=FrameRange(1010, 1020))
    placements = Placements(film(visitor, member("mug")), "morning")
    present = {frame: [p.member for p in placements.at(frame)] for frame in (1009, 1010, 1020, 1021)}
    assert present[1009] == present[1021] == ["flat", "mug"]
    assert present[1010] == present[1020] == ["flat", "anna", "mug"]


def test_a_look_changes_at_its_frame() -> None:
    looks = (LookChange(1001, "gown"), LookChange(1060, "pyjamas"))
    placements = Placements(film(member("anna", "anna", looks=looks)), "morning")
    worn = [placements.at(frame)[1].look for frame in (900, 1001, 1059.9, 1060, 1100)]
    assert worn == ["gown", "gown", "gown", "pyjamas", "pyjamas"]


def test_a_looks_own_place_comes_before_the_placement() -> None:
    """Own: doubled and turned 90 degrees about x (y up to z up). Then moved by (1, 0, 0): (0, 3, 0) -> (1, 0, 6)."""
    tilt = tuple(quaternion_about((1, 0, 0), math.pi / 2).tolist())
    story = film(member("mug", keys=(key(1001, (1, 0, 0)),)), mug_place=Similarity(tilt, (0.0, 0.0, 0.0), 2.0))
    place = Placements(story, "morning").at(1001)[1].place
    assert (place.matrix() @ (0, 3, 0, 1))[:3] == pytest.approx((1, 0, 6))


def test_what_does_nothing_leaves_the_other_untouched() -> None:
    own = Similarity(tuple(quaternion_about((1, 2, 3), 0.7).tolist()), (0.1, 0.2, 0.3), 1.1)
    still = film(member("mug", keys=(key(1001),)), mug_place=own)
    assert Placements(still, "morning").at(1001)[1].place is own
    assert Placements(film(member("mug", keys=(key(1001),))), "morning").at(1001)[1].place == IDENTITY


def test_an_unknown_scene_is_told_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="no scene 'evening'; there is morning"):
        Placements(film(), "evening")


# ---- what goes into a frame's key ------------------------------------------------------------------------------------


def described(story: Film, frame: float) -> str:
    return hash_value(Placements(story, "morning").describe(frame))


MOVING = (key(1001, (0, 0, 0)), key(1011, (1, 0, 0), 30), key(1021, (1, 1, 0)))


def test_a_description_is_plain_and_complete() -> None:
    story = film(member("mug", keys=(key(1001, (1, 2, 3), scale=2.0),)))
    assert Placements(story, "morning").describe(1001) == {
        "members": [
            {"asset": "flat", "look": "day", "rotation": [1, 0, 0, 0], "translation": [0, 0, 0], "scale": 1},
            {"asset": "mug", "look": "plain", "rotation": [1, 0, 0, 0], "translation": [1, 2, 3], "scale": 2},
        ]
    }


def test_only_frames_whose_staging_changed_change_their_description() -> None:
    """Moving the last key touches the frames between the keys beside it and nothing before."""
    before = film(member("mug", keys=MOVING))
    after = film(member("mug", keys=(*MOVING[:2], key(1021, (1, 1.5, 0)))))
    changed = [f for f in range(1001, 1031) if described(before, f) != described(after, f)]
    assert changed == list(range(1012, 1031))


def test_every_staged_input_is_in_the_description() -> None:
    story = film(member("mug", keys=MOVING), member("anna", "anna"))
    variants = [
        film(member("anna", "anna"), member("mug", keys=MOVING)),
        film(member("mug", keys=MOVING)),
        film(member("mug", keys=MOVING), member("anna", "anna", looks=(LookChange(1001, "gown"),))),
        film(member("mug", keys=MOVING), member("anna", "anna"), mug_place=Similarity(scale=2.0)),
    ]
    hashes = {described(variant, 1005) for variant in variants}
    assert len(hashes) == len(variants) and described(story, 1005) not in hashes
    later = film(member("mug", keys=MOVING), member("anna", "anna", frames=FrameRange(1050, 1060)))
    assert described(later, 1005) == described(film(member("mug", keys=MOVING)), 1005)
    assert described(later, 1055) == described(story, 1055)


def test_a_new_name_for_a_member_or_a_moved_file_changes_nothing() -> None:
    story = film(member("mug", keys=MOVING))
    renamed = film(member("teacup", keys=MOVING))
    looks = {"plain": Look("plain", splats=Path("/elsewhere/mug.ply"))}
    moved = dataclasses.replace(
        story, assets={**story.assets, "mug": dataclasses.replace(story.assets["mug"], looks=looks)}
    )
    assert described(story, 1005) == described(renamed, 1005) == described(moved, 1005)


def test_the_sources_of_a_scene_are_listed_once_in_order() -> None:
    looks = (LookChange(1001, "gown"), LookChange(1060, "pyjamas"), LookChange(1080, "gown"))
    story = film(member("mug"), member("anna", "anna", looks=looks), member("cup", "mug"))
    expected = (("flat", "day"), ("mug", "plain"), ("anna", "gown"), ("anna", "pyjamas"))
    assert Placements(story, "morning").sources() == expected


def test_planning_does_not_wait_for_torch() -> None:
    code = "import sys; from splatfilm.stage import Placements, Stage; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
