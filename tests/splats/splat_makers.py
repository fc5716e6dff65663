"""Small splats and PLY files for tests, written here without the code under test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from splatfilm.splats import RenderMode, Splats

DEGREE_BASIS = {0: 1, 1: 4, 2: 9, 3: 16}


def random_splats(count: int = 50, degree: int = 3, seed: int = 0, mode: RenderMode = "classic") -> Splats:
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(count, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

    return Splats(
        means=tensor(rng.normal(size=(count, 3))),
        quats=tensor(quats),
        scales=tensor(np.exp(rng.normal(-4, 1.5, size=(count, 3)))),
        opacities=tensor(rng.uniform(0.01, 0.99, size=count)),
        sh=tensor(rng.normal(0, 0.3, size=(count, DEGREE_BASIS[degree], 3))),
        mode=mode,
    )


def assert_same_bits(a: Splats, b: Splats) -> None:
    assert a.mode == b.mode
    for name in ("means", "quats", "scales", "opacities", "sh"):
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype and torch.equal(left, right), name


def standard_columns(count: int, rest: int = 0, seed: int = 0) -> dict[str, np.ndarray]:
    """Columns of a standard 3DGS PLY as they stand on disk, in the usual order, float32."""
    rng = np.random.default_rng(seed)
    names = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    names += [f"f_rest_{i}" for i in range(rest)]
    names += ["opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
    return {name: rng.normal(size=count).astype(np.float32) for name in names}


PLY_TYPES = {
    "i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort",
    "i4": "int", "u4": "uint", "f4": "float", "f8": "double",
}  # fmt: skip


def header_text(
    columns: dict[str, np.ndarray], form: str = "binary_little_endian", comments: tuple[str, ...] = (), eol: str = "\n"
) -> bytes:
    count = len(next(iter(columns.values())))
    lines = ["ply", f"format {form} 1.0", *(f"comment {c}" for c in comments), f"element vertex {count}"]
    lines += [f"property {PLY_TYPES[c.dtype.str[1:]]} {name}" for name, c in columns.items()]
    return eol.join([*lines, "end_header", ""]).encode()


def write_columns(
    path: Path,
    columns: dict[str, np.ndarray],
    form: str = "binary_little_endian",
    comments: tuple[str, ...] = (),
    eol: str = "\n",
) -> Path:
    """A PLY with these columns, one by one as given, each of its own type."""
    count = len(next(iter(columns.values())))
    head = header_text(columns, form, comments, eol)
    if form == "ascii":
        rows = (eol.join(" ".join(repr(c[i].item()) for c in columns.values()) for i in range(count)) + eol).encode()
    else:
        order = "<" if "little" in form else ">"
        table = np.empty(count, dtype=[(name, order + c.dtype.str[1:]) for name, c in columns.items()])
        for name, column in columns.items():
            table[name] = column
        rows = table.tobytes()
    path.write_bytes(head + rows)
    return path
