"""Run every benchmark in turn and pass their rows through; `make bench`.

`--keep` also writes them, after a line that says when and on what, to `benchmarks/results/`; other options go to the
scripts.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.report import hardware

ORDER = (
    *("start", "cast", "raster", "passes", "lens", "refine", "compare", "studio", "cut"),
    *("reconstruct", "refiner", "face", "truth", "film", "bake", "comparison", "refined_film"),
)
"""From seconds to minutes."""

RESULTS = Path(__file__).resolve().parent / "results"


def main(options: list[str]) -> int:
    """Exit status 1 when one of the scripts failed or, with `--check`, missed a target."""
    today = datetime.date.today().isoformat()
    kept = [json.dumps({"date": today, "hardware": hardware()})]
    failed = False
    for name in ORDER:
        print(f"\n{name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *(o for o in options if o != "--keep")]
        done = subprocess.run(command, cwd=RESULTS.parent.parent, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="", flush=True)
        kept += done.stdout.splitlines()
        failed = failed or done.returncode != 0
    if "--keep" in options:
        file = RESULTS / f"{today}-{hardware()['cpu']}.jsonl".replace(" ", "-").lower()
        file.write_text("\n".join(kept) + "\n", encoding="utf-8")
        print(f"kept in {file}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
