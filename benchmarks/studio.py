"""Claims: at 640 wide the studio follows a dragging hand at 12 pictures a second and a key within a tenth of a second.

And: its page is usable 3 s after opening, an idle one costs no CPU, ten seconds of camera are baked in 50 ms, and a
million splats open in the overview while everything else goes on.

A real `splatfilm view` of the sample film on two cores (made first: `splatfilm make cameras/morning/film.toml`; another
film or folder by SPLATFILM_BENCH_FILM and SPLATFILM_BENCH_OUT), a window of its own on the WebSocket that does what the
page does, and Chromium with the page itself where playwright is installed. CPU times stand beside the clock's, since a
loaded machine stretches only the latter.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Row, main
from benchmarks.studio_client import ROOT, Studio, Window, cpu_of, studio

FILM = Path(os.environ.get("SPLATFILM_BENCH_FILM", ROOT / "cameras" / "morning" / "film.toml"))
OUT = Path(os.environ.get("SPLATFILM_BENCH_OUT", ROOT / "out"))
SHOT = "030"
DRAG_SECONDS = 6.0
HAND = 1 / 60  # seconds between two movements of a mouse
PRESSES = 20
IDLE_SECONDS = 10.0
A_MILLION = 1_000_000
TEN_SECONDS = range(1001, 1241)


def measure() -> list[Row]:
    """Rows for a window on the WebSocket, the page in a browser, baking, and the overview of a million splats."""
    rows = bakes()
    with studio(FILM, OUT) as running:
        window = Window(running)
        window.look(SHOT, frames_of(window)[0], exact=True)
        rows += [*dragging(running, window), *presses(running, window), *idle("idle", running, window.rest)]
        window.close()
    if CHROMIUM is not None and _has_playwright():
        with studio(FILM, OUT) as running:
            rows += in_a_browser(running)
    return rows + a_million()


# ---- a window on the WebSocket ---------------------------------------------------------------------------------------


def frames_of(window: Window) -> tuple[int, int]:
    """First and last frame of the measured shot."""
    shot = next(one for one in window.state["shots"] if one["name"] == SHOT)
    return shot["first"], shot["last"]


def dragging(running: Studio, window: Window) -> list[Row]:
    """Pictures a second while a hand drags, asked for as the page asks: the newest one, when the last has arrived."""
    first = frames_of(window)[0]
    flying, due, revisions = False, False, set()
    began, used = time.perf_counter(), running.cpu()
    nudged, answered = 0.0, True
    sent = 0
    while (now := time.perf_counter()) - began < DRAG_SECONDS:
        if answered and now - nudged >= HAND:
            nudged, answered = now, False
            sent = window.send(do="edit", command="nudge", group="hand", values=_nudge(first, 0.2))
        try:
            message = window.pump(max(0.001, HAND - (time.perf_counter() - nudged)))
        except TimeoutError:
            continue
        if message["type"] == "reply" and message["id"] == sent:
            answered = True
        elif message["type"] == "moving":
            due = True
        elif message["type"] == "picture":
            flying = False
            revisions.add(message["revision"])
        if due and not flying:
            flying, due = True, False
            window.send(do="look", shot=SHOT, frame=first, width=640)
    seconds, cpu = time.perf_counter() - began, running.cpu() - used
    window.rest(1.0)
    window.send(do="undo")
    window.rest(1.0)
    pictures = len(revisions)  # that show a new position each
    return [
        Row("studio/drag", pictures / seconds, "pictures a second", 12, "higher"),
        Row("studio/drag-cpu", 1e3 * cpu / pictures, "ms of CPU a picture"),
    ]


def presses(running: Studio, window: Window) -> list[Row]:
    """From a key to its picture: the next frame, and an undo; between two presses the full picture arrives."""
    first = frames_of(window)[0]
    stepping, undoing = [], []
    used = running.cpu()
    for frame in range(first + 1, first + 1 + PRESSES):
        began = time.perf_counter()
        window.look(SHOT, frame)
        stepping.append(time.perf_counter() - began)
        rested(window, frame)
    cpu = (running.cpu() - used) / PRESSES
    frame = first + PRESSES
    for press in range(PRESSES):
        window.send(do="edit", command="nudge", group=f"press-{press}", values=_nudge(frame, 1.0))
        window.rest(0.3)
        window.look(SHOT, frame)
        began = time.perf_counter()
        window.send(do="undo")
        window.until(lambda message: message["type"] == "state")
        window.look(SHOT, frame)
        undoing.append(time.perf_counter() - began)
        window.rest(0.2)
    return [
        Row("studio/next-frame", 1e3 * statistics.median(stepping), "ms", 100),
        Row("studio/next-frame-slowest", 1e3 * max(stepping), "ms"),
        Row("studio/next-frame-cpu", 1e3 * cpu, "ms of CPU, with the full picture"),
        Row("studio/undo", 1e3 * statistics.median(undoing), "ms", 100),
    ]


def rested(window: Window, frame: int) -> None:
    """What the page does when hands rest: the full picture, and the neighbours ahead."""
    window.rest(0.16)
    window.look(SHOT, frame, exact=True)
    window.send(do="ahead", width=640, frames=[[SHOT, frame + 1], [SHOT, frame - 1]])
    window.rest(0.5)


def idle(name: str, running: Studio, wait: Callable[[float], object], others: Sequence[int] = ()) -> list[Row]:
    """Share of a core that an open page costs while nobody touches it, the studio's process and `others`."""
    wait(8.0)
    began, before = time.perf_counter(), running.cpu() + sum(map(cpu_of, others))
    wait(IDLE_SECONDS)
    spent = running.cpu() + sum(map(cpu_of, others)) - before
    return [Row(f"studio/{name}", 100 * spent / (time.perf_counter() - began), "% of a core", 1.0)]


def _nudge(frame: int, degrees: float) -> dict[str, Any]:
    return {"shot": SHOT, "frame": frame, "pan": degrees}


# ---- the page in a browser -------------------------------------------------------------------------------------------

CHROMIUM = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def _has_playwright() -> bool:
    from importlib.util import find_spec

    return find_spec("playwright") is not None


def in_a_browser(running: Studio) -> list[Row]:
    """Seconds until the page can be used, pictures a second while a mouse drags in it, a key's picture, and idling."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)
        began = time.perf_counter()
        page.goto(running.address)
        page.wait_for_function("window.__sf && window.__sf.seen", polling=20, timeout=90_000)
        usable, used = time.perf_counter() - began, running.cpu()
        page.wait_for_function("window.__sf.still", polling=20, timeout=90_000)
        full = time.perf_counter() - began
        page.wait_for_function("window.__sf.painted", timeout=90_000)
        page.locator("#shots").get_by_role("button").nth(2).click()
        page.wait_for_function("window.__sf.still", timeout=90_000)
        rows = [
            Row("studio/browser-usable", usable, "s", 3.0),
            Row("studio/browser-usable-cpu", used, "s of CPU of the studio, from its start"),
            Row("studio/browser-full-picture", full, "s"),
        ]
        rows += [Row("studio/browser-drag", _dragged(page), "pictures a second", 12, "higher")]
        rows += [Row("studio/browser-next-frame", statistics.median(_pressed(page)), "ms", 100)]
        page.wait_for_function("window.__sf.still", timeout=90_000)
        pids = _family(os.getpid(), running.pid)
        rows += idle("browser-idle", running, lambda seconds: page.wait_for_timeout(1e3 * seconds), pids)
        browser.close()
    return rows


def _dragged(page: Any) -> float:
    gate = page.locator("#gate").bounding_box()
    x, y = gate["x"] + gate["width"] / 2, gate["y"] + gate["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    began, before, step = time.perf_counter(), page.evaluate("__sf.looks"), 0
    while time.perf_counter() - began < DRAG_SECONDS:
        step += 1
        page.mouse.move(x + 60 * (1 if step // 60 % 2 else -1) * (step % 60) / 60, y)
        page.wait_for_timeout(1e3 * HAND)
    rate = (page.evaluate("__sf.looks") - before) / (time.perf_counter() - began)
    page.mouse.up()
    page.keyboard.press("Control+z")
    page.wait_for_function("window.__sf.still", timeout=90_000)
    return float(rate)


def _pressed(page: Any) -> list[float]:
    """Milliseconds from a key's event in the page to the picture on its canvas, told by the page's own clock."""
    page.evaluate(
        "window.addEventListener('keydown', () => { window.__pressed = performance.now(); }, true);"
        "__sf.pictured = () => { if (window.__pressed) {"
        " (window.__took ??= []).push(performance.now() - window.__pressed); window.__pressed = 0; } };"
    )
    for _ in range(PRESSES):
        page.keyboard.press(".")
        page.wait_for_timeout(700)
    return list(page.evaluate("window.__took"))


def _family(mine: int, but: int) -> list[int]:
    """The processes under ours, without one: the browser's."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    found: set[int] = set()
    new = {mine}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found - {but}
        found |= new
    return sorted(found)


# ---- baking, and a million splats ------------------------------------------------------------------------------------


def bakes() -> list[Row]:
    """Milliseconds of ten seconds of camera: keys that look at points, keys with rotations, a rig's key a frame."""
    from splatfilm.cameras import CameraKey, CameraPath
    from splatfilm.layout.state import bake

    looking = [CameraKey(f, (f / 100, 0.0, 1.5), look_at=(0.0, 3.0, 1.0 + f / 900)) for f in (1001, 1080, 1160, 1240)]
    turned = [
        CameraKey(f, (f / 100, 0.0, 1.5), rotation=(0.5 + f / 4000, -0.5, 0.5, -0.5), focal_mm=30 + f / 100, roll=0.1)
        for f in (1001, 1080, 1160, 1240)
    ]
    rigged = [CameraKey(f, (f / 100, 0.0, 1.5), rotation=(0.5 + f / 4000, -0.5, 0.5, -0.5)) for f in TEN_SECONDS]
    rows = []
    for name, keys in (("points", looking), ("rotations", turned), ("rig", rigged)):
        clock, cpu = _median(lambda keys=keys: bake(CameraPath(tuple(keys)), tuple(TEN_SECONDS)))  # type: ignore[misc]
        rows += [
            Row(f"studio/bake-{name}", 1e3 * clock, "ms", 50),
            Row(f"studio/bake-{name}-cpu", 1e3 * cpu, "ms of CPU"),
        ]
    return rows


def _median(do: Callable[[], object], times: int = 15) -> tuple[float, float]:
    """Median seconds and CPU seconds of a call."""
    clock, cpu = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        do()
        clock.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(cpu)


FILM_OF_A_MILLION = """\
[film]
name = "million"
title = "Million"
rate = "24"
size = [640, 360]

[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[scenes.room]
set = "room"
frames = [1001, 1240]

[[shots]]
name = "030"
scene = "room"
camera = "030.json"
frames = [1001, 1240]
"""


def a_million() -> list[Row]:
    """How long edits and pictures wait at most while a million splats are brought into the overview."""
    from benchmarks.room import corner_camera, furnished_room
    from splatfilm.cameras import CameraKey, CameraPath, Lens, write_camera_file
    from splatfilm.splats import write_ply

    with tempfile.TemporaryDirectory(prefix="splatfilm-bench-") as name:
        folder = Path(name)
        write_ply(folder / "room.ply", furnished_room(A_MILLION))
        place = corner_camera(640, 360)
        x, y, z = place.position.tolist()
        u, v, w = (place.position + 2 * place.forward).tolist()
        keys = (CameraKey(1001, (x, y, z), look_at=(u, v, w)),)
        write_camera_file(folder / "030.json", CameraPath(keys, Lens(focal_mm=24)))
        (folder / "film.toml").write_text(FILM_OF_A_MILLION)
        with studio(folder / "film.toml", folder / "out") as running:
            window = Window(running)
            began = time.perf_counter()
            window.look(SHOT, 1001)
            first = time.perf_counter() - began
            rows = [Row("studio/million-first-picture", first, "s")]
            rows += _opened(running, window)
            window.close()
    return rows


def _opened(running: Studio, window: Window) -> list[Row]:
    """Open the overview as the page does, and edit and look on until its splats have come."""
    import threading

    from websockets.sync.client import connect

    from splatfilm.studio.overview import library

    arrived: list[float] = []

    def visit() -> None:
        origin = f"http://127.0.0.1:{running.port}"
        address = f"ws://127.0.0.1:{running.port}/overview-socket?token={running.token}"
        protocol = f"viser-v{library().__version__}"
        with connect(
            address,
            origin=origin,  # type: ignore[arg-type]
            subprotocols=[protocol],  # type: ignore[list-item]
            max_size=None,
            compression=None,
            proxy=None,
        ) as socket:
            for message in socket:
                if len(message) > 1 << 20:  # the splats, and nothing else is as large
                    arrived.append(time.perf_counter())
                    return

    began = time.perf_counter()
    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    window.rest(0.5)
    window.send(do="watch", shot=SHOT, frame=1001)
    answers, pictures = [], []
    while not arrived and time.perf_counter() - began < 120:
        asked = time.perf_counter()
        number = window.send(do="edit", command="nudge", group="hand", values=_nudge(1001, 0.1))
        window.until(lambda message, number=number: message.get("id") == number)  # type: ignore[misc]
        answers.append(time.perf_counter() - asked)
        window.look(SHOT, 1001)
        pictures.append(time.perf_counter() - asked)
    visitor.join(10)
    if not arrived:
        raise TimeoutError("the overview's splats did not come")
    return [
        Row("studio/million-in-overview", arrived[0] - began, "s"),
        Row("studio/million-longest-answer", 1e3 * max(answers), "ms", 250),
        Row("studio/million-longest-picture", 1e3 * max(pictures), "ms", 1000),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
