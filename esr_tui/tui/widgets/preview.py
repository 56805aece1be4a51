"""The screen of the highlighted session, live, in the sessions screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import Output
from esr_tui.replay.stream import Sized, record, size_of
from esr_tui.replay.tape import SpoolTape
from esr_tui.tui.player import BUDGET, FRAME, Player
from esr_tui.tui.reading import sentence, skim
from esr_tui.tui.rows import size_text
from esr_tui.tui.sources import Sources
from esr_tui.tui.stopping import Stop
from esr_tui.tui.widgets.bars import Bar, Part
from esr_tui.tui.widgets.terminal_pane import TerminalPane

SETTLE = 0.12
"""Seconds that the cursor rests on a session before its preview is read."""


class Preview(Vertical):
    """A title and a terminal. Only the end of the recording is emulated, so it is there at once."""

    class Glimpse(Message):
        """Output of a session; `ticket` tells for which look it was read."""

        def __init__(
            self, ticket: Stop, pieces: list[Output | Sized], cut: bool, done: Callable[[], None]
        ) -> None:
            super().__init__()
            self.ticket = ticket
            self.pieces = pieces
            self.cut = cut
            self.done = done

    class Blind(Message):
        """The recording cannot be read."""

        def __init__(self, ticket: Stop, problem: str) -> None:
            super().__init__()
            self.ticket = ticket
            self.problem = problem

    def __init__(self, sources: Sources, clock: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sources, self._clock = sources, clock
        self._session: SessionSummary | None = None
        self._seen: str | None = None
        self._stop = Stop()
        self._tape = SpoolTape()
        self._player = Player(self._tape, clock)
        self._settling: Timer | None = None
        self._note = ""

    def compose(self) -> ComposeResult:
        """Title and terminal."""
        yield Bar(id="preview-title", classes="pane-title")
        yield TerminalPane(self._sources.lens, id="preview-terminal")

    def on_mount(self) -> None:
        """The keys belong to the table."""
        self._pane = self.query_one(TerminalPane)
        self._pane.can_focus = False
        self._frames = self.set_interval(FRAME, self._frame, pause=True)

    def on_unmount(self) -> None:
        """Stops reading."""
        self._stop.set()
        self._tape.close()

    @property
    def text(self) -> str:
        """The previewed screen as text."""
        return self._player.terminal.text()

    def show(self, session: SessionSummary | None) -> None:
        """Previews `session` once the cursor has rested on it."""
        self._session = session
        self._title()
        key = session.sid if session else ""
        if key == self._seen:
            return
        self._seen = key
        self._stop.set()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._look)

    def lens_changed(self) -> None:
        """Secrets are shown now, or hidden again."""
        self._pane.look_again()

    def rest(self) -> None:
        """Stops reading until `show` is called again."""
        self._stop.set()
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        self._seen = None

    def _look(self) -> None:
        self._settling = None
        session = self._session
        self._stop = Stop()
        self._tape.close()
        self._tape = SpoolTape()
        self._player = Player(self._tape, self._clock)
        self._note = ""
        if session is None:
            self._pane.show(None)
            return
        if size := size_of(session.size):
            self._tape.resize(0, *size)
        self._player.follow()
        self._frames.resume()
        self._start(Path(session.recording), self._stop)

    def _start(self, path: Path, stop: Stop) -> None:
        slots = threading.Semaphore(2)

        def give(pieces: list[Output | Sized], cut: bool) -> None:
            while not slots.acquire(timeout=0.1):
                if stop.stopped:
                    return
            if not stop.stopped:
                self.post_message(self.Glimpse(stop, pieces, cut, slots.release))

        def read() -> None:
            problem = skim(self._sources, path, give, stop)
            if problem and not stop.stopped:
                self.post_message(self.Blind(stop, problem))

        self.run_worker(read, thread=True, group="preview", exit_on_error=False)

    def on_preview_glimpse(self, message: Glimpse) -> None:
        """Output of the session that is previewed, or was."""
        message.done()
        if message.ticket is not self._stop or self._stop.stopped:
            return
        try:
            record(message.pieces, self._tape)
        except OSError as error:
            self._stop.set()
            self._note = f"no room in the temporary directory: {sentence(error)}"
        if message.cut:
            self._note = "its last output"
        self._frames.resume()
        self._frame()

    def on_preview_blind(self, message: Blind) -> None:
        """The recording cannot be read."""
        if message.ticket is self._stop:
            self._note = message.problem
            self._title()

    def _frame(self) -> None:
        self._player.feed(BUDGET)
        self._pane.show(self._player.terminal)
        if self._player.caught_up:
            self._frames.pause()
            self._title()

    def _title(self) -> None:
        session = self._session
        bar = self.query_one("#preview-title", Bar)
        if session is None:
            bar.show([("no session highlighted", "dim")])
            return
        left: list[Part] = [("screen of ", "dim"), (printable(session.user or "?", 64), "strong")]
        if session.tty:
            left.append((f" on {printable(session.tty, 64)}", "dim"))
        size = size_text(session.size)
        left.append((f"  {size}" if size else "  no terminal", "dim"))
        if self._note:
            left.append((f"  {self._note}", "dim"))
        clip = self._pane.clip if size else ""
        bar.show(left, [(f"▸ {clip}" if clip else "", "dim")])

    def on_terminal_pane_clipped(self) -> None:
        """Another part of the screen is in view."""
        self._title()
