"""The page in a real browser, against a real studio; and its pure functions in node."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio_film import TinyFilm, environment, serving
from studio_page import WAIT, open_page, until

from splatfilm.cameras import load_path
from splatfilm.film import load
from splatfilm.shots.pictures import read_picture


def keys_of(page: Any) -> list[float]:
    return list(page.evaluate("__sf.state.shots[0].keys.map((key) => key.frame)"))


@pytest.mark.browser
def test_a_shot_laid_out_in_the_page_is_what_the_disk_holds_and_what_is_rendered(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.locator("#shots").get_by_role("button", name=re.compile(r"^010")).click()
        page.get_by_label("Focal mm").fill("50")
        page.get_by_label("Focal mm").press("Enter")
        until(page, "__sf.state.shots[0].lens.focal_mm === 50")
        page.get_by_label("T-stop").select_option("2")
        until(page, "__sf.state.shots[0].lens.t_stop === 2")
        for _ in range(3):
            page.keyboard.press(".")
        page.keyboard.press("s")
        until(page, "__sf.state.shots[0].keys.length === 4")
        assert keys_of(page) == [1001, 1004, 1006, 1012]

        until(page, "document.querySelector('[data-frame=\"1004\"]')")
        key, end = (page.locator(f'[data-frame="{f}"]').first.bounding_box() for f in (1004, 1012))
        x, y = key["x"] + key["width"] / 2, key["y"] + key["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (end["x"] - key["x"]) / 8, y, steps=4)
        page.mouse.up()
        until(page, "__sf.state.shots[0].keys[1].frame === 1005")

        page.keyboard.press("Space")
        until(page, "__sf.frame > 1007")
        page.keyboard.press("Space")
        page.keyboard.press("Control+z")
        until(page, "__sf.state.shots[0].keys[1].frame === 1004")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")

        saved = load_path(tiny.folder / "move.json")
        assert (saved.lens.focal_mm, saved.lens.t_stop) == (50, 2)
        assert [key.frame for key in saved.keys] == [1001, 1004, 1006, 1012]

        page.keyboard.press("End")
        page.keyboard.press(",")
        until(page, "__sf.frame === 1011 && __sf.still")
        shown = page.evaluate(
            "(() => { const c = document.getElementById('picture');"
            " const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " return [c.width, c.height, Array.from(pixels)]; })()"
        )
        assert page.wrong == []
        page.close()
    render = [sys.executable, "-m", "splatfilm", "render", str(tiny.path), "--shot", "010", "--frames", "1011"]
    subprocess.run([*render, "--out", str(tiny.out)], check=True, env=environment(), capture_output=True)
    pixels, _ = read_picture(tiny.frames("010")[0])
    width, height, flat = shown
    assert np.array_equal(np.array(flat, dtype=np.uint8).reshape(height, width, 4)[..., :3], pixels)


@pytest.mark.browser
def test_dragging_in_the_picture_is_one_undo_and_reaches_another_window(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        one, two = open_page(browser, address), open_page(browser, address)
        before = one.evaluate("__sf.state.shots[0].hud[0][3]")
        gate = one.locator("#gate").bounding_box()
        x, y = gate["x"] + gate["width"] / 2, gate["y"] + gate["height"] / 2
        one.mouse.move(x, y)
        one.mouse.down()
        one.mouse.move(x + 120, y, steps=12)
        one.mouse.up()
        until(one, f"__sf.state.shots[0].hud[0][3] > {before} + 3")
        until(two, f"__sf.state.shots[0].hud[0][3] > {before} + 3")
        until(one, "__sf.still")
        two.keyboard.press("Control+z")
        until(one, f"__sf.state.shots[0].hud[0][3] === {before} && !__sf.state.undo")
        assert one.wrong == two.wrong == []
        one.close()
        two.close()


@pytest.mark.browser
def test_the_palette_the_key_sheet_and_tooltips_are_fed_by_one_table(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.keyboard.press("?")
        sheet = page.locator("#keys").inner_text()
        for command in page.evaluate("__sf.commands"):
            if command["keys"]:
                assert command["title"] in sheet
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.keyboard.type("clean feed")
        page.keyboard.press("Enter")
        until(page, "document.getElementById('gate').classList.contains('clean')")
        assert page.get_by_label("Set a key here").get_attribute("title") == "Set a key here (S)"
        assert page.wrong == []
        page.close()


@pytest.mark.browser
def test_an_edit_made_while_the_line_is_down_arrives_when_it_is_back(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.context.set_offline(True)
        page.evaluate("__sf.drop()")
        page.get_by_label("Focal mm").fill("85")
        page.get_by_label("Focal mm").press("Enter")
        until(page, "document.getElementById('message').textContent.includes('Connection lost')")
        page.context.set_offline(False)
        until(page, "__sf.state.shots[0].lens.focal_mm === 85 && __sf.still")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.close()
    assert load_path(tiny.folder / "move.json").lens.focal_mm == 85


@pytest.mark.browser
def test_a_film_with_errors_shows_them_beside_their_lines(browser: Any, tiny: TinyFilm) -> None:
    (tiny.folder / "still.json").write_text('{"format": "splatfilm-camera",\n "version": 1,\n "keys": []}')
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        assert "still.json:3" in page.locator("#inspector").inner_text()
        page.locator("#shots").get_by_role("button", name=re.compile(r"^020")).click()
        assert "at least one key" in page.locator("#message").inner_text()
        page.locator("#shots").get_by_role("button", name=re.compile(r"^010")).click()
        until(page, "__sf.still")
        page.close()


def test_the_pages_pure_functions_hold_in_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    subprocess.run([node, "--test", str(Path(__file__).parent / "numbers.test.mjs")], check=True)


@pytest.mark.browser
def test_eight_shots_are_laid_out_by_page_actions_alone(browser: Any, tiny: TinyFilm) -> None:
    """From one shot to eight: new ones, another lens, in and out, order, a rig, a name; then saved and reopened."""
    tiny.edit(tiny.path.read_text()[tiny.path.read_text().index('\n[[shots]]\nname = "020"') :], "")
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        for number in range(2, 9):
            page.keyboard.press("n")
            dialog = page.locator("#ask")
            dialog.get_by_label("Name").fill(f"{number:02d}0")
            dialog.get_by_label("First frame").fill(str(1001 + number))
            dialog.get_by_label("Last frame").fill(str(1010 + number))
            dialog.get_by_label("Camera").select_option("copy" if number % 2 else "new")
            dialog.get_by_role("button", name="Add shot").click()
            until(page, f"__sf.shot === '{number:02d}0' && __sf.state.shots.length === {number}")
            page.get_by_label("Focal mm").fill(str(20 + number))
            page.get_by_label("Focal mm").press("Enter")
            until(page, f"__sf.state.shots.find((s) => s.name === '{number:02d}0').lens.focal_mm === {20 + number}")
        page.keyboard.press("Alt+ArrowUp")
        until(page, "__sf.state.shots[6].name === '080'")
        page.get_by_role("button", name="push-in").click()
        until(page, "__sf.state.shots[6].rig")
        page.keyboard.press("F2")
        page.get_by_label("Shot name").fill("085")
        page.get_by_label("Shot name").press("Enter")
        until(page, "__sf.state.shots[6].name === '085'")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        assert page.wrong == []
        page.close()
    film = load(tiny.path)
    assert [shot.name for shot in film.shots] == ["010", "020", "030", "040", "050", "060", "085", "070"]
    assert [len(shot.frames) for shot in film.shots[1:]] == [10] * 7
    assert load_path(film.shots[3].camera).lens.focal_mm == 24
    assert load_path(film.shots[6].camera).rig is not None


@pytest.mark.browser
def test_the_cut_plays_over_its_shots_and_a_render_shows_its_progress(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.keyboard.press("Shift+Space")
        until(page, "__sf.cut && __sf.shot === '020'")
        until(page, "!__sf.cut")
        page.keyboard.press("Shift+R")
        until(page, "__sf.works.length && __sf.works.at(-1).state === 'done'")
        until(page, "__sf.takes['020']?.length === 1")
        assert page.wrong == []
        page.close()
    assert len(tiny.frames("020")) == 10


@pytest.mark.browser
def test_the_overview_opens_beside_the_picture_with_its_cameras(browser: Any, tiny: TinyFilm) -> None:
    pytest.importorskip("viser")
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.keyboard.press("Tab")
        until(page, "__sf.view === 'both' && document.querySelector('#overview iframe')")
        page.wait_for_timeout(1000)
        frame = next(frame for frame in page.frames if "/overview" in frame.url)
        frame.wait_for_function(
            "window.__viserSceneTree && '/cameras/010/lens' in __viserSceneTree.getState()", timeout=WAIT
        )
        seen = frame.evaluate("Object.keys(__viserSceneTree.getState())")
        assert {"/cameras/010/lens", "/cameras/020/lens"} <= set(seen)
        for _ in ("alone", "inset", "away"):
            page.keyboard.press("Tab")
        until(page, "__sf.view === 'picture' && !document.querySelector('#overview iframe')")
        page.close()
