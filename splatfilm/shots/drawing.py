"""Where planned frames meet torch: a scene's splats at a scene frame, through a camera, to a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.film.model import Film
from splatfilm.render import RenderSettings, render, render_each, resolve_backend
from splatfilm.render.exposure import Blur, Moment, expose
from splatfilm.render.flight import sent_home
from splatfilm.render.frame import Frame
from splatfilm.shots.exposure import Exposure
from splatfilm.shots.plan import Sources, SplatSource, stamp_of
from splatfilm.splats import Splats
from splatfilm.stage import Stage


class SceneDrawer:
    """Draws frames of a film, holding the splats of one scene at a time."""

    def __init__(self, film: Film, sources: Sources, background: tuple[float, float, float], backend: str) -> None:
        self._film = film
        self._sources = sources
        self._settings = RenderSettings(background=background)
        self._backend = backend
        self._device = "cuda" if resolve_backend(backend).name == "gsplat" else "cpu"
        self._scene = ""
        self._stage: Stage | None = None

    def __call__(self, scene: str, frame: int, camera: Camera, exposure: Exposure | None = None) -> Frame:
        """The frame that `camera` sees at a scene frame, or the one that an exposure about it makes.

        Raises `InputError` when its splats cannot be read.
        """
        if exposure is None:
            return sent_home(render(self._splats(scene, frame, frame), camera, self._settings, backend=self._backend))
        blur = Blur(exposure.pupil, exposure.shutter, exposure.samples)

        def moment_at(time: float) -> Moment:
            return self._splats(scene, exposure.scene_frame(time), frame), exposure.camera(time)

        return sent_home(expose(moment_at, self._draw, blur)[0])

    def _draw(self, splats: Splats, cameras: Sequence[Camera]) -> Iterator[Frame]:
        return render_each(splats, cameras, self._settings, backend=self._backend)

    def _splats(self, scene: str, time: float, frame: int) -> Splats:
        """The scene's splats at a moment of the exposure of a scene frame."""
        if self._stage is None or self._scene != scene:
            self._stage = None  # free the last scene before the next is loaded
            files = {name: source.path for name, source in self._sources.items()}
            self._stage = Stage(self._film, scene, files, self._device)
            self._scene = scene
        staged = self._stage.at(time, frame)
        for span in staged.spans:
            self._check_unchanged(self._sources[span.asset, span.look])
        return staged.splats

    @staticmethod
    def _check_unchanged(source: SplatSource) -> None:
        """The splats were read after they were hashed: another file in between would make frames under wrong keys."""
        if stamp_of(source.path) != source.stamp:
            raise InputError.at(source.path, "the file was changed while it was being rendered; render again")
