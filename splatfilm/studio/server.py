"""The studio's one port: the page's files over HTTP, everything else over one WebSocket. The only user of websockets.

It listens on 127.0.0.1 alone. Every request must bring the token (in the address, then in a cookie), name this host
(against DNS rebinding) and, on the WebSocket, come from our own page (Origin). What does not is refused and logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import mimetypes
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from splatfilm.layout import Document
from splatfilm.studio.lookthrough import LookThrough, Seen
from splatfilm.studio.session import Session

log = logging.getLogger("splatfilm.studio")

HOST = "127.0.0.1"
LARGEST_MESSAGE = 1 << 20  # bytes; a rig of a thousand rail points takes a tenth
MOST_WAITING = 64  # messages that a slow window may lag behind before it is dropped; it comes back by itself
WATCH_SECONDS = 1.0
COOKIE = "splatfilm-studio"

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Options:
    """How to open a studio. Port 0 takes a free one."""

    out: Path = Path("out")
    backend: str = "auto"
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


def page_folder() -> Path:
    """Where the page's files are: inside an installed package, or beside it in a checkout."""
    inside = Path(__file__).resolve().parent.parent / "viewer"
    return inside if inside.is_dir() else inside.parent.parent / "viewer"


async def run_studio(film: Path, options: Options, opened: Callable[[str], None]) -> None:
    """Serve a film until cancelled. `opened` gets the address to open, token and all.

    Raises `InputError` when the film file cannot be read, `OSError` when the port is taken.
    """
    document = Document.open(film)
    loop = asyncio.get_running_loop()

    def ready(seen: Seen) -> None:
        with contextlib.suppress(RuntimeError):  # the studio was closed while the last picture was made
            loop.call_soon_threadsafe(session.seen, seen)

    lookthrough = LookThrough(options.out, options.backend, ready)
    session = Session(document, lookthrough)
    door = Door(options.token)

    async def connected(connection: ServerConnection) -> None:
        await _serve_window(connection, session)

    try:
        async with serve(
            connected,
            HOST,
            options.port,
            process_request=door.request,
            max_size=LARGEST_MESSAGE,
            compression=None,
            server_header=None,
        ) as server:
            door.port = _port(server)
            opened(f"http://{HOST}:{door.port}/?token={options.token}")
            while True:
                for _ in range(3):
                    await asyncio.sleep(WATCH_SECONDS / 3)
                    session.remark()
                session.watch()
    finally:
        lookthrough.close()


async def _serve_window(connection: ServerConnection, session: Session) -> None:
    """One window: what it sends is handled in order, what it gets is queued, so that a slow one holds up nobody."""
    waiting: asyncio.Queue[str | bytes] = asyncio.Queue()
    window = object()

    def send(message: str | bytes) -> None:
        if waiting.qsize() < MOST_WAITING:
            waiting.put_nowait(message)
        else:
            session.leave(window)
            connection.transport.abort()

    async def write() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(await waiting.get())

    writer = asyncio.create_task(write())
    session.join(window, send)
    try:
        async for message in connection:
            session.receive(window, message)
    except ConnectionClosed as closed:
        log.warning("a window was dropped: %s", closed)
    finally:
        session.leave(window)
        writer.cancel()


class Door:
    """Who may come in, and the page's files for those who may."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._files = {path.name: path for path in page_folder().iterdir() if path.is_file()}
        self.port = 0

    def request(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets a WebSocket through; everything else is answered here."""
        split = urlsplit(request.path)
        if request.headers.get_all("Host") != [f"{HOST}:{self.port}"]:
            return _refuse(request, HTTPStatus.FORBIDDEN, "this studio is not called that")
        given = parse_qs(split.query).get("token", [""])[0] or _cookie(request.headers, self.port)
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _refuse(request, HTTPStatus.FORBIDDEN, "open the address that splatfilm view printed")
        if request.headers.get("Origin") not in (None, f"http://{HOST}:{self.port}"):
            return _refuse(request, HTTPStatus.FORBIDDEN, "another page's request")
        if split.path == "/socket":
            if request.headers.get("Origin") is None:
                return _refuse(request, HTTPStatus.FORBIDDEN, "a WebSocket without an origin")
            return None
        return self._file(request, split.path, given)

    def _file(self, request: Request, path: str, token: str) -> Response:
        name = "index.html" if path == "/" else path.removeprefix("/")
        file = self._files.get(name)  # only names of the page's own folder: no path leads out of it
        if file is None:
            return _refuse(request, HTTPStatus.NOT_FOUND, "no such file")
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8"}
        headers["Set-Cookie"] = f"{COOKIE}-{self.port}={token}; HttpOnly; SameSite=Strict; Path=/"
        return _response(HTTPStatus.OK, headers, file.read_bytes())


def _refuse(request: Request, status: HTTPStatus, why: str) -> Response:
    origin = request.headers.get("Origin", "no origin")
    log.warning("refused %s (%s): %s", urlsplit(request.path).path[:120], origin[:120], why)
    return _response(status, {**_HEADERS, "Content-Type": "text/plain; charset=utf-8"}, f"{why}\n".encode())


def _response(status: HTTPStatus, headers: dict[str, str], body: bytes) -> Response:
    whole = Headers({**headers, "Content-Length": str(len(body)), "Connection": "close"})
    return Response(status.value, status.phrase, whole, body)


def _cookie(headers: Headers, port: int) -> str:
    jar: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        for line in headers.get_all("Cookie"):
            jar.load(line)
    found = jar.get(f"{COOKIE}-{port}")
    return found.value if found else ""


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])
