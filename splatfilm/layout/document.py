"""A film that is open for editing: done, undone, saved, and kept in step with the disk.

One document is edited by everybody who has the film open; it is the truth and pages are views of it. Files are
written only where they still hold what was read: an editor next door, or git, never loses a change to us.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from splatfilm.base.errors import InputError, Problem, SplatfilmError
from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_bytes
from splatfilm.cameras.camera_file import camera_bytes
from splatfilm.film.load import judge_film
from splatfilm.film.source import parse_toml, read_text
from splatfilm.layout.editing import Command, EditError
from splatfilm.layout.state import Baked, State, bake, camera_files, read_camera

MOST_UNDO = 500
"""States kept to go back to; they share everything that did not change."""


class ChangedOnDiskError(SplatfilmError):
    """Files were changed by somebody else since they were read, and have unsaved edits here. Nothing was written."""

    exit_code = 3

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths
        listed = ", ".join(str(path) for path in paths)
        super().__init__(f"changed on disk since it was read: {listed}; reload to take what is there, or save over it")


@dataclass(frozen=True, eq=False)
class Step:
    """One undo step: the state before it, what it is called, and the group that it grows with."""

    before: State
    label: str
    group: str | None


class Document:
    """A film file and its camera files, open. Not safe for several threads: its owner calls it from one."""

    def __init__(self, state: State, seen: Mapping[Path, str | None]) -> None:
        """Use `Document.open`."""
        self.state = state
        self._seen = dict(seen)  # hash of each file as last read or written here; None: it was not there
        self._saved = state
        self._undo: list[Step] = []
        self._redo: list[tuple[State, str]] = []
        self._baked: dict[str, tuple[object, Baked]] = {}
        self.revision = 0  # grows with every change of the state

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Document:
        """Open a film. Raises `InputError` only when the film file cannot be read as TOML at all."""
        state = _read(Path(path))
        return cls(state, {one: _disk_hash(one) for one in (state.path, *state.cameras)})

    # ---- looking ---------------------------------------------------------------------------------------------------

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, with file and line; the rest of the film is open all the same."""
        return self.state.problems

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return bool(self._unsaved())

    @property
    def undo_label(self) -> str | None:
        """What `undo` would undo."""
        return self._undo[-1].label if self._undo else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would do again."""
        return self._redo[-1][1] if self._redo else None

    def bake(self, shot: str) -> Baked:
        """The shot's camera at every frame, remembered while nothing about it changes.

        Raises `KeyError` for no such shot and `InputError` for a broken camera file.
        """
        one = self.state.shot(shot)
        camera = self.state.camera(shot)
        known = self._baked.get(shot)
        if known is not None and known[0] == (one.frames, dict(one.lens), id(camera)):
            return known[1]
        baked = bake(camera.with_lens(one.lens), tuple(one.frames))
        self._baked[shot] = ((one.frames, dict(one.lens), id(camera)), baked)
        return baked

    # ---- editing ---------------------------------------------------------------------------------------------------

    def do(self, command: Command, group: str | None = None) -> None:
        """Do a command. Commands with the same `group` one after another (a drag) are one undo step.

        Raises `EditError`, with nothing changed, when it makes no sense or would bring a problem that was not there.
        """
        before = self.state
        try:
            after = command.apply(before)
            fresh = _news(before, after)
        except SplatfilmError as error:
            raise error if isinstance(error, EditError) else EditError(str(error)) from error
        except (KeyError, ValueError, TypeError) as error:
            message = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise EditError(str(message)) from error
        if fresh:
            raise EditError("; ".join(f"{p.place}: {p.message}" if p.place else p.message for p in fresh))
        grows = group is not None and self._undo and self._undo[-1].group == group
        if not grows:
            self._undo.append(Step(before, command.label, group))
            del self._undo[:-MOST_UNDO]
        self._redo.clear()
        self._become(after)

    def undo(self) -> str | None:
        """Go back one step; gives what was undone, None when there is nothing."""
        if not self._undo:
            return None
        step = self._undo.pop()
        self._redo.append((self.state, step.label))
        self._become(step.before)
        return step.label

    def redo(self) -> str | None:
        """Do again what was undone last; gives what it was."""
        if not self._redo:
            return None
        state, label = self._redo.pop()
        self._undo.append(Step(self.state, label, None))
        self._become(state)
        return label

    # ---- the disk --------------------------------------------------------------------------------------------------

    def save(self, over: bool = False) -> tuple[Path, ...]:
        """Write what was edited, each file whole or not at all; camera files first, the film file last.

        Raises `ChangedOnDiskError`, with nothing written, when one of these files is no longer what was read here
        (`over` writes nevertheless), and `StorageError` when the disk refuses.
        """
        unsaved = self._unsaved()
        changed = tuple(path for path in unsaved if _disk_hash(path) != self._seen.get(path))
        if changed and not over:
            raise ChangedOnDiskError(changed)
        order = tuple(sorted(unsaved, key=lambda one: one == self.state.path))
        for path in order:
            write_bytes(path, unsaved[path])
            self._seen[path] = hash_bytes(unsaved[path])
        self._saved = self.state
        return order

    def changed_on_disk(self) -> tuple[Path, ...]:
        """Files of the document that are no longer what was read or written here."""
        return tuple(path for path, seen in self._seen.items() if _disk_hash(path) != seen)

    def refresh(self) -> tuple[Path, ...]:
        """Take over what changed on disk, as one undo step; gives the files that did.

        Edits of other files stay. Raises `ChangedOnDiskError` when a changed file has unsaved edits here, and
        `InputError` when the film file is no TOML any more; both leave the document as it is.
        """
        changed = self.changed_on_disk()
        if not changed:
            return ()
        unsaved = self._unsaved()
        if torn := tuple(path for path in changed if path in unsaved):
            raise ChangedOnDiskError(torn)
        self._take_from_disk(changed)
        return changed

    def reload(self) -> None:
        """Forget unsaved edits of files that changed on disk and take what is there, as one undo step."""
        changed = self.changed_on_disk()
        if changed:
            self._take_from_disk(changed)

    def _take_from_disk(self, changed: tuple[Path, ...]) -> None:
        before = self.state
        seen = {path: _disk_hash(path) for path in changed}
        text = read_text(before.path) if before.path in changed else before.text
        cameras = {**before.cameras, **{path: read_camera(path) for path in changed if path != before.path}}
        after = State(before.path, text, cameras, before.fresh - set(changed)).with_text(text)
        on_disk = dict(self._saved.cameras)
        on_disk |= {path: after.cameras[path] for path in after.cameras if path in changed or path not in self._seen}
        self._saved = State(before.path, text if before.path in changed else self._saved.text, on_disk)
        self._seen |= seen
        self._undo.append(Step(before, "Reload from disk", None))
        self._redo.clear()
        self._become(after)

    def _unsaved(self) -> dict[Path, bytes]:
        """What must be written: files that differ from what was last read or saved."""
        now, then = self.state, self._saved
        if now is then:
            return {}
        files = {now.path: now.text.encode()} if now.text != then.text else {}
        for path in camera_files(now.reading):
            file = now.cameras[path]
            if file.camera is not None and file.own and file is not then.cameras.get(path):
                files[path] = camera_bytes(file.camera)
        return files

    def _become(self, state: State) -> None:
        self.state = state
        self.revision += 1
        for path in state.cameras:
            if path not in self._seen:
                self._seen[path] = _disk_hash(path)


def _read(path: Path) -> State:
    text = read_text(path)
    reading = judge_film(parse_toml(path, text))
    return State(path, text, {file: read_camera(file) for file in camera_files(reading)}, _reading=reading)


def _news(before: State, after: State) -> list[Problem]:
    """Problems that `after` has and `before` had not; lines may have moved."""
    try:
        problems = after.problems
    except InputError as error:
        return list(error.problems)
    left = Counter(_told(p) for p in before.problems)
    fresh = []
    for problem in problems:
        if left[_told(problem)] > 0:
            left[_told(problem)] -= 1
        else:
            fresh.append(problem)
    return fresh


def _told(problem: Problem) -> tuple[str, str, str]:
    """A problem without the numbers that change when other shots come and go."""
    return problem.path, re.sub(r"\[\d+\]", "[]", problem.place), re.sub(r"\bline \d+", "line", problem.message)


def _disk_hash(path: Path) -> str | None:
    try:
        return hash_bytes(path.read_bytes())
    except OSError:
        return None
