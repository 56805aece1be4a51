"""Repeated events are counted, and the counts always add up."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.capture.fold import WINDOW_NS, Fold


class Written:
    """What a session would have written."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.events: list[tuple[int, dict[str, Any]]] = []

    def happened(self, key: str, ktime: int, tx: int | None = None) -> None:
        fields = {"path": key, "tx": tx}
        if self.fold.repeats(key, ktime, fields):
            return
        self.events += self.fold.begin(key, ktime, fields)
        self.events.append((ktime, fields))

    def finish(self) -> None:
        self.events += self.fold.due(None)

    def totals(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, fields in self.events:
            found[fields["path"]] += fields.get("count", 1)
        return found


def test_the_first_is_written_at_once_and_the_rest_counted() -> None:
    written = Written()
    for n in range(5):
        written.happened("a", n)
    assert len(written.events) == 1
    assert list(written.fold.due(WINDOW_NS - 1)) == []
    ((ktime, fields),) = written.fold.due(WINDOW_NS)
    assert (ktime, fields["count"]) == (4, 4)
    assert not written.fold


def test_after_the_window_it_is_written_anew() -> None:
    written = Written()
    for ktime in (0, 1, WINDOW_NS + 1):
        written.happened("a", ktime)
    written.finish()
    assert [fields.get("count", 1) for _, fields in written.events] == [1, 1, 1]


def test_what_happened_once_is_not_repeated() -> None:
    written = Written()
    written.happened("a", 0)
    written.finish()
    assert len(written.events) == 1


def test_bytes_add_up_too() -> None:
    written = Written()
    for n in range(4):
        written.happened("a", n, tx=10)
    written.finish()
    assert sum(fields["tx"] for _, fields in written.events) == 40


def test_too_many_different_ones_are_written_early() -> None:
    written = Written()
    for n in range(10_000):
        written.happened(str(n), n)
        written.happened(str(n), n)
    written.finish()
    assert written.totals() == {str(n): 2 for n in range(10_000)}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, WINDOW_NS)), max_size=60))
def test_the_counts_add_up(steps: list[tuple[str, int]]) -> None:
    written = Written()
    now = 0
    for key, later in steps:
        now += later
        written.happened(key, now)
        written.events += written.fold.due(now)
    written.finish()
    assert written.totals() == Counter(key for key, _ in steps)
