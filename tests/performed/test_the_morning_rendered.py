"""The performed film on real splats: equal moments, a look change that touches nothing else, what the stage costs.

Needs the film's splats; `SPLATFILM_MADE` is the folder that `splatfilm make cameras/morning/film.toml` wrote to.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from splatfilm.base.hashing import hash_bytes
from splatfilm.base.progress import SILENT
from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import load_path
from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.render import RenderSettings, render
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.splats import Splats, compose
from splatfilm.stage import Stage
from splatfilm.stage.stage import Staged

MORNING = Path(__file__).resolve().parents[2] / "cameras" / "morning" / "film.toml"
MADE = Path(os.environ.get("SPLATFILM_MADE", "nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (MADE / "morning" / "film.json").is_file(), reason="SPLATFILM_MADE names no made film"),
]
NAMES = ("body", "pyjamas")
FIELDS = ("means", "quats", "scales", "opacities", "sh", "turns", "stretches")


@pytest.fixture(scope="module")
def film() -> Film:
    return load(MORNING)


def staged_by(film: Film) -> Stage:
    names = [
        (asset.name, source) for asset in film.assets.values() for look in asset.looks for source in asset.worn(look)
    ]
    found = resolve_assets(film, list(dict.fromkeys(names)), Ways(MADE / "assets"), SILENT)
    sources = {name: source.path for name, source in found.items()}
    return Stage(film, "morning", sources, bindings=MADE / "assets" / "bindings")


def digest(splats: Splats) -> str:
    values = [getattr(splats, name) for name in FIELDS]
    return hash_bytes(b"".join(v.numpy().tobytes() for v in values if v is not None))


def dressed(film: Film, look: str) -> Film:
    """The film with Ada in one look from beginning to end."""
    scene = film.scenes["morning"]
    cast = tuple(
        dataclasses.replace(m, looks=(dataclasses.replace(m.looks[0], look=look),)) if m.asset == "ada" else m
        for m in scene.cast
    )
    return dataclasses.replace(film, scenes={"morning": dataclasses.replace(scene, cast=cast)})


def layer(staged: Staged, name: str) -> Splats:
    span = next(span for span in staged.spans if span.layer == name)
    return staged.splats.only(torch.arange(span.start, span.stop))


def shown(staged: Staged, name: str) -> torch.Tensor:
    """The splats of a layer that nothing is worn over."""
    span = next(span for span in staged.spans if span.layer == name)
    return torch.arange(span.stop - span.start) if span.shown is None else torch.from_numpy(span.shown)


def test_two_shots_of_one_moment_see_equal_splats(film: Film) -> None:
    for frame, before in ((1140, 1130), (1575, 1563)):
        one, other = staged_by(film), staged_by(film)
        for earlier in (before, before + 3, 2000):
            other.at(earlier)
        assert digest(one.at(frame).splats) == digest(other.at(frame).splats)


def test_a_look_change_touches_nothing_but_the_garments_footprint(film: Film) -> None:
    frame, shot = 1300, film.shot("030")
    camera = load_path(shot.camera, lens_changes=shot.lens).at(frame, 320, 180)
    night, gown = (staged_by(dressed(film, look)).at(frame) for look in ("night", "morning"))
    for name in ("body", "hair", "pyjamas"):
        for field in ("means", "quats", "scales", "sh", "turns"):
            before = getattr(layer(night, name).only(shown(gown, name)), field)
            assert torch.equal(before, getattr(layer(gown, name), field)), (name, field)
    hidden = [layer(night, n) for n in NAMES]
    covered = [s.opacities.index_fill(0, shown(gown, n), 0.0) for n, s in zip(NAMES, hidden, strict=True)]
    footprint = compose(
        [
            (layer(gown, "gown"), IDENTITY),
            *((dataclasses.replace(s, opacities=o), IDENTITY) for s, o in zip(hidden, covered, strict=True)),
        ]
    )
    with torch.no_grad():
        outside = (render(footprint, camera, RenderSettings(), backend="cpu").alpha == 0).numpy()
        a, b = (render(s.splats, camera, RenderSettings(), backend="cpu").beauty.numpy() for s in (night, gown))
    assert 0.2 < outside.mean() < 0.9
    assert np.array_equal(a[outside], b[outside])
    assert not np.array_equal(a, b)


def test_the_made_film_has_the_shot_lists_frames(film: Film) -> None:
    summary = json.loads((MADE / "morning" / "film.json").read_text())
    assert summary["frames"] == sum(len(shot.frames) for shot in film.shots)
    for shot in film.shots:
        takes = sorted((MADE / "morning" / "shots" / shot.name).iterdir())
        found = {int(path.suffixes[-2][1:]) for path in takes[-1].glob("*_beauty_*.png")}
        assert found == set(shot.frames), shot.name
