"""All sessions of the node, with a preview of the highlighted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from esr_tui.filtering import NOTHING, SESSIONS, FilterError, parse
from esr_tui.filtering.completion import Completion, complete
from esr_tui.model.session import LINGERING, LIVE, SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError
from esr_tui.tui.screens.session_bars import unmasked
from esr_tui.tui.sources import Sources
from esr_tui.tui.widgets.bars import Bar, Part
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.key_bar import KeyBar
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.preview import Preview
from esr_tui.tui.widgets.session_table import SessionTable

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
            tooltip="Narrow the list: words, key:value, -word",
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
        Binding(
            "p",
            "pin",
            "Pin",
            show=False,
            id="sessions.pin",
            tooltip="Keep the highlighted recording, whatever the store's budget says, or no longer",
        ),
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
        self._problem = self._lost = ""
        self._filter = NOTHING
        self._ready = False

    def compose(self) -> ComposeResult:
        """Title, notice, table, preview, footer."""
        yield Bar(id="header")
        yield Bar(id="notice")
        yield SessionTable(self._sources.lens, id="sessions")
        yield Static(Content.assemble(*EMPTY), id="empty")
        yield Preview(self._sources, self._clock, id="preview")
        yield Prompt(
            "filter",
            "ada state:live from:10.0.0.0/8 worst>=high started>=2026-11-22 commands>100 -user:root",
            id="filter",
            completer=self._complete,
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Everything waits for the first list."""
        self.table = self.query_one(SessionTable)
        self.preview = self.query_one(Preview)
        self.table.focus()
        self._ready = True
        self.set_interval(1, lambda: self.table.clock(self._wall()))
        self._show()

    # The list.

    def listed(self, found: list[SessionSummary] | str) -> None:
        """Takes a new list, or a sentence that says why there is none."""
        if isinstance(found, str):
            self._problem = found
        else:
            self._problem, self._sessions = "", found
        if self._ready:
            self._show()

    def note(self, notice: str, lost: str = "") -> None:
        """Takes what is to be said of the recorder, and what it lost; empty when all is well."""
        if (notice, lost) != (self._notice, self._lost):
            self._notice, self._lost = notice, lost
            if self._ready:
                self._show()

    @property
    def sessions(self) -> list[SessionSummary]:
        """The last list."""
        return self._sessions or []

    def _show(self) -> None:
        sessions = self.sessions
        self.table.show(sessions, self._filter, self._wall())
        live = sum(session.state in {LIVE, LINGERING} for session in sessions)
        left: list[Part] = [("esr ", "strong"), (f"{live} live", "good" if live else "dim")]
        left.append((f", {len(sessions) - live} recorded", "dim"))
        if self._filter:
            left += [
                ("  filter ", "dim"),
                (printable(self._filter.text, 80), "strong"),
                (f" {len(self.table.shown)}", "dim"),
            ]
        if self._sessions is None and not self._problem:
            left.append(("  reading…", "dim"))
        lost: list[Part] = [("the recorder lost something: r  ", "bad")] if self._lost else []
        place = (printable(self._place, 60), "dim")
        self.query_one("#header", Bar).show(left, [*unmasked(self._sources.lens), *lost, place])
        notice = self.query_one("#notice", Bar)
        text = self._problem or self._notice
        notice.display = bool(text)
        notice.show([(printable(text, 500), "bad")])
        empty = self._sessions is not None and not sessions
        self.query_one("#empty").display = empty
        self.table.display = not empty
        self.query_one("#preview").display = not empty
        if self.is_active:
            self.preview.show(self.table.current)
        self.refresh_bindings()

    def lens_changed(self) -> None:
        """Secrets are shown now, or hidden again."""
        if self._ready:
            self.table.redraw()
            self.preview.lens_changed()
            self._show()

    def on_screen_suspend(self) -> None:
        """Another screen is on top: the preview rests."""
        self.rest()

    def on_screen_resume(self) -> None:
        """Back: the preview is read anew."""
        if self._ready:
            self.preview.show(self.table.current)

    def rest(self) -> None:
        """Stops the preview until the screen is shown again."""
        self.preview.rest()

    # Keys.

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """Another session is highlighted."""
        self.preview.show(self.table.current)

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

    def action_pin(self) -> None:
        """Pins the highlighted recording, or no longer."""
        if current := self.table.current:
            path, wanted = Path(current.recording), not current.pinned
            work = partial(self._pin, path, wanted)
            self.run_worker(work, thread=True, group="pins", exit_on_error=False)

    def _pin(self, path: Path, wanted: bool) -> None:
        """In a worker thread; the list shows it when it is read again."""
        told = "The recording is pinned" if wanted else "The recording is no longer pinned"
        tell = partial(self.notify, markup=False)
        try:
            self._sources.pin(path, wanted)
        except RecordingError as error:
            self.app.call_from_thread(tell, printable(str(error), 500), severity="warning")
        else:
            self.app.call_from_thread(tell, told)

    def action_filter(self) -> None:
        """Opens the filter bar."""
        self.query_one("#filter", Prompt).open()

    def action_unfilter(self) -> None:
        """Shows all sessions."""
        self.query_one("#filter", Prompt).action_close()

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """The list narrows as it is typed."""
        prompt, text = message.prompt, message.text
        try:
            self._filter = parse(text, SESSIONS, self._sources.filters)
        except FilterError as error:
            prompt.correct(error)
            return
        self._show()
        prompt.tell("no session matches" if self._filter and not self.table.shown else "")

    def _complete(self, text: str) -> Completion:
        """What may stand at the end of a filter."""
        return complete(text, SESSIONS, self._sources.filters, self._seen)

    def _seen(self, field: str) -> Iterable[str]:
        """Values that a field has in the list."""
        names = {"user": "user", "login": "login", "tty": "tty", "from": "origin"}
        found = {getattr(each, names[field]) for each in self.sessions} if field in names else set()
        return sorted(printable(each, 64) for each in found if each)

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        """Enter keeps the filter."""
        message.prompt.close()
        self.table.focus()

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Escape drops it."""
        self._filter = NOTHING
        self._show()
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is possible now is offered."""
        if action in {"open", "pin"}:
            return True if self.table.current else None
        if action == "unfilter":
            return bool(self._filter)
        return True
