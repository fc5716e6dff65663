"""Rendering shots from the studio: one after the other, by the function that `splatfilm render` calls.

So a render that was begun here goes on from the command line and the other way round, takes are numbered together, and
a shot that is rendered elsewhere at the moment is waited for. Cancelling leaves the finished frames where they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import load
from splatfilm.shots.schedule import RenderOptions, render_shots

Where = Literal["waiting", "running", "done", "failed", "cancelled"]
MOST_REMEMBERED = 20


@dataclass(frozen=True)
class Work:
    """One shot in the queue, and how far it is."""

    number: int
    shot: str
    state: Where = "waiting"
    done: int = 0
    total: int = 0
    note: str = ""
    seconds_left: float | None = None

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


class _CancelledError(Exception):
    """Somebody does not want it any more."""


class RenderQueue:
    """Renders in a thread of its own; `tell` is called from it whenever something about the work changes."""

    def __init__(self, out: Path, backend: str, tell: Callable[[], None]) -> None:
        self._out, self._backend, self._tell = out, backend, tell
        self._lock = threading.Condition()
        self._works: dict[int, Work] = {}
        self._films: dict[int, Path] = {}
        self._next = 1
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, film: Path, shots: Sequence[str]) -> None:
        """Put shots of the film file into the queue; one that waits already is not put there twice."""
        with self._lock:
            waiting = {work.shot for work in self._works.values() if work.state == "waiting"}
            for shot in shots:
                if shot not in waiting:
                    self._works[self._next] = Work(self._next, shot)
                    self._films[self._next] = film
                    self._next += 1
            for old in [number for number, work in self._works.items() if work.over][:-MOST_REMEMBERED]:
                del self._works[old], self._films[old]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="render-queue", daemon=True)
                self._thread.start()
            self._lock.notify()
        self._tell()

    def cancel(self, number: int | None = None) -> None:
        """Drop one piece of work, or all; one that runs stops after the frame that is being drawn."""
        with self._lock:
            for work in list(self._works.values()):
                if not work.over and number in (None, work.number):
                    self._works[work.number] = replace(work, state="cancelled", note="", seconds_left=None)
        self._tell()

    def works(self) -> list[Work]:
        """Everything that waits, runs or was done lately, oldest first."""
        with self._lock:
            return list(self._works.values())

    def close(self) -> None:
        """Cancel everything and wait for the frame that is being drawn."""
        self.cancel()
        with self._lock:
            self._closed = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join(timeout=60)

    def _run(self) -> None:
        while True:
            with self._lock:
                while not (waiting := [w for w in self._works.values() if w.state == "waiting"]) and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                work = waiting[0]
                self._works[work.number] = replace(work, state="running")
                film = self._films[work.number]
            self._tell()
            self._render(work.number, work.shot, film)
            self._tell()

    def _render(self, number: int, shot: str, path: Path) -> None:
        try:
            options = RenderOptions(out=self._out, shots=(shot,), backend=self._backend)
            results = render_shots(load(path), options, _Telling(self, number))
        except _CancelledError:
            return
        except Exception as error:  # told in the page; a shot that fails must not end the queue
            note = str(error) if isinstance(error, SplatfilmError) else f"{type(error).__name__}: {error}"
            self.change(number, state="failed", note=note, seconds_left=None)
            return
        take = results[0].take if results else None
        note = "" if take is None else f"{take.name}: {results[0].drawn} rendered, {results[0].kept} kept"
        self.change(number, state="done", note=note, seconds_left=None)

    def change(self, number: int, **changes: object) -> None:
        """Note how far a piece of work is. Raises `_CancelledError` when nobody wants it any more."""
        with self._lock:
            work = self._works[number]
            if work.state == "cancelled":
                raise _CancelledError
            self._works[number] = replace(work, **changes)  # type: ignore[arg-type]


class _Telling:
    """Progress that is told to the queue; it is where work is stopped that was cancelled."""

    EVERY = 0.2  # seconds

    def __init__(self, queue: RenderQueue, number: int) -> None:
        self._queue, self._number = queue, number
        self._began = self._told = 0.0
        self._total = 0

    def start(self, what: str, total: int, unit: str) -> None:
        self._began, self._total = time.monotonic(), total
        self._queue.change(self._number, done=0, total=total, note=what)
        self._queue._tell()

    def advance(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        left = (now - self._began) / max(done, 1) * (self._total - done)
        self._queue.change(self._number, done=done, seconds_left=round(left, 1))
        if now - self._told > self.EVERY or done == self._total:
            self._told = now
            self._queue._tell()

    def finish(self, note: str = "") -> None:
        self._queue.change(self._number)

    def say(self, line: str) -> None:
        self._queue.change(self._number, note=line)
