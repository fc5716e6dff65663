"""One open film and everybody who looks at it: messages in, messages out, no network.

A message is an object with `do`: an edit, undo, save, or a picture that is wanted. Each is checked here before
anything happens; what is wrong is refused with a reason and changes nothing. After every change all windows get the
same state. Everything runs in one thread.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from splatfilm.base.errors import InputError, SplatfilmError
from splatfilm.cameras.camera_file import to_value
from splatfilm.film import Film, Shot
from splatfilm.layout import ChangedOnDiskError, Document, EditError, command_from_value
from splatfilm.layout.aiming import heading_and_tilt, recorded_mm
from splatfilm.layout.bodies import BODIES, PRIMES_MM, T_STOPS
from splatfilm.layout.checks import notes
from splatfilm.layout.coverage import SHOT_SIZES, Setting, Subject, coverage
from splatfilm.layout.rigs import to_value as rig_value
from splatfilm.layout.starters import STARTERS, From, starting
from splatfilm.stage.placement import Placements
from splatfilm.studio.lookthrough import Look, LookThrough, Seen

log = logging.getLogger("splatfilm.studio")

WIDEST_LOOK = 4096
Send = Callable[[str | bytes], None]


class RefusedError(SplatfilmError):
    """A message that is not what it must be; nothing has changed."""

    exit_code = 3


class Session:
    """A document and its windows. `send` of a window gets text (JSON) and bytes (pictures)."""

    def __init__(self, document: Document, lookthrough: LookThrough) -> None:
        self.document = document
        self._lookthrough = lookthrough
        self._windows: dict[object, Send] = {}
        self._conflict: tuple[Path, ...] = ()
        self._values: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {}  # of shots, while nothing changes them
        self._notes = notes(document.state)
        self._noted, self._resting = document.revision, document.revision

    # ---- windows ---------------------------------------------------------------------------------------------------

    def join(self, window: object, send: Send) -> None:
        """A window opens: it gets what never changes, then the state."""
        self._windows[window] = send
        bodies = [
            {"name": b.name, "title": b.title, "filmback_mm": list(b.filmback_mm), "squeeze": b.squeeze} for b in BODIES
        ]
        send(
            _json(
                {
                    "type": "tables",
                    "bodies": bodies,
                    "primes": PRIMES_MM,
                    "t_stops": T_STOPS,
                    "rigs": list(STARTERS),
                    "sizes": list(SHOT_SIZES),
                }
            )
        )
        send(self.state())

    def leave(self, window: object) -> None:
        """A window closes."""
        self._windows.pop(window, None)
        self._lookthrough.forget(window)

    def receive(self, window: object, text: str | bytes) -> None:
        """A message from a window. Whatever is wrong with it is answered and logged, never raised."""
        number: object = None
        try:
            message = _message(text)
            number = message.get("id")
            self._handle(window, message)
            answer: dict[str, Any] = {"type": "reply", "id": number, "ok": True}
        except SplatfilmError as error:
            log.warning("refused: %s", error)
            answer = {"type": "reply", "id": number, "ok": False, "error": str(error)}
            if isinstance(error, ChangedOnDiskError):
                answer["conflict"] = [path.name for path in error.paths]
        self._tell(window, _json(answer))

    def seen(self, seen: Seen) -> None:
        """A picture is ready: it goes to the window that wanted it."""
        header = {**seen.look.header, "exact": seen.look.exact, "frame": seen.look.frame}
        if seen.problem:
            self._tell(seen.look.window, _json({"type": "unseen", **header, "problem": seen.problem}))
            return
        lead = _json(header).encode()
        self._tell(seen.look.window, len(lead).to_bytes(4, "little") + lead + seen.picture)

    def watch(self) -> None:
        """Look whether somebody else changed the files, and take that over or say that it is torn."""
        try:
            if self.document.refresh():
                self._conflict = ()
                self._broadcast()
        except ChangedOnDiskError as error:
            if self._conflict != error.paths:
                self._conflict = error.paths
                self._broadcast()
        except InputError as error:
            log.warning("not reloaded: %s", error)

    def remark(self) -> None:
        """Look for what is worth a remark, once nobody has changed anything since the last call."""
        revision = self.document.revision
        if self._noted != revision and self._resting == revision:
            self._notes, self._noted = notes(self.document.state), revision
            message = _json({"type": "notes", "notes": self._note_values()})
            for window in list(self._windows):
                self._tell(window, message)
        self._resting = revision

    # ---- what windows ask ------------------------------------------------------------------------------------------

    def _handle(self, window: object, message: Mapping[str, Any]) -> None:
        what = message.get("do")
        allowed: dict[str, tuple[str, ...]] = {
            "edit": ("command", "values", "group"),
            "undo": (),
            "redo": (),
            "save": ("over",),
            "reload": (),
            "look": ("shot", "frame", "width", "exact", "slot"),
            "cover": ("shot", "a", "b", "side", "setup"),
            "start-rig": ("shot", "kind"),
        }
        if not isinstance(what, str) or what not in allowed:
            raise RefusedError(f"do: expected one of {', '.join(allowed)}, found {str(what)[:60]!r}")
        for key in message:
            if key not in ("do", "id", *allowed[what]):
                raise RefusedError(f"{what}: unknown {key[:60]!r}")
        if what == "look":
            self._look(window, message)
            return
        if what == "edit":
            self._edit(message)
        elif what == "cover":
            self._cover(message)
        elif what == "start-rig":
            self._start_rig(message)
        elif what == "undo":
            self.document.undo()
        elif what == "redo":
            self.document.redo()
        elif what == "save":
            self.document.save(over=_kind(message, "over", bool, False))
            self._conflict = ()
        else:
            self.document.reload()
            self._conflict = ()
        self._broadcast()

    def _edit(self, message: Mapping[str, Any]) -> None:
        group = _kind(message, "group", str, None)
        self.document.do(command_from_value(message.get("command"), message.get("values")), group)

    def _cover(self, message: Mapping[str, Any]) -> None:
        """A set-up of the coverage presets, computed here and put on the shot as a rig."""
        state, name = self.document.state, _kind(message, "shot", str)
        shot = self._shot(name)
        film = state.film
        if film is None:
            raise RefusedError("coverage needs a film without problems")
        there = {p.member: p.place for p in Placements(film, shot.scene).at(shot.frames.first)[1:]}
        subjects = []
        for key in ("a", "b"):
            who = _kind(message, key, str)
            if who not in there:
                raise RefusedError(f"{who!r} is not in the scene; there is {', '.join(there) or 'nobody'}")
            tall = film.assets[next(m.asset for m in film.scenes[shot.scene].cast if m.name == who)].kind == "character"
            subjects.append(Subject(who, there[who].translation, (1.7 if tall else 0.25) * there[who].scale))
        try:
            side = _kind(message, "side", str)
            setting = Setting(subjects[0], subjects[1], side, state.seen(name).lens_at(shot.frames.first), film.size)
            rig = coverage(setting, _kind(message, "setup", str))
        except ValueError as error:
            raise RefusedError(str(error)) from error
        self.document.do(command_from_value("set-rig", {"shot": name, "rig": rig_value(rig)}))

    def _start_rig(self, message: Mapping[str, Any]) -> None:
        """A first version of a rig, from the picture that the shot begins with."""
        name = _kind(message, "shot", str)
        shot, path = self._shot(name), self.document.state.seen(name)
        lens = path.lens_at(shot.frames.first)
        start = From(path.pose_at(shot.frames.first), lens.focal_mm, lens.focus_m or 3.0)
        try:
            rig = starting(_kind(message, "kind", str), start)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        self.document.do(command_from_value("set-rig", {"shot": name, "rig": rig_value(rig)}))

    def _look(self, window: object, message: Mapping[str, Any]) -> None:
        state, name = self.document.state, _kind(message, "shot", str)
        shot, film = self._shot(name), state.film
        if film is None:
            raise RefusedError("the film file has problems: mend them to see through its cameras")
        frame, exact = _kind(message, "frame", int), _kind(message, "exact", bool, False)
        width, slot = _kind(message, "width", int, film.size[0]), _kind(message, "slot", str, "look")
        if frame not in shot.frames:
            raise RefusedError(f"frame {frame} is not in shot {name}: {shot.frames.first} to {shot.frames.last}")
        if not 16 <= width <= WIDEST_LOOK or slot not in ("look", *(f"thumb-{s}" for s in state.shots)):
            raise RefusedError(f"no look of {width} pixels in slot {slot[:60]!r}")
        size = film.size if exact else _scaled(film.size, min(width, film.size[0]))
        camera = state.seen(name).at(frame, *size)
        header = {"shot": name, "slot": slot, "revision": self.document.revision}
        self._lookthrough.want(Look(window, film, shot.scene, frame, camera, exact, header), slot)

    def _shot(self, name: str) -> Shot:
        try:
            return self.document.state.shot(name)
        except KeyError as error:
            raise RefusedError(str(error.args[0])) from error

    # ---- the state -------------------------------------------------------------------------------------------------

    def state(self) -> str:
        """The whole state as every window sees it."""
        document, state = self.document, self.document.state
        head: Film | None = state.head
        value: dict[str, Any] = {
            "type": "state",
            "revision": document.revision,
            "title": head.title if head else state.path.name,
            "rate": float(head.rate) if head else 24.0,
            "size": list(head.size) if head else [1920, 1080],
            "dirty": document.dirty,
            "undo": document.undo_label,
            "redo": document.redo_label,
            "conflict": [path.name for path in self._conflict],
            "problems": [
                {"file": Path(p.path).name, "line": p.line, "place": p.place, "message": p.message}
                for p in document.problems
            ],
            "notes": self._note_values(),
            "shots": [self._shot_value(shot) for shot in state.shots.values()],
            "scenes": self._scenes(state.film),
        }
        return _json(value)

    def _note_values(self) -> list[dict[str, Any]]:
        return [
            {"shot": n.shot, "before": n.before, "frame": n.frame, "rule": n.rule, "message": n.message}
            for n in self._notes
        ]

    def _shot_value(self, shot: Shot) -> dict[str, Any]:
        """A shot as windows see it, remembered while its camera and its entry in the film stay."""
        state = self.document.state
        head = state.head
        key = (shot, state.cameras[shot.camera], (head.size, head.rate) if head else None)
        known = self._values.get(shot.name)
        if known is None or known[0] != key:
            known = self._values[shot.name] = key, self._made_value(shot)
        return known[1]

    def _made_value(self, shot: Shot) -> dict[str, Any]:
        state = self.document.state
        file = state.cameras[shot.camera]
        value: dict[str, Any] = {
            "name": shot.name,
            "scene": shot.scene,
            "first": shot.frames.first,
            "last": shot.frames.last,
            "file": shot.camera.name,
            "own": file.own,
            "problem": "; ".join(p.message for p in file.problems) or None,
        }
        if file.camera is None:
            return value
        try:
            seen = file.camera.with_lens(shot.lens)
            baked = self.document.bake(shot.name)
        except (ValueError, InputError) as error:
            return {**value, "problem": str(error)}
        plain = to_value(file.camera)
        lens = {**to_value(seen)["lens"]}
        keys = plain["keys"] if file.camera.rig is None else []
        size = state.head.size if state.head else (1920, 1080)
        reading = _reading(baked.poses, float(state.head.rate) if state.head else 24.0)
        hud = np.column_stack([reading, baked.focal_mm, baked.focus_m])
        return {
            **value,
            "lens": lens,
            "recorded_mm": recorded_mm(seen.lens, size),
            "speed": plain["speed"],
            "rig": plain.get("rig"),
            "keys": keys,
            "hud": [[None if math.isnan(x) else round(x, 4) for x in row] for row in hud.tolist()],
        }

    @staticmethod
    def _scenes(film: Film | None) -> dict[str, Any]:
        if film is None:
            return {}
        value: dict[str, Any] = {}
        for name, scene in film.scenes.items():
            cast = [member.name for member in scene.cast]
            value[name] = {"first": scene.frames.first, "last": scene.frames.last, "cast": cast}
        return value

    def _broadcast(self) -> None:
        state = self.state()
        for window in list(self._windows):
            self._tell(window, state)

    def _tell(self, window: object, message: str | bytes) -> None:
        send = self._windows.get(window)
        if send is not None:
            send(message)


def _reading(poses: np.ndarray[Any, Any], rate: float) -> np.ndarray[Any, Any]:
    """What a HUD shows, a row a frame: x, y, z, heading, tilt, roll (degrees), speed (metres a second)."""
    rows = []
    for pose in poses:
        heading, tilt = heading_and_tilt(pose[:3, :3])
        right = np.array([math.sin(heading), -math.cos(heading), 0.0])
        down = np.cross(pose[:3, 2], right)
        roll = math.atan2(float(pose[:3, 0] @ down), float(pose[:3, 0] @ right))
        rows.append([*pose[:3, 3].tolist(), math.degrees(heading), math.degrees(tilt), math.degrees(roll)])
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1) * rate
    return np.column_stack([np.array(rows), np.append(steps, steps[-1:] if len(steps) else 0.0)])


def _message(text: str | bytes) -> Mapping[str, Any]:
    if isinstance(text, bytes):
        raise RefusedError("expected a text message, found bytes")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"not valid JSON: {str(error)[:200]}") from error
    if not isinstance(message, dict):
        raise RefusedError("expected an object")
    if not isinstance(message.get("id"), int | None):
        raise RefusedError("id: expected a whole number")
    return message


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_MISSING = object()


def _kind(message: Mapping[str, Any], key: str, kind: type, default: Any = _MISSING) -> Any:
    value = message.get(key, default)
    if value is _MISSING:
        raise RefusedError(f"missing {key}")
    if value is default or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise RefusedError(f"{key}: expected {kind.__name__}, found {str(value)[:60]!r}")


def _scaled(size: tuple[int, int], width: int) -> tuple[int, int]:
    return width, max(1, round(size[1] * width / size[0]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


__all__ = ["EditError", "RefusedError", "Session"]
