"""What stood in the line that is being written, and was corrected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from esr_tui.terminal.cells import WIDTHS
from esr_tui.terminal.traced import Drawn, Place, TracedTerminal

_MOST = 64 << 10
"""Characters of one line that are remembered."""


class Drafts:
    """Remembers what was drawn since the cursor came to its line, the rows that it wraps into among it.

    Attributes:
        hit: whether something that stood in this line is to go: then what was corrected in it goes, too.
    """

    def __init__(self, terminal: TracedTerminal) -> None:
        self._terminal = terminal
        self._drawn: deque[Drawn] = deque()
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

    def fed(self, piece: bytes) -> None:
        """The terminal was fed one of its pieces."""
        if drawn := self._terminal.drawn():
            for each in drawn:
                self._drawn.append(each)
                self._size += len(each[1])
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
        for place, char in _characters(drawn):
            if place in there:
                self._drawn.append((place, char))
                self._size += 1
            elif char != " ":  # with blanks a line editor erases
                yield place, WIDTHS[char]


def _characters(drawn: Iterable[Drawn]) -> Iterator[Drawn]:
    """One by one."""
    for place, text in drawn:
        if len(text) == 1:
            yield place, text
        else:
            yield from (((at, at + 1), char) for at, char in enumerate(text, place[0]))
