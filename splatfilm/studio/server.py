"""The studio's one port: the page's files over HTTP, everything else over WebSockets. The only user of websockets.

It listens on 127.0.0.1 alone. Every request must bring the token (in the address, then in a cookie), name this host
(against DNS rebinding) and, on the WebSocket, come from our own page (Origin). What does not is refused and logged.
The 3D overview has a port of its own, which only this server can enter: what belongs to it is passed on from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mimetypes
import secrets
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from splatfilm.base.errors import SplatfilmError
from splatfilm.layout import Document
from splatfilm.studio.door import HOST, Door
from splatfilm.studio.learning import learn_surroundings
from splatfilm.studio.lookout import Lookout
from splatfilm.studio.lookthrough import LookThrough, Seen
from splatfilm.studio.overview import SECRET_HEADER, Heard, page
from splatfilm.studio.queue import RenderQueue
from splatfilm.studio.session import Room, Session

log = logging.getLogger("splatfilm.studio")

LARGEST_MESSAGE = 1 << 20  # bytes; a rig of a thousand rail points takes a tenth
MOST_WAITING = 64  # messages that a slow window may lag behind before it is dropped; it comes back by itself
WATCH_SECONDS = 1.0
OVERVIEW, OVERVIEW_SOCKET = "/overview", "/overview-socket"

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# viser's page is one file with its code, styles and workers inside; it may talk to us and stand in our page, no other.
_OVERVIEW_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:; "
    "frame-ancestors 'self'"
)


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
    with contextlib.ExitStack() as closing:
        session, lookout = _session(document, options, closing)
        session.warm_up(lambda: learn_surroundings(session, options.out, options.backend))
        reception = Reception(options.token, lookout)

        async def connected(connection: ServerConnection) -> None:
            assert connection.request is not None, "the handshake is over"
            if urlsplit(connection.request.path).path == OVERVIEW_SOCKET:
                await _lend_doorway(connection, lookout)
            else:
                await _serve_window(connection, session)

        async with serve(
            connected,
            HOST,
            options.port,
            process_request=reception.request,
            select_subprotocol=_viser_protocol,
            max_size=LARGEST_MESSAGE,
            compression=None,
            server_header=None,
        ) as server:
            reception.door = Door(options.token, _port(server))
            opened(reception.door.address)
            while True:
                for _ in range(3):
                    await asyncio.sleep(WATCH_SECONDS / 3)
                    session.remark()
                session.watch()


def _session(document: Document, options: Options, closing: contextlib.ExitStack) -> tuple[Session, Lookout]:
    """A session with its threads; they end when `closing` does."""
    loop = asyncio.get_running_loop()

    def soon(do: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the studio was closed while the last picture was made
            loop.call_soon_threadsafe(do)

    def ready(seen: Seen) -> None:
        soon(lambda: session.seen(seen))

    def heard(heard: Heard) -> None:
        soon(lambda: session.heard(heard))

    lookthrough = LookThrough(options.out, options.backend, ready)
    closing.callback(lookthrough.close)
    queue = RenderQueue(options.out, options.backend, lambda: soon(lambda: session.worked()))
    closing.callback(queue.close)
    lookout = Lookout(lookthrough, heard)
    closing.callback(lookout.close)
    session = Session(document, Room(lookthrough, queue, soon, options.out, lookout, loop.call_later))
    return session, lookout


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


async def _lend_doorway(connection: ServerConnection, lookout: Lookout) -> None:
    """Pass a window's messages to the overview's own port and back, until one side has enough."""
    overview = lookout.overview
    address = f"ws://{HOST}:{overview.port}/"
    protocols = [connection.subprotocol] if connection.subprotocol else None
    header = {SECRET_HEADER: overview.secret}
    try:
        async with connect(
            address, subprotocols=protocols, additional_headers=header, max_size=None, compression=None, proxy=None
        ) as inside:
            ways = [
                asyncio.create_task(_pass_on(connection, inside)),
                asyncio.create_task(_pass_on(inside, connection)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
    except (OSError, WebSocketException) as error:
        log.warning("the overview is not there: %s", error)


async def _pass_on(source: AsyncIterable[str | bytes], target: object) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in source:
            await target.send(message)  # type: ignore[attr-defined]


def _viser_protocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """viser's page tells its version as a subprotocol; ours offers none."""
    return next((name for name in offered if name.startswith("viser-v")), None)


class Reception:
    """Answers requests: refuses strangers, gives the page's files to everybody else."""

    def __init__(self, token: str, lookout: Lookout) -> None:
        self.door = Door(token, 0)
        self._lookout = lookout
        self._files = {path.name: path for path in page_folder().iterdir() if path.is_file()}

    def request(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets a WebSocket through; everything else is answered here."""
        path = urlsplit(request.path).path
        socket = path in ("/socket", OVERVIEW_SOCKET)
        if why := self.door.why_not(request.path, request.headers, socket):
            return _refuse(request, HTTPStatus.FORBIDDEN, why)
        if path in (OVERVIEW, OVERVIEW_SOCKET):
            return self._overview(request, path)
        return None if socket else self._file(request, path)

    def _overview(self, request: Request, path: str) -> Response | None:
        try:
            self._lookout.overview  # noqa: B018  (opened here, where what is missing can be said)
        except SplatfilmError as error:
            return _refuse(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        if path == OVERVIEW_SOCKET:
            return None
        headers = {**_HEADERS, "Content-Security-Policy": _OVERVIEW_POLICY, "Content-Type": "text/html; charset=utf-8"}
        return _response(HTTPStatus.OK, headers, page())

    def _file(self, request: Request, path: str) -> Response:
        name = "index.html" if path == "/" else path.removeprefix("/")
        file = self._files.get(name)  # only names of the page's own folder: no path leads out of it
        if file is None:
            return _refuse(request, HTTPStatus.NOT_FOUND, "no such file")
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8", "Set-Cookie": self.door.cookie}
        return _response(HTTPStatus.OK, headers, file.read_bytes())


def _refuse(request: Request, status: HTTPStatus, why: str) -> Response:
    origin = request.headers.get("Origin", "no origin")
    log.warning("refused %s (%s): %s", urlsplit(request.path).path[:120], origin[:120], why)
    return _response(status, {**_HEADERS, "Content-Type": "text/plain; charset=utf-8"}, f"{why}\n".encode())


def _response(status: HTTPStatus, headers: dict[str, str], body: bytes) -> Response:
    whole = Headers({**headers, "Content-Length": str(len(body)), "Connection": "close"})
    return Response(status.value, status.phrase, whole, body)


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])
