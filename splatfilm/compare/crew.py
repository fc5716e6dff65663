"""A few processes of our own that do pieces of work side by side.

Measuring is many short steps of numpy, which threads of one interpreter do not do faster together. Each helper is this
module, run by the same Python; pieces and results go through its pipes. It imports no script of the caller's, so a
comparison may be started from anywhere, and it ends when the caller does, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, BinaryIO, TypeVar, cast

from splatfilm.base.errors import SplatfilmError
from splatfilm.render.backends import threads_wanted

NAME = "splatfilm.compare.crew"
PULSE = 1.0  # seconds between looks whether the caller is still there
MOST = 2  # processes: each may hold as much memory as one

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """At most `count` helpers, started when they are first needed. With one, the work is done here."""

    def __init__(self, count: int | None = None) -> None:
        self._count = min(MOST, threads_wanted()) if count is None else count
        self._helpers: list[_Helper] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(at_once=error is not None)

    def _end(self, at_once: bool) -> None:
        for helper in self._helpers:
            helper.end(at_once)
        self._helpers.clear()

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """`work(item)` of every item, in their order. `work` is a function of a module; items and results are pickled.

        Raises what `work` raises, for the first item in order.
        """
        if self._count < 2 or len(items) < 2:
            yield from map(work, items)
            return
        while len(self._helpers) < self._count:
            self._helpers.append(_Helper(threads=max(1, threads_wanted() // self._count)))
        free: SimpleQueue[_Helper] = SimpleQueue()
        for helper in self._helpers:
            free.put(helper)

        def give(item: T) -> R:
            helper = free.get()
            try:
                return helper.do(work, item)
            finally:
                free.put(helper)

        with ThreadPoolExecutor(self._count) as pool:
            waiting = [pool.submit(give, item) for item in items]
            try:
                for future in waiting:
                    yield future.result()
            except BaseException:  # nobody waits for the rest, an interrupted person least of all
                for future in waiting:
                    future.cancel()
                self._end(at_once=True)
                raise


class _Helper:
    """One process. Works as many threads wide as it is told, so that together they fill the machine."""

    def __init__(self, threads: int) -> None:
        count = str(threads)
        wide = dict.fromkeys(("SPLATFILM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), count)
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", NAME, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **wide, "PYTHONPATH": path},
        )

    def do(self, work: Callable[[T], R], item: T) -> R:
        process = self._process
        assert process.stdin is not None and process.stdout is not None, "both are pipes"
        try:
            process.stdin.write(pickle.dumps((work, item), pickle.HIGHEST_PROTOCOL))
            process.stdin.flush()
            done, value = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise SplatfilmError(f"a helper process ended early, with exit status {process.wait()}") from error
        if done:
            return cast(R, value)
        raise value

    def end(self, at_once: bool) -> None:
        """Let it go; `at_once`: whatever it is doing."""
        if at_once:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Do what comes in until nothing comes any more."""
    while True:
        try:
            work, item = pickle.load(asked)
        except EOFError:
            return
        answer: tuple[bool, Any]
        try:
            answer = True, work(item)
        except SplatfilmError as error:
            answer = False, error
        except Exception:
            answer = False, RuntimeError(f"a helper process failed:\n{traceback.format_exc()}")
        answers.write(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        answers.flush()


def _follow(caller: int) -> None:
    """End when the caller has ended, whatever is being done: nobody would take the answer."""
    while os.getppid() == caller:
        time.sleep(PULSE)
    os._exit(1)


def _main() -> None:
    threading.Thread(target=_follow, args=(int(sys.argv[1]),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller hears it too, and lets its helpers go
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that is printed may come between the answers
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
