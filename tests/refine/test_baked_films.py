"""`bake` in a film file, and a film whose captured set is baked: found again, beside the captured one."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import quick, write_capture

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT
from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.refine import recipe
from splatfilm.refine.recipe import BakeSettings, NetSettings, PairSettings, Recipe, TrainSettings
from splatfilm.shots.assets import Ways, resolve_assets

TINY = Recipe(
    PairSettings(folds=0),
    TrainSettings(net=NetSettings(channels=(8, 8, 8)), steps=2, crops=1, size=16),
    BakeSettings(rounds=1, views=2, share=1.0),
)


@pytest.fixture
def film(repository: Path) -> Film:
    return load(repository / "cameras" / "morning" / "film.toml")


def written(tmp_path: Path, repository: Path, refine: str) -> Path:
    """The morning film with another `[film.refine]`."""
    whole = (repository / "cameras" / "morning" / "film.toml").read_text(encoding="utf-8")
    text = "".join(part for part in whole.split("[film.refine]")[:1])
    if "[film.refine]" in whole:
        text += "[assets.flat]" + whole.split("[assets.flat]", 1)[1]
    text = text.replace("[assets.flat]", f"{refine}\n[assets.flat]", 1)
    folder = repository / "cameras" / "morning"
    text = text.replace('"../../captures', f'"{repository}/captures')
    for beside in (*folder.glob("*.json"), *folder.glob("*.performance.toml")):
        text = text.replace(f'"{beside.name}"', f'"{beside}"')
    path = tmp_path / "film.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("table", "bakes"), [("", False), ('[film.refine]\nlook = "clean"', True), ("[film.refine]\nbake = false", False)]
)
def test_a_refined_film_bakes_unless_it_says_no(tmp_path: Path, repository: Path, table: str, bakes: bool) -> None:
    assert load(written(tmp_path, repository, table)).bake is bakes


def test_bake_is_true_or_false(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(InputError, match=r"film\.refine\.bake: expected true or false, found 'yes'"):
        load(written(tmp_path, repository, '[film.refine]\nbake = "yes"'))


def test_a_film_shows_the_baked_set_and_keeps_the_captured_one(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = write_capture(tmp_path / "ball", count=16)
    look = dataclasses.replace(film.assets["flat"].looks["day"], capture=capture)
    flat = dataclasses.replace(film.assets["flat"], looks={"day": look})
    ours = dataclasses.replace(film, assets={**film.assets, "flat": flat})
    monkeypatch.setattr(
        "splatfilm.reconstruct.settings.settings_for", lambda preset, **changes: quick(steps=40, budget=200)
    )
    monkeypatch.setattr(recipe, "_RECIPES", {"draft": TINY})
    name, ways = ("flat", "day"), Ways(tmp_path / "out")
    bare = resolve_assets(dataclasses.replace(ours, bake=False), [name], ways, SILENT)[name]
    baked = resolve_assets(dataclasses.replace(ours, bake=True), [name], ways, SILENT)[name]
    assert baked.path.parent != bare.path.parent
    assert "-baked-" in baked.path.parent.name
    assert baked.origin["bake"]["after"]["psnr"] >= baked.origin["bake"]["before"]["psnr"]
    assert bare.path.is_file(), "the unbaked asset stays beside it"
    again = resolve_assets(dataclasses.replace(ours, bake=True), [name], ways, SILENT)[name]
    assert again.sha256 == baked.sha256


def test_finding_a_bake_needs_no_torch() -> None:
    code = "import sys, splatfilm.refine.recipe, splatfilm.refine.baked; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
