"""The session screen's way out: the highlighted event, and the moment shown, into the clipboard."""

from __future__ import annotations

import shlex

from esr_tui.model.events import Command
from esr_tui.model.text import printable
from esr_tui.tui.rows import summary
from esr_tui.tui.screens.session_marks import SessionMarks
from esr_tui.tui.timefmt import stamp

COPY_LIMIT = 8192
"""Characters: some terminals take no more from OSC 52."""
SHOWN = 100


class SessionCopying(SessionMarks):
    """The session screen that copies."""

    def action_copy_event(self) -> None:
        """The highlighted command, quoted for a shell, or what the table says of another event.

        Control characters become signs: what is pasted into a shell must not run by itself.
        """
        if self.table.index < 0:
            self.notify("No event is highlighted.", markup=False)
            return
        event = self._sources.lens.any(self.model.log.event(self.table.index))
        said = shlex.join(event.argv or [event.path]) if isinstance(event, Command) else summary(event)
        self._copy(printable(said, COPY_LIMIT))

    def action_copy_moment(self) -> None:
        """`esr play SID --at TIME`, for a report or a colleague."""
        start = self.model.start
        named = start.sid if start and not start.recorder else str(self._path)
        ms = int(self.player.position)
        self._copy(f"esr play {shlex.quote(printable(named, COPY_LIMIT))} --at {stamp(ms)}")

    def _copy(self, text: str) -> None:
        """Asks the terminal to keep the text."""
        self.app.copy_to_clipboard(text)
        more = "…" if len(text) > SHOWN else ""
        self.notify(f"Copied, if this terminal lets programs do so: {text[:SHOWN]}{more}", markup=False)
