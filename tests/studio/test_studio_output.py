"""What leaves the studio: renders, stills, storyboard, shot list, camera files, takes; and focus by clicking."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from studio_film import TinyFilm, build_tiny
from test_studio_session import Window

from splatfilm.layout import Document
from splatfilm.studio.lookthrough import LookThrough
from splatfilm.studio.queue import RenderQueue
from splatfilm.studio.session import Room, Session


class Running:
    """A session with its real threads; `until` does in the test's thread what they leave to the session's."""

    def __init__(self, film: TinyFilm) -> None:
        self.todo: queue.Queue[Any] = queue.Queue()
        self.looker = LookThrough(film.out, "cpu", lambda seen: self.todo.put(lambda: self.session.seen(seen)))
        self.queue = RenderQueue(film.out, "cpu", lambda: self.todo.put(lambda: self.session.worked()))
        room = Room(self.looker, self.queue, self.todo.put, film.out)
        self.session = Session(Document.open(film.path), room)
        self.window = Window(self.session)

    def until(self, there: Any, seconds: float = 90) -> Any:
        end = time.monotonic() + seconds
        while not (found := there()):
            assert time.monotonic() < end, self.window.got[-3:]
            try:
                self.todo.get(timeout=0.5)()
            except queue.Empty:
                continue
        return found

    def answer(self, number: int, **message: Any) -> dict[str, Any]:
        """The answer to a message that is answered later."""
        self.session.receive(self.window, json.dumps({"id": number, **message}))
        return self.until(
            lambda: next((m for m in self.window.got if m["type"] == "reply" and m.get("id") == number), None)
        )

    def work(self) -> dict[str, Any]:
        works = next(m for m in reversed(self.window.got) if m["type"] == "works")["works"]
        return works[-1] if works else {"state": "", "done": 0, "note": ""}


@pytest.fixture
def tiny(tmp_path: Path) -> TinyFilm:
    return build_tiny(tmp_path / "film")


@pytest.fixture
def running(tiny: TinyFilm) -> Iterator[Running]:
    made = Running(tiny)
    yield made
    made.queue.close()
    made.looker.close()


def test_a_shot_is_rendered_by_the_command_lines_queue_and_its_take_is_there(running: Running, tiny: TinyFilm) -> None:
    window = running.window
    assert window.ask(do="render", shots=["020"])["ok"]
    running.until(lambda: running.work()["state"] in ("done", "failed"))
    assert (running.work()["state"], running.work()["total"]) == ("done", 10)
    assert len(tiny.frames("020")) == 10
    takes = running.answer(7, do="takes")["takes"]
    assert [(t["name"], t["finished"], t["circled"], t["frames"]) for t in takes["020"]] == [("v001", True, False, 10)]
    assert window.ask(do="circle", shot="020", take=1)["ok"]
    assert window.got[-2]["takes"]["020"][0]["circled"]
    assert not window.ask(do="circle", shot="020", take=9)["ok"]
    assert window.ask(do="take-picture", shot="020", take=1, frame=1018)["ok"]
    assert b'"slot":"take-1"' in window.pictures[-1][:200]
    assert window.ask(do="render", shots="circled")["ok"]
    running.until(lambda: "10 kept" in running.work()["note"])


def test_a_render_that_is_cancelled_keeps_its_frames_and_goes_on_later(running: Running, tiny: TinyFilm) -> None:
    tiny.edit("frames = [1016, 1025]", "frames = [1016, 1100]")
    running.session.watch()
    running.window.ask(do="render", shots=["020"])
    running.until(lambda: running.work()["done"] >= 2)
    assert running.window.ask(do="cancel")["ok"]
    running.until(lambda: running.work()["state"] == "cancelled")
    running.window.ask(do="render", shots=["020"])
    running.until(lambda: running.work()["state"] == "done")
    assert len(tiny.frames("020")) == 85
    rendered = int(running.work()["note"].split(": ")[1].split(" ")[0])
    assert 0 < rendered < 85


def test_a_render_that_fails_says_why_and_the_next_one_runs(running: Running, tiny: TinyFilm) -> None:
    mug = tiny.folder / "mug.ply"
    whole = mug.read_bytes()
    mug.write_bytes(whole[:200])
    running.window.ask(do="render", shots=["010"])
    running.until(lambda: running.work()["state"] == "failed")
    assert "mug.ply" in running.work()["note"]
    mug.write_bytes(whole)
    running.window.ask(do="render", shots=["010"])
    running.until(lambda: running.work()["state"] == "done")


def test_what_is_not_saved_is_not_rendered(running: Running) -> None:
    running.window.ask(do="edit", command="set-lens", values={"shot": "010", "changes": {"focal_mm": 50}})
    answer = running.window.ask(do="render", shots=["010"])
    assert not answer["ok"] and "save first" in answer["error"]


def test_a_still_has_the_films_size_and_none_is_overwritten(running: Running, tiny: TinyFilm) -> None:
    one = running.answer(11, do="still", shot="010", frame=1003)
    two = running.answer(12, do="still", shot="010", frame=1003)
    assert one["ok"] and two["ok"] and one["file"] != two["file"]
    assert Image.open(one["file"]).size == (96, 54)
    assert Path(one["file"]).read_bytes() == Path(two["file"]).read_bytes()


def test_the_storyboard_has_a_panel_a_shot_and_two_where_the_camera_moves(running: Running, tiny: TinyFilm) -> None:
    answer = running.answer(21, do="storyboard")
    pdf, page = (Path(file) for file in answer["files"])
    assert pdf.read_bytes().startswith(b"%PDF")
    pixels = np.asarray(Image.open(page).convert("RGB"))
    assert pixels.shape == (1240, 1754, 3)
    looks = running.session.desk.board_looks(None)
    assert [(look.header["shot"], look.frame) for look in looks] == [("010", 1001), ("010", 1012), ("020", 1016)]


def test_the_shot_list_is_written_as_a_table(running: Running) -> None:
    file = Path(running.answer(31, do="shot-list")["file"])
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("shot,scene,first frame")
    assert lines[1].startswith("010,kitchen,1001,1012,12,0.50,01:00:00:00,01:00:00:12,24,")
    assert len(lines) == 3


def test_a_camera_goes_out_and_comes_back_in_as_it_was(running: Running) -> None:
    window = running.window
    before = running.session.document.bake("010").poses
    out = window.ask(do="export", shot="010", kind="splatfilm")
    assert out["name"] == "010.json"
    window.ask(do="edit", command="nudge", values={"shot": "010", "frame": 1001, "truck": 1.0})
    assert window.ask(do="import", shot="010", text=out["text"])["ok"]
    assert np.array_equal(running.session.document.bake("010").poses, before)
    tool = window.ask(do="export", shot="010", kind="nerfstudio")
    assert len(json.loads(tool["text"])["camera_path"]) == 12
    assert window.ask(do="import", shot="010", text=tool["text"])["ok"]
    assert running.session.document.bake("010").poses == pytest.approx(before, abs=1e-6)
    refused = window.ask(do="import", shot="010", text='{"format": "splatfilm-camera", "version": 1, "keys": []}')
    assert not refused["ok"] and "at least one key" in refused["error"]


def test_a_click_focuses_on_what_the_renderer_sees_there(running: Running) -> None:
    from splatfilm.render import RenderSettings, render
    from splatfilm.stage.stage import Stage

    answer = running.answer(41, do="focus-at", shot="020", frame=1016, x=0.5, y=0.5)
    film = running.session.document.state.film
    assert film is not None
    sources = {(a, k): look.splats for a, asset in film.assets.items() for k, look in asset.looks.items()}
    camera = running.session.document.state.camera("020").at(1016, 96, 54)
    splats = Stage(film, "kitchen", sources).at(1016).splats  # type: ignore[arg-type]
    depth = render(splats, camera, RenderSettings(depths=True), "cpu").median_depth
    assert depth is not None
    near = depth[23:32, 44:53].numpy()
    assert answer["distance"] == pytest.approx(float(np.median(near[near > 0.05])), abs=2e-3)
    assert running.session.document.state.seen("020").lens.focus_m == answer["distance"]
    outside = running.answer(42, do="focus-at", shot="020", frame=1016, x=1.5, y=0.5)
    assert not outside["ok"]


def test_frames_ahead_are_made_and_told_to_nobody(running: Running) -> None:
    frames = [["010", 1001], ["010", 1009], ["020", 1016]]
    assert running.window.ask(do="ahead", frames=frames, width=48)["ok"]
    running.until(lambda: len(running.looker._kept) == 3)
    assert running.window.pictures == []
    assert not running.window.ask(do="ahead", frames=[["010", 5000]], width=48)["ok"]
    assert not running.window.ask(do="ahead", frames=["010"], width=48)["ok"]


def test_two_people_who_edit_one_key_see_both_edits_and_undo_them_one_by_one(running: Running) -> None:
    one, two = running.window, Window(running.session)
    one.ask(do="edit", command="set-key", values={"shot": "010", "frame": 1006, "focal_mm": 30}, group="a")
    two.ask(do="edit", command="set-key", values={"shot": "010", "frame": 1006, "focal_mm": 40}, group="b")
    one.ask(do="edit", command="set-key", values={"shot": "010", "frame": 1006, "roll": 5}, group="a")
    key = next(k for k in two.state["shots"][0]["keys"] if k["frame"] == 1006)
    assert (key["focal_mm"], key["roll"]) == (40, pytest.approx(5))
    two.ask(do="edit", command="delete-keys", values={"shot": "010", "frames": [1006]})
    gone = one.ask(do="edit", command="move-keys", values={"shot": "010", "frames": [1006], "by": 1})
    assert not gone["ok"] and "no key at frame 1006" in gone["error"]
    for _ in range(4):
        two.ask(do="undo")
    assert one.state["undo"] is None and one.state == two.state
