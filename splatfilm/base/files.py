"""Files that are either whole or not there.

Everything that Splatfilm writes goes to a temporary name in the same folder, is flushed to the disk, and takes its
final name in one rename (DESIGN, rule 5). A kill at any moment leaves the old file or the new one, never half of one;
temporary names start with `TEMPORARY_PREFIX` and may be swept by whoever owns the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, StorageError

TEMPORARY_PREFIX = ".writing-"


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path` with the same suffix; on success it becomes `path`, on error it is removed.

    Creates the folder. Raises `StorageError` when the disk refuses; other errors of the body pass through.
    """
    final = Path(path)
    temporary: Path | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{final.suffix}"
        temporary.touch(exist_ok=False)
        yield temporary
        _publish(temporary, final)
    except OSError as error:
        raise StorageError(f"{final}: cannot write: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically. Raises `StorageError`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented UTF-8 JSON with a final newline, atomically. NaN and Infinity raise `ValueError`."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode("utf-8"))


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file. Raises `InputError` naming the file and line when it is missing, unreadable or no JSON."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.at(path, f"cannot be read: {error}") from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError.at(path, f"not valid JSON: {error.msg} (column {error.colno})", line=error.lineno) from error
    except RecursionError:
        raise InputError.at(path, "not valid JSON: nested too deeply") from None


def _publish(temporary: Path, final: Path) -> None:
    """Flush the file, give it its name, and flush the folder so that the name survives a crash of the machine."""
    with temporary.open("rb+") as written:
        os.fsync(written.fileno())
    temporary.replace(final)
    if os.name == "posix":
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
