"""The promises of the cast: the numbers of its mathematics, and that bad input is named, by a fresh clone's tests."""

from __future__ import annotations

import json
import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

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
RIGS = (
    "tests/stage/test_rigs.py",
    "tests/stage/test_skeleton.py::test_joints_are_put_in_order_and_cycles_are_named",
    "tests/stage/test_skeleton.py",
    "tests/stage/test_cast.py::test_splats_that_were_captured_elsewhere_are_named_with_the_place_that_mends_them",
    "tests/stage/test_cast.py::test_splats_that_were_captured_in_another_pose_are_named",
    "tests/shots/test_cast_in_shots.py::test_splats_that_do_not_stand_as_their_rig_are_named_and_rendered_and_marked",
)
CLIPS = (
    "tests/stage/test_cast.py::test_what_the_film_cannot_show_is_named",
    "tests/stage/clips/test_bvh.py",
    "tests/stage/clips/test_performance.py::test_a_clip_of_another_rate_plays_at_its_own_speed",
    "tests/performed/test_scores_in_films.py::test_a_score_that_ends_early_or_names_an_unknown_clip_is_told",
    "tests/performed/test_scores_in_films.py::test_a_clip_of_another_skeleton_is_retargeted",
)
DRAPED = (
    "tests/stage/test_cast.py::test_a_sleeve_is_stretched_where_an_arm_is_raised_and_nowhere_else",
    "tests/stage/test_cast.py::test_what_hangs_below_a_garment_is_hidden_though_it_sticks_out_of_it",
    "tests/stage/test_canvas.py",
)
CONTACT = ("tests/stage/test_contact.py", "tests/shots/test_cast_in_shots.py")
LIGHT = (
    "tests/stage/test_light.py",
    "tests/stage/test_lamps.py",
    "tests/stage/test_normals.py",
    "tests/stage/test_sunlight.py",
    "tests/film/test_film_lamps.py",
)
FACES = ("tests/stage/test_face.py",)


def _tests(names: tuple[str, ...], ground: Ground) -> str:
    clone = ground.clone("test")
    said = run([str(clone / ".venv/bin/python"), "-m", "pytest", *names], clone).stdout.strip().splitlines()[-1]
    assert " passed" in said, said
    return said


def _posed_in_time(ground: Ground) -> str:
    """By the benchmark: the median CPU time of all threads, which another load on the machine stretches least."""
    command = [sys.executable, "-m", "benchmarks.cast"]
    rows = [json.loads(line) for line in run(command, REPOSITORY).stdout.splitlines() if line.startswith("{")]
    held = {row["name"]: row["value"] for row in rows if row["target"] is not None}
    assert all(row["ok"] for row in rows if row["target"] is not None), held
    return ", ".join(f"{name} {value:.1f} ms" for name, value in held.items())


PROMISES = (
    Promise("deformation, colours and inverse kinematics keep to their numbers", lambda g: _tests(NUMBERS, g)),
    Promise("two cameras see one performance, and a garment changes nothing but itself", lambda g: _tests(SAME, g)),
    Promise("bad rigs, and splats in another place or pose than theirs, are named", lambda g: _tests(RIGS, g)),
    Promise(
        "clips of another rate, skeleton, length or with channels of their own are named", lambda g: _tests(CLIPS, g)
    ),
    Promise("garments stretch with limbs, hide what is below, and frames share no memory", lambda g: _tests(DRAPED, g)),
    Promise("100 000 splats on Ada's rig are posed within 25 ms, with her face", _posed_in_time),
    Promise(
        "closed lids hide the eyes and an open mouth is dark, though no photograph shows either",
        lambda g: _tests(FACES, g),
    ),
    Promise("contact shadows are one for all cameras and end where they do not reach", lambda g: _tests(CONTACT, g)),
    Promise(
        "the cast stands in the light of the set and in its lamps, the same for every camera",
        lambda g: _tests(LIGHT, g),
    ),
)
