"""Which camera files can be read, and the one door through which everybody reads them.

A file's format is found from what it says, never from its name: every tool calls its file `camera_path.json`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.cameras import camera_file, nerfstudio_path
from splatfilm.cameras.document import Document, describe, open_document
from splatfilm.cameras.path import CameraPath

FIRST_FRAME = 1001
"""The scene frame of a move whose file has no frame numbers of its own."""


@dataclass(frozen=True)
class PathFormat:
    """One kind of file that holds a camera's move. `read` gets the parsed file and the first scene frame."""

    name: str
    recognises: Callable[[Any], bool]
    read: Callable[[Document, int], CameraPath]


FORMATS = (
    PathFormat(
        "Splatfilm camera file", camera_file.recognises, lambda document, _: camera_file.from_document(document)
    ),
    PathFormat("nerfstudio camera path", nerfstudio_path.recognises, nerfstudio_path.from_document),
)
"""Asked in this order; the first that recognises a file reads it."""


def load_path(
    path: str | os.PathLike[str],
    lens_changes: Mapping[str, object] = MappingProxyType({}),
    first_frame: int = FIRST_FRAME,
) -> CameraPath:
    """Read a camera's move from a file of any known format.

    `lens_changes` replaces fields of the file's `Lens` by name, a keyed focal length or focus with it. `first_frame` is
    where a move begins whose file knows no scene frames. Raises `InputError`: no such file, no known format, or
    everything that is wrong in it.
    """
    if Path(path).is_dir():
        raise InputError.at(path, "is a folder; expected a camera file")
    document = open_document(path)
    for kind in FORMATS:
        if kind.recognises(document.value):
            camera = kind.read(document, first_frame)
            break
    else:
        document.refuse(_unknown(document.value))
    try:
        return camera.with_lens(lens_changes)
    except ValueError as error:
        raise InputError.at(path, f"the lens asked for does not fit: {error}") from error


def _unknown(value: Any) -> str:
    known = " or a ".join(kind.name for kind in FORMATS)
    found = f"an object with {', '.join(list(value)[:8])}" if isinstance(value, dict) and value else describe(value)
    hint = ""
    if isinstance(value, dict) and isinstance(value.get("frames"), list):
        first = value["frames"][0] if value["frames"] else None
        if isinstance(first, dict) and "transform_matrix" in first:
            hint = "; this is a transforms.json: a capture's photographs, not a camera's move"
        else:
            hint = "; it may be another tool's file of the same name"
    return f"expected a {known}, found {found}{hint}"
