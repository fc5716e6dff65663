"""The contact sheet: every shot of the film on one page, with its first, middle and last frame and its slate.

One row a shot, in film order, dark and quiet so that the pictures speak. The page carries the hash of what it shows and
is drawn again only when that changes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_value
from splatfilm.shots.pictures import eight_bit, read_picture, read_text
from splatfilm.shots.takes import Take

SHEET_VERSION = 1
SHEET_TEXT = "splatfilm:contact-sheet"

WIDTH = 1920
MARGIN = 64
SLATE = 300  # width of the column with the slate
SLATE_HEIGHT = 240
GAP = 16
ROW_GAP = 36
CAPTION = 30  # height of the line under a frame
HEADER = 132
FOOTER = 48
PAGE = 40  # shots
TALLEST = 420  # px: frames of portrait films are made smaller than their column

WIDE_FONTS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf")

PAPER = (17, 18, 20)
RULE = (42, 44, 48)
INK = (232, 230, 225)
QUIET = (146, 148, 152)
ACCENT = (222, 168, 92)


@dataclass(frozen=True)
class Slate:
    """What a clapperboard would say of one shot. `pictures` are (scene frame, timecode) of the frames to show."""

    shot: str
    scene: str
    frames: tuple[int, int]
    length: str  # such as 48 frames, 2.0 s
    timecode: str
    lens: str
    take: Take
    pictures: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Sheet:
    """The page: its title, a line under it, and one slate a shot."""

    title: str
    line: str
    size: tuple[int, int]  # of the film's frames, pixels
    slates: Sequence[Slate]


def make_contact_sheet(path: Path, sheet: Sheet) -> bool:
    """Draw the sheet to `path` unless it is there already; True when something was drawn.

    A long film goes on in `contact-sheet-2.png` and so forth. Raises `InputError` when a frame cannot be read and
    `StorageError` when the disk refuses.
    """
    drawn = False
    pages = sheet_pages(sheet)
    for number, page in enumerate(pages, start=1):
        file = _page_path(path, number)
        key = sheet_key(page)
        if read_text(file).get(SHEET_TEXT) != key:
            write_bytes(file, _encoded(draw_sheet(page), key))
            drawn = True
    with contextlib.suppress(OSError):
        for number in count(len(pages) + 1):  # pages of a film that was longer; the first that is missing ends it
            _page_path(path, number).unlink()
    return drawn


def _encoded(page: Image.Image, key: str) -> bytes:
    """A PNG a third smaller than frames are written: a page is drawn once in a while, and sent about."""
    said = PngInfo()
    said.add(b"sRGB", b"\0")  # rendering intent: perceptual
    said.add_text(SHEET_TEXT, key)
    stream = io.BytesIO()
    page.save(stream, "PNG", pnginfo=said)
    return stream.getvalue()


def sheet_pages(sheet: Sheet) -> list[Sheet]:
    """The sheet in pages of `PAGE` shots, so that no picture grows beyond what viewers open."""
    starts = range(0, max(1, len(sheet.slates)), PAGE)
    if len(starts) == 1:
        return [sheet]
    return [
        replace(sheet, line=f"{sheet.line}    page {n} of {len(starts)}", slates=sheet.slates[start : start + PAGE])
        for n, start in enumerate(starts, start=1)
    ]


def _page_path(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


def sheet_key(sheet: Sheet) -> str:
    """The hash of everything that the sheet shows."""
    return hash_value(
        {
            "version": SHEET_VERSION,
            "head": [sheet.title, sheet.line, list(sheet.size)],
            "rows": [
                [_words(s), s.take.name, [[f, t, s.take.frame(f).pictures["beauty"].sha256] for f, t in s.pictures]]
                for s in sheet.slates
            ],
        }
    )


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The page as an RGB picture."""
    thumb = thumb_size(sheet.size)
    row = max(thumb[1] + CAPTION, SLATE_HEIGHT) + ROW_GAP
    page = Image.new("RGB", (WIDTH, HEADER + row * len(sheet.slates) + FOOTER), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text(
        (MARGIN, 46), _fit(pen, sheet.title, 40, WIDTH - 2 * MARGIN - 700), INK, _font(40, sheet.title), anchor="lt"
    )
    pen.text((WIDTH - MARGIN, 60), sheet.line, QUIET, _font(20), anchor="rt")
    for index, slate in enumerate(sheet.slates):
        top = HEADER + index * row
        pen.line([(MARGIN, top - ROW_GAP // 2), (WIDTH - MARGIN, top - ROW_GAP // 2)], RULE, 1)
        _draw_slate(pen, top, slate)
        for column, (frame, timecode) in enumerate(slate.pictures):
            left = MARGIN + SLATE + column * (thumb[0] + GAP)
            page.paste(_thumbnail(slate.take, frame, thumb), (left, top))
            baseline = top + thumb[1] + 10
            pen.text((left, baseline), str(frame), INK, _font(16), anchor="lt")
            pen.text((left + thumb[0], baseline), timecode, QUIET, _font(16), anchor="rt")
    return page


def thumb_size(size: tuple[int, int]) -> tuple[int, int]:
    """How large a frame of `size` stands on the sheet: in a third of the width, and not taller than `TALLEST`."""
    column = (WIDTH - 2 * MARGIN - SLATE - 2 * GAP) // 3
    scale = min(column / size[0], TALLEST / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _draw_slate(pen: ImageDraw.ImageDraw, top: int, slate: Slate) -> None:
    room = SLATE - 2 * GAP
    pen.text((MARGIN, top), _fit(pen, slate.shot, 54, room), ACCENT, _font(54, slate.shot), anchor="lt")
    line = top + 68
    for words in _words(slate)[1:]:
        pen.text((MARGIN, line), _fit(pen, words, 19, room), QUIET, _font(19, words), anchor="lt")
        line += 29
    pen.text((MARGIN, line), f"take {slate.take.name}", INK, _font(19), anchor="lt")


def _words(slate: Slate) -> list[str]:
    first, last = slate.frames
    return [slate.shot, slate.scene, f"{first} - {last}", slate.length, slate.timecode, slate.lens]


def _thumbnail(take: Take, frame: int, size: tuple[int, int]) -> Image.Image:
    pixels, _ = read_picture(take.folder / take.frame(frame).pictures["beauty"].file)
    return Image.fromarray(eight_bit(pixels)).resize(size, Image.Resampling.LANCZOS)


def _fit(pen: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    """`text`, cut short when it is wider than `room` pixels."""
    font = _font(size, text)
    if pen.textlength(text, font) <= room:
        return text
    while text and pen.textlength(text + "...", font) > room:
        text = text[:-1]
    return text + "..."


def _font(size: int, text: str = "") -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which is everywhere the same; for letters it lacks, one that this system may have."""
    return _system_font(size) if not text.isascii() else _built_in_font(size)


@cache
def _built_in_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _system_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in WIDE_FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(name, size)
    return _built_in_font(size)
