"""The film made by real processes, which are killed, interrupted, raced and starved of disk."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from tiny_film import TinyFilm, build_tiny

pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")

ROOT = Path(__file__).resolve().parents[2]
FRAMES = {"010": 60, "020": 10}
PICTURES = 60 * 3 + 10


def long_film(folder: Path) -> TinyFilm:
    """The tiny film with a first shot long enough to be killed in."""
    film = build_tiny(folder)
    film.edit("frames = [1001, 1012]", "frames = [1001, 1060]")
    film.camera("move.json", (1001, [0, -4, 1]), (1060, [3, -4, 2]))
    return film


def start(film: TinyFilm, *arguments: str, verb: str = "make", **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "splatfilm", verb, str(film.path), "--out", str(film.out), "--json", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SPLATFILM_THREADS": "2"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **pipes, **options)


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    value: dict[str, Any] = json.loads(out)
    return value


def hashes(made: dict[str, Any]) -> dict[str, Any]:
    return {
        shot["shot"]: [{name: p["sha256"] for name, p in frame["passes"].items()} for frame in shot["frames"]]
        for shot in made["shots"]
    }


def pictures(film: TinyFilm) -> list[Path]:
    return list(film.out.glob("tiny/shots/*/v*/tiny_*.png"))


def stop_when(process: subprocess.Popen[str], ready: Callable[[], bool], with_signal: int) -> bool:
    """Send the signal once `ready`; False when the process was done before."""
    deadline = time.monotonic() + 120
    while not ready():
        if process.poll() is not None:
            return False
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    process.send_signal(with_signal)
    return True


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyFilm, dict[str, Any]]:
    """The film, made in one go with two threads."""
    film = long_film(tmp_path_factory.mktemp("unbroken"))
    return film, result(start(film))


def test_make_leaves_a_cut_a_contact_sheet_and_a_summary(unbroken: tuple[TinyFilm, dict[str, Any]]) -> None:
    film, made = unbroken
    assert {name: len(frames) for name, frames in hashes(made).items()} == FRAMES
    with av.open(made["cut"]) as container:
        assert sum(1 for _ in container.decode(video=0)) == 70
    with Image.open(made["contact_sheet"]) as sheet:
        assert sheet.width == 1920 and sheet.height > 600
    summary = json.loads(Path(made["summary_file"]).read_text())
    assert summary["frames"] == 70 and [s["take"] for s in summary["shots"]] == ["v001", "v001"]
    assert made["changed"] and made["peak_memory_mib"] > 50
    assert list(made["seconds"]) == ["check", "reconstruct", "plan", "render", "refine", "cut", "contact sheet"]
    assert len(pictures(film)) == PICTURES


def test_making_again_does_nothing_and_needs_no_torch(unbroken: tuple[TinyFilm, dict[str, Any]]) -> None:
    film, made = unbroken
    before = {path: path.stat().st_mtime_ns for path in film.out.rglob("*") if path.name != ".lock"}
    code = (
        "import sys; from splatfilm.cli.main import main; code = main(); "
        "print([m for m in ('torch', 'av', 'rich') if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    command = [sys.executable, "-c", code, "make", str(film.path), "--out", str(film.out), "--json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    again = json.loads(done.stdout)
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert not again["changed"] and hashes(again) == hashes(made)
    assert {path: path.stat().st_mtime_ns for path in film.out.rglob("*") if path.name != ".lock"} == before


def kill_until_done(film: TinyFilm, kills: int, seed: int) -> dict[str, Any]:
    """Make the film, killing it `kills` times at random moments of rendering, then let it finish with one thread."""
    rng = random.Random(seed)
    done = 0
    for _ in range(kills):
        already = len(pictures(film))
        wanted = already + rng.randrange(0, max(1, (PICTURES - already) // 2))
        delay = rng.random() * 0.01
        process = start(film)

        def ready(wanted: int = wanted, delay: float = delay) -> bool:
            if len(pictures(film)) < wanted:
                return False
            time.sleep(delay)
            return True

        done += stop_when(process, ready, signal.SIGKILL)
        process.communicate()
        for path in pictures(film):
            with Image.open(path) as image:
                image.load()
    assert done == kills
    return result(start(film, "--threads", "1"))


def check_restarts(film: TinyFilm, expected: dict[str, Any], made: dict[str, Any]) -> None:
    assert hashes(made) == hashes(expected)
    assert [shot["take"] for shot in made["shots"]] == ["v001", "v001"]
    assert Path(made["cut"]).read_bytes() == Path(expected["cut"]).read_bytes()
    assert not list(film.out.rglob(".writing-*"))
    assert not list(film.out.rglob("journal.jsonl"))


def test_a_killed_film_is_finished_by_the_next_run(tmp_path: Path, unbroken: tuple[TinyFilm, dict[str, Any]]) -> None:
    film = long_film(tmp_path / "film")
    check_restarts(film, unbroken[1], kill_until_done(film, 2, random.randrange(1 << 30)))


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_the_same_film(
    tmp_path: Path, unbroken: tuple[TinyFilm, dict[str, Any]]
) -> None:
    for round_ in range(2):
        film = long_film(tmp_path / str(round_))
        check_restarts(film, unbroken[1], kill_until_done(film, 5, random.randrange(1 << 30)))


def test_an_interruption_exits_with_130_and_keeps_what_was_done(tmp_path: Path) -> None:
    film = long_film(tmp_path / "film")
    process = start(film)
    assert stop_when(process, lambda: len(pictures(film)) >= 20, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    journal = film.take("010") / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    kept = len(lines) - 1
    assert kept >= 6 and not (film.take("010") / "manifest.json").exists()
    assert not list(film.out.rglob(".writing-*"))
    made = result(start(film, verb="render"))
    assert made["shots"][0]["kept"] == kept and made["shots"][0]["drawn"] == 60 - kept


def test_two_processes_share_the_work(tmp_path: Path, unbroken: tuple[TinyFilm, dict[str, Any]]) -> None:
    film = long_film(tmp_path / "film")
    both = [result(process) for process in [start(film), start(film)]]
    assert hashes(both[0]) == hashes(both[1]) == hashes(unbroken[1])
    drawn = [sum(shot["drawn"] for shot in made["shots"]) for made in both]
    assert sum(drawn) == 70, "every frame was made once"
    assert Path(both[0]["cut"]).read_bytes() == Path(unbroken[1]["cut"]).read_bytes()


def with_file_limit(limit: int) -> Callable[[], None]:
    """No file may grow beyond `limit` bytes: how a disk that is full looks to a program."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def test_a_full_disk_is_named_and_costs_nothing_but_time(
    tmp_path: Path, unbroken: tuple[TinyFilm, dict[str, Any]]
) -> None:
    film = long_film(tmp_path / "film")
    process = start(film, preexec_fn=with_file_limit(8000))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 5, err
    assert "tiny_010_beauty_v001." in err and "cannot write" in err and "Traceback" not in err
    assert not pictures(film) and not list(film.out.rglob(".writing-*"))
    check_restarts(film, unbroken[1], result(start(film)))


def test_verify_names_the_damaged_frame_and_exits_with_3(
    unbroken: tuple[TinyFilm, dict[str, Any]], tmp_path: Path
) -> None:
    film = TinyFilm(tmp_path / "copy")
    shutil.copytree(unbroken[0].folder, film.folder)
    victim = film.frames("010")[5]
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-50])
    process = start(film, "--verify", verb="render")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert victim.name in json.loads(out)["shots"][0]["problems"][0]
    assert json.loads(out)["shots"][1]["problems"] == []
