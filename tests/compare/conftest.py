"""The true shots of the bedroom and the ground between them, which most tests stand on; built once."""

from __future__ import annotations

import pytest
from bedroom import Bedroom, clip_of, dolly, second_angle, shot

from splatfilm.compare.followup import Ground, lay_ground
from splatfilm.compare.overlap import Seer
from splatfilm.compare.views import Frames, ShotTruth


@pytest.fixture(scope="session")
def shot_a() -> ShotTruth:
    """A dolly past the bed."""
    return shot("A", dolly())


@pytest.fixture(scope="session")
def shot_b() -> ShotTruth:
    """A second angle on the bed."""
    return shot("B", second_angle())


@pytest.fixture(scope="session")
def other_scene() -> Frames:
    """Another room altogether, from B's cameras."""
    return clip_of(Bedroom(seed=9), second_angle()).frames


@pytest.fixture(scope="session")
def ground(shot_a: ShotTruth, shot_b: ShotTruth, other_scene: Frames) -> Ground:
    """Ceiling and null of A and B."""
    return lay_ground(Seer(shot_a), Seer(shot_b), other_scene, most=4)
