"""Where the windows lie of models that refine several neighbouring frames at once, and how they fade into each other.

Windows begin on the scene's clock, never at a shot's first frame, so that trimming a shot's head moves no window.
"""

from __future__ import annotations

SHARED = 4
"""Frames that two neighbouring windows share; across them one fades into the other."""


def windows_of(first: int, last: int, span: int, shared: int = SHARED) -> list[int]:
    """The scene frames at which the windows begin that cover `first` to `last`: multiples of `span - shared`."""
    stride = span - shared
    start = (first - shared) // stride * stride if first >= shared else first // stride * stride
    begins = list(range(start, last + 1, stride))
    return [begin for begin in begins if begin + span > first]


def share_of(frame: int, begin: int, span: int, shared: int = SHARED) -> float:
    """How much a window that begins at `begin` counts at a frame: it rises over its first, falls over its last."""
    place = frame - begin
    if not 0 <= place < span:
        return 0.0
    return min(1.0, (place + 1) / (shared + 1), (span - place) / (shared + 1))
