"""One growing gzip file of a recording."""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from pathlib import Path

import msgspec

from esr_tui.recording import files
from esr_tui.recording.files import Running
from esr_tui.recording.layout import IndexEntry

_LEVEL = 3
"""zlib's level: event lines shrink elevenfold already (fourteenfold at 6), at twice level 6's speed."""

_WINDOW, _MEMORY = 16 + 13, 6
"""Of gzip 8 KiB, and of zlib's table: 64 KiB a file instead of 256 for a few percent more on the disk. A session writes
four files, and a node may have hundreds of sessions."""

_SLICE = 1 << 20
"""Bytes given to zlib at once, so that what waits compressed stays small when the disk is full."""


class GzipPart:
    """Collects data and appends it as flushed gzip.

    A reader sees everything up to the last flush. What the disk did not take is kept for the next
    flush, compressed bytes first, so the file stays one sound gzip member.

    Args:
        running: is told what was written.

    Attributes:
        path: the file.
        entry: its line in the recording's index.
        size: bytes that wait here, compressed or not.
        written: bytes of the file.
    """

    def __init__(self, directory: Path, entry: IndexEntry, running: Running | None = None) -> None:
        self.path = directory / entry.file_name
        self.entry = msgspec.json.encode(entry) + b"\n"
        self.size = 0
        self._pieces: list[bytes] = []
        self._waiting = bytearray()
        self._fd = -1
        self.written = 0
        self._ended = False
        self._running = running
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)

    @property
    def is_open(self) -> bool:
        """Whether the file exists on disk."""
        return self._fd >= 0

    def amiss(self) -> str | None:
        """What somebody has done to the file; None when nothing is to be seen."""
        return files.amiss(self._fd, self.path, self.written) if self.is_open else None

    def add(self, data: list[bytes]) -> None:
        """Keep pieces for the next flush."""
        self._pieces += data
        self.size += sum(map(len, data))

    def open(self) -> None:
        """Create the file. Raises OSError, also where a file with content stands already."""
        with contextlib.suppress(FileNotFoundError):
            # A writer that died between creating and filling it left an empty file of this name.
            if self.path.lstat().st_size == 0:
                self.path.unlink()
        self._fd = files.create(self.path)

    def flush(self) -> None:
        """Write all there is, so that a reader sees it. Raises OSError and keeps the rest."""
        self._write()
        while self._pieces:
            self._compress()
            self._write()

    def close(self) -> None:
        """End the gzip member and put the file on the disk. Raises OSError; it can be tried again then."""
        if self._fd < 0:
            if self.size:
                raise OSError(errno.ENOSPC, "its file could not be created")
            return
        self.flush()
        if not self._ended:
            self._waiting += self._deflate.flush(zlib.Z_FINISH)
            self.size += len(self._waiting)
            self._ended = True
        self._write()
        os.fsync(self._fd)
        self.abandon()

    def abandon(self) -> None:
        """Close the file as it is; what still waits is lost."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _compress(self) -> None:
        """Move about one slice of the pieces through zlib."""
        taken = 0
        count = 0
        for piece in self._pieces:
            taken += len(piece)
            count += 1
            if taken >= _SLICE:
                break
        self._waiting += self._deflate.compress(b"".join(self._pieces[:count]))
        self._waiting += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        del self._pieces[:count]
        self.size += len(self._waiting) - taken

    def _write(self) -> None:
        while self._waiting:
            written = os.write(self._fd, self._waiting)
            self.written += written
            if self._running is not None:
                self._running.update(bytes(self._waiting[:written]))
            del self._waiting[:written]
            self.size -= written
