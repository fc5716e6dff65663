"""Where planned frames meet torch: a scene's splats at a scene frame, through a camera, to a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from splatfilm.cameras import Camera
from splatfilm.film.model import Film
from splatfilm.render import RenderSettings, render, resolve_backend
from splatfilm.render.frame import Frame
from splatfilm.stage import Stage


class SceneDrawer:
    """Draws frames of a film, holding the splats of one scene at a time."""

    def __init__(
        self, film: Film, files: Mapping[tuple[str, str], Path], background: tuple[float, float, float], backend: str
    ) -> None:
        self._film = film
        self._files = files
        self._settings = RenderSettings(background=background)
        self._backend = backend
        self._device = "cuda" if resolve_backend(backend).name == "gsplat" else "cpu"
        self._scene = ""
        self._stage: Stage | None = None

    def __call__(self, scene: str, frame: int, camera: Camera) -> Frame:
        """The frame that `camera` sees at a scene frame. Raises `InputError` when a splat file cannot be read."""
        if self._stage is None or self._scene != scene:
            self._stage = None  # free the last scene before the next is loaded
            self._stage = Stage(self._film, scene, self._files, self._device)
            self._scene = scene
        return render(self._stage.at(frame).splats, camera, self._settings, backend=self._backend)
