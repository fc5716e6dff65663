"""The content hash of a capture: everything that goes into training, and nothing else.

A file whose size, times and inode have not changed since it was hashed is not read again. That is correct because the
inode's change time cannot be set by a program: whoever writes into a file, or moves another one over it, moves the
change time. The one hole, a write within the clock's grain of the hashing, is closed as git closes it: what was changed
less than two seconds before it was hashed is not remembered, and read again the next time. File systems that keep no
change time of their own (some network shares) are as good as their modification times.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, StorageError
from splatfilm.base.files import read_json, write_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.capture.model import Capture
from splatfilm.capture.read import read_capture

MEMO_NAME = ".capture-hashes.json"
_MEMO_FORMAT = "splatfilm-hashes"
_MEMO_VERSION = 1
_GRAIN_NS = 2_000_000_000

Stamp = list[int]


def capture_hash(capture: Capture | str | os.PathLike[str], memo: Path | None = None) -> str:
    """SHA-256 over photographs, masks, descriptions, points, and the scale and up axis of the sheet.

    `memo` is a small file that remembers the hashes of unchanged files; without it everything is read. A memo that
    cannot be read or written costs time, never correctness.
    """
    whole = capture if isinstance(capture, Capture) else read_capture(capture)
    remembered = _read_memo(memo)
    fresh: dict[str, tuple[Stamp, str]] = {}
    contents: dict[str, str] = {}
    for path in _files(whole):
        contents[_label(whole.path, path)] = _hash(path, remembered, fresh)
    if memo is not None and any(remembered.get(path) != entry for path, entry in fresh.items()):
        _write_memo(memo, {**remembered, **fresh})
    return hash_value(
        {
            "files": contents,
            "sheet": {"scale": whole.sheet.scale, "up": whole.sheet.up},
            "photographs": [p.name for p in whole.photographs],
        }
    )


def _files(capture: Capture) -> list[Path]:
    files = {*capture.descriptions}
    for photograph in capture.photographs:
        files.add(photograph.image)
        if photograph.mask is not None:
            files.add(photograph.mask)
    return sorted(files)


def _label(folder: Path, path: Path) -> str:
    """The name of a file inside its capture: a capture that moves to another folder keeps its hash."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _hash(path: Path, remembered: dict[str, tuple[Stamp, str]], fresh: dict[str, tuple[Stamp, str]]) -> str:
    key = str(path.absolute())
    stamp = _stamp(path)
    known = remembered.get(key)
    if known is not None and known[0] == stamp:
        fresh[key] = known
        return known[1]
    content = hash_file(path)
    newest = max(stamp[1], stamp[2])
    if _stamp(path) == stamp and newest + _GRAIN_NS < time.time_ns():
        fresh[key] = (stamp, content)
    return content


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _read_memo(memo: Path | None) -> dict[str, tuple[Stamp, str]]:
    if memo is None or not memo.is_file():
        return {}
    with contextlib.suppress(InputError, KeyError, TypeError, ValueError, AttributeError):
        document: Any = read_json(memo)
        if document["format"] == _MEMO_FORMAT and document["version"] == _MEMO_VERSION:
            return {
                str(path): ([int(n) for n in stamp], str(content))
                for path, (stamp, content) in document["files"].items()
            }
    return {}


def _write_memo(memo: Path, entries: dict[str, tuple[Stamp, str]]) -> None:
    there = {path: [*entry] for path, entry in sorted(entries.items()) if Path(path).exists()}
    with contextlib.suppress(StorageError):
        write_json(memo, {"format": _MEMO_FORMAT, "version": _MEMO_VERSION, "files": there})
