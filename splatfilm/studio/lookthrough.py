"""What the camera sees, rendered by the renderer that renders the film, in a thread of its own.

The newest wish of each window wins: whoever drags a camera wants the last position and none before it. Pictures are
kept by what decides their pixels, so going back, or playing again, costs nothing; while a shot plays, its next frames
are rendered ahead. A full-size picture is a PNG and holds exactly the pixels that `splatfilm render` writes, lens and
shutter included; it is given up half-way when something newer is wanted. Smaller ones, for moving, are JPEG, sharp, and
show contact shadows only at moments at which hands have rested: working those out takes longer than the picture. The
thread owns the stages (splats in memory); other work that needs them is handed to it.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splatfilm.base.hashing import hash_value
from splatfilm.cameras import Camera, CameraPath
from splatfilm.cameras.camera import Margins
from splatfilm.film import Film, Shot
from splatfilm.film.model import Contact, Optics
from splatfilm.shots.exposure import Exposure, expose_frame, exposure_value, settle
from splatfilm.shots.plan import camera_value, stamp_of
from splatfilm.stage.placement import CONTACT_VERSION, Placed
from splatfilm.studio.sources import splat_files

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.splats import Splats
    from splatfilm.stage.stage import Stage

CACHE_BYTES = 256 << 20
JPEG_QUALITY = 85
SHARP = Optics()
MOST_MOMENTS = 2
"""Scene frames that were looked at in full size, whose splats are kept, contact shadows and all."""
MOST_STAGES = 2
"""Scenes whose splats are kept in memory: a cut between two scenes is looked at from both sides."""


@dataclass(frozen=True, eq=False)
class Look:
    """One picture that a window wants of `path` at a scene frame, `size` pixels."""

    window: object
    film: Film
    scene: str
    frame: int
    path: CameraPath
    size: tuple[int, int]
    exact: bool = False  # PNG with the pixels of a render; else JPEG
    optics: Optics = SHARP
    contact: Contact | None = None  # the shadows between cast and set
    header: Mapping[str, Any] = field(default_factory=dict)  # given back with the picture
    whole: bool = False  # with contact shadows, however long they take; a full-size one is always

    @property
    def camera(self) -> Camera:
        return self.path.at(self.frame, *self.size)


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture, or why there is none."""

    look: Look
    picture: bytes
    problem: str = ""


Staging = Callable[[Film, str], "Stage"]
"""The stage of a film's scene; only to be called, and its splats only to be read, in the look-through's thread."""


class _OvertakenError(Exception):
    """Whoever wanted this picture wants another one by now."""


class LookThrough:
    """Renders looks in a thread. `tell` is called from that thread with every picture."""

    def __init__(self, out: Path, backend: str, tell: Callable[[Seen], None]) -> None:
        self._out, self._backend, self._tell = out, backend, tell
        self._wishes: OrderedDict[tuple[object, str], Look] = OrderedDict()
        self._ahead: dict[object, deque[Look]] = {}
        self._work: deque[Callable[[], None]] = deque()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._stages: OrderedDict[str, tuple[Any, Stage, list[Any]]] = OrderedDict()
        self._moments: OrderedDict[tuple[str, int, Contact | None], Splats] = OrderedDict()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="look-through", daemon=True)
        self._thread.start()

    def want(self, look: Look, slot: str = "look") -> None:
        """Ask for a picture; it takes the place of what this window wanted in this `slot` before."""
        with self._change:
            self._wishes.pop((look.window, slot), None)
            self._wishes[look.window, slot] = look
            self._change.notify()

    def ahead(self, window: object, looks: Sequence[Look]) -> None:
        """Pictures that this window will want soon: made when nothing else is to do, kept, and told to nobody."""
        with self._change:
            self._ahead[window] = deque(looks)
            self._change.notify()

    def work(self, job: Callable[[Staging], Any], done: Callable[[Any, Exception | None], None]) -> None:
        """Let the thread do `job` with its stages; `done` is called in the thread with what it gave, or raised."""

        def do() -> None:
            try:
                result = job(self._staged)
            except Exception as error:  # whoever asked is told; the thread goes on
                done(None, error)
            else:
                done(result, None)

        with self._change:
            self._work.append(do)
            self._change.notify()

    def forget(self, window: object) -> None:
        """Drop everything that a window wanted."""
        with self._change:
            for key in [key for key in self._wishes if key[0] is window]:
                del self._wishes[key]
            self._ahead.pop(window, None)

    def close(self) -> None:
        """Stop after the picture that is being made."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while True:
            with self._change:
                while not (self._wishes or self._work or any(self._ahead.values()) or self._closed):
                    self._change.wait()
                if self._closed:
                    return
                task = self._next()
            task()

    def _next(self) -> Callable[[], None]:
        """What matters most: what is looked at, then work, then pictures of shots, then what comes next."""
        looks = [key for key in self._wishes if key[1] == "look"]
        if not looks and self._work:
            return self._work.popleft()
        if key := next(iter(looks or self._wishes), None):
            look = self._wishes.pop(key)
            return lambda: self._show(look)
        window = next(window for window, waiting in self._ahead.items() if waiting)
        soon = self._ahead[window].popleft()
        return lambda: self._prepare(soon)

    def _show(self, look: Look) -> None:
        try:
            seen = Seen(look, self._picture(look))
        except _OvertakenError:
            return
        except Exception as error:  # the page shows it; a renderer that fails must not end the studio
            seen = Seen(look, b"", str(error) or type(error).__name__)
        self._tell(seen)

    def _prepare(self, look: Look) -> None:
        try:
            self._picture(look)
        except Exception:  # asked for in earnest it fails again, and is told then
            with self._change:
                self._ahead.pop(look.window, None)

    def _picture(self, look: Look) -> bytes:
        stage = self._staged(look.film, look.scene)
        exposure = settle(expose_frame(look.path, look.size, look.frame, look.optics), stage.placements)
        blur = exposure_value(exposure, stage.placements, camera_value, _placed_value) if look.exact else {}
        ready = (look.scene, look.frame, look.contact) in self._moments
        contact = look.contact if look.exact or look.whole or ready else None
        camera = look.camera
        key = hash_value(
            {
                "camera": camera_value(camera),
                "splats": stage.describe(look.frame),
                "files": [[str(path), *stamp] for path, stamp in self._stages[look.scene][2]],
                "exact": look.exact,
                "blur": blur,
                "contact": _contact_value(contact),
            }
        )
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        frame = self._exposed(stage, look, exposure) if blur else self._rendered(stage, look, camera, contact)
        picture = self._encoded(frame, look.exact, camera.overscan)
        self._kept[key] = picture
        self._bytes += len(picture)
        while self._bytes > CACHE_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return picture

    def _rendered(self, stage: Stage, look: Look, camera: Camera, contact: Contact | None) -> Frame:
        """The picture of an instant."""
        from splatfilm.render import RenderSettings, render
        from splatfilm.shots.plan import BACKGROUND

        splats = self._moment(stage, look, contact)
        self._go_on(look)
        return render(splats, camera, RenderSettings(background=BACKGROUND), self._backend)

    def _exposed(self, stage: Stage, look: Look, exposure: Exposure) -> Frame:
        """The picture through a pupil, or of a while: given up between two of its moments when nobody waits for it."""
        from splatfilm.render import RenderSettings
        from splatfilm.render.exposure import Blur, Moment, expose
        from splatfilm.render.renderer import render_each
        from splatfilm.shots.plan import BACKGROUND

        def moment_at(time: float) -> Moment:
            self._go_on(look)
            return stage.at(exposure.scene_frame(time), look.frame, look.contact).splats, exposure.camera(time)

        def draw(splats: Splats, cameras: Sequence[Camera]) -> Iterator[Frame]:
            for frame in render_each(splats, cameras, RenderSettings(background=BACKGROUND), backend=self._backend):
                self._go_on(look)
                yield frame

        self._moment(stage, look, look.contact)  # a hand that moves this camera sees it as it is now
        return expose(moment_at, draw, Blur(exposure.pupil, exposure.shutter, exposure.samples))[0]

    def _moment(self, stage: Stage, look: Look, contact: Contact | None) -> Splats:
        """The scene's splats at the look's frame; those of full-size pictures are kept."""
        key = look.scene, look.frame, contact
        known = self._moments.get(key)
        if known is None:
            known = stage.at(look.frame, contact=contact).splats
            if look.exact:
                self._moments[key] = known
                while len(self._moments) > MOST_MOMENTS:
                    self._moments.popitem(last=False)
        else:
            self._moments.move_to_end(key)
        return known

    def _go_on(self, look: Look) -> None:
        """Raises `_OvertakenError` when the window wants another picture in the place of this full-size one."""
        if self._closed:
            raise _OvertakenError
        if look.exact and look.header.get("slot") == "look" and (look.window, "look") in self._wishes:
            raise _OvertakenError

    @staticmethod
    def _encoded(frame: Frame, exact: bool, overscan: Margins = (0, 0, 0, 0)) -> bytes:
        from PIL import Image

        from splatfilm.shots.pictures import encode_png, quantise
        from splatfilm.shots.writer import within

        pixels = within(quantise("beauty", frame), overscan)
        if exact:
            return encode_png(pixels, {})
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "JPEG", quality=JPEG_QUALITY)
        return written.getvalue()

    def _staged(self, film: Film, scene: str) -> Stage:
        """The scene's stage, kept while its assets, its cast and their files stay as they are."""
        wanted = film.scenes[scene], dict(film.assets), str(film.path)
        known = self._stages.get(scene)
        if known is None or known[0] != wanted or any(stamp_of(path) != stamp for path, stamp in known[2]):
            from splatfilm.stage.stage import Stage

            self._stages.pop(scene, None)
            self._moments.clear()
            files = splat_files(film, scene, self._out, self._backend)
            read = dict.fromkeys([*files.values(), *_performed(film, scene)])
            stamps = [(path, stamp_of(path)) for path in read]
            stage = Stage(film, scene, files, bindings=self._out / "assets" / "bindings")
            self._stages[scene] = wanted, stage, stamps
            while len(self._stages) > MOST_STAGES:
                self._stages.popitem(last=False)
        self._stages.move_to_end(scene)
        return self._stages[scene][1]


def seen_contact(shot: Shot) -> Contact | None:
    """The contact shadows that a shot's picture shows; none where they are only written as a pass."""
    return shot.contact if shot.contact is not None and shot.contact.beauty else None


def _performed(film: Film, scene: str) -> Iterator[Path]:
    """The files that say how a scene's cast moves: a stage reads them once."""
    for member in film.scenes[scene].cast:
        rig, score = film.assets[member.asset].rig, member.directions.score
        clips = (Path(cue.clip) for cue in member.directions.cues)
        yield from (path for path in (rig, score) if path is not None)
        yield from (clip for clip in clips if clip.is_absolute())


def _contact_value(contact: Contact | None) -> list[Any]:
    """What of contact shadows decides pixels."""
    return [] if contact is None else [CONTACT_VERSION, contact.strength, contact.radius]


def _placed_value(placed: Placed) -> dict[str, Any]:
    """What of a placed member decides pixels while the stage stays the same."""
    place = placed.place
    return {
        "member": placed.member,
        "look": placed.look,
        "place": [*place.rotation, *place.translation, place.scale],
        "pose": placed.pose_key,
        "stirs": [stir.value() for stir in placed.stirs],
    }


__all__ = ["Look", "LookThrough", "Seen", "Staging", "seen_contact"]
