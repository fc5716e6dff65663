"""Errors that tell a filmmaker which file, which place in it, what was found and what was expected.

Every error that a user can cause is a `SplatfilmError`; anything else that escapes is a defect of ours. The exit
code is what `splatfilm` returns to the shell for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one place of one file.

    `place` says where inside the file: a key path (`shots[2].camera`), a property, a byte offset; empty when it is the
    file as a whole. `line` counts from 1, 0 when the format has no lines.
    """

    path: str
    place: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.place}: {self.message}" if self.place else f"{where}: {self.message}"


class SplatfilmError(Exception):
    """Base of every error that a user can cause or mend."""

    exit_code = 1


class InputError(SplatfilmError):
    """A file, a folder or a value given by the user is not what it must be. Holds every problem that was found."""

    exit_code = 3

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """To another process and back, whole: an exception is made anew from its message alone."""
        return type(self), (self.problems,)

    @classmethod
    def at(cls, path: str | PathLike[str], message: str, place: str = "", line: int = 0) -> InputError:
        """The common case of one problem in one file."""
        return cls(Problem(str(path), place, message, line))


class MissingPartError(SplatfilmError):
    """A library, a device or a program that was asked for is not here; the message says how to get it."""

    exit_code = 4


class StorageError(SplatfilmError):
    """The disk refused: full, read-only, or gone. Nothing half-written is left under a final name."""

    exit_code = 5


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """`'; did you mean "x"?'` when one of `allowed` is close to `found`, else an empty string."""
    close = difflib.get_close_matches(found, list(allowed), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
