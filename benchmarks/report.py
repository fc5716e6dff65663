"""How every benchmark reports: JSON lines on stdout, a table for people on stderr, `--check` for machines.

A row is `{"name", "value", "unit", "target", "ok"}`; `target` is null where a figure is only recorded. Times on a
shared machine drift, so claims are ratios of things measured alternately in one run.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

MINIMUM_REPEATS = 9


@dataclass(frozen=True)
class Row:
    """One measured figure. `better` says on which side of `target` it must lie."""

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["higher", "lower"] = "lower"

    @property
    def ok(self) -> bool | None:
        """None when there is no target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "higher" else self.value <= self.target

    def as_json(self) -> str:
        """The row as one line."""
        fields = {key: value for key, value in asdict(self).items() if key != "better"}
        return json.dumps(fields | {"ok": self.ok})


def alternate(
    rivals: dict[str, Callable[[], object]],
    repeats: int = MINIMUM_REPEATS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each rival, run in turn A B A B after one warm-up each, so that drift hits all alike.

    `time.process_time` as the clock counts the CPU seconds of all threads, which a busy machine stretches least.
    """
    for work in rivals.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(repeats):
        for name, work in rivals.items():
            start = clock()
            work()
            seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def peak() -> int:
    """The most memory that this program has held, in bytes.

    Linux keeps two counters; `ru_maxrss` of a new program begins with that of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return 1024 * int(line.split()[1])
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else 1024 * usage


def hardware() -> dict[str, object]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            model = f"{names[0]} x {len(names)}"
    return {"cpu": model, "system": platform.system(), "python": platform.python_version()}


def main(description: str, measure: Callable[[], Sequence[Row]]) -> None:
    """The command line of one benchmark script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    rows = list(measure())
    show(rows)
    if options.check and any(row.ok is False for row in rows):
        sys.exit(1)


def show(rows: Sequence[Row]) -> None:
    """Print the rows for machines (stdout) and for people (stderr)."""
    for row in rows:
        print(row.as_json(), flush=True)
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        target = (
            "" if row.target is None else f"  ({'at least' if row.better == 'higher' else 'at most'} {row.target:g})"
        )
        verdict = {True: "ok", False: "MISSED", None: ""}[row.ok]
        print(f"{row.name:<{width}}  {row.value:10.3f} {row.unit}{target}  {verdict}".rstrip(), file=sys.stderr)
