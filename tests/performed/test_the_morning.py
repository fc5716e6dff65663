"""The sample film's performance by numbers: feet, furniture, the brush, and shots that see the same moments.

The furniture's boxes are those that `captures/make` builds the flat from. The body is the rig's proxy mesh.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.stage.performance import body_of
from splatfilm.stage.placement import Placed, Placements
from splatfilm.stage.rigs.bones import bone_matrices
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.skeleton import world_transforms

Array = NDArray[np.float64]
MORNING = Path(__file__).resolve().parents[2] / "cameras" / "morning" / "film.toml"
HARD = {
    "bedside table": ((0.04, 2.64, 0.0), (0.50, 3.08, 0.56)),
    "headboard": ((0.04, 0.93, 0.3), (0.11, 2.47, 1.22)),
    "window sill": ((1.75, 3.62, 0.80), (3.45, 3.98, 0.853)),
    "wall under the window": ((1.0, 3.80, 0.0), (4.6, 4.0, 0.80)),
    "wall beside the door, south": ((4.585, 0.0, 0.0), (4.735, 1.15, 2.6)),
    "wall beside the door, north": ((4.585, 2.05, 0.0), (4.735, 3.8, 2.6)),
    "washstand": ((6.48, 1.09, 0.0), (7.0, 2.11, 0.82)),
    "floor": ((-1.0, -1.0, -1.0), (8.0, 5.0, 0.0)),
}
MATTRESS = ((0.12, 0.96, 0.10), (2.17, 2.44, 0.50))
"""Its top is at 0.53 m, and dips by 1.8 cm where somebody lay: what lies on it presses into it."""
HARD_METRES, SOFT_METRES = 0.012, 0.03


@pytest.fixture(scope="module")
def film() -> Film:
    return load(MORNING)


@pytest.fixture(scope="module")
def placements(film: Film) -> Placements:
    return Placements(film, "morning")


@pytest.fixture(scope="module")
def rig(placements: Placements) -> Rig:
    return placements.performers["ada"].rig


def shown(film: Film) -> list[int]:
    return sorted({frame for shot in film.shots for frame in shot.frames})


def member(placements: Placements, name: str, frame: float) -> Placed:
    return next(placed for placed in placements.at(frame) if placed.member == name)


def in_scene(placed: Placed, points: Array) -> Array:  # [N, 3] -> [N, 3]
    turn = matrix_from_quaternion(np.array(placed.place.rotation))
    return points @ turn.T * placed.place.scale + placed.place.translation


def joints(placements: Placements, rig: Rig, frame: float) -> Array:  # -> [J, 3]
    placed = member(placements, "ada", frame)
    assert placed.pose is not None
    return in_scene(placed, world_transforms(rig.skeleton, placed.pose)[:, :3, 3])


def skin(placements: Placements, rig: Rig, frame: float) -> Array:  # -> [V, 3]
    """The proxy mesh of what she wears, linearly blended."""
    placed = member(placements, "ada", frame)
    assert placed.pose is not None
    assert rig.mesh is not None
    mesh = rig.mesh
    worn = [mesh.parts.index(source.removeprefix("layers/")) for source in placed.worn]
    rows = np.unique(mesh.triangles[np.isin(mesh.part, worn)])
    bones = bone_matrices(rig.skeleton, rig.inverse_binds, placed.pose)[mesh.joints[rows]]
    points = np.concatenate([mesh.vertices[rows], np.ones((len(rows), 1))], axis=1)
    moved = (bones @ points[:, None, :, None])[..., :3, 0]
    return in_scene(placed, (mesh.weights[rows].astype(float)[..., None] * moved).sum(axis=1))


def depth(points: Array, box: tuple[tuple[float, ...], tuple[float, ...]]) -> float:
    """How far the deepest of the points is inside a box; negative when all are outside."""
    low, high = np.array(box[0]), np.array(box[1])
    return float(np.minimum(points - low, high - points).min(axis=1).max())


@pytest.mark.slow
def test_nobody_walks_through_the_furniture(film: Film, placements: Placements, rig: Rig) -> None:
    for frame in shown(film)[::6]:
        points = skin(placements, rig, frame)
        for name, box in HARD.items():
            assert depth(points, box) < HARD_METRES, f"{name} at frame {frame}"
        assert depth(points, MATTRESS) < SOFT_METRES, f"mattress at frame {frame}"


def test_the_boxes_would_notice() -> None:
    assert depth(np.array([[1.0, 2.0, 0.45]]), MATTRESS) == pytest.approx(0.05)
    assert depth(np.array([[1.0, 2.0, 0.6]]), MATTRESS) < 0


@pytest.mark.slow
def test_feet_that_stand_do_not_slide(film: Film, placements: Placements, rig: Rig) -> None:
    planted = 0
    for shot in film.shots[:-1]:
        frames = [frame / 2 for frame in range(2 * shot.frames.first, 2 * shot.frames.last + 1)]
        places = np.stack([joints(placements, rig, frame) for frame in frames])
        for side in ("left", "right"):
            ball = places[:, rig.skeleton.index(f"toes.{side}")]
            low = ball[:, 2] < body_of(rig).at_rest(f"toes.{side}")[2] + 0.002
            slow = np.append(np.linalg.norm(np.diff(ball[:, :2], axis=0), axis=1) < 0.001, True)
            runs = [list(group) for key, group in itertools.groupby(range(len(frames)), lambda i: low[i]) if key]  # noqa: B023
            for run in runs:
                still = [i for i in run if slow[i]]
                hasty = len(run) - len(still)
                assert hasty <= 8, f"{side} foot slides on the floor in {shot.name} at {frames[run[0]]}"
                planted += len(still)
                if still:
                    drift = np.ptp(ball[still, :2], axis=0)
                    assert float(np.hypot(*drift)) < 0.003, f"{side} foot in {shot.name} at {frames[run[0]]}"
    assert planted > 1000  # of some 2600 half frames of two feet; in bed none stands


def test_the_brush_stays_in_the_fist_and_reaches_the_mouth(placements: Placements, rig: Rig) -> None:
    skeleton, body = rig.skeleton, body_of(rig)
    hand, head = skeleton.index("hand.right"), skeleton.index("head")
    in_hand, grips = [], []
    for frame in np.arange(1876, 2009.5, 1.5):
        ada, brush = member(placements, "ada", frame), member(placements, "toothbrush", frame)
        assert ada.pose is not None
        world = world_transforms(skeleton, ada.pose)
        turn = matrix_from_quaternion(np.array(ada.place.rotation)) @ world[hand, :3, :3]
        handle, bristles = in_scene(brush, np.array([[-0.04, 0.0, 0.006], [0.068, 0.0, 0.012]]))
        in_hand.append(turn.T @ (handle - in_scene(ada, world[hand, :3, 3][None])[0]))
        grip = in_scene(ada, world[skeleton.index("grip.right"), :3, 3][None])[0]
        grips.append(float(np.linalg.norm(grip - handle)))
        if frame >= 1900:
            turned = world[head, :3, :3] @ body.rest_rotations[head].T
            lips = in_scene(ada, (world[head, :3, 3] + turned @ (body.mouth - body.at_rest("head")))[None])[0]
            assert float(np.linalg.norm(bristles - lips)) < 0.012, f"at frame {frame}"  # the stroke is 7 mm
    assert float(np.ptp(np.stack(in_hand), axis=0).max()) < 0.002
    assert max(grips) < 0.035


def test_the_brush_lies_beside_the_basin_before(placements: Placements) -> None:
    before = member(placements, "toothbrush", 1875)
    assert before.place.translation == (6.56, 1.23, 0.822)


def test_shots_see_the_same_moments(film: Film, placements: Placements) -> None:
    pairs = [(a.name, b.name) for a, b in itertools.pairwise(film.shots) if a.frames.last >= b.frames.first]
    assert pairs == [("010", "020"), ("040", "050"), ("070", "080")]
    other = Placements(film, "morning")
    for frame in (1140, 1575, 1970):
        other.at(frame + 200 if frame < 1800 else 1001)  # what was asked before does not matter
        assert [p.pose_key for p in placements.at(frame)] == [p.pose_key for p in other.at(frame)]


def test_the_first_wide_comes_back_to_the_millimetre(film: Film) -> None:
    from splatfilm.cameras import load_path

    first, last = film.shots[0], film.shots[-1]
    pose = load_path(first.camera).at(first.frames.first, 640, 360).pose
    assert np.array_equal(load_path(last.camera).at(last.frames.last, 640, 360).pose, pose)


def test_the_film_is_as_long_as_a_film_of_eight_shots_should_be(film: Film) -> None:
    frames = sum(len(shot.frames) for shot in film.shots)
    assert len(film.shots) == 8
    assert 20 <= frames / film.rate <= 45


def test_the_gown_comes_between_two_shots(film: Film, placements: Placements) -> None:
    change = [c.frame for m in film.scenes["morning"].cast if m.asset == "ada" for c in m.looks][1]
    assert not any(shot.frames.first < change <= shot.frames.last for shot in film.shots)
    assert member(placements, "ada", change - 1).worn == ("layers/body", "layers/hair", "layers/pyjamas")
    assert member(placements, "ada", change).worn[-1] == "layers/gown"
