"""A frame as a camera takes it: the mean of many pinhole pictures, over the pupil of the lens and the open shutter.

Pictures are averaged in linear light, because that is what falls on the film: each sample's beauty (over the
background) goes from display-referred sRGB to linear, the mean goes back. Alpha is coverage and its mean is taken as it
is, and so is that of features. Depth is the mean of the samples' depths weighted by their alpha, which is the expected
depth of everything that the exposure saw. A lens and a scene that blur nothing give exactly one sample and the bits of
a plain `render`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.cameras.aperture import Aperture, aperture_of, through_pupil
from splatfilm.cameras.camera import Camera
from splatfilm.render.constants import BLUR, MIN_ALPHA, NEAR
from splatfilm.render.frame import Frame
from splatfilm.render.sampling import MOST_SAMPLES, Sample, samples_of
from splatfilm.render.transfer import add_light, on_display
from splatfilm.splats.splats import Splats

Moment = tuple[Splats, Camera]
"""What there is at one moment of the exposure, and the camera that looks at it (with its `lens`)."""

LEAST_AUTO, MOST_AUTO = 8, 512
"""Samples that `auto` chooses from: powers of two, so that a breath of motion does not change the count every frame."""

SPACING = 1.5
"""Standard deviations of a splat's picture between neighbouring samples of it: a row of Gaussians so far apart ripples
by less than 0.1 percent (2 exp(-2 pi^2 / 1.5^2) of its height), a square grid of them too."""

GROUP = 64
"""Most cameras that wait to be drawn at once."""

IGNORED = 1000
"""One splat in so many, those that would need most samples, has no say in their number: a speck before the lens is
blurred to nothing however coarsely it is sampled."""


@dataclass(frozen=True)
class Blur:
    """What of an exposure blurs, and with how many samples; None: chosen from the blur in pixels."""

    pupil: bool = False
    shutter: bool = False
    samples: int | None = None

    def __post_init__(self) -> None:
        if self.samples is not None and not 1 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples is {self.samples}: expected 1 to {MOST_SAMPLES}, or None")


def expose(
    moment_at: Callable[[float], Moment], draw: Callable[[Splats, Sequence[Camera]], Iterable[Frame]], blur: Blur
) -> tuple[Frame, int]:
    """The frame of one exposure and how many samples it is the mean of.

    `moment_at` gives the moment at a time 0..1 between the opening and the closing of the shutter (without a shutter
    it is asked for 0 only), `draw` pinhole pictures of the same splats by several cameras. Raises `ValueError` for a
    lens that cannot be focused so.
    """
    start = moment_at(0.0)
    pupil = blur.pupil and aperture_of(start[1].lens) is not None
    if not (pupil or blur.shutter):
        return _first(draw(start[0], [start[1]])), 1
    count = blur.samples or samples_needed([moment_at(t) for t in ((0.0, 0.5, 1.0) if blur.shutter else (0.0,))], pupil)
    if count == 1:
        return _first(draw(start[0], [start[1]])), 1

    def seen(sample: Sample) -> Moment:
        splats, camera = moment_at(sample.time)
        aperture = aperture_of(camera.lens) if pupil else None
        return splats, camera if aperture is None else through_pupil(camera, aperture, sample.x, sample.y)

    moments = map(seen, samples_of(count, pupil, blur.shutter))
    return mean_frame(frame for splats, cameras in _together(moments) for frame in draw(splats, cameras)), count


def _together(moments: Iterable[Moment]) -> Iterator[tuple[Splats, list[Camera]]]:
    """Cameras that look at the same splats one after the other, so that they can be drawn at once."""
    held: list[Camera] = []
    current: Splats | None = None
    for splats, camera in moments:
        if current is not None and (splats is not current or len(held) == GROUP):
            yield current, held
            held = []
        current = splats
        held.append(camera)
    if current is not None:
        yield current, held


def _first(frames: Iterable[Frame]) -> Frame:
    return next(iter(frames))


def mean_frame(pictures: Iterable[Frame]) -> Frame:
    """The mean of pictures, each of them asked for when the one before has been added. At least one."""
    light: Tensor | None = None
    count = 0
    for frame in pictures:
        count += 1
        if light is None:
            light = torch.zeros_like(frame.beauty)
            alpha, depth = torch.zeros_like(frame.alpha), torch.zeros_like(frame.depth)
            features = None if frame.features is None else torch.zeros_like(frame.features)
        add_light(frame.beauty, light)
        _add(frame.alpha, alpha)
        _add_product(frame.alpha, frame.depth, depth)
        if features is not None and frame.features is not None:
            _add(frame.features, features)
    assert light is not None, "an exposure has at least one sample"
    depth = torch.where(alpha > 0, depth / alpha, torch.zeros_like(depth))
    return Frame(on_display(light, count), alpha / count, depth, None if features is None else features / count)


def _add(more: Tensor, total: Tensor) -> None:
    """In place. On the CPU by numpy: torch would wake its own threads for it, beside the renderer's."""
    if total.device.type == "cpu":
        np.add(total.numpy(), more.detach().numpy(), out=total.numpy())
    else:
        total += more


def _add_product(one: Tensor, other: Tensor, total: Tensor) -> None:
    if total.device.type == "cpu":
        np.add(total.numpy(), one.detach().numpy() * other.detach().numpy(), out=total.numpy())
    else:
        total += one * other


# ---- how many samples ------------------------------------------------------------------------------------------------


def samples_needed(moments: Sequence[Moment], pupil: bool) -> int:
    """How many samples the blur asks for: 1, or a power of two from `LEAST_AUTO` to `MOST_AUTO`.

    For each splat in view: its circle of confusion's area, and the length of its way over the picture through the
    `moments` in order, in units of `SPACING` standard deviations of its own picture, so that the pictures of it that
    are added up melt into one. The greatest of these decides, but for one splat in `IGNORED`.
    """
    needs = np.zeros(0)
    splats, camera = moments[0]
    aperture = aperture_of(camera.lens) if pupil else None
    seen, sigma, distance = _footprints(splats, camera)
    if aperture is not None:
        vergence = np.abs(1 / aperture.focus - 1 / distance)
        area = math.pi / 4 * (aperture.width * camera.fx * vergence) * (aperture.height * camera.fy * vergence)
        needs = area / np.square(SPACING * sigma)
    ways = _ways(moments, seen) / (SPACING * sigma)
    needs = np.maximum(needs, ways) if len(needs) else ways
    if not len(needs):
        return LEAST_AUTO  # nothing in view at the opening, but it may come into view
    needs.sort()
    need = float(needs[len(needs) - 1 - len(needs) // IGNORED])
    if need == 0.0 and not needs.any():
        return 1 if all(_same(moments[0], other) for other in moments[1:]) else LEAST_AUTO
    return min(max(1 << math.ceil(math.log2(max(need, 1.0))), LEAST_AUTO), MOST_AUTO)


def _same(one: Moment, other: Moment) -> bool:
    """Whether two moments are one to the bit."""
    a, b = one[1], other[1]
    return one[0] is other[0] and np.array_equal(a.pose, b.pose) and (a.fx, a.fy, a.lens) == (b.fx, b.fy, b.lens)


def _in_camera(splats: Splats, camera: Camera) -> NDArray[np.float64]:  # -> [3, N]
    """By sums in a fixed order: a product of matrices would differ in its last bits from machine to machine."""
    view = camera.world_to_camera()
    x, y, z = splats.means.detach().cpu().numpy().astype(np.float64).T
    return np.stack([row[0] * x + row[1] * y + row[2] * z + row[3] for row in view[:3]])


def _pixels(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:  # [3, N] -> [2, N]
    return np.stack([camera.fx * points[0] / points[2] + camera.cx, camera.fy * points[1] / points[2] + camera.cy])


def _footprints(
    splats: Splats, camera: Camera
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:  # [M], px [M], metres [M]
    """Which splats the camera has in view, the middle one of their three standard deviations in the picture, depths."""
    points = _in_camera(splats, camera)
    opaque = splats.opacities.detach().cpu().numpy() >= MIN_ALPHA
    ahead = np.flatnonzero((points[2] > NEAR) & opaque)
    points = points[:, ahead]
    scales = np.sort(splats.scales.detach().cpu().numpy().astype(np.float64)[ahead], axis=1)
    focal = max(camera.fx, camera.fy)
    reach = 3 * scales[:, 2] * focal / points[2]
    x, y = _pixels(camera, points)
    inside = (x > -reach) & (x < camera.width + reach) & (y > -reach) & (y < camera.height + reach)
    sigma = np.sqrt(np.square(scales[:, 1] * focal / points[2]) + BLUR)
    return ahead[inside], sigma[inside], points[2, inside]


def _ways(moments: Sequence[Moment], seen: NDArray[np.int64]) -> NDArray[np.float64]:  # -> [M] px
    """How far the centres of the splats `seen` go over the picture from moment to moment."""
    way = np.zeros(len(seen))
    first, last = moments[0][0], None
    for splats, camera in moments:
        # Where something appears or goes, rows stand for other splats: then the camera's own motion has to do.
        points = _in_camera(splats if len(splats) == len(first) else first, camera)[:, seen]
        points[2] = np.maximum(points[2], NEAR)
        here = _pixels(camera, points)
        if last is not None:
            way += np.sqrt(np.square(here[0] - last[0]) + np.square(here[1] - last[1]))
        last = here
    return way


__all__ = ["Aperture", "Blur", "Moment", "expose", "mean_frame", "samples_needed"]
