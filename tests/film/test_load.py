"""Valid film files become the right `Film`."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import Similarity, matrix_from_quaternion
from splatfilm.film import Film, FrameRange, LookChange, load
from splatfilm.film.model import Light
from splatfilm.film.placement import about_fixed_axes

HALF = math.sqrt(0.5)


def test_every_part_of_a_valid_film_arrives(film_file: Path) -> None:
    film = load(film_file)
    folder = film_file.parent
    assert isinstance(film, Film)
    assert (film.path, film.name, film.title) == (film_file, "kitchen", "Küche am Morgen")
    assert (film.rate, film.size, film.timecode) == (Fraction(24000, 1001), (1920, 804), "10:00:00:00")

    assert list(film.assets) == ["flat", "mug"]
    flat, mug = film.assets.values()
    assert (flat.kind, list(flat.looks), flat.default_look.name) == ("set", ["day", "night"], "day")
    assert (flat.looks["day"].capture, flat.looks["day"].care.preset) == (folder / "captures/flat", "final")
    assert (flat.looks["night"].care.preset, flat.looks["night"].place.is_identity) == ("draft", True)
    assert (mug.looks["plain"].splats, mug.looks["plain"].capture) == (folder / "mug.ply", None)
    assert mug.looks["plain"].place.rotation == pytest.approx((HALF, HALF, 0, 0))
    assert mug.looks["plain"].place.scale == 0.01

    assert [shot.name for shot in film.shots] == ["010", "020"]
    wide, close = film.shots
    assert (wide.scene, wide.camera, wide.frames, wide.lens) == (
        "morning",
        folder / "wide.json",
        FrameRange(1001, 1048),
        {},
    )
    assert wide.passes == ("beauty",)
    assert close.lens == {"focal_mm": 50.0, "t_stop": 2.8, "filmback_mm": (24.89, 18.66), "gate": "vertical"}
    assert close.passes == ("beauty", "depth"), "beauty is always there"


def test_the_cast_stands_and_moves_as_the_file_says(film_file: Path) -> None:
    scene = load(film_file).scenes["morning"]
    assert (scene.set, scene.set_look, scene.frames) == ("flat", "night", FrameRange(1001, 1120))
    mug, second = scene.cast
    assert (mug.name, mug.asset, mug.frames) == ("mug", "mug", None)
    assert [(key.frame, key.easing) for key in mug.keys] == [
        (1010.0, "smooth"),
        (1020.5, "linear"),
        (1030.0, (0.3, 0.0, 0.5, 1.0)),
    ]
    first, last, back = (key.place for key in mug.keys)
    assert first.translation == (1.2, 0.4, 0.75), "a key takes what it leaves out from the placement above it"
    assert first.rotation == pytest.approx((HALF, 0, 0, HALF))
    assert last.translation == (2.0, 0.0, 0.0)
    assert last.rotation == pytest.approx((0, 0, 0, 1))
    assert back == first, "and not from the key before it"
    assert mug.looks == (LookChange(1001.0, "plain"), LookChange(1060.0, "steaming"))

    assert (second.name, second.frames) == ("second-mug", FrameRange(1010, 1100))
    assert [(key.frame, key.place.scale) for key in second.keys] == [(1001.0, 2.0)]
    assert second.looks == (LookChange(1001.0, "steaming"),)


def test_fixed_axes_turn_about_x_first() -> None:
    rotation = matrix_from_quaternion(about_fixed_axes((90, 0, 90)))
    # +y goes to +z by the quarter turn about x, and the quarter turn about z leaves it there
    assert rotation @ (0, 1, 0) == pytest.approx((0, 0, 1))
    assert rotation @ (1, 0, 0) == pytest.approx((0, 1, 0))


def test_a_look_change_on_the_first_frame_replaces_the_first_look(film_file: Path) -> None:
    film_file.write_text(film_file.read_text().replace("frame = 1060", "frame = 1001"))
    assert load(film_file).scenes["morning"].cast[0].looks == (LookChange(1001.0, "steaming"),)


def test_a_film_file_may_start_with_a_byte_order_mark_and_have_windows_line_ends(film_file: Path) -> None:
    expected = load(film_file)
    film_file.write_bytes(b"\xef\xbb\xbf" + film_file.read_bytes().replace(b"\n", b"\r\n"))
    assert load(film_file) == expected


def test_paths_start_at_the_film_file_wherever_splatfilm_runs(film_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(film_file.parent.parent)
    film = load("kitchen/film.toml")
    assert film.path == Path("kitchen/film.toml")
    assert film.shots[0].camera == film_file.parent / "wide.json"
    assert film.shots[0].camera.is_absolute()


@pytest.mark.parametrize(
    ("written", "rate"),
    [("24", 24), ('"25"', 25), ('"30000/1001"', Fraction(30000, 1001)), ('"48/2"', 24), ("1000", 1000)],
)
def test_rates_are_whole_numbers_or_fractions(film_file: Path, written: str, rate: Fraction) -> None:
    film_file.write_text(film_file.read_text().replace('"24000/1001"', written))
    assert load(film_file).rate == rate


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("23.976", '"24000/1001"'),
        ("23.98", '"24000/1001"'),
        ('"29.97"', '"30000/1001"'),
        ("59.94", '"60000/1001"'),
        ("47.952", '"48000/1001"'),
        ("24.0", '"24"'),
        ("25.0", '"25"'),
        ("12.5", '"25/2"'),
    ],
)
def test_a_decimal_rate_is_refused_with_the_fraction_it_means(film_file: Path, written: str, advice: str) -> None:
    film_file.write_text(film_file.read_text().replace('"24000/1001"', written))
    with pytest.raises(InputError) as refusal:
        load(film_file)
    (problem,) = refusal.value.problems
    assert (problem.line, problem.place) == (4, "film.rate")
    assert problem.message.endswith(f"a decimal that only comes near a frame rate; write {advice}")


@pytest.mark.parametrize(
    "written", ['"24/0"', '"0"', "0", "-24", '"1001"', '"24fps"', "nan", "inf", "true", '""', "[24]"]
)
def test_what_is_no_rate_is_refused(film_file: Path, written: str) -> None:
    film_file.write_text(film_file.read_text().replace('"24000/1001"', written))
    with pytest.raises(InputError, match=r"film\.toml:4: film\.rate: found .*, expected a whole number such as 24"):
        load(film_file)


@pytest.mark.parametrize(
    ("size", "aspect", "good"),
    [
        ("[1920, 1080]", '"16:9"', True),
        ("[1920, 1080]", "1.7778", True),
        ("[1998, 1080]", '"1.85"', True),
        ("[2048, 858]", '"2.39:1"', True),
        ("[1920, 800]", '"2.39:1"', False),
        ("[1080, 1920]", '"9:16"', True),
        ("[1080, 1920]", '"16:9"', False),
        ("[1440, 1080]", '"4/3"', True),
    ],
)
def test_an_aspect_agrees_with_the_size_to_the_next_even_pixel(
    film_file: Path, size: str, aspect: str, good: bool
) -> None:
    text = film_file.read_text().replace("[1920, 804]", size).replace('"2.39:1"', aspect)
    film_file.write_text(text)
    if good:
        load(film_file)
    else:
        with pytest.raises(InputError, match=r"film\.toml:6: film\.aspect: found .*, but size is"):
            load(film_file)


def test_a_placement_without_words_is_the_identity(film_file: Path) -> None:
    text = film_file.read_text().replace("rotation = [0, 0, 90]\nscale = 2\n", "")
    film_file.write_text(text)
    assert load(film_file).scenes["morning"].cast[1].keys[0].place == Similarity()


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (lambda data: data.replace(b"size = ", b"size == "), 5, "not valid TOML: Invalid value (column 7)"),
        (lambda data: data + b'title = "open', 58, "not valid TOML: Unterminated string, at the end of the file"),
        (lambda data: data.replace(b"rate", b"name"), 4, "not valid TOML: Cannot overwrite a value (column 20)"),
        (lambda data: data.replace("ü".encode(), b"\xfc"), 3, "not UTF-8 text: byte 0xfc"),
        (lambda data: data + b"x = " + b"[" * 5000, 0, "not valid TOML: nested too deeply"),
        (lambda data: data + b"#" * (8 << 20), 0, "larger than 8 MiB: this is no film file"),
        (lambda data: b"", 1, "missing, a film needs at least one [assets.NAME]"),
    ],
    ids=["syntax", "unterminated", "twice", "latin-1", "deep", "large", "empty"],
)
def test_what_is_no_toml_is_refused_with_its_line(film_file: Path, change: Change, line: int, message: str) -> None:
    film_file.write_bytes(change(film_file.read_bytes()))
    with pytest.raises(InputError) as refusal:
        load(film_file)
    first = refusal.value.problems[0]
    assert (first.path, first.line, first.message) == (str(film_file), line, message)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "film.toml")
    with pytest.raises(InputError, match="a folder, expected a film file"):
        load(tmp_path)


def test_a_member_keeps_its_own_light_unless_the_film_says_how_it_is_lit(film_file: Path) -> None:
    text = film_file.read_text()
    member = next(line for line in text.splitlines() if line.startswith("[[scenes.") and line.endswith(".cast]]"))
    assert load(film_file).scenes["morning"].cast[0].light is None
    film_file.write_text(text.replace(member, member + '\nlight = "set"', 1))
    assert load(film_file).scenes["morning"].cast[0].light == Light(1.0, 0.0, 4.0)
    film_file.write_text(text.replace(member, member + "\nlight = { exposure = -0.5, strength = 0.25 }", 1))
    assert load(film_file).scenes["morning"].cast[0].light == Light(0.25, -0.5, 4.0)
    film_file.write_text(text.replace(member, member + '\nlight = "sun"', 1))
    with pytest.raises(
        InputError, match=r'light.*found "sun", expected "own", "set" or a table with strength, exposure'
    ):
        load(film_file)
    film_file.write_text(text.replace(member, member + "\nlight = { exposure = 9 }", 1))
    with pytest.raises(InputError, match=r"exposure.*from -6 to 6 stops"):
        load(film_file)


def test_a_limit_on_wide_splats_is_in_degrees(film_file: Path) -> None:
    text = film_file.read_text()
    film_file.write_text(text.replace('preset = "final"', 'preset = "final", widest = 8', 1))
    assert load(film_file).assets["flat"].looks["day"].care.widest == 8.0
