"""The promises of the performed film: Ada's morning, once, in eight shots."""

from __future__ import annotations

import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run


def made_on_real_splats(ground: Ground) -> str:
    """Make the whole film (what is cached in `out` stays), then look at its moments, looks and frames."""
    film = str(REPOSITORY / "cameras" / "morning" / "film.toml")
    run([sys.executable, "-m", "splatfilm", "make", film, "-q"], REPOSITORY, PYTHONPATH=str(REPOSITORY))
    made = {"SPLATFILM_MADE": str(REPOSITORY / "out")}
    return _tests("tests/performed/test_the_morning_rendered.py", **made)


def by_numbers(ground: Ground) -> str:
    """Feet, furniture, brush and cuts, over every shot."""
    return _tests("tests/performed/test_the_morning.py")


def layers_survive_a_kill(ground: Ground) -> str:
    """A garment's training, interrupted and taken up again."""
    return _tests("tests/reconstruct/test_layers.py")


def _tests(path: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", path]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY), **environment).stdout.strip().splitlines()[-1]
    assert "passed" in said
    assert "skipped" not in said
    return said


PROMISES = (
    Promise("Feet stand within 3 mm, the brush stays in the fist within 2 mm and reaches the mouth", by_numbers),
    Promise("A garment's training that was killed ends with the same bits", layers_survive_a_kill),
    Promise("Two shots of a moment see equal splats; a gown changes no pixel outside itself", made_on_real_splats),
)
