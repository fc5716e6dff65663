"""How long work reports itself, without knowing who listens.

Library code takes a `Progress` and tells it what is done; the command line shows a bar, plain lines or nothing. A
library function called without one stays silent.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One piece of long work. `total` counts in `unit`s (steps, frames)."""

    def start(self, what: str, total: int, unit: str) -> None:
        """A new piece of work begins; whatever was running before is over."""

    def advance(self, done: int, note: str = "") -> None:
        """`done` units of `total` are finished (absolute, never falling).

        `note` is a short live figure such as `27.1 dB`.
        """

    def finish(self, note: str = "") -> None:
        """The piece is over."""

    def say(self, line: str) -> None:
        """One line worth reading that is not progress: a cache hit, a warning, where a file went."""


class Silent:
    """The progress of nobody listening."""

    def start(self, what: str, total: int, unit: str) -> None: ...
    def advance(self, done: int, note: str = "") -> None: ...
    def finish(self, note: str = "") -> None: ...
    def say(self, line: str) -> None: ...


SILENT = Silent()
