"""How much of a growing file there is, and its hash so far."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from esr_tui.recording import files

_BLOCK = 1 << 20

Mark = tuple[int, str]
"""Bytes from the start of a file, and their SHA-256."""


class Running:
    """Counts and hashes what a writer appends to a file.

    Attributes:
        length: bytes so far.
    """

    def __init__(self) -> None:
        self.length = 0
        self._hash = hashlib.sha256()

    def update(self, data: bytes | memoryview) -> None:
        """These bytes were written, too."""
        self._hash.update(data)
        self.length += len(data)

    def mark(self) -> Mark:
        """Where the file stands now."""
        return self.length, self._hash.hexdigest()

    def read(self, path: Path) -> None:
        """Goes on with what a file holds beyond `length`. Raises OSError."""
        fd = files.open_read(path)
        try:
            self.take(lambda offset, count: os.pread(fd, count, offset), 1 << 62)
        finally:
            os.close(fd)

    def take(self, read: Callable[[int, int], bytes], end: int) -> None:
        """Goes on up to `end`, or to where there is nothing more.

        Args:
            read: gives at most so many bytes from an offset on.
        """
        while self.length < end and (data := read(self.length, min(_BLOCK, end - self.length))):
            self.update(data)
