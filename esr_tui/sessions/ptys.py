"""Which session a pseudo-terminal's output belongs to.

The kernel tells who read the master and the terminal's index. A login's first output (the message of the day)
comes before its shell is executed, so output of a terminal that no session has claimed yet is kept for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from esr_tui.kernel.records import Mode, Output

S = TypeVar("S")
_DEVPTS = Path("/dev/pts")
Key = tuple[int, int]
"""The reader's pid and the index of the terminal."""

_KEEP_BYTES = 1 << 20
_KEEP_NS = 30_000_000_000
_KEEP_TERMINALS = 256
_KEEP_NUMBERS = 10_000


def is_open(index: int) -> bool:
    """Whether somebody holds the master of a pseudo-terminal of this node: its last output may not have been read."""
    return index >= 0 and (_DEVPTS / str(index)).exists()


@dataclass
class Unclaimed:
    """What a terminal showed before a session claimed it; `dropped` bytes were too many to keep."""

    output: list[Output] = field(default_factory=list)
    kept: int = 0
    dropped: int = 0

    def add(self, record: Output) -> None:
        """Keeps the output, or counts it when there is too much."""
        if self.kept + len(record.data) <= _KEEP_BYTES:
            self.output.append(record)
            self.kept += len(record.data)
        else:
            self.dropped += len(record.data)


class Ptys(Generic[S]):
    """Terminals and the sessions that own them."""

    def __init__(self) -> None:
        self._owners: dict[Key, S] = {}
        self._unclaimed: dict[Key, Unclaimed] = {}
        self._thrown_away: dict[Key, int] = {}

    def owner(self, record: Output | Mode) -> S | None:
        """The session to which the record belongs; output that has none yet is kept for it."""
        key = record.head.pid, record.index
        owner = self._owners.get(key)
        if owner is None and isinstance(record, Output):
            self._unclaimed.setdefault(key, Unclaimed()).add(record)
            if len(self._unclaimed) > _KEEP_TERMINALS:
                self._throw_away(next(iter(self._unclaimed)))
        return owner

    def _throw_away(self, key: Key) -> None:
        """Keeps no more than the number of bytes."""
        gone = self._unclaimed.pop(key)
        self._thrown_away[key] = self._thrown_away.get(key, 0) + gone.kept + gone.dropped
        if len(self._thrown_away) > _KEEP_NUMBERS:
            del self._thrown_away[next(iter(self._thrown_away))]

    def keep(self, record: Output) -> None:
        """Keeps output of before this recorder's time, unless a session owns the terminal: it has it already."""
        if (record.head.pid, record.index) not in self._owners:
            self.owner(record)

    @property
    def waiting(self) -> bool:
        """Whether output is kept for a session that has not begun."""
        return bool(self._unclaimed)

    def take(self, reader: int | None, index: int) -> Unclaimed:
        """What the terminal has shown so far; it is given away only once."""
        if reader is None:
            return Unclaimed()
        found = self._unclaimed.pop((reader, index), Unclaimed())
        found.dropped += self._thrown_away.pop((reader, index), 0)
        return found

    def claim(self, reader: int, index: int, session: S) -> None:
        """Makes the session the owner of all further output."""
        self._owners[reader, index] = session

    def reader_gone(self, reader: int) -> None:
        """A reader ended: its terminals may be given to others."""
        self._forget(
            [key for key in (*self._owners, *self._unclaimed, *self._thrown_away) if key[0] == reader]
        )

    def session_gone(self, session: S) -> None:
        """A session ended: its terminal may be given to another one of the same reader."""
        self._forget([key for key, owner in self._owners.items() if owner is session])

    def expire(self, now: int) -> None:
        """Forgets what no session has claimed for half a minute (`now`: boot-clock nanoseconds)."""
        for key, unclaimed in list(self._unclaimed.items()):
            if now - unclaimed.output[-1].head.ktime > _KEEP_NS:
                self._throw_away(key)

    def owner_by_reader(self, reader: int) -> S | None:
        """The session of a reader's terminal, to attribute what was lost of it; None where it has several."""
        owners = [owner for key, owner in self._owners.items() if key[0] == reader]
        return owners[0] if len(owners) == 1 else None

    def _forget(self, keys: list[Key]) -> None:
        for key in keys:
            self._owners.pop(key, None)
            self._unclaimed.pop(key, None)
            self._thrown_away.pop(key, None)
