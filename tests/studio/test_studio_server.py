"""The studio's port: who comes in and who does not, against a real process."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio_film import build_tiny, serving

websockets = pytest.importorskip("websockets")
from websockets.asyncio.client import connect  # noqa: E402
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, Path]]:
    film = build_tiny(tmp_path_factory.mktemp("studio") / "film")
    with serving(film) as (_, port, token, log):
        yield port, token, log


def get(port: int, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.getheaders())


async def first_state(port: int, query: str, origin: str | None, **headers: str) -> dict[str, Any]:
    address = f"ws://127.0.0.1:{port}/socket{query}"
    async with connect(address, origin=origin, additional_headers=headers, max_size=None) as socket:  # type: ignore[arg-type]
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), 20))
            if message["type"] == "state":
                return dict(message)


def status_of(port: int, query: str, origin: str | None) -> int:
    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(first_state(port, query, origin))
    return refused.value.response.status_code


def test_the_page_opens_with_the_token_and_its_files_with_the_cookie(studio: tuple[int, str, Path]) -> None:
    port, token, _ = studio
    status, body, headers = get(port, f"/?token={token}")
    assert status == 200 and b"<title>Splatfilm studio</title>" in body
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    status, body, headers = get(port, "/studio.js", Cookie=cookie.split(";")[0])
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")


def test_without_the_token_or_with_a_wrong_one_there_is_nothing(studio: tuple[int, str, Path]) -> None:
    port, token, _ = studio
    for path in ("/", "/?token=", "/?token=wrong", f"/?token={token}x", "/studio.js", "/socket"):
        assert get(port, path)[0] == 403
    origin = f"http://127.0.0.1:{port}"
    assert status_of(port, "?token=wrong", origin) == 403
    assert status_of(port, "", origin) == 403


def test_a_foreign_page_is_refused_even_with_the_token(studio: tuple[int, str, Path]) -> None:
    port, token, log = studio
    for origin in ("http://evil.example", f"http://localhost:{port}", "null", None):
        assert status_of(port, f"?token={token}", origin) == 403
    assert get(port, f"/?token={token}", Origin="http://evil.example")[0] == 403
    assert "refused /socket (http://evil.example)" in log.read_text()
    assert token not in log.read_text()


def test_another_host_name_is_refused_so_that_rebinding_finds_nothing(studio: tuple[int, str, Path]) -> None:
    port, token, _ = studio
    assert get(port, f"/?token={token}", Host=f"evil.example:{port}")[0] == 403


def test_no_path_leads_out_of_the_pages_folder(studio: tuple[int, str, Path]) -> None:
    port, token, _ = studio
    for path in ("/../pyproject.toml", "/..%2fpyproject.toml", "//etc/passwd", "/%2e%2e/film.toml", "/film.toml"):
        assert get(port, f"{path}?token={token}")[0] == 404, path


def test_an_oversized_message_and_garbage_change_nothing_and_the_studio_goes_on(studio: tuple[int, str, Path]) -> None:
    port, token, log = studio
    origin = f"http://127.0.0.1:{port}"

    async def attack() -> dict[str, Any]:
        before = await first_state(port, f"?token={token}", origin)
        # not closed by us: what is left of a connection that the other side aborted cannot be
        socket = await connect(f"ws://127.0.0.1:{port}/socket?token={token}", origin=origin, max_size=None)  # type: ignore[arg-type]
        await socket.send("garbage{")
        while (answer := json.loads(await asyncio.wait_for(socket.recv(), 20)))["type"] != "reply":
            pass
        assert not answer["ok"]
        with pytest.raises(ConnectionClosed):
            await socket.send("x" * (100 << 20))
            while True:
                await asyncio.wait_for(socket.recv(), 20)
        after = await first_state(port, f"?token={token}", origin)
        assert after == before
        return after

    asyncio.run(attack())
    give_up = time.monotonic() + 20  # the server may learn of the lost window after its sender does
    while "dropped" not in log.read_text() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert "dropped" in log.read_text()
