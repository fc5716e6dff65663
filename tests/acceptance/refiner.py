"""The promises of the scene refiner and the bake: an edit stays where it is, and what was measured to help helps."""

from __future__ import annotations

import json
import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

LEAST_BAKED = 0.7  # dB on views that nothing has seen
LEAST_REFINED = 1.5  # frame by frame
LEAST_CUT = 0.95  # FSC of every cut of the refined film
LEAST_RETURN = 35.0  # dB, where a camera comes back


def an_edit_stays_in_reach(ground: Ground) -> str:
    """A prop is moved before a set: refined pixels outside its footprints and the reach are the same bits.

    What a big model changes there is measured beside it and told; nothing is promised of it.
    """
    found = json.loads(run([sys.executable, "-m", "tests.acceptance.moved_prop"], REPOSITORY, **_here()).stdout)
    assert found["changed near"] > 0, "moving the prop changed nothing"
    assert found["changed beyond the reach"] == 0
    assert found["baked: changed outside the footprints"] == 0
    return ", ".join(f"{name} {value}" for name, value in found.items())


def the_same_bits(ground: Ground) -> str:
    """Tiles, threads, kills, sizes off the grid; teaching and baking that were stopped."""
    files = ["tests/refine/test_net.py", "tests/refine/test_train.py", "tests/refine/test_bake.py"]
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", *files]
    said = run(command, REPOSITORY, **_here()).stdout.strip().splitlines()[-1]
    assert "passed" in said
    assert "skipped" not in said
    return said


def sparse_gains(ground: Ground) -> str:
    """The flat from every fourth photograph, as the benchmark measures it."""
    lines = run([sys.executable, "-m", "benchmarks.refiner"], REPOSITORY, **_here()).stdout.splitlines()
    rows = {row["name"]: row["value"] for row in map(json.loads, lines)}
    refined, baked = rows["sparse/refiner-psnr-gain"], rows["sparse/baked-psnr-gain"]
    assert baked >= LEAST_BAKED, f"the baked flat gains {baked:.2f} dB"
    assert rows["sparse/baked-ssim-gain"] > 0
    assert refined >= LEAST_REFINED, f"refined frame by frame it gains {refined:.2f} dB"
    assert rows["sparse/anchored-revisit"] == rows["sparse/one-step-revisit"] > rows["sparse/plain-noise-revisit"]
    alone = rows["sparse/baked-without-refined-views-psnr-gain"]
    return (
        f"baked {baked:+.2f} dB (photographs alone {alone:+.2f}), refined frame by frame {refined:+.2f} dB; "
        f"a camera comes back to the bit, with plain noise to {rows['sparse/plain-noise-revisit']:.1f} dB"
    )


def plain_noise_is_worse(ground: Ground) -> str:
    """The morning film's wides and one cut, refined from anchored noise and from plain noise of every frame."""
    lines = run([sys.executable, "-m", "benchmarks.refined_film"], REPOSITORY, **_here()).stdout.splitlines()
    rows = {row["name"].removeprefix("film/"): row["value"] for row in map(json.loads, lines)}
    cuts = {name: value for name, value in rows.items() if name.startswith("default-cut")}
    assert cuts and min(cuts.values()) >= LEAST_CUT, f"{cuts}"
    returns = {mode: rows[f"{mode}-revisit-010-080"] for mode in ("default", "one-step", "anchored", "plain-noise")}
    assert min(returns["default"], returns["one-step"], returns["anchored"]) >= LEAST_RETURN, f"{returns}"
    assert returns["plain-noise"] < LEAST_RETURN, f"{returns}"
    boiling, nailed = (rows[f"{mode}-views-differ-more-at-worst"] for mode in ("plain-noise", "anchored"))
    assert boiling > 2 * nailed, f"neighbouring frames differ by {boiling:.2f} and {nailed:.2f} of 255 more"
    return (
        f"cuts {min(cuts.values()):.3f} at worst; the return {returns['default']:.1f} dB, in several steps "
        f"{returns['anchored']:.1f}, with plain noise {returns['plain-noise']:.1f}"
    )


def _here() -> dict[str, str]:
    return {"PYTHONPATH": str(REPOSITORY)}


PROMISES = (
    Promise(
        "Moving a prop changes no refined pixel beyond the refiner's reach, and none at all with bake",
        an_edit_stays_in_reach,
    ),
    Promise("A refiner and a bake are the same bits in tiles, at any thread count, and after a kill", the_same_bits),
    Promise(
        "From every fourth photograph the flat gains, baked and refined, on views that nothing has seen", sparse_gains
    ),
    Promise("The refined film keeps its cuts and its return, and plain noise does not", plain_noise_is_worse),
)
