"""Whatever happens to a film file, it loads or is refused with an `InputError` that says where."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from splatfilm.base.errors import InputError
from splatfilm.film import load

NASTY = (
    "nan",
    "inf",
    "-0.0",
    "true",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    '""',
    '"\\u0000"',
    '"../' + "x" * 5000 + '"',
    "1" * 400,
    "0x" + "f" * 5000,
    "1" * 5000,
    "1e308",
    "-1",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "[1001, nan]",
    "[true, 9999]",
    "{ asset = [], look = {} }",
    "{ frame = inf }",
    "[{ frame = {} }, 1, [1]]",
    '"\\U0001F600"',
    '"."',
    '"/"',
)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def judge(film_file: Path, text: str) -> None:
    """Load `text` as the film file and hold whatever comes to what callers count on."""
    film_file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        film = load(film_file)
    except InputError as refusal:
        assert refusal.problems
        for problem in refusal.problems:
            assert problem.path == str(film_file)
            assert 0 <= problem.line <= text.count("\n") + 1
            assert problem.message
        return
    for shot in film.shots:
        scene = film.scenes[shot.scene]
        assert scene.frames.first <= shot.frames.first <= shot.frames.last <= scene.frames.last
        assert shot.passes[0] == "beauty"
    for scene in film.scenes.values():
        assert film.assets[scene.set].kind == "set"
        assert scene.set_look in film.assets[scene.set].looks
        for member in scene.cast:
            assert member.keys and member.looks[0].frame == scene.frames.first
            assert all(change.look in film.assets[member.asset].looks for change in member.looks)
            frames = [key.frame for key in member.keys]
            assert frames == sorted(set(frames))


@FUZZ
@given(st.data())
def test_any_value_in_the_place_of_any_other_only_ever_raises_input_errors(
    film_file: Path, data: st.DataObject
) -> None:
    text = film_file.read_text(encoding="utf-8")
    spots = [match.span(1) for match in re.finditer(r'= ("[^"]*"|\[[^\[\]]*\]|[\d.]+|\{[^{}]*\})', text)]
    start, end = data.draw(st.sampled_from(spots))
    judge_and_restore(film_file, text, text[:start] + data.draw(st.sampled_from(NASTY)) + text[end:])


@FUZZ
@given(st.data())
def test_lines_dropped_doubled_and_moved_only_ever_raise_input_errors(film_file: Path, data: st.DataObject) -> None:
    text = film_file.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        one = data.draw(st.integers(0, len(lines) - 1))
        deed = data.draw(st.sampled_from(["drop", "double", "move"]))
        line = lines[one] if deed == "double" else lines.pop(one)
        if deed != "drop":
            lines.insert(data.draw(st.integers(0, len(lines))), line)
    judge_and_restore(film_file, text, "".join(lines))


@FUZZ
@given(st.data())
def test_characters_changed_only_ever_raise_input_errors(film_file: Path, data: st.DataObject) -> None:
    text = film_file.read_text(encoding="utf-8")
    changed = text
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed)))
        piece = data.draw(st.text(st.sampled_from("[]{}\"'=.,#\n\\ aé0-\x00\ud800"), max_size=3))
        changed = changed[:at] + piece + changed[at + data.draw(st.integers(0, 3)) :]
    judge_and_restore(film_file, text, changed)


def judge_and_restore(film_file: Path, text: str, changed: str) -> None:
    try:
        judge(film_file, changed)
    finally:
        film_file.write_text(text, encoding="utf-8")
