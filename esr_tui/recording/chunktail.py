"""Follows the terminal bytes of a recording and gives them their times."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from esr_tui.model.events import Print
from esr_tui.model.text import printable
from esr_tui.recording.gziptail import GzipTail
from esr_tui.recording.layout import IndexEntry
from esr_tui.recording.problems import Problems
from esr_tui.recording.slices import Output

_BLOCK = 256 << 10
_PIECE = 1 << 20
"""Bytes of one Output at most; a longer print comes in pieces."""


class ChunkTail:
    """The concatenated terminal stream, by absolute offset.

    Each file says in the index where it begins, so bytes that a crash took out of the middle leave
    a hole and shift nothing.

    Attributes:
        offset: of the next byte.
    """

    def __init__(self, directory: Path, problems: Problems) -> None:
        self.offset = 0
        self._directory = directory
        self._problems = problems
        self._next: deque[IndexEntry] = deque()
        self._file: GzipTail | None = None
        self._buffer = b""
        self._at = 0

    def add_file(self, entry: IndexEntry) -> None:
        """A further file, to be read when the ones before it end."""
        self._next.append(entry)

    def take(self, end: int) -> tuple[int, bytes]:
        """The next bytes below offset `end`, at most 1 MiB and without a hole.

        Returns:
            Their offset and the bytes; none when they are not there now.
        """
        pieces: list[bytes] = []
        start = self.offset
        want = min(end - start, _PIECE)
        while want > 0:
            if self._at == len(self._buffer) and not self._fill(bool(pieces)):
                break
            if self.offset >= end:
                break
            if not pieces:
                start = self.offset
                want = min(end - start, _PIECE)
            piece = self._buffer[self._at : self._at + want]
            self._at += len(piece)
            self.offset += len(piece)
            want -= len(piece)
            pieces.append(piece)
        return start, b"".join(pieces)

    def _fill(self, stay: bool) -> bool:
        """Get more bytes into the buffer; with `stay` only from the present file."""
        while True:
            follows = bool(self._next)
            data = self._file.read(_BLOCK) if self._file else b""
            if data:
                self._buffer, self._at = data, 0
                return True
            if self._file and self._file.trouble:
                self._problems.add(f"{printable(self._file.name)} {self._file.trouble}")
            if not follows or stay:
                return False
            entry = self._next.popleft()
            self._file = GzipTail(self._directory, entry.file_name)
            self.offset = max(self.offset, entry.offset)


class OutputJoin:
    """Pairs terminal bytes with the print events that say when they were shown."""

    def __init__(self, chunks: ChunkTail) -> None:
        self._chunks = chunks
        self._waiting: deque[Print] = deque()
        self._ms = 0
        self._ktime = 0

    def add(self, event: Print) -> None:
        """A further print event."""
        self._waiting.append(event)

    def passed(self, ms: int, ktime: int) -> None:
        """Another event's time: bytes without a print event of their own are given the last one."""
        if not self._waiting and ms >= self._ms:
            self._ms, self._ktime = ms, ktime

    def take(self, budget: int, last: bool) -> list[Output]:
        """Outputs whose bytes are there.

        Args:
            budget: bytes at most (a piece more at times).
            last: nobody writes the recording, and all its events have been added: take what is
                left, and wait for nothing.
        """
        found: list[Output] = []
        while self._waiting and budget > 0:
            event = self._waiting[0]
            before = self._chunks.offset
            # Bytes below the print's offset have none of their own: the writer died between the two.
            orphan = before < event.offset
            end = event.offset if orphan else event.offset + event.bytes
            if before >= end:
                self._done(event)
                continue
            offset, data = self._chunks.take(end)
            if data:
                if not orphan:
                    self._ms, self._ktime = event.ms, event.ktime
                found.append(Output(self._ms, self._ktime, offset, data))
                budget -= len(data)
            elif self._chunks.offset == before:
                if not last:
                    return found
                self._done(event)
        while last and not self._waiting and budget > 0:
            offset, data = self._chunks.take(1 << 62)
            if not data:
                return found
            found.append(Output(self._ms, self._ktime, offset, data))
            budget -= len(data)
        return found

    def _done(self, event: Print) -> None:
        self._waiting.popleft()
        self._ms, self._ktime = event.ms, event.ktime
