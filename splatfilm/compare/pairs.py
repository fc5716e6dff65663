"""Which shots of a film are to be held against each other: every cut, every overlap, everything that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

from splatfilm.compare.revisit import revisit_pairs
from splatfilm.compare.scores import PairKind
from splatfilm.compare.views import ShotTruth


@dataclass(frozen=True)
class PairSpec:
    """Two shots and how they are to be compared. `frames` are indices (in A, in B); empty: found by themselves.

    For an edit, `a` is the shot before it, `b` after it, and `object` what was edited.
    """

    kind: PairKind
    a: str
    b: str
    frames: tuple[tuple[int, int], ...] = ()
    object: str | None = None


def film_pairs(truths: Mapping[str, ShotTruth]) -> tuple[PairSpec, ...]:
    """Follow-ups, cuts first, and revisits between the shots of each scene, in film order.

    Which follow-ups see enough of the same is found when they are measured.
    """
    names = list(truths)
    same = [(a, b) for a, b in combinations(names, 2) if truths[a].scene == truths[b].scene]
    cuts = [pair for pair in pairwise(names) if pair in same]
    pairs = [PairSpec("follow-up", a, b) for a, b in dict.fromkeys([*cuts, *same])]
    for a, b in same:
        if frames := revisit_pairs(truths[a], truths[b]):
            pairs.append(PairSpec("revisit", a, b, frames))
    return tuple(pairs)


def is_cut(truths: Mapping[str, ShotTruth], pair: PairSpec) -> bool:
    """Whether B follows A in the film."""
    return (pair.a, pair.b) in set(pairwise(truths))
