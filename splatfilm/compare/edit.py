"""What an edit of one object changed, inside the object and outside of it (OUT and IN, docs/compare.md)."""

from __future__ import annotations

import numpy as np

from splatfilm.base.errors import did_you_mean
from splatfilm.compare.pixels import grown
from splatfilm.compare.scores import Edit, Score
from splatfilm.compare.views import Clip, Mask, ShotTruth, to_bytes
from splatfilm.compare.warp import shaded

NOTICED = 2  # 8-bit levels: more than this is a change
LEAST_INSIDE = 0.2  # share of the object that must change, or the edit did nothing


def measure_edit(before: Clip, after: Clip, truths: tuple[ShotTruth, ShotTruth], name: str) -> Edit:
    """Compare a shot before and after object `name` was edited; same camera, same seed.

    `truths` are our shot before and after: the object's footprint is where either sees it, grown by a pixel, and where
    its shadow may fall. Raises `KeyError` when no such object is in the scene.
    """
    for truth in truths:
        if name not in truth.objects:
            raise KeyError(
                f"no object {name!r}{did_you_mean(name, truth.objects)}; there is {', '.join(truth.objects)}"
            )
    outside, inside, means = [], [], []
    count = min(len(before), len(after), *map(len, truths))
    for index in range(count):
        own, foot = footprint(truths, index, name)
        one, two = to_bytes(before.frames[index]).astype(np.int16), to_bytes(after.frames[index]).astype(np.int16)
        change = np.abs(one - two).max(axis=-1)
        counted = np.ones(foot.shape, bool)
        for clip in (before, after):
            counted &= True if clip.mask is None else ~clip.mask
        away, there = counted & ~foot, counted & own
        if away.any():
            outside.append((index, float((change[away] > NOTICED).mean())))
            means.append(float(change[away].mean()))
        if there.any():
            inside.append((index, float((change[there] > NOTICED).mean())))
    within = _mean([value for _, value in inside])
    note = ""
    if within is None:
        note = f"{name} is not seen in these frames"
    elif within <= LEAST_INSIDE:
        note = f"the edit did nothing: only {100 * within:.0f} % of {name} changed"
    return Edit(
        Score("OUT", _mean([v for _, v in outside]), "share", "lower", 0.0, per_frame=tuple(outside)),
        Score("OUT_MEAN", _mean(means), "levels", "lower", 0.0),
        Score("IN", within, "share", "higher", 1.0, 0.0, tuple(inside), note),
        name,
        note,
    )


def footprint(truths: tuple[ShotTruth, ShotTruth], index: int, name: str) -> tuple[Mask, Mask]:
    """Where the object is before or after the edit; and the same with a pixel about it and its contact shadow."""
    own = np.zeros(truths[0].views[index].ids.shape, bool)
    reach = own.copy()
    for truth in truths:
        view, number = truth.views[index], truth.objects.index(name)
        own |= view.ids == number
        if truth.shade > 0:
            reach |= shaded(view, number, truth.shade)
    return own, grown(own) | reach


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
