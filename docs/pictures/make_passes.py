"""The picture of every pass in docs/passes.md: one frame of the sample film, rendered as EXR layers and laid out.

    python docs/pictures/make_passes.py [--film FILM] [--out OUT] [--shot SHOT] [--frame FRAME]

Reconstructs the film's captures where OUT does not have them yet.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from splatfilm.film import load
from splatfilm.film.model import PASSES
from splatfilm.render.colour import srgb_from_linear
from splatfilm.shots.cryptomatte import LAYER
from splatfilm.shots.exr import read_exr
from splatfilm.shots.schedule import RenderOptions, render_shots

Layers = Mapping[str, NDArray[np.float32]]
Picture = NDArray[np.floating]

HERE = Path(__file__).resolve().parent
COLUMNS, CAPTION, GAP = 3, 26, 8
PAPER, INK = (17, 18, 20), (200, 198, 193)
LONGEST_MOTION = 6.0  # px, shown at full strength


def grey(values: Picture) -> Picture:
    return np.repeat(np.clip(values, 0, 1)[..., None], 3, -1)


def near_is_bright(depth: Picture) -> Picture:
    """Depth as it reads best: its reciprocal, from the nearest to the farthest of the picture."""
    there = depth > 0
    nearness = np.divide(1.0, depth, out=np.zeros(depth.shape, np.float64), where=there)
    low, high = np.percentile(nearness[there], (1, 99)) if there.any() else (0.0, 1.0)
    return grey(np.where(there, 0.08 + 0.92 * (nearness - low) / max(high - low, 1e-9), 0.0))


def wheel(u: Picture, v: Picture) -> Picture:
    """Direction as hue, length as strength."""
    angle, length = np.arctan2(v, u), np.minimum(np.hypot(u, v) / LONGEST_MOTION, 1.0)
    hue = np.stack([0.5 + 0.5 * np.cos(angle - shift) for shift in (0.0, 2 * np.pi / 3, 4 * np.pi / 3)], -1)
    return hue * length[..., None]


def colours_of_ids(layers: Layers) -> Picture:
    """Every object in a colour made of the bits of its id, weighted by its coverage."""
    shown = np.zeros((*layers["R"].shape, 3))
    for layer in range(3):
        for of_id, of_coverage in (("R", "G"), ("B", "A")):
            bits = np.ascontiguousarray(layers[f"{LAYER}{layer:02d}.{of_id}"]).view(np.uint32)
            colour = np.stack([(bits >> shift & 255) / 255 for shift in (0, 8, 16)], -1)
            shown += colour * layers[f"{LAYER}{layer:02d}.{of_coverage}"][..., None]
    return shown


def pictures_of(layers: Layers) -> dict[str, Picture]:
    """What each pass looks like, 0 to 1 for a screen."""
    position = np.stack([layers[f"position.{axis}"] for axis in "XYZ"], -1)
    return {
        "beauty": srgb_from_linear(np.stack([layers[c].astype(np.float32) for c in "RGB"], -1)),
        "alpha": grey(layers["A"].astype(np.float32)),
        "depth": near_is_bright(layers["Z"]),
        "depth-median": near_is_bright(layers["depth_median.Z"]),
        "depth-front": near_is_bright(layers["depth_front.Z"]),
        "normal": np.stack([layers[f"normal.{axis}"].astype(np.float32) for axis in "XYZ"], -1) * 0.5 + 0.5,
        "position": np.where(layers["Z"][..., None] > 0, position - np.floor(position), 0.0),
        "motion": wheel(layers["forward.u"], layers["forward.v"]),
        "id": colours_of_ids(layers),
    }


def lay_out(pictures: Mapping[str, Picture]) -> Image.Image:
    """All of them on one page, with their names."""
    height, width = next(iter(pictures.values())).shape[:2]
    rows = -(-len(pictures) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (width + GAP) + GAP, rows * (height + CAPTION + GAP) + GAP), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for index, (name, values) in enumerate(pictures.items()):
        left = GAP + index % COLUMNS * (width + GAP)
        top = GAP + index // COLUMNS * (height + CAPTION + GAP)
        page.paste(Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)), (left, top))
        pen.text((left + 2, top + height + 5), name, INK, font)
    return page


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--film", type=Path, default=HERE.parents[1] / "cameras" / "morning" / "film.toml")
    words.add_argument("--out", type=Path, default=Path("out"))
    words.add_argument("--shot", default="020")
    words.add_argument("--frame", type=int, default=1030)
    words.add_argument("--width", type=int, default=480, help="px of one pass")
    words.add_argument("--to", type=Path, default=HERE / "passes.jpg")
    said = words.parse_args()
    film = dataclasses.replace(load(said.film), files="exr")
    size = said.width, 2 * round(said.width * film.size[1] / film.size[0] / 2)
    options = RenderOptions(said.out, shots=(said.shot,), frames=(said.frame,), size=size, passes=PASSES)
    (result,) = render_shots(film, options)
    record = result.take.frame(said.frame).pictures["layers"]
    layers, _ = read_exr(result.take.folder / record.file)
    lay_out(pictures_of(layers)).save(said.to, quality=90, subsampling=0)


if __name__ == "__main__":
    main()
