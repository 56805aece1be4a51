"""The clock: boot time to wall time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.model.clock import Clock


def test_now_is_now() -> None:
    clock = Clock.measure()
    before = time.time()
    shown = datetime.fromisoformat(clock.wall(Clock.now())).timestamp()
    assert abs(shown - before) < 0.1


def test_written_as_rfc_3339_with_milliseconds() -> None:
    assert Clock(offset=1_576_190_686_000_000_000).wall(218_999_999) == "2019-12-12T22:44:46.218Z"
    assert Clock(offset=0).wall(0) == "1970-01-01T00:00:00.000Z"


def test_two_measures_agree() -> None:
    assert abs(Clock.measure().offset - Clock.measure().offset) < 50_000_000


@given(st.integers(0, 4_000_000_000_000_000_000), st.integers(0, 10**15))
def test_wall_is_exact_to_the_millisecond(offset: int, ktime: int) -> None:
    shown = datetime.fromisoformat(Clock(offset=offset).wall(ktime))
    milliseconds = (offset + ktime) // 1_000_000
    expected = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(
        microsecond=milliseconds % 1000 * 1000
    )
    assert shown == expected


@given(st.integers(-(2**70), 2**70))
def test_impossible_times_are_still_written(ktime: int) -> None:
    assert Clock(offset=0).wall(ktime).endswith("Z")
