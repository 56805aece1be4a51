"""What a screen is made of: cells, lines and the buffer that holds them.

pyte's data model (`buffer[y][x] -> Char`) with two attributes that pyte lacks. Cells come into being when they are
looked at: a line holds the text and the pen of each in two lists, since to make a cell for each drawn character
is most of what a terminal costs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from pyte.screens import Char, wcwidth
from pyte.screens import Cursor as PyteCursor

MAX_CELL = 8
"""Characters one cell holds at most: the base and what combines with it."""
MAX_SHARED = 4096
"""Entries that each cache by sequence or style holds at most."""
UNSEEN = "\u200b"
"""Put into a cell to say that more went with it than can be kept or drawn."""
REPLACEMENT = "\ufffd"
"""Stands for a character that has no room or no shape of its own."""


_FIELDS = (*Char._fields, "faint", "conceal")
_DEFAULTS = (*Char("")[1:], False, False)


_C = TypeVar("_C", bound="Cell")


class Cell(Char):
    """pyte's Char with `faint` (SGR 2) and `conceal` (SGR 8).

    `data` is "" for the second half of a wide character, else a base character and up to
    MAX_CELL - 1 that combine with it.
    """

    __slots__ = ()

    def __new__(cls: type[_C], data: str, *attributes: str | bool) -> _C:
        return tuple.__new__(cls, (data, *attributes, *_DEFAULTS[len(attributes) :]))

    faint = property(itemgetter(9), doc="Drawn dim.")
    conceal = property(itemgetter(10), doc="Drawn by no terminal, but shown to whoever reviews the session.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}{tuple(self)}"

    def _replace(self, **changes: Any) -> Cell:
        fields = list(self)
        for field, value in changes.items():
            fields[_FIELDS.index(field)] = value
        return tuple.__new__(Cell, fields)

    def holding(self, data: str) -> Cell:
        """A cell of the same attributes with other text."""
        return tuple.__new__(Cell, (data, *self[1:]))


class Blank(Cell):
    """A cell that was erased or never written, which no text can be said to stand in."""

    __slots__ = ()


BLANK = Cell(" ")
"""The pen at the start."""
NOTHING = Blank(" ")
"""A cell nobody wrote to."""


@lru_cache(MAX_SHARED)
def blank(bg: str) -> Blank:
    """What erasing leaves behind: the background colour and no other attribute, as in xterm."""
    return NOTHING if bg == "default" else Blank(" ", "default", bg)


class Cursor(PyteCursor):
    """pyte's cursor. `x == columns` means that the next character wraps; `attrs` is the pen."""

    __slots__ = ()

    if TYPE_CHECKING:
        attrs: Cell

    def __init__(self, x: int, y: int, attrs: Cell = BLANK) -> None:
        super().__init__(x, y, attrs)


class Line:
    """One row: for each cell its text and its pen, up to the last that was written or erased with a colour.

    In pyte's manner, `line[x]` is the cell at a column and `line.get(x)` the same or None.
    """

    __slots__ = ("pens", "text", "wide", "wrapped")

    def __init__(self) -> None:
        self.text: list[str] = []
        """A base character and up to MAX_CELL - 1 that combine with it; "" for the right half of a wide one."""
        self.pens: list[Cell] = []
        """As many: what each cell was written with, or a Blank where it was erased."""
        self.wide = False
        """Whether a wide character was ever written here: only then can one be cut in half."""
        self.wrapped = False
        """Whether text ran over the right edge into the next row, and the edge was not erased since."""

    def __getitem__(self, x: int) -> Cell:
        return self.pens[x].holding(self.text[x]) if x < len(self.text) else NOTHING

    def __len__(self) -> int:
        return len(self.text)

    def pad(self, size: int) -> None:
        """Make the row hold at least `size` cells."""
        if (lacking := size - len(self.text)) > 0:
            self.text += [" "] * lacking
            self.pens += [NOTHING] * lacking

    def put(self, x: int, text: Sequence[str], pens: Sequence[Cell]) -> None:
        """Overwrite cells from column `x` on; what is left of wide characters cut in half becomes blank."""
        if self.wide:
            self.mend(x, x + len(text))
        if x > len(self.text):
            self.pad(x)
        self.text[x : x + len(text)] = text
        self.pens[x : x + len(text)] = pens

    def cut(self, size: int) -> None:
        """Drop the cells from column `size` on; a wide character that loses its second half becomes blank."""
        if self.wide:
            self.mend(size, size)
        del self.text[size:], self.pens[size:]

    def clear(self) -> None:
        """Blank the whole row."""
        self.text.clear()
        self.pens.clear()
        self.wide = self.wrapped = False

    def mend(self, start: int, end: int) -> None:
        """Blank the halves of wide characters that writing to columns start..end-1 would leave behind.

        With start == end the character that straddles that column is blanked whole.
        """
        text = self.text
        if 0 < start < len(text) and text[start] == "":
            text[start - 1] = " "
        if end < len(text) and text[end] == "":
            text[end] = " "


class Buffer(list[Line]):
    """The rows of a screen from the top; pyte's `buffer[y][x]` holds."""

    def __init__(self, lines: int) -> None:
        super().__init__(Line() for _ in range(lines))


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


NARROW = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0384-\u038a\u0391-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2319\u2500-\u25fc]*+"
)
"""Text of scripts and signs common in terminals that takes one cell a character, as WIDTHS would say."""


def combined(text: str, char: str) -> str:
    """A cell's text with a zero-width `char` added; what does not fit is told by UNSEEN, never dropped silently."""
    data = unicodedata.normalize("NFC", text + char)
    if len(data) > MAX_CELL:
        return text if UNSEEN in text else text[: MAX_CELL - 1] + UNSEEN
    return data


class _Cells(dict[str, tuple[str, ...]]):
    def __missing__(self, char: str) -> tuple[str, ...]:
        cells = ((_COMBINES, char), (char,), (char, ""))[WIDTHS[char]]
        if len(self) >= 16 * MAX_SHARED:
            self.clear()
        self[char] = cells
        return cells


_CELLS = _Cells()
"""Character -> the cells it fills; a zero-width one stands behind _COMBINES."""
_COMBINES = "\0"


def split(text: str) -> list[str]:
    """Text, whose first character is not of zero width, as cells."""
    cells = list(chain.from_iterable(map(_CELLS.__getitem__, text)))
    marks = cells.count(_COMBINES)
    if not marks:
        return cells
    joined: list[str] = []
    start = 0
    for _ in range(marks):
        at = cells.index(_COMBINES, start)
        joined += cells[start:at]
        base = -2 if joined[-1] == "" else -1
        joined[base] = combined(joined[base], cells[at + 1])
        start = at + 2
    return joined + cells[start:]
