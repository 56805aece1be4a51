"""Commands typed into editors and pagers that draw the whole screen: vim's `:!`, less's `!`."""

from __future__ import annotations

from esr_tui.divergence.edits import Moment
from esr_tui.divergence.holding import TRAIL_NS, Holding
from esr_tui.divergence.page import Page
from esr_tui.divergence.readers import Reader, Readers
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command

_LASTS_NS = 5_000_000_000
"""A command line that was given up may stay at the bottom; one that runs does so at once."""


class CommandRows:
    """Remembers the last row of full-screen programs, which is where they take commands."""

    def __init__(self, page: Page, readers: Readers, holding: Holding) -> None:
        self._page = page
        self._readers = readers
        self._row = ""
        self._row_at = Moment()
        self._ran: tuple[Reader, Moment] | None = None
        self._holding = holding

    def look(self, now: Moment) -> None:
        """Look at the screen: a frame is complete, or the program is about to leave the alternate screen."""
        page = self._page
        if not page.terminal.alternate:
            return
        text = "".join(page.cells(page.top + page.terminal.rows - 1))
        if text.startswith((":", "!")) and "!" in text:
            if self._ran and not text.startswith(self._row):
                self._found(*self._ran)
            self._row, self._row_at = text, now
        elif self._ran and self._row:
            self._found(*self._ran)

    def tick(self, now: Moment) -> None:
        """Time has gone on."""
        if self._ran and now.ns - self._ran[1].ns > TRAIL_NS:
            if self._row:
                self._found(*self._ran)
            self._ran = None

    def command(self, event: Command, now: Moment) -> None:
        """A program was executed: perhaps by such a row, which the stream may still have to show whole."""
        reader = self._readers.known(event.ppid)
        if reader is None or not reader.full_screen or len(event.argv) < 3 or event.argv[1] != "-c":
            return
        if now.ns - self._row_at.ns > _LASTS_NS:
            self._row = ""
        self._ran = (reader, now)

    def _found(self, reader: Reader, now: Moment) -> None:
        row = self._page.top + self._page.terminal.rows - 1
        at = min(self._row_at, now, key=lambda moment: moment.ns)
        line = TypedLine(
            text=self._row,
            start_ms=at.ms,
            end_ms=now.ms,
            end_ktime=now.ktime,
            frame_ms=self._row_at.ms,
            rows=(row, row),
            pid=reader.pid,
            nested=reader.nested,
        )
        self._holding.add(line)
        self._row, self._ran = "", None
