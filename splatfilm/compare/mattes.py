"""Difference mattes: a shot before and after an edit, what changed between them, and the outline of what was edited."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from splatfilm.compare.edit import NOTICED, footprint
from splatfilm.compare.manifest import PairEntry
from splatfilm.compare.pixels import grown
from splatfilm.compare.rows import Bytes, Row
from splatfilm.compare.views import Mask, ShotTruth

GAIN = 8  # of the difference, for the eye
LINE = np.array([255, 176, 0], np.uint8)  # of the outline
WIDE = 480  # px, of one picture
QUALITY = 85


def edit_mattes(
    rows: Sequence[Row], pairs: Sequence[PairEntry], truths: Mapping[str, ShotTruth]
) -> list[dict[str, Any]]:
    """A picture for every edit, method and take: before, after, and the difference with the object's outline.

    The frame is that in which the object is largest, the same for all methods.
    """
    found = []
    for pair in pairs:
        if pair.kind != "edit" or not pair.object:
            continue
        own = truths[pair.a], truths[pair.b]
        if any(pair.object not in truth.objects for truth in own):
            continue
        index = _largest(own, pair.object)
        _, foot = footprint(own, index, pair.object)
        for row in rows:
            for take in row.takes(pair.a):
                if (pair.b, take) not in row.clips:
                    continue
                before, after = (row.clips[shot, take].frames[index] for shot in (pair.a, pair.b))
                if before.shape != after.shape:
                    continue
                found.append(
                    {
                        "method": row.name,
                        "take": take,
                        "a": pair.a,
                        "b": pair.b,
                        "object": pair.object,
                        "frame": own[0].scene_frames[index],
                        "src": _encoded(matte(before, after, foot)),
                    }
                )
    return found


def matte(before: Bytes, after: Bytes, foot: Mask) -> Bytes:
    """Before, after and their difference side by side; the edge of `foot` is drawn into the difference."""
    height, width = before.shape[:2]
    change = np.abs(before.astype(np.int16) - after.astype(np.int16))
    shown = np.where(change > NOTICED, np.minimum(change * GAIN, 255), 0).astype(np.uint8)
    if foot.shape != (height, width):
        foot = np.asarray(Image.fromarray(foot).resize((width, height), Image.Resampling.NEAREST))
    shown[grown(foot) & ~foot] = LINE
    return np.concatenate([before, after, shown], axis=1)


def _largest(truths: tuple[ShotTruth, ShotTruth], name: str) -> int:
    """The frame in which most is seen of an object, of nine spread over the shot."""
    count = min(len(truth) for truth in truths)
    tried = sorted({round(i * (count - 1) / 8) for i in range(9)})
    return max(tried, key=lambda index: int(footprint(truths, index, name)[0].sum()))


def _encoded(picture: Bytes) -> str:
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    if width > 3 * WIDE:
        image = image.resize((3 * WIDE, round(height * 3 * WIDE / width)), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
