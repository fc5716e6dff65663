"""The promises of the scene refiner and the bake: an edit stays where it is, and what was measured to help helps."""

from __future__ import annotations

import json
import sys

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

LEAST_BAKED = 0.7  # dB on views that nothing has seen
LEAST_REFINED = 1.5  # frame by frame


def an_edit_stays_in_reach(ground: Ground) -> str:
    """A prop is moved before a set: refined pixels outside its footprints and the reach are the same bits."""
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
)
