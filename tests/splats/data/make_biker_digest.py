"""What gsply, a reader by others, finds in the shared biker; run by hand: `python make_biker_digest.py BIKER_FOLDER`.

Needs gsply[spz] 0.4.6. Writes `biker_digest.json` beside this file: means and bounds of every column in float64 and
some rows, as gsply gives them (log scales, logit opacities), for the compressed PLY and, positions only, for the SPZ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gsply
import numpy as np

ROWS = (0, 1, 255, 256, 257, 12_345, 77_777, 152_575, 152_576, 152_745)


def column(values: np.ndarray) -> dict[str, list[float]]:
    wide = values.astype(np.float64)
    return {"mean": wide.mean(axis=0).tolist(), "min": wide.min(axis=0).tolist(), "max": wide.max(axis=0).tolist()}


def main(folder: Path) -> None:
    packed = gsply.plyread(str(folder / "biker.compressed.ply"))
    spz = gsply.read_spz(str(folder / "biker.spz"))
    columns = {
        "means": packed.means,
        "quats": packed.quats,
        "log_scales": packed.scales,
        "logit_opacities": packed.opacities[:, None],
        "dc": packed.sh0,
    }
    digest = {
        "reader": f"gsply {gsply.__version__}",
        "count": len(packed.means),
        "columns": {name: column(values) for name, values in columns.items()},
        "rows": {row: {name: values[row].tolist() for name, values in columns.items()} for row in ROWS},
        "spz_means": column(spz.means),
    }
    (Path(__file__).parent / "biker_digest.json").write_text(json.dumps(digest, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
