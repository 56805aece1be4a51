"""Times of foreign records: only ever forward, and possible."""

from __future__ import annotations

import math

from esr_tui.exchange.items import Left

LONGEST = 10 * 366 * 86_400
"""Seconds: no session lasts ten years."""
_SECOND = 1_000_000_000


class Times:
    """Nanoseconds since a session's start, from what its file says.

    A record whose time is impossible (before the one before, none, or years away) happens at the time of the one
    before; such records are counted.

    Attributes:
        now: of the last record.
        odd: records whose time was impossible.
    """

    def __init__(self) -> None:
        self.now = 0
        self.odd = 0

    def at(self, seconds: float) -> int:
        """A record that many seconds after the start; microseconds count."""
        return self.at_ns(round(seconds * 1e6) * 1000 if math.isfinite(seconds) else -1)

    def after(self, seconds: float) -> int:
        """A record that many seconds after the one before."""
        return self.at_ns(self.now + round(seconds * 1e6) * 1000 if math.isfinite(seconds) else -1)

    def at_ns(self, ns: int) -> int:
        """A record that many nanoseconds after the start."""
        if self.now <= ns <= LONGEST * _SECOND:
            self.now = ns
        else:
            self.odd += 1
        return self.now

    def left(self, name: str) -> list[Left]:
        """What is to be said of impossible times."""
        if not self.odd:
            return []
        return [
            Left(
                "impossible_times",
                "time",
                f"{name} gives {self.odd} records impossible times; they are shown at the time of the one before",
                self.odd,
            )
        ]


def size_text(columns: int, rows: int) -> str:
    """A terminal's size as events have it: within 1..9999, so that every reader can take it."""
    return f"{min(max(columns, 1), 9999)}:{min(max(rows, 1), 9999)}"
