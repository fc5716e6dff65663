"""Where refinement meets torch: bare frames drawn with what refiners need, refined, and held by their guards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch

from splatfilm.refine.apply import Settings, change, finish, hold
from splatfilm.refine.contract import BareFrame, Refiner, WindowRefiner
from splatfilm.refine.guards import (
    GUARDS_VERSION,
    STRENGTHS,
    Limits,
    correspondence,
    judge,
    lock_pixels,
    measure_frame,
    measure_pair,
)
from splatfilm.refine.pixels import bare_frame
from splatfilm.refine.windows import share_of, windows_of
from splatfilm.render import resolve_backend
from splatfilm.render.passes import PassFrame
from splatfilm.shots.drawing import SceneDrawer
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.refining import RefinePlan, request_of
from splatfilm.shots.schedule import Planned
from splatfilm.shots.wanted import PassRequest

KEPT_WINDOWS = 3
"""Windows of a model that refines several frames at once: neighbours share frames, so more than one is needed."""

PROBES = 3
"""Moments of a shot at which its guards measure a frame and the next one; all of a shot that is shorter."""


class RefinedDrawer:
    """Draws refined frames of a film. Holds one scene's splats and the refiners that were opened."""

    def __init__(self, planned: Planned, plans: Mapping[str, RefinePlan], backend: str) -> None:
        self._planned = planned
        self._plans = plans
        bindings = planned.folders.assets / "bindings"
        self._drawer = SceneDrawer(planned.film, planned.sources, planned.picture.background, backend, bindings)
        self._cuda = resolve_backend(backend).name == "gsplat"
        self._refiners: dict[str, Refiner] = {}
        self._windows: dict[tuple[str, int, int], dict[int, torch.Tensor]] = {}

    def draw(self, plan: RefinePlan, frame: int, held_to: float, request: PassRequest) -> tuple[PassFrame, str]:
        """A refined frame with the passes of `request`, and why it stayed bare where it did."""
        with torch.no_grad():
            drawn, bare = self.bare(plan, plan.bare, frame, request)
            settings = self._settings(plan, held_to)
            wanted, failed = change(bare, self._refiner_at(plan, plan.bare, frame), settings, plan.spaces)
            if failed:
                return drawn, failed
            return replace(drawn, beauty=finish(bare, hold(bare, wanted, settings), settings)), ""

    def settle(self, plan: RefinePlan) -> dict[str, Any]:
        """How much of its look a shot can take: measured at some of its moments, and against other shots of them."""
        with torch.no_grad():
            probed = self._probe(plan)
        limits = Limits(bound=plan.look.bound)
        lock = lock_pixels(plan.look.lock_px, plan.bare.cameras[plan.bare.frames[0]].width)
        lowered: list[str] = []
        for held_to in STRENGTHS:
            settings = self._settings(plan, held_to)
            still = {number: hold(bare, wanted, settings) for number, (bare, wanted) in probed.frames.items()}
            frames = {
                number: measure_frame(bare.beauty, still[number], lock)
                for number, (bare, _) in probed.frames.items()
                if isinstance(number, int)
            }
            pairs = []
            for one, other, what, where in probed.pairs:
                both = probed.frames[one][0], probed.frames[other][0]
                found = measure_pair(both, (still[one], still[other]), what, where)
                if found is not None and isinstance(one, int):
                    pairs.append((one, found))
            verdict = judge(frames, pairs, limits)
            if verdict.holds or held_to == STRENGTHS[-1]:
                break
            lowered.append("; ".join(verdict.failures))
        return {
            "version": GUARDS_VERSION,
            "look": plan.refine.look,
            "refiner": None if plan.source is None else {"name": plan.source.name, "key": plan.source.key},
            "held_to": held_to,
            "lowered": lowered,
            "holds": verdict.holds,
            "worst": dict(verdict.worst),
            "limits": asdict(limits),
            "frames": {str(number): asdict(one) for number, one in frames.items()},
            "pairs": [{"scene_frame": number, **asdict(one)} for number, one in pairs],
        }

    def _probe(self, plan: RefinePlan) -> _Probed:
        """The frames that are measured, bare and as the look wants them, and which of them see one another."""
        settings = self._settings(plan, 1.0)
        probed = _Probed({}, [])

        def take(key: int | tuple[str, int], of: ShotPlan, frame: int) -> None:
            if key not in probed.frames:
                request = request_of(None, plan.members)
                _, bare = self.bare(plan, of, frame, request)
                refiner = self._refiner_at(plan, of, frame)
                probed.frames[key] = bare, change(bare, refiner, settings, plan.spaces)[0]

        def pair(one: int, other: int | tuple[str, int], what: str) -> None:
            where = correspondence(probed.frames[one][0], probed.frames[other][0])
            probed.pairs.append((one, other, what, where))

        for frame in _moments(plan.bare.frames):
            take(frame, plan.bare, frame)
            if frame + 1 in plan.bare.keys:
                take(frame + 1, plan.bare, frame + 1)
                pair(frame, frame + 1, "the next frame")
        for name, other in self._plans.items():
            both = sorted(set(other.bare.frames) & set(plan.bare.frames))
            if name != plan.shot.name and other.bare.scene == plan.bare.scene and both:
                middle = both[len(both) // 2]
                take(middle, plan.bare, middle)
                take((name, middle), other.bare, middle)
                pair(middle, (name, middle), f"shot {name}")
        return probed

    def bare(self, plan: RefinePlan, of: ShotPlan, frame: int, request: PassRequest) -> tuple[PassFrame, BareFrame]:
        """A frame as the bare film has it, with what a refiner is given."""
        camera = of.cameras[frame]
        passes = request.passes if self._cuda else (*request.passes, "depth-median")
        wanted = replace(request, passes=passes)
        drawn = self._drawer(of.scene, frame, camera, of.exposures.get(frame), wanted, of.contact)
        assert isinstance(drawn, PassFrame), "passes were asked for"
        return drawn, bare_frame(drawn, self._drawer.seen(of.scene, frame, camera))

    def _refiner(self, plan: RefinePlan) -> Refiner | None:
        if plan.source is None:
            return None
        if plan.source.key not in self._refiners:
            self._refiners[plan.source.key] = plan.source.open("cuda" if self._cuda else "cpu")
        return self._refiners[plan.source.key]

    def _refiner_at(self, plan: RefinePlan, of: ShotPlan, frame: int) -> Refiner | None:
        """What refines a frame of a shot. A model that takes windows sees the frames around it, whichever they are."""
        refiner = self._refiner(plan)
        if not isinstance(refiner, WindowRefiner):
            return refiner
        return lambda bare: self._from_windows(refiner, plan, of, frame)

    def _from_windows(self, refiner: WindowRefiner, plan: RefinePlan, of: ShotPlan, frame: int) -> torch.Tensor:
        """The pictures that the windows over a frame make of it, each by its share."""
        total, shares = None, 0.0
        for begin in windows_of(frame, frame, refiner.span):
            share = share_of(frame, begin, refiner.span)
            made = share * self._window(refiner, plan, of, begin)[frame]
            total, shares = (made if total is None else total + made), shares + share
        assert total is not None, "every frame lies in a window"
        return total / shares

    def _window(self, refiner: WindowRefiner, plan: RefinePlan, of: ShotPlan, begin: int) -> dict[int, torch.Tensor]:
        """The refined pictures of a shot's frames in one window, by scene frame. The last few windows are kept."""
        key = (plan.shot.name, id(of), begin)
        if key not in self._windows:
            frames = [frame for frame in range(begin, begin + refiner.span) if frame in of.keys]
            request = request_of(None, plan.members)
            bare = [self.bare(plan, of, frame, request)[1] for frame in frames]
            while len(self._windows) >= KEPT_WINDOWS:
                self._windows.pop(next(iter(self._windows)))
            self._windows[key] = dict(zip(frames, refiner.refine_window(bare), strict=True))
        return self._windows[key]

    @staticmethod
    def _settings(plan: RefinePlan, held_to: float) -> Settings:
        return Settings(plan.look, plan.refine.seed, plan.refine.strength, held_to)


class _Probed:
    """Frames that guards measure; keys are scene frames of the shot, or (another shot, scene frame)."""

    def __init__(self, frames: dict[Any, tuple[BareFrame, torch.Tensor]], pairs: list[Any]) -> None:
        self.frames, self.pairs = frames, pairs


def _moments(frames: tuple[int, ...]) -> list[int]:
    """The first, the last but one and some between, evenly; fewer in a short shot."""
    last = max(len(frames) - 2, 0)
    count = min(PROBES, last + 1)
    return sorted({frames[round(last * number / max(count - 1, 1))] for number in range(count)})
