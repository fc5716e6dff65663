"""Random numbers with an address: the same name gives the same number, in any order, on any day."""

from __future__ import annotations

from splatfilm.base.hashing import hash_value


def random_at(*address: str | int) -> float:
    """A number in 0..1 (1 excluded) that belongs to `address`: scene, who or what, scene frame, purpose."""
    return int(hash_value(list(address))[:13], 16) / float(1 << 52)
