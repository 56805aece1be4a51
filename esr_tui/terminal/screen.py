"""The screen: cursor moves, modes, margins, tab stops, the alternate buffer, saved cursors, size."""

from __future__ import annotations

from typing import Protocol, cast

from pyte import modes
from pyte.charsets import LAT1_MAP as ASCII
from pyte.screens import Margins, Savepoint

from esr_tui.terminal import sgr
from esr_tui.terminal.cells import BLANK, Buffer, Cell, Cursor
from esr_tui.terminal.grid import LINE_DRAWING
from esr_tui.terminal.scrolling import DECLRMM, Scrolling

MAX_SIZE = 1000
"""Columns and rows a screen has at most."""
TAB_STOPS = frozenset(range(8, MAX_SIZE, 8))

_ALTERNATE = frozenset({47, 1047, 1049})
KEPT_MODES = frozenset(
    {modes.IRM, modes.LNM, modes.DECSCNM, modes.DECOM, modes.DECAWM, modes.DECTCEM, DECLRMM}
)
_INITIAL = frozenset({modes.DECAWM, modes.DECTCEM})


def clamped(size: int) -> int:
    """A number of columns or rows as a screen can have it."""
    return max(1, min(size, MAX_SIZE))


class Watcher(Protocol):
    """Is told of what a stream says beside its text, at the moment that it says it."""

    def line_feed(self) -> None:
        """LF, VT or FF is about to move the cursor down."""

    def private_mode(self, mode: int, on: bool) -> None:
        """DECSET or DECRST of one mode is about to be carried out."""

    def shell_mark(self, mark: str) -> None:
        """OSC 133: a shell says which part comes next; "A" prompt, "B" input, "C" output, "D" done."""


class Screen(Scrolling):
    """A terminal's screen. Nothing a stream says makes it raise, grow without bound or change its size."""

    watcher: Watcher | None = None

    def __init__(self, columns: int, lines: int) -> None:
        self.alternate = False
        super().__init__(clamped(columns), clamped(lines))

    # -- state as a whole

    def reset(self) -> None:
        """RIS: everything as at the start, but the size."""
        self.buffer, self.other = Buffer(self.lines), Buffer(self.lines)
        self.alternate = False
        self.title = self.icon_name = self.last = ""
        self.unseen = False
        self.saved_columns = None
        self.tabstops = set(TAB_STOPS)
        self.cursor = Cursor(0, 0)
        self.mode = set(_INITIAL)
        self.soft_reset()
        self.other_saved: list[Savepoint] = []
        self.dirty.update(range(self.lines))

    def soft_reset(self) -> None:
        """DECSTR: modes, margins, pen, character sets and saved cursor; the text stays."""
        if modes.DECSCNM in self.mode:
            self.dirty.update(range(self.lines))
        self.mode = set(_INITIAL)
        self.margins = self.sides = None
        self.charset = 0
        self.g0_charset = self.g1_charset = ASCII
        self.savepoints = []
        self.cursor.attrs = BLANK
        self.cursor.hidden = False

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Give the screen another size without reflow; rows below the cursor go first, then from the top."""
        lines, columns = clamped(lines or self.lines), clamped(columns or self.columns)
        if (lines, columns) == (self.lines, self.columns):
            return
        moved = self._cut(self.buffer, self.cursor.y, lines, columns)
        other_y = self.other_saved[-1].cursor.y if self.other_saved else 0
        other_moved = self._cut(self.other, other_y, lines, columns)
        self.scrolled += other_moved if self.alternate else moved
        self.lines, self.columns = lines, columns
        for cursor, by in (
            (self.cursor, moved),
            *((saved.cursor, moved) for saved in self.savepoints),
            *((saved.cursor, other_moved) for saved in self.other_saved),
        ):
            cursor.x = min(cursor.x, columns)
            cursor.y = max(0, min(cursor.y - by, lines - 1))
        self.margins = self.sides = None
        self.dirty = set(range(lines))

    def _cut(self, buffer: Buffer, y: int, lines: int, columns: int) -> int:
        """Fit a buffer, whose cursor is in row `y`, to a size. Returns how many rows went from the top."""
        gone = max(0, y + 1 - lines)
        del buffer[:gone], buffer[lines:]
        buffer += Buffer(lines - len(buffer))
        if columns < self.columns:
            for line in buffer:
                line.cut(columns)
        return gone

    # -- pen and character sets

    def rendition(self, change: sgr.Change) -> None:
        """Change the pen as `sgr.parse` worked out."""
        self.cursor.attrs = sgr.applied(self.cursor.attrs, change)

    def take_pen(self, pen: Cell) -> None:
        """Write on with another pen."""
        self.cursor.attrs = pen

    def foreground(self, colour: str) -> None:
        """Another foreground colour alone."""
        pen = self.cursor.attrs
        self.cursor.attrs = tuple.__new__(Cell, (" ", colour, *pen[2:]))

    def background(self, colour: str) -> None:
        """Another background colour alone."""
        pen = self.cursor.attrs
        self.cursor.attrs = tuple.__new__(Cell, (" ", pen[1], colour, *pen[3:]))

    def select_graphic_rendition(self, *attrs: int) -> None:
        """SGR in pyte's manner, by numbers."""
        self.rendition(sgr.parse(";".join(map(str, attrs))))

    def define_charset(self, code: str, mode: str) -> None:
        """SCS: `mode` "(" is G0, ")" is G1; "0" is line drawing, and anything else shows as it is."""
        charset = LINE_DRAWING if code == "0" else ASCII
        if mode == "(":
            self.g0_charset = charset
        elif mode == ")":
            self.g1_charset = charset

    # -- modes

    def set_mode(self, *modes: int, **kwargs: object) -> None:
        """SM, or with `private=True` DECSET."""
        for mode in modes:
            self._switch(mode << 5 if kwargs.get("private") else mode, True)

    def reset_mode(self, *modes: int, **kwargs: object) -> None:
        """RM, or with `private=True` DECRST."""
        for mode in modes:
            self._switch(mode << 5 if kwargs.get("private") else mode, False)

    def set_private_mode(self, *modes: int) -> None:
        """DECSET."""
        self.set_mode(*modes, private=True)

    def reset_private_mode(self, *modes: int) -> None:
        """DECRST."""
        self.reset_mode(*modes, private=True)

    def _switch(self, mode: int, on: bool) -> None:
        """One mode, private ones shifted by 5 as in pyte. Not DECCOLM: the kernel tells the size."""
        if self.watcher and mode >> 5:
            self.watcher.private_mode(mode >> 5, on)
        if mode in KEPT_MODES:
            (self.mode.add if on else self.mode.discard)(mode)
        if mode == modes.DECSCNM:
            self.dirty.update(range(self.lines))
        elif mode == modes.DECOM:
            self.cursor_position()
        elif mode == DECLRMM:
            self.sides = None
        elif mode == modes.DECTCEM:
            self.cursor.hidden = not on
        elif mode == 1048 << 5:
            (self.save_cursor if on else self.restore_cursor)()
        elif mode >> 5 in _ALTERNATE:
            (self._enter_alternate if on else self._leave_alternate)(mode >> 5)

    def _enter_alternate(self, mode: int) -> None:
        if not self.alternate:
            if mode == 1049:
                self.save_cursor()
            self._swap()
        if mode == 1049:
            self.erase_in_display(2)

    def _leave_alternate(self, mode: int) -> None:
        if self.alternate:
            if mode == 1047:
                self.erase_in_display(2)
            self._swap()
        if mode == 1049 and self.savepoints:  # on the main screen too, as xterm and tmux do
            self.restore_cursor()

    def _swap(self) -> None:
        """Exchange the two buffers and their saved cursors; the cursor itself stays, as in xterm."""
        self.alternate = not self.alternate
        self.buffer, self.other = self.other, self.buffer
        self.savepoints, self.other_saved = self.other_saved, self.savepoints
        self.dirty.update(range(self.lines))

    # -- saved cursor

    def save_cursor(self) -> None:
        """DECSC: one slot for each buffer."""
        cursor = Cursor(self.cursor.x, self.cursor.y, self.cursor.attrs)
        wrap = modes.DECAWM in self.mode
        origin = modes.DECOM in self.mode
        self.savepoints = [Savepoint(cursor, self.g0_charset, self.g1_charset, self.charset, origin, wrap)]

    def restore_cursor(self) -> None:
        """DECRC: the slot stays as it is; without one, home and the initial pen."""
        saved = self.savepoints[-1] if self.savepoints else _NOTHING_SAVED
        self.g0_charset, self.g1_charset = saved.g0_charset, saved.g1_charset
        self.charset = saved.charset
        (self.mode.add if saved.origin else self.mode.discard)(modes.DECOM)
        self.cursor.attrs = cast(Cursor, saved.cursor).attrs
        self.cursor.x = min(saved.cursor.x, self.columns)
        self.cursor.y = min(saved.cursor.y, self.lines - 1)
        if saved.origin:
            self.ensure_vbounds()

    # -- cursor

    def ensure_hbounds(self) -> None:
        """Bring the cursor into the row, and out of pending wrap."""
        self.cursor.x = max(0, min(self.cursor.x, self.columns - 1))

    def cursor_up(self, count: int | None = None) -> None:
        """CUU: stops at the top margin where it started below it."""
        top, _ = self.region
        floor = top if self.cursor.y >= top else 0
        self.cursor.y = max(self.cursor.y - (count or 1), floor)
        self.ensure_hbounds()

    def cursor_down(self, count: int | None = None) -> None:
        """CUD: stops at the bottom margin where it started above it."""
        _, bottom = self.region
        floor = bottom if self.cursor.y <= bottom else self.lines - 1
        self.cursor.y = min(self.cursor.y + (count or 1), floor)
        self.ensure_hbounds()

    def save_cursor_or_set_sides(self, *columns: int) -> None:
        """SCOSC, which with DECLRMM is DECSLRM."""
        if DECLRMM in self.mode:
            self.set_sides(*columns)
        elif not columns:
            self.save_cursor()

    def carriage_return(self) -> None:
        """CR: to column 0, or to the left margin from beyond it."""
        self.cursor.x = self.sides[0] if self.sides and self.cursor.x >= self.sides[0] else 0

    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        """CUP: 1-based; in origin mode counted from and kept within the margins."""
        self.cursor.x = (column or 1) - 1 + self._origin()[1]
        self.ensure_hbounds()
        self.cursor_to_line(line)

    def cursor_to_line(self, line: int | None = None) -> None:
        """VPA: as CUP for the row alone."""
        self.cursor.y = (line or 1) - 1 + self._origin()[0]
        self.ensure_hbounds()
        self.ensure_vbounds()

    def linefeed(self) -> None:
        """LF, VT, FF: one row down; in new-line mode to its start."""
        if self.watcher:
            self.watcher.line_feed()
        self.index()
        if modes.LNM in self.mode:
            self.carriage_return()

    def next_line(self) -> None:
        """NEL, and CR LF in one."""
        if self.watcher:
            self.watcher.line_feed()
        self.carriage_return()
        self.index()

    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        """DECSTBM: 1-based; a region of less than two rows is ignored. The cursor goes home."""
        first, last = (top or 1) - 1, min(bottom or self.lines, self.lines) - 1
        if first < last:
            whole = first == 0 and last == self.lines - 1
            self.margins = None if whole else Margins(first, last)
            self.cursor_position()

    def tab(self, count: int = 1) -> None:
        """HT, CHT: to a later tab stop or the last column, where it leaves pending wrap alone."""
        last = self.columns - 1
        if self.cursor.x < last:
            stops = sorted(stop for stop in self.tabstops if self.cursor.x < stop < last)
            self.cursor.x = stops[(count or 1) - 1] if (count or 1) <= len(stops) else last

    def back_tab(self, count: int = 1) -> None:
        """CBT: to an earlier tab stop or the first column."""
        stops = sorted((stop for stop in self.tabstops if stop < self.cursor.x), reverse=True)
        self.cursor.x = stops[(count or 1) - 1] if (count or 1) <= len(stops) else 0

    def set_tab_stop(self) -> None:
        """HTS."""
        self.tabstops.add(min(self.cursor.x, self.columns - 1))


_NOTHING_SAVED = Savepoint(Cursor(0, 0), ASCII, ASCII, 0, False, True)
