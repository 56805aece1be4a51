"""What stood in the line that is being written, and was corrected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from esr_tui.terminal.cells import WIDTHS
from esr_tui.terminal.traced import Place, TracedTerminal

_MOST = 64 << 10
"""Bytes of one line that are remembered."""


class Drafts:
    """Remembers what was drawn since the cursor came to its line, the rows that it wraps into among it.

    Attributes:
        hit: whether something that stood in this line is to go: then what was corrected in it goes, too.
    """

    def __init__(self, terminal: TracedTerminal) -> None:
        self._terminal = terminal
        self._drawn: deque[tuple[int, bytes]] = deque()
        self._size = self._line = 0
        self.hit = False

    def rows(self) -> range:
        """The rows of the line."""
        terminal = self._terminal
        first = last = terminal.cursor.y
        while first and terminal.wrapped(first - 1):
            first -= 1
        while terminal.wrapped(last) and last + 1 < terminal.rows:
            last += 1
        return range(first, last + 1)

    def fed(self, piece: bytes, offset: int) -> None:
        """The terminal was fed one of its pieces."""
        if 0x20 <= piece[0] < 0x7F or (len(piece) > 1 and piece[0] >= 0x80):
            self._drawn.append((offset, piece))
            self._size += len(piece)
            while self._size > _MOST:
                self._size -= len(self._drawn.popleft()[1])
        elif piece[0] < 0x20:
            line = id(self._terminal.screen.buffer[self.rows()[0]])
            if b"\n" in piece or line != self._line:
                self._drawn.clear()
                self._size, self._line, self.hit = 0, line, False

    def corrected(self) -> Iterator[tuple[Place, int]]:
        """The characters that are not there any more, each with the cells that it took; they are told once."""
        there = {
            place
            for y in self.rows()
            for place, _ in self._terminal.places(y, 0, len(self._terminal.plain(y)))
        }
        drawn, self._drawn = self._drawn, deque()
        self._size = 0
        for offset, piece in drawn:
            for place, char in _characters(piece, offset):
                if place in there:
                    self._drawn.append((place[0], char.encode()))
                    self._size += place[1] - place[0]
                elif char != " ":  # with blanks a line editor erases
                    yield place, WIDTHS[char]


def _characters(piece: bytes, offset: int) -> Iterator[tuple[Place, str]]:
    for char in piece.decode("utf-8", "replace"):
        end = offset + len(char.encode())
        yield (offset, end), char
        offset = end
