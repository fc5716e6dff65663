"""The standard 3DGS PLY: the master format, as every 3DGS tool reads and writes it.

A `vertex` element with x y z, f_dc_0..2, f_rest_0.. (channel-major: all red coefficients, then green, then blue),
opacity (logit), scale_0..2 (natural logarithm), rot_0..3 (wxyz); the layout of Kerbl et al., "3D Gaussian Splatting
for Real-Time Radiance Field Rendering", 2023. What is exact and what is not: docs/splats.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.base.files import atomic_path
from splatfilm.splats.activations import (
    logits_from_opacities,
    logs_from_scales,
    opacities_from_logits,
    scales_from_logs,
)
from splatfilm.splats.arrays import Float32, SplatArrays, arrays_of
from splatfilm.splats.checks import PropertyNames, check, normalise_quats, value_problems
from splatfilm.splats.ply_header import Element, PlyHeader
from splatfilm.splats.ply_rows import Table, tables

if TYPE_CHECKING:
    from splatfilm.splats.splats import RenderMode, Splats

MEANS = ("x", "y", "z")
DC = ("f_dc_0", "f_dc_1", "f_dc_2")
SCALES = ("scale_0", "scale_1", "scale_2")
QUATS = ("rot_0", "rot_1", "rot_2", "rot_3")
REQUIRED = (*MEANS, *DC, "opacity", *SCALES, *QUATS)
REST_COUNTS = {0: 1, 9: 4, 24: 9, 45: 16}  # number of f_rest properties -> coefficients a channel
MODE_WORDS: dict[str, RenderMode] = {"default": "classic", "mip": "antialiased"}
BLOCK_ROWS = 1 << 14


@dataclass(frozen=True)
class Layout:
    """Where a standard PLY keeps what; made by `layout_of`, which checks it."""

    header: PlyHeader
    vertex: Element
    basis: int
    mode: RenderMode


def layout_of(header: PlyHeader) -> Layout:
    """Find the splats in a header. Raises `InputError` naming every property that is missing, or what else is wrong."""
    vertex = header.element("vertex")
    if vertex is None:
        found = ", ".join(element.name for element in header.elements) or "none"
        header.refuse(f'has no element "vertex" (elements: {found})')
    missing = [name for name in REQUIRED if name not in vertex.names]
    if missing:
        raise InputError([_missing(header, vertex, name) for name in missing])
    basis = rest_basis(header, vertex)
    if not vertex.count:
        header.refuse("holds no splats")
    return Layout(header, vertex, basis, render_mode(header))


def rest_basis(header: PlyHeader, element: Element) -> int:
    """Coefficients a channel, from the f_rest properties of an element."""
    numbers = sorted(int(name[7:]) for name in element.names if re.fullmatch(r"f_rest_[0-9]{1,6}", name))
    if len(numbers) not in REST_COUNTS:
        header.refuse(
            f"has {len(numbers)} f_rest properties, must have 0, 9, 24 or 45 (spherical harmonics of degree 0 to 3)"
        )
    wanted = rest_names(len(numbers))
    if absent := [name for name in wanted if name not in element.names]:
        header.refuse(
            f"has {len(numbers)} f_rest properties, but not {absent[0]}: they must be numbered from 0 without gaps"
        )
    return REST_COUNTS[len(numbers)]


def rest_names(count: int) -> tuple[str, ...]:
    return tuple(f"f_rest_{number}" for number in range(count))


def render_mode(header: PlyHeader) -> RenderMode:
    """How the splats were trained, from `comment SplatRenderMode: default|mip` or Postshot's `comment antialiased 0|1`.

    Classic when no comment says anything. Raises `InputError` for another word or two comments that contradict.
    """
    found: set[RenderMode] = set()
    for comment in header.comments:
        if match := re.match(r"splatrendermode\s*:?\s*(.*)", comment, re.IGNORECASE):
            word = match[1].strip().lower()
            if word == "2dgs":
                header.refuse("comment SplatRenderMode: 2dgs: flat 2D Gaussians cannot be drawn as 3D ones")
            if word not in MODE_WORDS:
                header.refuse(f"comment SplatRenderMode is {match[1][:40]!r}, must be default or mip")
            found.add(MODE_WORDS[word])
        elif match := re.fullmatch(r"antialiased\s*[:=]?\s*([01])", comment, re.IGNORECASE):
            found.add("antialiased" if match[1] == "1" else "classic")
    if len(found) > 1:
        header.refuse("comments SplatRenderMode and antialiased contradict each other")
    return found.pop() if found else "classic"


def read_ply(header: PlyHeader) -> Splats:
    """The splats of a standard 3DGS PLY. Raises `InputError` for everything that is wrong with it."""
    layout = layout_of(header)
    header.check_size()
    channel_major = rest_names(3 * (layout.basis - 1))
    sh_names = DC + tuple(channel_major[c * (layout.basis - 1) + k] for k in range(layout.basis - 1) for c in range(3))
    names = (*MEANS, *QUATS, *SCALES, "opacity", *sh_names)
    values = SplatArrays.empty(layout.vertex.count, layout.basis)
    wrong = _FirstNonFinite(names)
    for start, table in tables(header, layout.vertex, names):
        wrong.look(start, table)
        _fill(values, start, table)
    problems = wrong.problems or value_problems(values, PropertyNames(MEANS, QUATS, SCALES, ("opacity",), sh_names))
    if problems:
        raise InputError([Problem(str(header.path), p.place, p.message) for p in problems])
    normalise_quats(values.quats)
    return values.splats(layout.mode)


def write_ply(path: str | PathLike[str], splats: Splats) -> None:
    """Write a standard 3DGS PLY: binary little endian, float32, zero normals, `SplatRenderMode` in a comment.

    Atomic, and the same splats always give the same bytes; splats that a rig has moved are baked. Raises
    `InputError` for splats that `check` refuses and `StorageError` when the disk does.
    """
    from splatfilm.splats.posed import baked

    values = arrays_of(baked(check(splats, path, "splats to write")))
    count, basis = values.sh.shape[:2]
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(_header_text(count, basis, splats.mode).encode("ascii"))
        for start in range(0, count, BLOCK_ROWS):
            stream.write(_rows(values, slice(start, start + BLOCK_ROWS)).data)


def _missing(header: PlyHeader, vertex: Element, name: str) -> Problem:
    others = [other for other in vertex.names if other not in REQUIRED]
    return Problem(str(header.path), 'element "vertex"', f"property {name} is missing{did_you_mean(name, others)}")


def _fill(values: SplatArrays, start: int, table: Table) -> None:
    rows = slice(start, start + len(table))
    with np.errstate(over="ignore"):
        values.means[rows] = table[:, 0:3]
        values.quats[rows] = table[:, 3:7]
        values.sh[rows] = table[:, 11:].reshape(len(table), -1, 3)
    values.scales[rows] = scales_from_logs(table[:, 7:10])
    values.opacities[rows] = opacities_from_logits(table[:, 10])


class _FirstNonFinite:
    """Looks for NaN and infinity as they stand in the file, before an activation can hide them.

    An opacity of +-infinity is let through: it is the exact logit of 1 and 0, and converters from 8-bit formats
    (splat-transform among them) write it for every opaque splat.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._first = ""
        self._message = ""
        self._count = 0

    def look(self, start: int, table: Table) -> None:
        if np.isfinite(table).all():
            return
        wrong = ~np.isfinite(table)
        opacity = self._names.index("opacity")
        wrong[:, opacity] = np.isnan(table[:, opacity])
        if not wrong.any():
            return
        rows = wrong.any(axis=1)
        if not self._count:
            row = int(rows.argmax())
            column = int(wrong[row].argmax())
            self._first = f"splat {start + row}"
            self._message = f"{self._names[column]} is {table[row, column]}, must be finite"
        self._count += int(np.count_nonzero(rows))

    @property
    def problems(self) -> list[Problem]:
        more = f" ({self._count} splats)" if self._count > 1 else ""
        return [Problem("", self._first, self._message + more)] if self._count else []


def _header_text(count: int, basis: int, mode: RenderMode) -> str:
    word = next(word for word, meaning in MODE_WORDS.items() if meaning == mode)
    names = (*MEANS, "nx", "ny", "nz", *DC, *rest_names(3 * (basis - 1)), "opacity", *SCALES, *QUATS)
    lines = ["ply", "format binary_little_endian 1.0", f"comment SplatRenderMode: {word}", f"element vertex {count}"]
    return "\n".join([*lines, *(f"property float {name}" for name in names), "end_header", ""])


def _rows(values: SplatArrays, rows: slice) -> Float32:  # -> [n, properties]
    """Some rows as they stand on disk. Normals are there, zero: the oldest viewers read rows at fixed offsets."""
    sh = values.sh[rows]
    rest = 3 * (sh.shape[1] - 1)
    table = np.zeros((len(sh), 17 + rest), dtype="<f4")
    table[:, 0:3] = values.means[rows]
    table[:, 6:9] = sh[:, 0]
    table[:, 9 : 9 + rest] = sh[:, 1:].transpose(0, 2, 1).reshape(len(sh), rest)
    table[:, 9 + rest] = logits_from_opacities(values.opacities[rows])
    table[:, 10 + rest : 13 + rest] = logs_from_scales(values.scales[rows])
    table[:, 13 + rest :] = values.quats[rows]
    return table
