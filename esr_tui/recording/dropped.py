"""What a writer had to drop because the disk took nothing for too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from esr_tui.model.events import (
    Command,
    Disk,
    Event,
    Gap,
    Input,
    Network,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)

VITAL: frozenset[type[Event]] = frozenset({SessionStart, SessionEnd})
"""Two events a recording cannot be understood without: they are never dropped."""

FIRST: frozenset[type[Event]] = frozenset({Disk})
"""What is dropped first, when half of the memory for a slow disk is taken."""

_WHAT: dict[type[Event], str] = {
    Command: "command",
    Disk: "disk",
    Network: "network",
    Input: "input",
    Resize: "terminal",
    TerminalMode: "terminal",
}


class Dropped:
    """Counts of records and of terminal bytes, to be owned up to as gap events, one for each cause and kind."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int | None] = {}
        self._details: dict[tuple[str, str, str], str] = {}
        self._from_ms: dict[tuple[str, str, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def event(self, kind: type[Event], fields: Mapping[str, Any], cause: str, ms: int) -> tuple[str, int]:
        """Count an event at `ms` since the session's start; one that stands for many counts as many.

        Returns:
            What was lost, and how many; a gap that is kept here for later is no loss of its own.
        """
        if kind is not Gap:
            what, count = _WHAT.get(kind, "process"), int(fields.get("count", 1))
            self._add((cause, what, "records"), count, ms)
            return what, count
        key = fields.get("cause", ""), fields.get("what", ""), fields.get("unit", "records")
        self._details.setdefault(key, fields.get("detail", ""))
        self._add(key, fields.get("count"), fields.get("from_ms", ms))
        return "gap", 0

    def output(self, count: int, cause: str, ms: int) -> None:
        """Count terminal bytes."""
        self._add((cause, "terminal", "bytes"), count, ms)

    def _add(self, key: tuple[str, str, str], count: int | None, ms: int) -> None:
        before = self._counts.get(key, 0)
        self._counts[key] = None if before is None or count is None else before + count
        self._from_ms.setdefault(key, ms)

    def gaps(self) -> Iterator[dict[str, Any]]:
        """The fields of a gap event for each."""
        for key, count in self._counts.items():
            cause, what, unit = key
            told = f"the store could not be written for too long: {count} {what} {unit} were not recorded"
            yield {
                "cause": cause,
                "count": count,
                "unit": unit,
                "what": what,
                "from_ms": self._from_ms[key],
                "detail": self._details.get(key, told),
            }
