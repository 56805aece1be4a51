"""The ring buffers, read in turn: a flood in one of them keeps the others waiting only a little."""

from __future__ import annotations

import mmap
import os
import select
import struct
import threading
import time
from collections.abc import Mapping

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.libbpf import Map

_BATCHES = {"disk": 10_000, "network": 10_000, "terminal": 10_000, "command": 100_000}
"""How many records are taken of each ring at a time, in the order of reading.

The command ring comes last and whole: whatever another ring has told of a process, its exec and the beginning of
its session happened before and are then read in the same round.
"""

_HEADER = struct.Struct("I")
_HEADER_BYTES = 8
"""Before each record in a ring, where each begins at a multiple of 8."""
_BUSY, _DISCARDED = 1 << 31, 1 << 30
"""Bits of a record's length: it is still being written; it is to be passed over."""


class Ring:
    """One ring buffer (BPF_MAP_TYPE_RINGBUF), as its memory lies open to its reader.

    libbpf maps the data twice in a row, so that a record is never in two parts, and calls back for each; here it is
    mapped once, which is half of the recorder's memory, and records are cut out directly.

    Args:
        fd: of the map.
        size: bytes of data, a power of two.

    Raises:
        OSError: it cannot be mapped.
    """

    def __init__(self, fd: int, size: int) -> None:
        page = mmap.PAGESIZE
        self._read = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._data = mmap.mmap(fd, page + size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._consumed = memoryview(self._read).cast("Q")
        self._produced = memoryview(self._data)[:page].cast("Q")
        self._page, self._mask = page, size - 1
        self._barrier = threading.Lock()
        """Taken and let go, it keeps the processor from moving loads and stores across."""

    def take(self, most: int) -> tuple[list[bytes], int, bool]:
        """At most `most` records, the bytes of the ring they took, and whether there are more."""
        first, end = self._consumed[0], self._produced[0]
        with self._barrier:
            pass
        found, position, more = self._look(first, end, most)
        with self._barrier:
            pass
        records = [self._cut(at, length) for at, length in found]
        with self._barrier:
            pass
        self._consumed[0] = position
        return records, position - first, more

    def _look(self, position: int, end: int, most: int) -> tuple[list[tuple[int, int]], int, bool]:
        """Where records are, and how long; the position behind them; whether more are there."""
        found: list[tuple[int, int]] = []
        data, page, mask = self._data, self._page, self._mask
        while position < end:
            (length,) = _HEADER.unpack_from(data, page + (position & mask))
            if length & _BUSY:
                return found, position, True
            if len(found) == most:
                return found, position, True
            if not length & _DISCARDED:
                found.append((position + _HEADER_BYTES, length))
            position += ((length & ~_DISCARDED) + _HEADER_BYTES + 7) & ~7
        return found, position, False

    def _cut(self, position: int, length: int) -> bytes:
        at = position & self._mask
        start = self._page + at
        over = at + length - (self._mask + 1)
        if over <= 0:
            return self._data[start : start + length]
        return self._data[start : start + length - over] + self._data[self._page : self._page + over]

    @property
    def written(self) -> int:
        """The position behind the last record, of which the kernel may still be writing some."""
        return self._produced[0]

    @property
    def read(self) -> int:
        """The position behind the last record that was taken."""
        return self._consumed[0]

    def close(self) -> None:
        """Unmaps it."""
        self._consumed.release()
        self._produced.release()
        self._read.close()
        self._data.close()


class Rings:
    """Reads the programs' ring buffers.

    Args:
        maps: of the loaded programs, by name.
        sizes: bytes of each ring.

    Raises:
        KernelError: a ring cannot be mapped.
    """

    def __init__(self, maps: Mapping[str, Map], sizes: Mapping[str, int]) -> None:
        self._epoll = select.epoll()
        self._rings: dict[str, Ring] = {}
        self.taken: dict[str, int] = {}
        """Bytes that the last round took of each ring: at least so much of it was in use."""
        self.received: dict[str, int] = dict.fromkeys(_BATCHES, 0)
        """Records that ever came out of each ring."""
        self.began = 0
        """When the last round began to take records, in ns of the boot clock."""
        self.behind: set[str] = set()
        """In which rings the last round left records, because there were too many, or one was being written."""
        for name in _BATCHES:
            fd = maps[f"{name}_ring"].fd
            try:
                self._rings[name] = Ring(fd, sizes[name])
            except OSError as error:
                raise KernelError(
                    f"the {name} ring cannot be mapped ({os.strerror(error.errno or 0)}); "
                    f"configure a smaller {name}_buffer_size"
                ) from error
            self._epoll.register(fd, select.EPOLLIN)

    def take(self, timeout_ms: int) -> list[bytes]:
        """The records that arrived, each ring's in order; waits up to `timeout_ms` for the first one."""
        self._epoll.poll(timeout_ms / 1000)
        self.began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.behind.clear()
        found: list[bytes] = []
        for name, ring in self._rings.items():
            records, self.taken[name], more = ring.take(_BATCHES[name])
            found += records
            self.received[name] += len(records)
            if more:
                self.behind.add(name)
        return found

    def written(self, name: str) -> int:
        """Up to where a ring is written now."""
        return self._rings[name].written

    def read_up_to(self, name: str, position: int) -> bool:
        """Whether all records before that position of a ring were taken."""
        return self._rings[name].read >= position

    def close(self) -> None:
        """Unmaps the rings."""
        while self._rings:
            self._rings.popitem()[1].close()
        self._epoll.close()
