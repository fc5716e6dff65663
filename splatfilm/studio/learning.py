"""Finds out about the film's sets in a thread: what the checks may say about matter and photographs.

Nobody waits for it, so it begins some seconds after the first shot was looked at, and the first pictures come first.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import Film
from splatfilm.layout.surroundings import known_of
from splatfilm.studio.sources import splat_files

if TYPE_CHECKING:
    from splatfilm.studio.session import Session

log = logging.getLogger("splatfilm.studio")


PATIENCE = 3.0  # seconds


def set_files(film: Film, out: Path, backend: str) -> dict[tuple[str, str], Path]:
    """The splat files of everything that is made already, scene by scene."""
    found: dict[tuple[str, str], Path] = {}
    for scene in film.scenes:
        try:
            found |= splat_files(film, scene, out, backend)
        except SplatfilmError as error:
            log.info("scene %s is not known for the checks: %s", scene, error)
    return found


def learn_surroundings(session: Session, out: Path, backend: str) -> None:
    """Tell the session what is known of the sets, when it is known."""
    film = session.document.state.film
    if film is None:
        return

    def learn() -> None:
        time.sleep(PATIENCE)
        try:
            known = known_of(film, set_files(film, out, backend))
        except Exception as error:  # the studio works without
            log.warning("the checks know nothing of the sets: %s", error)
            return
        session.soon(lambda: session.learn(known))

    threading.Thread(target=learn, name="surroundings", daemon=True).start()
