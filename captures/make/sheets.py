"""Contact sheets: each capture at a glance, for a person to judge."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

GROUND = (46, 42, 38)
WIDE, GAP = 256, 4
LAYERS = np.array([GROUND, (226, 180, 150), (120, 62, 34), (96, 150, 190), (130, 44, 84)], np.uint8)  # by id


def _sheet(pictures: list[Image.Image], file: Path) -> None:
    """Four pictures a row, all of one shape."""
    height = round(WIDE * pictures[0].height / pictures[0].width)
    rows = (len(pictures) + 3) // 4
    sheet = Image.new("RGB", (4 * (WIDE + GAP) + GAP, rows * (height + GAP) + GAP), GROUND)
    for k, picture in enumerate(pictures):
        small = picture.convert("RGBA").resize((WIDE, height), Image.Resampling.LANCZOS)
        sheet.paste(small, (GAP + (k % 4) * (WIDE + GAP), GAP + (k // 4) * (height + GAP)), small)
    sheet.save(file, quality=84)
    print(f"captures/sheets/{file.name}")


def _ids(file: Path) -> Image.Image:
    return Image.fromarray(LAYERS[np.asarray(Image.open(file))])


def write_sheets(captures: Path, folders: dict[str, str]) -> None:
    """`sheets/NAME.jpg`: sixteen training photographs, four held-out ones, ids if there are some; `footage.jpg`."""
    sheets = captures / "sheets"
    sheets.mkdir(exist_ok=True)
    for name, folder in folders.items():
        listing = captures / folder / "transforms.json"
        if not listing.exists():
            continue
        document = json.loads(listing.read_text())
        train, test = document["train_filenames"], document["test_filenames"]
        chosen = [train[round(k * (len(train) - 1) / 15)] for k in range(16)] + test[:4]
        pictures = [Image.open(captures / folder / file) for file in chosen]
        if (captures / folder / "ids").exists():
            pictures += [_ids(captures / folder / "ids" / f"{Path(file).stem}.png") for file in test[:4]]
        _sheet(pictures, sheets / f"{name}.jpg")
    pictures = []
    for move in sorted((captures / "footage").glob("*/footage.json")):
        taken = sorted((move.parent / "images").iterdir())[::4]
        pictures += [Image.open(file) for file in [*taken, taken[-1]][:3]]
        pictures.append(_ids(move.parent / "ids" / f"{taken[1].stem}.png"))
    if pictures:
        _sheet(pictures, sheets / "footage.jpg")
