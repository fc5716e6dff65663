"""Hands in a real browser: a gizmo in the overview, camera files in and out, a renderer that takes its time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from studio_film import TinyFilm, serving
from studio_page import WAIT, open_page, until

from splatfilm.cameras import load_path
from splatfilm.film import load

# Where the gizmo's middle and the end of its first arm (the camera's right) are in the overview's frame, in pixels.
GIZMO = """() => {
  const { camera, nodeRefFromName } = __viserMutable, node = nodeRefFromName["/gizmo"], spot = node.position.clone();
  node.updateWorldMatrix(true, true);
  return [[0, 0, 0], [0.35, 0, 0]].map((place) => {
    spot.set(...place).applyMatrix4(node.matrixWorld).project(camera);
    return [(spot.x + 1) / 2 * innerWidth, (1 - spot.y) / 2 * innerHeight];
  });
}"""
DRAWN = "window.__viserTestpoints?.rendererInfo.render.triangles > 400"


def overview_of(page: Any) -> Any:
    """Open the overview beside the picture and wait until the chosen camera's gizmo is drawn in it."""
    page.keyboard.press("Tab")
    until(page, "__sf.view === 'both' && document.querySelector('#overview iframe')")
    frame = page.locator("#overview iframe").element_handle().content_frame()
    frame.wait_for_function("window.__viserMutable?.nodeRefFromName['/gizmo']", timeout=WAIT)
    frame.wait_for_function(DRAWN, timeout=WAIT)
    return frame


def drag_the_first_arm(page: Any, frame: Any) -> None:
    """Take the arm where it is and pull it on.

    It must light up before it can be taken, which takes a busy machine long; a hand that misses it turns the view, and
    looks for it again.
    """
    box = page.locator("#overview iframe").bounding_box()
    for attempt in range(1, 7):
        (x0, y0), (x1, y1) = frame.evaluate(GIZMO)
        x, y = box["x"] + x0 + 0.7 * (x1 - x0), box["y"] + y0 + 0.7 * (y1 - y0)
        page.mouse.move(x, y)
        page.wait_for_timeout(600 * attempt)
        page.mouse.down()
        page.mouse.move(x + 0.8 * (x1 - x0), y + 0.8 * (y1 - y0), steps=6)
        page.mouse.up()
        page.wait_for_timeout(1000 * attempt)
        if page.evaluate("__sf.state.undo"):
            return


@pytest.mark.browser
@pytest.mark.slow
def test_a_gizmo_dragged_in_the_overview_moves_the_camera_and_its_file(browser_3d: Any, tiny: TinyFilm) -> None:
    pytest.importorskip("viser")
    with serving(tiny) as (address, *_):
        page = open_page(browser_3d, address)
        frame = overview_of(page)
        assert frame.locator("text=Connected").count() == 0 or not frame.locator("text=Connected").first.is_visible()
        drag_the_first_arm(page, frame)
        until(page, "__sf.state.undo === 'Stand camera' && __sf.state.shots[0].hud[0][0] > 0.1")
        moved = page.evaluate("__sf.state.shots[0].hud[0].slice(0, 3)")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.keyboard.press("Control+z")
        until(page, "__sf.state.shots[0].hud[0][0] === 0 && !__sf.state.undo")  # one gesture, one step
        wrong = [said for said in page.wrong if "computeBoundingSphere" not in said]  # viser's own, and harmless
        assert wrong == []
        page.close()
    saved = load_path(tiny.folder / "move.json").keys[0].position
    assert saved == pytest.approx(moved, abs=1e-4)
    assert saved[1:] == pytest.approx((-4, 1), abs=1e-3)  # along the arm that was taken, and nowhere else
    assert 0.1 < saved[0] < 0.6


@pytest.mark.browser
def test_a_camera_goes_out_of_the_page_and_comes_back_in(browser: Any, tiny: TinyFilm, tmp_path: Path) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.get_by_text("Output", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export camera").click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.name == "010.json"
        assert json.loads(file.read_text()) == json.loads((tiny.folder / "move.json").read_text()) | {
            "speed": "keyed",
            "lens": json.loads(file.read_text())["lens"],
        }
        page.get_by_label("Position x").fill("1.5")
        page.get_by_label("Position x").press("Enter")
        until(page, "__sf.state.shots[0].hud[0][0] === 1.5")
        page.locator("#file").set_input_files(file)
        until(page, "__sf.state.shots[0].hud[0][0] === 0")
        broken = tmp_path / "broken.json"
        broken.write_text('{"format": "splatfilm-camera", "version": 1, "keys": []}')
        page.locator("#file").set_input_files(broken)
        until(page, "document.getElementById('toast').textContent.includes('at least one key')")
        assert page.evaluate("__sf.state.shots[0].keys.length") == 3
        page.close()


@pytest.mark.browser
def test_a_renderer_that_takes_its_time_shows_in_the_page_and_never_freezes_it(browser: Any, tiny: TinyFilm) -> None:
    """A full picture of seconds (4K through an open lens, many samples): the page says so, and hands go on."""
    tiny.edit("size = [96, 54]", "size = [3840, 2160]\n[film.lens]\nsamples = 256\ndepth_of_field = true")
    camera = json.loads((tiny.folder / "move.json").read_text())
    camera["lens"] |= {"t_stop": 1.4, "focus_m": 2.0}
    (tiny.folder / "move.json").write_text(json.dumps(camera))
    with serving(tiny) as (address, *_):
        page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)
        page.goto(address)
        page.wait_for_function("window.__sf && window.__sf.seen", timeout=WAIT)
        until(page, "document.getElementById('busy').textContent.startsWith('Rendering') && !busy.hidden")
        looks = page.evaluate("__sf.looks")
        page.keyboard.press(".")
        until(page, f"__sf.frame === 1002 && __sf.looks > {looks} && __sf.seen.frame === 1002 && !__sf.seen.exact")
        page.get_by_label("Focal mm").fill("50")
        page.get_by_label("Focal mm").press("Enter")
        until(page, "__sf.state.shots[0].lens.focal_mm === 50 && __sf.seen.revision === __sf.revision")
        assert not page.evaluate("__sf.still")  # the full picture is still on its way, and nothing waited for it
        page.close()


@pytest.mark.browser
def test_all_lanes_of_the_timeline_are_in_sight_at_720_lines(browser: Any, tiny: TinyFilm) -> None:
    cup = '[[scenes.kitchen.cast]]\nname = "cup{0}"\nasset = "mug"\nposition = [{0}, 0, 0]\n\n'
    tiny.edit('[[shots]]\nname = "010"', "".join(cup.format(n) for n in range(1, 4)) + '[[shots]]\nname = "010"')
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        last, area = (
            page.locator("#timeline text", has_text="cup3").first.bounding_box(),
            page.locator("#timeline").bounding_box(),
        )
        assert last["y"] + last["height"] <= area["y"] + area["height"]
        page.close()


@pytest.mark.browser
def test_numbers_typed_one_after_the_other_are_all_kept_and_the_button_after_them_is_pressed(
    browser: Any, tiny: TinyFilm
) -> None:
    """Tab from field to field, then a slow click: what was typed is drawn anew meanwhile, and nothing is lost."""
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.get_by_label("Position x").click()
        for value in ("1.25", "-3.5", "1.75"):
            page.keyboard.press("Control+a")
            page.keyboard.type(value)
            page.keyboard.press("Tab")
        until(page, "__sf.state.shots[0].hud[0].slice(0, 3).join(' ') === '1.25 -3.5 1.75'")
        for axis, value in zip("xyz", ("0.5", "0.5", "0.5"), strict=True):
            page.get_by_label(f"Aim {axis}").fill(value)
        page.get_by_label("Focal mm").fill("40")  # its edit is drawn while the button is held down
        page.get_by_role("button", name="Aim here").scroll_into_view_if_needed()
        button = page.get_by_role("button", name="Aim here").bounding_box()
        page.mouse.move(button["x"] + 4, button["y"] + 4)
        page.mouse.down()
        until(page, "__sf.state.shots[0].lens.focal_mm === 40")
        page.wait_for_timeout(400)
        page.mouse.up()
        until(page, "__sf.state.shots[0].keys[0].look_at?.join(' ') === '0.5 0.5 0.5'")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.close()
    saved = load_path(tiny.folder / "move.json")
    assert saved.lens.focal_mm == 40
    assert saved.keys[0].look_at == (0.5, 0.5, 0.5)


@pytest.mark.browser
def test_chosen_keys_are_spread_and_lens_and_shutter_are_set_in_the_page(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.keyboard.press("Control+a")
        first, middle, last = (
            page.locator(f'#timeline [data-frame="{f}"]').first.bounding_box() for f in (1001, 1006, 1012)
        )
        x, y = middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2
        step = (last["x"] - first["x"]) / 11
        page.keyboard.down("Control")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 5 * step, y, steps=4)
        page.mouse.up()
        page.keyboard.up("Control")
        until(page, "__sf.state.shots[0].keys.map((key) => key.frame).join(' ') === '1001 1011 1023'")
        page.keyboard.press("Control+z")
        until(page, "__sf.state.shots[0].keys[2].frame === 1012")
        page.get_by_label("Shutter °").fill("180")
        page.get_by_label("Shutter °").press("Enter")
        until(page, "__sf.state.shots[0].optics.shutter_angle === 180")
        page.get_by_label("Shutter °").fill("999")
        page.get_by_label("Shutter °").press("Enter")
        until(page, "document.getElementById('toast').textContent.includes('shutter_angle')")
        page.get_by_label("Blur").click()
        until(page, "__sf.state.shots[0].optics.depth_of_field")
        page.get_by_text("Guides", exact=True).click()
        page.get_by_role("button", name="Safe areas").click()
        until(page, "document.querySelectorAll('#guides rect').length === 2")
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.close()
    optics = load(tiny.path).shots[0].optics
    assert (optics.shutter_angle, optics.depth_of_field) == (180, True)


@pytest.mark.browser
def test_markers_a_look_and_the_inset_are_set_in_the_page(browser: Any, tiny: TinyFilm) -> None:
    with serving(tiny) as (address, *_):
        page = open_page(browser, address)
        page.keyboard.press("End")
        page.keyboard.press("Shift+M")
        page.get_by_label("Marker name").fill("she turns")
        page.keyboard.press("Enter")
        until(page, "__sf.state.shots[0].markers.map((one) => one.name).join() === 'she turns'")
        page.keyboard.press("Home")
        page.keyboard.press("Alt+]")
        until(page, "__sf.frame === __sf.state.shots[0].markers[0].frame")
        page.keyboard.press("Home")
        page.locator("#timeline .marker path").click()
        until(page, "__sf.frame === __sf.state.shots[0].markers[0].frame")
        page.get_by_text("Look", exact=True).click()
        page.get_by_label("Refined as").select_option("clean")
        until(page, "__sf.state.shots[0].look === 'clean'")
        page.locator("#stage").focus()
        for _ in range(3):
            page.keyboard.press("Tab")
        until(page, "__sf.view === 'inset'")
        page.locator("#overview iframe").wait_for()
        inset, stage = page.locator("#overview").bounding_box(), page.locator("#stage").bounding_box()
        assert inset["width"] < 0.4 * stage["width"] and inset["height"] < 0.45 * stage["height"]
        assert page.locator("#gate").is_visible()
        page.keyboard.press("Control+s")
        until(page, "!__sf.state.dirty")
        page.close()
    shot = load(tiny.path).shots[0]
    assert [(one.frame, one.name) for one in shot.markers] == [(shot.frames.last, "she turns")]
    assert shot.refine.look == "clean"
