"""The terminal's rows as text that keeps its place, and tells rows again after they have scrolled.

A row's number here is counted from the first row that the main screen ever showed, so that it stays the same
when the screen scrolls.
"""

from __future__ import annotations

from collections.abc import Sequence

from esr_tui.terminal import Terminal
from esr_tui.terminal.cells import Blank, Line
from esr_tui.terminal.screen import Watcher

Cells = tuple[str, ...]
"""One row: the text of each cell up to the last one that is not blank; "" for the right half of a wide one."""


class Page:
    """A terminal that is read by rows.

    Args:
        watcher: is told of line feeds, private modes and OSC 133 marks as the stream has them.
    """

    def __init__(self, watcher: Watcher) -> None:
        self.terminal = Terminal()
        self.screen = self.terminal.screen
        self.screen.watcher = watcher

    @property
    def top(self) -> int:
        """Number of the screen's first row."""
        return self.screen.scrolled

    @property
    def row(self) -> int:
        """The row of the cursor."""
        return self.screen.cursor.y + self.screen.scrolled

    @property
    def column(self) -> int:
        """The column of the cursor; the width of the screen where the next character wraps."""
        return self.screen.cursor.x

    def cells(self, row: int) -> Cells:
        """The cells of a row; none outside the screen."""
        y = row - self.top
        if not 0 <= y < self.screen.lines:
            return ()
        cells = self.screen.buffer[y].text[:]
        while cells and cells[-1] == " ":
            cells.pop()
        return tuple(cells)

    def before_cursor(self) -> Cells:
        """The cells of the cursor's row up to the cursor, blanks included."""
        line = self.screen.buffer[self.screen.cursor.y]
        return tuple(line[x].data for x in range(min(self.column, self.screen.columns)))

    def continues(self, row: int) -> bool:
        """Whether the text of a row goes on in the next one."""
        y = row - self.top
        if not 0 <= y < self.screen.lines - 1:
            return False
        line = self.screen.buffer[y]
        return line.wrapped or self._typed_to_the_edge(line)

    def _typed_to_the_edge(self, line: Line) -> bool:
        return len(line) == self.screen.columns and not isinstance(line.pens[-1], Blank)

    def logical(self, row: int) -> int:
        """The first row of the text that wraps into `row`."""
        while row > self.top and self.continues(row - 1):
            row -= 1
        return row

    def last(self, row: int) -> int:
        """The last row into which the text of `row` wraps."""
        while self.continues(row) and self.cells(row + 1):
            row += 1
        return row

    def text(self, first: int, column: int, last: int, right: tuple[int, Cells] | None = None) -> str:
        """The text from a column of row `first` to the end of row `last`, wrapped rows joined.

        Args:
            right: where a right prompt begins in row `first`, and what it shows; left out if it still stands there.
        """
        parts: list[str] = []
        for row in range(first, last + 1):
            cells = self.cells(row)
            if row == first:
                cells = without_right(cells, right)[column:]
            parts.append("".join(cells))
            if row < last:
                if self.continues(row):
                    start = column if row == first else 0
                    parts.append(" " * self._missing(row, start + len(cells)))
                else:
                    parts.append("\n")
        return "".join(parts).rstrip()

    def _missing(self, row: int, end: int) -> int:
        """Blanks between the last cell that is not blank and the edge, in a row that goes on in the next."""
        line = self.screen.buffer[row - self.top]
        below = self.screen.buffer[row - self.top + 1]
        # A wide character that found no room for its second half leaves one cell which nobody typed.
        left_out = below.text[1:2] == [""] and not self._typed_to_the_edge(line)
        return max(0, self.screen.columns - end - left_out)


def without_right(cells: Cells, right: tuple[int, Cells] | None) -> Cells:
    """A row without its right prompt."""
    if right is None:
        return cells
    column, shown = right
    if len(cells) < column + len(shown) or (column and cells[column - 1] != " "):
        return cells
    return cells[:column] if same_shape(cells[column:], shown) else cells


def same_shape(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two texts differ in digits alone, as a clock does."""
    return len(one) == len(other) and all(
        a == b or (a.isdigit() and b.isdigit()) for a, b in zip(one, other, strict=True)
    )
