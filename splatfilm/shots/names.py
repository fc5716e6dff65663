"""Where things lie under `out/` and what they are called (DESIGN, Conventions: file names).

    out/<film>/shots/<shot>/v001/<film>_<shot>_<pass>_v001.1001.png     (or .exr)
    out/<film>/<film>.mp4            the cut            out/<film>/contact-sheet.png
    out/<film>/film.json             the summary        out/assets/          reconstructions, shared by all films

Frames of another size than the film file's lie under `out/<film>/<width>x<height>/`, so a half-size test never becomes
the take that the cut uses. Refined frames lie under `refined/shots/`, laid out like `shots/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.film.model import Film, FrameRange

MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
SEEN = ".seen.json"
LOCK = ".lock"

LARGEST_SIDE = 16384  # px

_TAKE = re.compile(r"v(\d{3,})")
_SPAN = re.compile(r"(-?\d{1,9})(?:-(-?\d{1,9})(?:x(\d{1,9}))?)?")


@dataclass(frozen=True)
class FilmFolders:
    """The folders of one film at one size. `out` is the folder that all films share."""

    out: Path
    film: str
    size: tuple[int, int] | None = None  # None: the film's own size
    refined: bool = False  # refined frames stand beside the bare ones, in a folder of their own

    @property
    def root(self) -> Path:
        base = self.out / self.film
        sized = base if self.size is None else base / f"{self.size[0]}x{self.size[1]}"
        return sized / "refined" if self.refined else sized

    @property
    def assets(self) -> Path:
        return self.out / "assets"

    @property
    def cut(self) -> Path:
        return self.root / f"{self.film}.mp4"

    @property
    def contact_sheet(self) -> Path:
        return self.root / "contact-sheet.png"

    @property
    def summary(self) -> Path:
        return self.root / "film.json"

    def shot(self, shot: str) -> Path:
        return self.root / "shots" / shot

    @classmethod
    def of(cls, out: Path, film: Film, size: tuple[int, int] | None = None) -> FilmFolders:
        return cls(out, film.name, None if size in (None, film.size) else size)


def take_name(number: int) -> str:
    """`v001` for 1."""
    return f"v{number:03d}"


def take_number(folder_name: str) -> int | None:
    """1 for `v001`; None when the folder is no take."""
    match = _TAKE.fullmatch(folder_name)
    return int(match[1]) if match else None


def picture_name(film: str, shot: str, pass_name: str, take: int, frame: int, suffix: str = ".png") -> str:
    """The file name of one pass of one frame."""
    return f"{film}_{shot}_{pass_name}_{take_name(take)}.{frame:04d}{suffix}"


def parse_frames(text: str) -> tuple[int, ...]:
    """Scene frames of `1001-1010,1020,1100-1200x10`, ascending and once each. Raises `InputError`."""
    frames: set[int] = set()
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise InputError.at(
                "--frames", f"{part.strip()!r} is no frame or range; write 1001-1010,1020 or 1001-1100x10"
            )
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        step = int(match[3]) if match[3] else 1
        if last < first or step < 1:
            raise InputError.at(
                "--frames", f"{part.strip()!r} is empty: a range goes from its first frame up to its last"
            )
        if last - first > 1_000_000:
            raise InputError.at("--frames", f"{part.strip()!r} is over a million frames")
        frames.update(range(first, last + 1, step))
    return tuple(sorted(frames))


def parse_passes(text: str) -> tuple[str, ...]:
    """The names in `depth,normal,id`, once each. Whether there are such passes is for others to say."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def spell_frames(frames: list[int]) -> str:
    """`1001-1003, 1007` for [1001, 1002, 1003, 1007]: frames as a person writes them."""
    spans: list[FrameRange] = []
    for frame in sorted(frames):
        if spans and frame == spans[-1].last + 1:
            spans[-1] = FrameRange(spans[-1].first, frame)
        else:
            spans.append(FrameRange(frame, frame))
    return ", ".join(str(s.first) if len(s) == 1 else f"{s.first}-{s.last}" for s in spans)


def parse_size(text: str, full: tuple[int, int]) -> tuple[int, int]:
    """A size in pixels from `half`, `quarter`, `0.5`, `1/3` or `640x360`; fractions of `full` become even sides.

    Raises `InputError`.
    """
    wanted = "write half, quarter, a fraction such as 0.5 or 1/3, or a size such as 640x360"
    pixels = re.fullmatch(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", text.strip())
    if pixels:
        size = int(pixels[1]), int(pixels[2])
        if not all(1 <= side <= LARGEST_SIDE for side in size):
            raise InputError.at("--size", f"{text!r}: a side has 1 to {LARGEST_SIDE} pixels")
        return size
    scale = {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}.get(text.strip())
    if scale is None and re.fullmatch(r"\d{1,5}(\.\d{1,9}|/0*[1-9]\d{0,4})?", text.strip()):
        scale = Fraction(text.strip())
    if not scale:
        raise InputError.at("--size", f"{text!r} is no size; {wanted}")
    width, height = (max(2, 2 * round(side * scale / 2)) for side in full)
    if max(width, height) > LARGEST_SIDE:
        raise InputError.at("--size", f"{text!r}: a side has 1 to {LARGEST_SIDE} pixels, not {max(width, height)}")
    return width, height
