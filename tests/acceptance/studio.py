"""The promises of the studio: real browsers, real refusals, and that no text editor is needed."""

from __future__ import annotations

import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

_PORTS = "tests/studio/test_studio_server.py tests/studio/test_overview.py"


def laid_out(ground: Ground) -> str:
    """Open, pick a shot, 50 mm and T2, add a key, drag it, play, undo, save; the disk and the render agree."""
    return _tests("tests/studio/test_studio_page.py", "laid_out_in_the_page")


def refused(ground: Ground) -> str:
    """Foreign origin, wrong token, path traversal, 100 MB, garbage; the overview's own port too."""
    return _tests(_PORTS, "refuse or token or path or garbage")


def eight_shots(ground: Ground) -> str:
    """From one shot to eight with mouse and keyboard."""
    return _tests("tests/studio/test_studio_page.py", "eight_shots")


def going_on(ground: Ground) -> str:
    """A lost connection, a film with errors, two people at one key, a renderer that fails."""
    return _tests("tests/studio", "line_is_down or film_with_errors or two_people or fails")


def handed_on(ground: Ground) -> str:
    """Renders with cancel, stills, storyboard, shot list, camera files."""
    return _tests("tests/studio/test_studio_output.py", "")


def _tests(files: str, words: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-o",
        "addopts=",
        "-q",
        *files.split(),
        *(["-k", words] if words else []),
    ]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout.strip().splitlines()[-1]
    assert "passed" in said
    assert "skipped" not in said, "a promise of the studio needs playwright, Chromium and viser"
    return said


PROMISES = (
    Promise("A shot laid out in the studio is what its file holds and, to the pixel, what is rendered", laid_out),
    Promise("The studio refuses strangers on every port, and whatever is malformed", refused),
    Promise("Eight shots are laid out in the studio without a text editor", eight_shots),
    Promise("The studio goes on when lines, files, renderers or people get in its way, and loses no edit", going_on),
    Promise("The studio hands on renders, stills, storyboard, shot list and camera files", handed_on),
)
