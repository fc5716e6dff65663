"""Take the pictures of the studio that stand in the documentation.

    python docs/pictures/studio_pictures.py FILM [OUT]

Needs playwright and Chromium (SPLATFILM_CHROMIUM names it), and the film's assets reconstructed under OUT.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
SIZES = {"studio.jpg": (1280, 720), "studio-large.jpg": (1920, 1080)}


def main(film: str, out: str = "out") -> None:
    command = [sys.executable, "-m", "splatfilm", "view", film, "--no-browser", "--out", out]
    studio = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert studio.stdout is not None
    address = studio.stdout.readline().strip()
    chromium = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium")
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for name, (width, height) in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, bypass_csp=True)
                page.goto(address)
                page.wait_for_function("window.__sf && window.__sf.still", timeout=90_000)
                page.keyboard.press("PageDown")
                page.keyboard.press("PageDown")
                page.wait_for_function("__sf.still && __sf.painted", timeout=90_000)
                page.screenshot(path=HERE / name, type="jpeg", quality=88)
                page.close()
            browser.close()
    finally:
        studio.terminate()
        studio.wait(20)


if __name__ == "__main__":
    main(*sys.argv[1:])
