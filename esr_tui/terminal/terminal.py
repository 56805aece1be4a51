"""A terminal that knows no widget: bytes in, rows out."""

from __future__ import annotations

import msgspec
from pyte import modes

from esr_tui.terminal import state
from esr_tui.terminal.rows import EMPTY, Row, plain, render
from esr_tui.terminal.screen import Screen
from esr_tui.terminal.stream import Stream


class Cursor(msgspec.Struct, frozen=True):
    """Where the cursor stands, from 0, and whether it is shown."""

    x: int
    y: int
    visible: bool


class Terminal:
    """The screen that a stream of bytes leaves behind.

    Whatever the bytes are, nothing raises, no text is hidden that a terminal would show, and the state stays
    bounded. How the bytes are cut makes no difference. All state is plain data and can be pickled.

    Args:
        columns: width in cells, kept within 1..1000.
        rows: height in cells, kept within 1..1000.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.screen = Screen(columns, rows)
        self.stream = Stream(self.screen)
        self._drawn: dict[int, Row] = {}
        self._changed: set[int] = set()
        self._note_dirty()

    def state(self) -> bytes:
        """The whole state, the unfinished sequence included: equal for terminals that show and will do the same."""
        return state.dump(self.screen, self.stream)

    @classmethod
    def from_state(cls, data: bytes) -> Terminal:
        """The terminal that `state` was asked of; all its rows count as changed.

        Raises:
            ValueError: `data` is damaged, of another version, or nothing that a terminal's state could be.
        """
        terminal = cls(1, 1)
        terminal.screen, terminal.stream = state.load(data)
        terminal._changed = set(range(terminal.rows))
        terminal._drawn.clear()
        return terminal

    @property
    def columns(self) -> int:
        """Width in cells."""
        return self.screen.columns

    @property
    def rows(self) -> int:
        """Height in cells."""
        return self.screen.lines

    @property
    def title(self) -> str:
        """The window title that the stream set, inert and at most 256 characters."""
        return self.screen.title

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self.screen.alternate

    @property
    def cursor(self) -> Cursor:
        """The cursor, always within the screen."""
        cursor = self.screen.cursor
        return Cursor(min(cursor.x, self.columns - 1), cursor.y, not cursor.hidden)

    @property
    def held(self) -> int:
        """Characters of a sequence or control string begun and not ended, which no row shows so far."""
        return self.stream.held

    def feed(self, data: bytes) -> None:
        """Take in more of the stream. Never raises."""
        self.stream.feed(data)
        self._note_dirty()

    def resize(self, columns: int, rows: int) -> None:
        """Give the screen another size in cells, each within 1..1000. Text is not reflowed."""
        before = self.rows
        self.screen.resize(lines=max(1, rows), columns=max(1, columns))
        self._note_dirty()
        self._changed -= set(range(self.rows, before))

    def _note_dirty(self) -> None:
        dirty = self.screen.dirty
        self._changed |= dirty
        for y in dirty:
            self._drawn.pop(y, None)
        dirty.clear()

    def changed(self) -> set[int]:
        """Rows whose cells may have changed since the last call; moves of the cursor alone do not count."""
        changed, self._changed = self._changed, set()
        return changed

    def row(self, y: int) -> Row:
        """Row `y` from 0 as styled runs; an empty one outside the screen."""
        if not 0 <= y < self.rows:
            return EMPTY
        row = self._drawn.get(y)
        if row is None:
            inverse = modes.DECSCNM in self.screen.mode
            row = self._drawn[y] = render(self.screen.buffer[y], self.columns, inverse)
        return row

    def plain(self, y: int) -> str:
        """The text of row `y` at a tenth of what `row` costs, blanks at its end left out unless it goes on below."""
        return plain(self.screen.buffer[y]) if 0 <= y < self.rows else ""

    def wrapped(self, y: int) -> bool:
        """Whether the text of row `y` goes on in the row below; False outside the screen."""
        return 0 <= y < self.rows and self.screen.buffer[y].wrapped

    def text(self) -> str:
        """All rows joined by newlines, blanks at their ends left out."""
        return "\n".join(self.row(y).text.rstrip() for y in range(self.rows))
