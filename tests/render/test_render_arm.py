"""The kernels on an ARM processor: built by a cross compiler and run by an emulator, where both are here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "splatfilm/render/csrc"
EXACT = [
    "-std=c++17",
    "-O2",
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-pthread",
]
X86 = {
    "portable": ["-DSPLATFILM_SMALL"],
    "avx2": ["-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mpopcnt"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mpopcnt"],
}
ARM = {"portable": ["-DSPLATFILM_SMALL"], "neon": []}


def built(folder: Path, compiler: str, sets: dict[str, list[str]], static: bool) -> Path:
    """The parity driver with the kernels of these instruction sets."""
    folder.mkdir()
    constants = SOURCES.parent / "constants.py"
    command = [sys.executable, str(SOURCES / "constants.py"), str(constants), str(folder / "constants.h")]
    subprocess.run(command, check=True)
    include = [f"-I{SOURCES}", f"-I{folder}"]
    commands, objects = [], []
    for name, flags in sets.items():
        objects.append(str(folder / f"{name}.o"))
        chosen = [f"-DSPLATFILM_ISA={name}", f'-DSPLATFILM_SIMD="simd_{name}.h"', "-fno-exceptions", "-fno-rtti"]
        source = [str(SOURCES / "kernels.cpp"), "-c", "-o", objects[-1]]
        commands.append([compiler, *EXACT, *flags, *chosen, *include, *source])
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each takes a minute or more
        list(pool.map(lambda one: subprocess.run(one, check=True), commands))
    program = folder / "driver"
    sources = [str(Path(__file__).with_name("parity_driver.cpp"))]
    sources += [
        str(SOURCES / f"{name}.cpp") for name in ("rasteriser", "blocks", "sort", "pool", "cpu", "skin", "loss")
    ]
    link = ["-static"] if static else []
    subprocess.run([compiler, *EXACT, *include, *sources, *objects, *link, "-pthread", "-o", str(program)], check=True)
    return program


@pytest.mark.slow
@pytest.mark.timeout(1800)  # compiling for another machine takes minutes
def test_neon_has_the_bits_of_every_other_instruction_set(tmp_path: Path) -> None:
    cross = shutil.which("aarch64-linux-gnu-g++")
    emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    native = shutil.which("g++")
    if platform.machine() != "x86_64" or not (cross and emulator and native):
        pytest.skip("needs an x86-64 machine with g++, aarch64-linux-gnu-g++ and qemu-user")
    programs = {
        "arm": ([emulator, str(built(tmp_path / "arm", cross, ARM, True))], ARM),
        "x86": ([str(built(tmp_path / "x86", native, X86, False))], X86),
    }
    hashes = {}
    for machine, (command, sets) in programs.items():
        for name in sets:
            done = subprocess.run([*command, name], capture_output=True, text=True)
            if done.returncode == 2 and name in ("avx2", "avx512"):
                continue  # not on this processor
            assert done.returncode == 0, done.stderr
            found, digest = done.stdout.split()
            assert found == name
            hashes[f"{machine} {name}"] = digest
    assert {"arm neon", "arm portable", "x86 portable"} <= hashes.keys()
    assert len(set(hashes.values())) == 1, hashes
