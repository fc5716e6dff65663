"""The promises of the renderer: exact pixels, film passes, files that the rest of the pipeline opens."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

FILM = "cameras/morning/film.toml"
PASSES = "alpha,depth,depth-median,depth-front,normal,position,motion,id"
TIGHT = (("RENDER_FORWARD", 2e-5), ("RENDER_GRADIENT", 1e-4))


def parity_with_the_reference(ground: Ground) -> str:
    """20 random small scenes against the dense float64 reference, pictures and gradients."""
    clone = ground.clone("test")
    _make(clone, ".venv/.test")
    tolerances = (clone / "tests/tolerances.py").read_text(encoding="utf-8")
    for name, bar in TIGHT:
        (line,) = [line for line in tolerances.splitlines() if line.startswith(f"{name} =")]
        assert float(line.split("=")[1]) <= bar, f"{line}: the promise is {bar}"
    return _tests(clone, "tests/render/test_render_cpu.py", "-k", "has_the_references_pixels_and_gradients", least=20)


def other_programs_open_our_files(ground: Ground) -> str:
    """OpenImageIO reads every channel and header value, the public Cryptomatte the masks; nothing is skipped."""
    clone = ground.clone("test")
    _make(clone, ".venv/.test")
    return _tests(clone, "tests/shots/test_exr_readers.py", "tests/shots/test_cryptomatte.py", least=4)


def the_same_bits_on_any_processor(ground: Ground) -> str:
    """A frame of the film with every pass: 1, 2 and 4 threads, a process each, every instruction set that is here."""
    clone = ground.clone("film")
    _make(clone, "film")
    sets = json.loads(_python(clone, _INSTRUCTION_SETS))
    hashes: dict[str, str] = {}
    for name in sets:
        for threads in ("1", "2", "4"):
            hashes[f"{name} with {threads} threads"] = _pixels(clone, SPLATFILM_ISA=name, SPLATFILM_THREADS=threads)
    assert len(set(hashes.values())) == 1, hashes
    return f"{len(hashes)} processes ({', '.join(sets)}), pixel hash {next(iter(hashes.values()))[:16]}"


def taking_a_thing_away_touches_nothing_else(ground: Ground) -> str:
    """Every member of the morning film's cast, in the first, middle and last frame of every shot."""
    clone = ground.clone("film")
    _make(clone, "film")
    said = run([str(clone / ".venv/bin/python"), "-m", "tests.acceptance.removal", FILM, "out"], clone).stdout
    found = json.loads(said)
    words = []
    for member, (covered, changed, outside) in found.items():
        assert outside == 0, f"{member}: {outside} pixels outside its footprint changed"
        words.append(f"{member} ({covered} pixels, {changed} of them changed)")
    assert any(changed for _, changed, _ in found.values()), "nobody of the cast is in any shot: nothing was tried"
    return f"not one pixel changed outside {', '.join(words)}"


def pictures_of_a_gpu(ground: Ground) -> str:
    """Against what gsplat drew on a GPU, where such pictures are stored: within 1/255 but for one pixel in 1000."""
    file = "tests/render/test_render_gsplat_reference.py"
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-rs", file, "-k", "cpu_draws_what_gsplat_drew"]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout
    if reason := re.search(r"SKIPPED.*?: (.+)", said):
        return f"NOT TRIED, {reason[1]}"
    assert "1 passed" in said, said
    return said.strip().splitlines()[-1]


def neon(ground: Ground) -> str:
    """Forward and backward, pinhole and bent, by an emulated ARM processor and by every instruction set here."""
    return _here("tests/render/test_render_arm.py")


def modes_side_by_side(ground: Ground) -> str:
    """Each kind alone and both together; pictures, gradients, instruction sets."""
    return _here("tests/render/test_render_mixed_modes.py")


def bad_numbers(ground: Ground) -> str:
    """Poisoned values, needles, a million splats on a pixel, pictures of 1x1 and 8192x4320, passes beyond memory."""
    return _here("tests/render/test_render_bad_numbers.py", "tests/render/test_render_bounds.py")


def _here(*files: str) -> str:
    """The last line of pytest in this working copy; "not tried" where a test says what it lacks."""
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-rs", *files]
    said = run(command, REPOSITORY, PYTHONPATH=str(REPOSITORY)).stdout
    last = said.strip().splitlines()[-1]
    if "passed" not in last and (reason := re.search(r"SKIPPED.*?: (.+)", said)):
        return f"NOT TRIED, {reason[1]}"
    assert "passed" in last and "failed" not in last, said
    return last


def _make(clone: Path, target: str) -> None:
    run(["make", target], clone)


def _pixels(clone: Path, **environment: str) -> str:
    command = [
        str(clone / ".venv/bin/splatfilm"),
        "render",
        FILM,
        "--shot",
        "020",
        "--frames",
        "1130",
        "--size",
        "half",
    ]
    said = run([*command, "--passes", PASSES, "--take", "new", "--json"], clone, **environment).stdout
    (shot,) = json.loads(said)["shots"]
    assert shot["drawn"] == 1
    return str(shot["pixels"])


def _python(clone: Path, code: str) -> str:
    return run([str(clone / ".venv/bin/python"), "-c", code], clone).stdout


def _tests(clone: Path, *arguments: str, least: int) -> str:
    """The last line of pytest, which must tell of at least so many tests and of none that was skipped."""
    done = run([str(clone / ".venv/bin/python"), "-m", "pytest", *arguments], clone)
    said = done.stdout.strip().splitlines()[-1]
    assert "skipped" not in said, said
    assert int(said.split(" passed")[0].split()[-1]) >= least, said
    return said


_INSTRUCTION_SETS = """
import json
from splatfilm.render.kernels import instruction_sets
print(json.dumps(instruction_sets()))
"""

PROMISES = (
    Promise("pictures and gradients are the float64 reference's", parity_with_the_reference),
    Promise("EXR files open in OpenImageIO and their Cryptomatte decodes", other_programs_open_our_files),
    Promise("every pass has the same bits on any number of threads and any processor", the_same_bits_on_any_processor),
    Promise("pictures are those of gsplat on a GPU, but for flips at thresholds", pictures_of_a_gpu),
    Promise("an ARM processor gives the bits of every other", neon),
    Promise("classic and antialiased splats in one scene are each drawn as alone", modes_side_by_side),
    Promise("no splats, sizes or passes crash, hang or darken the renderer", bad_numbers),
    Promise("taking a thing away leaves all other pixels as they are", taking_a_thing_away_touches_nothing_else),
)
