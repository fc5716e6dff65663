"""How far ahead one method is of another over a film's pairs of shots, and how sure that is.

Takes and pairs are few, so the answer is an interval: a paired bootstrap (Efron 1979) draws pairs of shots anew, and
within each the takes, so that neither a lucky take nor a lucky cut decides. A best take is never chosen.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from splatfilm.base.hashing import hash_value
from splatfilm.compare.scores import MethodScores

DRAWS = 4000
INTERVAL = (2.5, 97.5)  # percent
FEWEST_PAIRS = 3  # of shots: with fewer, drawing them anew says nothing

Values = Mapping[tuple[str, str], Sequence[float]]  # (A, B) -> FSC of every take


@dataclass(frozen=True)
class Ahead:
    """FSC of one method less FSC of another, over the same pairs of shots; `low` to `high` holds 95 % of the draws."""

    difference: float
    low: float | None  # None with fewer than `FEWEST_PAIRS` pairs
    high: float | None
    pairs: int
    takes: int  # of the other method, in all

    @property
    def words(self) -> str:
        """As a person reads it."""
        shots = f"{self.pairs} pair{'s' if self.pairs != 1 else ''} of shots, {self.takes} takes"
        if self.low is None or self.high is None:
            return f"{_signed(self.difference)} over {shots}: too few for an interval"
        return f"{_signed(self.difference)} ({_signed(self.low)} to {_signed(self.high)}) over {shots}"


def continuity_values(scores: MethodScores) -> Values:
    """FSC by pair of shots, one a take; what a guard blocked or what shares too little has none."""
    found: dict[tuple[str, str], list[float]] = {}
    for pair in scores.pairs:
        if pair.continuity is not None and pair.continuity.score.value is not None:
            found.setdefault((pair.a, pair.b), []).append(pair.continuity.score.value)
    return found


def ahead(ours: Values, theirs: Values, key: str) -> Ahead | None:
    """How far `ours` is ahead of `theirs`; None where no pair of shots has both. `key` addresses the draws."""
    both = sorted(set(ours) & set(theirs))
    if not both:
        return None
    difference = statistics.mean(statistics.median(ours[pair]) - statistics.median(theirs[pair]) for pair in both)
    takes = sum(len(theirs[pair]) for pair in both)
    if len(both) < FEWEST_PAIRS:
        return Ahead(difference, None, None, len(both), takes)
    random = np.random.default_rng(int(hash_value(["ahead", key, [list(pair) for pair in both]])[:16], 16))
    drawn = np.empty(DRAWS)
    for draw in range(DRAWS):
        chosen = [both[k] for k in random.integers(len(both), size=len(both))]
        drawn[draw] = np.mean([_take_median(ours[p], random) - _take_median(theirs[p], random) for p in chosen])
    low, high = np.percentile(drawn, INTERVAL)
    return Ahead(difference, float(low), float(high), len(both), takes)


def _take_median(values: Sequence[float], random: np.random.Generator) -> float:
    if len(values) == 1:
        return values[0]
    return float(np.median([values[k] for k in random.integers(len(values), size=len(values))]))


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}"  # there is no -0.00
