"""Helpers that measure side by side, and the memory that they share out: the same results, told errors, a bound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError, Problem, SplatfilmError
from splatfilm.compare.crew import Crew
from splatfilm.compare.memory import Memory, size_of
from splatfilm.compare.report import ReportOptions, make_report
from splatfilm.compare.views import Chosen, Clip, Mapped
from splatfilm.film import load
from splatfilm.shots.make import make_film
from splatfilm.shots.schedule import RenderOptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shots"))
from tiny_film import build_tiny


def doubled(value: int) -> tuple[int, int]:
    print("nothing that is printed may come between the answers")
    return os.getpid(), 2 * value


def refused(value: int) -> int:
    if value == 3:
        raise InputError([Problem("a.json", "b", "is wrong", 7), Problem("c.json", "", "is gone")])
    return value


def gone(value: int) -> int:
    if value == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def slow(value: int) -> int:
    time.sleep(60)
    return value


def broken(value: int) -> int:
    return value // 0


def test_two_helpers_give_what_one_process_gives_in_the_same_order() -> None:
    with Crew(2) as crew:
        found = list(crew.map(doubled, range(8)))
        again = list(crew.map(doubled, range(8)))
    assert [value for _, value in found] == [value for _, value in again] == [0, 2, 4, 6, 8, 10, 12, 14]
    helpers = {process for process, _ in (*found, *again)}
    assert len(helpers) == 2 and os.getpid() not in helpers
    assert {process for process, _ in Crew(1).map(doubled, range(4))} == {os.getpid()}


def test_errors_come_back_whole_and_a_helper_that_died_is_told() -> None:
    with Crew(2) as crew:
        with pytest.raises(InputError) as told:
            list(crew.map(refused, range(6)))
        assert [problem.message for problem in told.value.problems] == ["is wrong", "is gone"]
        assert told.value.problems[0].line == 7
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            list(crew.map(broken, range(2)))
        with pytest.raises(SplatfilmError, match="ended early, with exit status -9"):
            list(crew.map(gone, range(2)))
        assert [value for _, value in crew.map(doubled, range(2))] == [0, 2], "others take their place"


def test_helpers_do_not_outlive_a_caller_that_was_killed(tmp_path: Path) -> None:
    code = "import test_crew; from splatfilm.compare.crew import Crew; list(Crew(2).map(test_crew.slow, range(2)))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    caller = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    helpers: list[int] = []
    while len(helpers) < 2:
        assert caller.poll() is None
        time.sleep(0.2)
        helpers = _children(caller.pid)
    caller.kill()
    caller.wait()
    end = time.monotonic() + 60
    while any(_is_helper(helper) for helper in helpers):
        assert time.monotonic() < end, "a helper works on for nobody"
        time.sleep(0.2)


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    if not found.exists():
        pytest.skip("needs Linux's list of child processes")
    return [int(child) for child in found.read_text().split() if _is_helper(int(child))]


def _is_helper(process: int) -> bool:
    try:
        return b"splatfilm.compare.crew" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.slow
def test_a_report_made_by_two_processes_holds_the_numbers_of_one(tmp_path: Path) -> None:
    tiny = build_tiny(tmp_path / "film")
    film = load(tiny.path)
    make_film(film, RenderOptions(out=tiny.out))
    found = []
    for processes in (1, 2):
        made = make_report(film, ReportOptions(out=tiny.out, processes=processes))
        found.append((made.json.read_bytes(), made.csv.read_bytes(), json.dumps(sorted(made.scores))))
    assert found[0] == found[1]


def test_what_was_used_longest_ago_is_forgotten_when_there_is_no_room() -> None:
    memory = Memory(limit=3000)
    made: list[str] = []

    def picture(name: str) -> np.ndarray:
        return memory.once(name, lambda: made.append(name) or np.zeros(1000, np.uint8))  # type: ignore[func-returns-value]

    for name in "ababcbca":
        picture(name)
    assert made == ["a", "b", "c", "a"], "two of 1064 bytes have room, and the last a was forgotten for c"
    assert memory.held == 2 * size_of(np.zeros(1000, np.uint8)) <= 3000
    memory.once("huge", lambda: np.zeros(4000, np.uint8))
    assert memory.held == 2 * 1064, "what has no room at all drives nothing out"


def test_every_clip_remembers_for_itself(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.arange(24, dtype=np.uint8).reshape(4, 1, 2, 3))
    frames = Mapped(tmp_path / "clip.npy")
    one, two = Clip(frames), Clip(Chosen(frames, (3, 3)))  # type: ignore[arg-type]
    assert one.once("first", lambda: int(one.frames[0].max())) == 5
    assert two.once("first", lambda: int(two.frames[0].max())) == 23
    assert one.once("first", lambda: pytest.fail("known")) == 5
    assert len(frames[1:3]) == 2 and frames[1:3][0].max() == 11
