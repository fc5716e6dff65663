"""A small film on disk for the room's tests: two characters, two shots, comments that must survive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FILM = """\
# The talk. Nobody may lose this comment.

[film]
name = "talk"
rate = "24"                 # frames a second
size = [1920, 1080]

[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[assets.ann]
kind = "character"
[assets.ann.looks.plain]
splats = "room.ply"

[scenes.talk]
set = "room"
frames = [1001, 1300]

[[scenes.talk.cast]]
name = "ann"
asset = "ann"
position = [0, 0, 0]

[[scenes.talk.cast]]
name = "bob"
asset = "ann"
keys = [{ frame = 1001, position = [2, 0, 0] }, { frame = 1101, position = [2, 1, 0] }]

# ---- the shot list ----

# the wide
[[shots]]
name = "010"                # master
scene = "talk"
camera = "010.json"
frames = [1001, 1048]

# the single
[[shots]]
name = "020"
scene = "talk"
camera = "020.json"
frames = [1049, 1096]
lens = { t_stop = 2.8 }
"""


def camera(*keys: tuple[int, list[float], list[float]], focal: float = 35.0) -> str:
    listed = [{"frame": f, "position": p, "look_at": q} for f, p, q in keys]
    return json.dumps({"format": "splatfilm-camera", "version": 1, "lens": {"focal_mm": focal}, "keys": listed})


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The film file; 010 moves from 1001 to 1048, 020 stands still."""
    (tmp_path / "film.toml").write_text(FILM)
    (tmp_path / "room.ply").write_bytes(b"ply\n")
    (tmp_path / "010.json").write_text(camera((1001, [1, -5, 1.6], [1, 0, 1.4]), (1048, [1, -4, 1.6], [1, 0, 1.4])))
    (tmp_path / "020.json").write_text(camera((1049, [1, -2, 1.6], [2, 0.5, 1.5]), focal=50))
    return tmp_path / "film.toml"
