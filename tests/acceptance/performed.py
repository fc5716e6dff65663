"""The promises of the performed film: Ada's morning, once, in eight shots."""

from __future__ import annotations

import json
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


def staged_in_time(ground: Ground) -> str:
    """The stage's share of a frame's CPU time, in the film that was made above."""
    command = [sys.executable, "-c", _SHARE.format(folder=str(REPOSITORY / "out"))]
    rows = json.loads(run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout.splitlines()[-1])
    said = ", ".join(f"{name} {value:.1f}" for name, value in rows.items())
    assert rows["film/stage-share"] <= 15, said
    return said


_SHARE = """
import json
from pathlib import Path
from benchmarks.film import stage_share
print(json.dumps({{row.name: row.value for row in stage_share(Path("{folder}"))}}))
"""


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
    Promise(
        "Feet stand within 3 mm, nobody walks through the bed, the brush stays in the fist and reaches the mouth",
        by_numbers,
    ),
    Promise("A garment's training that was killed ends with the same bits", layers_survive_a_kill),
    Promise("Two shots of a moment see equal splats; a gown changes no pixel outside itself", made_on_real_splats),
    Promise("The stage takes at most 15 % of the time that the film is rendered in", staged_in_time),
)
