"""Shots that come back to a camera while something in the scene has moved on: everything else must be the same.

A strict revisit wants the same moment of the story. Films rarely give it: the wide comes back, and the mug has been
moved. Then the objects whose state differs are left out, with a margin for what they touch, and the rest is held
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from PIL import Image, ImageFilter

from splatfilm.compare.revisit import measure_revisit, spread
from splatfilm.compare.scores import PairScores
from splatfilm.compare.views import Clip, Mask, ShotTruth
from splatfilm.compare.warp import shaded

MOST_PAIRS = 8
MARGIN = 50  # the picture's width through this is the margin about an object, pixels


@dataclass(frozen=True, eq=False)
class Return:
    """Frames (index in A, index in B) with one camera; `moved` are the objects that are left out, under `mask`."""

    a: str
    b: str
    frames: tuple[tuple[int, int], ...]
    moved: tuple[str, ...]
    mask: Mask


def find_returns(truths: Mapping[str, ShotTruth]) -> list[Return]:
    """Every pair of shots of one scene with frames of one camera in which some, but not all, objects have moved."""
    found = []
    for a, b in combinations(truths.values(), 2):
        if a.scene != b.scene or a.size != b.size or not a.placed or not b.placed:
            continue
        cameras: dict[bytes, int] = {}
        for index in range(len(a)):
            cameras.setdefault(_camera(a, index), index)
        same = [(cameras[key], j) for j in range(len(b)) if (key := _camera(b, j)) in cameras]
        pairs = spread(same, MOST_PAIRS)
        moved = {o for i, j in pairs for o, name in enumerate(a.objects) if a.placed[i][o] != b.placed[j][o]}
        if pairs and moved and 0 not in moved:  # the first object is the set
            names = tuple(a.objects[index] for index in sorted(moved))
            found.append(Return(a.shot, b.shot, pairs, names, _mask(a, b, pairs, moved)))
    return found


def measure_return_of(
    own: Return,
    clips: Mapping[tuple[str, int | None], Clip],
    wrong: Clip | None,
    whole: Mapping[tuple[str, int | None], Clip] | None = None,
) -> list[PairScores]:
    """The return in every take that both shots have; `whole` are the same clips as large as they were made."""
    takes = [take for shot, take in clips if shot == own.a and (own.b, take) in clips]
    note = f"everything but {', '.join(own.moved)}, which moved in the story"
    scores = []
    for take in takes:
        a, b = _both(own, clips, take)
        found = measure_revisit(a, b, own.frames, wrong, None if whole is None else _both(own, whole, take))
        scores.append(PairScores("revisit", own.a, own.b, take, revisit=found, note=note))
    return scores


def _both(own: Return, clips: Mapping[tuple[str, int | None], Clip], take: int | None) -> tuple[Clip, Clip]:
    return _without(clips[own.a, take], own.mask), _without(clips[own.b, take], own.mask)


def _without(clip: Clip, mask: Mask) -> Clip:
    height, width = clip.frames[0].shape[:2]
    if mask.shape != (height, width):
        mask = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    return Clip(clip.frames, mask if clip.mask is None else mask | clip.mask)


def _camera(truth: ShotTruth, index: int) -> bytes:
    camera = truth.cameras[index]
    return camera.pose.tobytes() + repr((camera.fx, camera.fy, camera.cx, camera.cy, camera.distortion)).encode()


def _mask(a: ShotTruth, b: ShotTruth, pairs: tuple[tuple[int, int], ...], moved: set[int]) -> Mask:
    """Where the objects are in any of the frames, in either shot, their shadows, and a margin about them."""
    width, height = a.size
    covered = np.zeros((height, width), bool)
    for truth, frames in ((a, {i for i, _ in pairs}), (b, {j for _, j in pairs})):
        for index in frames:
            view = truth.views[index]
            covered |= np.isin(view.ids, list(moved))
            for one in moved if truth.shade > 0 else ():
                covered |= shaded(view, one, truth.shade)
    margin = 2 * max(2, width // MARGIN) + 1
    grown = Image.fromarray(covered.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(margin))
    return np.asarray(grown) > 0
