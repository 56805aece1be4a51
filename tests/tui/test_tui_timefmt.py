"""Times on screen and times typed."""

from __future__ import annotations

import pytest

from esr_tui.tui.timefmt import TimeError, parse_time, span, stamp, started


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "00:00.000"), (83_500, "01:23.500"), (3_599_999, "59:59.999"), (3_600_000, "1:00:00.000")],
)
def test_stamps(ms: int, text: str) -> None:
    assert stamp(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(12, "12ms"), (12_400, "12.4s"), (185_000, "3m05s"), (7_440_000, "2h04m"), (442_800_000, "5d03h")],
)
def test_spans(ms: int, text: str) -> None:
    assert span(ms) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1:23", 83_000),
        ("83.5", 83_500),
        ("50%", 60_000),
        ("1:02:03.5", 3_723_500),
        (" 0 ", 0),
        ("200%", 120_000),
    ],
)
def test_typed_times(text: str, ms: int) -> None:
    assert parse_time(text, 120_000) == ms


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-5", "5 %x", "1e3", "९"])
def test_what_is_no_time_gets_a_sentence(text: str) -> None:
    with pytest.raises(TimeError, match="not a time"):
        parse_time(text, 1000)


def test_started_is_an_hour_today_and_a_date_before() -> None:
    now = 1_795_363_200.0
    assert started("2026-11-22T15:00:00.000Z", now) == "15:00:00"
    assert started("2026-11-20T15:00:00.000Z", now) == "11-20 15:00"
    assert started("2025-11-20T15:00:00.000Z", now) == "2025-11-20"
    assert started("nonsense", now) == "—"
