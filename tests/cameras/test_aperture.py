"""The pupil of a lens, the blur that it makes, and the cameras that stand in it."""

from __future__ import annotations

import numpy as np
import pytest

from splatfilm.cameras import Camera, Lens
from splatfilm.cameras.aperture import aperture_of, circle_of_confusion, through_pupil


def camera(lens: Lens) -> Camera:
    pose = np.eye(4)
    pose[:3, 3] = (1.0, 2.0, 3.0)
    return Camera.through(lens, pose, 1920, 1080)


def test_the_pupil_is_the_focal_length_over_the_t_stop() -> None:
    aperture = aperture_of(Lens(focal_mm=50, t_stop=2.0, focus_m=1e6))
    assert aperture is not None
    assert aperture.height == aperture.width == pytest.approx(0.025, rel=1e-6)  # far focus: 50 mm / 2


def test_the_circle_of_confusion_is_the_thin_lens_s() -> None:
    lens = Lens(focal_mm=50, filmback_mm=(36, 24), t_stop=2.0, focus_m=2.0)
    aperture = aperture_of(lens)
    assert aperture is not None
    # c = 25 mm * 50 mm * (4000 - 2000) mm / (4000 mm * (2000 - 50) mm) = 0.3205 mm; 1920 px are 36 mm.
    width, height = circle_of_confusion(camera(lens), aperture, 4.0)
    assert width == height == pytest.approx(0.320513 * 1920 / 36, rel=1e-5)


def test_an_anamorphic_lens_draws_upright_ellipses() -> None:
    lens = Lens(focal_mm=50, filmback_mm=(22, 18.6), squeeze=2.0, t_stop=2.0, focus_m=2.0)
    aperture = aperture_of(lens)
    assert aperture is not None
    width, height = circle_of_confusion(camera(lens), aperture, 4.0)
    assert height == pytest.approx(2 * width)


def test_the_plane_of_focus_keeps_its_pixels_from_everywhere_in_the_pupil() -> None:
    lens = Lens(focal_mm=85, t_stop=1.4, focus_m=1.7)
    middle = camera(lens)
    aperture = aperture_of(lens)
    assert aperture is not None
    for x, y in ((1.0, 0.0), (0.0, -1.0), (-0.6, 0.8)):
        shifted = through_pupil(middle, aperture, x, y)
        for point in ((0.2, -0.1, 1.7), (-0.4, 0.3, 1.7)):
            assert np.allclose(pixel(shifted, point), pixel(middle, point), atol=1e-9)
        far = np.subtract(pixel(shifted, (0.2, -0.1, 3.4)), pixel(middle, (0.2, -0.1, 3.4)))
        radius = circle_of_confusion(middle, aperture, 3.4)[0] / 2
        assert np.hypot(*far) == pytest.approx(radius)


def pixel(camera: Camera, point: tuple[float, float, float]) -> tuple[float, float]:
    """Of a point given in the axes of the camera in the middle."""
    x, y, z = np.add(point, (1.0, 2.0, 3.0)) - camera.position
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def test_a_lens_without_a_t_stop_draws_everything_sharp() -> None:
    assert aperture_of(Lens(focus_m=2.0)) is None
    assert aperture_of(None) is None


def test_a_lens_that_cannot_be_focused_so_is_refused() -> None:
    with pytest.raises(ValueError, match="no focus distance"):
        aperture_of(Lens(t_stop=2.8))
    with pytest.raises(ValueError, match=r"focuses only beyond 0\.05 m"):
        aperture_of(Lens(focal_mm=50, t_stop=2.8, focus_m=0.05))
