"""The promises of continuity: what faults do to the scores, what the guards stop, and a film that is held to them."""

from __future__ import annotations

import json
import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

FOLDER = "tests/compare"
FILM = "cameras/morning/film.toml"
LEAST_FSC, LEAST_OF_ALL, LEAST_REVISIT = 0.95, 0.9, 35.0  # of cuts; of every two shots; dB of returns


def ladders(ground: Ground) -> str:
    """Every graded fault of a follow-up shot lowers its score, step by step."""
    return _tests("step_by_step or lowers or every_step", "test_follow_up.py", "test_other_measures.py")


def guards(ground: Ground) -> str:
    """Flat, blurred, frozen and copied clips get no score, but a reason."""
    return _tests("blocked or flagged or guard", "test_follow_up.py", "test_within_shots.py")


def moved_bed(ground: Ground) -> str:
    """A bed moved by 20 cm, and a crate moved in a rendered film, are named."""
    return _tests("moved", "test_follow_up.py", "test_supervisor.py")


def turned_camera(ground: Ground) -> str:
    """A camera turned by 5 degrees is found to 0.05 degrees; continuity is then whole."""
    return _tests("recovered or reported_as_camera", "test_within_shots.py", "test_follow_up.py")


def bare_film(ground: Ground) -> str:
    """The small film rendered by one process and supervised by another: exact, and exact again with one thread."""
    folder = ground.folder / "continuity"
    code = "import sys; sys.path.insert(0, 'tests/compare'); from pathlib import Path; import small_film; "
    where = {"PYTHONPATH": str(REPOSITORY)}
    run([sys.executable, "-c", f"{code}small_film.build_film(Path({str(folder)!r}))"], REPOSITORY, **where)
    command = [sys.executable, "-m", "splatfilm"]
    run([*command, "render", "film.toml", "--threads", "2"], folder, **where)
    said = run([*command, "continuity", "film.toml", "--threads", "1", "--json"], folder, **where).stdout
    found = json.loads(said)
    reached = {item["kind"]: item["reached"] for item in found["findings"]}
    assert found["holds"] and reached["frames"] == 1.0 and reached["revisit"] == "inf", reached
    return f"determinism {reached['frames']:.0%}, revisit exact, FSC {reached['cut']:.2f}"


def refined_film(ground: Ground) -> str:
    """The sample film, refined and held against itself: every cut and return reaches its goal, and all is told."""
    clone = ground.clone("film")
    run(["make", "film"], clone)
    splatfilm = str(clone / ".venv/bin/splatfilm")
    bare = json.loads(run([splatfilm, "continuity", FILM, "--bare", "--json"], clone).stdout)
    assert all(f["reached"] == 1.0 for f in bare["findings"] if f["kind"] == "frames"), "bare frames are not exact"
    run([splatfilm, "refine", FILM, "--look", "natural"], clone)
    run([splatfilm, "continuity", FILM, "--fsc", str(LEAST_OF_ALL), "--revisit", str(LEAST_REVISIT)], clone)
    stored = json.loads((clone / "out/morning/continuity/continuity.json").read_text(encoding="utf-8"))
    assert {kind.split()[0] for kind in stored["frames"].values()} == {"refined"}
    found = [f for f in stored["findings"] if f["reached"] is not None]
    cuts = [f["reached"] for f in found if f["kind"] == "cut"]
    returns = [f["reached"] for f in found if f["kind"] == "revisit"]
    assert cuts and returns
    assert min(cuts) >= LEAST_FSC, f"cuts {cuts}"
    assert min(returns) >= LEAST_REVISIT, f"returns {returns}"
    low = min((f for f in found if f["kind"] == "follow-up"), key=lambda f: f["reached"])
    others = f"other pairs of shots from {low['reached']:.3f} ({low['a']} > {low['b']})"
    return f"cuts from {min(cuts):.3f}, returns from {min(returns):.1f} dB, {others}"


def _tests(words: str, *files: str) -> str:
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", *(f"{FOLDER}/{f}" for f in files), "-k", words]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout.strip().splitlines()[-1]
    assert "passed" in said
    assert "skipped" not in said
    return said


PROMISES = (
    Promise("Continuity falls with every step of drift, moved things, casts, noise and blur", ladders),
    Promise("Flat, blurred, frozen and copied clips are blocked by a guard", guards),
    Promise("A bed moved by 20 cm is named as the object that changed", moved_bed),
    Promise("A camera error of 5 degrees is recovered to 0.05 degrees and is no drift", turned_camera),
    Promise("A bare film's revisits and determinism are exact", bare_film),
    Promise("The refined morning film keeps its cuts and its returns", refined_film),
)
