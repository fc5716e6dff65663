"""What the camera sees, rendered by the renderer that renders the film, in a thread of its own.

The newest wish of each window wins: whoever drags a camera wants the last position and none before it. Pictures are
kept by what decides their pixels, so going back, or playing again, costs nothing. A full-size picture is a PNG and
holds exactly the pixels that `splatfilm render` writes; smaller ones, for moving, are JPEG.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.base.hashing import hash_value
from splatfilm.cameras import Camera
from splatfilm.film import Film
from splatfilm.shots.plan import camera_value

if TYPE_CHECKING:
    from splatfilm.stage.stage import Stage

CACHE_BYTES = 256 << 20
JPEG_QUALITY = 85


@dataclass(frozen=True, eq=False)
class Look:
    """One picture that a window wants: `camera` already has the size of the picture."""

    window: object
    film: Film
    scene: str
    frame: int
    camera: Camera
    exact: bool  # PNG with the pixels of a render; else JPEG
    header: Mapping[str, Any]  # given back with the picture


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture, or why there is none."""

    look: Look
    picture: bytes
    problem: str = ""


class LookThrough:
    """Renders looks in a thread. `tell` is called from that thread with every picture."""

    def __init__(self, out: Path, backend: str, tell: Callable[[Seen], None]) -> None:
        self._out, self._backend, self._tell = out, backend, tell
        self._wishes: OrderedDict[tuple[object, str], Look] = OrderedDict()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._stage: tuple[object, Stage] | None = None
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="look-through", daemon=True)
        self._thread.start()

    def want(self, look: Look, slot: str = "look") -> None:
        """Ask for a picture; it takes the place of what this window wanted in this `slot` before."""
        with self._change:
            self._wishes.pop((look.window, slot), None)
            self._wishes[look.window, slot] = look
            self._change.notify()

    def forget(self, window: object) -> None:
        """Drop everything that a window wanted."""
        with self._change:
            for key in [key for key in self._wishes if key[0] is window]:
                del self._wishes[key]

    def close(self) -> None:
        """Stop after the picture that is being made."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._wishes and not self._closed:
                    self._change.wait()
                if self._closed:
                    return
                looks = [key for key in self._wishes if key[1] == "look"] or list(self._wishes)
                look = self._wishes.pop(looks[0])
            try:
                seen = Seen(look, self._picture(look))
            except Exception as error:  # the page shows it; a renderer that fails must not end the studio
                seen = Seen(look, b"", str(error) or type(error).__name__)
            self._tell(seen)

    def _picture(self, look: Look) -> bytes:
        stage = self._staged(look.film, look.scene)
        key = hash_value(
            {
                "camera": camera_value(look.camera),
                "splats": stage.describe(look.frame),
                "scene": look.scene,
                "exact": look.exact,
            }
        )
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        picture = self._rendered(stage, look)
        self._kept[key] = picture
        self._bytes += len(picture)
        while self._bytes > CACHE_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return picture

    def _rendered(self, stage: Stage, look: Look) -> bytes:
        from PIL import Image

        from splatfilm.render import RenderSettings, render
        from splatfilm.shots.pictures import encode_png, quantise
        from splatfilm.shots.plan import BACKGROUND

        settings = RenderSettings(background=BACKGROUND)
        pixels = quantise("beauty", render(stage.at(look.frame).splats, look.camera, settings, self._backend))
        if look.exact:
            return encode_png(pixels, {})
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "JPEG", quality=JPEG_QUALITY)
        return written.getvalue()

    def _staged(self, film: Film, scene: str) -> Stage:
        """The scene's stage, kept while its assets and its cast stay as they are."""
        wanted = (scene, film.scenes[scene], dict(film.assets))
        if self._stage is None or self._stage[0] != wanted:
            from splatfilm.stage.stage import Stage

            self._kept.clear()
            self._bytes = 0
            self._stage = wanted, Stage(film, scene, splat_files(film, scene, self._out))
        return self._stage[1]


def splat_files(film: Film, scene: str, out: Path) -> dict[tuple[str, str], Path]:
    """The splat file of every look in a scene; reconstructions only where they are made already.

    Raises `MissingPartError` naming what must be reconstructed first, `InputError` for captures that are not right.
    """
    from splatfilm.stage.placement import Placements

    found: dict[tuple[str, str], Path] = {}
    missing: list[str] = []
    for name in Placements(film, scene).sources():
        look = film.assets[name[0]].looks[name[1]]
        if look.splats is not None:
            found[name] = look.splats
            continue
        assert look.capture is not None, "a look has splats or a capture"
        from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
        from splatfilm.reconstruct import cached, settings_of

        content = capture_hash(read_capture(look.capture), out / "assets" / MEMO_NAME)
        made = cached(content, settings_of(look.care), out / "assets")
        if made is None:
            missing.append(name[0])
        else:
            found[name] = made.splats
    if missing:
        raise MissingPartError(
            f"{', '.join(dict.fromkeys(missing))}: not reconstructed yet. Run `splatfilm make {film.path}` first"
        )
    return found


__all__ = ["InputError", "Look", "LookThrough", "Seen", "splat_files"]
