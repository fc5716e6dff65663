"""The promises of the comparison: baselines in, baselines made, the miniature, the report in a browser."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.acceptance.promise import Ground, Promise, run

FILM = "cameras/morning/film.toml"
MINUTES = 60.0


def every_bad_clip_is_named(ground: Ground) -> str:
    """Sizes, rates, rotation, HDR, letterbox, damage, hashes, paths: the tests that make such clips."""
    return _tests(ground, "tests/compare/test_baselines_in.py")


def three_tiny_pipelines_run_offline(ground: Ground) -> str:
    """Wan, LTX and CogVideoX with random weights through the adapters."""
    return _tests(ground, "tests/compare/test_baselines_made.py", HF_HUB_OFFLINE="1")


def the_report_opens_in_a_browser(ground: Ground) -> str:
    """The page of a tiny film from the disk in Chromium: pixels read back, keys, deep links, blind mode."""
    clone = ground.clone("test")
    run([str(clone / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "playwright"], clone)
    return _tests(ground, "tests/compare/test_report.py")


def the_morning_film_with_the_miniature(ground: Ground) -> str:
    """The sample film, the miniature with four takes a shot and every trivial row in one report."""
    clone = ground.clone("film")
    run(["make", "film"], clone)
    splatfilm = str(clone / ".venv/bin/splatfilm")
    started = time.monotonic()
    run([splatfilm, "baseline", "mini", FILM, "--pictures", "12", "--steps", "400"], clone)
    trained = time.monotonic() - started
    started = time.monotonic()
    said = json.loads(run([splatfilm, "report", FILM, "--json"], clone).stdout)
    took = time.monotonic() - started
    assert took < 10 * MINUTES, f"the report took {took / MINUTES:.1f} minutes"
    page = Path(clone / said["page"]).read_text(encoding="utf-8")
    assert "It shows the mechanism (new noise = new picture), not the level, of real video models." in page
    verdicts = said["verdicts"]
    rows = {"ours", "ours-bare", "ours-codec", "frozen", "nearest", "mean", "mini-camera", "mini-text"}
    assert rows <= set(verdicts), f"rows {', '.join(verdicts)}"
    assert verdicts["ours-bare"]["back"]["word"].startswith("exact")
    assert verdicts["ours"]["room"]["tone"] == "good"
    assert verdicts["frozen"]["room"]["tone"] != "good", "a frozen frame must not be praised"
    ours = verdicts["ours"]["room"]["value"]
    return f"miniature {trained / MINUTES:.1f} minutes, report {took / MINUTES:.1f} minutes, ours {ours}"


def _tests(ground: Ground, path: str, **environment: str) -> str:
    clone = ground.clone("test")
    run(["make", "test"], clone)
    python = str(clone / ".venv/bin/python")
    done = run([python, "-m", "pytest", "-m", "", path], clone, **environment)
    return done.stdout.strip().splitlines()[-1]


PROMISES = (
    Promise("every bad clip of a baseline is named and the rest is compared", every_bad_clip_is_named),
    Promise("three tiny video pipelines run offline through the adapters", three_tiny_pipelines_run_offline),
    Promise("the report opens from the disk in a browser", the_report_opens_in_a_browser),
    Promise(
        "the morning film, the miniature and all trivial rows stand in one report", the_morning_film_with_the_miniature
    ),
)
