"""Splat files told apart by what is in them, not by what they are called."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.splats import compressed_ply, ply
from splatfilm.splats.ply_header import PlyHeader, read_header
from splatfilm.splats.ply_rows import tables

if TYPE_CHECKING:
    from splatfilm.splats.splats import RenderMode, Splats

Corner = tuple[float, float, float]

_READS = "Splatfilm reads 3DGS PLY and SuperSplat compressed PLY"


@dataclass(frozen=True)
class SplatFile:
    """What a splat file's header tells."""

    container: Literal["ply", "compressed ply"]
    count: int
    sh_degree: int
    mode: RenderMode


def read_splats(path: str | PathLike[str]) -> Splats:
    """The splats in a file, on the CPU, checked, quaternions made unit.

    Raises `InputError` for a file that is damaged, holds bad numbers or holds no splats; for a splat format that is not
    read it says which one it is and what converts it.
    """
    header = _header(path)
    return compressed_ply.read(header) if compressed_ply.is_compressed(header) else ply.read_ply(header)


def inspect_splats(path: str | PathLike[str]) -> SplatFile:
    """What the header says, after comparing it with the file's length. Reads no splats and never imports torch."""
    header = _header(path)
    if compressed_ply.is_compressed(header):
        packed = compressed_ply.layout_of(header)
        header.check_size()
        return SplatFile("compressed ply", packed.vertex.count, _degree(packed.basis), packed.mode)
    layout = ply.layout_of(header)
    header.check_size()
    return SplatFile("ply", layout.vertex.count, _degree(layout.basis), layout.mode)


def splat_count(path: str | PathLike[str]) -> int:
    """How many splats a file holds, from its header."""
    return inspect_splats(path).count


def splat_bounds(path: str | PathLike[str]) -> tuple[Corner, Corner]:
    """The least and greatest corner of the box around all centres, in the file's units. Never imports torch.

    A standard PLY is read once for it; a compressed one keeps the bounds of its chunks, and only those are read.
    """
    header = _header(path)
    names: tuple[str, ...]
    if compressed_ply.is_compressed(header):
        element, names = compressed_ply.layout_of(header).chunk, compressed_ply.POSITION_BOUNDS
    else:
        element, names = ply.layout_of(header).vertex, ply.MEANS
    header.check_size()
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for _, table in tables(header, element, names):
        low = np.minimum(low, table[:, :3].min(axis=0))
        high = np.maximum(high, table[:, -3:].max(axis=0))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        header.refuse("has centres that are not finite numbers")
    return _corner(low), _corner(high)


def _corner(values: NDArray[np.float64]) -> Corner:
    x, y, z = values.tolist()
    return x, y, z


def _degree(basis: int) -> int:
    return {1: 0, 4: 1, 9: 2, 16: 3}[basis]


def _header(path: str | PathLike[str]) -> PlyHeader:
    """The header of a PLY file that holds splats; refuses everything else by name."""
    location = Path(path)
    if location.is_file():
        try:
            with location.open("rb") as stream:
                head = stream.read(64)
        except OSError as error:
            raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
        if not head:
            raise InputError.at(path, "is empty")
        if head[:3] != b"ply":
            _refuse_stranger(location, head)
    header = read_header(path)
    _refuse_other_ply(header)
    return header


def _refuse_stranger(path: Path, head: bytes) -> NoReturn:
    name = _stranger(path, head)
    if name is None:
        raise InputError.at(path, f"is no splat file that is known here; {_READS}")
    output = path.name.split(".")[0] + ".ply"
    raise InputError.at(
        path, f"is {name}; {_READS}: convert it with `npx @playcanvas/splat-transform {path.name} {output}`"
    )


def _stranger(path: Path, head: bytes) -> str | None:
    """What a file that is not a PLY is, if it is splats at all."""
    suffix = path.suffix.lower()
    if head[:4] == b"NGSP":
        return f"an SPZ file (version {int.from_bytes(head[4:8], 'little')})"
    if head[:2] == b"\x1f\x8b":
        inner = _gunzipped(path, 8)
        return f"an SPZ file (version {int.from_bytes(inner[4:8], 'little')})" if inner[:4] == b"NGSP" else None
    if head[:4] == b"PK\3\4":
        return "a SOG file" if _zip_holds(path, "meta.json") else None
    if head[:4] == b"glTF":
        return "a glTF file"
    if suffix == ".ksplat":
        return "a KSPLAT file"
    if suffix == ".splat" and path.stat().st_size % 32 == 0:
        return "a .splat file"
    return None


def _gunzipped(path: Path, length: int) -> bytes:
    try:
        with gzip.open(path) as stream:
            return stream.read(length)
    except (OSError, EOFError, zlib.error):
        return b""


def _zip_holds(path: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return name in archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _refuse_other_ply(header: PlyHeader) -> None:
    """A mesh or a point cloud is a good PLY without splats: say so, rather than list fourteen missing properties."""
    vertex = header.element("vertex")
    if vertex is None or compressed_ply.is_compressed(header):
        return
    if any(name in vertex.names for name in ("opacity", "f_dc_0", "scale_0", "rot_0")):
        return
    faces = header.element("face")
    what = "a mesh" if faces is not None and faces.count else "a point cloud"
    header.refuse(f"is {what} ({vertex.count:,} points), not splats: it has no opacity, f_dc, scale and rot properties")
