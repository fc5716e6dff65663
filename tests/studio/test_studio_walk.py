"""The guide's walk-through, step by step as it stands in docs/studio.md: a dialogue from nothing, in the browser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio_film import REPOSITORY, TinyFilm, serving, with_people
from studio_page import open_page, until

from splatfilm.cameras import load_path
from splatfilm.film import load
from splatfilm.layout import Document

SHOT = "__sf.state.shots.find((shot) => shot.name === __sf.shot)"


def cover(page: Any, setup: str) -> None:
    """Step 2: from ann to bob, on the left."""
    for label, value in (("Line from", "ann"), ("Line to", "bob"), ("Side", "left"), ("Set-up", setup)):
        page.get_by_label(label, exact=True).select_option(value)
    before = page.evaluate("__sf.revision")
    page.get_by_role("button", name="Put the camera there").click()
    until(page, f"__sf.revision > {before} && {SHOT}.rig.mount.kind === 'still'")


def next_shot(page: Any, name: str) -> None:
    """Step 3: N, its name, a copy of this camera."""
    page.keyboard.press("n")
    dialog = page.locator("#ask")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Camera").select_option("copy")
    dialog.get_by_role("button", name="Add shot").click()
    until(page, f"__sf.shot === '{name}'")


def focal(page: Any, mm: int) -> None:
    page.get_by_role("button", name=str(mm), exact=True).click()
    until(page, f"{SHOT}.hud[0][7] === {mm}")


def field(page: Any, label: str, value: float) -> None:
    """Type a number where another one stands."""
    box = page.get_by_label(label, exact=True)
    if box.input_value() and float(box.input_value()) == value:
        return
    before = page.evaluate("__sf.revision")
    box.fill(str(value))
    box.press("Enter")
    until(page, f"__sf.revision > {before}")


def laid_out(page: Any) -> None:
    """Steps 1 to 3: body and lens, and five set-ups of one side of the line."""
    body = next(one for one in page.get_by_label("Body").locator("option").all_inner_texts() if "ALEXA 35" in one)
    page.get_by_label("Body").select_option(label=body)
    until(page, f"{SHOT}.lens.filmback_mm[0] < 30")
    focal(page, 35)
    page.get_by_label("T-stop").select_option("2.8")
    until(page, f"{SHOT}.lens.t_stop === 2.8")
    cover(page, "master")
    for name, setup, mm in (
        ("020", "ots-bob", 35),
        ("030", "ots-ann", 35),
        ("040", "single-bob-mcu", 50),
        ("050", "single-ann-mcu", 50),
    ):
        next_shot(page, name)
        if mm != 35:
            focal(page, mm)
        cover(page, setup)


def worked_over(page: Any) -> None:
    """Steps 4 to 6: a drag, a follow focus, a push-in with easings, in and out, order, the cut."""
    before = page.evaluate(f"{SHOT}.hud[0][3]")
    gate = page.locator("#gate").bounding_box()
    x, y = gate["x"] + gate["width"] / 2, gate["y"] + gate["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()
    until(page, f"Math.abs({SHOT}.hud[0][3] - {before}) > 0.3")
    page.get_by_label("Focus on").select_option("ann")
    until(page, f"{SHOT}.hud.every((row) => row[8] !== null)")
    page.get_by_role("button", name="push-in").click()
    until(page, f"{SHOT}.rig.mount.kind === 'track'")
    field(page, "ease in s", 0.2)
    field(page, "ease out s", 0.2)
    page.get_by_role("button", name="dolly-zoom").click()
    until(page, f"{SHOT}.rig.hold_size")
    for _ in range(2):
        page.keyboard.press(".")
    page.keyboard.press("i")
    until(page, f"{SHOT}.first === 1003")
    page.keyboard.press("End")
    page.keyboard.press(",")
    page.keyboard.press("o")
    until(page, f"{SHOT}.last === 1011")
    page.keyboard.press("Alt+ArrowUp")
    until(page, "__sf.state.shots.map((shot) => shot.name).join(' ') === '010 020 030 050 040'")
    page.keyboard.press("Alt+ArrowDown")
    until(page, "__sf.state.shots[4].name === '050'")
    page.locator("#shots").get_by_role("button", name=re.compile("^040")).click()
    page.keyboard.press("Shift+Space")
    until(page, "__sf.cut && __sf.shot === '050'")
    until(page, "!__sf.cut")


@pytest.mark.browser
@pytest.mark.slow
def test_a_dialogue_is_laid_out_from_nothing_by_the_steps_of_the_guide(browser: Any, tiny: TinyFilm) -> None:
    with_people(tiny)
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        laid_out(page)
        worked_over(page)
        until(page, "document.getElementById('inspector').textContent.includes('Continuity')")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.get_by_text("Output", exact=True).click()
        for title, file in (("Storyboard", "storyboard.pdf"), ("Shot list", "shot-list.csv")):
            page.get_by_role("button", name=title).click()
            until(page, f"document.getElementById('toast').textContent.includes('{file}')")
        page.get_by_role("button", name="Render all").click()
        until(page, "__sf.works.length === 5 && __sf.works.every((work) => work.state === 'done')")
        assert page.wrong == []
        page.close()
    film = load(tiny.path)
    assert [shot.name for shot in film.shots] == ["010", "020", "030", "040", "050"]
    on_one_side(tiny, [shot.name for shot in film.shots])
    last = load_path(film.shots[4].camera)
    assert (film.shots[4].frames.first, film.shots[4].frames.last) == (1003, 1011)
    assert last.rig is not None and last.rig["hold_size"]
    assert all((tiny.out / "tiny" / file).is_file() for file in ("storyboard.pdf", "shot-list.csv"))
    assert len(tiny.frames("050")) == 9


MORNING = REPOSITORY / "cameras" / "morning"


def with_one_shot(folder: Path) -> Path:
    """The sample film with one shot of its eight, and a camera that knows nothing."""
    shutil.copytree(MORNING, folder / "cameras" / "morning", ignore=shutil.ignore_patterns("0[2-9]0-*.json"))
    (folder / "captures").symlink_to(REPOSITORY / "captures", target_is_directory=True)
    film = folder / "cameras" / "morning" / "film.toml"
    text = film.read_text()
    film.write_text(text[: text.index("[[shots]]", text.index("[[shots]]") + 1)])
    key = {"frame": 1014, "position": [0, -3, 1.6], "look_at": [0, 0, 1.4]}
    empty = {"format": "splatfilm-camera", "version": 1, "keys": [key]}
    (folder / "cameras" / "morning" / "010-wide.json").write_text(json.dumps(empty))
    return film


def put(page: Any, place: Any, point: Any) -> None:
    """The camera at a place, looking at a point, at the playhead."""
    for axis, value in zip("xyz", place, strict=True):
        field(page, f"Position {axis}", round(float(value), 4))
    for axis, value in zip("xyz", point, strict=True):
        page.get_by_label(f"Aim {axis}").fill(str(round(float(value), 4)))
    before = page.evaluate("__sf.revision")
    page.get_by_role("button", name="Aim here").click()
    until(page, f"__sf.revision > {before}")


@pytest.mark.browser
@pytest.mark.slow
def test_the_sample_films_eight_shots_are_laid_out_without_a_text_editor(browser: Any, tmp_path: Path) -> None:
    """Shot list, frames, lenses, first and last positions of the real film, by mouse and keyboard alone."""
    path = with_one_shot(tmp_path)
    wanted = Document.open(MORNING / "film.toml")
    with serving(TinyFilm(path.parent)) as (address, *_):
        page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)
        page.goto(address)
        until(page, "window.__sf && __sf.state")
        for number, shot in enumerate(wanted.state.shots.values()):
            if number:
                page.keyboard.press("n")
                dialog = page.locator("#ask")
                dialog.get_by_label("Name").fill(shot.name)
                dialog.get_by_label("First frame").fill(str(shot.frames.first))
                dialog.get_by_label("Last frame").fill(str(shot.frames.last))
                dialog.get_by_label("Camera").select_option("new")
                dialog.get_by_role("button", name="Add shot").click()
                until(page, f"__sf.shot === '{shot.name}'")
            baked, lens = wanted.bake(shot.name), wanted.state.seen(shot.name).lens
            field(page, "Focal mm", lens.focal_mm)
            for key, row in (("Home", 0), ("End", -1)):
                page.keyboard.press(key)
                pose = baked.poses[row]
                if row == 0 or not np.allclose(pose, baked.poses[0], atol=1e-6):
                    put(page, pose[:3, 3], pose[:3, 3] + 2 * pose[:3, 2])
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.close()
    made = Document.open(path)
    assert not made.problems
    assert list(made.state.shots) == list(wanted.state.shots)
    for name, shot in wanted.state.shots.items():
        assert made.state.shot(name).frames == shot.frames
        assert made.state.seen(name).lens.focal_mm == wanted.state.seen(name).lens.focal_mm
        for row in (0, -1):
            assert made.bake(name).poses[row] == pytest.approx(wanted.bake(name).poses[row], abs=2e-3), name


def on_one_side(film: TinyFilm, shots: list[str]) -> None:
    """All cameras stand left of the line from ann (-0.6, 0) to bob (0.6, 0.2), and see both or their subject."""
    document = Document.open(film.path)
    for name in shots:
        x, y, _ = document.bake(name).poses[0][:3, 3]
        assert 1.2 * y - 0.2 * (x + 0.6) > 0, name
    assert np.isfinite(document.bake("050").focus_m).all()


def test_the_guide_names_what_the_page_has() -> None:
    """Every bold name of a section in the guide's walk-through is a section of the inspector."""
    guide = (REPOSITORY / "docs" / "studio.md").read_text()
    walk = guide[guide.index("## A dialogue from nothing") : guide.index("## Who comes in")]
    sections = set(re.findall(r'section\("(\w+)"', Path(REPOSITORY / "viewer" / "inspector.js").read_text()))
    sections |= set(re.findall(r'section\("(\w+)"', Path(REPOSITORY / "viewer" / "output.js").read_text()))
    assert set(re.findall(r"\*\*(\w+)\*\*", walk)) <= sections
