"""A shot list to takes on disk: plan everything, decide shot by shot, draw only what no take has.

What can be wrong with the input is found before the first frame is drawn. Work goes scene by scene, so that a scene's
splats are loaded once; the result does not depend on the order. torch is imported when the first frame must be drawn.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from splatfilm import __version__
from splatfilm.base.errors import InputError, Problem, StorageError, did_you_mean
from splatfilm.base.progress import SILENT, Progress
from splatfilm.cameras import Camera, CameraPath
from splatfilm.film.model import PASSES, Contact, Film, RefineLook, Shot, png_problem
from splatfilm.render import resolve_backend
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.shots.decide import Decision, decide
from splatfilm.shots.exposure import Exposure
from splatfilm.shots.lock import hold
from splatfilm.shots.names import LOCK, FilmFolders, picture_name, spell_frames
from splatfilm.shots.plan import Picture, ShotPlan, Sources, load_paths, looks_of, plan_shot, select_frames
from splatfilm.shots.takes import FrameRecord, Journal, Take, finish, tidy
from splatfilm.shots.wanted import PassRequest
from splatfilm.shots.writer import Destination, FrameJob, FrameWriter, share_pictures

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.render.passes import PassFrame

Draw = Callable[..., "Frame | PassFrame"]
"""(scene, scene frame, camera) -> the rendered frame; with `exposure=Exposure` where lens or shutter blur it, with
`request=PassRequest` where more passes are asked for, with `contact=Contact` where cast and set shade one another."""


@dataclass(frozen=True)
class RenderOptions:
    """What a person may choose about rendering. None means everything there is, or what the film says."""

    out: Path = Path("out")
    shots: tuple[str, ...] | None = None
    frames: tuple[int, ...] | None = None
    size: tuple[int, int] | None = None
    take: Literal["latest", "new"] = "latest"
    backend: str = "auto"
    preset: str | None = None
    passes: tuple[str, ...] | None = None
    look: RefineLook | None = None  # of refinement, for every shot; None: what the film says


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is asked for: shots in film order, scene frames by shot, camera paths by shot."""

    shots: tuple[Shot, ...]
    frames: Mapping[str, Sequence[int]]
    paths: Mapping[str, CameraPath]


@dataclass(frozen=True, eq=False)
class Planned:
    """Everything that is known before rendering: the plans by shot, and what they are made from."""

    film: Film
    folders: FilmFolders
    plans: Mapping[str, ShotPlan]
    frames: Mapping[str, Sequence[int]]  # asked for, by shot
    sources: Sources
    picture: Picture


@dataclass(frozen=True)
class ShotResult:
    """What became of one shot. `drawn` counts rendered pictures, `shared` frames that other takes had already."""

    shot: str
    take: Take
    drawn: int = 0
    shared: int = 0
    kept: int = 0
    reasons: tuple[str, ...] = ()


def render_shots(
    film: Film, options: RenderOptions, progress: Progress = SILENT, draw: Draw | None = None
) -> list[ShotResult]:
    """Bring the chosen shots up to date on disk, in film order.

    Raises `InputError` with every problem of the input before anything is rendered, `StorageError` when the disk
    refuses; whatever was finished by then is kept, and the next call goes on from there.
    """
    return render_planned(plan_film(film, options, progress), options, progress, draw)


def plan_film(film: Film, options: RenderOptions, progress: Progress = SILENT) -> Planned:
    """Plan the chosen shots; reconstructs captures that have no splats yet."""
    chosen = choose(film, options)
    return plan_chosen(film, chosen, find_splats(film, chosen, options, progress), options)


def choose(film: Film, options: RenderOptions) -> Chosen:
    """The shots and frames that are asked for, with their cameras. Raises `InputError` with every problem of them."""
    shots = with_passes(film, choose_shots(film, options.shots), options.passes)
    frames = select_frames({shot.name: tuple(shot.frames) for shot in shots}, options.frames)
    return Chosen(shots, frames, load_paths(film, shots))


def find_splats(film: Film, chosen: Chosen, options: RenderOptions, progress: Progress = SILENT) -> Sources:
    """The splats that the chosen shots show; reconstructs captures that have none yet.

    What the film will show otherwise than it was asked for (a clip that ends early, a blendshape that the rig lacks,
    splats that do not stand as their rig does) is said, and stops nothing; the last is marked in what is rendered.
    """
    performed = any(asset.rig is not None for asset in film.assets.values())
    if performed:
        from splatfilm.stage.performance import findings

        for place, remark in findings(film)[1]:
            progress.say(f"{place}: {remark}")
    ways = Ways(FilmFolders.of(options.out, film).assets, options.preset, options.backend)
    sources = resolve_assets(film, looks_of(film, chosen.shots), ways, progress)
    if performed:
        from splatfilm.stage.fit import misfits, place_of

        for name, remark in misfits(film, sources, ways.folder / "bindings").items():
            progress.say(f"{place_of(film, name)}: {remark}")
            sources[name] = replace(sources[name], origin={**sources[name].origin, "remark": remark})
    return sources


def plan_chosen(film: Film, chosen: Chosen, sources: Sources, options: RenderOptions) -> Planned:
    """Plan the chosen shots whose splats are there. Raises `MissingPartError` when the backend is not here."""
    picture = Picture(options.size or film.size, resolve_backend(options.backend).manifest())
    plans = {s.name: plan_shot(film, s, chosen.paths[s.name], sources, picture) for s in chosen.shots}
    return Planned(film, FilmFolders.of(options.out, film, options.size), plans, chosen.frames, sources, picture)


def choose_shots(film: Film, names: Sequence[str] | None) -> tuple[Shot, ...]:
    """The shots of those names in film order; all for None. Raises `InputError` for names that no shot has."""
    if names is None:
        return film.shots
    known = [shot.name for shot in film.shots]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        raise InputError.at(
            film.path, f"there is no shot {', '.join(unknown)}; the film has {', '.join(known)}", "shots"
        )
    return tuple(shot for shot in film.shots if shot.name in names)


def with_passes(film: Film, shots: Sequence[Shot], passes: Sequence[str] | None) -> tuple[Shot, ...]:
    """The shots with other passes than their own; None leaves them. Raises `InputError` with every problem."""
    if passes is None:
        return tuple(shots)
    problems = [
        Problem("--passes", "", f'there is no pass "{name}", only {", ".join(PASSES)}{did_you_mean(name, PASSES)}')
        for name in passes
        if name not in PASSES
    ]
    problems += [Problem("--passes", "", found) for name in passes if (found := png_problem(film.files, name))]
    if "occlusion" in passes and (without := [shot.name for shot in shots if shot.contact is None]):
        message = f"occlusion: contact shadows are off in {', '.join(without)} (docs/film-file.md, contact)"
        problems.append(Problem("--passes", "", message))
    if problems:
        raise InputError(problems)
    asked = tuple(name for name in PASSES if name == "beauty" or name in passes)
    return tuple(replace(shot, passes=asked) for shot in shots)


def render_planned(
    planned: Planned, options: RenderOptions, progress: Progress = SILENT, draw: Draw | None = None
) -> list[ShotResult]:
    """Bring planned shots up to date on disk. The result is in film order."""
    results: dict[str, ShotResult] = {}
    scenes = list(dict.fromkeys(plan.scene for plan in planned.plans.values()))
    drawing = draw or _lazy_draw(planned, options)
    for name, plan in sorted(planned.plans.items(), key=lambda item: scenes.index(item[1].scene)):
        if planned.frames[name]:
            results[name] = _bring_up(planned, plan, options, drawing, progress)
    return [results[name] for name in planned.plans if name in results]


def _bring_up(planned: Planned, plan: ShotPlan, options: RenderOptions, draw: Draw, progress: Progress) -> ShotResult:
    """One shot, alone with its folder."""
    folder = planned.folders.shot(plan.shot)
    with hold(folder / LOCK, f"shot {plan.shot}", progress):
        tidy(folder)
        decision = decide(plan, planned.frames[plan.shot], planned.folders, options.take == "new")
        if decision.current is not None:
            return ShotResult(plan.shot, decision.current, kept=len(planned.frames[plan.shot]))
        for reason in decision.reasons:
            progress.say(f"shot {plan.shot}: {reason}")
        take = make_take(plan, decision, draw, progress)
        drawn = sum(len(group) for group in decision.draw)
        return ShotResult(plan.shot, take, drawn, len(decision.share), len(decision.keep), decision.reasons)


def make_take(plan: ShotPlan, decision: Decision, draw: Draw, progress: Progress) -> Take:
    """Carry a decision out; the take is finished when it then holds every frame of the shot."""
    try:
        decision.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{decision.folder}: cannot make this folder: {error.strerror or error}") from error
    header = {**plan.header, "take": decision.take, "made_with": made_with()}
    journal = Journal(decision.folder, header)
    try:
        records = {
            **decision.keep,
            **_share_all(plan, decision, journal),
            **_draw_all(plan, decision, journal, draw, progress),
        }
    finally:
        journal.close()
    wanted = {frame: record for frame, record in records.items() if frame in plan.keys}
    take = Take(decision.folder, decision.take, False, wanted, header)
    if set(wanted) != set(plan.keys):
        return take
    return finish(take, header)


def _share_all(plan: ShotPlan, decision: Decision, journal: Journal) -> dict[int, FrameRecord]:
    """Frames that other takes hold, under this take's names."""
    records: dict[int, FrameRecord] = {}
    for frame, source in decision.share.items():
        pictures = {
            picture.name: replace(
                source.record.pictures[picture.name],
                file=picture_name(plan.film, plan.shot, picture.name, decision.take, frame, picture.suffix),
            )
            for picture in plan.pictures
        }
        record = replace(source.record, frame=frame, pictures=pictures)
        share_pictures(source.folder, source.record, decision.folder, record)
        journal.add(record)
        records[frame] = record
    return records


def _draw_all(
    plan: ShotPlan, decision: Decision, journal: Journal, draw: Draw, progress: Progress
) -> dict[int, FrameRecord]:
    """Draw what nobody has, writing beside it."""
    if not decision.draw:
        return {}
    count, done = sum(map(len, decision.draw)), 0
    progress.start(f"render {plan.shot}", count, "frames")
    destination = Destination(decision.folder, plan.film, plan.shot, decision.take)
    with FrameWriter(destination, journal) as writer:
        held: tuple[Any, ...] = ()
        for group in decision.draw:
            first = group[0]
            more: dict[str, Any] = {}
            if first in plan.exposures:
                more["exposure"] = plan.exposures[first]
            if (request := plan.wanted[first].request) is not None:
                more["request"] = request
            if plan.contact is not None:
                more["contact"] = plan.contact
            frame = draw(plan.scene, first, plan.cameras[first], **more)
            if held:
                writer.put(*held)
            held = (_job(plan, group), frame)
            if not getattr(frame, "in_flight", False):  # then it waits while the next is begun
                writer.put(*held)
                held = ()
            done += len(group)
            progress.advance(done)
        if held:
            writer.put(*held)
    if beyond := [number for number, record in writer.records.items() if record.saturated]:
        progress.say(f"shot {plan.shot}: depth beyond 65.535 m is written as 65.535 m in frames {spell_frames(beyond)}")
    progress.finish(decision.folder.name)
    return writer.records


def _job(plan: ShotPlan, group: tuple[int, ...]) -> FrameJob:
    """What is to become of the frame that the scene frames of a group share."""
    first = group[0]
    overscan = plan.cameras[first].overscan
    return FrameJob(group, plan.keys[first], plan.pictures, plan.wanted, plan.colour, overscan)


def _lazy_draw(planned: Planned, options: RenderOptions) -> Draw:
    """The real renderer, imported when the first frame is drawn."""
    ready: list[Draw] = []

    def draw(
        scene: str,
        frame: int,
        camera: Camera,
        exposure: Exposure | None = None,
        request: PassRequest | None = None,
        contact: Contact | None = None,
    ) -> Frame | PassFrame:
        if not ready:
            from splatfilm.shots.drawing import SceneDrawer

            film, background = planned.film, planned.picture.background
            bindings = planned.folders.assets / "bindings"
            ready.append(SceneDrawer(film, planned.sources, background, options.backend, bindings))
        return ready[0](scene, frame, camera, exposure, request, contact)

    return draw


def made_with() -> dict[str, Any]:
    """What the take was made with, for people; no key depends on it."""
    from importlib.metadata import PackageNotFoundError, version

    versions: dict[str, Any] = {"splatfilm": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {**versions, "machine": f"{platform.system()} {platform.machine()}"}
