"""This room's tests find `studio_film` beside them, and browsers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio_film import TinyFilm, build_tiny

CHROMIUM = os.environ.get("SPLATFILM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SOFTWARE_GL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="module")
def playwright_driver() -> Iterator[Any]:
    """One a module, since its event loop runs in this thread, and other modules' tests need one of their own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("websockets")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it, or name it in SPLATFILM_CHROMIUM")
    with playwright.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright_driver: Any) -> Iterator[Any]:
    """Chromium without anything that draws in three dimensions."""
    opened = playwright_driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser_3d(playwright_driver: Any) -> Iterator[Any]:
    """Chromium that draws in three dimensions on the CPU: slow, and what the overview needs."""
    opened = playwright_driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GL)
    yield opened
    opened.close()


@pytest.fixture
def tiny(tmp_path: Path) -> TinyFilm:
    return build_tiny(tmp_path / "film")
