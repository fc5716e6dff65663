"""The report of a tiny film: what it holds, and the page in a real browser, opened from the disk."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_makers import clip_value, write_clip, write_manifest

from splatfilm.base.errors import InputError
from splatfilm.compare.atlas import lay_out, sheet_frames
from splatfilm.compare.manifest import ClipEntry
from splatfilm.compare.report import Report, ReportOptions, _cut, make_report
from splatfilm.compare.rows import our_takes, take_frames
from splatfilm.compare.scores import Continuity, MethodScores, PairScores, Score
from splatfilm.film import load
from splatfilm.shots.make import make_film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.schedule import RenderOptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shots"))
from tiny_film import TinyFilm, build_tiny

CHROMIUM = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
WAIT = 60_000  # ms
SENTENCE = "Prints beside every number."


@dataclass(frozen=True)
class Made:
    """A film, its report, and its own frames."""

    tiny: TinyFilm
    report: Report

    def frames(self, shot: str) -> Any:
        film = load(self.tiny.path)
        return take_frames(film, shot, our_takes(film, FilmFolders.of(self.tiny.out, film))[shot])

    @property
    def data(self) -> dict[str, Any]:
        text = self.report.page.read_text(encoding="utf-8")
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
        assert found
        value: dict[str, Any] = json.loads(found[1])
        return value


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Ours, a model whose shots are another room in other colours (two takes), and what is wrong with a manifest."""
    tiny = build_tiny(tmp_path_factory.mktemp("report") / "film")
    film = load(tiny.path)
    make_film(film, RenderOptions(out=tiny.out))
    takes = our_takes(film, FilmFolders.of(tiny.out, film))
    clips = []
    for shot in ("010", "020"):
        for take in (1, 2):
            frames = [np.roll(f[:, ::-1], 40 * take, axis=2)[..., ::-1] for f in take_frames(film, shot, takes[shot])]
            clip = write_clip(tiny.folder / f"{shot}_t{take}.mp4", frames, rate=Fraction(24000, 1001))
            clips.append(clip_value(clip, tiny.folder, shot, take, seed=100 * take, seed_kind="service"))
    broken = tiny.folder / "broken.mp4"
    broken.write_bytes(b"nothing")
    clips.append(clip_value(broken, tiny.folder, "010", 3))
    clips.append({**clips[0], "shot": "011"})
    edit = {"kind": "edit", "before": "010", "after": "020", "object": "mug"}
    write_manifest(tiny.folder, *clips, sentence=SENTENCE, pairs=[edit])
    return Made(tiny, make_report(film, ReportOptions(out=tiny.out, export=tiny.folder / "review")))


def test_the_report_has_every_trivial_row_and_every_take(made: Made) -> None:
    data = made.data
    assert [m["id"] for m in data["methods"]] == ["ours", "kling", "ours-bare", "ours-codec", "frozen"]
    lanes = [(lane["method"], lane["take"]) for lane in data["shots"][0]["lanes"]]
    assert lanes == [("ours", 1), ("kling", 1), ("kling", 2), ("ours-bare", 1), ("ours-codec", 1), ("frozen", 1)]
    assert data["shots"][0]["lanes"][2]["facts"]["seed"] == 200
    assert data["shots"][0]["atlas"]["pane"] == [96, 54]


def test_what_is_wrong_is_named_and_the_rest_is_compared(made: Made) -> None:
    told = " | ".join(problem["message"] for problem in made.data["problems"])
    assert "Kling, shot 010, take 3: cannot be read as a video" in told
    assert "there is no shot '011'" in told and len(made.data["problems"]) == 2
    assert made.report.scores["kling"].shots


def test_the_sentence_of_a_method_stands_beside_it(made: Made) -> None:
    (method,) = [m for m in made.data["methods"] if m["id"] == "kling"]
    assert SENTENCE in method["notes"]


def test_an_edit_has_a_matte_of_every_method_and_take_at_the_same_frame(made: Made) -> None:
    mattes = made.data["mattes"]
    shown = [(item["method"], item["take"]) for item in mattes]
    assert shown == [("ours", 1), ("kling", 1), ("kling", 2), ("ours-bare", 1), ("ours-codec", 1), ("frozen", 1)]
    assert len({item["frame"] for item in mattes}) == 1 and all(item["object"] == "mug" for item in mattes)
    assert all(item["src"].startswith("data:image/jpeg;base64,") for item in mattes)


def test_every_clip_is_handed_on_with_a_timeline(made: Made) -> None:
    assert made.report.timeline == made.tiny.folder / "review" / "tiny-compare.otio"
    assert sum(1 for _ in (made.tiny.folder / "review/kling/020/t2").glob("tiny_020.*.png")) == 10


def test_csv_and_json_beside_the_page_hold_the_same_numbers(made: Made) -> None:
    rows = list(csv.DictReader(made.report.csv.open(encoding="utf-8")))
    assert {row["method"] for row in rows} == {m["id"] for m in made.data["methods"]}
    agreement = [r for r in rows if r["method"] == "kling" and r["name"].endswith("PSNR") and r["kind"] == "shot"]
    assert len(agreement) == 4
    stored = json.loads(made.report.json.read_text())["methods"]
    assert {m["method"] for m in stored} == {row["method"] for row in rows}


def test_our_own_row_is_exact_and_the_other_model_is_not_praised(made: Made) -> None:
    ours = {score.name: score.value for shot in made.report.scores["ours"].shots for score in shot.agreement}
    assert ours["OURS_PSNR"] == float("inf")
    theirs = made.data["verdicts"]["kling"]
    assert theirs["camera"]["tone"] != "good" and theirs["room"]["tone"] != "good"


def test_the_page_asks_for_nothing_from_anywhere(made: Made) -> None:
    text = made.report.page.read_text(encoding="utf-8")
    without = text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in without and "https://" not in without
    assert "{{" not in text.split("<script", 1)[0]


def test_a_second_report_draws_and_encodes_nothing_anew(made: Made) -> None:
    folder = made.report.page.parent
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.suffix in (".mp4", ".npy", ".jpg")}
    again = make_report(load(made.tiny.path), ReportOptions(out=made.tiny.out))
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.suffix in (".mp4", ".npy", ".jpg")} == before
    assert again.scores == made.report.scores


def test_a_film_that_is_not_made_says_so(tmp_path: Path) -> None:
    tiny = build_tiny(tmp_path / "film")
    with pytest.raises(InputError, match="shots 010, 020 are not made yet: `splatfilm make"):
        make_report(load(tiny.path), ReportOptions(out=tiny.out))


def test_a_method_that_is_nowhere_is_named(made: Made) -> None:
    with pytest.raises(InputError, match="there is no method klng, only kling"):
        make_report(load(made.tiny.path), ReportOptions(out=made.tiny.out, methods=("klng",)))


def test_the_grid_fits_what_decoders_take() -> None:
    for lanes in (1, 7, 22, 36, 60):
        grid = lay_out(lanes, (1920, 1080))
        assert grid.columns * grid.rows >= lanes
        assert grid.columns * grid.pane[0] <= 4096 and grid.rows * grid.pane[1] <= 2304
    assert lay_out(6, (640, 360)).pane == (640, 360)
    with pytest.raises(ValueError, match="do not fit"):
        lay_out(5000, (640, 360))


def test_a_cut_that_shares_too_little_is_answered_by_the_nearest_shot_that_shares_enough() -> None:
    def pair(a: str, b: str, fsc: float | None) -> PairScores:
        terms = [Score(name, fsc, "") for name in ("FSC", "PHO", "COL", "EPI")]
        why = "" if fsc is not None else "no two of their frames see enough"
        found = Continuity(*terms, Score("P", 1.0, "dB"), Score("C", 1.0, "dE00"), not_comparable=why)
        return PairScores("follow-up", a, b, 1, continuity=found)

    pairs = (pair("010", "020", 0.97), pair("020", "030", None), pair("010", "030", 0.6), pair("030", "040", None))
    scores = MethodScores("kling", "Kling", "I1", pairs=pairs)
    first, second, third = (_cut(scores, *cut) for cut in (("010", "020"), ("020", "030"), ("030", "040")))
    assert first is not None and (first.word, first.value) == ("the same", "keeps 97 %")
    assert second is not None and (second.word, second.tone, second.value) == (
        "it drifts, held against 010",
        "fair",
        "keeps 60 %",
    )
    assert second.detail == "020 and 030 share too little; 010 shows enough of 030"
    assert third is not None and (third.word, third.tone) == ("cannot tell", "none")
    assert _cut(scores, "040", "050") is None


def test_a_contact_sheet_shows_first_quarter_middle_and_last() -> None:
    assert sheet_frames(24) == [0, 6, 12, 17, 23]
    assert sheet_frames(1) == [0, 0, 0, 0, 0]


def test_a_clip_entry_needs_no_more_than_its_place() -> None:
    assert ClipEntry("010", 1, Path("x"), "0", "clips[0]").mask == ()


# ---- in a browser ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it, or name it in SPLATFILM_CHROMIUM")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, made: Made) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 720})
    wrong: list[str] = []
    opened.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda asked: asked.url.startswith("http") and wrong.append(asked.url))
    yield opened
    opened.close()
    assert wrong == []


def show(page: Any, made: Made, where: str) -> None:
    page.goto("about:blank")
    page.goto(made.report.page.as_uri() + where)


def shown(page: Any, what: str) -> None:
    page.wait_for_function(f"document.body.dataset.shown === '{what}'", timeout=WAIT)


def pixels(page: Any) -> np.ndarray:
    """The canvas, read back: [H, W, 3]."""
    width, height, flat = page.evaluate(
        "(() => { const c = document.getElementById('screen');"
        " return [c.width, c.height, Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)]; })()"
    )
    return np.array(flat, np.uint8).reshape(height, width, 4)[..., :3]


def at_source_size(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX)).astype(int)


@pytest.mark.browser
def test_the_first_screen_asks_and_answers_in_words(page: Any, made: Made) -> None:
    show(page, made, "")
    assert page.locator("h2").first.inner_text() == "After the cut, is it still the same room?"
    text = page.locator("#overview").inner_text()
    for word in ("Splatfilm", "Kling", "Same room after the cut?", "Did the camera obey?"):
        assert word in text
    assert page.evaluate("document.body.scrollWidth <= 1280 && document.querySelector('.verdicts').scrollWidth <= 480")


@pytest.mark.browser
@pytest.mark.parametrize("frame", [0, 5, 9])
def test_a_deep_link_shows_the_very_frame(page: Any, made: Made, frame: int) -> None:
    show(page, made, f"#shot=020&a=ours&b=kling&f={1016 + frame}&mode=flick")
    shown(page, f"020:{frame}")
    source = made.frames("020")
    seen = at_source_size(pixels(page), (96, 54))
    errors = [float(np.abs(seen - source[i].astype(int)).mean()) for i in range(len(source))]
    # Takes 0 to 4 of this locked-off shot are one picture: what is seen must be as near as the nearest.
    assert errors[frame] <= min(errors) + 0.5 and errors[frame] < 6


@pytest.mark.browser
def test_a_wipe_shows_one_picture_on_each_side(page: Any, made: Made) -> None:
    show(page, made, "#shot=010&a=ours&b=kling&tb=2&f=1012&mode=wipe")
    shown(page, "010:11")
    seen = at_source_size(pixels(page), (96, 54))
    ours = made.frames("010")[11].astype(int)
    theirs = np.roll(ours[:, ::-1], 80, axis=2)[..., ::-1]
    assert np.abs(seen[:, :44] - ours[:, :44]).mean() < 6
    assert np.abs(seen[:, 52:] - theirs[:, 52:]).mean() < 8


@pytest.mark.browser
def test_the_difference_of_a_picture_with_itself_is_black_at_any_gain(page: Any, made: Made) -> None:
    show(page, made, "#shot=010&a=ours&b=ours&f=1005&mode=diff")
    shown(page, "010:4")
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_timeout(300)
    assert pixels(page).max() == 0
    page.keyboard.press("ArrowDown")
    page.wait_for_function("SF.state.b.method === 'kling'")
    page.wait_for_timeout(300)
    assert pixels(page).mean() > 20


@pytest.mark.browser
def test_keys_step_seek_flick_and_change_shots(page: Any, made: Made) -> None:
    show(page, made, "#shot=010&a=ours&b=kling&f=1001&mode=wipe")
    shown(page, "010:0")
    page.keyboard.press("ArrowRight")
    shown(page, "010:1")
    page.keyboard.press("End")
    shown(page, "010:11")
    page.keyboard.press("2")
    assert page.evaluate("SF.state.mode + SF.state.side") == "flickb"
    page.keyboard.press("]")
    shown(page, "020:0")
    assert "shot=020" in page.evaluate("location.hash")
    plot = page.locator(".plot svg").first.bounding_box()
    page.mouse.click(plot["x"] + plot["width"] - 1, plot["y"] + 30)
    shown(page, "020:9")


@pytest.mark.browser
def test_playing_goes_on_by_itself_and_stops_on_a_whole_frame(page: Any, made: Made) -> None:
    show(page, made, "#shot=010&a=ours&b=kling&f=1001")
    shown(page, "010:0")
    page.keyboard.press("Space")
    page.wait_for_function("SF.state.frame > 2", timeout=WAIT)
    page.keyboard.press("Space")
    page.wait_for_function(
        "!SF.stage.isPlaying && document.body.dataset.shown === `010:${SF.state.frame}`", timeout=WAIT
    )
    stopped = page.evaluate("SF.state.frame")
    assert stopped == int(stopped) and stopped > 2
    page.wait_for_timeout(200)
    assert page.evaluate("SF.state.frame") == stopped


@pytest.mark.browser
def test_blind_mode_hides_names_and_counts_votes(page: Any, made: Made) -> None:
    show(page, made, "#shot=010&a=ours&b=kling&f=1001")
    shown(page, "010:0")
    page.keyboard.press("b")
    for view in ("v", "o", "c", "h", "m"):
        page.keyboard.press(view)
        text = page.locator("main").inner_text()
        assert "Kling" not in text and "Splatfilm" not in text and "Method " in text, view
    page.keyboard.press("v")
    page.keyboard.press("3")
    page.keyboard.press("5")
    votes = page.evaluate("SF.blind.votes()")
    assert [vote["choice"] for vote in votes] == ["a", "same"] and votes[0]["a"].startswith("Method ")
    assert sorted(page.evaluate("SF.blind.key().methods ? Object.values(SF.blind.key().methods) : []")) == sorted(
        method["id"] for method in made.data["methods"]
    )
    page.keyboard.press("b")
    assert "Kling" in page.locator("main").inner_text()


@pytest.mark.browser
def test_a_note_is_pinned_to_its_frame(page: Any, made: Made) -> None:
    show(page, made, "#shot=020&a=ours&b=kling&f=1019&mode=side")
    shown(page, "020:3")
    page.keyboard.press("n")
    page.locator("#writing textarea").fill("The mug has another handle.")
    page.get_by_role("button", name="Keep").click()
    page.keyboard.press("j")
    assert "The mug has another handle." in page.locator("#notes").inner_text()
    (note,) = page.evaluate("SF.notes.all()")
    assert (note["shot"], note["frame"], note["link"][:9]) == ("020", 1019, "#shot=020")


@pytest.mark.browser
def test_the_script_supervisor_s_sheet_keeps_what_is_written(page: Any, made: Made) -> None:
    show(page, made, "#view=cuts")
    field = page.get_by_label("wardrobe, cut 010 → 020")
    field.fill("gown open, belt in the left loop")
    field.blur()
    page.reload()
    assert page.get_by_label("wardrobe, cut 010 → 020").input_value() == "gown open, belt in the left loop"
    row = page.locator("table.story tbody tr").first.inner_text()
    assert "010 → 020" in row and ("FSC" in row or "shares too little" in row)


@pytest.mark.browser
def test_edits_are_seen_before_after_and_as_a_difference(page: Any, made: Made) -> None:
    show(page, made, "#view=numbers")
    pictures = page.locator("figure.matte img")
    assert pictures.count() == 6
    pictures.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('figure.matte img').naturalWidth === 288", timeout=WAIT)


@pytest.mark.browser
def test_every_page_opens_and_the_numbers_stand_in_the_table(page: Any, made: Made) -> None:
    for view in ("cuts", "sheets", "numbers", "notes", "about"):
        show(page, made, f"#view={view}")
        assert len(page.locator(f"#{view}").inner_text()) > 60
    show(page, made, "#view=numbers")
    text = page.locator("#numbers").inner_text()
    for term in ("FSC", "PHO", "COL", "PSNR", "ROT", "exact"):
        assert term in text
    show(page, made, "#view=about")
    assert "take 3: cannot be read as a video" in page.locator("#about").inner_text()
