"""What a writer had to drop because the disk took nothing for too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Dropped:
    """Counts of records and of terminal bytes, to be owned up to as gap events."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._from_ms = 0

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, unit: str, count: int, ms: int) -> None:
        """Count a loss at `ms` since the session's start; `unit` is records or bytes."""
        if not self._counts:
            self._from_ms = ms
        self._counts[unit] = self._counts.get(unit, 0) + count

    def gaps(self) -> Iterator[dict[str, Any]]:
        """The fields of a gap event for each unit."""
        for unit, count in self._counts.items():
            yield {
                "cause": "disk_full",
                "count": count,
                "unit": unit,
                "what": "terminal" if unit == "bytes" else "all",
                "from_ms": self._from_ms,
                "detail": f"the store could not be written for too long: {count} {unit} were not recorded",
            }
