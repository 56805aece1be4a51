"""The terminal stream of a recording as one run of bytes with times and sizes."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from esr_tui.tui.spool import Spool


class Resize(NamedTuple):
    """The terminal took a new size after `offset` bytes of output."""

    ms: int
    offset: int
    columns: int
    rows: int


class Place(NamedTuple):
    """A point in the stream: bytes and resizes that lie before it."""

    offset: int
    resizes: int


class Tape:
    """Appended to as a recording is read; never changed otherwise.

    Times are milliseconds since the session's start. They never go back: a piece that claims to be
    older than the one before it counts as simultaneous with it.
    """

    def __init__(self) -> None:
        self._spool = Spool()
        self._times = array("q")
        self._ends = array("q")
        self.resizes: list[Resize] = []
        """All changes of size, in order."""
        self.end_ms = 0
        """The latest time known: of output, a resize or `extend`."""

    @property
    def size(self) -> int:
        """Bytes of output."""
        return self._spool.size

    @property
    def first_ms(self) -> int:
        """When the first output came; 0 when there is none."""
        return self._times[0] if self._times else 0

    def add(self, ms: int, data: bytes) -> None:
        """Appends one piece of output. Raises OSError when no room is left for it."""
        self.add_all([(ms, data)])

    def add_all(self, pieces: Sequence[tuple[int, bytes]]) -> None:
        """Appends pieces of output with one write: each write gives way to other threads."""
        end = self._spool.append(b"".join([data for _, data in pieces]))
        last = self._times[-1] if self._times else 0
        for ms, data in pieces:
            if data:
                end += len(data)
                last = max(ms, last)
                self._times.append(last)
                self._ends.append(end)
        self.extend(last)

    def resize(self, ms: int, columns: int, rows: int) -> None:
        """Notes a new size at the present end of the output."""
        ms = max(ms, self.resizes[-1].ms if self.resizes else 0)
        self.resizes.append(Resize(ms, self.size, columns, rows))
        self.extend(ms)

    def extend(self, ms: int) -> None:
        """The session is known to last at least until `ms`."""
        self.end_ms = max(self.end_ms, ms)

    def read(self, start: int, length: int) -> bytes:
        """Output bytes `start` to at most `start + length`."""
        return self._spool.read(start, length)

    def place(self, ms: float) -> Place:
        """Everything that had happened by `ms`, that instant included."""
        index = bisect_right(self._times, ms)
        offset = self._ends[index - 1] if index else 0
        count = bisect_right(self.resizes, ms, key=lambda resize: resize.ms)
        # A resize lies between two pieces; an earlier time never shows a later piece's size.
        while count and self.resizes[count - 1].offset > offset:
            count -= 1
        return Place(offset, count)

    def end(self) -> Place:
        """Everything."""
        return Place(self.size, len(self.resizes))

    def time_at(self, offset: int) -> int:
        """When the byte before `offset` was output."""
        if offset <= 0 or not self._times:
            return 0
        index = bisect_right(self._ends, offset - 1)
        return self._times[min(index, len(self._times) - 1)]

    def next_output(self, ms: float) -> int | None:
        """The time of the first output after `ms`."""
        index = bisect_right(self._times, ms)
        return self._times[index] if index < len(self._times) else None

    def previous_output(self, ms: float) -> int | None:
        """The time of the last output before `ms`."""
        index = bisect_right(self._times, ms - 1)
        return self._times[index - 1] if index else None

    def close(self) -> None:
        """Gives the temporary space back."""
        self._spool.close()
