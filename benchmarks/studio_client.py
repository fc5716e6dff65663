"""A window of the studio without a browser: what the page does over its WebSocket, with a clock in the hand."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class Studio:
    """A running `splatfilm view`: its address, and how much CPU it has used."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.address, self.pid = address, process.pid
        parts = urlsplit(address)
        self.port, self.token = int(parts.port or 0), parse_qs(parts.query)["token"][0]

    def cpu(self) -> float:
        """CPU seconds of the process so far."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far, in user and system mode; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def studio(film: Path, out: Path) -> Iterator[Studio]:
    """Open a film as a user does, in a process of its own, with the renderer on two cores' CPU."""
    command = [sys.executable, "-m", "splatfilm", "view", str(film), "--no-browser"]
    command += ["--backend", "cpu", "--out", str(out)]
    environment = {**os.environ, "SPLATFILM_THREADS": os.environ.get("SPLATFILM_THREADS", "2")}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not re.match(r"http://127\.0\.0\.1:\d+/\?token=", address):
            raise RuntimeError(f"splatfilm view printed {address!r}")
        yield Studio(process, address)
    finally:
        process.terminate()
        process.wait(60)


class Window:
    """One connected window. Everything that arrives goes through `pump`."""

    def __init__(self, studio: Studio) -> None:
        from websockets.sync.client import connect

        self._socket = connect(
            f"ws://127.0.0.1:{studio.port}/socket?token={studio.token}",
            origin=f"http://127.0.0.1:{studio.port}",  # type: ignore[arg-type]
            max_size=None,
            compression=None,
            proxy=None,
        )
        self._number = 0
        self.state: dict[str, Any] = {}
        self.until(lambda message: message.get("type") == "state")

    def close(self) -> None:
        self._socket.close()

    def send(self, **message: Any) -> int:
        """Send a message; gives its number."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, **message}))
        return self._number

    def pump(self, seconds: float = 60.0) -> dict[str, Any]:
        """The next message; a picture comes as its header with the type `picture` and its `bytes`."""
        data = self._socket.recv(timeout=seconds)
        if isinstance(data, str):
            message: dict[str, Any] = json.loads(data)
        else:
            length = int.from_bytes(data[:4], "little")
            message = {"type": "picture", **json.loads(data[4 : 4 + length]), "bytes": data[4 + length :]}
        if message["type"] == "state":
            self.state = message
        if message["type"] == "reply" and not message["ok"]:
            raise RuntimeError(message["error"])
        if message["type"] == "unseen":
            raise RuntimeError(message["problem"])
        return message

    def until(self, right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Everything up to the first message that is right."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if right(message := self.pump()):
                return message
        raise TimeoutError("the studio did not answer within two minutes")

    def rest(self, seconds: float) -> None:
        """Take what arrives for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                self.pump(left)

    def look(self, shot: str, frame: int, exact: bool = False, width: int = 640) -> dict[str, Any]:
        """Ask for a picture and wait for it."""
        self.send(do="look", shot=shot, frame=frame, width=width, exact=exact)
        return self.until(lambda m: m["type"] == "picture" and m["slot"] == "look" and m["frame"] == frame)
