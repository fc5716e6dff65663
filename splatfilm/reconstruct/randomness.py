"""Random numbers with an address: each draw has a key, and no draw depends on how many came before it.

A training that is resumed at step 5000 draws the same numbers at step 5001 as one that was never interrupted.
"""

from __future__ import annotations

import numpy as np

from splatfilm.base.hashing import hash_value


def generator(anchor: str, purpose: str, index: int) -> np.random.Generator:
    """numpy's counter-based Philox, keyed by what the numbers belong to, what they are for, and the step or epoch."""
    digest = hash_value([anchor, purpose, index])
    return np.random.Generator(np.random.Philox(key=int(digest[:32], 16)))
