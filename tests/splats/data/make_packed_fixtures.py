"""Compressed PLYs written by another tool from splats of our own; run by hand: `python make_packed_fixtures.py CLI`.

CLI is the `bin/cli.mjs` of the npm package @playcanvas/splat-transform (2.7.1 made the files here; it needs node 20).
For each case it compresses a standard PLY made here of random numbers, and lets the same tool unpack it again; beside
`packed_*.compressed.ply` goes `packed_*.json` with what the tool unpacked: float64 means of every column and some rows
whole. The tool sorts splats along a Morton curve, so rows do not stand in their first order.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CASES = {"degree0": (300, 0), "degree1": (257, 9), "degree3": (12, 45)}  # name: splats, f_rest properties


def standard_ply(count: int, rest: int) -> bytes:
    rng = np.random.default_rng(count)
    columns = {
        **{name: rng.normal(0, 2, count) for name in "xyz"},
        **{f"f_dc_{i}": rng.normal(0, 1.2, count) for i in range(3)},
        **{f"f_rest_{i}": rng.normal(0, 0.4, count) for i in range(rest)},
        "opacity": rng.normal(0, 3, count),
        **{f"scale_{i}": rng.normal(-4, 1.5, count) for i in range(3)},
        **{f"rot_{i}": rng.normal(0, 1, count) for i in range(4)},
    }
    columns["opacity"][:2] = 12, -12  # these become exactly opaque and exactly transparent
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {count}"]
    head += [*(f"property float {name}" for name in columns), "end_header", ""]
    return "\n".join(head).encode() + np.stack(list(columns.values()), axis=1).astype("<f4").tobytes()


def columns_of(path: Path) -> dict[str, np.ndarray]:
    head, data = path.read_bytes().split(b"end_header\n", 1)
    names = [line.split()[-1].decode() for line in head.splitlines() if line.startswith(b"property float ")]
    table = np.frombuffer(data, "<f4").reshape(-1, len(names))
    return {name: table[:, i] for i, name in enumerate(names)}


def finite(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def main(cli: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        for case, (count, rest) in CASES.items():
            plain, back = Path(name) / f"{case}.ply", Path(name) / f"{case}-back.ply"
            packed = HERE / f"packed_{case}.compressed.ply"
            plain.write_bytes(standard_ply(count, rest))
            for source, target in ((plain, packed), (packed, back)):
                subprocess.run(["node", cli, "-q", "-w", str(source), str(target)], check=True)
            columns = columns_of(back)
            rows = sorted({*range(0, count, count // 4), count - 1, min(256, count - 1)})
            digest = {
                "count": count,
                "f_rest": rest,
                "means": {n: float(c.mean(dtype=np.float64)) for n, c in columns.items() if np.isfinite(c).all()},
                "rows": {str(r): {n: finite(float(c[r])) for n, c in columns.items()} for r in rows},
            }
            (HERE / f"packed_{case}.json").write_text(json.dumps(digest, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
