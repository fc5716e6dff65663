"""Random numbers with an address: the same name gives the same number, in any order, on any day."""

from __future__ import annotations

from functools import lru_cache

from splatfilm.base.hashing import hash_value


@lru_cache(maxsize=4096)
def random_at(*address: str | int) -> float:
    """A number in 0..1 (1 excluded) that belongs to `address`: scene, who or what, scene frame, purpose."""
    return int(hash_value(list(address))[:13], 16) / float(1 << 52)
