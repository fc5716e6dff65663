"""What leaves the studio, asked for by messages: takes, renders, stills, storyboards, shot lists, camera files.

The desk writes files, the look-through makes pictures, the queue renders shots; here it is decided what of it a message
may ask for, and answered when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from splatfilm.base.errors import SplatfilmError
from splatfilm.layout import Document
from splatfilm.studio.desk import Desk
from splatfilm.studio.looks import look_of, shot_of
from splatfilm.studio.lookthrough import LookThrough, Seen
from splatfilm.studio.messages import Later, RefusedError, as_json, refusal, reply, with_picture
from splatfilm.studio.messages import field as given
from splatfilm.studio.queue import RenderQueue


@dataclass(frozen=True)
class Voice:
    """How windows are reached: one of them, or all."""

    one: Callable[[object, str | bytes], None]
    all: Callable[[str], None]


@dataclass
class _Storyboard:
    """A storyboard whose pictures are being made."""

    window: object
    number: object
    missing: dict[tuple[str, int], bytes | str | None] = field(default_factory=dict)


class Outlet:
    """The messages about output of one open film."""

    def __init__(self, document: Document, desk: Desk, works: tuple[LookThrough, RenderQueue], voice: Voice) -> None:
        self._document, self._desk, self._voice = document, desk, voice
        self._lookthrough, self._queue = works
        self._boards: list[_Storyboard] = []

    def seen(self, seen: Seen) -> bool:
        """A picture is ready: whether it was made for one of these."""
        slot = str(seen.look.header.get("slot", ""))
        if slot.startswith("board-"):
            self._boarded(seen)
        elif slot == "still":
            self._finished(seen)
        else:
            return False
        return True

    def works(self) -> str:
        """How far the render queue is, as a message."""
        works = [
            {"number": w.number, "shot": w.shot, "state": w.state, "done": w.done, "total": w.total, "note": w.note,
             "seconds_left": w.seconds_left}
            for w in self._queue.works()
        ]  # fmt: skip
        return as_json({"type": "works", "works": works})

    def shot_list(self, window: object, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"file": str(self._desk.write_shot_list())}

    def takes(self, window: object, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"takes": self._desk.takes()}

    def circle(self, window: object, message: Mapping[str, Any]) -> dict[str, Any]:
        shot, number = given(message, "shot", str), given(message, "take", int, None)
        shot_of(self._document, shot)
        self._desk.circle(shot, number)
        self._voice.all(as_json({"type": "takes", "takes": self._desk.takes()}))
        return {}

    def take_picture(self, window: object, message: Mapping[str, Any]) -> None:
        shot, number, frame = given(message, "shot", str), given(message, "take", int), given(message, "frame", int)
        shot_of(self._document, shot)
        picture = self._desk.take_picture(shot, number, frame)
        self._voice.one(window, with_picture({"slot": f"take-{number}", "shot": shot, "frame": frame}, picture))

    def render(self, window: object, message: Mapping[str, Any]) -> None:
        """Put shots into the render queue; `circled` means those with a circled take. What is rendered is on disk."""
        wanted = given(message, "shots", (list, str))
        shots = self._desk.circled() if wanted == "circled" else wanted
        if not isinstance(shots, list) or not all(isinstance(name, str) for name in shots):
            raise RefusedError("shots: expected names of shots, or circled")
        for name in shots:
            shot_of(self._document, name)
        if not shots:
            raise RefusedError("no shot has a circled take")
        if self._document.dirty:
            raise RefusedError("save first: what is rendered is what is on the disk")
        self._queue.add(self._document.state.path, shots)

    def cancel(self, window: object, message: Mapping[str, Any]) -> None:
        self._queue.cancel(given(message, "work", int, None))

    def still(self, window: object, message: Mapping[str, Any]) -> Later:
        """A picture of the film's full size at a frame, as a file."""
        look = look_of(self._document, window, message, True, {"slot": "still", "id": message.get("id")})
        self._lookthrough.want(look, f"still-{message.get('id')}")
        return Later()

    def _finished(self, seen: Seen) -> None:
        number, shot = seen.look.header.get("id"), str(seen.look.header["shot"])
        try:
            if seen.problem:
                raise RefusedError(seen.problem)
            path = self._desk.write_still(shot, seen.look.frame, seen.picture)
            answer = reply(number, file=str(path))
        except SplatfilmError as error:
            answer = refusal(number, error)
        self._voice.one(seen.look.window, as_json(answer))

    def storyboard(self, window: object, message: Mapping[str, Any]) -> Later:
        """Have the storyboard's pictures made; it is written when the last of them is there."""
        looks = self._desk.board_looks(window)
        board = _Storyboard(window, message.get("id"))
        for index, look in enumerate(looks):
            board.missing[str(look.header["shot"]), look.frame] = None
            told = {**look.header, "slot": f"board-{index}", "board": id(board)}
            self._lookthrough.want(replace(look, header=told), f"board-{index}")
        if not looks:
            raise RefusedError("no shot has a camera that can be drawn")
        self._boards.append(board)
        return Later()

    def _boarded(self, seen: Seen) -> None:
        board = next((one for one in self._boards if id(one) == seen.look.header.get("board")), None)
        if board is None:
            return
        board.missing[str(seen.look.header["shot"]), seen.look.frame] = seen.problem or seen.picture
        if any(picture is None for picture in board.missing.values()):
            return
        self._boards.remove(board)
        try:
            files = self._desk.write_storyboard({k: v for k, v in board.missing.items() if v is not None})
            answer = reply(board.number, files=[str(file) for file in files])
        except SplatfilmError as error:
            answer = refusal(board.number, error)
        self._voice.one(board.window, as_json(answer))

    def export(self, window: object, message: Mapping[str, Any]) -> dict[str, Any]:
        name = given(message, "shot", str)
        shot_of(self._document, name)
        file, text = self._desk.export(name, given(message, "kind", str, "splatfilm"))
        return {"name": file, "text": text}
