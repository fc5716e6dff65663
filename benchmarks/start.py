"""Claim: Splatfilm answers at once. `import splatfilm` and `splatfilm --help` take under half a second, without torch.

Each figure is the median wall time of whole processes, beside a bare `python -c pass` run in turn with them.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.report import Row, alternate, main


def measure() -> list[Row]:
    """Rows for the import, the help page and the bare interpreter."""
    python = sys.executable
    commands = {
        "python": [python, "-c", "pass"],
        "import": [python, "-c", "import splatfilm"],
        "help": [python, "-m", "splatfilm", "--help"],
    }
    run = partial(subprocess.run, stdout=subprocess.DEVNULL, check=True)
    seconds = alternate({name: partial(run, command) for name, command in commands.items()})
    return [
        Row("start/bare-python", seconds["python"], "s"),
        Row("start/import-splatfilm", seconds["import"], "s", 0.5),
        Row("start/splatfilm-help", seconds["help"], "s", 0.5),
    ]


if __name__ == "__main__":
    main(__doc__ or "", measure)
