"""All sessions of the node, with a preview of the highlighted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from esr_tui.model.session import LINGERING, LIVE, SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import Output
from esr_tui.tui.player import Player
from esr_tui.tui.reading import Sized, Stop, size_of, skim
from esr_tui.tui.rows import size_text
from esr_tui.tui.screens.session import BUDGET, FRAME
from esr_tui.tui.sources import Sources
from esr_tui.tui.tape import Tape
from esr_tui.tui.widgets.bars import Bar, Part
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.session_table import SessionTable
from esr_tui.tui.widgets.terminal_pane import TerminalPane

SETTLE = 0.12
"""Seconds that the cursor rests on a session before its preview is read."""
EMPTY = (
    ("No session has been recorded yet.\n\n", "bold"),
    ("Log in over ssh: the session shows up here within a second.\n\n", ""),
    ("  n  ", "bold $text-accent"),
    ("starts a recorded shell in this terminal\n", ""),
    ("  d  ", "bold $text-accent"),
    ("runs a short demo: hidden commands, and what the kernel saw of them\n", ""),
    ("  ?  ", "bold $text-accent"),
    ("lists all keys\n", ""),
)


class SessionsScreen(Screen[None]):
    """The app's first screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="sessions.open", tooltip="Open the highlighted session"),
        Binding(
            "n",
            "app.record",
            "New shell",
            id="sessions.record",
            tooltip="Start a recorded shell in this terminal",
        ),
        Binding("d", "app.demo", "Demo", id="sessions.demo", tooltip="Run a short demo session and watch it"),
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            id="sessions.filter",
            tooltip="Narrow the list by words",
        ),
        Binding(
            "question_mark",
            "app.help",
            "Help",
            key_display="?",
            id="sessions.help",
            tooltip="All keys and signs",
        ),
        Binding("q", "app.quit", "Quit", id="sessions.quit", tooltip="Leave esr; capture goes on"),
        Binding("home", "ends(0)", "First", show=False, id="sessions.first", tooltip="To the first session"),
        Binding("end", "ends(1)", "Last", show=False, id="sessions.last", tooltip="To the last session"),
        Binding(
            "escape", "unfilter", "Unfilter", show=False, id="sessions.unfilter", tooltip="Show all sessions"
        ),
    ]

    class Open(Message):
        """The user wants to see a session."""

        def __init__(self, session: SessionSummary) -> None:
            super().__init__()
            self.session = session

    class Glimpse(Message):
        """Output of the previewed session."""

        def __init__(
            self, stop: Stop, pieces: list[Output | Sized], cut: bool, done: Callable[[], None]
        ) -> None:
            super().__init__()
            self.ticket = stop
            self.pieces = pieces
            self.cut = cut
            self.done = done

    class Blind(Message):
        """The preview cannot be read."""

        def __init__(self, stop: Stop, problem: str) -> None:
            super().__init__()
            self.ticket = stop
            self.problem = problem

    def __init__(
        self,
        sources: Sources,
        place: str,
        notice: str,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        super().__init__()
        self._sources, self._place, self._notice = sources, place, notice
        self._clock, self._wall = clock, wall
        self._sessions: list[SessionSummary] | None = None
        self._problem = ""
        self._words: tuple[str, ...] = ()
        self._stop = Stop()
        self._tape = Tape()
        self._player = Player(self._tape, clock)
        self._seen = ""
        self._settling: Timer | None = None
        self._note = ""

    def compose(self) -> ComposeResult:
        """Title, notice, table, preview, footer."""
        yield Bar(id="header")
        yield Bar(id="notice")
        yield SessionTable(id="sessions")
        yield Static(Content.assemble(*EMPTY), id="empty")
        with Vertical(id="preview"):
            yield Bar(id="preview-title", classes="pane-title")
            yield TerminalPane(id="preview-terminal")
        yield Prompt("filter", "words: user, origin, terminal, command, state", id="filter")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Everything waits for the first list."""
        self.table = self.query_one(SessionTable)
        self.pane = self.query_one(TerminalPane)
        self.pane.can_focus = False
        self.table.focus()
        self._frames = self.set_interval(FRAME, self._frame, pause=True)
        self.set_interval(1, lambda: self.table.clock(self._wall()))
        self._show()

    def on_unmount(self) -> None:
        """Stops the preview."""
        self._stop.set()
        self._tape.close()

    # The list.

    def listed(self, found: list[SessionSummary] | str) -> None:
        """Takes a new list, or a sentence that says why there is none."""
        if isinstance(found, str):
            self._problem = found
        else:
            self._problem, self._sessions = "", found
        self._show()

    @property
    def sessions(self) -> list[SessionSummary]:
        """The last list."""
        return self._sessions or []

    def _show(self) -> None:
        sessions = self.sessions
        self.table.show(sessions, self._words, self._wall())
        live = sum(session.state in {LIVE, LINGERING} for session in sessions)
        left: list[Part] = [("esr ", "strong"), (f"{live} live", "good" if live else "dim")]
        left.append((f", {len(sessions) - live} recorded", "dim"))
        if self._words:
            left += [
                ("  filter ", "dim"),
                (" ".join(self._words), "strong"),
                (f" {len(self.table.shown)}", "dim"),
            ]
        if self._sessions is None and not self._problem:
            left.append(("  reading…", "dim"))
        self.query_one("#header", Bar).show(left, [(printable(self._place, 60), "dim")])
        notice = self.query_one("#notice", Bar)
        text = self._problem or self._notice
        notice.display = bool(text)
        notice.show([(printable(text, 500), "bad")])
        empty = self._sessions is not None and not sessions
        self.query_one("#empty").display = empty
        self.table.display = not empty
        self.query_one("#preview").display = not empty
        prompt = self.query_one("#filter", Prompt)
        prompt.tell("no session matches" if self._words and not self.table.shown else "")
        self._preview()
        self.refresh_bindings()

    # The preview.

    def _preview(self) -> None:
        """Shows the highlighted session once the cursor has settled."""
        current = self.table.current
        key = current.sid if current else ""
        self._title()
        if key == self._seen:
            return
        self._seen = key
        self._stop.set()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._look)

    def _look(self) -> None:
        self._settling = None
        current = self.table.current
        self._stop = stop = Stop()
        self._tape.close()
        self._tape = Tape()
        self._player = Player(self._tape, self._clock)
        self._note = ""
        if current is None:
            self.pane.show(None)
            return
        if size := size_of(current.size):
            self._tape.resize(0, *size)
        self._player.follow()
        self._frames.resume()
        path, slots = Path(current.recording), threading.Semaphore(2)

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

    def on_sessions_screen_glimpse(self, message: Glimpse) -> None:
        """Output of the session that is previewed, or was."""
        message.done()
        if message.ticket is not self._stop or self._stop.stopped:
            return
        for piece in message.pieces:
            if isinstance(piece, Sized):
                self._tape.resize(piece.ms, piece.columns, piece.rows)
            else:
                self._tape.add(piece.ms, piece.data)
        if message.cut:
            self._note = "its last output"
        self._frames.resume()
        self._frame()

    def on_sessions_screen_blind(self, message: Blind) -> None:
        """The recording cannot be read."""
        if message.ticket is self._stop:
            self._note = message.problem
            self._title()

    def _frame(self) -> None:
        self._player.feed(BUDGET)
        self.pane.show(self._player.terminal)
        if self._player.caught_up:
            self._frames.pause()
            self._title()

    def _title(self) -> None:
        current = self.table.current
        bar = self.query_one("#preview-title", Bar)
        if current is None:
            bar.show([("no session highlighted", "dim")])
            return
        left: list[Part] = [("screen ", "strong"), (printable(current.user or "?", 64), "")]
        if current.tty:
            left.append((f" on {printable(current.tty, 64)}", "dim"))
        size = size_text(current.size)
        left.append((f"  {size}" if size else "  no terminal", "dim"))
        if self._note:
            left.append((f"  {self._note}", "dim"))
        bar.show(left, [(f"▸ {self.pane.clip}" if self.pane.clip else "", "dim")])

    def on_terminal_pane_clipped(self) -> None:
        """Another part of the previewed screen is in view."""
        self._title()

    def on_screen_suspend(self) -> None:
        """Another screen is on top: the preview rests."""
        self.rest()

    def on_screen_resume(self) -> None:
        """Back: the preview is read anew."""
        if self.is_mounted and hasattr(self, "table"):
            self._preview()

    def rest(self) -> None:
        """Stops the preview until the screen is shown again."""
        self._stop.set()
        self._seen = ""

    # Keys.

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """Another session is highlighted."""
        self._preview()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """The highlighted session was clicked."""
        self.action_open()

    def action_open(self) -> None:
        """Opens the highlighted session."""
        if current := self.table.current:
            self.post_message(self.Open(current))

    def action_ends(self, last: int) -> None:
        """To the first or last session."""
        self.table.action_move(self.table.row_total() if last else -self.table.row_total())

    def action_filter(self) -> None:
        """Opens the filter bar."""
        self.query_one("#filter", Prompt).open()

    def action_unfilter(self) -> None:
        """Shows all sessions."""
        self.query_one("#filter", Prompt).action_close()

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """The list narrows as it is typed."""
        self._words = tuple(message.text.lower().split())
        self._show()

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        """Enter keeps the filter."""
        message.prompt.close()
        self.table.focus()

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Escape drops it."""
        self._words = ()
        self._show()
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is possible now is offered."""
        if action == "open":
            return True if self.table.current else None
        if action == "unfilter":
            return bool(self._words)
        return True
