"""The studio's hand-outs from the command line: `splatfilm storyboard` and `splatfilm shotlist`, as users run them."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from studio_film import TinyFilm, environment


def ran(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "splatfilm", *map(str, words)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def test_the_storyboard_is_drawn_without_a_window(tiny: TinyFilm) -> None:
    done = ran("storyboard", tiny.path, "--backend", "cpu", "--out", tiny.out)
    assert done.returncode == 0, done.stderr
    pdf, page = (Path(line) for line in done.stdout.splitlines())
    assert pdf == tiny.out / "tiny" / "storyboard.pdf" and pdf.read_bytes().startswith(b"%PDF")
    pixels = np.asarray(Image.open(page).convert("RGB"))
    assert pixels.std() > 5  # three panels of a colourful room, and no empty sheet


def test_the_shot_list_is_printed_or_written_and_names_every_shot(tiny: TinyFilm, tmp_path: Path) -> None:
    printed = ran("shotlist", tiny.path)
    rows = list(csv.DictReader(printed.stdout.splitlines()))
    assert [(row["shot"], row["frames"], row["timecode in"], row["focal mm"]) for row in rows] == [
        ("010", "12", "01:00:00:00", "24"),
        ("020", "10", "01:00:00:12", "24"),
    ]
    file = tmp_path / "shots.csv"
    assert ran("shotlist", tiny.path, "--file", file).stdout.strip() == str(file)
    assert file.read_text(encoding="utf-8-sig") == printed.stdout


def test_a_film_with_problems_gets_neither(tiny: TinyFilm) -> None:
    tiny.edit('camera = "still.json"', 'camera = "gone.json"')
    for verb in ("storyboard", "shotlist"):
        done = ran(verb, tiny.path)
        assert done.returncode != 0
        assert "gone.json" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tiny.out / "tiny").exists()
