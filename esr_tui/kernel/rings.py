"""The ring buffers, read in turn: a flood in one of them keeps the others waiting only a little."""

from __future__ import annotations

import ctypes
import select
import time
from collections.abc import Mapping
from typing import Any

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.libbpf import Map, RingCallback, library

_BATCHES = {"disk": 10_000, "network": 10_000, "terminal": 10_000, "command": 100_000}
"""How many records are taken of each ring at a time, in the order of reading.

The command ring comes last and whole: whatever another ring has told of a process, its exec and the beginning of
its session happened before and are then read in the same round.
"""


_HEADER = 8
"""Bytes before each record in a ring, where each begins at a multiple of 8."""


class Rings:
    """Reads the programs' ring buffers.

    libbpf empties a ring until nothing more comes, which a busy session can put off for ever, and stops only when
    a record's callback says so; then it stops with all rings of that reader. Hence a reader for each ring.

    Args:
        maps: of the loaded programs, by name.

    Raises:
        KernelError: a ring cannot be mapped.
    """

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._lib = library()
        self._raw: list[bytes] = []
        self._left = 0
        self._received_by_c = RingCallback(self._received)
        self._epoll = select.epoll()
        self._readers: list[tuple[int, int]] = []
        self._taken = 0
        self.taken: dict[str, int] = {}
        """Bytes that the last round took of each ring: at least so much of it was in use."""
        self.began = 0
        """When the last round began to take records, in ns of the boot clock."""
        self.behind = False
        """Whether the last round left records in a ring, because there were too many to take at once."""
        for name, batch in _BATCHES.items():
            fd = maps[f"{name}_ring"].fd
            reader = self._lib.ring_buffer__new(fd, self._received_by_c, None, None)
            if not reader:
                raise KernelError(f"the {name} ring cannot be mapped; configure a smaller {name}_buffer_size")
            self._readers.append((reader, batch))
            self._epoll.register(fd, select.EPOLLIN)

    def take(self, timeout_ms: int) -> list[bytes]:
        """The records that arrived, each ring's in order; waits up to `timeout_ms` for the first one."""
        self._epoll.poll(timeout_ms / 1000)
        self.began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.behind = False
        for (reader, batch), name in zip(self._readers, _BATCHES, strict=True):
            self._left, self._taken = batch, 0
            self._lib.ring_buffer__consume(reader)
            self.behind |= self._left <= 0
            self.taken[name] = self._taken
        raw, self._raw = self._raw, []
        return raw

    def _received(self, _context: Any, data: int, size: int) -> int:
        """One record; a negative answer ends the ring's turn."""
        self._raw.append(ctypes.string_at(data, size))
        self._left -= 1
        self._taken += (size + _HEADER + 7) & ~7
        return -1 if self._left <= 0 else 0

    def close(self) -> None:
        """Unmaps the rings."""
        while self._readers:
            self._lib.ring_buffer__free(self._readers.pop()[0])
        self._epoll.close()
