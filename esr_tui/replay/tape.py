"""The terminal stream of a recording as one run of bytes with times and sizes."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from esr_tui.replay.spool import Spool


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


class Tape(Protocol):
    """A stream with times, wherever it is kept.

    Times are milliseconds since the session's start. They never go back: what claims to be older than what
    came before it counts as simultaneous with it. All may raise OSError or TimelineError: the stream lies on disk.
    """

    end_ms: int
    """The latest time known: of output, a resize or `extend`."""

    @property
    def resizes(self) -> Sequence[Resize]:
        """All changes of size, in order."""

    @property
    def size(self) -> int:
        """Bytes of output."""

    @property
    def first_ms(self) -> int:
        """When the first output came; 0 when there is none."""

    def extend(self, ms: int) -> None:
        """The session is known to last at least until `ms`."""

    def read(self, start: int, length: int) -> bytes:
        """Output from `start` on: at most `length` bytes, at least one where there are any."""

    def place(self, ms: float) -> Place:
        """Everything that had happened by `ms`, that instant included."""

    def end(self) -> Place:
        """Everything."""

    def time_at(self, offset: int) -> int:
        """When the byte before `offset` was output."""

    def next_output(self, ms: float) -> int | None:
        """The time of the first output after `ms`."""

    def previous_output(self, ms: float) -> int | None:
        """The time of the last output before `ms`."""

    def close(self) -> None:
        """Lets go of what is held."""


class SpoolTape:
    """A tape that grows as a recording is read; its bytes lie in an unlinked temporary file."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._times = array("q")
        self._ends = array("q")
        self._last = 0
        self.resizes: list[Resize] = []
        self.end_ms = 0

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
        last = self._last
        for ms, data in pieces:
            if data:
                end += len(data)
                last = max(ms, last)
                self._times.append(last)
                self._ends.append(end)
        self._last = last
        self.extend(last)

    def resize(self, ms: int, columns: int, rows: int) -> None:
        """Notes a new size at the present end of the output."""
        self._last = max(ms, self._last)
        self.resizes.append(Resize(self._last, self.size, columns, rows))
        self.extend(self._last)

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
        return Place(offset, bisect_right(self.resizes, ms, key=lambda resize: resize.ms))

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
