"""SuperSplat's compressed PLY, read for delivery files and downloads; about 16 bytes a splat, lossy.

Splats stand in chunks of 256. A `chunk` row holds the bounds of positions, log scales and (in newer files) colours; a
`vertex` row holds four 32-bit words: position 11-10-11 bits between the bounds, rotation as the index of its largest
component and the other three in 10 bits each, scale 11-10-11, colour and opacity 8-8-8-8. An optional `sh` element
holds f_rest in one byte each over -4..4, channel-major. Format: the documentation of PlayCanvas' SuperSplat.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, Problem
from splatfilm.splats.activations import scales_from_logs
from splatfilm.splats.arrays import SplatArrays
from splatfilm.splats.checks import normalise_quats, value_problems
from splatfilm.splats.ply import render_mode, rest_basis, rest_names
from splatfilm.splats.ply_header import Element, PlyHeader
from splatfilm.splats.ply_rows import Table, tables

if TYPE_CHECKING:
    from splatfilm.splats.splats import RenderMode, Splats

Array = NDArray[np.float64]
Words = NDArray[np.uint32]

CHUNK = 256
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
POSITION_BOUNDS = ("min_x", "min_y", "min_z", "max_x", "max_y", "max_z")
SCALE_BOUNDS = tuple(f"{end}_scale_{axis}" for end in ("min", "max") for axis in "xyz")
COLOUR_BOUNDS = ("min_r", "min_g", "min_b", "max_r", "max_g", "max_b")
SH_SPAN = 8.0  # the bytes of f_rest stand for -4..4
C0 = 0.28209479177387814  # 1 / (2 sqrt(pi)), the constant spherical harmonic: colours are stored, coefficients are kept


@dataclass(frozen=True)
class PackedLayout:
    """Where a compressed PLY keeps what; made by `layout_of`, which checks it."""

    header: PlyHeader
    chunk: Element
    vertex: Element
    sh: Element | None
    basis: int
    mode: RenderMode

    @property
    def has_colour_bounds(self) -> bool:
        return COLOUR_BOUNDS[0] in self.chunk.names


def is_compressed(header: PlyHeader) -> bool:
    """Whether the header has packed splats, whatever else may be wrong with it."""
    vertex = header.element("vertex")
    return vertex is not None and any(name in vertex.names for name in PACKED)


def layout_of(header: PlyHeader) -> PackedLayout:
    """Find the packed splats in a header. Raises `InputError` with everything that is missing or does not fit."""
    chunk, vertex, sh = (header.element(name) for name in ("chunk", "vertex", "sh"))
    if vertex is None or chunk is None:
        header.refuse('has packed splats, but no element "chunk" with their bounds')
    bounds = POSITION_BOUNDS + SCALE_BOUNDS
    if any(name in chunk.names for name in COLOUR_BOUNDS):
        bounds += COLOUR_BOUNDS
    problems = _missing(header, chunk, bounds) + _missing(header, vertex, PACKED)
    for name in PACKED:
        code = next((p.code for p in vertex.properties if p.name == name), "u4")
        if code != "u4":
            problems.append(Problem(str(header.path), 'element "vertex"', f"{name} must be of type uint"))
    if problems:
        raise InputError(problems)
    if not vertex.count:
        header.refuse("holds no splats")
    chunks = -(-vertex.count // CHUNK)
    if chunk.count != chunks:
        header.refuse(
            f"has {chunk.count:,} chunks for {vertex.count:,} splats, must have {chunks:,} (one for every {CHUNK})"
        )
    basis = 1
    if sh is not None:
        basis = rest_basis(header, sh)
        if sh.count != vertex.count:
            header.refuse(f'element "sh" has {sh.count:,} rows for {vertex.count:,} splats')
        if wrong := [p.name for p in sh.properties if p.code != "u1"]:
            header.refuse(f'element "sh": {wrong[0]} must be of type uchar')
        if basis == 1:
            sh = None
    return PackedLayout(header, chunk, vertex, sh, basis, render_mode(header))


def read(header: PlyHeader) -> Splats:
    """The splats of a compressed PLY. Raises `InputError` for everything that is wrong with it."""
    layout = layout_of(header)
    header.check_size()
    values = SplatArrays.empty(layout.vertex.count, layout.basis)
    bounds = _bounds(layout)
    for start, table in tables(header, layout.vertex, PACKED):
        rows = slice(start, start + len(table))
        _unpack(values, rows, _words(layout, start, table), bounds[np.arange(rows.start, rows.stop) // CHUNK])
    if layout.sh is not None:
        per_channel = layout.basis - 1
        for start, table in tables(header, layout.sh, rest_names(3 * per_channel)):
            bytes_ = table.reshape(len(table), 3, per_channel).transpose(0, 2, 1)
            values.sh[start : start + len(table), 1:] = _sh_value(bytes_)
    if problems := value_problems(values):
        raise InputError([Problem(str(header.path), p.place, p.message) for p in problems])
    normalise_quats(values.quats)
    return values.splats(layout.mode)


def _missing(header: PlyHeader, element: Element, names: tuple[str, ...]) -> list[Problem]:
    place = f'element "{element.name}"'
    return [
        Problem(str(header.path), place, f"property {name} is missing") for name in names if name not in element.names
    ]


def _bounds(layout: PackedLayout) -> Array:  # -> [chunks, 18]
    """Bounds of position, log scale and colour of every chunk; colours lie between 0 and 1 where none are given."""
    names = POSITION_BOUNDS + SCALE_BOUNDS + (COLOUR_BOUNDS if layout.has_colour_bounds else ())
    bounds = np.empty((layout.chunk.count, 18))
    bounds[:, 12:15], bounds[:, 15:18] = 0.0, 1.0
    for start, table in tables(layout.header, layout.chunk, names):
        bounds[start : start + len(table), : len(names)] = table
    finite = np.isfinite(bounds)
    if not finite.all():
        row = int((~finite).any(axis=1).argmax())
        column = int((~finite[row]).argmax())
        message = f"{names[column]} is {bounds[row, column]}, must be finite"
        raise InputError.at(layout.header.path, message, place=f"chunk {row}")
    return bounds


def _words(layout: PackedLayout, start: int, table: Table) -> Words:  # [n, 4]
    """The packed words as they are; an ascii file may hold any number in their place."""
    if not layout.header.order:
        wrong = ~((table >= 0) & (table < 2**32) & (table == np.floor(table)))
        if wrong.any():
            row, column = (int(index) for index in np.argwhere(wrong)[0])
            message = f"{PACKED[column]} is {table[row, column]:.9g}, must be a whole number of 32 bits"
            raise InputError.at(layout.header.path, message, place=f"splat {start + row}")
    return table.astype(np.uint32)


def _unpack(values: SplatArrays, rows: slice, packed: Words, bounds: Array) -> None:  # [n, 4], [n, 18]
    position, rotation, scale, colour = packed.T
    with np.errstate(over="ignore"):
        values.means[rows] = _between(bounds[:, 0:3], bounds[:, 3:6], _three_values(position))
        rgb = _between(bounds[:, 12:15], bounds[:, 15:18], np.stack([_unit(colour, s, 8) for s in (24, 16, 8)], axis=1))
        values.sh[rows, 0] = (rgb - 0.5) / C0
    values.scales[rows] = scales_from_logs(_between(bounds[:, 6:9], bounds[:, 9:12], _three_values(scale)))
    values.quats[rows] = _quaternions(rotation)
    values.opacities[rows] = _unit(colour, 0, 8)


def _unit(words: Words, shift: int, bits: int) -> Array:
    """A field of `bits` bits as 0..1."""
    highest = (1 << bits) - 1
    result: Array = ((words >> np.uint32(shift)) & np.uint32(highest)) / float(highest)
    return result


def _three_values(words: Words) -> Array:  # [n] -> [n, 3]
    return np.stack([_unit(words, 21, 11), _unit(words, 11, 10), _unit(words, 0, 11)], axis=1)


def _between(low: Array, high: Array, t: Array) -> Array:
    result: Array = low * (1 - t) + high * t
    return result


def _quaternions(words: Words) -> Array:  # [n] -> [n, 4] wxyz
    """Smallest three: the top two bits say which component was dropped, the others lie in order within +-sqrt(1/2)."""
    others = np.stack([_unit(words, shift, 10) for shift in (20, 10, 0)], axis=1)
    others = (others - 0.5) * sqrt(2)
    dropped = np.sqrt(np.maximum(0.0, 1.0 - (others * others).sum(axis=1)))
    which = (words >> np.uint32(30)).astype(np.int64)
    rows = np.arange(len(words))
    result = np.empty((len(words), 4))
    places = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])[which]
    result[rows[:, None], places] = others
    result[rows, which] = dropped
    return result


def _sh_value(bytes_: NDArray[np.floating]) -> Array:
    """Middle of each byte's interval, but the two ends are the ends."""
    middle = (bytes_.astype(np.float64) + 0.5) / 256
    return (np.where(bytes_ == 0, 0.0, np.where(bytes_ == 255, 1.0, middle)) - 0.5) * SH_SPAN
