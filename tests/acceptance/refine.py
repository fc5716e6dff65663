"""What refinement promises: noise that is white and anchored, refined frames beside bare ones, the bare film back."""

from __future__ import annotations

import json

from tests.acceptance.promise import Ground, Promise, run


def noise_keeps_its_statistics(ground: Ground) -> str:
    """Every row of the benchmark but the times, which a busy machine may miss."""
    said = _try(ground, "benchmarks.refine")
    rows = {row["name"]: row for row in map(json.loads, said.splitlines())}
    judged = {name: row for name, row in rows.items() if row["ok"] is not None and row["unit"] != "s"}
    missed = [f"{name} {row['value']:.4f}" for name, row in judged.items() if not row["ok"]]
    assert not missed, ", ".join(missed)
    near, low = (rows[f"refine/noise-5-degrees-exact-depth{end}"]["value"] for end in ("", "-low-passed"))
    return f"{len(judged)} rows; 5 degrees apart {near:.2f}, low-passed {low:.2f}; coming back exactly 1"


def thirty_seeds_are_normal(ground: Ground) -> str:
    """The Kolmogorov-Smirnov test over thirty seeds, region by region."""
    _try(ground, "pytest", "-q", "tests/refine/test_noise.py")
    return "p-values uniform in all, edges, grazing and sky; kernel and torch agree to the bit"


def refined_takes_hold(ground: Ground) -> str:
    """Refined frames beside bare ones, resumed after a real kill, lowered as a whole, and the bare film back."""
    _try(ground, "pytest", "-q", "tests/shots/test_refined_takes.py")
    return "bare frames untouched, a killed refine resumed, NaN kept bare, --off cuts the bare film"


def _try(ground: Ground, *arguments: str) -> str:
    """Run a module of a fresh clone with its own Python; what it says."""
    clone = ground.clone("test")
    run(["make", ".venv/.test"], clone)
    return run([str(clone / ".venv/bin/python"), "-m", *arguments], clone).stdout


PROMISES = (
    Promise("anchored noise is white in every region and agrees between views", noise_keeps_its_statistics),
    Promise("anchored noise of thirty seeds is normal, and kernel and torch agree", thirty_seeds_are_normal),
    Promise("refined takes stand beside bare ones, resume, and give way to the bare film", refined_takes_hold),
)
