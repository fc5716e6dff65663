"""Keeps the 3D overview in step with the open film.

Splats are fetched in the look-through's thread, which owns them; what takes long, making clouds of them, is done in a
thread of its own, so that neither pictures nor edits wait for a large scene.

viser and its port exist only once somebody asks for the overview, so a studio without it pays nothing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import Film
from splatfilm.layout import Document
from splatfilm.studio.clouds import Part, parts_of
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
        self._wanted: tuple[Film, str, int, NDArray[np.float32]] | None = None
        self._fetching = False
        self._asking = threading.Lock()  # the two above: clouds are made in another thread
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="clouds")
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
        self._overview.show(world)
        film = document.state.film
        if film is not None:
            eyes = np.concatenate([camera.way for camera in world.cameras]) if world.cameras else np.zeros((0, 3))
            with self._asking:
                self._wanted = film, document.state.shot(shot).scene, frame, eyes.astype(np.float32)
            self._fetch()

    def close(self) -> None:
        self._maker.shutdown(wait=True, cancel_futures=True)
        if self._overview is not None:
            self._overview.close()

    def _fetch(self) -> None:
        """Ask for the splats of the newest moment; while some are on their way, the newest waits."""
        overview = self._overview
        with self._asking:
            if self._fetching or self._wanted is None or overview is None:
                return
            self._fetching = True
            (film, scene, frame, eyes), self._wanted = self._wanted, None

        def job(stages: Staging) -> dict[str, Part | None]:
            return parts_of(stages(film, scene), frame, overview.cloud_keys, eyes)

        def draw(parts: dict[str, Part | None] | None, error: Exception | None) -> None:
            try:
                if error is not None:
                    raise error
                assert parts is not None, "there is no error"
                overview.show_clouds({name: None if part is None else part.cloud() for name, part in parts.items()})
            except SplatfilmError as missing:
                log.warning("the overview shows no splats: %s", missing)
            except Exception:  # the studio goes on without
                log.exception("the overview shows no splats")
            with self._asking:
                self._fetching = False
            self._fetch()

        def fetched(parts: dict[str, Part | None] | None, error: Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the studio is being closed
                self._maker.submit(draw, parts, error)

        self._lookthrough.work(job, fetched)
