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

from tiny_film import TinyFilm, build_tiny, write_splats  # noqa: E402

__all__ = ["TinyFilm", "build_tiny", "environment", "serving", "with_people"]


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


PEOPLE = """\
[assets.ann]
kind = "character"
[assets.ann.looks.day]
splats = "ann.ply"

[assets.bob]
kind = "character"
[assets.bob.looks.day]
splats = "bob.ply"

[scenes.kitchen]
"""
CAST = """\
[[scenes.kitchen.cast]]
asset = "ann"
position = [-0.6, 0.0, 0.0]

[[scenes.kitchen.cast]]
asset = "bob"
position = [0.6, 0.2, 0.0]

[[shots]]
name = "010"
"""


def with_people(film: TinyFilm) -> TinyFilm:
    """The tiny film with Ann and Bob in it, and with its first shot alone."""
    for seed, name in enumerate(("ann", "bob"), start=3):
        write_splats(film.folder / f"{name}.ply", seed, 80, 0.3)
    film.edit("[scenes.kitchen]\n", PEOPLE)
    film.edit('[[shots]]\nname = "010"\n', CAST)
    film.edit(film.path.read_text()[film.path.read_text().index('\n[[shots]]\nname = "020"') :], "")
    return film
