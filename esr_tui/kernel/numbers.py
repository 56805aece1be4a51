"""Whether all that the kernel programs put into the rings came out of them: each record once.

Every record takes a number of its CPU and ring when it is tried, and carries it; the kernel counts what was sent, and
what was refused because the ring was full. Numbers come in nearly any order: an interrupt's programs may take some
between another program's number and its record, and there is no time within which that one must come. So nothing is
concluded from the order. Instead the counts are read at a moment at which no program of a CPU was between number and
record. From then on it is certain which numbers were sent, and once the ring has been read up to where it was written
at that moment, exactly as many must have come, with the same sum. The next moment is taken after that.

A record that went missing and another one that came twice would pass for complete by their count, but not by their sum.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from esr_tui.kernel.hooks import RINGS
from esr_tui.kernel.libbpf import Map
from esr_tui.kernel.records import Record

_TALLY = struct.Struct("=QQQQ")
_WRAP = 1 << 64
_POSSIBLE = Path("/sys/devices/system/cpu/possible")


class Tally(msgspec.Struct, frozen=True):
    """What the kernel counts of one CPU's records for one ring; `refused_sum` is the sum of their numbers."""

    sent: int
    refused: int
    refused_sum: int
    numbered: int


class Discrepancy(msgspec.Struct, frozen=True):
    """Records of a ring and CPU that never came (`missing`), or came once more than they were sent (`repeated`)."""

    ring: str
    cpu: int
    cause: str
    count: int


class Positions(Protocol):
    """How far each ring is written and read, in bytes since its beginning."""

    def written(self, name: str) -> int:
        """Up to where it is written now."""

    def read_up_to(self, name: str, position: int) -> bool:
        """Whether all records before that position were taken."""


class _Stream:
    """The records of one CPU and ring: what came up to the moment that is looked at (`cut`), and after it."""

    __slots__ = ("came", "came_after", "cut", "mark", "total", "total_after")

    def __init__(self) -> None:
        self.came = self.total = self.came_after = self.total_after = 0
        self.cut: Tally | None = None
        self.mark = 0
        """Where the ring was written to when the cut was made."""

    def settle(self) -> tuple[int, int]:
        """How many are missing, and repeated; everything up to the cut must have come."""
        cut = self.cut
        assert cut is not None
        last = cut.numbered
        total = last * (last + 1) // 2 - cut.refused_sum
        missing, differs = cut.sent - self.came, (total - self.total) % _WRAP != 0
        self.came, self.total = cut.sent + self.came_after, total + self.total_after
        self.came_after = self.total_after = 0
        self.cut = None
        if missing == 0 and differs:
            return 1, 1  # at least
        return max(missing, 0), max(-missing, 0)


class Numbers:
    """Checks the numbers of the records that were read.

    Args:
        read: gives the kernel's counts, by ring and CPU.
        rings: which the records are read from.
    """

    def __init__(self, read: Callable[[], Mapping[tuple[int, int], Tally]], rings: Positions) -> None:
        self._read, self._rings = read, rings
        self._streams: dict[tuple[int, int], _Stream] = {}

    def seen(self, found: Iterable[Record]) -> None:
        """Takes note of records that came out of the rings."""
        streams = self._streams
        for record in found:
            head = record.head
            where = head.ring, head.cpu
            stream = streams.get(where)
            if stream is None:
                stream = streams[where] = _Stream()
            if stream.cut is None or head.number <= stream.cut.numbered:
                stream.came += 1
                stream.total += head.number
            else:
                stream.came_after += 1
                stream.total_after += head.number

    def check(self) -> list[Discrepancy]:
        """What is known by now to be missing or repeated, and was not said before."""
        found = self.settle()
        self._cut()
        return found + self.settle()  # a ring in which nothing was left

    def settle(self) -> list[Discrepancy]:
        """What is known by now of the moment that the last check looked at."""
        found = []
        for (ring, cpu), stream in self._streams.items():
            name = RINGS[ring - 1]
            if stream.cut is None or not self._rings.read_up_to(name, stream.mark):
                continue
            for cause, count in zip(("missing", "repeated"), stream.settle(), strict=True):
                if count:
                    found.append(Discrepancy(name, cpu, cause, count))
        return found

    @property
    def waiting(self) -> bool:
        """Whether more must be read from the rings before that is known."""
        return any(stream.cut is not None for stream in self._streams.values())

    def _cut(self) -> None:
        """Makes a cut where there is none and no program is at work just now."""
        before, now = self._read(), self._read()
        for where, tally in now.items():
            if where not in self._streams:
                if not tally.numbered:
                    continue
                self._streams[where] = _Stream()
            stream = self._streams[where]
            sent, refused = before[where].sent, before[where].refused
            if stream.cut is None and sent + refused == tally.numbered:
                stream.cut = Tally(sent, refused, tally.refused_sum, tally.numbered)
                stream.mark = self._rings.written(RINGS[where[0] - 1])


class Tallies:
    """The kernel's counts.

    Args:
        tallies: the map that they are in, with a value for each CPU.
    """

    def __init__(self, tallies: Map) -> None:
        self._cpus = possible_cpus()
        self._each = tallies.value_size
        self._map = Map(tallies.fd, tallies.key_size, self._each * len(self._cpus))  # all come at once
        self._data, self._last = b"", dict[tuple[int, int], Tally]()

    def read(self) -> dict[tuple[int, int], Tally]:
        """By ring and CPU."""
        data = self._map.get(bytes(self._map.key_size)) or bytes(self._map.value_size)
        if data != self._data:
            self._data, self._last = data, self._parsed(data)
        return self._last

    def _parsed(self, data: bytes) -> dict[tuple[int, int], Tally]:
        return {
            (ring, cpu): Tally(*_TALLY.unpack_from(data, place * self._each + ring * _TALLY.size))
            for place, cpu in enumerate(self._cpus)
            for ring in range(1, len(RINGS) + 1)
        }


def possible_cpus(said: Path = _POSSIBLE) -> list[int]:
    """The CPUs that the kernel keeps values for, in the order of these: `0-7`, `0,2-3`."""
    parts = [part.partition("-") for part in said.read_text().strip().split(",")]
    return [cpu for first, _, last in parts for cpu in range(int(first), int(last or first) + 1)]
