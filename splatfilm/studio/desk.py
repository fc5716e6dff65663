"""What leaves the studio: takes and their pictures, stills, storyboard, shot list, camera files. No network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, SplatfilmError
from splatfilm.base.files import write_bytes
from splatfilm.film import Film, Shot
from splatfilm.layout import Document
from splatfilm.layout.exchange import exported
from splatfilm.layout.shot_list import COLUMNS, ShotRow, shot_list, shot_list_csv
from splatfilm.shots.circled import circle, circled_number
from splatfilm.shots.names import FilmFolders, picture_name
from splatfilm.shots.pictures import eight_bit, read_picture
from splatfilm.shots.storyboard import Board, Panel, write_board
from splatfilm.shots.takes import find_takes
from splatfilm.studio.lookthrough import Look, seen_contact
from splatfilm.studio.messages import RefusedError

Pixels = NDArray[np.uint8]
BOARD_WIDTH = 960


class Desk:
    """The outputs of one open film, under `out`."""

    def __init__(self, document: Document, out: Path) -> None:
        self._document, self._out = document, out

    @property
    def film(self) -> Film:
        """The film. Raises `RefusedError` while it has problems."""
        film = self._document.state.film
        if film is None:
            raise RefusedError("the film file has problems: mend them first")
        return film

    @property
    def folders(self) -> FilmFolders:
        return FilmFolders.of(self._out, self.film)

    # ---- takes -----------------------------------------------------------------------------------------------------

    def takes(self) -> dict[str, list[dict[str, Any]]]:
        """Every take of every shot: number, frames, whether it is finished and circled."""
        found: dict[str, list[dict[str, Any]]] = {}
        if self._document.state.film is None:
            return found
        for name in self._document.state.shots:
            folder = self.folders.shot(name)
            try:
                circled = circled_number(folder)
                found[name] = [
                    {
                        "number": take.number,
                        "name": take.name,
                        "finished": take.finished,
                        "circled": take.number == circled,
                        "first": min(take.frames, default=None),
                        "last": max(take.frames, default=None),
                        "frames": len(take.frames),
                    }
                    for take in find_takes(folder)
                ]
            except SplatfilmError as error:  # one shot's damaged manifest hides no other shot's takes
                found[name] = [{"number": 0, "name": "damaged", "finished": False, "problem": str(error)}]
        return found

    def circle(self, shot: str, number: int | None) -> None:
        """Circle a take of a shot, or none. Raises `InputError` when there is no such finished take."""
        circle(self.folders.shot(shot), number)

    def circled(self) -> list[str]:
        """The shots that have a circled take."""
        return [name for name in self._document.state.shots if circled_number(self.folders.shot(name)) is not None]

    def take_picture(self, shot: str, number: int, frame: int) -> bytes:
        """A take's beauty picture of a scene frame, as PNG. Raises `RefusedError` when it has none."""
        take = next((t for t in find_takes(self.folders.shot(shot)) if t.number == number), None)
        record = take.frames.get(frame) if take else None
        if take is None or record is None:
            raise RefusedError(f"shot {shot} has no take v{number:03d} with frame {frame}")
        return _png(eight_bit(read_picture(take.folder / record.pictures["beauty"].file)[0]))

    # ---- files -----------------------------------------------------------------------------------------------------

    def write_still(self, shot: str, frame: int, picture: bytes) -> Path:
        """Write a still beside those that are there; none is overwritten."""
        number = 1
        while True:
            path = self.folders.root / "stills" / picture_name(self.film.name, shot, "still", number, frame)
            if not path.exists():
                break
            number += 1
        write_bytes(path, picture)
        return path

    def write_shot_list(self) -> Path:
        """Write the shot list as CSV."""
        path = self.folders.root / "shot-list.csv"
        write_bytes(path, shot_list_csv(self._document.state).encode("utf-8-sig"))
        return path

    def board_looks(self, window: object) -> list[Look]:
        """The pictures that the storyboard needs: first frames, and last ones where the camera moves."""
        found = []
        for shot in self._document.state.shots.values():
            for frame in frames_of_interest(self._document, shot):
                look = self._look(shot, frame, window)
                found += [look] if look is not None else []
        return found

    def write_storyboard(self, pictures: dict[tuple[str, int], bytes | str]) -> tuple[Path, ...]:
        """Write the storyboard of pictures (PNG or JPEG bytes; a text says why one is missing) by shot and frame."""
        from PIL import Image

        rows = {row.shot: row for row in shot_list(self._document.state)}
        panels = []
        for (shot, frame), picture in pictures.items():
            pixels = None if isinstance(picture, str) else np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
            panels.append(Panel(shot, words_of(rows[shot], frame), pixels, picture if isinstance(picture, str) else ""))
        return write_board(self.folders.root, "storyboard", board_of(self.film, panels))

    def export(self, shot: str, kind: str) -> tuple[str, str]:
        """A camera file's name and text. Raises `RefusedError`."""
        try:
            text = exported(self._document.state, shot, kind).decode()
        except (ValueError, KeyError, InputError) as error:
            raise RefusedError(str(error)) from error
        return f"{shot}.json" if kind == "splatfilm" else f"{shot}-camera_path.json", text

    def _look(self, shot: Shot, frame: int, window: object) -> Look | None:
        try:
            path = self._document.state.seen(shot.name)
        except (InputError, ValueError):
            return None
        width = min(BOARD_WIDTH, self.film.size[0])
        size = width, max(1, round(self.film.size[1] * width / self.film.size[0]))
        contact, header = seen_contact(shot), {"shot": shot.name}
        return Look(window, self.film, shot.scene, frame, path, size, whole=True, contact=contact, header=header)


def frames_of_interest(document: Document, shot: Shot) -> tuple[int, ...]:
    """What a storyboard shows of a shot: its first frame, and its last where the camera moves."""
    try:
        baked = document.bake(shot.name)
    except (InputError, ValueError):
        return (shot.frames.first,)
    moved = (
        np.abs(baked.poses[-1] - baked.poses[0]).max() > 0.02 or abs(baked.focal_mm[-1] / baked.focal_mm[0] - 1) > 0.02
    )
    return (shot.frames.first, shot.frames.last) if moved else (shot.frames.first,)


def words_of(row: ShotRow, frame: int) -> list[str]:
    """What stands under a picture in the storyboard."""
    value = dict(zip(COLUMNS, row.values, strict=True))
    lens = f"{value['focal mm']} mm" + (f"   T{value['T-stop']}" if value["T-stop"] else "")
    return [
        row.shot,
        f"{value['scene']}   {value['move']}" if value["move"] else value["scene"],
        f"{lens}   {value['seconds']} s   {value['timecode in']}",
        f"frame {frame}",
    ]


def board_of(film: Film, panels: Sequence[Panel]) -> Board:
    """The storyboard of a film."""
    seconds = sum(len(shot.frames) for shot in film.shots) / film.rate
    return Board(film.title, f"{len(film.shots)} shots    {float(seconds):.1f} s", film.size[0] / film.size[1], panels)


def _png(pixels: Pixels) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG", compress_level=1)
    return written.getvalue()
