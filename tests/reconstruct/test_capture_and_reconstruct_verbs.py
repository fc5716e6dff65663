"""The verbs `capture` and `reconstruct`: what they print, and what they return to the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic import write_capture

from splatfilm.cli.main import main

QUICK = ["--steps", "40", "--budget", "400"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_capture(tmp_path_factory.mktemp("verbs") / "ball", count=16)


def test_capture_tells_what_is_there(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", str(made)]) == 0
    shown = capsys.readouterr().out
    assert "14 for training, 2 held out" in shown
    assert "16 of 96x64" in shown
    assert "250" in shown


def test_capture_speaks_json(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", str(made), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["train"], report["test"], report["points"], report["layout"]) == (14, 2, 250, "nerfstudio")
    assert report["reach"] > 2.5


def test_capture_finds_a_truncated_photograph_and_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_capture(tmp_path / "cut", count=6)
    path = folder / "images" / "004.png"
    path.write_bytes(path.read_bytes()[:500])
    assert main(["capture", str(folder)]) == 3
    assert "004.png" in capsys.readouterr().err
    assert main(["capture", str(folder), "--quick"]) == 0


def test_capture_of_nothing_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", str(tmp_path / "nowhere")]) == 3
    assert "no such folder" in capsys.readouterr().err


def test_reconstruct_trains_once_and_then_says_so_in_one_line(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["reconstruct", str(made), "--out", str(tmp_path / "out"), *QUICK]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert "held-out" in first
    assert "heldout.png" in first
    assert len(list((tmp_path / "out" / "assets").glob("ball-*/splats.ply"))) == 1
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert again.out.startswith("ball: unchanged, ")
    assert again.out.count("\n") == 1
    assert main([*arguments, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["from_cache"], record["steps"], record["settings"]["budget"]) == (True, 40, 400)


def test_reconstruct_refuses_missing_photographs_only_when_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_capture(tmp_path / "gaps", count=10)
    (folder / "images" / "005.png").unlink()
    arguments = ["reconstruct", str(folder), "--out", str(tmp_path / "out"), *QUICK]
    assert main([*arguments, "--strict"]) == 3
    assert "images/005.png: is listed, but has no file" in capsys.readouterr().err
    assert main(arguments) == 0
    assert "1 of 10 listed photographs have no file" in capsys.readouterr().err


def test_reconstruct_with_a_backend_that_is_not_here_exits_with_4(made: Path, tmp_path: Path) -> None:
    from splatfilm.render import backend_statuses

    if next(status for status in backend_statuses() if status.name == "gsplat").ready:
        pytest.skip("gsplat is here")
    assert main(["reconstruct", str(made), "--out", str(tmp_path), "--backend", "gsplat"]) == 4
