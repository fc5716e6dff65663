"""The promises of the studio: real browsers, real refusals, and that no text editor is needed."""

from __future__ import annotations

import json
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
    """From one shot to eight with mouse and keyboard, and the sample film's own eight, to the position."""
    return _tests("tests/studio", "eight_shots")


def walked_through(ground: Ground) -> str:
    """The guide's two minutes, step by step: two people, five set-ups, focus, a dolly zoom, the cut, the papers."""
    return _tests("tests/studio/test_studio_walk.py", "dialogue or guide")


def gizmo(ground: Ground) -> str:
    """A gizmo dragged in the overview: the document, one undo step, the camera file."""
    return _tests("tests/studio", "gizmo or overview_opens")


def pictures(ground: Ground) -> str:
    """The script of the guide's pictures, at 1280x720 and at 1920x1080."""
    return _tests("tests/studio/test_studio_pictures.py", "")


def quick(ground: Ground) -> str:
    """The bars of the studio's speed, on a film that is made."""
    film = REPOSITORY / "cameras" / "morning" / "film.toml"
    out, path = str(REPOSITORY / "out"), str(REPOSITORY)
    one = ["--shot", "030", "--frames", "1206", "--out", out]  # all assets of the scene are made for one frame of it
    run([sys.executable, "-m", "splatfilm", "render", str(film), *one], REPOSITORY, PYTHONPATH=path)
    done = run([sys.executable, "-m", "benchmarks.studio", "--check"], REPOSITORY, PYTHONPATH=path)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(row["name"] == "studio/browser-drag" for row in rows), "the speed of the page needs playwright"
    return ", ".join(f"{row['name'].removeprefix('studio/')} {row['value']:.3g} {row['unit']}" for row in rows)


def going_on(ground: Ground) -> str:
    """A lost connection, a film with errors, two people at one key, a renderer that fails or takes its time."""
    return _tests("tests/studio", "line_is_down or film_with_errors or two_people or fails or takes_its_time")


def handed_on(ground: Ground) -> str:
    """Renders with cancel, stills, storyboard, shot list, camera files."""
    return _tests("tests/studio", "studio_output or studio_commands or goes_out_of_the_page or the_cut_plays")


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
    Promise("A dialogue is laid out in the studio from nothing, by the steps of its guide", walked_through),
    Promise("What is dragged in the studio's overview is the camera", gizmo),
    Promise("The studio's pictures are taken by their script", pictures),
    Promise("The studio goes on when lines, files, renderers or people get in its way, and loses no edit", going_on),
    Promise("The studio hands on renders, stills, storyboard, shot list and camera files", handed_on),
    Promise("The studio follows hands, keys and a million splats as quickly as it must, and idles", quick),
)
