"""Keeps the 3D overview in step with the open film: splats are fetched in the look-through's thread, drawn here.

viser and its port exist only once somebody asks for the overview, so a studio without it pays nothing.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import Film
from splatfilm.layout import Document
from splatfilm.studio.clouds import Cloud, clouds_of
from splatfilm.studio.lookthrough import LookThrough, Staging
from splatfilm.studio.overview import Heard, Overview
from splatfilm.studio.world import world_of

log = logging.getLogger("splatfilm.studio")


class Lookout:
    """The overview of one open film. `heard` is called from other threads; everything else belongs to the session's."""

    def __init__(self, lookthrough: LookThrough, heard: Callable[[Heard], None]) -> None:
        self._lookthrough, self._heard = lookthrough, heard
        self._overview: Overview | None = None
        self._pictures: dict[str, tuple[str, NDArray[np.uint8]]] = {}
        self._painted = 0
        self._wanted: tuple[Film, str, int] | None = None
        self._fetching = False
        self._drawing = threading.Lock()  # clouds arrive in the look-through's thread
        self._last: tuple[Any, ...] | None = None

    @property
    def overview(self) -> Overview:
        """The overview, opened when first asked for. Raises `MissingPartError` without viser."""
        if self._overview is None:
            self._overview = Overview(self._heard)
            self._last = None
        return self._overview

    @property
    def is_open(self) -> bool:
        return self._overview is not None

    def picture(self, shot: str, picture: bytes) -> None:
        """What a shot shows, for its frustum."""
        from PIL import Image

        self._painted += 1
        self._pictures[shot] = str(self._painted), np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))

    def show(self, document: Document, shot: str, frame: int) -> None:
        """Show the film as it is, at a scene frame, with this shot chosen."""
        if self._overview is None:
            return
        now = (document.revision, shot, frame, self._painted)
        if now == self._last:
            return
        self._last = now
        world = world_of(document, shot, frame, self._pictures)
        with self._drawing:
            self._overview.show(world)
        film = document.state.film
        if film is not None:
            self._wanted = film, document.state.shot(shot).scene, frame
            self._fetch()

    def close(self) -> None:
        if self._overview is not None:
            self._overview.close()

    def _fetch(self) -> None:
        """Ask for the splats of the newest moment; while some are on their way, the newest waits."""
        if self._fetching or self._wanted is None or self._overview is None:
            return
        self._fetching = True
        (film, scene, frame), self._wanted = self._wanted, None
        overview = self._overview

        def job(stages: Staging) -> dict[str, Cloud | None]:
            return clouds_of(stages(film, scene), frame, overview.cloud_keys)

        def done(clouds: dict[str, Cloud | None] | None, error: Exception | None) -> None:
            if isinstance(error, SplatfilmError):
                log.warning("the overview shows no splats: %s", error)
            elif error is not None:
                log.error("the overview shows no splats", exc_info=error)
            if clouds is not None:
                with self._drawing:
                    overview.show_clouds(clouds)
            self._fetching = False
            self._fetch()

        self._lookthrough.work(job, done)
