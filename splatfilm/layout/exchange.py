"""Camera files in and out as text: what a page or a script hands over, without a file of its own."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.cameras import CameraPath, load_path
from splatfilm.cameras.camera_file import camera_bytes
from splatfilm.cameras.nerfstudio_path import write_nerfstudio_path
from splatfilm.layout.state import State

EXPORTS: Mapping[str, str] = {"splatfilm": "Splatfilm camera file", "nerfstudio": "nerfstudio camera path"}
"""What a camera can be written as, by the name that commands use."""


def imported(text: str, first_frame: int) -> CameraPath:
    """The move that a camera file's text holds, of any format that is read; a move without scene frames of its own
    begins at `first_frame`. Raises `InputError` with what is wrong, the file called "the camera file"."""
    with tempfile.TemporaryDirectory(prefix="splatfilm-") as folder:
        file = Path(folder) / "camera.json"
        file.write_text(text, encoding="utf-8")
        try:
            return dataclasses.replace(load_path(file, first_frame=first_frame), notes=())
        except InputError as error:
            told = [dataclasses.replace(p, path="the camera file") for p in error.problems]
            raise InputError(told) from None


def exported(state: State, name: str, kind: str) -> bytes:
    """A shot's camera, its lens as the shot sees it, as a file of a kind in `EXPORTS`.

    Raises `ValueError` for no such kind, `KeyError` for no such shot, `InputError` for a broken camera file.
    """
    if kind not in EXPORTS:
        raise ValueError(f"cannot export as {kind!r}; there is {', '.join(EXPORTS)}{did_you_mean(kind, EXPORTS)}")
    shot, camera, head = state.shot(name), state.seen(name), state.head
    if kind == "splatfilm":
        return camera_bytes(camera)
    if head is None:
        raise ValueError("the film's size and rate are not known: mend [film] in the film file first")
    with tempfile.TemporaryDirectory(prefix="splatfilm-") as folder:
        file = Path(folder) / "camera_path.json"
        write_nerfstudio_path(file, camera, tuple(shot.frames), head.size, head.rate)
        return file.read_bytes()
