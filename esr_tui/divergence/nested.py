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
        self._ready: list[TypedLine] = []
        self._bottom = ""
        self._bottom_at = Moment()

    def take(self) -> list[TypedLine]:
        """The lines found, once."""
        ready, self._ready = self._ready, []
        return ready

    def frame(self, shown: Moment, until: Moment) -> None:
        """A frame was complete at `shown` and stood until `until`."""
        page = self._page
        if page.terminal.alternate:
            text = "".join(page.cells(page.top + page.terminal.rows - 1))
            if text.startswith((":", "!")) and "!" in text:
                self._bottom, self._bottom_at = text, shown

    def inner_mode(self, event: TerminalMode, reader: Reader, now: Moment) -> bool:
        """Modes were set on a terminal inside the session's; True when that is a multiplexer's affair."""
        return False

    def command(self, event: Command, now: Moment) -> None:
        """A program was executed: perhaps by an editor's `:!`."""
        outer = self._readers.outer
        if not self._bottom or event.return_code or len(event.argv) < 3 or event.argv[1] != "-c":
            return
        text, self._bottom = self._bottom, ""
        row = self._page.terminal.rows - 1
        self._ready.append(
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
        )
