"""What a finished film amounts to: slates for the contact sheet, and `film.json` for people and scripts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.cameras import CameraPath
from splatfilm.film.model import Film, Shot
from splatfilm.film.timecode import count_of, timecode
from splatfilm.shots.assets import asset_scores
from splatfilm.shots.contact import Sheet, Slate
from splatfilm.shots.cut import CutResult, CutShot
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.plan import Sources
from splatfilm.shots.takes import Take
from splatfilm.shots.video import Reel

FORMAT = "splatfilm-film"
VERSION = 1


@dataclass(frozen=True, eq=False)
class FilmState:
    """A film whose shots are all there: the take of every shot, in film order, and what they were made from."""

    film: Film
    folders: FilmFolders
    size: tuple[int, int]
    takes: Mapping[str, Take]
    paths: Mapping[str, CameraPath]
    sources: Sources
    refined: Set[str] = frozenset()  # shots whose takes are refined ones

    @property
    def frame_count(self) -> int:
        return sum(len(shot.frames) for shot in self.film.shots)


def cut_of(state: FilmState) -> tuple[list[CutShot], Reel]:
    """The shots of the cut, and what it says about itself."""
    film = state.film
    shots = [CutShot(shot.name, state.takes[shot.name], tuple(shot.frames)) for shot in film.shots]
    return shots, Reel(film.title, film.rate, state.size, film.timecode)


def sheet_of(state: FilmState) -> Sheet:
    """The contact sheet's words and pictures."""
    film, count = state.film, state.frame_count
    width, height = state.size
    words = (
        f"{rate_in_words(film.rate)} fps",
        f"{width} x {height}",
        f"{len(film.shots)} {'shot' if len(film.shots) == 1 else 'shots'}",
        f"{count} frames",
        timecode(count, film.rate),
    )
    slates: list[Slate] = []
    start = count_of(film.timecode, film.rate)
    for shot in film.shots:
        slates.append(_slate(state, shot, start))
        start += len(shot.frames)
    return Sheet(film.title, "    ".join(words), state.size, slates)


def rate_in_words(rate: Fraction) -> str:
    """`24`, `23.976`: a rate as it is spoken of."""
    return str(rate.numerator) if rate.denominator == 1 else f"{float(rate):.3f}"


def write_summary(state: FilmState, cut: CutResult) -> dict[str, Any]:
    """Write `film.json` when it says something new, and return what it says."""
    value = summary(state, cut)
    with contextlib.suppress(InputError):
        if read_json(state.folders.summary) == value:
            return value
    write_json(state.folders.summary, value)
    return value


def summary(state: FilmState, cut: CutResult) -> dict[str, Any]:
    """The film in one value: shots with takes and pixel hashes, the cut, and what the reconstructions are worth."""
    film = state.film
    return {
        "format": FORMAT,
        "version": VERSION,
        "film": film.name,
        "title": film.title,
        "film_sha256": hash_file(film.path),
        "rate": str(film.rate),
        "size": list(state.size),
        "timecode": film.timecode,
        "frames": state.frame_count,
        "seconds": round(float(state.frame_count / film.rate), 3),
        "cut": {"file": cut.path.name, "frames": cut.frames},
        "contact_sheet": state.folders.contact_sheet.name,
        "shots": [_shot_summary(shot, state) for shot in film.shots],
        "assets": asset_scores(state.sources),
    }


def pixels_hash(take: Take, frames: Sequence[int]) -> str:
    """One hash for the pixels of many frames, all passes."""
    return hash_value(
        [[f, {name: p.sha256 for name, p in take.frames[f].pictures.items()}] for f in frames if f in take.frames]
    )


def _shot_summary(shot: Shot, state: FilmState) -> dict[str, Any]:
    take, refined = state.takes[shot.name], shot.name in state.refined
    return {
        "shot": shot.name,
        "scene": shot.scene,
        "frames": [shot.frames.first, shot.frames.last],
        "passes": list(shot.passes),
        "timecode": take.header.get("timecode"),
        "take": take.name,
        "folder": f"{'refined/' if refined else ''}shots/{shot.name}/{take.name}",
        **({"refine": take.header["inputs"]["refine"]["name"]} if refined else {}),
        "renderer": take.header["inputs"]["renderer"],
        "pixels": pixels_hash(take, tuple(shot.frames)),
    }


def _slate(state: FilmState, shot: Shot, start: int) -> Slate:
    film, first, last = state.film, shot.frames.first, shot.frames.last
    shown = dict.fromkeys((first, (first + last) // 2, last))
    drop = ";" in film.timecode
    labels = tuple((frame, timecode(start + frame - first, film.rate, drop)) for frame in shown)
    seconds = float(len(shot.frames) / film.rate)
    length = f"{len(shot.frames)} {'frame' if len(shot.frames) == 1 else 'frames'}, {seconds:.1f} s"
    lens = _lens_in_words(state.paths[shot.name], shot)
    return Slate(shot.name, shot.scene, (first, last), length, labels[0][1], lens, state.takes[shot.name], labels)


def _lens_in_words(path: CameraPath, shot: Shot) -> str:
    """`24 mm`, `24-50 mm  T2.8`: what a camera report would say of the lens."""
    first, last = (path.at(frame, 2, 2).lens for frame in (shot.frames.first, shot.frames.last))
    if first is None or last is None:
        return "lens unknown"
    here, there = f"{first.focal_mm:.3g}", f"{last.focal_mm:.3g}"
    focal = here if here == there else f"{here}-{there}"
    return f"{focal} mm" + (f"  T{first.t_stop:g}" if first.t_stop is not None else "")
