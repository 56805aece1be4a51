"""Repeated identical events as one event with a count.

A loop that opens the same file a million times would drown a recording. The first occurrence is written at once;
identical ones within the next second are counted and written as one event. Nothing is dropped: the counts add up.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

WINDOW_NS = 1_000_000_000
_OPEN = 4096
"""Different events being counted at a time; beyond it the oldest is written early."""

Fields = dict[str, Any]


class Fold:
    """Counts repetitions of one session's events."""

    def __init__(self) -> None:
        self._open: dict[Hashable, _Repeated] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def repeats(self, key: Hashable, ktime: int, fields: Fields) -> bool:
        """Whether an event repeats one of the last second, and has been counted; if not, write it."""
        seen = self._open.get(key)
        if seen is not None and ktime - seen.first < WINDOW_NS:
            seen.count += 1
            seen.last = ktime
            seen.add(fields)
            return True
        return False

    def begin(self, key: Hashable, ktime: int, fields: Fields) -> Iterator[tuple[int, Fields]]:
        """Starts counting after an event that has been written; yields what must be written to make room."""
        if key in self._open:
            yield from self._close(key)
        elif len(self._open) >= _OPEN:
            yield from self._close(next(iter(self._open)))
        self._open[key] = _Repeated(ktime, fields)

    def due(self, now: int | None) -> Iterator[tuple[int, Fields]]:
        """The time and fields of every counted event whose second is over; all of them when `now` is None."""
        for key in [k for k, seen in self._open.items() if now is None or now - seen.first >= WINDOW_NS]:
            yield from self._close(key)

    def _close(self, key: Hashable) -> Iterator[tuple[int, Fields]]:
        seen = self._open.pop(key)
        if seen.count:
            yield seen.last, seen.folded()


class _Repeated:
    """Repetitions of one event, the first of which has been written already."""

    __slots__ = ("_fields", "_tx", "count", "first", "last")

    def __init__(self, ktime: int, fields: Fields) -> None:
        self.first = self.last = ktime
        self.count = 0
        self._fields = fields
        self._tx = 0

    def add(self, fields: Fields) -> None:
        self._tx += fields.get("tx") or 0

    def folded(self) -> Fields:
        fields = self._fields | {"count": self.count}
        return fields | {"tx": self._tx} if fields.get("tx") is not None else fields
