"""What moves whole rows and rectangles of cells: the margins, index, SU/SD, IL/DL, DECFRA and its like.

Side margins and rectangles look exotic, but tmux, vim and neovim use them to scroll and clear split panes
wherever the user's own terminal says that it has them (xterm, mintty, iTerm2, WezTerm).
"""

from __future__ import annotations

from typing import TypeAlias

from pyte import modes

from esr_tui.terminal.cells import NOTHING, WIDTHS, Cell, blank
from esr_tui.terminal.grid import Grid

Cells: TypeAlias = tuple[list[str], list[Cell]]
"""Texts and pens, as in Line."""
DECLRMM = 69 << 5
"""The private mode in which side margins can be set, as pyte keeps modes."""


class Scrolling(Grid):
    """The grid with margins."""

    alternate = False
    """Whether the alternate screen is shown."""
    scrolled = 0
    """Rows of the main screen that have left it at the top, so that a row can be told again after it moved."""

    @property
    def region(self) -> tuple[int, int]:
        """First and last row that scroll."""
        return self.margins or (0, self.lines - 1)

    @property
    def between_sides(self) -> bool:
        """Whether the cursor is in a column that scrolls."""
        return self.sides is None or self.sides[0] <= self.cursor.x <= self.sides[1]

    def set_sides(self, left: int = 1, right: int = 0) -> None:
        """DECSLRM: 1-based columns. Without DECLRMM the same sequence is SCOSC, if it has no parameters."""
        first, last = (left or 1) - 1, min(right or self.columns, self.columns) - 1
        if first < last:
            whole = first == 0 and last == self.columns - 1
            self.sides = None if whole else (first, last)
            self.cursor_position()

    def _scroll(self, top: int, bottom: int, count: int) -> None:
        """Move rows top..bottom up by `count` (down where negative); blank rows come in."""
        if self.sides:
            self._scroll_between(*self.sides, top, bottom, count)
            return
        buffer, size = self.buffer, min(abs(count), bottom - top + 1)
        gone, fresh = (top, bottom) if count > 0 else (bottom, top)
        if count > 0 and top == 0 and not self.alternate:
            self.scrolled += size
        fill = blank(self.cursor.attrs.bg)
        for _ in range(size):
            line = buffer.pop(gone)
            line.clear()
            if fill is not NOTHING:
                line.put(0, " " * self.columns, [fill] * self.columns)
            buffer.insert(fresh, line)
        if len(self.dirty) < self.lines:
            self.dirty.update(range(top, bottom + 1))

    def _scroll_between(self, left: int, right: int, top: int, bottom: int, count: int) -> None:
        """As _scroll, for columns left..right alone."""
        size = right - left + 1
        nothing: Cells = [" "] * size, [blank(self.cursor.attrs.bg)] * size
        taken = {y: self._taken(y, left, right) for y in range(top, bottom + 1)}
        for y in taken:
            self._overwrite(y, left, taken.get(y + count, nothing))

    def _taken(self, y: int, left: int, right: int) -> Cells:
        """Cells left..right of a row, with blanks for the wide characters that the edges cut."""
        line = self.buffer[y]
        line.pad(right + 1)
        text, pens = line.text[left : right + 1], line.pens[left : right + 1]
        if text[0] == "":
            text[0] = " "
        if line.text[right + 1 : right + 2] == [""]:
            text[-1] = " "
        return text, pens

    def _overwrite(self, y: int, left: int, cells: Cells) -> None:
        """Put cells into a row."""
        line = self.buffer[y]
        line.put(left, *cells)
        line.wide = line.wide or "" in cells[0]
        self.dirty.add(y)

    def index(self) -> None:
        """IND: one row down and out of pending wrap, scrolling at the bottom margin."""
        cursor = self.cursor
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        top, bottom = self.margins or (0, self.lines - 1)
        if cursor.y == bottom:
            if self.sides is None or self.between_sides:
                self._scroll(top, bottom, 1)
        elif cursor.y < self.lines - 1:
            cursor.y += 1

    def reverse_index(self) -> None:
        """RI: one row up and out of pending wrap, scrolling at the top margin."""
        cursor, (top, bottom) = self.cursor, self.region
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        if cursor.y == top:
            if self.between_sides:
                self._scroll(top, bottom, -1)
        elif cursor.y > 0:
            cursor.y -= 1

    def scroll_up(self, count: int = 1) -> None:
        """SU: move the region's rows up; the cursor stays."""
        self._scroll(*self.region, count or 1)

    def scroll_down(self, count: int = 1) -> None:
        """SD: move the region's rows down; the cursor stays."""
        self._scroll(*self.region, -(count or 1))

    def insert_lines(self, count: int | None = None) -> None:
        """IL: blank rows at the cursor, which must be in the region."""
        self._lines(-(count or 1))

    def delete_lines(self, count: int | None = None) -> None:
        """DL: rows at the cursor go, the rest of the region moves up."""
        self._lines(count or 1)

    def _lines(self, count: int) -> None:
        top, bottom = self.region
        if top <= self.cursor.y <= bottom and self.between_sides:
            self._scroll(self.cursor.y, bottom, count)
            self.cursor.x = self.sides[0] if self.sides else 0

    # -- rectangles

    def _area(self, top: int, left: int, bottom: int, right: int) -> tuple[range, range]:
        """Rows and columns of a rectangle given 1-based, 0 being the default; counted from the margins in DECOM."""
        down, along = self._origin()
        rows = range((top or 1) - 1 + down, min((bottom or self.lines) + down, self.lines))
        return rows, range((left or 1) - 1 + along, min((right or self.columns) + along, self.columns))

    def _origin(self) -> tuple[int, int]:
        if modes.DECOM not in self.mode:
            return 0, 0
        return self.region[0], self.sides[0] if self.sides else 0

    def _fill(self, text: str, pen: Cell, rows: range, columns: range) -> None:
        if columns:
            for y in rows:
                self._overwrite(y, columns.start, ([text] * len(columns), [pen] * len(columns)))

    def fill_area(self, code: int = 0, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0) -> None:
        """DECFRA: one character everywhere in a rectangle."""
        char = chr(code)
        if char.isprintable() and WIDTHS[char] == 1:
            self._fill(char, self.cursor.attrs, *self._area(top, left, bottom, right))

    def erase_area(self, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0) -> None:
        """DECERA: blanks everywhere in a rectangle."""
        self._fill(" ", blank(self.cursor.attrs.bg), *self._area(top, left, bottom, right))

    def copy_area(self, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0, *target: int) -> None:
        """DECCRA: a rectangle to another place. `target` is the source page, row, column, page."""
        _, row, column, *_ = (*target, 0, 0, 0)
        rows, columns = self._area(top, left, bottom, right)
        target_rows, target_columns = self._area(row, column, 0, 0)
        if not columns:
            return
        taken = [self._taken(y, columns.start, columns.stop - 1) for y in rows]
        room = len(target_columns)
        for y, (text, pens) in zip(target_rows, taken, strict=False):
            if text[room : room + 1] == [""]:
                text[room - 1] = " "
            self._overwrite(y, target_columns.start, (text[:room], pens[:room]))
