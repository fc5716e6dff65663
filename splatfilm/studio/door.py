"""Who may come in: the token, our own host name, and for anything a foreign page could send, our own origin.

A browser sends a page's origin with every WebSocket and every request of another site's script, and cookies only to
the host that set them; a page that was rebound to 127.0.0.1 still names its own host. Together the three keep out every
page but ours, on every port that a studio opens.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
COOKIE = "splatfilm-studio"


class Headers(Protocol):
    """What is read of a request's headers."""

    def get_all(self, key: str) -> Sequence[str]: ...


@dataclass(frozen=True)
class Door:
    """The door of one port. `token` is in the address that was given out, and afterwards in a cookie."""

    token: str
    port: int

    @property
    def address(self) -> str:
        """The address that lets somebody in."""
        return f"{self.origin}/?token={self.token}"

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def cookie(self) -> str:
        """What an answer to somebody who may come in sets."""
        return f"{COOKIE}-{self.port}={self.token}; HttpOnly; SameSite=Strict; Path=/"

    def why_not(self, path: str, headers: Headers, socket: bool) -> str | None:
        """Why a request for `path` is refused; None lets it in. `socket`: it wants to be a WebSocket."""
        if list(headers.get_all("Host")) != [f"{HOST}:{self.port}"]:
            return "this studio is not called that"
        given = parse_qs(urlsplit(path).query).get("token", [""])[0] or self._from_cookie(headers)
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return "open the address that splatfilm printed"
        origins = list(headers.get_all("Origin"))
        if origins not in ([], [self.origin]):
            return "another page's request"
        if socket and not origins:
            return "a WebSocket without an origin"
        return None

    def _from_cookie(self, headers: Headers) -> str:
        jar: SimpleCookie = SimpleCookie()
        with contextlib.suppress(CookieError):
            for line in headers.get_all("Cookie"):
                jar.load(line)
        found = jar.get(f"{COOKIE}-{self.port}")
        return found.value if found else ""
