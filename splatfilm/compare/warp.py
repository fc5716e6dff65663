"""One picture brought into another camera by our own depth, and which of its pixels both cameras see.

The only geometry that the measures use: no estimate, no network. Cameras may be distorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare.pixels import shrunk
from splatfilm.compare.views import NOTHING, Mask, Picture, View
from splatfilm.render.rays import pixels_of, rays_of, straightened

Array = NDArray[np.float64]

DEPTH_AGREEMENT = 0.02
"""How far two depths of one point may differ, as a share, before something stands between (docs/compare.md, FSC)."""

BEHIND = 1e-6  # metres in front of a camera, at least


@dataclass(frozen=True, eq=False)
class Sight:
    """Where A's camera sees the points of B's pixels. `seen` is True where both see the same point."""

    x: NDArray[np.float32]  # [H, W] px in A; NaN where there is no point
    y: NDArray[np.float32]  # [H, W]
    seen: Mask  # [H, W] of B

    @property
    def share(self) -> float:
        """How much of B's picture A sees."""
        return float(self.seen.mean())


def points_of(depth: NDArray[np.float32], camera: Camera) -> Array:  # [H, W, 3] metres, world
    """The points that pixels see; NaN where there is nothing."""
    x, y = rays_of(camera, slice(None))
    z = np.where(depth > 0, depth, np.nan).astype(np.float64)
    here = np.stack([x * z, y * z, z], -1)
    return np.asarray(here @ camera.pose[:3, :3].T + camera.pose[:3, 3])


def project(points: Array, camera: Camera) -> tuple[Array, Array, Array]:
    """Pixels and depth of world points [..., 3]; NaN for what lies behind the camera."""
    here = (points - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    z = np.where(here[..., 2] > BEHIND, here[..., 2], np.nan)
    u, v = pixels_of(camera, here[..., 0] / z, here[..., 1] / z)
    return u, v, z


def shaded(view: View, one: int, shade: float) -> Mask:
    """What lies within `shade` metres of the box about what is seen of an object: there its shadow may fall."""
    own = np.asarray(view.ids == one)
    if not own.any():
        return own
    points = points_of(view.depth, view.camera)
    low, high = points[own].min(axis=0) - shade, points[own].max(axis=0) + shade
    return np.asarray(((points >= low) & (points <= high)).all(axis=-1) & (view.depth > 0))


def unbent(places: Array, camera: Camera) -> Array:  # [N, 2] px
    """Pixels as a pinhole of the same focal lengths would have them; NaN where the lens shows nothing."""
    across, down = (places[:, 0] - camera.cx) / camera.fx, (places[:, 1] - camera.cy) / camera.fy
    x, y = straightened(camera, across, down)
    return np.stack([x * camera.fx + camera.cx, y * camera.fy + camera.cy], 1)


def sight(a: View, b: View, points: Array | None = None) -> Sight:
    """Where A sees what B sees: B's points in A's picture, wherever A's own depth agrees that it sees them.

    `points` are B's, where they are known already.
    """
    u, v, z = project(points_of(b.depth, b.camera) if points is None else points, a.camera)
    found = sample(a.depth[..., None], u, v, holes=a.depth <= 0)[..., 0]
    with np.errstate(invalid="ignore"):
        seen = np.abs(found - z) < DEPTH_AGREEMENT * z
    return Sight(u.astype(np.float32), v.astype(np.float32), np.asarray(seen, dtype=bool))


def carried(picture: Picture, where: Sight) -> Picture:
    """A's picture as B's camera sees it; 0 where `where.seen` is False."""
    out = sample(picture, where.x, where.y)
    return np.where(where.seen[..., None], out, 0).astype(np.float32)


def comparable(a: View, b: View, where: Sight, still: NDArray[np.bool_]) -> Mask:
    """B's pixels that may be compared: seen by both, of the same object, of one that did not move, not at an edge.

    `still[k]` says whether object k is the same in both moments.
    """
    of_a = np.full(b.ids.shape, NOTHING, b.ids.dtype)
    inside = where.seen
    columns = np.clip(where.x[inside].astype(int), 0, a.ids.shape[1] - 1)
    rows = np.clip(where.y[inside].astype(int), 0, a.ids.shape[0] - 1)
    of_a[inside] = a.ids[rows, columns]
    good = inside & (of_a == b.ids) & (b.ids != NOTHING)
    return shrunk(good & still[np.maximum(b.ids, 0)])


def sample(
    image: NDArray[np.floating], x: NDArray[np.floating], y: NDArray[np.floating], holes: Mask | None = None
) -> NDArray[np.float32]:  # [..., C]
    """Bilinear samples of [H, W, C] at pixel positions (centres at .5); NaN outside and next to `holes`."""
    height, width = image.shape[:2]
    with np.errstate(invalid="ignore"):
        good = (x >= 0.5) & (x <= width - 0.5) & (y >= 0.5) & (y <= height - 0.5)
    left = np.where(good, x, 0.5) - 0.5
    top = np.where(good, y, 0.5) - 0.5
    x0 = np.minimum(left.astype(np.int32), max(width - 2, 0))
    y0 = np.minimum(top.astype(np.int32), max(height - 2, 0))
    fx, fy = (left - x0).astype(np.float32)[..., None], (top - y0).astype(np.float32)[..., None]
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    image = image.astype(np.float32, copy=False)
    flat = image.reshape(height * width, *image.shape[2:])
    corner, right, down = y0 * width + x0, x1 - x0, (y1 - y0) * width
    out = np.take(flat, corner, axis=0) * ((1 - fx) * (1 - fy))
    out += np.take(flat, corner + right, axis=0) * (fx * (1 - fy))
    out += np.take(flat, corner + down, axis=0) * ((1 - fx) * fy)
    out += np.take(flat, corner + down + right, axis=0) * (fx * fy)
    if holes is not None and holes.any():
        gaps = holes.reshape(-1)
        good &= ~(gaps[corner] | gaps[corner + right] | gaps[corner + down] | gaps[corner + down + right])
    out[~good] = np.nan
    return np.asarray(out, dtype=np.float32)


def ray_angle(a: Camera, b: Camera, points: Array) -> float:
    """The median angle, in degrees, under which two cameras see the same points [N, 3]."""
    one, two = points - a.position, points - b.position
    cosine = np.sum(one * two, -1) / (np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1))
    return float(np.degrees(np.arccos(np.clip(np.median(cosine), -1, 1))))
