"""The verbs `render` and `make` as a person types them."""

from __future__ import annotations

import json

import pytest
from tiny_film import TinyFilm

from splatfilm.cli.main import main

pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")


def run(tiny: TinyFilm, verb: str, *arguments: str) -> int:
    return main([verb, str(tiny.path), "--out", str(tiny.out), *arguments])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--shot", "099"], 3, "there is no shot 099; the film has 010, 020"),
        (["--frames", "1010-1001"], 3, "goes from its first frame up to its last"),
        (["--frames", "2000"], 3, "in none of the chosen shots"),
        (["--size", "huge"], 3, "write half, quarter"),
        (["--take", "newest"], 2, "latest"),
        (["--verify"], 3, "there is no finished take to verify"),
        (["--backend", "opengl"], 2, "gsplat"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_rendered(
    tiny: TinyFilm, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert run(tiny, "render", *arguments) == code
    assert words in capsys.readouterr().err
    assert not tiny.out.exists()


def test_render_and_make_tell_what_they_did(tiny: TinyFilm, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tiny, "render", "--shot", "010", "--frames", "1001-1008") == 0
    assert capsys.readouterr().out.split()[-6:] == ["010", "v001", "8", "0", "0", "unfinished"]
    assert run(tiny, "make") == 0
    told = capsys.readouterr().out
    for words in ("010   v001", "tiny.mp4", "contact-sheet.png", "film.json", "peak memory", "render "):
        assert words in told
    assert "Nothing had changed." not in told
    assert run(tiny, "make") == 0
    assert "Nothing had changed." in capsys.readouterr().out


def test_json_holds_the_hash_of_every_picture(tiny: TinyFilm, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tiny, "render", "--size", "half", "--json") == 0
    shots = json.loads(capsys.readouterr().out)["shots"]
    assert [len(shot["frames"]) for shot in shots] == [12, 10]
    assert all(len(p["sha256"]) == 64 for shot in shots for frame in shot["frames"] for p in frame["passes"].values())
    assert run(tiny, "render", "--size", "half", "--verify", "--json") == 0
    verified = json.loads(capsys.readouterr().out)["shots"]
    assert [v["pixels"] for v in verified] == [shot["pixels"] for shot in shots]


@pytest.mark.parametrize("verb", ["render", "make"])
def test_help_teaches_by_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"splatfilm {verb} film.toml" in told and "--threads" in told and "--json" in told
