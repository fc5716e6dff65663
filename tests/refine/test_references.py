"""What the photographs show of a frame: looked up along the depth, and silent where they cannot know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.refine import references
from splatfilm.refine.references import PLANES, Reference, carried_over, nearest

SIZE, FOCAL = 16, 16.0


def camera_at(x: float, turned: bool = False) -> Camera:
    pose = np.eye(4)
    if turned:
        pose[:3, :3] = np.diag([-1.0, 1.0, -1.0])
    pose[0, 3] = x
    return Camera(pose, FOCAL, FOCAL, SIZE / 2, SIZE / 2, SIZE, SIZE)


def wall(x: float, name: str = "a", depth: float = 2.0) -> Reference:
    """A photograph of a wall: red goes up by 10 a column."""
    colour = torch.zeros(3, SIZE, SIZE, dtype=torch.uint8)
    colour[0] = (10 * torch.arange(SIZE)).to(torch.uint8)
    return Reference(name, camera_at(x), colour, torch.full((SIZE, SIZE), depth, dtype=torch.float16))


def asked(found: list[Reference], camera: Camera, depth: float = 2.0) -> Tensor:
    return carried_over(found, 1.0, camera, torch.full((SIZE, SIZE), depth))


def test_a_wall_seen_from_beside_is_shifted_by_focal_length_times_step_over_depth() -> None:
    # 0.25 m to the right at 2 m with 16 px: the wall moves 2 px, column 8 shows what the photograph has in column 10.
    found = asked([wall(0.0)], camera_at(0.25))
    assert float(found[0, 8, 6]) == pytest.approx(80 / 255, abs=1e-4)
    assert float(found[3, 8, 6]) == 1.0
    assert float(found[4, 8, 6]) == pytest.approx(0, abs=1e-6)


def test_a_photograph_says_nothing_of_a_surface_that_it_did_not_see() -> None:
    assert not asked([wall(0.0)], camera_at(0.0), depth=1.5)[3].any(), "something stands before the wall"
    assert not asked([wall(0.0)], camera_at(0.0), depth=0.0).any(), "nothing is there"
    half = asked([wall(0.0)], camera_at(0.0), depth=2.04)[3, 8, 8]
    assert float(half) == pytest.approx(0.5, abs=0.01), "half the tolerance away, half believed"


def test_two_photographs_that_disagree_are_known_to() -> None:
    other = wall(0.0, "b")
    other.colour[0] += 51  # a fifth
    found = asked([wall(0.0), other], camera_at(0.0))
    assert float(found[0, 8, 8]) == pytest.approx((80 + 25.5) / 255, abs=1e-4)
    assert float(found[4, 8, 8]) == pytest.approx(0.1 / 3, abs=1e-4)  # a tenth to either side, in one channel of three


def test_weights_fall_to_zero_before_another_photograph_takes_the_place() -> None:
    row = [wall(float(x), str(x)) for x in range(8)]
    place, last = 2.0, dict[str, float]()
    while place < 5.0:
        now = {reference.name: weight for reference, weight in nearest(row, camera_at(place), 1.0)}
        if last:
            steps = [abs(now.get(name, 0.0) - last.get(name, 0.0)) for name in {*now, *last}]
            assert max(steps) < 0.05
        place, last = place + 0.01, now


def test_without_photographs_every_plane_is_zero() -> None:
    assert carried_over([], 1.0, camera_at(0.0), torch.ones(4, 4)).abs().sum() == 0
    assert carried_over([], 1.0, camera_at(0.0), torch.ones(4, 4)).shape == (PLANES, 4, 4)


def test_photographs_behind_the_camera_are_not_asked() -> None:
    found = carried_over([wall(0.0)], 1.0, camera_at(0.0, turned=True), torch.full((SIZE, SIZE), 2.0))
    assert not found[3].any()


def test_references_come_back_from_plain_values() -> None:
    row = [wall(0.0), wall(1.0, "b")]
    found = references.from_plain(references.as_plain(row), references.as_tensors(row))
    assert [r.name for r in found] == ["a", "b"]
    assert np.array_equal(found[1].camera.pose, row[1].camera.pose)
    assert torch.equal(found[1].colour, row[1].colour)
    listed = references.as_plain(row)
    listed[0]["size"] = [4, 4]
    with pytest.raises(ValueError, match="its camera 4 x 4"):
        references.from_plain(listed, references.as_tensors(row))
