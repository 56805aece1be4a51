"""Lines of a foreign file that could not be understood: the first is named, the rest counted."""

from __future__ import annotations

from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Left

MOST = 1000


class BadLines:
    """Counts lines (or records) that are left out.

    Args:
        name: the file's, inert.
        what: what such a line would have told of, as in Gap.
        unit: what a line is called, with its number after it.
    """

    def __init__(self, name: str, what: str, unit: str = "line") -> None:
        self._name, self._what, self._unit = name, what, unit
        self._first = ""
        self.count = 0

    def add(self, number: int, why: str) -> None:
        """One more. Raises Damage where there are so many that the file is something else."""
        self.count += 1
        if not self._first:
            self._first = f"{self._name}, {self._unit} {number}: {why}"
        if self.count >= MOST:
            raise Damage(f"{self._first}, and {MOST - 1} more like it; the rest is not read")

    def left(self) -> list[Left]:
        """What is to be said of them."""
        if not self.count:
            return []
        more = f", and {self.count - 1} more" if self.count > 1 else ""
        return [
            Left("unreadable", self._what, f"{self._first}{more}; left out", self.count, f"{self._unit}s"),
        ]
