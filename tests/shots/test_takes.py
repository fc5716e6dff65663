"""Takes: what is rendered again and what is not, what a kill leaves, what a second process does."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny_film import FakeRenderer, TinyFilm, picture, write_splats

from splatfilm.base.errors import InputError
from splatfilm.base.progress import Silent
from splatfilm.film import load
from splatfilm.shots.pictures import encode_png, read_picture
from splatfilm.shots.report import verify_shots
from splatfilm.shots.schedule import RenderOptions, ShotResult, plan_film, render_planned, render_shots


class Listener(Silent):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def go(tiny: TinyFilm, renderer: FakeRenderer, said: Listener | None = None, **options) -> list[ShotResult]:  # type: ignore[no-untyped-def]
    """Render the film as it is on disk now."""
    renderer.drawn.clear()
    return render_shots(load(tiny.path), RenderOptions(out=tiny.out, **options), said or Listener(), renderer)


def state_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file under a folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pixels_of(results: list[ShotResult]) -> dict[str, dict[int, str]]:
    return {r.shot: {f: record.pictures["beauty"].sha256 for f, record in r.take.frames.items()} for r in results}


def test_a_first_run_renders_every_frame_and_a_second_none(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    first = go(tiny, renderer)
    assert [(r.shot, r.take.name, r.take.finished) for r in first] == [("010", "v001", True), ("020", "v001", True)]
    assert len(tiny.frames("010")) == len(tiny.frames("010", pass_name="depth")) == 12
    assert tiny.frames("020")[0].name == "tiny_020_beauty_v001.1016.png"
    assert not tiny.frames("020", pass_name="depth")
    before = state_of(tiny.out)
    second = go(tiny, renderer)
    assert renderer.drawn == []
    assert pixels_of(second) == pixels_of(first)
    after = state_of(tiny.out)
    assert set(after) == set(before)
    assert [name for name in after if after[name] != before[name] and not name.endswith(".lock")] == []


def test_moments_that_look_alike_are_drawn_once(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    """Shot 010 holds from 1001 to 1006; in 020 the camera stands still and the mug moves from 1020 on."""
    go(tiny, renderer)
    assert renderer.drawn == [1001, *range(1007, 1013), 1016, *range(1021, 1026)]
    inodes = {path.stat().st_ino for path in tiny.frames("010")[:6]}
    assert len(inodes) == 1


def test_the_manifest_tells_what_went_in_and_what_came_out(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    manifest = json.loads((tiny.take("020") / "manifest.json").read_text())
    assert manifest["film"] == "tiny" and manifest["shot"] == "020" and manifest["take"] == 1
    assert manifest["range"] == [1016, 1025] and manifest["rate"] == "24000/1001" and manifest["size"] == [96, 54]
    assert manifest["timecode"] == "01:00:00:12", "shot 010 has 12 frames"
    assert set(manifest["inputs"]["assets"]) == {"room/day", "mug/plain"}
    assert manifest["inputs"]["camera"]["file"] == "still.json"
    assert manifest["inputs"]["renderer"]["name"] in ("cpu", "gsplat")
    assert "python" in manifest["made_with"]
    assert [f["frame"] for f in manifest["frames"]] == list(range(1016, 1026))
    frame = manifest["frames"][3]
    pixels, text = read_picture(tiny.take("020") / frame["passes"]["beauty"]["file"])
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == frame["passes"]["beauty"]["sha256"]
    assert text["splatfilm:frame"] == frame["key"]
    assert not (tiny.take("020") / "journal.jsonl").exists()


def test_a_changed_camera_renders_only_the_frames_that_it_changes(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    before = state_of(tiny.take("010"))
    tiny.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 2]))
    said = Listener()
    first, second = go(tiny, renderer, said)
    assert renderer.drawn == list(range(1007, 1013))
    assert (first.take.name, first.drawn, first.shared, second.take.name) == ("v002", 6, 6, "v001")
    assert state_of(tiny.take("010")) == before, "the older take is left alone, bytes and times"
    assert len(tiny.frames("010", 2)) == 12
    assert said.lines == ["shot 010: 6 of 12 frames changed since v001: camera file"]


def test_undoing_a_change_renders_nothing(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    first = go(tiny, renderer)
    tiny.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 2]))
    go(tiny, renderer)
    tiny.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 1]))
    third = go(tiny, renderer)
    assert renderer.drawn == []
    assert third[0].take.name == "v003" and third[0].shared == 12
    assert pixels_of(third) == pixels_of(first)


def test_two_shots_of_one_moment_share_their_frames(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    more = '[[shots]]\nname = "030"\nscene = "kitchen"\ncamera = "still.json"\nframes = [1020, 1024]\n'
    tiny.path.write_text(tiny.path.read_text() + "\n" + more)
    results = go(tiny, renderer)
    assert renderer.drawn == []
    assert pixels_of(results)["030"] == {f: h for f, h in pixels_of(results)["020"].items() if 1020 <= f <= 1024}


def test_names_decide_no_pixels(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    first = go(tiny, renderer)
    keys = {f: r.key for f, r in first[1].take.frames.items()}
    tiny.edit('name = "020"', 'name = "021"')
    tiny.edit("kitchen", "cuisine")
    tiny.edit("assets.mug", "assets.cup")
    tiny.edit('asset = "mug"', 'asset = "cup"')
    tiny.edit('name = "mug"', 'name = "the-cup"')
    again = go(tiny, renderer)
    assert renderer.drawn == []
    assert again[1].shot == "021" and {f: r.key for f, r in again[1].take.frames.items()} == keys


def test_new_splats_render_everything_that_shows_them(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    write_splats(tiny.folder / "mug.ply", 9, 60, 0.2)
    said = Listener()
    results = go(tiny, renderer, said)
    assert [r.take.name for r in results] == ["v002", "v002"]
    assert renderer.drawn == [1001, *range(1007, 1013), 1016, *range(1021, 1026)]
    assert "shot 010: 12 of 12 frames changed since v001: asset mug/plain" in said.lines


def test_a_comment_in_the_film_file_changes_nothing(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    tiny.path.write_text("# a remark\n" + tiny.path.read_text())
    results = go(tiny, renderer)
    assert renderer.drawn == [] and [r.take.name for r in results] == ["v001", "v001"]


def test_a_pass_more_begins_a_new_take_and_a_pass_less_does_not(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    first = go(tiny, renderer)
    tiny.edit('passes = ["beauty", "alpha", "depth"]', 'passes = ["beauty"]')
    assert go(tiny, renderer)[0].take.name == "v001" and not renderer.drawn
    tiny.edit("frames = [1016, 1025]", 'frames = [1016, 1025]\npasses = ["depth"]')
    results = go(tiny, renderer)
    assert results[1].take.name == "v002" and len(renderer.drawn) == 6
    assert pixels_of(results) == pixels_of(first)


def test_a_shot_that_grows_or_shrinks_shares_what_it_keeps(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    tiny.edit("frames = [1016, 1025]", "frames = [1018, 1028]")
    grown = go(tiny, renderer)[1]
    assert (renderer.drawn, grown.take.name, grown.shared) == ([1026, 1027, 1028], "v002", 8)
    tiny.edit("frames = [1018, 1028]", "frames = [1020, 1028]")
    shrunk = go(tiny, renderer)[1]
    assert (renderer.drawn, shrunk.take.name, len(tiny.frames("020", 3))) == ([], "v003", 9)


def test_chosen_frames_fill_a_take_bit_by_bit(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    part = go(tiny, renderer, shots=("010",), frames=(1008, 1010))[0]
    assert renderer.drawn == [1008, 1010] and not part.take.finished
    assert not (tiny.take("010") / "manifest.json").exists()
    more = go(tiny, renderer, shots=("010",), frames=(1008, 1009))[0]
    assert renderer.drawn == [1009] and more.take.name == "v001"
    whole = go(tiny, renderer, shots=("010",))[0]
    assert renderer.drawn == [1001, 1007, 1011, 1012] and whole.take.finished and whole.take.name == "v001"
    assert go(tiny, renderer, frames=(1008,))[0].take.finished and not renderer.drawn


def test_an_unfinished_take_with_other_inputs_is_left_alone(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer, shots=("010",), frames=(1008, 1010))
    before = state_of(tiny.take("010"))
    tiny.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 2]))
    result = go(tiny, renderer, shots=("010",))[0]
    after = {name: state for name, state in state_of(tiny.take("010")).items() if not name.startswith(".")}
    assert result.take.name == "v002" and after == before


def test_a_new_take_on_request_renders_everything_anew(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    first = go(tiny, renderer)
    again = go(tiny, renderer, take="new")
    assert [r.take.name for r in again] == ["v002", "v002"] and all(r.shared == 0 for r in again)
    assert len(renderer.drawn) == 13 and pixels_of(again) == pixels_of(first)


def test_another_size_lies_apart(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    half = go(tiny, renderer, size=(48, 27))
    assert half[0].take.folder == tiny.out / "tiny" / "48x27" / "shots" / "010" / "v001"
    assert not go(tiny, renderer)[0].drawn


@pytest.mark.parametrize("harm", ["cut short", "emptied", "painted over", "deleted", "swapped"])
def test_a_frame_that_is_no_longer_what_was_rendered_is_noticed(
    tiny: TinyFilm, renderer: FakeRenderer, harm: str
) -> None:
    first = go(tiny, renderer)
    victim, other = tiny.frames("010")[8], tiny.frames("010")[9]
    data = victim.read_bytes()
    victim.unlink()
    if harm == "cut short":
        victim.write_bytes(data[:200])
    elif harm == "emptied":
        victim.write_bytes(b"")
    elif harm == "painted over":
        victim.write_bytes(encode_png(np.zeros((54, 96, 3), np.uint8), {}))
    elif harm == "swapped":
        shutil.copyfile(other, victim)
    left = state_of(tiny.take("010"))
    said = Listener()
    again = go(tiny, renderer, said)
    assert renderer.drawn == [1009] and again[0].take.name == "v002" and again[0].shared == 11
    assert pixels_of(again) == pixels_of(first)
    assert all(
        left[name] == found for name, found in state_of(tiny.take("010")).items() if name in left and name[0] != "."
    )
    assert "1009" in said.lines[0] and victim.name in said.lines[0]


def test_a_frame_changed_behind_the_clock_is_found_by_verify(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    victim = tiny.frames("010")[8]
    stat, data = victim.stat(), bytearray(victim.read_bytes())
    data[-30] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(data)
    os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not go(tiny, renderer)[0].drawn, "size and time are believed in everyday work"
    verified = verify_shots(load(tiny.path), RenderOptions(out=tiny.out))
    assert [len(v.problems) for v in verified] == [1, 0] and victim.name in str(verified[0].problems[0])


def test_verify_says_when_the_renderer_is_another(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    manifest = tiny.take("010") / "manifest.json"
    value = json.loads(manifest.read_text())
    value["inputs"]["renderer"]["version"] = "0.9"
    manifest.write_text(json.dumps(value))
    first, second = verify_shots(load(tiny.path), RenderOptions(out=tiny.out))
    assert "version 0.9 there" in first.remarks[0] and not first.problems and not second.remarks


def test_a_take_that_was_copied_is_believed_after_one_look(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    for path in tiny.take("010").glob("*.png"):
        os.utime(path)
    assert go(tiny, renderer)[0].drawn == 0
    (tiny.take("010") / ".seen.json").unlink()
    assert go(tiny, renderer)[0].drawn == 0
    assert (tiny.take("010") / ".seen.json").exists()


def test_finished_frames_are_read_only(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    assert all(path.stat().st_mode & 0o222 == 0 for path in tiny.frames("010"))


def test_an_error_while_rendering_keeps_what_was_done(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    def fail(frame: int) -> None:
        if frame == 1010:
            raise KeyboardInterrupt

    renderer.before = fail
    with pytest.raises(KeyboardInterrupt):
        go(tiny, renderer)
    assert [p.name[-8:-4] for p in tiny.frames("010")] == [str(f) for f in range(1001, 1010)]
    renderer.before = lambda frame: None
    said = Listener()
    results = go(tiny, renderer, said)
    assert renderer.drawn[:3] == [1010, 1011, 1012] and results[0].take.name == "v001" and results[0].kept == 9
    assert "shot 010: v001 is continued: 9 of 12 frames are already there" in said.lines


def test_a_take_without_its_journal_is_continued_from_what_its_frames_say(
    tiny: TinyFilm, renderer: FakeRenderer
) -> None:
    go(tiny, renderer, shots=("010",), frames=(1007, 1008, 1009))
    (tiny.take("010") / "journal.jsonl").unlink()
    tiny.frames("010")[1].unlink()
    (tiny.take("010") / ".writing-abc.png").write_bytes(b"half")
    result = go(tiny, renderer, shots=("010",))[0]
    assert renderer.drawn == [1001, 1008, 1010, 1011, 1012] and result.take.name == "v001"
    assert not list(tiny.take("010").glob(".writing-*"))


def test_a_journal_that_a_kill_cut_short_is_read_as_far_as_it_goes(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer, shots=("010",), frames=(1007, 1008, 1009))
    journal = tiny.take("010") / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    result = go(tiny, renderer, shots=("010",))[0]
    assert result.kept == 3, "the frame whose line is cut short still describes itself"
    assert result.take.finished
    again = go(tiny, renderer, shots=("010",))[0]
    assert again.drawn == 0


def test_a_damaged_frame_of_an_unfinished_take_is_made_anew(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer, shots=("010",), frames=(1007, 1008, 1009))
    victim = tiny.frames("010")[1]
    data = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(data[:-100])
    go(tiny, renderer, shots=("010",))
    assert 1008 in renderer.drawn and 1007 not in renderer.drawn
    assert victim.read_bytes() == data


def test_a_disk_without_hard_links_gets_copies(
    tiny: TinyFilm, renderer: FakeRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = go(tiny, renderer)
    monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError(1, "not permitted")))
    tiny.camera("move.json", (1001, [0, -4, 1]), (1006, [0, -4, 1]), (1012, [1, -4, 2]))
    again = go(tiny, renderer)[0]
    assert again.shared == 6 and pixels_of([again])["010"][1003] == pixels_of(first)["010"][1003]
    copies = [*tiny.frames("010", 2)[:6], *tiny.frames("010", 2, "depth")[:6]]
    assert all(path.stat().st_nlink == 1 and path.stat().st_mode & 0o222 == 0 for path in copies)


def test_what_a_kill_left_beside_a_finished_take_is_swept(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    left = [tiny.take("010") / ".writing-x.json", tiny.take("010") / "journal.jsonl"]
    for path in left:
        path.write_text("left")
    assert not go(tiny, renderer)[0].drawn
    assert not any(path.exists() for path in left)


def test_splats_that_change_under_the_renderer_are_noticed(tiny: TinyFilm) -> None:
    """The new file is valid and may even look alike: frames drawn from it must not pass for the planned ones."""
    pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")
    options = RenderOptions(out=tiny.out, shots=("010",))
    planned = plan_film(load(tiny.path), options)
    write_splats(tiny.folder / "mug.ply", 9, 60, 0.2)
    os.utime(tiny.folder / "mug.ply")
    with pytest.raises(InputError, match=r"mug\.ply: the file was changed while it was being rendered"):
        render_planned(planned, options)
    assert not tiny.frames("010")


def test_every_input_problem_is_told_at_once_before_anything_is_rendered(
    tiny: TinyFilm, renderer: FakeRenderer
) -> None:
    tiny.camera("move.json", (1001, [0, -4, 1]), (1008, [1, -4, 1]))
    (tiny.folder / "still.json").write_text("{ not json")
    with pytest.raises(InputError) as refused:
        go(tiny, renderer)
    text = str(refused.value)
    assert (
        "shot 010: the camera's move ends before the shot does" in text
        and "1001 to 1008" in text
        and "still.json" in text
    )
    assert not renderer.drawn and not tiny.out.exists()


def test_a_shot_or_frame_that_is_not_there_is_refused_with_what_there_is(
    tiny: TinyFilm, renderer: FakeRenderer
) -> None:
    with pytest.raises(InputError, match="no shot 099; the film has 010, 020"):
        go(tiny, renderer, shots=("099",))
    with pytest.raises(InputError, match="1500: in none of the chosen shots"):
        go(tiny, renderer, frames=(1010, 1500))


def test_a_damaged_manifest_is_refused_by_name(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    manifest = tiny.take("020") / "manifest.json"
    for text in ("{", '{"format": "other"}', '{"format": "splatfilm-take", "version": 9}', "[]", '"x"'):
        manifest.write_text(text)
        with pytest.raises(InputError, match=r"020/v001/manifest\.json"):
            go(tiny, renderer)


def test_a_manifest_cannot_point_outside_its_take(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    go(tiny, renderer)
    manifest = tiny.take("020") / "manifest.json"
    value = json.loads(manifest.read_text())
    value["frames"][0]["passes"]["beauty"]["file"] = "../../010/v001/tiny_010_beauty_v001.1001.png"
    manifest.write_text(json.dumps(value))
    with pytest.raises(InputError, match="not a file in the take's folder"):
        go(tiny, renderer)


def test_two_at_once_render_a_shot_only_once(tiny: TinyFilm, renderer: FakeRenderer) -> None:
    film, said, results = load(tiny.path), Listener(), []
    begun, go_on = threading.Event(), threading.Event()

    def wait(frame: int) -> None:
        begun.set()
        assert go_on.wait(20)

    renderer.before = wait
    other = FakeRenderer()
    options = RenderOptions(out=tiny.out)
    one = threading.Thread(target=lambda: results.append(render_shots(film, options, Listener(), renderer)))
    two = threading.Thread(target=lambda: results.append(render_shots(film, options, said, other)))
    one.start()
    assert begun.wait(20)
    two.start()
    while not said.lines:
        two.join(0.05)
    go_on.set()
    one.join(20)
    two.join(20)
    assert f"waiting: process {os.getpid()} on" in said.lines[0] and "is working on shot 010" in said.lines[0]
    assert len(results) == 2 and pixels_of(results[0]) == pixels_of(results[1])
    assert not set(renderer.drawn) & set(other.drawn), "no frame was drawn twice"


def test_depth_beyond_what_millimetres_hold_is_said(tiny: TinyFilm) -> None:
    def far(scene: str, frame: int, camera):  # type: ignore[no-untyped-def]
        return picture(np.zeros((54, 96, 3)), depth=np.full((54, 96), 100.0 if frame > 1009 else 1.0))

    said = Listener()
    render_shots(load(tiny.path), RenderOptions(out=tiny.out, shots=("010",)), said, far)
    assert "shot 010: depth beyond 65.535 m is written as 65.535 m in frames 1010-1012" in said.lines
