"""Timecode against labels that are published or counted by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from splatfilm.film.timecode import can_drop, count_of, timecode

NTSC = Fraction(30000, 1001)
DAY = 24 * 6 * 17982  # frames labelled in 24 hours of drop-frame at 29.97


@pytest.mark.parametrize(
    ("count", "rate", "label"),
    [
        (0, Fraction(24), "00:00:00:00"),
        (1001, Fraction(24), "00:00:41:17"),
        (86400, Fraction(24), "01:00:00:00"),
        (86400, Fraction(24000, 1001), "01:00:00:00"),
        (90000 + 24, Fraction(25), "01:00:00:24"),
        (24 * 86400, Fraction(24), "00:00:00:00"),
        (119, Fraction(120), "00:00:00:119"),
        (7, Fraction(120), "00:00:00:007"),
        (26, Fraction(25, 2), "00:00:02:00"),
    ],
)
def test_non_drop_timecode_counts_frames(count: int, rate: Fraction, label: str) -> None:
    assert timecode(count, rate) == label


@pytest.mark.parametrize(
    ("count", "label"),
    [
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),
        (3597, "00:01:59;29"),
        (3598, "00:02:00;02"),
        (17981, "00:09:59;29"),
        (17982, "00:10:00;00"),
        (19781, "00:10:59;29"),
        (19782, "00:11:00;02"),
        (107892, "01:00:00;00"),
        (DAY - 1, "23:59:59;29"),
        (DAY, "00:00:00;00"),
    ],
)
def test_drop_frame_skips_two_labels_in_every_minute_but_the_tenth(count: int, label: str) -> None:
    assert timecode(count, NTSC, drop=True) == label
    assert count_of(label, NTSC) == count % DAY


def test_drop_frame_skips_four_labels_at_twice_the_rate() -> None:
    assert timecode(3599, 2 * NTSC, drop=True) == "00:00:59;59"
    assert timecode(3600, 2 * NTSC, drop=True) == "00:01:00;04"


def test_drop_frame_stays_with_the_clock_for_a_whole_day() -> None:
    seconds = DAY / float(NTSC)
    assert abs(seconds - 86400) < 0.1
    labels = {timecode(count, NTSC, drop=True) for count in range(0, DAY, 7)}
    assert len(labels) == len(range(0, DAY, 7)), "no label comes twice"


def test_every_label_of_an_hour_counts_back_to_its_frame() -> None:
    for count in range(108_000):
        assert count_of(timecode(count, NTSC, drop=True), NTSC) == count
    for count in range(0, 86_400, 11):
        assert count_of(timecode(count, Fraction(24)), Fraction(24)) == count


@pytest.mark.parametrize(
    ("label", "rate", "reason"),
    [
        ("1:00:00:00", Fraction(24), "expected hours:minutes:seconds:frames"),
        ("24:00:00:00", Fraction(24), "expected hours:minutes:seconds:frames"),
        ("00:60:00:00", Fraction(24), "expected hours:minutes:seconds:frames"),
        ("00:00:00:24", Fraction(24), "frames count from 0 to 23"),
        ("00:01:00;01", NTSC, "skips this label; the next is 00:01:00;02"),
        ("01:00:00;00", Fraction(24), "no drop-frame timecode at 24"),
    ],
)
def test_what_is_no_timecode_is_refused_in_words(label: str, rate: Fraction, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        count_of(label, rate)


def test_only_ntsc_rates_can_drop() -> None:
    assert [can_drop(Fraction(n, 1001)) for n in (24000, 30000, 60000, 120000)] == [False, True, True, True]
    assert not can_drop(Fraction(30))
    with pytest.raises(ValueError, match="no drop-frame"):
        timecode(0, Fraction(25), drop=True)
