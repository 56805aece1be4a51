"""What changes cells within their rows: writing, erasing, shifting. Rows are moved in scrolling.py."""

from __future__ import annotations

from itertools import groupby, repeat

import pyte
from pyte import modes
from pyte.charsets import LAT1_MAP as ASCII
from pyte.charsets import VT100_MAP

from esr_tui.terminal.cells import (
    REPLACEMENT,
    UNSEEN,
    WIDTHS,
    Buffer,
    Cell,
    Cursor,
    Line,
    Palette,
    blank,
    combined,
    mend,
    palette,
)

LINE_DRAWING = ASCII[:0x5F] + " " + VT100_MAP[0x60:0x7F] + ASCII[0x7F:]
"""DEC Special Graphics, which replaces 0x5F-0x7E and nothing else (pyte's table replaces "+" and "0" too)."""
MAX_REPEAT = 4096
"""Characters one REP writes at most; it is six bytes long and costs what it writes."""
_width = WIDTHS.__getitem__


class Grid(pyte.Screen):
    """pyte's Screen with its cell operations made right for wide and zero-width characters, and fast."""

    buffer: Buffer
    cursor: Cursor

    last = ""
    """The last character drawn, for REP."""
    unseen = False
    """Something zero-width came in column 0, where no cell could take it: the next cell drawn does."""
    sides: tuple[int, int] | None = None
    """First and last column that scroll and shift (DECSLRM); None where all do."""
    _ink: tuple[Cell, Palette] | None = None

    def __getstate__(self) -> dict[str, object]:
        """The whole state without the cells kept for speed."""
        return {name: value for name, value in self.__dict__.items() if name != "_ink"}

    def _cells(self) -> Palette:
        pen = self.cursor.attrs
        if self._ink is None or self._ink[0] is not pen:
            self._ink = (pen, palette(pen))
        return self._ink[1]

    # -- writing

    def draw(self, data: str) -> None:
        """Write text without C0 controls at the cursor, through the character set in use."""
        charset = self.g1_charset if self.charset else self.g0_charset
        self._put(data if charset == ASCII else data.translate(charset))

    def _put(self, text: str) -> None:
        if text.isascii() or set(map(_width, text)) == {1}:
            self._put_narrow(text)
            return
        for width, group in groupby(text, _width):
            chars = "".join(group)
            if width == 1:
                self._put_narrow(chars)
            elif width == 2:
                self._put_wide(chars)
            else:
                for char in chars:
                    self._combine(char)

    def _put_narrow(self, text: str) -> None:
        """Write characters that take one cell each."""
        cursor, cells, length = self.cursor, self._cells(), len(text)
        end = cursor.x + length
        if end < self.columns and not self.unseen and modes.IRM not in self.mode:  # most often, so made short
            line = self.buffer[cursor.y]
            if not line.wide:
                if length == 1:
                    line[cursor.x] = cells[text]
                else:
                    line.update(zip(range(cursor.x, end), map(cells.__getitem__, text), strict=True))
                self.dirty.add(cursor.y)
                cursor.x, self.last = end, text[-1]
                return
        self._place([cells[char] for char in text], 1)
        self.last = text[-1]

    def _put_wide(self, text: str) -> None:
        """Write characters that take two cells each, the second one empty."""
        cells = self._cells()
        if self.columns < 2:
            self._place([cells[REPLACEMENT + UNSEEN] for _ in text], 1)
        else:
            stub = cells[""]
            self._place([cell for char in text for cell in (cells[char], stub)], 2)
        self.last = text[-1]

    def _place(self, cells: list[Cell], width: int) -> None:
        """Write characters of `width` cells each, a row at a time."""
        cursor, columns = self.cursor, self.columns
        if self.unseen:
            cells[0], self.unseen = combined(cells[0], UNSEEN), False
        start, length = 0, len(cells)
        while start < length:
            if cursor.x + width > columns:
                if modes.DECAWM in self.mode:
                    self.buffer[cursor.y].wrapped = True
                    cursor.x = 0
                    self.index()
                else:  # each would overwrite the one before it at the edge
                    cursor.x, start = columns - width, length - width
            room = columns - cursor.x
            taken = cells[start : start + room - room % width]
            self._write(taken)
            if width == 2:
                self.buffer[cursor.y].wide = True
            cursor.x += len(taken)
            start += len(taken)
        if cursor.x >= columns and modes.DECAWM not in self.mode:  # without wrap there is no pending wrap
            cursor.x = columns - 1

    def _write(self, cells: list[Cell]) -> None:
        """Put cells at the cursor, which they must not overrun; the cursor stays."""
        x, y = self.cursor.x, self.cursor.y
        end = x + len(cells)
        if modes.IRM in self.mode:
            self.insert_characters(len(cells))
        line = self.buffer[y]
        if line.wide:
            mend(line, x, end)
        line.update(zip(range(x, end), cells, strict=True))
        self.dirty.add(y)

    def _combine(self, char: str) -> None:
        """Add a zero-width character to the cell before the cursor."""
        line, x = self.buffer[self.cursor.y], self.cursor.x - 1
        if x > 0 and line[x].data == "":
            x -= 1
        if x < 0:
            self.unseen = True
            return
        line[x] = combined(line[x], char)
        self.dirty.add(self.cursor.y)

    def repeat(self, count: int = 1) -> None:
        """REP: write the last character again."""
        if self.last:
            self._put(self.last * min(count or 1, MAX_REPEAT))

    def alignment_display(self) -> None:
        """DECALN: E everywhere, margins and origin mode off, cursor home."""
        self.buffer.clear()
        self.buffer.update((y, Line(Cell("E"))) for y in range(self.lines))
        self.margins = self.sides = None
        self.mode.discard(modes.DECOM)
        self.cursor.x = self.cursor.y = 0
        self.dirty.update(range(self.lines))

    # -- erasing

    def _erase(self, y: int, start: int, end: int) -> None:
        """Blank columns start..end-1 of a row. In pending wrap (start == columns) nothing is erased."""
        fill = blank(self.cursor.attrs.bg)
        end = min(end, self.columns)
        self.dirty.add(y)
        if start == 0 and end == self.columns:
            self.buffer[y] = Line(fill)
        elif start < end:
            line = self.buffer[y]
            if line.wide:
                mend(line, start, end)
            if end == self.columns:
                line.wrapped = False
            line.update(dict.fromkeys(range(start, end), fill))

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
        size = min(abs(by), right + 1 - x)
        if size <= 0 or x < left:  # in pending wrap the cursor is beyond the last cell
            return
        line, edge = self.buffer[y], right + 1
        if line.wide:
            mend(line, x, x)
            mend(line, edge, edge)
            mend(line, x + size, x + size) if by < 0 else mend(line, edge - size, edge - size)
        gap: list[Cell] = list(repeat(blank(self.cursor.attrs.bg), size))
        if by > 0:
            cells = gap + [line[at] for at in range(x, edge - size)]
        else:
            cells = [line[at] for at in range(x + size, edge)] + gap
        line.update(zip(range(x, edge), cells, strict=True))
        self.dirty.add(y)
