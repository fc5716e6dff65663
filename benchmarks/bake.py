"""The bake of the flat at `preview`, as `splatfilm make` does it: minutes, and the views held out before and after.

Takes half an hour on two cores: the reconstruction itself is most of it and is not counted. Beside the minutes stand
those that two cores need by the processor's own time, which other people's work does not stretch. In the folder that
the environment's `SPLATFILM_BENCH_OUT` names, a reconstruction that was begun is taken up again; a bake never is.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row, main
from splatfilm.capture import read_capture
from splatfilm.reconstruct import reconstruct, settings_for
from splatfilm.refine.asset import bake_asset
from splatfilm.refine.recipe import recipe_for

FLAT = Path(__file__).resolve().parents[1] / "captures" / "flat"
MINUTES = {"draft": 4.0, "preview": 12.0}


def measure() -> list[Row]:
    """Both presets that are meant for two cores."""
    return [row for preset in MINUTES for row in baked(preset)]


def baked(preset: str) -> list[Row]:
    """One preset: teaching and baking together, without the reconstruction."""
    capture, settings = read_capture(FLAT), settings_for(preset)
    with tempfile.TemporaryDirectory() as folder:
        made = reconstruct(capture, settings, Path(os.environ.get("SPLATFILM_BENCH_OUT", folder)))
        there = Path(folder) / "asset"
        shutil.copytree(made.folder, there, ignore=shutil.ignore_patterns("refiner"))
        made = dataclasses.replace(made, folder=there)
        started, spent = time.perf_counter(), time.process_time()
        record = bake_asset(capture, made, settings, recipe_for(preset), Path(folder)).record
        minutes, cores = (time.perf_counter() - started) / 60, (time.process_time() - spent) / 60
    before, after, truth = record["before"], record["after"], record["photographs"]["sharpness"]
    return [
        Row(f"bake/{preset}-minutes", minutes, "min", MINUTES[preset]),
        Row(f"bake/{preset}-minutes-of-the-processor-by-two", cores / 2, "min"),
        Row(f"bake/{preset}-psnr-before", before["psnr"], "dB"),
        Row(f"bake/{preset}-psnr-gain", after["psnr"] - before["psnr"], "dB", 0.0, "higher"),
        Row(f"bake/{preset}-ssim-gain", after["ssim"] - before["ssim"], "", 0.0, "higher"),
        Row(f"bake/{preset}-sharpness-before", before["sharpness"] / truth, "of the photographs'"),
        Row(f"bake/{preset}-sharpness-after", after["sharpness"] / truth, "of the photographs'"),
        Row(f"bake/{preset}-rounds-kept", record["kept"], "rounds"),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
