"""Where planned frames meet torch: a scene's splats at a scene frame, through a camera, to a frame."""

from __future__ import annotations

from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.film.model import Film
from splatfilm.render import RenderSettings, render, resolve_backend
from splatfilm.render.frame import Frame
from splatfilm.shots.plan import Sources, SplatSource, stamp_of
from splatfilm.stage import Stage


class SceneDrawer:
    """Draws frames of a film, holding the splats of one scene at a time."""

    def __init__(
        self,
        film: Film,
        sources: Sources,
        background: tuple[float, float, float],
        backend: str,
        bindings: Path | None = None,
    ) -> None:
        self._film = film
        self._bindings = bindings
        self._sources = sources
        self._settings = RenderSettings(background=background)
        self._backend = backend
        self._device = "cuda" if resolve_backend(backend).name == "gsplat" else "cpu"
        self._scene = ""
        self._stage: Stage | None = None

    def __call__(self, scene: str, frame: int, camera: Camera) -> Frame:
        """The frame that `camera` sees at a scene frame. Raises `InputError` when its splats cannot be read."""
        if self._stage is None or self._scene != scene:
            self._stage = None  # free the last scene before the next is loaded
            files = {name: source.path for name, source in self._sources.items()}
            self._stage = Stage(self._film, scene, files, self._device, self._bindings)
            self._scene = scene
        staged = self._stage.at(frame)
        for span in staged.spans:
            self._check_unchanged(self._sources[span.source])
        return render(staged.splats, camera, self._settings, backend=self._backend)

    @staticmethod
    def _check_unchanged(source: SplatSource) -> None:
        """The splats were read after they were hashed: another file in between would make frames under wrong keys."""
        if stamp_of(source.path) != source.stamp:
            raise InputError.at(source.path, "the file was changed while it was being rendered; render again")
