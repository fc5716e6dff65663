"""Take the pictures of the studio that stand in the documentation.

    python docs/pictures/studio_pictures.py FILM [OUT] [SHOT] [FOLDER]

Needs playwright and Chromium (SPLATFILM_CHROMIUM names it), and the film's assets reconstructed under OUT. Can be run
again whenever the film has changed. Without a GPU the overview takes a minute to draw.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
SIZES = {"studio.jpg": (1280, 720, "picture"), "studio-large.jpg": (1920, 1080, "both")}
SOFTWARE_GL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
DRAWN = "window.__viserTestpoints && __viserTestpoints.rendererInfo.render.triangles > {}"
WAIT = 180_000  # ms


def main(film: str, out: str = "out", shot: str = "030", folder: str = str(HERE), triangles: int = 10_000) -> None:
    """Write the pictures into a folder; the overview is drawn when it has so many triangles."""
    command = [sys.executable, "-m", "splatfilm", "view", film, "--no-browser", "--out", out]
    studio = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert studio.stdout is not None
    address = studio.stdout.readline().strip()
    chromium = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium")
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=SOFTWARE_GL)
            for name, (width, height, view) in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, bypass_csp=True)
                page.goto(address)
                page.wait_for_function("window.__sf && window.__sf.still", timeout=WAIT)
                page.locator("#shots").get_by_role("button", name=re.compile(f"^{re.escape(shot)}")).click()
                page.wait_for_function("__sf.still && __sf.painted", timeout=WAIT)
                if view != "picture":
                    show_overview(page, triangles)
                page.screenshot(path=Path(folder) / name, type="jpeg", quality=88, timeout=WAIT)
                page.close()
            browser.close()
    finally:
        studio.terminate()
        studio.wait(20)


def show_overview(page: Page, triangles: int) -> None:
    """Open the overview beside the picture and wait until its splats are drawn and its fade-in is over."""
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#overview iframe')", timeout=20_000)
    frame = page.locator("#overview iframe").element_handle().content_frame()
    assert frame is not None
    frame.wait_for_function(DRAWN.format(triangles), timeout=WAIT)
    page.wait_for_timeout(20_000)


if __name__ == "__main__":
    main(*sys.argv[1:])
