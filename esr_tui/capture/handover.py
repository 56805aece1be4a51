"""The end of a recorder, cut so cleanly that another one can go on at the same nanosecond.

Two recorders see the same event with times that differ by microseconds, since one kernel program runs after the other.
So the one that ends looks for a moment at which nothing happened, and stops there: what was before is its own,
what comes after is the successor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from esr_tui.kernel import records
from esr_tui.kernel.programs import Kernel
from esr_tui.model.clock import Clock

_LOOK_NS = 20_000_000
"""Among the events of so long a time the quietest moment is taken."""
_SETTLE_NS = 10_000_000
"""A program that began by then has sent its record."""
_LONGEST_NS = 2_000_000_000
"""How long a recorder that was asked to stop goes on emptying the rings."""
_POLL_MS = 5


class Cut(msgspec.Struct, frozen=True):
    """Where a recorder stopped: nothing happened for `margin` ns before and after `until` (boot clock, ns)."""

    until: int
    margin: int


def last_records(kernel: Kernel) -> tuple[list[records.Record], Cut | None]:
    """What is still to be recorded, and up to when that is everything.

    Without a cut the rings could not be emptied in two seconds.
    """
    kernel.doze(False)
    asked = Clock.now()
    mine: list[records.Record] = []
    later: list[records.Record] = []
    while True:
        for record in kernel.poll(_POLL_MS):
            (mine if record.head.ktime <= asked else later).append(record)
        done = kernel.complete_until
        if done is not None and done > asked + _LOOK_NS + _SETTLE_NS:
            break
        if Clock.now() > asked + _LONGEST_NS:
            return mine + later, None
    last = max((record.head.ktime for record in mine), default=asked)
    cut = quietest([last, *(record.head.ktime for record in later)], asked, asked + _LOOK_NS)
    return mine + [record for record in later if record.head.ktime <= cut.until], cut


def quietest(times: Sequence[int], begin: int, end: int) -> Cut:
    """The middle of the longest pause between `begin` and `end`, which is told by the `times` of events."""
    inside = sorted(time for time in times if begin < time < end)
    before, after = max(
        ((a, b) for a, b in pairwise([begin, *inside, end])), key=lambda pair: pair[1] - pair[0]
    )
    middle = (before + after) // 2
    return Cut(middle, middle - before)
