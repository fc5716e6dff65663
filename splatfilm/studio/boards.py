"""A storyboard from a film file, without a window: pictures from the look-through, one after the other."""

from __future__ import annotations

import threading
from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.layout import Document
from splatfilm.studio.desk import Desk
from splatfilm.studio.lookthrough import LookThrough, Seen


def draw_storyboard(film: Path, out: Path, backend: str = "auto") -> tuple[Path, ...]:
    """Write the film's storyboard; gives the files, the PDF first.

    Raises `InputError` for a film with problems, `MissingPartError` for assets that are not reconstructed.
    """
    document = Document.open(film)
    if document.state.film is None:
        raise InputError(document.problems)
    desk = Desk(document, out)
    looks = desk.board_looks("storyboard")
    pictures: dict[tuple[str, int], bytes | str] = {
        (str(look.header["shot"]), look.frame): "" for look in looks
    }  # in the order of the cut
    left = threading.Semaphore(0)

    def seen(one: Seen) -> None:
        pictures[str(one.look.header["shot"]), one.look.frame] = one.problem or one.picture
        left.release()

    lookthrough = LookThrough(out, backend, seen)
    try:
        for number, look in enumerate(looks):
            lookthrough.want(look, f"board-{number}")
        for _ in looks:
            left.acquire()
    finally:
        lookthrough.close()
    return desk.write_storyboard(pictures)
