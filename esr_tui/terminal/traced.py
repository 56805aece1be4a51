"""A terminal whose cells know which bytes of the stream drew them."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from esr_tui.terminal.cells import Cell
from esr_tui.terminal.grid import IRM
from esr_tui.terminal.rows import inert_cell
from esr_tui.terminal.screen import Screen
from esr_tui.terminal.stream import Stream
from esr_tui.terminal.terminal import Terminal

Place = tuple[int, int]
"""Offsets in the stream: the first byte, and the one behind the last."""

Drawn = tuple[Place, str]
"""Text, and the bytes that drew it: those of one character, or a byte for each of several."""

_FIELDS = len(Cell(" "))
_KEPT = 16
"""Places that are kept of one cell: a line editor draws the same character again and again."""

PIECES = re.compile(
    rb"[\x20-\x7e]+|\r\n|\x1b\[[0-?]*[ -/]*[@-~]"
    rb"|\x1b[\]PX^_][^\x07\x18\x1a\x1b]{0,65536}(?:\x07|\x1b\\)?"
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x00-\xff]"
)
"""Runs of text, characters, controls, sequences, control strings."""


def drawn_by(pen: Cell) -> tuple[Place, ...]:
    """The bytes that drew a cell with this pen, and those that drew the same character there before."""
    return tuple(pen)[_FIELDS:]  # type: ignore[return-value]  # longer than pyte's Char by what is put on here


class _Screen(Screen):
    """Puts on every pen where the text comes from."""

    piece = b""
    start = 0
    pending = b""
    """The piece, and before it what it completes: a sequence, a string or a character."""
    begun = 0
    """Where that begins."""
    chars: list[tuple[str, Place]] | None = None
    late = 0
    """The characters of `pending`, and how many of them were drawn."""
    drawn: list[Drawn]
    """What was drawn since this was emptied."""
    follows = True
    """Whether rows that only moved count as unchanged."""
    changed: set[int]
    """Rows that nobody has asked for since they were changed, as the terminal keeps them."""

    def draw(self, data: str) -> None:
        size = len(self.piece)
        if self.piece.isascii() and self.piece.decode().endswith(data):
            first = self.start + size - len(data)
            if not self.unseen and IRM not in self.mode and self.cursor.x + len(data) < self.columns:
                self._draw_run(data, first)
                return
            places = [(at, at + 1) for at in range(first, first + len(data))]
        else:
            places = self._late(data)
        for char, place in zip(data, places, strict=True):
            self._draw_one(char, place)

    def _scroll(self, top: int, bottom: int, count: int) -> None:
        """Rows that move are not changed by that; those at the edges may wrap into other rows than before."""
        before = self.dirty | self.changed
        super()._scroll(top, bottom, count)
        if self.follows and self.sides is None and count > 0:
            moved = {y - count if top <= y <= bottom else y for y in before}
            edges = {top - 1, top, *range(bottom + 1 - count, bottom + 2)}
            self.changed.clear()
            self.dirty.clear()
            self.dirty.update(y for y in moved | edges if 0 <= y < self.lines)

    def _late(self, data: str) -> list[Place]:
        """Where text comes from that was held back: a character that came in parts, a string that was none."""
        if self.chars is None:
            self.chars = _characters(self.pending, self.begun)
        text = "".join(char for char, _ in self.chars)
        at = text.find(data, self.late)
        if at < 0:  # what the terminal adds by itself comes from the last byte
            return [(self.start + len(self.piece) - 1, self.start + len(self.piece))] * len(data)
        self.late = at + len(data)
        return [place for _, place in self.chars[at : self.late]]

    def _draw_run(self, data: str, first: int) -> None:
        """Text that fits into the row, all at once: it is most of what there is."""
        pen, x, line = self.cursor.attrs, self.cursor.x, self.buffer[self.cursor.y]
        self.drawn.append(((first, first + len(data)), data))
        before = [
            drawn_by(old)[: _KEPT - 1] if old_text == char else ()
            for old_text, old, char in zip(line.text[x:], line.pens[x:], data, strict=False)
        ]
        super().draw(data)
        new, plain = tuple.__new__, tuple(pen)
        end = x + len(data)
        line.pens[x:end] = [new(Cell, (*plain, (at, at + 1))) for at in range(first, first + len(data))]
        for at, places in enumerate(before, x):
            if places:
                line.pens[at] = new(Cell, (*line.pens[at], *places))

    def _draw_one(self, char: str, place: Place) -> None:
        pen, cursor = self.cursor.attrs, self.cursor
        line = self.buffer[cursor.y]
        before: tuple[Place, ...] = ()
        if cursor.x < len(line.text) and line.text[cursor.x] == char:
            before = drawn_by(line.pens[cursor.x])[: _KEPT - 1]
        cursor.attrs = tuple.__new__(Cell, (*pen, place, *before))
        super().draw(char)
        self.cursor.attrs = pen
        self.drawn.append((place, char))

    def repeat(self, count: int = 1) -> None:
        pen = self.cursor.attrs
        self.cursor.attrs = tuple.__new__(Cell, (*pen, (self.start, self.start + len(self.piece))))
        drawn, self.drawn = self.drawn, []
        super().repeat(count)
        self.cursor.attrs, self.drawn = pen, drawn


class TracedTerminal(Terminal):
    """Is fed piece by piece; some microseconds for each byte."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__(columns, rows)
        self.screen: _Screen = _Screen(columns, rows)
        self.screen.changed, self.screen.drawn = self._changed, []
        self.stream = Stream(self.screen)
        self._note_dirty()

    def changed(self) -> set[int]:
        """As of any terminal, but that rows which only moved do not count."""
        changed = set(self._changed)
        self._changed.clear()
        return changed

    def feed_piece(self, piece: bytes, offset: int) -> None:
        """Takes one of the PIECES, which begins at `offset` of the stream."""
        screen = self.screen
        if not (self.held or self.stream.undecoded):
            screen.pending, screen.begun, screen.late = b"", offset, 0
        screen.piece, screen.start, screen.chars = piece, offset, None
        screen.pending += piece
        self.feed(piece)

    def drawn(self) -> list[Drawn]:
        """What was drawn since the last call, whether or not it still stands."""
        drawn, self.screen.drawn = self.screen.drawn, []
        return drawn

    @property
    def in_string(self) -> bool:
        """Whether a control string (a title, say) has begun and not ended."""
        return self.stream.held_text[1:2] in ("]", "P", "X", "^", "_")

    def places(self, y: int, start: int, end: int) -> Iterator[tuple[Place, int]]:
        """The bytes that drew characters of a row, which count as in `plain(y)`; and how many cells each takes."""
        line = self.screen.buffer[y]
        cells = [x for x, text in enumerate(line.text) for _ in inert_cell(text)]
        for x in dict.fromkeys(cells[start:end]):
            width = 2 if line.text[x + 1 : x + 2] == [""] else 1
            for place in drawn_by(line.pens[x]):
                yield place, width


def _characters(data: bytes, offset: int) -> list[tuple[str, Place]]:
    """The characters of bytes, each with those that it comes from."""
    decoder, found, begun = getincrementaldecoder("utf-8")("replace"), list[tuple[str, Place]](), offset
    for at, byte in enumerate(data, offset):
        chars = decoder.decode(bytes([byte]))
        held = len(decoder.getstate()[0])
        for left, char in zip(range(len(chars) - 1, -1, -1), chars, strict=True):
            # What was begun before a byte that cannot go on with it stands for itself, in one part or several.
            end = at + 1 - held if not left else at if left == 1 else begun + 1
            found.append((char, (begun, end)))
            begun = end
    return found
