"""A foreign file, read from its start on within bounds; gzip is undone on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.model.text import printable
from esr_tui.recording import files
from esr_tui.recording.errors import read_failed, reason
from esr_tui.recording.gziptail import GzipTail

BLOCK = 256 << 10
LINE = 8 << 20
"""Bytes of one line; no recorder writes longer ones."""
_GROWTH = 200
_FREE = 256 << 20
"""A file may decompress to this, or to _GROWTH times its size: terminal streams shrink less than a bomb does."""


class Source:
    """The bytes of one regular file.

    Args:
        path: the file; a symbolic link only where the user named it, so callers resolve those.

    Attributes:
        name: the file's bare name, inert.
        size: of the file on disk.
        position: bytes handed out so far.

    Raises:
        ForeignError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = printable(path.name, 120)
        self.position = 0
        self._buffer = b""
        self._at = 0
        try:
            self.size = path.lstat().st_size
            head = files.read_bounded(path, 2)
        except OSError as error:
            raise ForeignError(str(read_failed(path, error))) from error
        self.packed = head == b"\x1f\x8b"
        self._gzip = GzipTail(path.parent, path.name) if self.packed else None
        self._raw = 0
        self._limit = max(_FREE, _GROWTH * self.size) if self.packed else 1 << 62

    def read(self, limit: int) -> bytes:
        """Up to `limit` bytes, fewer only at the end of the file. Raises Damage."""
        pieces = []
        while limit > 0 and (self._at < len(self._buffer) or self._more()):
            piece = self._buffer[self._at : self._at + limit]
            limit -= len(piece)
            self._at += len(piece)
            self.position += len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def line(self) -> bytes | None:
        """The next line without its end; None at the end of the file. Raises Damage."""
        searched = self._at
        while (end := self._buffer.find(b"\n", searched)) < 0:
            held = len(self._buffer) - self._at
            if held > LINE:
                raise Damage(f"{self.name} has a line longer than {LINE >> 20} MiB at byte {self.position}")
            if not self._more():
                return self.read(held) if held else None
            searched = self._at + held
        line = self._buffer[self._at : end]
        self.position += end + 1 - self._at
        self._at = end + 1
        return line

    def exactly(self, count: int, what: str) -> bytes:
        """Exactly `count` bytes. Raises Damage where the file ends before."""
        data = self.read(count)
        if len(data) < count:
            raise Damage(f"{self.name} ends at byte {self.position}, in the middle of {what}; it was cut off")
        return data

    def peek(self, count: int) -> bytes:
        """The next bytes without taking them; fewer at the end of the file. Raises Damage."""
        while len(self._buffer) - self._at < count and self._more():
            pass
        return self._buffer[self._at : self._at + count]

    def skip(self, count: int) -> None:
        """Leave out `count` bytes. Raises Damage where the file ends before."""
        while count > 0:
            data = self.read(min(count, BLOCK))
            if not data:
                raise Damage(
                    f"{self.name} ends at byte {self.position}, in the middle of padding; it was cut off"
                )
            count -= len(data)

    def blocks(self) -> Iterator[bytes]:
        """The rest of the file. Raises Damage."""
        while data := self.read(BLOCK):
            yield data

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line with its number, from 1, without its end; the last may lack one: see `ended`. Raises Damage."""
        number, rest = 0, b""
        for block in self.blocks():
            *whole, tail = block.split(b"\n")
            if whole:
                whole[0] = rest + whole[0]
                rest = b""
            for line in whole:
                number += 1
                yield number, line
            rest += tail
            if len(rest) > LINE:
                raise Damage(
                    f"{self.name}, line {number + 1} is longer than {LINE >> 20} MiB; no recorder writes such lines"
                )
        if rest:
            yield number + 1, rest

    @property
    def done(self) -> float:
        """The part of the file on disk that has been taken, 0 to 1."""
        taken = self._gzip.position if self._gzip else self._raw
        return taken / self.size if self.size else 1.0

    def _more(self) -> bool:
        """Gets a further block behind what is held; whether there was one."""
        more = self._fill()
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)

    def _fill(self) -> bytes:
        if self._gzip is None:
            data = self._pread()
        else:
            data = self._gzip.read(BLOCK)
            if not data and self._gzip.trouble:
                raise Damage(f"{self.name} {self._gzip.trouble}")
            if not data and self._gzip.within:
                raise Damage(
                    f"{self.name} ends within its gzip data; it was cut off, or is still being written"
                )
        if self.position + len(data) > self._limit:
            raise Damage(
                f"{self.name} decompresses to more than {self._limit >> 20} MiB, which no terminal's output does;"
                " the rest is not read"
            )
        return data

    def _pread(self) -> bytes:
        try:
            fd = files.open_read(self.path)
            try:
                data = os.pread(fd, BLOCK, self._raw)
            finally:
                os.close(fd)
        except OSError as error:
            raise Damage(f"{self.name} cannot be read: {reason(error)}") from error
        self._raw += len(data)
        return data
