"""The promise of the actor: posed in the flat, she is what path-traced truth shows.

Her clothes keep light off what is below them there, as they do in truth. Uses the reconstructions in `out/` and makes
those that are missing, which takes minutes.
"""

from __future__ import annotations

from benchmarks.truth import DECIBELS, MOVES, OUTLINE, Compared, compared
from tests.acceptance.promise import REPOSITORY, Ground, Promise


def the_actor_is_where_truth_has_her(ground: Ground) -> str:
    """Silhouettes of every picture of the footage."""
    worst = _worst(lambda c: c.outline)
    for move, value in worst.items():
        assert value >= OUTLINE, f"{move}: {value:.3f} of her outline, expected {OUTLINE}; {worst}"
    return ", ".join(f"{move} {value:.3f}" for move, value in worst.items())


def the_actor_looks_as_truth_has_her(ground: Ground) -> str:
    """PSNR inside of her in every picture of the footage."""
    worst = _worst(lambda c: c.decibels)
    for move, value in worst.items():
        assert value >= DECIBELS, f"{move}: {value:.1f} dB inside her, expected {DECIBELS}; {worst}"
    return ", ".join(f"{move} {value:.1f} dB" for move, value in worst.items())


_found: dict[str, list[Compared]] = {}


def _worst(figure):  # type: ignore[no-untyped-def]
    for move in MOVES:
        if move not in _found:
            _found[move] = compared(move, REPOSITORY / "out")
    return {move: min(figure(c) for c in found) for move, found in _found.items()}


PROMISES = (
    Promise(
        "the posed actor covers at least 0.95 of her true outline in every test picture",
        the_actor_is_where_truth_has_her,
    ),
    Promise(
        "the posed actor, in the shadow of what she wears, is within 24 dB of truth in every test picture",
        the_actor_looks_as_truth_has_her,
    ),
)
