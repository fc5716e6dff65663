"""One process at a time on one shot: a lock that the operating system drops when its holder dies.

Because the system owns the lock, a kill leaves none behind; the file that it sits on stays, and says who holds it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from splatfilm.base.errors import StorageError
from splatfilm.base.progress import Progress

_RETRY_SECONDS = 0.1


@contextlib.contextmanager
def hold(path: Path, what: str, progress: Progress) -> Iterator[None]:
    """Hold the lock `path` while the body runs, waiting for another process that has it. Raises `StorageError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError(f"{path}: cannot lock {what}: {error.strerror or error}") from error
    try:
        told = False
        while not _take(handle):
            if not told:
                progress.say(f"waiting: {_holder(path)} is working on {what}")
                told = True
            time.sleep(_RETRY_SECONDS)
        with contextlib.suppress(OSError):  # who holds it is only a courtesy
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except OSError:
        return "another process"


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StorageError(f"this disk does not support locks: {error.strerror or error}") from error
        return True
