"""What changes cells within their rows: writing, erasing, shifting. Rows are moved in scrolling.py."""

from __future__ import annotations

import pyte
from pyte import modes
from pyte.charsets import LAT1_MAP as ASCII
from pyte.charsets import VT100_MAP

from esr_tui.terminal.cells import (
    BLANK,
    NARROW,
    NOTHING,
    REPLACEMENT,
    UNSEEN,
    WIDTHS,
    Buffer,
    Cell,
    Cursor,
    blank,
    combined,
    split,
)

LINE_DRAWING = ASCII[:0x5F] + " " + VT100_MAP[0x60:0x7F] + ASCII[0x7F:]
"""DEC Special Graphics, which replaces 0x5F-0x7E and nothing else (pyte's table replaces "+" and "0" too)."""
MAX_REPEAT = 4096
"""Characters one REP writes at most; it is six bytes long and costs what it writes."""
IRM, DECAWM = modes.IRM, modes.DECAWM


class Grid(pyte.Screen):
    """pyte's Screen with its cell operations made right for wide and zero-width characters, and fast."""

    buffer: Buffer  # type: ignore[assignment]  # a list of all rows, where pyte has a dictionary of some
    cursor: Cursor

    last = ""
    """The last character drawn, for REP."""
    unseen = False
    """Something zero-width came in column 0, where no cell could take it: the next cell drawn does."""
    sides: tuple[int, int] | None = None
    """First and last column that scroll and shift (DECSLRM); None where all do."""

    @property
    def display(self) -> list[str]:
        """The rows as text."""
        return ["".join(line[x].data for x in range(self.columns)) for line in self.buffer]

    # -- writing

    def draw(self, data: str) -> None:
        """Write text without C0 controls at the cursor, through the character set in use."""
        charset = self.g1_charset if self.charset else self.g0_charset
        if charset is not ASCII:
            data = data.translate(charset)
        if self.unseen or not (data.isascii() or NARROW.fullmatch(data)):
            self._put(data)
            return
        cursor = self.cursor
        x, y = cursor.x, cursor.y
        end = x + len(data)
        if end < self.columns and IRM not in self.mode:  # most often, so made short
            line = self.buffer[y]
            if line.wide:
                line.mend(x, end)
            text = line.text
            if x > len(text):
                line.pad(x)
            text[x:end] = data
            line.pens[x:end] = [cursor.attrs] * (end - x)
            self.dirty.add(y)
            cursor.x = end
        else:
            self._place(list(data))
        self.last = data[-1]

    def _put(self, text: str) -> None:
        """Write characters of any width."""
        at = 0
        while at < len(text) and (self.unseen or self.columns < 2 or not WIDTHS[text[at]]):
            self._put_one(text[at])
            at += 1
        if at < len(text):
            self._place(split(text[at:]))
            self.last = next(char for char in reversed(text) if WIDTHS[char])

    def _put_one(self, char: str) -> None:
        """Write a character that has no cell of its own, or no ordinary one."""
        width = WIDTHS[char]
        if not width:
            self._combine(char)
            return
        cells = [char] if width == 1 else [char, ""] if self.columns > 1 else [REPLACEMENT + UNSEEN]
        if self.unseen:
            cells[0], self.unseen = combined(cells[0], UNSEEN), False
        self._place(cells)
        self.last = char

    def _place(self, cells: list[str]) -> None:
        """Write cells, a row at a time."""
        cursor, columns, wrap = self.cursor, self.columns, DECAWM in self.mode
        narrow = not wrap and "" not in cells
        start, length = 0, len(cells)
        while start < length:
            width = 2 if cells[start + 1 : start + 2] == [""] else 1
            if cursor.x + width > columns:
                if wrap:
                    self.buffer[cursor.y].wrapped = True
                    cursor.x = 0
                    self.index()
                else:
                    cursor.x = columns - width
                    start = length - 1 if narrow else start  # each would overwrite the one before it
            end = start + columns - cursor.x
            if cells[end : end + 1] == [""]:  # the edge would cut a wide character in two
                end -= 1
            taken = cells[start:end]
            self._write(taken)
            cursor.x += len(taken)
            start += len(taken)
        if cursor.x >= columns and not wrap:  # without wrap there is no pending wrap
            cursor.x = columns - 1

    def _write(self, cells: list[str]) -> None:
        """Put cells at the cursor, which they must not overrun; the cursor stays."""
        x, y = self.cursor.x, self.cursor.y
        if IRM in self.mode:
            self.insert_characters(len(cells))
        line = self.buffer[y]
        line.put(x, cells, [self.cursor.attrs] * len(cells))
        if "" in cells:
            line.wide = True
        self.dirty.add(y)

    def _combine(self, char: str) -> None:
        """Add a zero-width character to the cell before the cursor."""
        line, x = self.buffer[self.cursor.y], self.cursor.x - 1
        line.pad(x + 1)
        if x > 0 and line.text[x] == "":
            x -= 1
        if x < 0:
            self.unseen = True
            return
        line.text[x] = combined(line.text[x], char)
        line.pens[x] = Cell(*line.pens[x])  # no longer blank, if it was
        self.dirty.add(self.cursor.y)

    def repeat(self, count: int = 1) -> None:
        """REP: write the last character again."""
        if self.last:
            self._put(self.last * min(count or 1, MAX_REPEAT))

    def alignment_display(self) -> None:
        """DECALN: E everywhere, margins and origin mode off, cursor home."""
        for line in self.buffer:
            line.cut(0)
            line.put(0, "E" * self.columns, [BLANK] * self.columns)
            line.wrapped = False
        self.margins = self.sides = None
        self.mode.discard(modes.DECOM)
        self.cursor.x = self.cursor.y = 0
        self.dirty.update(range(self.lines))

    # -- erasing

    def _erase(self, y: int, start: int, end: int) -> None:
        """Blank columns start..end-1 of a row. In pending wrap (start == columns) nothing is erased."""
        columns = self.columns
        self.dirty.add(y)
        if start >= columns:
            return
        line, end = self.buffer[y], min(end, columns)
        if end == columns:
            line.wrapped = False
            line.cut(start)
        if (fill := blank(self.cursor.attrs.bg)) is not NOTHING or end < columns:
            line.put(start, " " * (end - start), [fill] * (end - start))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        """EL: 0 from the cursor, 1 up to it, 2 all."""
        x, y = self.cursor.x, self.cursor.y
        if how == 0:
            self._erase(y, x, self.columns)
        elif how == 1:
            self._erase(y, 0, x + 1)
        elif how == 2:
            self._erase(y, 0, self.columns)

    def erase_in_display(self, how: int = 0, *args: object, **kwargs: object) -> None:
        """ED: 0 from the cursor, 1 up to it, 2 all. 3 clears the scrollback, of which there is none here."""
        if how not in (0, 1, 2):
            return
        y = self.cursor.y
        for row in {0: range(y + 1, self.lines), 1: range(y), 2: range(self.lines)}[how]:
            self._erase(row, 0, self.columns)
        if how != 2:
            self.erase_in_line(how)

    def erase_characters(self, count: int | None = None) -> None:
        """ECH: blank cells from the cursor on."""
        self._erase(self.cursor.y, self.cursor.x, self.cursor.x + (count or 1))

    # -- shifting within a row

    def insert_characters(self, count: int | None = None) -> None:
        """ICH: open a gap at the cursor; what passes the right margin is lost."""
        self._shift(count or 1)

    def delete_characters(self, count: int | None = None) -> None:
        """DCH: close a gap at the cursor; blanks come in from the right."""
        self._shift(-(count or 1))

    def _shift(self, by: int) -> None:
        x, y = self.cursor.x, self.cursor.y
        left, right = self.sides or (0, self.columns - 1)
        size, edge = min(abs(by), right + 1 - x), right + 1
        if size <= 0 or x < left:  # in pending wrap the cursor is beyond the last cell
            return
        line, turn = self.buffer[y], x + size if by < 0 else edge - size
        line.pad(edge)
        if line.wide:
            for at in (x, edge, turn):
                line.mend(at, at)
        fill, text, pens = [blank(self.cursor.attrs.bg)] * size, line.text, line.pens
        if by > 0:
            text[x:edge] = [" "] * size + text[x:turn]
            pens[x:edge] = [*fill, *pens[x:turn]]
        else:
            text[x:edge] = text[turn:edge] + [" "] * size
            pens[x:edge] = [*pens[turn:edge], *fill]
        self.dirty.add(y)
