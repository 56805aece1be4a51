"""Bytes kept out of memory, in an unlinked temporary file that dies with its owner."""

from __future__ import annotations

import os
import tempfile
import weakref


class Spool:
    """An append-only run of bytes with random reads.

    A recording may be larger than memory; what the app must be able to go back to lives here.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile(buffering=0) as file:
            self._fd = os.dup(file.fileno())
        self._release = weakref.finalize(self, os.close, self._fd)
        self.size = 0
        """Bytes written."""

    def append(self, data: bytes) -> int:
        """Adds `data`; returns the offset at which it starts.

        Raises:
            OSError: the temporary directory is full.
        """
        start = self.size
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, self.size)
            self.size += written
            view = view[written:]
        return start

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`."""
        return os.pread(self._fd, length, start)

    def close(self) -> None:
        """Gives the space back."""
        self._release()
