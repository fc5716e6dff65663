"""The storyboard: the cut as drawn panels with their words, as pages of PNG and one PDF.

The contact sheet shows what was rendered, frame by frame; a storyboard is for talking: a picture or two a shot, large,
with what the camera does, six to a page. Pictures come from whoever asks, so that a film can be told before it is made.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from splatfilm.base.files import write_bytes
from splatfilm.shots.contact import _built_in_font, _system_font
from splatfilm.shots.pictures import encode_png

Pixels = NDArray[np.uint8]

PAGE = (1754, 1240)  # A4 landscape at 150 dots an inch
DPI = 150.0
COLUMNS, ROWS = 3, 2
MARGIN, GAP, HEAD, WORDS = 60, 36, 96, 132
PAPER, INK, QUIET, RULE = (250, 249, 246), (24, 25, 28), (110, 112, 118), (205, 204, 200)


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of one shot, `lines` under it, the first one large; without `pixels` it says why they are missing."""

    shot: str
    lines: Sequence[str]
    pixels: Pixels | None  # [H, W, 3]
    missing: str = ""


@dataclass(frozen=True, eq=False)
class Board:
    """A storyboard: title, a line under it, the shape of the frames, and the panels in the order of the cut."""

    title: str
    line: str
    aspect: float
    panels: Sequence[Panel]


def draw_board(board: Board) -> list[Image.Image]:
    """The pages; one, saying so, for a board without panels."""
    each = COLUMNS * ROWS
    starts = range(0, max(1, len(board.panels)), each)
    return [_page(board, board.panels[start : start + each], n, len(starts)) for n, start in enumerate(starts, 1)]


def write_board(folder: Path, name: str, board: Board) -> tuple[Path, ...]:
    """Write `NAME.pdf` and `NAME-1.png`, `NAME-2.png`, ... to a folder; gives them, the PDF first.

    Pages of a longer board of that name are removed. Raises `StorageError` when the disk refuses.
    """
    pages = draw_board(board)
    document = io.BytesIO()
    pages[0].save(
        document, "PDF", save_all=True, append_images=pages[1:], resolution=DPI, title=board.title, quality=90
    )
    written = [folder / f"{name}.pdf"]
    write_bytes(written[0], document.getvalue())
    for number, page in enumerate(pages, 1):
        file = folder / f"{name}-{number}.png"
        write_bytes(file, encode_png(np.asarray(page), {}))
        written.append(file)
    number = len(pages) + 1
    while (old := folder / f"{name}-{number}.png").exists():
        old.unlink()
        number += 1
    return tuple(written)


def _page(board: Board, panels: Sequence[Panel], number: int, count: int) -> Image.Image:
    page = Image.new("RGB", PAGE, PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 40), board.title, INK, _font(34, board.title), anchor="lt")
    right = f"{board.line}    {number} / {count}"
    pen.text((PAGE[0] - MARGIN, 50), right, QUIET, _font(17, right), anchor="rt")
    room = (PAGE[0] - 2 * MARGIN - (COLUMNS - 1) * GAP) // COLUMNS
    down = (PAGE[1] - HEAD - MARGIN - GAP) // ROWS
    for index, panel in enumerate(panels):
        left = MARGIN + (index % COLUMNS) * (room + GAP)
        top = HEAD + (index // COLUMNS) * (down + GAP)
        _draw_panel(page, pen, panel, board.aspect, (left, top, room, down))
    if not panels:
        pen.text((MARGIN, HEAD + 20), "no shots yet", QUIET, _font(20), anchor="lt")
    return page


def _draw_panel(
    page: Image.Image, pen: ImageDraw.ImageDraw, panel: Panel, aspect: float, box: tuple[int, int, int, int]
) -> None:
    left, top, room, down = box
    width, height = room, round(room / aspect)
    if height > down - WORDS:
        width, height = round((down - WORDS) * aspect), down - WORDS
    if panel.pixels is not None:
        page.paste(Image.fromarray(panel.pixels).resize((width, height), Image.Resampling.LANCZOS), (left, top))
    else:
        pen.rectangle((left, top, left + width, top + height), outline=RULE)
        pen.text((left + 12, top + 12), _fit(pen, panel.missing, 15, width - 24), QUIET, _font(15), anchor="lt")
    pen.rectangle((left, top, left + width, top + height), outline=INK)
    y = top + height + 10
    for index, line in enumerate(panel.lines):
        size = 24 if index == 0 else 16
        pen.text((left, y), _fit(pen, line, size, room), INK if index == 0 else QUIET, _font(size, line), anchor="lt")
        y += size + 8


def _font(size: int, text: str = "") -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return _built_in_font(size) if text.isascii() else _system_font(size)


def _fit(pen: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    """`text`, cut short when it is wider than `room` pixels."""
    font = _font(size, text)
    if pen.textlength(text, font) <= room:
        return text
    while text and pen.textlength(text + "...", font) > room:
        text = text[:-1]
    return text + "..."
