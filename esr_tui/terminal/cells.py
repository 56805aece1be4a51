"""What a screen is made of: cells, lines and the buffer that holds them.

pyte's data model (`buffer[y][x] -> Char`) with three additions: two attributes that pyte lacks,
plain picklable containers in place of its closures, and cells that are shared between positions,
since making one for each drawn character is most of what a terminal costs.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pyte.screens import Char, StaticDefaultDict, wcwidth
from pyte.screens import Cursor as PyteCursor

MAX_CELL = 8
"""Characters one cell holds at most: the base and what combines with it."""
MAX_SHARED = 4096
"""Entries that each cache by sequence or style holds at most."""
MAX_PENS, MAX_CELLS_OF_PEN = 1024, 256
"""Attribute sets, and cells of each, that are kept for sharing: some 60 MB for a stream that is made for it."""
UNSEEN = "\u200b"
"""Put into a cell to say that more went with it than can be kept or drawn."""
REPLACEMENT = "\ufffd"
"""Stands for a character that has no room or no shape of its own."""


_FIELDS = (*Char._fields, "faint", "conceal")
_DEFAULTS = (*Char("")[1:], False, False)


class Cell(Char):
    """pyte's Char with `faint` (SGR 2) and `conceal` (SGR 8).

    `data` is "" for the second half of a wide character, else a base character and up to
    MAX_CELL - 1 that combine with it.
    """

    __slots__ = ()

    def __new__(cls, data: str, *attributes: str | bool) -> Cell:
        return tuple.__new__(cls, (data, *attributes, *_DEFAULTS[len(attributes) :]))

    faint = property(itemgetter(9), doc="Drawn dim.")
    conceal = property(itemgetter(10), doc="Drawn by no terminal, but shown to whoever reviews the session.")

    def _replace(self, **changes: Any) -> Cell:
        fields = list(self)
        for field, value in changes.items():
            fields[_FIELDS.index(field)] = value
        return tuple.__new__(Cell, fields)

    def holding(self, data: str) -> Cell:
        """A cell of the same attributes with other text."""
        return tuple.__new__(Cell, (data, *self[1:]))


BLANK = Cell(" ")


class Cursor(PyteCursor):
    """pyte's cursor. `x == columns` means that the next character wraps; `attrs` is the pen."""

    __slots__ = ()

    if TYPE_CHECKING:
        attrs: Cell

    def __init__(self, x: int, y: int, attrs: Cell = BLANK) -> None:
        super().__init__(x, y, attrs)


class Line(StaticDefaultDict[int, Char]):
    """One row: column -> Cell, and `default` wherever nothing was written."""

    wide = False
    """Whether a wide character was ever written here: only then can one be cut in half."""
    wrapped = False
    """Whether text ran over the right edge into the next row, and the edge was not erased since."""

    if TYPE_CHECKING:
        default: Cell

        def __getitem__(self, x: int) -> Cell: ...


class Buffer(dict[int, StaticDefaultDict[int, Char]]):
    """Row number -> Line; rows nobody wrote to come into being when they are asked for."""

    if TYPE_CHECKING:

        def __getitem__(self, y: int) -> Line: ...

    def __missing__(self, y: int) -> Line:
        line = self[y] = Line(BLANK)
        return line


class Palette(dict[str, Cell]):
    """Text -> the shared cell that shows it with one set of attributes."""

    def __init__(self, pen: Cell) -> None:
        super().__init__()
        self._attributes = pen[1:]

    def __missing__(self, data: str) -> Cell:
        cell = tuple.__new__(Cell, (data, *self._attributes))
        if len(self) < MAX_CELLS_OF_PEN:
            self[data] = cell
        return cell


@lru_cache(MAX_PENS)
def palette(pen: Cell) -> Palette:
    """The cells that `pen` writes."""
    return Palette(pen)


@lru_cache(MAX_SHARED)
def blank(bg: str) -> Cell:
    """What erasing leaves behind: the background colour and no other attribute, as in xterm."""
    return BLANK._replace(bg=bg)


class _Widths(dict[str, int]):
    def __missing__(self, char: str) -> int:
        # A flag is two regional indicators of one cell each in terminals; wcwidth has counted them as two.
        width = 1 if "\U0001f1e6" <= char <= "\U0001f1ff" else max(0, wcwidth(char))
        if len(self) >= 16 * MAX_SHARED:
            self.clear()
        self[char] = width
        return width


WIDTHS = _Widths()
"""Character -> cells it takes: 0, 1 or 2. A C1 control that came as UTF-8 takes none, as in tmux."""


def combined(cell: Cell, char: str) -> Cell:
    """`cell` with a zero-width `char` added; what does not fit is told by UNSEEN, never dropped silently."""
    data = unicodedata.normalize("NFC", cell.data + char)
    if len(data) > MAX_CELL:
        data = cell.data if UNSEEN in cell.data else cell.data[: MAX_CELL - 1] + UNSEEN
    return cell.holding(data)


def mend(line: Line, start: int, end: int) -> None:
    """Blank the halves of wide characters that writing to columns start..end-1 would leave behind.

    With start == end the character that straddles that column is blanked whole.
    """
    if start > 0 and line[start].data == "":
        line[start - 1] = line[start - 1].holding(" ")
    if line[end].data == "":
        line[end] = line[end].holding(" ")


def mend_edge(line: Line, columns: int) -> None:
    """Blank a wide character whose second half fell off the right edge."""
    data = line[columns - 1].data
    if data and WIDTHS[data[0]] == 2:
        line[columns - 1] = line[columns - 1].holding(" ")
