"""The known splats and their photographs, which the tests of reconstruction have."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "reconstruct"))
