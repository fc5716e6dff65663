"""Which frames of two shots may be compared at all: those that see enough of the same, from not too different sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare.following import camera_of
from splatfilm.compare.guards import own_keypoints
from splatfilm.compare.memory import Owner
from splatfilm.compare.scores import CameraFollowing
from splatfilm.compare.stability import kept
from splatfilm.compare.views import Mask, ShotTruth, View
from splatfilm.compare.vision import Keypoints, keypoints
from splatfilm.compare.warp import points_of, ray_angle, sight

OVERLAP = (0.2, 0.95)  # share that A sees of what stands still in B: less says nothing, more is nearly a revisit
LEAST_OF_PICTURE = 0.1  # share of B's whole picture that must be left when what moved is masked
MOST_ANGLE = 45.0  # degrees between the directions from which both see what they share
MOST_PAIRS = 32
CANDIDATES = 24  # frames of a shot that are tried, spread evenly
COARSE = 80  # px wide: enough to tell how much is shared
LOCATED_ENOUGH = 0.5  # of the frames: from there on the found cameras are used


@dataclass(frozen=True, eq=False)
class Seer(Owner):
    """One shot as it is looked at for a comparison: prescribed cameras, or those that a clip was found to have."""

    truth: ShotTruth
    found: dict[int, Camera] | None = None  # None: prescribed

    @property
    def cameras(self) -> Literal["prescribed", "recovered"]:
        return "prescribed" if self.found is None else "recovered"

    @property
    def frames(self) -> Sequence[int]:
        """The frames that can be looked at."""
        return range(len(self.truth)) if self.found is None else sorted(self.found)

    def camera(self, index: int) -> Camera:
        return self.truth.cameras[index] if self.found is None else self.found[index]

    def likely(self, index: int) -> Camera:
        """The found camera where there is one, else the prescribed one."""
        return self.truth.cameras[index] if self.found is None else self.found.get(index, self.truth.cameras[index])

    def view(self, index: int) -> View:
        """Our scene as this frame's camera sees it."""
        see, found = self.truth.see, self.found
        if found is None:
            return self.truth.views[index]
        assert see is not None, "found cameras are used only where the scene can be seen through them"
        return self.once(("view", index), lambda: see(index, found[index]))

    def coarse(self, index: int) -> View:
        """The same, small; a shot is looked at beside many others."""
        width, height = self.truth.size
        small = (min(COARSE, width), max(1, round(min(COARSE, width) * height / width)))
        owner: Owner = self.truth if self.found is None else self
        return owner.once(("coarse", index), lambda: _thinned(self.view(index), *small))

    def keypoints(self, index: int) -> Keypoints:
        """Of the scene as this frame's camera sees it."""
        if self.found is None:
            return own_keypoints(self.truth, index)
        return self.once(("keypoints", index), lambda: keypoints(self.view(index).picture))


def own_seer(truth: ShotTruth) -> Seer:
    """Look through the prescribed cameras."""
    return truth.once("seer", lambda: Seer(truth))


def seer(truth: ShotTruth, following: CameraFollowing | None, count: int) -> Seer:
    """Look through the found cameras where at least half of the frames were found, and the camera was not kept."""
    usable = following is not None and truth.see is not None and not kept(following)
    if following is None or not usable or (following.located.value or 0) < LOCATED_ENOUGH:
        return own_seer(truth)
    frames = [frame for frame in following.frames if frame.index < count]
    found = {frame.index: camera_of(frame, truth.cameras[frame.index]) for frame in frames}
    return Seer(truth, {index: camera for index, camera in found.items() if camera is not None})


def _thinned(view: View, width: int, height: int) -> View:
    rows = ((np.arange(height) + 0.5) * view.depth.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * view.depth.shape[1] / width).astype(int)
    places = np.ix_(rows, columns)
    return View(view.picture[places], view.depth[places], view.ids[places], view.camera.scaled(width, height))


def overlapping(a: Seer, b: Seer, most: int = MOST_PAIRS, whole: bool = False) -> tuple[tuple[int, int], ...]:
    """Pairs (frame of A, frame of B) to compare, at most `most`, as different from one another as can be.

    With `whole`, A may see all of B, as a wide sees its close-up. Two shots that share nothing give no pairs. Of what
    moved between the two frames nothing is shared; two frames that see all of the rest alike are a revisit, no pair.
    """
    return _farthest(list(_candidates(a, b, whole)), (len(a.truth), len(b.truth)), most)


def _candidates(a: Seer, b: Seer, whole: bool = False) -> Iterator[tuple[int, int, float]]:
    """Every pair that may be compared, and how much of B's picture A sees."""
    frames_a, frames_b = (_spread(s.frames, CANDIDATES) for s in (a, b))
    small_a = [(i, a.coarse(i)) for i in frames_a]
    for j in frames_b:
        view_b = b.coarse(j)
        points = points_of(view_b.depth, view_b.camera)
        for i, view_a in small_a:
            unmoved = still(a.truth, i, b.truth, j)
            seen, near = _seen(view_a, view_b, unmoved, points)
            share = float(seen.mean())
            if near < OVERLAP[0] or share < LEAST_OF_PICTURE:
                continue
            if near > OVERLAP[1] and not (whole and _seen(view_b, view_a, unmoved)[1] <= OVERLAP[1]):
                continue  # one camera, nearly: that is a revisit
            if ray_angle(view_a.camera, view_b.camera, points[seen]) <= MOST_ANGLE:
                yield i, j, share


def _seen(
    a: View, b: View, unmoved: NDArray[np.bool_], points: NDArray[np.float64] | None = None
) -> tuple[Mask, float]:
    """B's pixels of standing things that A sees, and their share of all pixels of such things."""
    standing = unmoved[np.maximum(b.ids, 0)]
    seen = sight(a, b, points).seen & standing
    return seen, float(seen.sum() / max(int(standing.sum()), 1))


def shares(a: Seer, b: Seer) -> bool:
    """Whether any of their frames can be compared, either way round."""
    return any(True for _ in _candidates(a, b)) or any(True for _ in _candidates(b, a, whole=True))


def still(a: ShotTruth, i: int, b: ShotTruth, j: int) -> NDArray[np.bool_]:  # [objects]
    """Objects that are the same at both moments."""
    if not a.placed or not b.placed:
        return np.ones(len(b.objects), bool)
    return np.array([one == two for one, two in zip(a.placed[i], b.placed[j], strict=True)])


def _spread(frames: Sequence[int], most: int) -> list[int]:
    if not frames:
        return []
    return sorted({frames[int(k)] for k in np.linspace(0, len(frames) - 1, min(most, len(frames))).round()})


def _farthest(
    found: Sequence[tuple[int, int, float]], lengths: tuple[int, int], most: int
) -> tuple[tuple[int, int], ...]:
    """Farthest-point choice over (place in A, place in B), from the pair that shares most; in order."""
    if not found:
        return ()
    places = np.array([[i / max(lengths[0] - 1, 1), j / max(lengths[1] - 1, 1)] for i, j, _ in found])
    chosen = [int(np.argmax([share for _, _, share in found]))]
    away = np.linalg.norm(places - places[chosen[0]], axis=1)
    while len(chosen) < min(most, len(found)):
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return tuple(sorted({(found[k][0], found[k][1]) for k in chosen}))
