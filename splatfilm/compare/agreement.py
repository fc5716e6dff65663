"""A clip beside our own frames of the same shot, frame by frame: for plots, and for what our own finishing changed."""

from __future__ import annotations

import statistics

from splatfilm.compare import pixels
from splatfilm.compare.scores import Score
from splatfilm.compare.views import Clip, ShotTruth


def some(count: int, most: int | None) -> list[int]:
    """At most `most` of `count` frames, spread evenly, the first and the last among them; None: all."""
    if most is None or count <= most:
        return list(range(count))
    return sorted({round(i * (count - 1) / max(most - 1, 1)) for i in range(most)})


def measure_agreement(clip: Clip, truth: ShotTruth, most: int | None = None) -> tuple[Score, ...]:
    """PSNR, SSIM and dE00 of every frame against our own frame of that moment; values are medians.

    With `most`, only so many frames are looked at, spread evenly. The null is our own frame from half a shot away: a
    picture of the same place that is not this one.
    """
    mask = None if clip.mask is None else ~clip.mask
    rows: dict[str, list[tuple[int, float]]] = {"psnr": [], "ssim": [], "colour": []}
    nulls: dict[str, list[float]] = {"psnr": [], "ssim": [], "colour": []}
    count = min(len(clip), len(truth))
    pictures = truth.clip().frames
    checked = set(some(count, 3))
    for index in some(count, most):
        ours = pictures[index]
        for key, value in pixels.differences(clip.frames[index], ours, mask).items():
            rows[key].append((index, value))
        if count > 1 and (index in checked or not nulls["psnr"]):
            other = pictures[(index + count // 2) % count]
            for key, value in pixels.differences(other, ours, mask).items():
                nulls[key].append(value)
    note = "" if count else "there are no frames"

    def score(name: str, key: str, unit: str, higher: bool, ceiling: float) -> Score:
        value = statistics.median(v for _, v in rows[key]) if rows[key] else None
        null = statistics.median(nulls[key]) if nulls[key] else None
        return Score(name, value, unit, "higher" if higher else "lower", ceiling, null, tuple(rows[key]), note)

    return (
        score("OURS_PSNR", "psnr", "dB", True, float("inf")),
        score("OURS_SSIM", "ssim", "", True, 1.0),
        score("OURS_dE", "colour", "dE00", False, 0.0),
    )
