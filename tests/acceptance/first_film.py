"""The promises of the first film: from captures to a cut with one command."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests.acceptance.promise import Ground, Promise, run

FILM = "cameras/morning/film.toml"
MINUTES = 60.0


def make_film_in_a_fresh_clone(ground: Ground) -> str:
    """`make film` with nothing but Python and a compiler: the cut, the contact sheet, manifests, held-out PSNR."""
    clone = ground.clone("film")
    started = time.monotonic()
    run(["make", "film"], clone)
    took = time.monotonic() - started
    assert took < 25 * MINUTES, f"took {took / MINUTES:.1f} minutes"
    out = clone / "out" / "morning"
    summary = json.loads((out / "film.json").read_text(encoding="utf-8"))
    shots = json.loads(_splatfilm(clone, "info", FILM, "--json"))["shots"]
    planned = sum(shot["frames"][1] - shot["frames"][0] + 1 for shot in shots)
    decoded = int(_python(clone, _COUNT_FRAMES, str(out / "morning.mp4")))
    assert decoded == planned == summary["frames"], f"{decoded} frames decoded, {planned} planned"
    assert (out / "contact-sheet.png").stat().st_size > 10_000
    manifests = sorted(out.glob("shots/*/v001/manifest.json"))
    assert len(manifests) == len(shots)
    scores = {name: asset["reconstruction"]["heldout_psnr"] for name, asset in summary["assets"].items()}
    assert scores
    assert all(score is not None for score in scores.values())
    figures = ", ".join(f"{name} {score:.1f} dB" for name, score in scores.items())
    return f"{took / MINUTES:.1f} minutes, {decoded} frames, held-out {figures}"


def make_film_again(ground: Ground) -> str:
    """A second run with nothing changed."""
    clone = ground.clone("film")
    started = time.monotonic()
    said = _splatfilm(clone, "make", FILM, "--json")
    took = time.monotonic() - started
    assert json.loads(said)["changed"] is False
    assert took < 5, f"took {took:.1f} s"
    return f"{took:.2f} s, Python's start included"


def make_test_in_a_fresh_clone(ground: Ground) -> str:
    """`make test` with nothing installed."""
    done = run(["make", "test"], ground.clone("test"))
    return done.stdout.strip().splitlines()[-1]


def the_same_pixels_every_time(ground: Ground) -> str:
    """Shot 020 rendered anew in two processes, with one thread and with two."""
    clone = ground.clone("film")
    hashes = []
    for threads in ("1", "2"):
        said = _splatfilm(clone, "render", FILM, "--shot", "020", "--take", "new", "--threads", threads, "--json")
        (shot,) = json.loads(said)["shots"]
        assert shot["drawn"] == len(shot["frames"]), "every frame is rendered anew"
        hashes.append(shot["pixels"])
    assert hashes[0] == hashes[1]
    return f"pixel hash {hashes[0][:16]} both times"


def every_planted_error_at_once(ground: Ground) -> str:
    """A broken film file: all that is wrong with it in one run."""
    clone = ground.clone("film")
    film = (clone / FILM).read_text(encoding="utf-8")
    planted = {
        'rate = "24"': "rate = 23.976",
        'kind = "set"': 'kind = "sett"',
        "[[shots]]": '[[shots]]\nfocus_puller = "Sam"',
    }
    for good, bad in planted.items():
        assert good in film, f"the sample film no longer says {good}"
        film = film.replace(good, bad, 1)
    film += '\n[[shots]]\nname = "010"\nscene = "nowhere"\ncamera = "gone.json"\nframes = [9, 1]\n'
    broken = clone / FILM.replace("film.toml", "broken.toml")
    broken.write_text(film, encoding="utf-8")
    done = run([str(clone / ".venv/bin/splatfilm"), "check", str(broken)], clone, expect=3)
    said = done.stdout + done.stderr
    for word in ("24000/1001", "sett", "focus_puller", "010", "nowhere", "gone.json", "[9, 1]"):
        assert word in said, f"nothing is said about {word}:\n{said}"
    return f"{len(planted) + 4} planted, all named"


def killed_ten_times(ground: Ground) -> str:
    """kill -9 at random moments of training and of rendering; hashes as of an unbroken run."""
    return _slow_tests(ground, "kill")


def nerfstudio_camera_paths(ground: Ground) -> str:
    """Every dialect is read or refused in plain words; poses and intrinsics equal nerfstudio's own."""
    clone = ground.clone("test")
    run([str(clone / ".venv/bin/python"), "-m", "pytest", "tests/cameras", "tests/interop"], clone)
    results = json.loads((clone / "tests/interop/results/nerfstudio-1.1.5.json").read_text(encoding="utf-8"))
    worst = max(results["largest"].values())
    assert worst <= 1e-6, f"largest deviation {worst}"
    assert all(case["ok"] for case in results["cases"])
    return f"largest deviation from nerfstudio 1.1.5 {worst:.1e} over {len(results['cases'])} cases"


def _slow_tests(ground: Ground, words: str) -> str:
    clone = ground.clone("test")
    done = run([str(clone / ".venv/bin/python"), "-m", "pytest", "-m", "slow", "-k", words], clone)
    return done.stdout.strip().splitlines()[-1]


def _splatfilm(clone: Path, *arguments: str) -> str:
    return run([str(clone / ".venv/bin/splatfilm"), *arguments], clone).stdout


def _python(clone: Path, code: str, *arguments: str) -> str:
    return subprocess.run(
        [str(clone / ".venv/bin/python"), "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout


_COUNT_FRAMES = """
import sys
import av
with av.open(sys.argv[1]) as movie:
    print(sum(1 for _ in movie.decode(video=0)))
"""

PROMISES = (
    Promise("`make film` makes the sample film in a fresh clone", make_film_in_a_fresh_clone),
    Promise("a second `make film` does only what changed", make_film_again),
    Promise("`make test` passes in a fresh clone", make_test_in_a_fresh_clone),
    Promise("a shot rendered twice has the same pixels", the_same_pixels_every_time),
    Promise("`splatfilm check` prints every planted error at once", every_planted_error_at_once),
    Promise("work that is killed ends with the same hashes", killed_ten_times),
    Promise("nerfstudio camera paths are read exactly or refused", nerfstudio_camera_paths),
)
