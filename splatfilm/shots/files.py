"""Which files a frame becomes, given the passes that are asked for and the film's `files`; and reading them back.

`auto` writes PNG where PNG holds the pass and an EXR file for each other one. With `exr` all passes are the layers of
one file (with `exr-parts` its parts), and the 8-bit beauty stands beside it: the cut and the contact sheet show that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from splatfilm.film.model import PNG_CANNOT, Files
from splatfilm.shots import exr
from splatfilm.shots.pictures import hash_pixels, read_picture, read_text

Kind = Literal["png8", "png16", "exr", "exr-parts"]

LAYERS = "layers"
"""The name of the file that holds all passes."""

_SIXTEEN_BIT = ("depth", "depth-median", "depth-front", "normal", "occlusion")  # in every PNG: 8 bits would be too few


@dataclass(frozen=True)
class PictureFile:
    """One file of every frame. `name` stands in the file's name and in the manifest."""

    name: str
    kind: Kind
    passes: tuple[str, ...]

    @property
    def is_exr(self) -> bool:
        return self.kind in ("exr", "exr-parts")

    @property
    def suffix(self) -> str:
        return exr.SUFFIX if self.is_exr else ".png"

    @property
    def is_plain(self) -> bool:
        """A picture that the frame's key decides alone: the PNG that the pass has by default."""
        return not self.is_exr and self.kind == _png_kind(self.name, "png")


def files_of(passes: Sequence[str], files: Files) -> tuple[PictureFile, ...]:
    """The files of a frame with these passes, beauty first."""
    if files in ("exr", "exr-parts"):
        kind: Kind = "exr" if files == "exr" else "exr-parts"
        return PictureFile("beauty", "png8", ("beauty",)), PictureFile(LAYERS, kind, tuple(passes))
    return tuple(PictureFile(name, _kind(name, files), (name,)) for name in passes)


def read_back(path: Path) -> tuple[str, dict[str, str]]:
    """The hash of a picture's pixels, decoded, and what it says about itself. Raises `InputError`."""
    if path.suffix == exr.SUFFIX:
        channels, text = exr.read_exr(path)
        return exr.hash_channels(channels), text
    pixels, text = read_picture(path)
    return hash_pixels(pixels), text


def read_said(path: Path) -> dict[str, str]:
    """What a picture says about itself, without decoding it; empty when it says nothing."""
    return exr.read_exr_text(path) if path.suffix == exr.SUFFIX else read_text(path)


def _kind(pass_name: str, files: Files) -> Kind:
    if files == "auto" and (pass_name in PNG_CANNOT or pass_name == "normal"):
        return "exr"
    return _png_kind(pass_name, files)


def _png_kind(pass_name: str, files: Files) -> Kind:
    return "png16" if files == "png16" or pass_name in _SIXTEEN_BIT else "png8"
