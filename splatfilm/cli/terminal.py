"""What the command line shows: progress, errors, tables and JSON.

Results go to standard output, everything else to standard error. A terminal gets a bar and colour; a file, a pipe and
a farm's log get plain lines, few and parseable; `--quiet` leaves only errors.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from splatfilm.base.errors import InputError, Problem, SplatfilmError
from splatfilm.base.progress import SILENT, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

FIRST_LINE = 2.0  # seconds of work before the first plain line: what is over sooner gets only its closing line
LINE_EVERY = 5.0  # seconds between plain lines
REDRAW_EVERY = 0.05  # seconds between two redrawings of a bar
WINDOW = 30.0  # seconds of the past from which the time left is told


@dataclass
class Settings:
    """How much this run of the command line shows; filled from the options before and after the verb."""

    quiet: bool = False
    verbose: bool = False


def settings() -> Settings:
    """The settings of the command that is running."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Settings) if context else None
    return found or Settings()


# ---- results ------------------------------------------------------------------------------------------------------


def write_json(value: Any) -> None:
    """Print a result as JSON on standard output. NaN and Infinity are refused (`ValueError`)."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns set under their headings, two spaces apart; the columns numbered in `right` are set to the right."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]

    def line_of(cells: Sequence[str]) -> str:
        set_cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(set_cells).rstrip()

    return "\n".join(map(line_of, lines))


# ---- remarks and errors -------------------------------------------------------------------------------------------


def say(line: str) -> None:
    """One remark on standard error; silent with `--quiet`."""
    if not settings().quiet:
        click.echo(visible(line), err=True)


def error(line: str) -> None:
    """One line of an error on standard error, with the word `error` in red on a terminal."""
    click.echo(f"{paint('error:', 'red')} {visible(line)}", err=True)


def splatfilm_error(failure: SplatfilmError) -> None:
    """Every problem on a line of its own, as `file:line: place: what is wrong`."""
    if isinstance(failure, InputError):
        for problem in failure.problems:
            error(problem_line(problem))
        if len(failure.problems) > 1:
            click.echo(f"{len(failure.problems)} problems", err=True)
    else:
        for line in str(failure).splitlines():
            error(line)


def problem_line(problem: Problem) -> str:
    """A problem on one line, its file named from the current folder where it lies inside."""
    return visible(str(dataclasses.replace(problem, path=short_path(problem.path))))


def short_path(path: str) -> str:
    """An absolute path from the current folder when it lies inside it; every other path as it is."""
    with contextlib.suppress(ValueError, OSError):
        return str(Path(path).relative_to(Path.cwd())) if Path(path).is_absolute() else path
    return path


def defect(failure: Exception, verbose: bool) -> None:
    """Something that only we can mend."""
    error(f"a defect in Splatfilm: {type(failure).__name__}: {failure}")
    more = "Please report it with the lines above." if verbose else "Please report it with what --verbose adds."
    click.echo(f"Your files are not the cause. {more}", err=True)


def traceback_if(wanted: bool) -> None:
    """The traceback of the exception being handled."""
    if wanted:
        click.echo(traceback.format_exc(), err=True, nl=False)


def visible(text: str) -> str:
    """`text` on one line, with control characters shown rather than obeyed (a file must not steer the terminal)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def paint(text: str, colour: str) -> str:
    """`text` in a colour when standard error is a terminal that wants colours."""
    return click.style(text, fg=colour, bold=True) if _coloured(sys.stderr) else text


def _coloured(stream: TextIO) -> bool:
    return _is_terminal(stream) and not os.environ.get("NO_COLOR")


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


# ---- progress -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """The `Progress` to hand to long work, for as long as the `with` block runs.

    A bar when standard error is a terminal, plain lines when it is not, nothing with `--quiet`.
    """
    if settings().quiet:
        yield SILENT
        return
    reporter = BarProgress() if _is_terminal(sys.stderr) else PlainProgress(lambda line: click.echo(line, err=True))
    try:
        yield reporter
    finally:
        reporter.close()


class PlainProgress:
    """Lines such as `reconstruct flat: 1200/6000 steps, 1m12s left, 26.4 dB`, one every few seconds at most."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._work: Work | None = None
        self._next_line = 0.0

    def start(self, what: str, total: int, unit: str) -> None:
        with self._lock:
            now = self._clock()
            self._work = Work(visible(what), total, visible(unit), now)
            self._next_line = now + FIRST_LINE

    def advance(self, done: int, note: str = "") -> None:
        with self._lock:
            now = self._clock()
            if self._work is None:
                return
            self._work.advance(done, now, visible(note))
            if now >= self._next_line:
                self._next_line = now + LINE_EVERY
                self._write(self._work.line(now))

    def finish(self, note: str = "") -> None:
        with self._lock:
            if self._work is not None:
                self._write(self._work.closing_line(self._clock(), visible(note)))
                self._work = None

    def say(self, line: str) -> None:
        with self._lock:
            self._write(visible(line))

    def close(self) -> None:
        """The command is over."""


class BarProgress:
    """A bar that redraws in place, with the same words; a finished piece leaves its closing line above the bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        def text(template: str, style: str = "none") -> TextColumn:
            return TextColumn(template, style=style, markup=False)

        self._bars: Bars = Bars(
            text("{task.description}"),
            BarColumn(bar_width=None),
            text("{task.fields[count]}"),
            text("{task.percentage:>3.0f}%"),
            text("{task.fields[left]}", "cyan"),
            text("{task.fields[note]}", "green"),
            console=Console(stderr=True, highlight=False),
            expand=True,
            transient=True,
        )
        self._task: TaskID | None = None
        self._work: Work | None = None
        self._next_draw = 0.0
        self._lock = threading.Lock()

    def start(self, what: str, total: int, unit: str) -> None:
        with self._lock:
            self._clear()
            now = time.monotonic()
            self._work = Work(visible(what), total, visible(unit), now)
            self._next_draw = 0.0
            self._bars.start()
            self._task = self._bars.add_task(self._work.what, total=max(total, 1), count="", left="", note="")
            self._draw(now)

    def advance(self, done: int, note: str = "") -> None:
        with self._lock:
            if self._work is None:
                return
            now = time.monotonic()
            self._work.advance(done, now, visible(note))
            self._draw(now)

    def finish(self, note: str = "") -> None:
        with self._lock:
            work = self._work
            self._clear()
            if work is not None:
                self._print(work.closing_line(time.monotonic(), visible(note)))

    def say(self, line: str) -> None:
        with self._lock:
            self._print(visible(line))

    def close(self) -> None:
        """Take the bar away and give the terminal back."""
        with self._lock:
            self._clear()
            self._bars.stop()

    def _draw(self, now: float) -> None:
        assert self._work is not None
        if self._task is None or (now < self._next_draw and self._work.done < self._work.total):
            return
        self._next_draw = now + REDRAW_EVERY
        work = self._work
        self._bars.update(
            self._task, completed=work.done, count=work.count(), left=work.left_words(now), note=work.note
        )

    def _print(self, line: str) -> None:
        self._bars.console.print(line, markup=False, soft_wrap=True)

    def _clear(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._bars.refresh()  # or the next line printed would draw the old bar again below itself
        self._task = self._work = None


@dataclass
class Work:
    """One piece of work: how far it is and how long it still takes."""

    what: str
    total: int
    unit: str
    began: float  # seconds, on the reporter's clock
    done: int = 0
    note: str = ""
    _past: deque[tuple[float, int]] = field(default_factory=deque)  # (seconds, done), the last `WINDOW` seconds

    def advance(self, done: int, now: float, note: str = "") -> None:
        """Note how far it is. What resumed work found done already is not counted into its speed."""
        self.done = max(self.done, done)
        self.note = note or self.note
        if not self._past and done <= 1:
            self._past.append((self.began, 0))
        self._past.append((now, self.done))
        while len(self._past) > 2 and self._past[1][0] < now - WINDOW:
            self._past.popleft()

    def left(self, now: float) -> float | None:
        """Seconds still to go, at the speed of the last half minute; None while there is no telling."""
        if not self._past or self.done >= self.total:
            return None
        since, before = self._past[0]
        if self.done <= before or now <= since:
            return None
        return (self.total - self.done) * (now - since) / (self.done - before)

    def left_words(self, now: float) -> str:
        left = self.left(now)
        return "" if left is None else f"{duration(left)} left"

    def count(self) -> str:
        return f"{self.done}/{self.total} {self.unit}"

    def line(self, now: float) -> str:
        parts = (self.count(), self.left_words(now), self.note)
        return f"{self.what}: {', '.join(filter(None, parts))}"

    def closing_line(self, now: float, note: str) -> str:
        parts = (self.count(), f"done in {duration(now - self.began)}", note or self.note)
        return f"{self.what}: {', '.join(filter(None, parts))}"


def duration(seconds: float) -> str:
    """`8s`, `1m12s`, `2h05m`: a length of time in words short enough for a bar."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
