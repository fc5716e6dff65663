"""The promises of the cast: the numbers of its mathematics, and that bad input is named, by a fresh clone's tests."""

from __future__ import annotations

from tests.acceptance.promise import Ground, Promise, run

NUMBERS = (
    "tests/stage/test_deform.py::test_an_affine_motion_is_exact",
    "tests/stage/test_deform.py::test_a_twist_of_170_degrees_keeps_its_radius_with_dual_quaternions_and_not_with_matrices",
    "tests/stage/test_deform.py::test_colours_of_turned_splats_are_the_ones_learnt_seen_from_the_other_side",
    "tests/stage/clips/test_ik.py",
)
SAME = (
    "tests/shots/test_cast_in_shots.py::test_two_cameras_see_the_same_posed_splats_and_a_gown_changes_nothing_outside_itself",
    "tests/stage/test_cast.py::test_changing_one_layer_leaves_every_other_layer_identical_to_the_bit",
)
BAD = (
    "tests/stage/test_rigs.py",
    "tests/stage/test_skeleton.py",
    "tests/stage/test_cast.py::test_what_the_film_cannot_show_is_named",
    "tests/stage/clips/test_bvh.py",
    "tests/stage/clips/test_performance.py::test_a_clip_of_another_rate_plays_at_its_own_speed",
)
CONTACT = ("tests/stage/test_contact.py", "tests/shots/test_cast_in_shots.py")


def _tests(names: tuple[str, ...], ground: Ground) -> str:
    clone = ground.clone("test")
    done = run([str(clone / ".venv/bin/python"), "-m", "pytest", "-q", *names], clone)
    return done.stdout.strip().splitlines()[-1]


PROMISES = (
    Promise("deformation, colours and inverse kinematics keep to their numbers", lambda g: _tests(NUMBERS, g)),
    Promise("two cameras see one performance, and a garment changes nothing but itself", lambda g: _tests(SAME, g)),
    Promise("bad rigs, clips and skeletons are named", lambda g: _tests(BAD, g)),
    Promise("contact shadows are one for all cameras and end where they do not reach", lambda g: _tests(CONTACT, g)),
)
