"""One open film and everybody who looks at it: messages in, messages out, no network.

A message is an object with `do`: an edit, undo, save, or a picture that is wanted. Each is checked here before
anything happens; what is wrong is refused with a reason and changes nothing. After every change all windows get the
same state. Everything here runs in one thread; what other threads finish comes back through `soon`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, SplatfilmError
from splatfilm.film.model import REFINE_LOOKS
from splatfilm.layout import ChangedOnDiskError, Document, EditError, command_from_value
from splatfilm.layout.bodies import BODIES, PRIMES_MM, T_STOPS
from splatfilm.layout.checks import NOTHING_KNOWN, Known, notes
from splatfilm.layout.exchange import EXPORTS
from splatfilm.layout.hand_commands import Nudge
from splatfilm.layout.starters import STARTERS
from splatfilm.studio import setups
from splatfilm.studio.desk import Desk
from splatfilm.studio.focus import distance_under
from splatfilm.studio.lookout import Lookout
from splatfilm.studio.looks import look_of, looks_ahead, shot_of
from splatfilm.studio.lookthrough import LookThrough, Seen, Staging
from splatfilm.studio.messages import Later, RefusedError, as_json, parse, refusal, reply, with_picture
from splatfilm.studio.messages import field as given
from splatfilm.studio.outlet import Outlet, Voice
from splatfilm.studio.overview import Heard
from splatfilm.studio.queue import RenderQueue
from splatfilm.studio.values import StateValues, note_values, reading_at

log = logging.getLogger("splatfilm.studio")

HAND_RESTS = 0.12  # seconds after which a hand that moved a camera is taken to rest
Send = Callable[[str | bytes], None]
Soon = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class Room:
    """What a session works with beside its document. `soon` runs a function in the session's thread, later.

    `later` does so after some seconds. Where it is given, a camera that a hand is moving is told as the one frame that
    is looked at, and baked as a whole when the hand rests.
    """

    lookthrough: LookThrough
    queue: RenderQueue
    soon: Soon
    out: Path = Path("out")
    lookout: Lookout | None = None  # None: no 3D overview
    later: Callable[[float, Callable[[], None]], object] | None = None


@dataclass
class Window:
    """One browser window: how to reach it, and what it looks at."""

    send: Send
    shot: str = ""
    frame: int = 0


@dataclass(frozen=True)
class Moving:
    """A hand is moving a shot's camera at a frame: more will come at once."""

    shot: str
    frame: float


class Session:
    """A document and its windows. `send` of a window gets text (JSON) and bytes (pictures)."""

    def __init__(self, document: Document, room: Room) -> None:
        self.document = document
        self.desk = Desk(document, room.out)
        self._room = room
        self._windows: dict[object, Window] = {}
        self._conflict: tuple[Path, ...] = ()
        self._values = StateValues()
        self._known = NOTHING_KNOWN
        self._notes = notes(document.state)
        self._noted, self._resting = document.revision, document.revision
        works = room.lookthrough, room.queue
        self._outlet = outlet = Outlet(document, self.desk, works, Voice(self.tell, self._tell_all))
        self._does: dict[str, tuple[tuple[str, ...], Callable[[object, Mapping[str, Any]], Any]]] = {
            "edit": (("command", "values", "group"), self._edit),
            "undo": ((), lambda window, message: self.document.undo()),
            "redo": ((), lambda window, message: self.document.redo()),
            "save": (("over",), self._save),
            "reload": ((), self._reload),
            "cover": (("shot", "a", "b", "side", "setup"), self._put),
            "set-ups": (("shot", "a", "b"), lambda window, message: setups.names_of(self.document, message)),
            "start-rig": (("shot", "kind"), self._put),
            "import": (("shot", "text"), self._import),
            "look": (("shot", "frame", "width", "exact", "slot"), self._look),
            "ahead": (("frames", "width"), self._ahead),
            "watch": (("shot", "frame"), self._watch),
            "focus-at": (("shot", "frame", "x", "y"), self._focus_at),
            "takes": ((), outlet.takes),
            "circle": (("shot", "take"), outlet.circle),
            "take-picture": (("shot", "take", "frame"), outlet.take_picture),
            "render": (("shots",), outlet.render),
            "cancel": (("work",), outlet.cancel),
            "still": (("shot", "frame"), outlet.still),
            "storyboard": ((), outlet.storyboard),
            "shot-list": ((), outlet.shot_list),
            "export": (("shot", "kind"), outlet.export),
        }
        self._edits = {"edit", "undo", "redo", "save", "reload", "cover", "start-rig", "import"}

    # ---- windows ---------------------------------------------------------------------------------------------------

    def join(self, window: object, send: Send) -> None:
        """A window opens: it gets what never changes, then the state."""
        self._windows[window] = Window(send)
        bodies = [
            {"name": b.name, "title": b.title, "filmback_mm": list(b.filmback_mm), "squeeze": b.squeeze} for b in BODIES
        ]
        tables = {
            "type": "tables",
            "bodies": bodies,
            "primes": PRIMES_MM,
            "t_stops": T_STOPS,
            "looks": REFINE_LOOKS,
            "rigs": list(STARTERS),
            "exports": dict(EXPORTS),
            "overview": self._room.lookout is not None,
        }
        send(as_json(tables))
        send(self.state())
        send(self._outlet.works())

    def leave(self, window: object) -> None:
        """A window closes."""
        self._windows.pop(window, None)
        self._room.lookthrough.forget(window)

    def receive(self, window: object, text: str | bytes) -> None:
        """A message from a window. Whatever is wrong with it is answered and logged, never raised."""
        number: object = None
        try:
            message = parse(text)
            number = message.get("id")
            more = self._handle(window, message)
            if isinstance(more, Later):
                return
            answer = reply(number, **(more or {}))
        except SplatfilmError as error:
            answer = refusal(number, error)
        self.tell(window, as_json(answer))

    def tell(self, window: object, message: str | bytes) -> None:
        """Send to a window that may be gone."""
        known = self._windows.get(window)
        if known is not None:
            known.send(message)

    def state(self) -> str:
        """The whole state as every window sees it, as a message."""
        return as_json(self._values.of(self.document, self._conflict, self._notes))

    def broadcast(self) -> None:
        """Send the state to every window, and show it in the overview."""
        self._tell_all(self.state())
        self.show_overview()

    def _tell_all(self, message: str) -> None:
        for window in list(self._windows):
            self.tell(window, message)

    # ---- what other threads and the disk say -----------------------------------------------------------------------

    def seen(self, seen: Seen) -> None:
        """A picture is ready: it goes to the window that wanted it."""
        header = {**seen.look.header, "exact": seen.look.exact, "frame": seen.look.frame}
        slot = str(header.get("slot", ""))
        if self._outlet.seen(seen):
            return
        if self._room.lookout is not None and slot.startswith("thumb-") and not seen.problem:
            self._room.lookout.picture(str(header["shot"]), seen.picture)
        if seen.problem:
            self.tell(seen.look.window, as_json({"type": "unseen", **header, "problem": seen.problem}))
            return
        self.tell(seen.look.window, with_picture(header, seen.picture))

    def watch(self) -> None:
        """Look whether somebody else changed the files, and take that over or say that it is torn."""
        try:
            if self.document.refresh():
                self._conflict = ()
                self.broadcast()
        except ChangedOnDiskError as error:
            if self._conflict != error.paths:
                self._conflict = error.paths
                self.broadcast()
        except InputError as error:
            log.warning("not reloaded: %s", error)

    def remark(self) -> None:
        """Look for what is worth a remark, once nobody has changed anything since the last call."""
        revision = self.document.revision
        if self._noted != revision and self._resting == revision:
            self._notes, self._noted = notes(self.document.state, self._known), revision
            self._tell_all(as_json({"type": "notes", "notes": note_values(self._notes)}))
        self._resting = revision

    def soon(self, do: Callable[[], None]) -> None:
        """Run something in the session's thread; may be called from any."""
        self._room.soon(do)

    def warm_up(self, then: Callable[[], None]) -> None:
        """Read the first shot's splats while the browser is still opening, and do something when that is over."""
        film = self.document.state.film

        def read(stages: Staging) -> None:
            if film is not None and film.shots:
                stages(film, film.shots[0].scene).at(film.shots[0].frames.first)

        self._room.lookthrough.work(read, lambda *_: then())

    def learn(self, known: Known) -> None:
        """More is known of the sets: remarks are looked for anew."""
        self._known, self._noted = known, -1

    def worked(self) -> None:
        """The render queue has news."""
        self._tell_all(self._outlet.works())

    def heard(self, heard: Heard) -> None:
        """Somebody did something in the overview: it is an edit like any other, or shows in the windows."""
        if heard.shot not in self.document.state.shots:
            return
        frame = heard.frame
        if heard.what in ("shot", "key"):
            self._tell_all(as_json({"type": "choose", "shot": heard.shot, "frame": frame}))
            return
        watching = next((w for w in reversed(self._windows.values()) if w.shot == heard.shot), None)
        values = {
            "shot": heard.shot,
            "frame": watching.frame if watching else shot_of(self.document, heard.shot).frames.first,
            "position": list(heard.position or ()),
            "rotation": None if heard.rotation is None else list(heard.rotation),
        }
        try:
            self.document.do(command_from_value("stand", values), heard.gesture)
        except EditError as error:
            log.warning("refused from the overview: %s", error)
            self._tell_all(as_json({"type": "toast", "text": str(error)}))
        self.broadcast()

    def show_overview(self) -> None:
        """Bring the overview to what the window that looked last looks at."""
        if self._room.lookout is None:
            return
        for window in reversed(self._windows.values()):
            if window.shot in self.document.state.shots:
                self._room.lookout.show(self.document, window.shot, window.frame)
                return

    # ---- what windows ask ------------------------------------------------------------------------------------------

    def _handle(self, window: object, message: Mapping[str, Any]) -> Any:
        what = message.get("do")
        if not isinstance(what, str) or what not in self._does:
            raise RefusedError(f"do: expected one of {', '.join(self._does)}, found {str(what)[:60]!r}")
        fields, do = self._does[what]
        for key in message:
            if key not in ("do", "id", *fields):
                raise RefusedError(f"{what}: unknown {key[:60]!r}")
        answer = do(window, message)
        if isinstance(answer, Moving):
            self._tell_moving(answer)
            return None
        if what in self._edits:
            self.broadcast()
            return None
        return answer

    def _edit(self, window: object, message: Mapping[str, Any]) -> Moving | None:
        group = given(message, "group", str, None)
        command = command_from_value(message.get("command"), message.get("values"))
        self.document.do(command, group)
        by_hand = group is not None and isinstance(command, Nudge) and self._room.later is not None
        return Moving(command.shot, command.frame) if by_hand and isinstance(command, Nudge) else None

    def _tell_moving(self, moving: Moving) -> None:
        """Every window gets the frame that is being moved now, and the state when the hand rests."""
        revision, frames = self.document.revision, shot_of(self.document, moving.shot).frames
        frame = min(max(round(moving.frame), frames.first), frames.last)
        row = reading_at(self.document, moving.shot, frame)
        told = {"shot": moving.shot, "frame": frame, "row": row, "undo": self.document.undo_label}
        self._tell_all(as_json({"type": "moving", "revision": revision, **told}))

        def rests() -> None:
            if self.document.revision == revision:
                self.broadcast()

        assert self._room.later is not None, "else nothing is told as moving"
        self._room.later(HAND_RESTS, rests)

    def _save(self, window: object, message: Mapping[str, Any]) -> None:
        self.document.save(over=given(message, "over", bool, False))
        self._conflict = ()

    def _reload(self, window: object, message: Mapping[str, Any]) -> None:
        self.document.reload()
        self._conflict = ()

    def _put(self, window: object, message: Mapping[str, Any]) -> None:
        make = setups.cover if message["do"] == "cover" else setups.start_rig
        self.document.do(make(self.document, message))

    def _import(self, window: object, message: Mapping[str, Any]) -> None:
        values = {"shot": given(message, "shot", str), "text": given(message, "text", str)}
        self.document.do(command_from_value("import-camera", values))

    def _look(self, window: object, message: Mapping[str, Any]) -> None:
        exact, slot = given(message, "exact", bool, False), given(message, "slot", str, "look")
        if slot not in ("look", *(f"thumb-{s}" for s in self.document.state.shots)):
            raise RefusedError(f"no slot {slot[:60]!r}")
        look = look_of(self.document, window, message, exact, {"slot": slot})
        self._room.lookthrough.want(look, slot)

    def _ahead(self, window: object, message: Mapping[str, Any]) -> None:
        """Rendered while there is nothing else to do."""
        self._room.lookthrough.ahead(window, looks_ahead(self.document, window, message))

    def _watch(self, window: object, message: Mapping[str, Any]) -> None:
        """What a window looks at, for the overview."""
        shot, frame = given(message, "shot", str), given(message, "frame", int)
        shot_of(self.document, shot)
        if window in self._windows:
            known = self._windows.pop(window)  # the window that looked last comes last
            known.shot, known.frame = shot, frame
            self._windows[window] = known
            self.show_overview()

    def _focus_at(self, window: object, message: Mapping[str, Any]) -> Later:
        """Focus on what is under a place in the frame, as the renderer sees it there."""
        x, y = float(given(message, "x", (int, float))), float(given(message, "y", (int, float)))
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise RefusedError("x and y are places in the frame, 0 to 1")
        look = look_of(
            self.document,
            window,
            {k: message[k] for k in ("shot", "frame") if k in message} | {"width": 640},
            False,
            {},
        )
        number, name = message.get("id"), given(message, "shot", str)

        def done(distance: Any, error: Exception | None) -> None:
            self._room.soon(lambda: self._focused(window, number, name, look.frame, distance, error))

        self._room.lookthrough.work(lambda stages: distance_under(stages, look, (x, y)), done)
        return Later()

    def _focused(
        self, window: object, number: object, shot: str, frame: int, distance: Any, error: Exception | None
    ) -> None:
        answer = reply(number, distance=distance)
        try:
            if error is not None:
                raise RefusedError(str(error)) from error
            keyed = any(key.focus_m is not None for key in self.document.state.camera(shot).keys)
            rigged = self.document.state.camera(shot).rig is not None
            if keyed and not rigged:
                command = command_from_value("set-key", {"shot": shot, "frame": frame, "focus_m": distance})
            else:
                command = command_from_value("set-lens", {"shot": shot, "changes": {"focus_m": distance}})
            self.document.do(command)
            self.broadcast()
        except (SplatfilmError, KeyError) as refused:
            answer = refusal(number, refused)
        self.tell(window, as_json(answer))


__all__ = ["EditError", "RefusedError", "Room", "Session"]
