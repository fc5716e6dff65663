"""SMPTE timecode: a count of frames written as hours, minutes, seconds and frames (SMPTE ST 12-1).

Timecode labels frames with whole numbers a second, so a fractional rate counts at the next whole one: 24000/1001 at 24.
At 30000/1001 and its multiples labels then run slow against the clock; drop-frame timecode skips the first two labels
of every minute that is not a tenth one (four at 60000/1001) and stays with it. No picture is ever dropped.
"""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;])(\d{2,3})")


def nominal(rate: Fraction) -> int:
    """Frame labels in one timecode second at `rate` frames a second."""
    return -(-rate.numerator // rate.denominator)


def can_drop(rate: Fraction) -> bool:
    """Whether drop-frame timecode exists at `rate`: 30000/1001 and its whole multiples."""
    return rate.denominator == 1001 and rate.numerator % 30000 == 0


def timecode(count: int, rate: Fraction, drop: bool = False) -> str:
    """The label of frame number `count`, from 0: `00:00:41:17`, with drop-frame `01:00:00;02`. Wraps after 24 hours.

    Raises `ValueError` for drop-frame at a rate that has none.
    """
    base = nominal(rate)
    if drop:
        count = _with_skipped(count, rate)
    seconds, frames = divmod(count, base)
    digits = max(2, len(str(base - 1)))
    clock = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}{';' if drop else ':'}{frames:0{digits}d}"


def count_of(label: str, rate: Fraction) -> int:
    """The frame number, from 0, that has this timecode; a `;` before the frames means drop-frame.

    Raises `ValueError` in plain words when it is no timecode or no frame has this label.
    """
    match = _FORM.fullmatch(label)
    if match is None or int(match[1]) > 23:
        raise ValueError("expected hours:minutes:seconds:frames such as 01:00:00:00")
    hours, minutes, seconds, frames = (int(match[part]) for part in (1, 2, 3, 5))
    base = nominal(rate)
    if frames >= base:
        raise ValueError(f"frames count from 0 to {base - 1} at this rate")
    labels = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if match[4] == ":":
        return labels
    skip = _skip(rate)
    if minutes % 10 and seconds == 0 and frames < skip:
        raise ValueError(f"drop-frame timecode skips this label; the next is {label[: -len(match[5])]}{skip:02d}")
    whole_minutes = hours * 60 + minutes
    return labels - skip * (whole_minutes - whole_minutes // 10)


def _skip(rate: Fraction) -> int:
    """Labels skipped in a minute that drops."""
    if not can_drop(rate):
        raise ValueError(f"there is no drop-frame timecode at {rate} frames a second, only at 30000/1001 and multiples")
    return 2 * nominal(rate) // 30


def _with_skipped(count: int, rate: Fraction) -> int:
    """`count` plus the labels that drop-frame has skipped before it."""
    skip, base = _skip(rate), nominal(rate)
    minute = base * 60 - skip
    ten_minutes = base * 600 - 9 * skip
    tens, rest = divmod(count, ten_minutes)
    minutes_begun = max(0, rest - skip) // minute  # the first minute of ten keeps all its labels
    return count + skip * (9 * tens + minutes_begun)
