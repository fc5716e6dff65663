"""Looks that come from captures: reconstructed once, found again, shared, and named in manifests."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_film import FakeRenderer, TinyFilm

from splatfilm import reconstruct
from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT
from splatfilm.film import load
from splatfilm.shots.make import MadeFilm, make_film
from splatfilm.shots.schedule import RenderOptions

pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")


def write_capture(folder: Path) -> None:
    """Nine small photographs of a coloured gradient, from a ring of cameras, in nerfstudio's layout."""
    (folder / "images").mkdir(parents=True)
    frames = []
    for index in range(9):
        turn = 2 * math.pi * index / 9
        position = np.array([3 * math.cos(turn), 3 * math.sin(turn), 0.5])
        back = position / np.linalg.norm(position)
        right = np.cross([0, 0, 1], back)
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :4] = np.stack([right, np.cross(back, right), back, position], axis=1)
        y, x = np.mgrid[0:32, 0:48]
        pixels = np.stack([x * 5, y * 7, np.full_like(x, 25 * index)], axis=-1).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{index:03d}.png")
        frames.append({"file_path": f"images/{index:03d}.png", "transform_matrix": pose.tolist()})
    camera = {"fl_x": 40, "fl_y": 40, "cx": 24, "cy": 16, "w": 48, "h": 32, "camera_model": "OPENCV"}
    (folder / "transforms.json").write_text(json.dumps({**camera, "frames": frames}))


@pytest.fixture
def captured(tiny: TinyFilm, monkeypatch: pytest.MonkeyPatch) -> TinyFilm:
    """The tiny film with a mug that is a capture, and presets that take a second."""
    write_capture(tiny.folder / "mug")
    tiny.edit('splats = "mug.ply"', 'capture = "mug"\npreset = "draft"')
    real = reconstruct.settings_for

    def short(preset: str, **changes: Any) -> Any:
        steps = {"draft": 20, "preview": 30}[preset]
        return dataclasses.replace(real(preset, **changes), steps=steps, budget=300)

    monkeypatch.setattr("splatfilm.reconstruct.settings.settings_for", short)
    return tiny


def make(film: TinyFilm, **options: Any) -> MadeFilm:
    return make_film(load(film.path), RenderOptions(out=film.out, **options), SILENT, FakeRenderer())


def test_a_capture_is_reconstructed_once_and_its_worth_is_told(captured: TinyFilm) -> None:
    first = make(captured)
    score = first.summary["assets"]["mug/plain"]["reconstruction"]
    assert score["steps"] == 20 and 3 < score["heldout_psnr"] < 60 and -1 <= score["heldout_ssim"] <= 1
    folder = next((captured.out / "assets").glob("mug-*"))
    assert (folder / "splats.ply").is_file()
    manifest = json.loads((captured.take("010") / "manifest.json").read_text())
    asset = manifest["inputs"]["assets"]["mug/plain"]
    assert asset["reconstruction"]["key"].startswith(folder.name[-12:])
    assert len(asset["reconstruction"]["capture_hash"]) == len(asset["sha256"]) == 64

    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = make(captured)
    assert not again.changed and again.summary == first.summary
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_another_preset_is_another_reconstruction_beside_the_first(captured: TinyFilm) -> None:
    make(captured)
    better = make(captured, preset="preview")
    assert better.summary["assets"]["mug/plain"]["reconstruction"]["steps"] == 30
    assert [r.take.name for r in better.shots] == ["v002", "v002"]
    assert len(list((captured.out / "assets").glob("mug-*"))) == 2
    back = make(captured)
    assert sum(r.drawn for r in back.shots) == 0, "the first reconstruction's frames are still there"


def test_damaged_splats_are_reconstructed_again(captured: TinyFilm) -> None:
    first = make(captured)
    splats = next((captured.out / "assets").glob("mug-*")) / "splats.ply"
    splats.write_bytes(splats.read_bytes()[:-1])
    again = make(captured)
    assert not any(r.drawn for r in again.shots), "the same capture and settings give the same splats"
    assert again.summary["shots"] == first.summary["shots"]


def test_every_asset_problem_is_told_before_anything_is_reconstructed(captured: TinyFilm) -> None:
    (captured.folder / "mug" / "images" / "003.png").write_bytes(b"no picture")
    (captured.folder / "room.ply").write_bytes(b"")
    with pytest.raises(InputError) as refused:
        make(captured)
    assert "mug" in str(refused.value)
    assert not list((captured.out / "assets").glob("mug-*")) if (captured.out / "assets").exists() else True
