"""Where planned frames meet torch: a scene's splats at a scene frame, through a camera, to a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.film.model import Film
from splatfilm.refine.pixels import Seen
from splatfilm.render import RenderSettings, render, render_each, resolve_backend
from splatfilm.render.exposure import Blur, Moment, expose
from splatfilm.render.flight import sent_home
from splatfilm.render.frame import Frame
from splatfilm.render.memory import check_memory, memory_available
from splatfilm.render.passes import Instant, PassFrame, PassInputs, render_passes
from splatfilm.shots.exposure import Exposure
from splatfilm.shots.plan import Sources, SplatSource, stamp_of
from splatfilm.shots.wanted import PLAIN_PASSES, PassRequest, objects_of
from splatfilm.splats import Splats
from splatfilm.stage import Stage
from splatfilm.stage.stage import Staged


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
        self._fitting: set[tuple[int, int, tuple[str, ...], int]] = set()

    def __call__(
        self,
        scene: str,
        frame: int,
        camera: Camera,
        exposure: Exposure | None = None,
        request: PassRequest | None = None,
    ) -> Frame | PassFrame:
        """The frame that `camera` sees at a scene frame, or the one that an exposure about it makes.

        The passes of `request` are those of the pinhole at the scene frame. Raises `InputError` when the splats cannot
        be read and `NotEnoughMemoryError` when the frame does not fit.
        """
        splats = self._splats(scene, frame, frame)
        self._check_memory(camera, request, len(splats))
        sharp = None if request is None else self._passes(scene, frame, camera, request)
        if exposure is None:
            return sharp or sent_home(render(splats, camera, self._settings, backend=self._backend))
        blur = Blur(exposure.pupil, exposure.shutter, exposure.samples)

        def moment_at(time: float) -> Moment:
            return self._splats(scene, exposure.scene_frame(time), frame), exposure.camera(time)

        blurred = expose(moment_at, self._draw, blur)[0]
        if sharp is None:
            return sent_home(blurred)
        return PassFrame(blurred.beauty, blurred.alpha, blurred.depth, sharp.layers)

    def seen(self, scene: str, frame: int, camera: Camera) -> Seen:
        """What `camera` looks at, at a scene frame, and how it came there: for what is anchored to it."""
        staged = self._staged(scene, frame, frame)
        assert self._stage is not None, "just staged"
        placements = self._stage.placements
        resting = self._stage.resting(frame, frame)
        rate = float(self._film.rate)
        return Seen(staged.splats, resting, objects_of(placements), camera, float(frame), rate)

    def _draw(self, splats: Splats, cameras: Sequence[Camera]) -> Iterator[Frame]:
        return render_each(splats, cameras, self._settings, backend=self._backend)

    def _passes(self, scene: str, frame: int, camera: Camera, request: PassRequest) -> PassFrame:
        """A scene frame without blur, with the passes that are asked for."""
        before, after = (
            None if other is None else Instant(self._splats(scene, frame + step, frame).means, other)
            for step, other in ((-1, request.before), (1, request.after))
        )
        staged = self._staged(scene, frame, frame)
        objects = None
        if request.objects:
            numbers = [torch.full((s.stop - s.start,), request.objects.index(s.member)) for s in staged.spans]
            objects = torch.cat(numbers).to(staged.splats.device)
        inputs = PassInputs(request.passes, before, after, objects, len(request.objects))
        return render_passes(staged.splats, camera, inputs, self._settings, backend=self._backend)

    def _splats(self, scene: str, time: float, frame: int) -> Splats:
        """The scene's splats at a moment about a scene frame; who is there, in which look, is the frame's to say."""
        return self._staged(scene, time, frame).splats

    def _staged(self, scene: str, time: float, frame: int) -> Staged:
        if self._stage is None or self._scene != scene:
            self._stage = None  # free the last scene before the next is loaded
            files = {name: source.path for name, source in self._sources.items()}
            self._stage = Stage(self._film, scene, files, self._device, self._bindings)
            self._scene = scene
        staged = self._stage.at(time, frame)
        for span in staged.spans:
            self._check_unchanged(self._sources[span.source])
        return staged

    def _check_memory(self, camera: Camera, request: PassRequest | None, count: int) -> None:
        """Once for every kind of frame, before the first of them."""
        passes = (*PLAIN_PASSES, *(request.passes if request else ()))
        kind = (camera.width, camera.height, passes, count)
        if kind not in self._fitting:
            check_memory((camera.width, camera.height), passes, count, memory_available())
            self._fitting.add(kind)

    @staticmethod
    def _check_unchanged(source: SplatSource) -> None:
        """The splats were read after they were hashed: another file in between would make frames under wrong keys."""
        if stamp_of(source.path) != source.stamp:
            raise InputError.at(source.path, "the file was changed while it was being rendered; render again")
