"""Rate, size, aspect and first timecode of a film: the four that must agree with each other and with video."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from splatfilm.film import timecode
from splatfilm.film.source import Table, shown

HIGHEST_RATE = 1000  # frames a second
SMALLEST_SIDE = 16  # px
LARGEST_SIDE = 16384  # px: beyond it neither PNG readers nor video encoders follow
ASPECT_SLACK = 2  # px: sizes are even, so an aspect such as 2.39 is met only to the next even pixel
FIRST_TIMECODE = "01:00:00:00"

_NTSC = [Fraction(base * 1000, 1001) for base in (24, 30, 48, 60, 72, 96, 120)]
_WANTED_RATE = 'a whole number such as 24, or a fraction as text such as "24000/1001"'
_WANTED_SIZE = f"[width, height], even whole pixels from {SMALLEST_SIDE} to {LARGEST_SIDE}"
_WANTED_ASPECT = 'width to height such as "16:9" or "2.39:1"'


def rate(table: Table) -> Fraction | None:
    """`rate`: frames a second, exactly. Decimals are refused, because 23.976 is not the rate that anyone means."""
    if "rate" not in table.values:
        table.fail(f"missing, expected {_WANTED_RATE}", "rate")
        return None
    value = table.values["rate"]
    exact = _exact(value)
    if exact is not None and 1 <= exact <= HIGHEST_RATE:
        return exact
    decimal = _decimal(value)
    if exact is None and decimal is not None and 1 <= decimal <= HIGHEST_RATE:
        hint = f'; write "{_nearest_rate(decimal)}"'
        table.fail(f"found {shown(value)}, a decimal that only comes near a frame rate{hint}", "rate")
    else:
        limits = "" if exact is None else f", from 1 to {HIGHEST_RATE}"
        table.fail(f"found {shown(value)}, expected {_WANTED_RATE}{limits}", "rate")
    return None


def _exact(value: Any) -> Fraction | None:
    if type(value) is int:
        return Fraction(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(/[0-9]{1,9})?", value):
        top, _, bottom = value.partition("/")
        below = int(bottom or "1")
        return Fraction(int(top), below) if below else None
    return None


def _decimal(value: Any) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", value):
        return float(value)
    return value if isinstance(value, float) else None


def _nearest_rate(decimal: float) -> Fraction:
    """What someone who types `decimal` means: an NTSC rate within a hundredth, or a simple fraction."""
    near = min(_NTSC, key=lambda known: abs(known - decimal))
    if abs(near - decimal) < 0.011 and abs(near - decimal) < abs(round(decimal) - decimal):
        return near
    return Fraction(decimal).limit_denominator(100)


def size(table: Table) -> tuple[int, int] | None:
    """`size`: width and height, even (4:2:0 video halves them) and within what encoders take."""
    value = table.values.get("size")
    if value is None:
        table.fail(f"missing, expected {_WANTED_SIZE}", "size")
    elif not (isinstance(value, list) and len(value) == 2 and all(type(side) is int for side in value)):
        inside = f"[{', '.join(map(shown, value[:4]))}]" if isinstance(value, list) else shown(value)
        table.fail(f"found {inside}, expected {_WANTED_SIZE}", "size")
    elif not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in value):
        table.fail(f"found [{shown(value[0])}, {shown(value[1])}], expected {_WANTED_SIZE}", "size")
    elif value[0] % 2 or value[1] % 2:
        even = f"[{value[0] + value[0] % 2}, {value[1] + value[1] % 2}]"
        table.fail(f"found [{value[0]}, {value[1]}], video needs even sides, such as {even}", "size")
    else:
        return value[0], value[1]
    return None


def aspect(table: Table, pixels: tuple[int, int] | None) -> None:
    """`aspect`: a promise about `size`, which is noted when it is not kept."""
    if "aspect" not in table.values:
        return
    value = table.values["aspect"]
    ratio = _ratio(value)
    if ratio is None:
        table.fail(f"found {shown(value)}, expected {_WANTED_ASPECT}", "aspect")
    elif pixels is not None:
        width, height = pixels
        if abs(width / ratio - height) > ASPECT_SLACK and abs(height * ratio - width) > ASPECT_SLACK:
            fitting = max(2, 2 * round(width / ratio / 2))
            table.fail(
                f"found {shown(value)}, but size is {width}x{height} ({width / height:.3f}:1); "
                f"with this aspect it would be {width}x{fitting}",
                "aspect",
            )


def _ratio(value: Any) -> float | None:
    """Width over height, from 1:10 to 10:1."""
    ratio: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        ratio = value if 0.1 <= value <= 10 else None
    elif isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]{1,5}(?:\.[0-9]{1,5})?)\s*(?:[:/x]\s*([0-9]{1,5}(?:\.[0-9]{1,5})?))?\s*", value)
        if match and float(match[2] or 1) > 0:
            ratio = float(match[1]) / float(match[2] or 1)
    return ratio if ratio is not None and 0.1 <= ratio <= 10 else None


def first_timecode(table: Table, frame_rate: Fraction | None) -> str:
    """`timecode`: the label of the cut's first frame; judged only when the rate is known."""
    value = table.values.get("timecode", FIRST_TIMECODE)
    try:
        if not isinstance(value, str):
            raise ValueError('expected hours:minutes:seconds:frames as text, such as "01:00:00:00"')
        if frame_rate is not None:
            timecode.count_of(value, frame_rate)
    except ValueError as error:
        table.fail(f"found {shown(value)}, {error}", "timecode")
        return FIRST_TIMECODE
    return value
