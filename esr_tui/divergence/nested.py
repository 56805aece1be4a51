"""Lines typed into programs that draw the whole screen: editors' commands, and shells inside a multiplexer."""

from __future__ import annotations

from esr_tui.divergence.edits import Moment
from esr_tui.divergence.page import Page
from esr_tui.divergence.readers import Reader, Readers
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command, TerminalMode


class FullScreen:
    """Looks at the rows of full-screen programs."""

    def __init__(self, page: Page, readers: Readers) -> None:
        self._page = page
        self._readers = readers
        self._bottom = ""
        self._bottom_at = Moment()

    def frame(self, shown: Moment, until: Moment) -> list[TypedLine]:
        """A frame was complete at `shown` and stood until `until`."""
        page = self._page
        if page.terminal.alternate:
            text = "".join(page.cells(page.top + page.terminal.rows - 1))
            if text.startswith((":", "!")) and "!" in text:
                self._bottom, self._bottom_at = text, shown
        return []

    def inner_mode(self, event: TerminalMode, reader: Reader, now: Moment) -> None:
        """Modes were set on a terminal inside a multiplexer."""

    def command(self, event: Command, now: Moment) -> list[TypedLine]:
        """A program was executed: perhaps by an editor's `:!`."""
        outer = self._readers.outer
        if not self._bottom or event.return_code or len(event.argv) < 3 or event.argv[1] != "-c":
            return []
        text, self._bottom = self._bottom, ""
        row = self._page.terminal.rows - 1
        return [
            TypedLine(
                text=text,
                start_ms=self._bottom_at.ms,
                end_ms=now.ms,
                end_ktime=now.ktime,
                frame_ms=self._bottom_at.ms,
                rows=(row, row),
                pid=event.ppid,
                nested=outer.name if outer else "vim",
            )
        ]
