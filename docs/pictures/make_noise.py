"""Draws `noise.png` and a clip: a shot refined from noise that is nailed to the scene, beside plain noise.

`python docs/pictures/make_noise.py KEPT [CLIP.mp4]`, where KEPT is the folder that `python -m benchmarks.refined_film
KEPT` filled. Rows: the frame, and below it how far it is from the next one, ten times as strong. The clip shows bare,
anchored and plain side by side, over and over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHOT = "080"
CROP = (slice(150, 270), slice(40, 220))  # rows, columns
TIMES = 3
STRONGER = 10
AGAIN = 12  # times that the clip is repeated

Pixels = NDArray[np.uint8]


def frames(kept: Path, mode: str, refined: bool = True) -> list[Pixels]:
    """The pictures of the shot in a mode, in order."""
    folder = kept / mode / "morning" / ("refined" if refined else ".") / "shots" / SHOT / "v001"
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*beauty*.png"))]


def column(pictures: list[Pixels]) -> Pixels:
    """A frame's crop, and below it what changes until the next one."""
    here, after = (picture[CROP].astype(np.int16) for picture in pictures[3:5])
    change = np.clip(128 + STRONGER * (after - here), 0, 255)
    return np.concatenate([here, change]).astype(np.uint8)


def clip(path: Path, rows: list[list[Pixels]]) -> None:
    """All modes side by side as a film of 24 frames a second."""
    from splatfilm.shots.video import Reel, encode_video

    def pictures() -> Iterator[tuple[Pixels, bool]]:
        for _ in range(AGAIN):
            for together in zip(*rows, strict=True):
                yield np.concatenate([picture[CROP] for picture in together], 1).repeat(2, 0).repeat(2, 1), False

    first = next(pictures())[0]
    encode_video(path, pictures(), Reel("noise", Fraction(24), first.shape[1::-1], "00:00:00:00"), lambda done: None)


def main(kept: Path, film: Path | None) -> None:
    """Write the picture beside this script, and the clip where it is wanted."""
    rows = [frames(kept, "anchored", refined=False), frames(kept, "anchored"), frames(kept, "plain-noise")]
    sheet = Image.fromarray(np.concatenate([column(row) for row in rows], 1))
    large = sheet.resize((sheet.width * TIMES, sheet.height * TIMES), Image.Resampling.NEAREST)
    large.save(Path(__file__).with_name("noise.png"), optimize=True)
    if film is not None:
        clip(film, rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
