"""Splats alone in viser, for a quick look: in a notebook, or `splatfilm view FILE.ply`."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from splatfilm.studio.clouds import MOST_SPLATS, cloud_of
from splatfilm.studio.door import Door
from splatfilm.studio.overview import add_cloud, allow_pages, stand_back, start_guarded

if TYPE_CHECKING:
    from splatfilm.splats import Splats


class Shown:
    """Splats that are being shown; `address` lets a browser in. In a notebook it is a link."""

    def __init__(self, server: Any, door: Door) -> None:
        self._server, self._door = server, door

    @property
    def address(self) -> str:
        return self._door.address

    @property
    def port(self) -> int:
        return self._door.port

    def close(self) -> None:
        """Stop showing them."""
        self._server.stop()

    def __repr__(self) -> str:
        return f"splats at {self.address}"

    def _repr_html_(self) -> str:
        return f'<a href="{self.address}" target="_blank">{self.address}</a>'


def show(splats: Splats | str | os.PathLike[str], port: int = 0, most: int = MOST_SPLATS) -> Shown:
    """Show splats, or a splat file, in the browser at the `address` of what comes back; at most `most` of them.

    On 127.0.0.1 alone, at an address with a token, to our own page alone, without viser's share button. Raises
    `InputError` for a file that cannot be read and `MissingPartError` without viser.
    """
    if not hasattr(splats, "means"):
        from splatfilm.splats import read_splats

        splats = read_splats(splats)
    cloud = cloud_of(splats, most)  # type: ignore[arg-type]
    token = secrets.token_urlsafe(24)
    doors: list[Door] = []
    server = start_guarded(allow_pages(doors), port)
    doors.append(Door(token, int(server.get_port())))
    add_cloud(server, "/splats", cloud)
    stand_back(server, [cloud])
    return Shown(server, doors[0])
