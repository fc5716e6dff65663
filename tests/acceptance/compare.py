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
    said = _tests(ground, "tests/compare/test_baselines_made.py", HF_HUB_OFFLINE="1")
    text = (ground.clone("test") / "README.md").read_text(encoding="utf-8")
    for word in ("splatfilm baseline run", "--model", "hf download"):
        assert word in text, f"the README does not say {word}"
    return said


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
    back = verdicts["ours-bare"]["back"]
    assert back["tone"] == "good", f"the bare film comes back as {back['word']}, {back['value']}"
    assert verdicts["ours"]["room"]["tone"] == "good"
    assert verdicts["frozen"]["room"]["tone"] != "good", "a frozen frame must not be praised"
    ours = verdicts["ours"]["room"]["value"]
    takes = json.loads(Path(clone / said["json"]).read_text(encoding="utf-8"))["methods"]
    (mini,) = [method for method in takes if method["method"] == "mini-camera"]
    assert len(mini["shots"]) == 4 * 8, "four takes of eight shots"
    run([str(clone / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "playwright"], clone)
    looked = run([str(clone / ".venv/bin/python"), "-c", LOOK, said["page"]], clone).stdout.strip()
    minutes = f"miniature {trained / MINUTES:.1f} minutes, report {took / MINUTES:.1f} minutes"
    return f"{minutes}, ours {ours}; in the browser: {looked}"


LOOK = """
import os, pathlib, shutil, sys
from playwright.sync_api import sync_playwright
program = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
wrong = []
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(pathlib.Path(sys.argv[1]).resolve().as_uri())
    heading = page.locator("h2").first.inner_text()
    rows = page.locator(".verdicts tr[data-method]").count()
    page.keyboard.press("v")
    page.wait_for_function("document.body.dataset.shown", timeout=60000)
    browser.close()
assert not wrong, wrong
assert rows >= 8, rows
print(f"{heading} {rows} methods, first frame shown")
"""


def the_report_is_in_time(ground: Ground) -> str:
    """Eight shots and three baselines, nothing cached; and memory that does not grow with a clip's length.

    Beside the time that counts (benchmarks/comparison.py says which) stand the wall's, the CPU's and others' share.
    """
    clone = ground.clone("film")
    run(["make", "film"], clone)
    python = str(clone / ".venv/bin/python")
    figures = []
    for benchmark in ("benchmarks.comparison", "benchmarks.compare"):
        rows = [json.loads(line) for line in run([python, "-m", benchmark], clone).stdout.splitlines()]
        missed = [row["name"] for row in rows if row["ok"] is False]
        assert not missed, f"missed: {', '.join(missed)}"
        told = [row for row in rows if row["ok"] or row["name"].startswith("compare/report/")]
        figures += [f"{row['name']} {row['value']:.2f} {row['unit']}" for row in told]
    return ", ".join(figures)


def edits_exports_and_pictures_alone(ground: Ground) -> str:
    """What reviewers take away, edits with their outline, and clips that never saw the scene."""
    clone = ground.clone("test")
    run(["make", ".venv/.test"], clone)
    python = str(clone / ".venv/bin/python")
    run([python, "-m", "pip", "install", "--quiet", "pycolmap>=3.12", "opentimelineio>=0.18"], clone)
    said = _tests(ground, "tests/compare/test_exporting.py", "tests/compare/test_pictures_alone.py")
    assert "skipped" not in said
    return said


def _tests(ground: Ground, *paths: str, **environment: str) -> str:
    clone = ground.clone("test")
    run(["make", ".venv/.test"], clone)
    python = str(clone / ".venv/bin/python")
    done = run([python, "-m", "pytest", "-m", "", *paths], clone, **environment)
    return done.stdout.strip().splitlines()[-1]


PROMISES = (
    Promise("every bad clip of a baseline is named and the rest is compared", every_bad_clip_is_named),
    Promise("three tiny video pipelines run offline through the adapters", three_tiny_pipelines_run_offline),
    Promise("the report opens from the disk in a browser", the_report_opens_in_a_browser),
    Promise(
        "the morning film, the miniature and all trivial rows stand in one report", the_morning_film_with_the_miniature
    ),
    Promise("the report of eight shots and three baselines takes at most ten minutes", the_report_is_in_time),
    Promise("clips go to other players, and are judged by their pictures alone", edits_exports_and_pictures_alone),
)
