"""One process at a time, and none for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from splatfilm.base.errors import StorageError
from splatfilm.base.progress import SILENT, Silent
from splatfilm.shots.lock import hold

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from splatfilm.base.progress import SILENT
from splatfilm.shots.lock import hold
with hold(Path(sys.argv[2]), "it", SILENT):
    print("held", flush=True)
    time.sleep(60)
"""


class Listener(Silent):
    def __init__(self) -> None:
        self.heard = threading.Event()
        self.line = ""

    def say(self, line: str) -> None:
        self.line = line
        self.heard.set()


def test_a_lock_is_waited_for_and_dies_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / ".lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(ROOT), str(lock)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    listener, entered = Listener(), threading.Event()

    def wait() -> None:
        with hold(lock, "shot 010", listener):
            entered.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert listener.heard.wait(20) and not entered.is_set()
    assert listener.line.startswith(f"waiting: process {holder.pid} on ") and listener.line.endswith("shot 010")
    holder.kill()
    holder.wait()
    assert entered.wait(20), "a killed holder leaves no lock behind"
    waiter.join()


def test_a_lock_can_be_taken_again_after_it_was_given_back(tmp_path: Path) -> None:
    for _ in range(3):
        with hold(tmp_path / ".lock", "it", SILENT):
            pass
    with pytest.raises(ZeroDivisionError), hold(tmp_path / ".lock", "it", SILENT):
        _ = 1 // 0
    with hold(tmp_path / ".lock", "it", SILENT):
        pass


def test_a_place_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match=r"file/\.lock: cannot lock shot 010"),
        hold(tmp_path / "file" / ".lock", "shot 010", SILENT),
    ):
        pass
