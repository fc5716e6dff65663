"""Where planned frames meet torch: a scene's splats at a scene frame, through a camera, to a frame."""

from __future__ import annotations

import torch
from torch import Tensor

from splatfilm.base.errors import InputError
from splatfilm.cameras import Camera
from splatfilm.film.model import Film
from splatfilm.render import RenderSettings, render, resolve_backend
from splatfilm.render.frame import Frame
from splatfilm.render.memory import check_memory, memory_available
from splatfilm.render.passes import Instant, PassFrame, PassInputs, render_passes
from splatfilm.shots.plan import Sources, SplatSource, stamp_of
from splatfilm.shots.wanted import PLAIN_PASSES, PassRequest
from splatfilm.stage import Stage
from splatfilm.stage.stage import Staged


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
        self._fitting: set[tuple[int, int, tuple[str, ...], int]] = set()

    def __call__(self, scene: str, frame: int, camera: Camera, request: PassRequest | None = None) -> Frame | PassFrame:
        """The frame that `camera` sees at a scene frame, with the passes of `request`.

        Raises `InputError` when its splats cannot be read and `NotEnoughMemoryError` when it does not fit.
        """
        if self._stage is None or self._scene != scene:
            self._stage = None  # free the last scene before the next is loaded
            files = {name: source.path for name, source in self._sources.items()}
            self._stage = Stage(self._film, scene, files, self._device)
            self._scene = scene
        staged = self._stage.at(frame)
        for span in staged.spans:
            self._check_unchanged(self._sources[span.asset, span.look])
        self._check_memory(camera, request, len(staged.splats))
        if request is None:
            return render(staged.splats, camera, self._settings, backend=self._backend)
        inputs = self._inputs(self._stage, frame, request)
        return render_passes(staged.splats, camera, inputs, self._settings, backend=self._backend)

    def _inputs(self, stage: Stage, frame: int, request: PassRequest) -> PassInputs:
        """What the passes of a scene frame need: whose each splat is, and where it is a frame before and after."""
        staged = stage.at(frame)
        objects = None
        if request.objects:
            numbers = [torch.full((s.stop - s.start,), request.objects.index(s.member)) for s in staged.spans]
            objects = torch.cat(numbers).to(staged.splats.device)
        if request.before is None or request.after is None:
            return PassInputs(request.passes, objects=objects, object_count=len(request.objects))
        before = Instant(means_at(stage, staged, frame - 1), request.before)
        after = Instant(means_at(stage, staged, frame + 1), request.after)
        return PassInputs(request.passes, before, after, objects, len(request.objects))

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


def means_at(stage: Stage, staged: Staged, frame: float) -> Tensor:  # [N, 3] metres
    """Where the splats of `staged` are at another scene frame, row by row.

    A member that is not there then, or wears another look, stands where it stands now.
    """
    there = stage.at(frame)
    spans = {(span.member, span.look): span for span in there.spans[1:]}
    means = []
    for number, span in enumerate(staged.spans):
        other = spans.get((span.member, span.look)) if number else there.spans[0]
        same = other is not None and other.stop - other.start == span.stop - span.start
        means.append(there.splats.means[other.rows] if other is not None and same else staged.splats.means[span.rows])
    return torch.cat(means)
