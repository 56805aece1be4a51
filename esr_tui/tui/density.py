"""How many events there were in each part of a session, in constant space."""

from __future__ import annotations

from array import array

BUCKETS = 2048


class Density:
    """Counts over time. The bucket width doubles as the session grows, so adding stays O(1)."""

    def __init__(self) -> None:
        self._counts = array("I", bytes(4 * BUCKETS))
        self._width = 50
        """Milliseconds a bucket."""
        self.total = 0
        """How many were counted."""

    def add(self, ms: int) -> None:
        """Counts one event at `ms`."""
        self.total += 1
        index = max(0, ms) // self._width
        while index >= BUCKETS:
            self._fold()
            index = max(0, ms) // self._width
        self._counts[index] += 1

    def _fold(self) -> None:
        counts = self._counts
        half = BUCKETS // 2
        for index in range(half):
            counts[index] = counts[2 * index] + counts[2 * index + 1]
        for index in range(half, BUCKETS):
            counts[index] = 0
        self._width *= 2

    def columns(self, count: int, duration_ms: int) -> list[int]:
        """Events in each of `count` equal parts of the first `duration_ms` milliseconds."""
        parts = [0] * count
        if count < 1 or duration_ms < 1:
            return parts
        last = min(BUCKETS - 1, duration_ms // self._width)
        for index in range(last + 1):
            if amount := self._counts[index]:
                middle = index * self._width + self._width // 2
                parts[min(count - 1, middle * count // duration_ms)] += amount
        return parts


class Peaks:
    """The highest level in each part of a session, in constant space, folded like `Density`."""

    def __init__(self) -> None:
        self.total = 0
        """How often levels were noted or forgotten."""
        self.clear()

    def clear(self) -> None:
        """Forgets all levels."""
        self._levels = bytearray(BUCKETS)
        self._width = 50
        self.total += 1

    def add(self, ms: int, level: int) -> None:
        """Notes a level, 1 to 255, at `ms`."""
        self.total += 1
        index = max(0, ms) // self._width
        while index >= BUCKETS:
            pairs = zip(self._levels[::2], self._levels[1::2], strict=True)
            self._levels[:] = bytes(map(max, pairs)) + bytes(BUCKETS // 2)
            self._width *= 2
            index = max(0, ms) // self._width
        self._levels[index] = max(self._levels[index], level)

    def columns(self, count: int, duration_ms: int) -> list[int]:
        """The highest level in each of `count` equal parts of the first `duration_ms` milliseconds; 0 for none."""
        parts = [0] * count
        if count < 1 or duration_ms < 1:
            return parts
        for index, level in enumerate(self._levels):
            if level:
                middle = index * self._width + self._width // 2
                column = min(count - 1, middle * count // duration_ms)
                parts[column] = max(parts[column], level)
        return parts
