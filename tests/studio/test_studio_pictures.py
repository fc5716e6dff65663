"""The pictures of the studio's guide: taken by their script, at the sizes that the guide shows."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_film import REPOSITORY, TinyFilm

SIZES = {"studio.jpg": (1280, 720), "studio-large.jpg": (1920, 1080)}
PICTURES = REPOSITORY / "docs" / "pictures"


def test_the_guides_pictures_have_their_sizes_and_stand_in_the_guide() -> None:
    guide = (REPOSITORY / "docs" / "studio.md").read_text()
    for name, size in SIZES.items():
        assert Image.open(PICTURES / name).size == size
        assert f"pictures/{name}" in guide


@pytest.mark.browser
@pytest.mark.slow
def test_the_script_takes_the_pictures_of_any_film(
    tiny: TinyFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright.sync_api")
    pytest.importorskip("viser")
    spec = importlib.util.spec_from_file_location("studio_pictures", PICTURES / "studio_pictures.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), *sys.path]))
    script.main(str(tiny.path), str(tiny.out), "010", str(tmp_path), 400)
    for name, (width, height) in SIZES.items():
        pixels = np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(float)
        assert pixels.shape == (height, width, 3)
        left = pixels[height // 3 : height // 2, width // 6 : width // 2]  # the look-through, a colourful room
        assert left.std() > 20
    overview = pixels[height // 4 : height // 2, int(0.55 * width) : int(0.82 * width)]
    assert overview.std() > 8  # the large one has the overview on its right, and it is not empty
