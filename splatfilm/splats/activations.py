"""Between what a 3DGS file holds (log scales, logit opacities) and what a renderer takes (metres, 0..1).

Computed in float64 and rounded once to float32. Both maps are monotone, and each inverse picks the nearest float32, so
wherever the file's grid is finer than memory's, memory survives a trip to disk to the bit; wherever it is coarser, the
file does. Either way a file that was written, read and written again has the same bytes. (Two different logits beyond
about 4 may share one opacity, since float32 is coarse near 1: the file's own bits are not kept, its picture is.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]

LOWEST_LOGIT = -104.0  # written for opacity 0, whose logit is -infinity; reads back as exactly 0 in float32
HIGHEST_LOGIT = 17.5  # written for opacity 1; reads back as exactly 1 in float32


def scales_from_logs(logs: Floats) -> NDArray[np.float32]:
    """Metres from natural logarithms; beyond float32's range 0 or infinity, which `checks` refuses."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.exp(logs, dtype=np.float64).astype(np.float32)


def logs_from_scales(scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithms of metres > 0, each the float32 nearest to the true value of what will be read back.

    Twice, because at e, where the logarithms' grid becomes finer than that of the sizes, one float32 would otherwise
    need two round trips to settle.
    """
    once = np.log(scales, dtype=np.float64).astype(np.float32)
    return np.log(scales_from_logs(once), dtype=np.float64).astype(np.float32)


def opacities_from_logits(logits: Floats) -> NDArray[np.float32]:
    """1 / (1 + e^-logit)."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = np.exp(-logits.astype(np.float64))
        values += 1.0
        return np.asarray(1.0 / values, dtype=np.float32)


def logits_from_opacities(opacities: NDArray[np.float32]) -> NDArray[np.float32]:
    """The float32 nearest to ln(o / (1 - o)) for opacities 0..1, finite at both ends."""
    values = opacities.astype(np.float64)
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    return np.asarray(np.clip(logits, LOWEST_LOGIT, HIGHEST_LOGIT), dtype=np.float32)
