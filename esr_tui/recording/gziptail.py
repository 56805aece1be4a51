"""Follows a gzip file that may grow, be cut, be damaged, or be a bomb."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.errors import reason

_BLOCK = 64 << 10
"""Compressed bytes read at once."""


class GzipTail:
    """Incremental decompression of one file.

    The file is opened for each read, so that following a hundred sessions holds no descriptors. A
    cut end simply yields nothing more; damage yields all that precedes it and then nothing.

    Attributes:
        name: bare file name.
        trouble: what is wrong with the file, for a sentence that begins with its name; or None.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.trouble: str | None = None
        self._path = directory / name
        self._position = 0
        self._input = b""
        self._member: zlib._Decompress | None = None
        self._members = 0
        self._more = False
        self._dead = False

    @property
    def position(self) -> int:
        """Compressed bytes taken from the file."""
        return self._position

    @property
    def within(self) -> bool:
        """Whether what has been read ends within a gzip member."""
        return self._member is not None

    def read(self, limit: int) -> bytes:
        """At most `limit` decompressed bytes that are new; none when there are none now."""
        if self._dead:
            return b""
        try:
            fd = files.open_read(self._path)
            try:
                return self._read(fd, limit)
            finally:
                os.close(fd)
        except OSError as error:
            # Not for ever: a missing file may be copied back, a right may be given.
            self.trouble = f"cannot be read: {reason(error)}"
            return b""

    def abandon(self, trouble: str) -> None:
        """Read no more of this file, for the reason given."""
        self.trouble = trouble
        self._dead = True

    def _read(self, fd: int, limit: int) -> bytes:
        pieces: list[bytes] = []
        left = limit
        while left > 0 and not self._dead:
            if not self._input and not self._more:
                self._input = os.pread(fd, _BLOCK, self._position)
                if not self._input:
                    break
                self._position += len(self._input)
            piece = self._inflate(left)
            left -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _inflate(self, limit: int) -> bytes:
        """At most `limit` bytes out of the input at hand."""
        if self._member is None:
            if self._members:
                # Space that a crashed file system filled with zeros, and tape padding.
                self._input = self._input.lstrip(b"\0")
            if not self._input:
                return b""
            self._member = zlib.decompressobj(31)
        member = self._member
        before = member.copy()
        try:
            piece = member.decompress(self._input, limit)
        except zlib.error:
            return self._salvage(before, limit)
        # zlib may hold more output although it took all input.
        self._more = len(piece) == limit and not member.eof
        if member.eof:
            self._input = member.unused_data
            self._member = None
            self._members += 1
        else:
            self._input = member.unconsumed_tail
        return piece

    def _salvage(self, member: zlib._Decompress, limit: int) -> bytes:
        """What precedes the damage, byte by byte: zlib gives nothing of a call that fails."""
        out = bytearray()
        start = self._position - len(self._input)
        for at in range(len(self._input)):
            try:
                out += member.decompress(self._input[at : at + 1], max(limit - len(out), 1))
            except zlib.error:
                self.abandon(f"is damaged at byte {start + at}; what precedes is shown")
                break
            if len(out) >= limit:
                break
        else:
            at = len(self._input)
        if not self._dead:
            # The limit came before the damage; go on from here next time.
            self._member = member
            self._input = member.unconsumed_tail + self._input[at + 1 :]
            self._more = True
        return bytes(out)
