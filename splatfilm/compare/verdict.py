"""What the numbers of a method mean, in the words of the first screen.

Three questions, each answered from medians over all cuts and all takes: is it the same room after the cut, is it the
same when we come back, did the camera do as it was told. A score that a guard blocks is never praised.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from splatfilm.compare.scores import Guard, MethodScores, PairScores

Tone = Literal["good", "fair", "bad", "none"]

ROOM: tuple[tuple[float, str, Tone], ...] = (
    (0.95, "the same", "good"),
    (0.8, "nearly the same", "fair"),
    (0.5, "it drifts", "fair"),
    (0.2, "much has changed", "bad"),
    (-math.inf, "another room", "bad"),
)
"""From which FSC on one says so. The steps follow measured ladders (docs/report.md): 5 % of texture drift 0.97,
a bed moved by 20 cm 0.82, a quarter of the texture changed 0.59, half of it 0.16."""

BACK: tuple[tuple[float, str, Tone], ...] = (
    (35.0, "the same", "good"),
    (25.0, "nearly the same", "fair"),
    (18.0, "it has changed", "bad"),
    (-math.inf, "another picture", "bad"),
)
"""From which revisit PSNR on: 35 dB is the aim after refinement, 12 to 15 dB what an unrelated picture gets."""

CAMERA: tuple[tuple[float, str, Tone], ...] = (
    (0.5, "as asked", "good"),
    (3.0, "nearly", "fair"),
    (math.inf, "its own way", "bad"),
)
"""Up to how many degrees off."""

LOCATED = 0.5
"""Share of frames in which the camera must be found before anything is said about it."""


@dataclass(frozen=True)
class Verdict:
    """A word or two, how good that is, how much in words that need no definition, and a sentence for whoever asks.

    `exact` is the number behind it under its own name.
    """

    word: str
    tone: Tone
    value: str = ""
    detail: str = ""
    exact: str = ""


def room(pairs: Sequence[PairScores]) -> Verdict:
    """Whether follow-up shots show one room."""
    found = [pair.continuity for pair in pairs if pair.continuity is not None]
    values = [c.score.value for c in found if c.score.value is not None and not c.blocked]
    blocked = [c.blocked for c in found if c.blocked]
    if not values:
        if blocked:
            return Verdict("does not count", "bad", "", blocked[0])
        reasons = [c.not_comparable for c in found if c.not_comparable]
        return Verdict("cannot tell", "none", "", reasons[0] if reasons else "no two shots of it see the same")
    middle = statistics.median(values)
    word, tone = next((word, tone) for least, word, tone in ROOM if middle >= least)
    detail = _worst(pairs) + (f"; {len(blocked)} of {len(found)} blocked: {blocked[0]}" if blocked else "")
    kept = f"keeps {_spread([100 * value for value in values], '.0f')} %"
    return Verdict(word, tone, kept, detail, f"FSC {_spread(values, '.3f')}")


def back(pairs: Sequence[PairScores], guards: Iterable[Guard]) -> Verdict:
    """Whether a shot that returns shows the same picture."""
    values = [
        pair.revisit.psnr.value for pair in pairs if pair.revisit is not None and pair.revisit.psnr.value is not None
    ]
    if not values:
        return Verdict("cannot tell", "none", "", "no shot of it returns to a camera that was there before")
    failed = [guard for guard in guards if not guard.passed and guard.name in ("DETAIL", "MOTION")]
    if failed:
        return Verdict("does not count", "bad", "", failed[0].reason)
    middle = statistics.median(values)
    if math.isinf(middle):
        return Verdict("the same pixels", "good", "", "the same in both shots, at the size of this report", "inf dB")
    word, tone = next((word, tone) for least, word, tone in BACK if middle >= least)
    nulls = [
        pair.revisit.psnr.null for pair in pairs if pair.revisit is not None and pair.revisit.psnr.null is not None
    ]
    chance = f"an unrelated picture gets {statistics.median(nulls):.1f} dB" if nulls else ""
    off = f"differs by {_spread([100 * 10 ** (-value / 20) for value in values], '.1f')} %"
    return Verdict(word, tone, off, chance, f"{_spread(values, '.1f')} dB")


def camera(scores: MethodScores) -> Verdict:
    """Whether the cameras of its shots are where they were asked to be."""
    found = [shot.following for shot in scores.shots if shot.following is not None]
    located = [f.located.value for f in found if f.located.value is not None]
    if not located:
        return Verdict("cannot tell", "none", "", "cameras were not looked for")
    share = statistics.mean(located)
    turned = [f.rotation.value for f in found if f.rotation.value is not None]
    if share < LOCATED or not turned:
        detail = f"our scene is recognised in {100 * share:.0f} % of its frames: there is no camera to find"
        return Verdict("lost", "bad", f"{100 * share:.0f} % of frames", detail)
    middle = statistics.median(turned)
    word, tone = next((word, tone) for most, word, tone in CAMERA if middle <= most)
    return Verdict(word, tone, f"{middle:.2f}° off", f"found in {100 * share:.0f} % of its frames")


def verdicts(scores: MethodScores) -> dict[str, Verdict]:
    """The three answers."""
    guards = [guard for shot in scores.shots for guard in shot.guards]
    return {
        "room": room([pair for pair in scores.pairs if pair.kind == "follow-up"]),
        "back": back([pair for pair in scores.pairs if pair.kind == "revisit"], guards),
        "camera": camera(scores),
    }


def _worst(pairs: Sequence[PairScores]) -> str:
    """The object that fits worst, by name, where something fits badly."""
    objects = [
        (pair.continuity.worst.value, pair.continuity.worst.object)
        for pair in pairs
        if pair.continuity is not None and pair.continuity.worst is not None and not pair.continuity.blocked
        if pair.continuity.worst.value is not None
    ]
    if not objects or min(objects)[0] >= ROOM[0][0]:
        return ""
    value, name = min(objects)
    return f"changed most: {name} (keeps {100 * value:.0f} %)"


def _spread(values: Sequence[float], form: str) -> str:
    """The median, and the range where there is one."""
    middle, low, high = statistics.median(values), min(values), max(values)
    shown = ["exact" if math.isinf(value) else format(value, form) for value in (middle, low, high)]
    return shown[0] if shown[1] == shown[2] else f"{shown[0]} ({shown[1]}–{shown[2]})"
