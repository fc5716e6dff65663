"""The shots' tiny film, and a studio that serves it in a process of its own, as a user starts it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "shots"))

from tiny_film import TinyFilm, build_tiny  # noqa: E402

__all__ = ["TinyFilm", "build_tiny", "environment", "serving"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "SPLATFILM_THREADS": "2"}


@contextlib.contextmanager
def serving(film: TinyFilm) -> Iterator[tuple[str, int, str, Path]]:
    """A running `splatfilm view`: address, port, token, and the file that its log goes to."""
    log = film.folder / "studio.log"
    command = [sys.executable, "-m", "splatfilm", "view", str(film.path), "--no-browser", "--out", str(film.out)]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment())
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)", address)
            assert found, f"printed {address!r}, log: {log.read_text()}"
            yield address, int(found[1]), found[2], log
        finally:
            process.terminate()
            process.wait(20)
