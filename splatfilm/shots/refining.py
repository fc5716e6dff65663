"""Refined frames: planned beside the bare ones, drawn by the same machinery, judged by shot.

A refined frame's key is the hash of its bare frame's key and of everything that refinement adds: the look, the
refiner, how much of them the shot's guards left, and where grain or other things move, the scene frame. It is the
picture of a take under `refined/`, so it is shared, resumed and verified as bare frames are, and no bare frame is ever
touched. Planning needs no torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.film.model import PASSES, Film, Refine, Shot
from splatfilm.refine.contract import RefinerSource
from splatfilm.refine.looks import Look, look_of, look_value
from splatfilm.refine.models import ModelSource
from splatfilm.refine.stored import find_refiner, in_steps
from splatfilm.shots.decide import decide
from splatfilm.shots.lock import hold
from splatfilm.shots.names import LOCK, FilmFolders
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.schedule import Planned, RenderOptions, ShotResult, make_take, plan_film, render_planned
from splatfilm.shots.takes import tidy
from splatfilm.shots.wanted import PLAIN_PASSES, PassRequest, Wanted

if TYPE_CHECKING:
    from splatfilm.shots.refine_drawing import RefinedDrawer

REFINE_VERSION = 1
"""Goes into every refined frame's key: a change of how refinement is put together makes every one of them anew."""

GUARDS_FILE = "guards.json"
FORMAT = "splatfilm-guards"


@dataclass(frozen=True, eq=False)
class RefinePlan:
    """One shot's refinement, planned. `source` is the scene refiner, where the set's splats have one."""

    shot: Shot
    refine: Refine
    look: Look
    bare: ShotPlan
    source: RefinerSource | None
    spaces: tuple[str, ...]  # names of the members' rest spaces, in the order in which `id` counts them
    members: tuple[str, ...]

    def value(self, held_to: float) -> dict[str, Any]:
        """What refinement adds to a bare frame's key, with the strength that the guards left."""
        return {
            "refine": REFINE_VERSION,
            "look": look_value(self.look, self.refine.seed),
            "strength": self.refine.strength * held_to,
            "refiner": None if self.source is None else self.source.key,
            "spaces": list(self.spaces),
        }


@dataclass(frozen=True)
class RefinedShot:
    """What became of one refined shot. `held_to` is the part of the film's strength that its guards left."""

    result: ShotResult
    look: str
    held_to: float
    report: Mapping[str, Any]


def plan_refine(planned: Planned, options: RenderOptions) -> dict[str, RefinePlan]:
    """The refinement of every planned shot that has a look, by shot."""
    plans: dict[str, RefinePlan] = {}
    for name, bare in planned.plans.items():
        shot = planned.film.shot(name)
        refine = shot.refine if options.look is None else replace(shot.refine, look=options.look)
        look = look_of(refine)
        if look is None:
            continue
        scene = planned.film.scenes[shot.scene]
        members = {scene.set: scene.set} | {member.name: member.asset for member in scene.cast}
        spaces = tuple(f"{asset}/{member}" for member, asset in members.items())
        source = _source(refine, planned, planned.sources[scene.set, scene.set_look].path, spaces)
        plans[name] = RefinePlan(shot, refine, look, bare, source, spaces, tuple(members))
    return plans


def _source(refine: Refine, planned: Planned, splats: Path, spaces: tuple[str, ...]) -> RefinerSource | None:
    """The model that the film names, or else the refiner that lies beside the set's splats."""
    if refine.model is None:
        found = find_refiner(splats)
        if found is None or refine.steps is None:
            return found
        return in_steps(found, refine.steps, refine.seed, spaces)
    return ModelSource(refine.model, Path(planned.film.path).resolve().parent, refine.seed)


def refined_plan(plan: RefinePlan, held_to: float) -> ShotPlan:
    """The plan of a shot's refined take: the bare one with other keys, and only the files that hold beauty."""
    value = plan.value(held_to)
    grainy = plan.look.stock is not None
    moving = grainy or (plan.source is not None and plan.source.moves)
    bare = plan.bare
    pictures = tuple(picture for picture in bare.pictures if "beauty" in picture.passes)
    keys: dict[int, str] = {}
    wanted: dict[int, Wanted] = {}
    for frame in bare.frames:
        own = {**value, "bare": bare.keys[frame], "objects": list(plan.members)}
        if moving:
            own["scene_frame"] = frame
        if grainy:
            lens = bare.cameras[frame].lens
            own["filmback"] = None if lens is None else list(lens.filmback_mm)
        keys[frame] = hash_value(own)
        was = bare.wanted[frame]
        wanted[frame] = replace(
            was,
            drawing=hash_value([keys[frame], was.drawing]),
            keys={name: hash_value([keys[frame], key]) for name, key in was.keys.items()},
            headers={name: {**header, "refined": plan.refine.look} for name, header in was.headers.items()},
            request=request_of(was.request, plan.members),
        )
    inputs = {**bare.inputs, "refine": {**value, "name": plan.refine.look}}
    header = {**bare.header, "inputs": inputs, "passes": [p for one in pictures for p in one.passes]}
    return replace(bare, keys=keys, wanted=wanted, pictures=pictures, inputs=inputs, header=header)


def refine_planned(planned: Planned, options: RenderOptions, progress: Progress = SILENT) -> dict[str, RefinedShot]:
    """Bring the refined takes of planned shots up to date on disk; by shot, those that have a look.

    Raises as `render_planned` does, and `InputError` for refiners that cannot be used.
    """
    plans = plan_refine(planned, options)
    folders = replace(planned.folders, refined=True)
    opened = _opener(planned, plans, options)
    done = {}
    for name, plan in plans.items():
        frames = planned.frames[name]
        if frames:
            done[name] = _refine_shot(_Work(plan, folders, frames, opened, progress), options)
    return done


def refine_shots(film: Film, options: RenderOptions, progress: Progress = SILENT) -> dict[str, RefinedShot]:
    """Bring the chosen shots up to date on disk, bare and refined."""
    planned = plan_film(film, options, progress)
    render_planned(planned, options, progress)
    return refine_planned(planned, options, progress)


def refine_report(refined: Mapping[str, RefinedShot]) -> dict[str, Any]:
    """Refined shots, ready for JSON."""
    return {
        "refined": [
            {
                "shot": name,
                "look": one.look,
                "take": one.result.take.name,
                "folder": str(one.result.take.folder),
                "drawn": one.result.drawn,
                "shared": one.result.shared,
                "kept": one.result.kept,
                "guards": dict(one.report),
            }
            for name, one in refined.items()
        ]
    }


@dataclass(frozen=True, eq=False)
class _Work:
    """One shot to be refined, and what that takes."""

    plan: RefinePlan
    folders: FilmFolders
    frames: Sequence[int]
    open: Callable[[], RefinedDrawer]
    progress: Progress


def _refine_shot(work: _Work, options: RenderOptions) -> RefinedShot:
    """Measure a shot once, settle its strength, and draw it; less and less of it while its guards fail."""
    plan, progress = work.plan, work.progress
    folder = work.folders.shot(plan.shot.name)
    with hold(folder / LOCK, f"refined shot {plan.shot.name}", progress):
        tidy(folder)
        report = _known_report(folder / GUARDS_FILE, plan)
        if report is None:
            progress.say(f"shot {plan.shot.name}: holding the look {plan.refine.look} against the bare frames")
            report = {"format": FORMAT, "key": _guards_key(plan), **work.open().settle(plan)}
            write_json(folder / GUARDS_FILE, report)
        held_to = float(report["held_to"])
        if held_to < 1 and (reasons := report["lowered"]):
            progress.say(f"shot {plan.shot.name}: strength lowered to {held_to:.0%} ({reasons[-1]})")
        wanted = refined_plan(plan, held_to)
        decision = decide(wanted, work.frames, work.folders, options.take == "new")
        if decision.current is not None:
            result = ShotResult(plan.shot.name, decision.current, kept=len(work.frames))
            return RefinedShot(result, plan.refine.look, held_to, report)
        for reason in decision.reasons:
            progress.say(f"refined shot {plan.shot.name}: {reason}")
        draw = _Lazily(work.open, plan, held_to)
        take = make_take(wanted, decision, draw, progress)
        if draw.failed:
            report = {**report, "kept_bare": {str(frame): why for frame, why in sorted(draw.failed.items())}}
            write_json(folder / GUARDS_FILE, report)
            first, why = next(iter(sorted(draw.failed.items())))
            progress.say(f"shot {plan.shot.name}: {len(draw.failed)} frames stayed bare, {first} first: {why}")
        drawn = sum(len(group) for group in decision.draw)
        result = ShotResult(plan.shot.name, take, drawn, len(decision.share), len(decision.keep), decision.reasons)
        return RefinedShot(result, plan.refine.look, held_to, report)


class _Lazily:
    """A `Draw` of refined frames that loads torch when the first one is drawn. `failed` says which stayed bare."""

    def __init__(self, open_drawer: Callable[[], RefinedDrawer], plan: RefinePlan, held_to: float) -> None:
        self._open, self._plan, self._held_to = open_drawer, plan, held_to
        self.failed: dict[int, str] = {}

    def __call__(self, scene: str, frame: int, camera: Any, *, request: Any = None, **more: Any) -> Any:
        # Exposure and contact shadows are the bare shot's, which the drawer takes from its plan.
        drawn, failed = self._open().draw(self._plan, frame, self._held_to, request)
        if failed:
            self.failed[frame] = failed
        return drawn


def _opener(planned: Planned, plans: Mapping[str, RefinePlan], options: RenderOptions) -> Callable[[], RefinedDrawer]:
    ready: list[RefinedDrawer] = []

    def opened() -> RefinedDrawer:
        if not ready:
            from splatfilm.shots.refine_drawing import RefinedDrawer

            ready.append(RefinedDrawer(planned, plans, options.backend))
        return ready[0]

    return opened


def _guards_key(plan: RefinePlan) -> str:
    """What decides a shot's strength: its bare frames and what is asked of them, other shots' left out.

    Two shots' agreement is measured too, but a shot's strength does not change because another shot was added.
    """
    bare = [plan.bare.keys[frame] for frame in plan.bare.frames]
    return hash_value({**plan.value(1.0), "bare": bare, "frames": list(plan.bare.frames)})


def _known_report(path: Path, plan: RefinePlan) -> dict[str, Any] | None:
    """The guards' report where it is of these very inputs."""
    with contextlib.suppress(InputError, KeyError, TypeError, ValueError):
        value = read_json(path)
        if value["format"] == FORMAT and value["key"] == _guards_key(plan) and 0 <= float(value["held_to"]) <= 1:
            found: dict[str, Any] = value
            return found
    return None


def request_of(request: PassRequest | None, members: tuple[str, ...]) -> PassRequest:
    """The passes of a bare frame, and those that refinement needs."""
    more = {"normal", "id", *(request.passes if request else ())}
    passes = tuple(name for name in PASSES if name in more and name not in PLAIN_PASSES)
    if request is None:
        return PassRequest(passes, members)
    return replace(request, passes=passes, objects=members)


def film_uses_refinement(film: Film) -> bool:
    """Whether any shot has a look."""
    return any(look_of(shot.refine) is not None for shot in film.shots)


def report_line(shot: str, refined: RefinedShot) -> str:
    """A shot's guards in one line for people."""
    worst = refined.report["worst"]
    held = "as asked" if refined.held_to == 1 else f"lowered to {refined.held_to:.0%}"
    return (
        f"{shot}: {refined.look}, strength {held}; broad colour {worst['colour'] * 255:.2f}/255, "
        f"edges moved {worst['edges']:.1%}, views disagree by {worst['warp'] * 255:+.2f}/255 more"
    )
