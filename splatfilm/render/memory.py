"""How much memory a frame with its passes takes, and how much there is: asked before a frame is drawn, not after."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from splatfilm.base.errors import SplatfilmError

BYTES_A_SPLAT = 400  # of the kernels and the copies that a pass makes, measured (docs/passes.md, Memory)
BYTES_A_PIXEL: Mapping[str, int] = {
    "beauty": 48,
    "alpha": 16,
    "depth": 16,
    "depth-median": 16,
    "depth-front": 16,
    "normal": 48,
    "position": 48,
    "motion": 64,
    "id": 64,
    "occlusion": 16,
}
"""Of each pass while it is drawn, converted and written."""


class NotEnoughMemoryError(SplatfilmError):
    """A frame that was asked for does not fit."""

    exit_code = 4


def memory_needed(width: int, height: int, passes: Sequence[str], splats: int) -> int:
    """Bytes that drawing and writing a frame of these passes take at most, beside the splats themselves."""
    return width * height * sum(BYTES_A_PIXEL[name] for name in passes) + splats * BYTES_A_SPLAT


def memory_available() -> int | None:
    """Bytes that this process can still take, within the machine's memory and its control group; None if unknown."""
    found = [value for value in (_free_memory(), _group_memory()) if value is not None]
    return min(found) if found else None


def check_memory(size: tuple[int, int], passes: Sequence[str], splats: int, available: int | None) -> None:
    """Raises `NotEnoughMemoryError`, saying what is needed and what there is."""
    width, height = size
    needed = memory_needed(width, height, passes, splats)
    if available is None or needed <= available:
        return
    raise NotEnoughMemoryError(
        f"a frame of {width}x{height} pixels with {len(passes)} passes ({', '.join(passes)}) and {splats:,} splats "
        f"needs {_in_words(needed)} of memory, and {_in_words(available)} are free: ask for fewer passes at once "
        "(`splatfilm render --passes`), a smaller size, or use a machine with more memory"
    )


def _in_words(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"


def _free_memory() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _group_memory() -> int | None:
    """What is left of a container's limit (cgroup v2)."""
    with contextlib.suppress(OSError, ValueError):
        folder = Path("/sys/fs/cgroup")
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])  # can be given back at once
        return max(0, limit - used)
    return None
