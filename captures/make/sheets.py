"""Contact sheets: each capture at a glance, for a person to judge."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

GROUND = (46, 42, 38)


def write_sheets(captures: Path, folders: dict[str, str]) -> None:
    """`sheets/NAME.jpg` for every capture that has photographs: sixteen of them, spread over the set, held-out last."""
    (captures / "sheets").mkdir(exist_ok=True)
    for name, folder in folders.items():
        listing = captures / folder / "transforms.json"
        if not listing.exists():
            continue
        document = json.loads(listing.read_text())
        train, test = document["train_filenames"], document["test_filenames"]
        chosen = [train[round(k * (len(train) - 1) / 15)] for k in range(16)] + test[:4]
        first = Image.open(captures / folder / chosen[0])
        w, h = 256, round(256 * first.height / first.width)
        sheet = Image.new("RGB", (4 * w + 20, 5 * h + 24), GROUND)
        for k, file in enumerate(chosen):
            picture = Image.open(captures / folder / file).convert("RGBA").resize((w, h), Image.Resampling.LANCZOS)
            sheet.paste(picture, (4 + (k % 4) * (w + 4), 4 + (k // 4) * (h + 4)), picture)
        sheet.save(captures / "sheets" / f"{name}.jpg", quality=84)
        print(f"captures/sheets/{name}.jpg")
