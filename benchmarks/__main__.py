"""Run every benchmark in turn and pass their rows through; `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ORDER = ("start", "raster", "reconstruct", "film")
"""From seconds to minutes."""


def main() -> int:
    """Exit status 1 when one of the scripts failed or, with `--check`, missed a target."""
    root = Path(__file__).resolve().parent.parent
    worst = 0
    for name in ORDER:
        print(f"\n{name}", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], cwd=root, check=False)
        worst = max(worst, abs(done.returncode))
    return min(worst, 1)


if __name__ == "__main__":
    sys.exit(main())
