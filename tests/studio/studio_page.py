"""The studio's page in a real browser, and how tests wait for it: for states, never for times."""

from __future__ import annotations

from typing import Any

WAIT = 90_000  # ms: a software-rendered browser on a busy machine


def open_page(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)  # the tests evaluate strings
    page.wrong = []
    page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.__sf && window.__sf.still", timeout=WAIT)
    return page


def until(page: Any, what: str) -> None:
    page.wait_for_function(what, timeout=WAIT)
