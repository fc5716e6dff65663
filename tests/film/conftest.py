"""A valid film on disk, with everything that its file names."""

from __future__ import annotations

from pathlib import Path

import pytest

VALID = """\
[film]
name = "kitchen"
title = "Küche am Morgen"
rate = "24000/1001"
size = [1920, 804]
aspect = "2.39:1"
timecode = "10:00:00:00"

[assets.flat]
kind = "set"
looks.day = { capture = "captures/flat", preset = "final" }
looks.night = { capture = "captures/flat" }

[assets.mug]
kind = "prop"
[assets.mug.looks.plain]
splats = "mug.ply"
place = { rotation = [90, 0, 0], scale = 0.01 }
[assets.mug.looks.steaming]
splats = "mug.ply"

[scenes.morning]
set = { asset = "flat", look = "night" }
frames = [1001, 1120]

[[scenes.morning.cast]]
asset = "mug"
position = [1.2, 0.4, 0.75]
heading = 90
keys = [
    { frame = 1010, easing = "smooth" },
    { frame = 1020.5, position = [2, 0, 0], heading = 180 },
    { frame = 1030, easing = [0.3, 0, 0.5, 1] },
]
looks = [{ frame = 1060, look = "steaming" }]

[[scenes.morning.cast]]
name = "second-mug"
asset = "mug"
look = "steaming"
rotation = [0, 0, 90]
scale = 2
frames = [1010, 1100]

[[shots]]
name = "010"
scene = "morning"
camera = "wide.json"
frames = [1001, 1048]

[[shots]]
name = "020"
scene = "morning"
camera = "cameras/close.json"
frames = [1049, 1120]
lens = { focal_mm = 50, t_stop = 2.8, filmback_mm = [24.89, 18.66], gate = "vertical" }
passes = ["depth"]
"""


@pytest.fixture
def film_file(tmp_path: Path) -> Path:
    """The path of a valid film file; the files it names are there (and empty: only their being there is asked for)."""
    folder = tmp_path / "kitchen"
    (folder / "captures" / "flat").mkdir(parents=True)
    (folder / "cameras").mkdir()
    for name in ("mug.ply", "wide.json", "cameras/close.json"):
        (folder / name).touch()
    path = folder / "film.toml"
    path.write_text(VALID, encoding="utf-8")
    return path
