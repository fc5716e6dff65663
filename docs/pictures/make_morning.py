"""Draws `morning.jpg` and `morning-performed.jpg`: frames of the sample film, as `make film` leaves them.

`python docs/pictures/make_morning.py out/morning`
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

GAP = 2  # px between frames
SHEETS: dict[str, tuple[int, int, tuple[tuple[str, int], ...]]] = {  # columns, px wide, (shot, scene frame)
    "morning.jpg": (
        3,
        427,
        (("010", 1050), ("020", 1160), ("030", 1250), ("040", 1540), ("050", 1600), ("070", 1930)),
    ),
    "morning-performed.jpg": (
        4,
        320,
        (
            ("010", 1060),
            ("020", 1186),
            ("030", 1258),
            ("040", 1519),
            ("050", 1596),
            ("060", 1815),
            ("070", 1925),
            ("080", 1984),
        ),
    ),
}


def frame_of(film: Path, shot: str, number: int) -> Image.Image:
    """A frame of the latest take of a shot."""
    takes = sorted((film / "shots" / shot).glob("v*"))
    (file,) = takes[-1].glob(f"*_beauty_*.{number:04d}.png")
    return Image.open(file).convert("RGB")


def main(film: Path) -> None:
    """Write the pictures beside this script."""
    for name, (columns, width, frames) in SHEETS.items():
        pictures = [frame_of(film, *frame) for frame in frames]
        height = round(width * pictures[0].height / pictures[0].width)
        rows = -(-len(pictures) // columns)
        sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP), (16, 17, 18))
        for k, picture in enumerate(pictures):
            small = picture.resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(small, (k % columns * (width + GAP), k // columns * (height + GAP)))
        sheet.save(Path(__file__).parent / name, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
