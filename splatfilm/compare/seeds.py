"""Seeds that anybody can find again: a rule, not a number that somebody liked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

MODES = {
    "per-shot": "another seed for every shot and take, as models are used",
    "one": "one seed for all shots of a take, as users hope to keep a room",
    "twice": "every take made twice from one seed, to see whether a seed is honoured",
}


@dataclass(frozen=True)
class SeededTake:
    """One take to be made: its number, and the seed of each shot by the rule."""

    take: int
    scene: str
    mode: str

    def seed(self, shot: str) -> int:
        """The shot's seed in this take."""
        if self.mode == "one":
            return seed_of(self.scene, "", self.take)
        return seed_of(self.scene, shot, (self.take + 1) // 2 if self.mode == "twice" else self.take)


def seed_of(scene: str, shot: str, take: int) -> int:
    """The first eight hex digits of SHA-256 of `scene|shot|take`."""
    return int(hashlib.sha256(f"{scene}|{shot}|{take}".encode()).hexdigest()[:8], 16)


def seeded_takes(scene: str, takes: int, mode: str) -> Iterator[SeededTake]:
    """The takes of a mode; `twice` makes each of them two times, as takes 1 and 2, 3 and 4."""
    for take in range(1, (2 * takes if mode == "twice" else takes) + 1):
        yield SeededTake(take, scene, mode)
