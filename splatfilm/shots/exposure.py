"""How each frame of a shot is exposed: through how wide a pupil, and from when to when.

Between the opening and the closing of the shutter the camera and the cast are where their keys put them at that moment
of the scene's clock. What of that decides pixels goes into the frame's key: everything at `NODES` moments from opening
to closing, where between them keys lie, and everything at four moments between one key and the next. Between keys a
move is one smooth piece of few numbers, so that two moves that are equal in all of this are one move. An exposure in
which nothing moves is an instant, with an instant's key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from splatfilm.cameras import Camera, CameraPath
from splatfilm.cameras.aperture import aperture_of
from splatfilm.film.model import Optics
from splatfilm.render.sampling import SAMPLING_VERSION
from splatfilm.stage import Placed, Placements

NODES = 17


@dataclass(frozen=True, eq=False)
class Exposure:
    """One frame's: moments are asked for by `time` 0..1, from the opening of the shutter to its closing."""

    path: CameraPath
    size: tuple[int, int]  # width, height in pixels
    frame: int  # the scene frame that it is the picture of
    opens: float  # scene frame
    closes: float  # scene frame
    pupil: bool
    shutter: bool
    samples: int | None

    def scene_frame(self, time: float) -> float:
        """On the scene's clock; the scene frame itself when the shutter does not matter."""
        return self.opens + time * (self.closes - self.opens) if self.shutter else float(self.frame)

    def camera(self, time: float) -> Camera:
        """The camera at that time, its lens as it is set then."""
        return self.path.at(self.scene_frame(time), *self.size)


def expose_frame(path: CameraPath, size: tuple[int, int], frame: int, optics: Optics) -> Exposure:
    """How `optics` expose a frame, if everything moved."""
    opens = frame + optics.shutter_phase / 360
    closes = frame + (optics.shutter_phase + optics.shutter_angle) / 360
    pupil = optics.depth_of_field and aperture_of(path.lens_at(frame)) is not None
    return Exposure(path, size, frame, opens, closes, pupil, closes > opens, optics.samples)


def settle(exposure: Exposure, placements: Placements) -> Exposure:
    """The same exposure, of an instant if nothing moves in it."""
    if not exposure.shutter or exposure.samples == 1 or _is_still(exposure, placements):
        return replace(exposure, shutter=False, pupil=exposure.pupil and exposure.samples != 1)
    return exposure


def exposure_value(
    exposure: Exposure,
    placements: Placements,
    camera_value: Callable[[Camera], Any],
    placed_value: Callable[[Placed], Any],
) -> dict[str, Any]:
    """What of a settled exposure decides pixels beside the frame's own camera and splats; nothing for an instant.

    `camera_value` and `placed_value` give what of a camera and of a placed member does.
    """
    value: dict[str, Any] = {}
    if exposure.pupil:
        value["aperture"] = _pupil(exposure, 0.0)
    if exposure.shutter:
        times = _times(exposure, placements)
        value["shutter"] = {
            "cameras": [camera_value(exposure.camera(time)) for time in times],
            "splats": [[placed_value(item) for item in _placed(exposure, placements, time)] for time in times],
            "camera keys": list(exposure.path.knots(exposure.opens, exposure.closes)),
            "cast keys": [k - exposure.opens for k in placements.knots(exposure.opens, exposure.closes)],
        }
        if exposure.pupil:
            value["shutter"]["apertures"] = [_pupil(exposure, time) for time in times]
    if value:
        value["samples"] = [SAMPLING_VERSION, exposure.samples or "auto"]
    return value


def _times(exposure: Exposure, placements: Placements) -> Sequence[float]:
    """The moments that stand for all: evenly from opening to closing, and some in every piece between two keys."""
    length = exposure.closes - exposure.opens
    cast = [(frame - exposure.opens) / length for frame in placements.knots(exposure.opens, exposure.closes)]
    keys = sorted({*exposure.path.knots(exposure.opens, exposure.closes), *cast})
    times = {node / (NODES - 1) for node in range(NODES)}
    if keys:
        for begin, end in pairwise([0.0, *keys, 1.0]):
            times |= {begin + (end - begin) * step / 5 for step in range(1, 5)}
    return sorted(times)


def _pupil(exposure: Exposure, time: float) -> list[float]:
    aperture = aperture_of(exposure.path.lens_at(exposure.scene_frame(time)))
    assert aperture is not None, "a pupil was found at the frame, and T-stops are not keyed"
    return [aperture.width, aperture.height, aperture.focus]


def _placed(exposure: Exposure, placements: Placements, time: float) -> tuple[Placed, ...]:
    return placements.at(exposure.scene_frame(time), exposure.frame)


def _is_still(exposure: Exposure, placements: Placements) -> bool:
    """Whether camera, lens and cast are alike at every moment that stands for all."""
    first = exposure.camera(0.0)
    placed = _placed(exposure, placements, 0.0)
    for time in _times(exposure, placements)[1:]:
        camera = exposure.camera(time)
        if (camera.pose != first.pose).any() or camera.fx != first.fx or camera.lens != first.lens:
            return False
        if _placed(exposure, placements, time) != placed:
            return False
    return True
