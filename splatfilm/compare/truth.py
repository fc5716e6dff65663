"""Our own film as the source of truth: every shot's picture, depth, objects and camera, frame by frame.

The truth is the bare scene: what the splats are, drawn now, before any refinement. Each view is drawn once and kept
beside the film's takes, under a name that hashes everything that decides it, so a second comparison draws nothing.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.cameras.camera import Camera
from splatfilm.compare.finished import OwnFrames, TakeFrames, take_clip
from splatfilm.compare.views import NOTHING, Clip, Frames, Lazy, Picture, Shapes, ShotTruth, View, from_bytes, to_bytes
from splatfilm.film.model import Film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.schedule import Planned, RenderOptions, plan_film
from splatfilm.shots.takes import Take, newest_finished
from splatfilm.shots.wanted import PassRequest, objects_of
from splatfilm.stage import Placed, Placements

if TYPE_CHECKING:
    from splatfilm.shots.drawing import SceneDrawer

VIEWS_VERSION = 2
"""Raised whenever the same scene would give other views."""

SOLID = 0.5  # coverage from which a pixel shows something
FOLDER = "continuity"
VIEWS_KEPT = 2  # of a shot, in memory: each is 37 MB in full HD


@dataclass(frozen=True)
class TruthOptions:
    """Where the film is made, which shots, at which size, on which backend; as `RenderOptions`."""

    out: Path = Path("out")
    shots: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    backend: str = "auto"
    preset: str | None = None
    stored: bool = False  # pictures come from finished frames where the scene has not changed since, not drawn anew

    def rendering(self) -> RenderOptions:
        return RenderOptions(self.out, self.shots, None, self.size, backend=self.backend, preset=self.preset)


def film_truth(film: Film, options: TruthOptions = TruthOptions(), progress: Progress = SILENT) -> dict[str, ShotTruth]:
    """The truth of every chosen shot, in film order. Views are drawn when they are first asked for.

    Raises `InputError` as planning the film does. Reconstructs captures that have no splats yet.
    """
    planned = plan_film(film, options.rendering(), progress)
    drawer = _Drawer(planned, options.backend)
    truths = {name: _shot_truth(planned, plan, drawer) for name, plan in planned.plans.items()}
    if not options.stored:
        return truths
    return {
        name: replace(truth, stored=_stored_pictures(film, planned.plans[name], options, truth))
        for name, truth in truths.items()
    }


def _stored_pictures(film: Film, plan: ShotPlan, options: TruthOptions, truth: ShotTruth) -> Frames:
    """The shot's pictures from its newest take wherever a frame is the planned one, as it was rendered; else drawn."""
    assert truth.drawn is not None, "a shot of a planned film can be drawn"
    take = newest_finished(take_folder(film, plan.shot, options, refined=False))
    if take is None:
        return OwnFrames(None, (None,) * len(plan.frames), truth.drawn)
    numbers = {number: place for place, number in enumerate(sorted(take.frames))}
    same = [number in numbers and take.frames[number].key == plan.keys[number] for number in plan.frames]
    places = tuple(numbers[n] if there else None for n, there in zip(plan.frames, same, strict=True))
    return OwnFrames(TakeFrames(take), places, truth.drawn)


def take_folder(film: Film, shot: str, options: TruthOptions, refined: bool) -> Path:
    """Where a shot's takes lie: refined frames stand beside the bare ones."""
    folders = FilmFolders.of(options.out, film, options.size)
    return folders.root / "refined" / "shots" / shot if refined else folders.shot(shot)


def film_clips(
    film: Film, options: TruthOptions, refined: bool, elsewhere: Path | None = None
) -> dict[str, tuple[Take, Clip]]:
    """The newest finished take of every chosen shot that has one, by shot; `elsewhere` instead of the film's folder."""
    found: dict[str, tuple[Take, Clip]] = {}
    for shot in film.shots:
        if options.shots is not None and shot.name not in options.shots:
            continue
        folder = take_folder(film, shot.name, options, refined) if elsewhere is None else elsewhere / shot.name
        take = newest_finished(folder)
        if take is not None:
            found[shot.name] = (take, take_clip(take))
    return found


def _shot_truth(planned: Planned, plan: ShotPlan, drawer: _Drawer) -> ShotTruth:
    placements = Placements(planned.film, plan.scene)
    objects = objects_of(placements)
    moments = [{item.member: _moment(item) for item in placements.at(frame)} for frame in plan.frames]
    placed = tuple(tuple(there.get(name, "") for name in objects) for there in moments)
    cameras = tuple(plan.cameras[frame] for frame in plan.frames)

    def make(index: int) -> View:
        frame = plan.frames[index]
        return drawer.kept(plan, frame, cameras[index], objects)

    def drawn(index: int) -> Picture:
        return drawer.picture(plan, plan.frames[index])

    def see(index: int, camera: Camera) -> View:
        return drawer.draw(plan, plan.frames[index], camera, objects)

    def sized(index: int, camera: Camera) -> Shapes:
        return drawer.shapes(plan, plan.frames[index], camera, objects)

    return ShotTruth(
        plan.shot,
        plan.scene,
        plan.frames,
        cameras,
        objects,
        Lazy(len(plan.frames), make, VIEWS_KEPT),
        tuple(hash_value(list(states)) for states in placed),
        placed,
        see,
        sized,
        float(planned.film.rate),
        drawn,
        shade=plan.contact.radius if plan.contact is not None and plan.contact.beauty else 0.0,
    )


def _moment(item: Placed) -> str:
    """What of a member decides how it stands and looks, its splats apart."""
    place = item.place
    worn = [item.asset, item.look, list(item.worn), item.pose_key]
    return hash_value([*worn, [*place.rotation, *place.translation, place.scale]])


class _Drawer:
    """Draws views of the bare scene, and keeps them on disk."""

    def __init__(self, planned: Planned, backend: str) -> None:
        self._planned, self._backend = planned, backend
        self._folder = planned.folders.root / FOLDER / "views"
        self._drawer: SceneDrawer | None = None

    def kept(self, plan: ShotPlan, frame: int, camera: Camera, objects: tuple[str, ...]) -> View:
        """The view of a planned frame; from disk where it is there."""
        path = self._path({"views": VIEWS_VERSION, "frame": plan.keys[frame], "objects": list(objects)})
        stored = _stored(path, ("picture", "depth", "ids"))
        if stored is not None:
            return View(from_bytes(stored["picture"]), stored["depth"], stored["ids"], camera)
        view = self.draw(plan, frame, camera, objects)
        _store(path, picture=to_bytes(view.picture), depth=view.depth, ids=view.ids)
        return view

    def shapes(self, plan: ShotPlan, frame: int, camera: Camera, objects: tuple[str, ...]) -> Shapes:
        """What a planned frame shows through its own camera at another size; from disk where it is there."""
        size = [camera.width, camera.height]
        asked = {"views": VIEWS_VERSION, "frame": plan.keys[frame], "objects": list(objects), "size": size}
        path = self._path(asked)
        if (stored := _stored(path, ("depth", "ids"))) is not None:
            return Shapes(stored["depth"], stored["ids"])
        view = self.draw(plan, frame, camera, objects, prescribed=True)
        _store(path, depth=view.depth, ids=view.ids)
        return Shapes(view.depth, view.ids)

    def draw(
        self, plan: ShotPlan, frame: int, camera: Camera, objects: tuple[str, ...], prescribed: bool = False
    ) -> View:
        """The scene at a frame's moment through any camera; exposed as planned through the `prescribed` one."""
        exposure = plan.exposures.get(frame) if prescribed or camera is plan.cameras[frame] else None
        if exposure is not None:
            exposure = replace(exposure, size=(camera.width, camera.height))
        drawn = self._ready()(plan.scene, frame, camera, exposure, PassRequest(("id",), objects), plan.contact)
        layers: Mapping[str, object] = getattr(drawn, "layers", {})
        alpha = _array(drawn.alpha)
        solid = alpha >= SOLID
        first = _array(layers["id-ranks"])[..., 0].astype(np.int16)
        picture = from_bytes(to_bytes(_array(drawn.beauty)))  # as it is written
        depth = np.where(solid, _array(drawn.depth), 0).astype(np.float32)
        return View(picture, depth, np.where(solid, first, NOTHING).astype(np.int16), camera)

    def _path(self, asked: Mapping[str, object]) -> Path:
        return self._folder / f"{hash_value(asked)[:24]}.npz"

    def picture(self, plan: ShotPlan, frame: int) -> Picture:
        """A planned frame as it is rendered, drawn now and kept nowhere."""
        drawn = self._ready()(plan.scene, frame, plan.cameras[frame], plan.exposures.get(frame), None, plan.contact)
        return from_bytes(to_bytes(_array(drawn.beauty)))

    def _ready(self) -> SceneDrawer:
        if self._drawer is None:
            from splatfilm.shots.drawing import SceneDrawer

            planned = self._planned
            bindings = planned.folders.assets / "bindings"
            background = planned.picture.background
            self._drawer = SceneDrawer(planned.film, planned.sources, background, self._backend, bindings)
        return self._drawer


def _store(path: Path, **arrays: NDArray[Any]) -> None:
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data.getvalue())


def _stored(path: Path, names: tuple[str, ...]) -> Mapping[str, NDArray[Any]] | None:
    """Arrays of a view from disk; None when it is not there or not whole, and must be drawn anew."""
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _array(tensor: object) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().cpu())  # type: ignore[attr-defined]
