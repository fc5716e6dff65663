"""The promises of lens and shutter: blur of the right size, and errors that fall as they should."""

from __future__ import annotations

import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run


def circle_of_confusion(ground: Ground) -> str:
    """A point out of focus, at three distances, spherical and anamorphic, against the thin lens' formula."""
    return _tests("thin_lens or plane_of_focus or upright_ellipses", "tests/cameras/test_aperture.py")


def convergence(ground: Ground) -> str:
    """The slope of the error against 1024 samples, of the pupil, of the shutter, and of both."""
    return _tests("converge or display_step or same_bits")


def bent_lenses(ground: Ground) -> str:
    """Every model of distortion against its formula in float64."""
    return _tests("", "tests/render/test_render_distortion.py", alone=True)


def overscan(ground: Ground) -> str:
    """Every pass, pinhole and bent, and the windows of a film's EXR files."""
    return _tests("", "tests/render/test_render_overscan.py", alone=True)


def lenses_in_films(ground: Ground) -> str:
    """Camera files, `[film.lens]`, shots; keys, files, what is refused; ids of a blurred frame."""
    return _tests("", "tests/shots/test_lens_in_films.py", alone=True)


def pose_gradient(ground: Ground) -> str:
    """The camera's own gradient against the float64 reference, over threads and instruction sets."""
    return _tests("", "tests/render/test_render_pose.py", alone=True)


def _tests(words: str, more: str = "", alone: bool = False) -> str:
    files = [] if alone else ["tests/render/test_render_exposure.py"]
    files += [more] if more else []
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", *files, *(["-k", words] if words else [])]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout.strip().splitlines()[-1]
    assert "passed" in said
    assert "skipped" not in said
    return said


PROMISES = (
    Promise("A point out of focus is as wide as the thin lens' formula says, within 2 percent", circle_of_confusion),
    Promise("Depth of field and motion blur converge to 1024 samples; no blur keeps a frame's bits", convergence),
    Promise("Splats seen through a bending lens lie within 0.01 px of its model", bent_lenses),
    Promise("Overscan changes no bit of the picture inside it", overscan),
    Promise("Films are shot through bending lenses, with overscan, with ids as blurred as alpha", lenses_in_films),
    Promise("The gradient to the camera's pose is the reference's within 1e-4, at any thread count", pose_gradient),
)
