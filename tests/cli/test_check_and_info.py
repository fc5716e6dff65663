"""The verbs check and info, as processes on real files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import REPOSITORY, environment

from splatfilm.base.errors import InputError
from splatfilm.film import load

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FILM = """\
[film]
name = "hall"
title = "The Hall"
rate = "30000/1001"
size = [640, 360]
timecode = "00:59:59;28"

[assets.hall]
kind = "set"
looks.day.splats = "hall.ply"

[scenes.one]
set = "hall"
frames = [1001, 1100]

[[shots]]
name = "010"
scene = "one"
camera = "cameras/wide.json"
frames = [1001, 1048]

[[shots]]
name = "020"
scene = "one"
camera = "cameras/wide.json"
frames = [1049, 1050]
lens = { focal_mm = 85, t_stop = 2 }
passes = ["depth"]
"""
PROPERTIES = ("x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity")
PROPERTIES += ("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3")
PLY = "\n".join(
    [
        "ply",
        "format ascii 1.0",
        "comment SplatRenderMode: mip",
        "element vertex 2",
        *(f"property float {name}" for name in PROPERTIES),
        "end_header",
        "0 -1 2 0 0 0 0 -3 -3 -3 1 0 0 0",
        "4 1 2.5 0 0 0 0 -3 -3 -3 1 0 0 0",
        "",
    ]
)
CAMERA = {
    "format": "splatfilm-camera",
    "version": 1,
    "lens": {"focal_mm": 24, "filmback_mm": [36, 24]},
    "keys": [
        {"frame": 1001, "position": [0, -4, 1.6], "look_at": [0, 0, 1], "focal_mm": 24},
        {"frame": 1100, "position": [1, -4, 1.6], "look_at": [0, 0, 1], "focal_mm": 35},
    ],
}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of two shots of one splat file, everything real and right."""
    (tmp_path / "cameras").mkdir()
    (tmp_path / "film.toml").write_text(FILM)
    (tmp_path / "hall.ply").write_text(PLY)
    (tmp_path / "cameras" / "wide.json").write_text(json.dumps(CAMERA))
    return tmp_path / "film.toml"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The film file that holds every mistake."""
    folder = tmp_path / "broken"
    (folder / "captures" / "hall").mkdir(parents=True)
    shutil.copy(REPOSITORY / "tests" / "film" / "broken.toml", folder / "film.toml")
    return folder / "film.toml"


def test_a_good_film_is_told_in_one_line(run: Run, film: Path) -> None:
    ended = run("check", "film.toml", cwd=film.parent)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "film.toml: 2 shots, 1 scene, 1 asset, and nothing wrong\n"
    folder = run("check", str(film.parent), "--quiet")
    assert (folder.returncode, folder.stdout, folder.stderr) == (0, "", "")


def test_every_planted_mistake_is_printed_at_once(run: Run, broken: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load(broken)
    ended = run("check", str(broken.relative_to(broken.parent.parent)), cwd=broken.parent.parent)
    *lines, count = ended.stdout.splitlines()
    assert ended.returncode == 3
    wanted = [f"broken/film.toml:{p.line}: {p.place}: {p.message}" for p in refusal.value.problems]
    assert lines[: len(wanted)] == wanted
    assert len(wanted) > 60
    assert count == f"{len(lines)} problems"
    assert lines[-1].startswith("broken/captures/hall: "), "the capture's own problems follow"


def test_json_problems_are_for_editors(run: Run, broken: Path, film: Path) -> None:
    ended = run("check", "--json", str(broken), str(film))
    assert ended.returncode == 3
    report = json.loads(ended.stdout)
    assert report["files"] == [str(broken), str(film)]
    assert report["problems"][0] == {
        "path": str(broken),
        "line": 3,
        "place": "film.name",
        "message": 'found "my film", expected a name (letters, digits, _ and - (not first), at most 64)',
    }
    assert {problem["path"] for problem in report["problems"]} == {
        str(broken),
        str(broken.parent / "captures" / "hall"),
    }
    assert json.loads(run("check", str(film), "--json").stdout)["problems"] == []


def test_problems_of_cameras_and_splats_are_found_with_the_films_own(run: Run, film: Path) -> None:
    film.write_text(FILM.replace("frames = [1001, 1100]", "frames = [1001, 1200]").replace("1050]", "1101]"))
    (film.parent / "hall.ply").write_text(PLY.replace("property float rot_3\n", ""))
    ended = run("check", "film.toml", cwd=film.parent)
    assert ended.returncode == 3
    assert ended.stdout.splitlines() == [
        'hall.ply: element "vertex": property rot_3 is missing',
        "film.toml:25: shots[1].camera: the camera's move ends before the shot does: "
        "it is keyed on scene frames 1001 to 1100, the shot shows 1049 to 1101",
        "2 problems",
    ]


@pytest.mark.parametrize("verb", ["check", "info"])
def test_a_film_that_is_not_there_is_bad_input(run: Run, tmp_path: Path, verb: str) -> None:
    ended = run(verb, "nothing.toml", cwd=tmp_path)
    assert ended.returncode == 3
    assert "nothing.toml: no such file" in ended.stdout + ended.stderr


def test_a_capture_with_a_missing_photograph_is_found_through_the_film(run: Run, film: Path, shared_data: Path) -> None:
    capture = film.parent / "fox"
    shutil.copytree(shared_data / "fox", capture)
    film.write_text(FILM.replace('splats = "hall.ply"', 'capture = "fox"'))
    good = run("check", "film.toml", cwd=film.parent)
    assert good.returncode == 0, good.stdout
    for picture in [*capture.rglob("*.jpg"), *capture.rglob("*.png")]:
        picture.write_bytes(b"no picture")
    ended = run("check", "film.toml", cwd=film.parent)
    assert ended.returncode == 3
    assert "fox" in ended.stdout


# ---- info ---------------------------------------------------------------------------------------------------------


def test_info_prints_the_shot_list_with_durations_and_timecodes(run: Run, film: Path) -> None:
    ended = run("info", "film.toml", cwd=film.parent)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split("\nrenderer")[0] == (
        "The Hall (hall): 640x360, 30000/1001 frames a second\n"
        "\n"
        "asset  kind  look  made from  preset\n"
        "hall   set   day   hall.ply   -\n"
        "\n"
        "scene  set         frames     cast\n"
        "one    hall (day)  1001-1100  -\n"
        "\n"
        "shot   scene  frames     count  length  cut in       cut out      camera             lens         passes\n"
        "010    one    1001-1048     48  1.60 s  00:59:59;28  01:00:01;16  cameras/wide.json  24-28.71 mm"
        "  beauty\n"
        "020    one    1049-1050      2  0.07 s  01:00:01;16  01:00:01;18  cameras/wide.json  85 mm T2"
        "     beauty, depth\n"
        "total                       50  1.67 s  00:59:59;28  01:00:01;18\n"
    )
    assert re.search(r"^cpu +\S+ +\S", ended.stdout, re.MULTILINE)


def test_info_as_json_holds_everything(run: Run, film: Path) -> None:
    report = json.loads(run("info", "--json", str(film)).stdout)
    assert report["kind"] == "film"
    assert [shot["name"] for shot in report["shots"]] == ["010", "020"]
    assert report["shots"][1]["lens"][0]["t_stop"] == 2
    assert {backend["name"] for backend in report["backends"]} == {"cpu", "gsplat"}
    assert all(backend["ready"] or backend["reason"] for backend in report["backends"])


def test_info_tells_what_a_splat_file_holds(run: Run, film: Path) -> None:
    report = json.loads(run("info", "hall.ply", "--json", cwd=film.parent).stdout)
    assert report == {
        "kind": "splats",
        "file": "hall.ply",
        "container": "ply",
        "count": 2,
        "sh_degree": 0,
        "mode": "antialiased",
        "bounds": [[0, -1, 2], [4, 1, 2.5]],
        "bytes": len(PLY),
    }
    words = run("info", "hall.ply", cwd=film.parent).stdout
    assert "4 x 2 x 0.5 in its own units, (0, -1, 2) to (4, 1, 2.5)" in words


def test_info_tells_what_a_camera_file_holds(run: Run, film: Path) -> None:
    words = run("info", "cameras/wide.json", cwd=film.parent).stdout
    assert words.splitlines()[:4] == [
        "cameras/wide.json",
        "  keys          2, keyed speed",
        "  scene frames  1001-1100",
        "  lens          24-35 mm",
    ]


def test_info_tells_what_a_capture_holds(run: Run, shared_data: Path) -> None:
    report = json.loads(run("info", str(shared_data / "fox"), "--json").stdout)
    assert report["kind"] == "capture"
    assert report["photographs"] == report["train"] + report["test"] > 10
    assert "photographs" in run("info", str(shared_data / "fox")).stdout


def test_info_alone_tells_what_can_render_here(run: Run) -> None:
    words = run("info").stdout
    assert words.startswith("Splatfilm ")
    for backend in ("cpu", "gsplat"):
        assert re.search(rf"^{backend} +\S+ +\S", words, re.MULTILINE)


@pytest.mark.parametrize("arguments", [("check", "film.toml"), ("info", "film.toml"), ("info", "hall.ply"), ("info",)])
def test_looking_never_loads_torch(film: Path, arguments: tuple[str, ...]) -> None:
    code = "import sys; from splatfilm.cli.main import main; sys.exit(main(sys.argv[1:]) or 'torch' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=film.parent,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_splats_that_are_no_splats_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_bytes(b"hello")
    ended = run("info", "a.ply", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("error: a.ply: is no splat file")
