"""The opening of a lens, and the blur that it makes of what is out of focus.

A thin lens of focal length f and entrance pupil A that is focused at distance F draws a point at distance z as a disc
on the film whose diameter is

    c = A f |z - F| / (z (F - f))

(Ray, Applied Photographic Optics, 3rd edition, chapter 22). A point of the pupil sees the scene as a pinhole camera
does that stands there and whose picture is shifted so that the plane of focus falls where it did: an off-axis camera.
The mean of the pictures from all over the pupil is the picture that the lens takes.

The diameter of the pupil is f / T. A T-stop is an f-number N that was corrected for the light that the glass loses,
T = N / sqrt(transmission), so the true pupil f / N is wider than f / T by some percent; camera reports hold T-stops and
no transmission. The picture keeps the framing that its focal length has at infinity (cine lenses are built not to
breathe), while the disc keeps the thin lens' size: the sampled pupil is A F / (F - f).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from splatfilm.cameras.camera import Camera
from splatfilm.cameras.lens import Lens


@dataclass(frozen=True)
class Aperture:
    """The sampled pupil in metres across the picture and up it, and the distance of the plane that is sharp, metres."""

    width: float
    height: float
    focus: float


def aperture_of(lens: Lens | None) -> Aperture | None:
    """The pupil of a lens as it is set; None for a lens that draws everything sharp (no T-stop).

    An anamorphic lens has `squeeze` times the field of view across the picture, of the same pupil height: its focal
    length and its pupil are that much smaller across, so what is out of focus becomes an upright ellipse. Raises
    `ValueError` when a lens with a T-stop has no focus, or one that no thin lens of its focal length can have.
    """
    if lens is None or lens.t_stop is None:
        return None
    if lens.focus_m is None:
        raise ValueError(f"the lens is at T{lens.t_stop:g} but has no focus distance: give focus_m")
    focal = lens.focal_mm / 1000
    if lens.focus_m <= focal:
        raise ValueError(f"focus_m is {lens.focus_m:g}: a lens of {lens.focal_mm:g} mm focuses only beyond {focal:g} m")
    pupil = focal / lens.t_stop * lens.focus_m / (lens.focus_m - focal)
    return Aperture(pupil / lens.squeeze, pupil, lens.focus_m)


def through_pupil(camera: Camera, aperture: Aperture, x: float, y: float) -> Camera:
    """The pinhole camera at a point of the pupil: (x, y) in the unit disc, right and down in the picture.

    Points on the plane of focus keep their pixels: a pinhole's picture is moved back over them, and what a lens bends
    is moved before it bends it.
    """
    right, down = x * aperture.width / 2, y * aperture.height / 2
    pose = camera.pose.copy()
    pose[:3, 3] += right * pose[:3, 0] + down * pose[:3, 1]
    if camera.distortion is not None and not camera.distortion.is_zero:
        return dataclasses.replace(camera, pose=pose, shift=(right / aperture.focus, down / aperture.focus))
    return dataclasses.replace(
        camera,
        pose=pose,
        cx=camera.cx + camera.fx * right / aperture.focus,
        cy=camera.cy + camera.fy * down / aperture.focus,
    )


def circle_of_confusion(camera: Camera, aperture: Aperture, distance: float) -> tuple[float, float]:
    """(width, height) in pixels of the ellipse that a point becomes, `distance` metres away along the optical axis."""
    vergence = abs(1 / aperture.focus - (0.0 if math.isinf(distance) else 1 / distance))
    return aperture.width * camera.fx * vergence, aperture.height * camera.fy * vergence
