"""Messages to an open film: what is done, what is refused, and that every window sees one state."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio_film import build_tiny, with_people

from splatfilm.layout import Document
from splatfilm.studio.lookthrough import Look, LookThrough, Seen
from splatfilm.studio.queue import RenderQueue
from splatfilm.studio.session import Room, Session


class Window:
    """What a browser window would get."""

    def __init__(self, session: Session) -> None:
        self.session, self.got = session, []
        self.pictures: list[bytes] = []
        session.join(self, self.take)

    def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.pictures.append(message)
        else:
            self.got.append(json.loads(message))

    def ask(self, **message: Any) -> dict[str, Any]:
        self.session.receive(self, json.dumps({"id": 1, **message}))
        return next(m for m in reversed(self.got) if m["type"] == "reply")

    @property
    def state(self) -> dict[str, Any]:
        return next(m for m in reversed(self.got) if m["type"] == "state")


class Wishes:
    """A look-through that notes what is wanted."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def want(self, look: Look, slot: str = "look") -> None:
        self.looks.append(look)

    def forget(self, window: object) -> None:
        self.looks = [look for look in self.looks if look.window is not window]


def made(tmp_path: Path, film: Path) -> Session:
    """A session whose look-through only notes, and whose other threads answer at once."""
    room = Room(Wishes(), RenderQueue(tmp_path / "out", "cpu", lambda: None), lambda do: do(), tmp_path / "out")  # type: ignore[arg-type]
    return Session(Document.open(film), room)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return made(tmp_path, build_tiny(tmp_path / "film").path)


def test_two_windows_see_one_state_and_either_can_undo(session: Session) -> None:
    one, two = Window(session), Window(session)
    assert one.ask(do="edit", command="set-lens", values={"shot": "010", "changes": {"focal_mm": 50}})["ok"]
    assert two.state == one.state
    assert two.state["shots"][0]["lens"]["focal_mm"] == 50
    assert two.state["dirty"] and two.state["undo"] == "Set lens"
    assert two.ask(do="undo")["ok"]
    assert one.state["shots"][0]["lens"]["focal_mm"] == 24
    assert not one.state["dirty"]


@pytest.mark.parametrize(
    "message",
    [
        "garbage{",
        b"bytes",
        "[1, 2]",
        '{"do": "format-disk"}',
        '{"do": "undo", "path": "/etc/passwd"}',
        '{"do": "edit", "command": "set-lens", "values": {"shot": "010", "changes": {"focal_mm": NaN}}}',
        '{"do": "edit", "command": "set-lens", "values": {"shot": "010", "changes": {"focal_mm": "wide"}}}',
        '{"do": "edit", "command": "rename-shot", "values": {"shot": "010", "name": "../../x"}}',
        '{"do": "edit", "command": "add-shot", "values": {"name": "../x", "scene": "kitchen", "first": 1, "last": 2}}',
        '{"do": "edit", "command": "duplicate-shot", "values": {"shot": "010", "name": "/tmp/x"}}',
        '{"do": "edit", "command": "set-optics", "values": {"shot": "010", "shutter_angle": 999}}',
        '{"do": "set-ups", "shot": "010", "a": "mug", "b": "nobody"}',
        '{"do": "edit", "command": "__class__", "values": {}}',
        '{"do": "edit", "command": ["set-lens"], "values": {}}',
        '{"do": "save", "over": "yes"}',
        '{"do": "look", "shot": "010", "frame": 999999}',
        '{"do": "look", "shot": "010", "frame": 1001, "width": 100000}',
        '{"do": "look", "shot": "010", "frame": 1001, "slot": "../x"}',
        '{"do": "cover", "shot": "010", "a": "mug", "b": "nobody", "side": "left", "setup": "master"}',
        '{"do": "start-rig", "shot": "010", "kind": "teleport"}',
        "[" * 100000,
    ],
)
def test_a_message_that_is_not_right_is_refused_and_changes_nothing(session: Session, message: str | bytes) -> None:
    window = Window(session)
    before, state = session.document.state, window.state
    session.receive(window, message)
    answer = window.got[-1]
    assert answer["type"] == "reply" and not answer["ok"] and answer["error"]
    assert session.document.state is before
    assert window.state == state


def test_a_conflict_with_the_disk_is_told_by_file_and_nothing_is_written(session: Session) -> None:
    window = Window(session)
    window.ask(do="edit", command="set-lens", values={"shot": "010", "changes": {"focal_mm": 50}})
    file = session.document.state.shot("010").camera
    theirs = file.read_text().replace("24.0", "99.0")
    file.write_text(theirs)
    answer = window.ask(do="save")
    assert (answer["ok"], answer["conflict"]) == (False, ["move.json"])
    session.watch()
    assert window.state["conflict"] == ["move.json"]
    assert file.read_text() == theirs
    assert window.ask(do="save", over=True)["ok"]
    assert window.state["conflict"] == [] and "50" in file.read_text()


def test_a_change_on_disk_reaches_every_window(session: Session) -> None:
    window = Window(session)
    path = session.document.state.path
    path.write_text(path.read_text().replace('title = "Tiny film"', 'title = "Another"'))
    session.watch()
    assert window.state["title"] == "Another"


def test_remarks_come_when_hands_rest(session: Session) -> None:
    window = Window(session)
    rig = {
        "mount": {"kind": "still", "position": [0, -4, 1]},
        "aim": {"kind": "heading", "heading": [0, 90]},
        "focal_mm": [35, 35],
    }
    assert window.ask(do="edit", command="set-rig", values={"shot": "010", "rig": rig})["ok"]
    session.remark()
    assert window.got[-1]["type"] != "notes"  # somebody may still be dragging
    session.remark()
    assert window.got[-1]["type"] == "notes"
    assert [note["rule"] for note in window.got[-1]["notes"] if note["shot"] == "010"] == ["pan"]


def test_a_set_up_of_the_coverage_is_put_on_the_shot(tmp_path: Path) -> None:
    session = made(tmp_path, with_people(build_tiny(tmp_path / "film")).path)
    window = Window(session)
    pair = {"shot": "010", "a": "ann", "b": "bob"}
    known = window.ask(do="set-ups", **pair)["setups"]
    assert known[:4] == ["master", "two-shot", "ots-ann", "ots-bob"]
    for setup in known:
        assert window.ask(do="cover", **pair, side="left", setup=setup)["ok"], setup
        assert window.state["shots"][0]["rig"]["mount"]["kind"] == "still"
    assert window.state["scenes"]["kitchen"]["people"] == ["ann", "bob"]


def test_a_thing_is_an_insert_and_nobody_is_seen_past_it(tmp_path: Path) -> None:
    window = Window(made(tmp_path, with_people(build_tiny(tmp_path / "film")).path))
    known = window.ask(do="set-ups", shot="010", a="ann", b="mug")["setups"]
    assert known[:2] == ["insert-mug", "ots-mug"]
    assert not {"master", "two-shot", "ots-ann", "single-mug-cu"} & set(known)
    refused = window.ask(do="cover", shot="010", a="ann", b="mug", side="left", setup="two-shot")
    assert not refused["ok"] and "insert-mug" in refused["error"]


def test_every_rig_can_be_started_and_begins_with_the_picture_that_was_there(session: Session) -> None:
    window = Window(session)
    before = session.document.bake("010").poses[0]
    kinds = next(m for m in window.got if m["type"] == "tables")["rigs"]
    assert len(kinds) == 8
    for kind in kinds:
        assert window.ask(do="start-rig", shot="010", kind=kind)["ok"], kind
        if kind != "handheld":
            assert session.document.bake("010").poses[0] == pytest.approx(before, abs=1e-9), kind
        session.document.undo()


def test_the_numbers_of_the_hud_are_those_of_the_camera(session: Session) -> None:
    window = Window(session)
    hud = window.state["shots"][0]["hud"]
    assert hud[0][:3] == [0, -4, 1]
    assert hud[0][3] == 90  # it looks along +Y
    assert hud[0][4] == pytest.approx(-np.degrees(np.arctan2(1, 4)), abs=1e-3)
    assert hud[0][7] == 24
    assert hud[0][8] is None


def test_the_full_picture_has_the_pixels_that_the_shots_write(session: Session, tmp_path: Path) -> None:
    from PIL import Image

    from splatfilm.render import render
    from splatfilm.shots.pictures import quantise
    from splatfilm.stage.stage import Stage

    done: list[Seen] = []
    ready = threading.Event()
    looker = LookThrough(tmp_path / "out", "cpu", lambda seen: (done.append(seen), ready.set())[0])
    try:
        film = session.document.state.film
        assert film is not None
        camera = session.document.state.seen("010").at(1008, *film.size)
        looker.want(Look("w", film, "kitchen", 1008, session.document.state.seen("010"), film.size, True))
        assert ready.wait(60)
    finally:
        looker.close()
    assert not done[0].problem
    (tmp_path / "seen.png").write_bytes(done[0].picture)
    sources = {(a, k): look.splats for a, asset in film.assets.items() for k, look in asset.looks.items()}
    expected = quantise("beauty", render(Stage(film, "kitchen", sources).at(1008).splats, camera, backend="cpu"))  # type: ignore[arg-type]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "seen.png")), expected)


def test_a_renderer_that_fails_says_why_and_goes_on(session: Session, tmp_path: Path) -> None:
    done: list[Seen] = []
    ready = threading.Semaphore(0)
    looker = LookThrough(tmp_path / "out", "no-such-backend", lambda seen: (done.append(seen), ready.release())[0])
    try:
        film = session.document.state.film
        assert film is not None
        path = session.document.state.seen("010")
        for frame in (1001, 1002):
            looker.want(Look("w", film, "kitchen", frame, path, (32, 18)))
            assert ready.acquire(timeout=60)
    finally:
        looker.close()
    assert all("backend" in seen.problem for seen in done) and len(done) == 2


def test_a_camera_that_a_hand_moves_is_told_frame_by_frame_and_as_a_whole_when_it_rests(tmp_path: Path) -> None:
    film = build_tiny(tmp_path / "film").path
    waiting: list[Any] = []
    room = Room(
        Wishes(),  # type: ignore[arg-type]
        RenderQueue(tmp_path / "out", "cpu", lambda: None),
        lambda do: do(),
        tmp_path / "out",
        later=lambda seconds, do: waiting.append(do),
    )
    window = Window(session := Session(Document.open(film), room))
    before = len([m for m in window.got if m["type"] == "state"])
    for frame in (1012, 1006, 1006):
        nudge = {"shot": "010", "frame": frame, "pan": 2.0}
        assert window.ask(do="edit", command="nudge", values=nudge, group="g")["ok"]
    told = [m for m in window.got if m["type"] == "moving"]
    assert [m["frame"] for m in told] == [1012, 1006, 1006] and len(waiting) == 3
    assert len([m for m in window.got if m["type"] == "state"]) == before
    for do in waiting:
        do()
    assert len([m for m in window.got if m["type"] == "state"]) == before + 1  # only after the last of them
    assert window.state["revision"] == told[-1]["revision"] == session.document.revision
    assert window.state["shots"][0]["hud"][5] == told[-1]["row"]
    assert told[-1]["undo"] == window.state["undo"] == "Move camera"
    window.ask(do="edit", command="nudge", values={"shot": "010", "frame": 1006, "pan": 1.0})
    assert window.got[-2]["type"] == "state"  # one press of a key is no gesture
