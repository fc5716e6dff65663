"""docs/film-file.md against the code: its example is a film, and it explains every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "film-file.md").read_text(encoding="utf-8")


@pytest.fixture
def documented_film(page: str, tmp_path: Path) -> Path:
    """The page's example as a file, with everything that it names."""
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for folder in ("captures/kitchen", "library", "cameras"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("library/mug.ply", "library/mug-steaming.ply", "cameras/010-wide.json", "cameras/020-close.json"):
        (tmp_path / name).touch()
    (tmp_path / "film.toml").write_text(example, encoding="utf-8")
    return tmp_path / "film.toml"


def test_the_example_is_a_film(documented_film: Path) -> None:
    film = load(documented_film)
    assert (film.name, [shot.name for shot in film.shots]) == ("kitchen", ["010", "020"])
    assert [len(shot.frames) for shot in film.shots] == [96, 48]
    assert [member.name for member in film.scenes["breakfast"].cast] == ["mug", "second-mug"]


def test_every_key_that_is_allowed_is_explained(documented_film: Path, page: str) -> None:
    text = "surprise = 1\n" + documented_film.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(\[.+\])$", r"\1\nsurprise = 1", text)  # into every table with a header
    text = re.sub(r"\{ (?=frame|rotation|focal)", "{ surprise = 1, ", text)  # and into every inline table
    documented_film.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        load(documented_film)
    problems = [problem for problem in refusal.value.problems if problem.place.endswith("surprise")]
    places = {re.sub(r"\[\d+\]", "", problem.place).rsplit(".", 1)[0] for problem in problems}
    assert {"film", "assets.mug", "assets.mug.looks.plain", "scenes.breakfast", "shots", "shots.lens"} <= places
    assert {"assets.mug.looks.plain.place", "scenes.breakfast.cast.keys", "scenes.breakfast.cast.looks"} <= places
    keys = {key for problem in problems for key in problem.message.split("expected one of ")[1].split(", ")}
    assert len(keys) > 30
    explained = set(re.findall(r"`\[*(?:assets|scenes)?\.?([a-z_]+)(?:\.NAME)?\]*`", page)) | {"assets", "scenes"}
    assert keys <= explained, keys - explained


def test_the_messages_it_explains_are_the_ones_that_are_given(page: str, repository: Path) -> None:
    """Each fixed piece of a quoted message stands in the code."""
    code = "".join(path.read_text(encoding="utf-8") for path in (repository / "splatfilm" / "film").glob("*.py"))
    quoted = re.findall(r"^\| `([^`]*)` \| ", page.split("## Errors")[1], re.MULTILINE)
    assert len(quoted) >= 9
    for message in quoted:
        for piece in re.split(r"\.\.\.|\[first, last\]|\(column 7\)|the camera's move", message):
            assert piece.strip(" :,()") in code, piece
