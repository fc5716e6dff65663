"""The one door to OpenCV (`pip install 'splatfilm[compare]'`): keypoints, matches, poses, optical flow.

Everything here is deterministic: one thread decides, and OpenCV's random numbers start anew for every pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import MissingPartError
from splatfilm.cameras.camera import Camera
from splatfilm.compare.views import Clip, Mask, Picture, to_bytes
from splatfilm.compare.warp import unbent

Array = NDArray[np.float64]

RATIO = 0.8  # of the best match's distance to the second best's (Lowe 2004)
REPROJECTION = 1.5  # px, of a pose's inliers
FEWEST = 12  # inliers that make a pose
KEYPOINTS = 4000  # a picture, the strongest
ROUNDS = 2000  # of RANSAC


@dataclass(frozen=True, eq=False)
class Keypoints:
    """SIFT keypoints: pixel positions with centres at .5, and descriptors, whose values SIFT itself makes whole."""

    places: NDArray[np.float64]  # [N, 2]
    descriptors: NDArray[np.uint8]  # [N, 128]

    def where(self, mask: Mask | None) -> Keypoints:
        """Those on pixels where `mask` is True: the same as if they had been looked for there alone."""
        if mask is None or not len(self.places):
            return self
        columns, rows = self.places.astype(int).T
        kept = mask[rows, columns]
        return Keypoints(self.places[kept], self.descriptors[kept])


def available() -> bool:
    """Whether OpenCV is here."""
    return find_spec("cv2") is not None


def _cv2() -> Any:
    try:
        import cv2
    except ImportError:
        raise MissingPartError(
            "finding cameras and following motion need OpenCV: pip install 'splatfilm[compare]' "
            "(or opencv-python-headless)"
        ) from None
    return cv2


def keypoints(picture: Picture) -> Keypoints:
    """SIFT keypoints of a picture."""
    cv2 = _cv2()
    image = cv2.cvtColor(to_bytes(picture), cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT_create(KEYPOINTS, enable_precise_upscale=True)
    points, descriptors = sift.detectAndCompute(image, None)
    if descriptors is None:
        return Keypoints(np.zeros((0, 2)), np.zeros((0, 128), np.uint8))
    places = np.array([point.pt for point in points], np.float64) + 0.5
    return Keypoints(places, descriptors.astype(np.uint8))


def keypoints_of(clip: Clip, index: int) -> Keypoints:
    """The keypoints of a clip's frame, found once; what the clip's mask hides is not left out yet."""
    return clip.once(("keypoints", index), lambda: keypoints(clip.frames[index]))


def matches(a: Keypoints, b: Keypoints) -> tuple[Array, Array]:  # both [M, 2]
    """Places of mutual nearest neighbours that pass the ratio test both ways."""
    first, second = matched(a, b)
    return a.places[first], b.places[second]


def matched(a: Keypoints, b: Keypoints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:  # both [M]
    """The same, as places in the two lists of keypoints."""
    if len(a.places) < 2 or len(b.places) < 2:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    forth, back = _nearest(a, b), _nearest(b, a)
    chosen = [(i, j) for i, j in forth.items() if back.get(j) == i]
    first, second = np.array(chosen, np.intp).reshape(-1, 2).T
    return first, second


def _nearest(a: Keypoints, b: Keypoints) -> dict[int, int]:
    one, two = (points.descriptors.astype(np.float32) for points in (a, b))
    found = _cv2().BFMatcher().knnMatch(one, two, k=2)
    pairs = (pair for pair in found if len(pair) == 2)
    return {m.queryIdx: m.trainIdx for m, n in pairs if m.distance < RATIO * n.distance}


def solve_pose(points: Array, places: Array, camera: Camera) -> tuple[Array, int] | None:
    """Camera-to-world [4, 4] of world points [N, 3] seen at pixels [N, 2], and its inliers; None when there is none.

    EPnP within RANSAC, then Levenberg-Marquardt over the inliers.
    """
    if len(points) < FEWEST:
        return None
    cv2 = _cv2()
    cv2.setRNGSeed(0)
    straight = unbent(places, camera)
    k = camera.intrinsics()
    centre = points.mean(axis=0)  # near the origin, where OpenCV's float32 corners do not round
    done, turn, shift, inliers = cv2.solvePnPRansac(
        points - centre,
        straight,
        k,
        None,
        iterationsCount=ROUNDS,
        reprojectionError=REPROJECTION,
        confidence=0.9999,
        flags=cv2.SOLVEPNP_EPNP,
    )
    if not done or inliers is None or len(inliers) < FEWEST:
        return None
    inside = inliers[:, 0]
    for _ in range(3):  # the set of inliers settles with the pose
        turn, shift = cv2.solvePnPRefineLM(points[inside] - centre, straight[inside], k, None, turn, shift)
        seen = cv2.projectPoints(points - centre, turn, shift, k, None)[0][:, 0]
        inside = np.flatnonzero(np.linalg.norm(seen - straight, axis=1) < REPROJECTION)
        if len(inside) < FEWEST:
            return None
    rotation = cv2.Rodrigues(turn)[0]
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = centre - rotation.T @ shift[:, 0]
    return pose, len(inside)


def homography_inliers(a: Array, b: Array, within: float) -> int:
    """How many of the matches a -> b, both [M, 2], one homography explains to `within` pixels."""
    if len(a) < 4:
        return 0
    cv2 = _cv2()
    cv2.setRNGSeed(0)
    _, inside = cv2.findHomography(a, b, cv2.RANSAC, within)
    return 0 if inside is None else int(inside.sum())


def flows(a: Picture, b: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # both [H, W, 2] px
    """Dense inverse-search optical flow (Kroeger et al. 2016, OpenCV's medium preset), a to b and b to a."""
    cv2 = _cv2()
    one, two = (cv2.cvtColor(to_bytes(picture), cv2.COLOR_RGB2GRAY) for picture in (a, b))
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return dis.calc(one, two, None), dis.calc(two, one, None)


def versions() -> Sequence[str]:
    """What was used, for reports."""
    return (f"OpenCV {_cv2().__version__}",) if available() else ()
