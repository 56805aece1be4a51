"""One session: its terminal beside its events, on one clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker, WorkerState

from esr_tui.model.session import LIVE, SessionSummary
from esr_tui.tui.details import details, title
from esr_tui.tui.eventlog import ALWAYS, GROUPS
from esr_tui.tui.filter import FilterError, parse
from esr_tui.tui.model import SessionModel
from esr_tui.tui.player import SPEEDS, Player
from esr_tui.tui.reading import Batch, Stop, follow, sentence
from esr_tui.tui.screens.session_bars import events_title, header, status, terminal_title
from esr_tui.tui.screens.session_keys import BINDINGS as KEYS
from esr_tui.tui.sources import Sources
from esr_tui.tui.timefmt import TimeError, epoch, parse_time
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.detail_panel import DetailPanel
from esr_tui.tui.widgets.event_table import EventTable
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.scrubber import Moment, Scrubber
from esr_tui.tui.widgets.terminal_pane import GUTTER, TerminalPane

FRAME = 1 / 30
BUDGET = 0.008
"""Seconds of emulation a frame: the rest is left to keys and painting."""
PAINT_EVERY = 6
"""Frames between two pictures while a long seek runs."""
LONG_WAY = 64 * 1024
"""Bytes to feed from which on a seek shows its progress."""
STACK_BELOW = 110
"""Cells of width below which the panes stand one above the other."""
TABLE_LEAST = 52


class SessionScreen(Screen[None]):
    """Follows a live session or replays a recording."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    class Read(Message):
        """A batch of the recording is ready."""

        def __init__(self, batch: Batch) -> None:
            super().__init__()
            self.batch = batch

    class Finished(Message):
        """Reading has ended; `problem` says why when it failed."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    def __init__(
        self,
        path: Path,
        summary: SessionSummary | None,
        sources: Sources,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Opens the recording whose index is `path`.

        Args:
            path: a recording's `.index` file.
            summary: what the catalogue says of it, if it was asked.
            sources: where recordings are read.
            clock: monotonic seconds, for playing.
            wall: Unix seconds, for a live session's running time.
        """
        super().__init__()
        self.model = SessionModel()
        self.player = Player(self.model.tape, clock)
        self._path, self._summary, self._sources = path, summary, sources
        self._clock, self._wall = clock, wall
        self._stop = Stop()
        self._frames = 0
        self._last = clock()
        self._begun = False
        self._problem = ""
        self._zoom = 0
        self._detail = False
        self._selected = -1

    def compose(self) -> ComposeResult:
        """Header, panes, prompts, time line, footer."""
        yield Bar(id="header")
        yield Bar(id="problem")
        with Container(id="panes"):
            with Vertical(id="left"):
                yield Bar(id="terminal-title", classes="pane-title")
                yield TerminalPane(id="terminal")
            with Vertical(id="right"):
                yield Bar(id="events-title", classes="pane-title")
                yield EventTable(self.model.log, id="events")
                yield Bar(id="detail-title", classes="pane-title")
                yield DetailPanel(id="detail")
        yield Prompt("filter", 'curl kind:network port:443 -program:bash "two words"', id="filter")
        yield Prompt("go to", "1:23, 83.5 or 50%", id="goto")
        yield Scrubber(self.model.density, id="scrubber")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Starts reading."""
        self.terminal = self.query_one(TerminalPane)
        self.table = self.query_one(EventTable)
        self.scrubber = self.query_one(Scrubber)
        self.panel = self.query_one(DetailPanel)
        self.table.focus()
        self.terminal.show(self.player.terminal)
        self._timer = self.set_interval(FRAME, self._frame)
        self.set_interval(0.5, self._second)
        self.run_worker(self._read, thread=True, group="reading", exit_on_error=False)
        self._arrange()
        self._tell()

    def on_unmount(self) -> None:
        """Stops reading."""
        self._stop.set()
        self.model.close()

    # Reading.

    def _read(self) -> None:
        """In a worker thread."""
        problem = follow(self._sources, self._path, lambda batch: self._post(self.Read(batch)), self._stop)
        self._post(self.Finished(problem))

    def _post(self, message: Message) -> None:
        if not self._stop.stopped:
            self.post_message(message)

    def on_session_screen_read(self, message: Read) -> None:
        """Takes a batch and shows it at once: what was flushed must be on screen without waiting for a frame."""
        if self._stop.stopped:
            return
        batch, before = message.batch, len(self.model.log.visible)
        was = self.model.state
        try:
            self.model.take(batch)
        except OSError as error:
            self._fail(f"no room in the temporary directory: {sentence(error)}")
            return
        batch.done()
        self._begin()
        if was == LIVE and self.model.state != LIVE and self.player.following:
            self.player.seek(self.model.tape.end_ms)
        self.table.rows_changed(before)
        self.scrubber.mark(self.model.gaps, self.model.stretches())
        self._wake()
        self._frame()
        self._tell()
        self._show_detail(keep=True)

    def _begin(self) -> None:
        """Once, when the first of the recording is there: live sessions are followed, others wait at their start."""
        if self._begun:
            return
        if self.model.state == LIVE:
            self._begun = True
            self.player.follow()
        elif self.model.tape.size or self.model.loaded:
            self._begun = True
            self.player.seek(self.model.tape.first_ms)

    def on_session_screen_finished(self, message: Finished) -> None:
        """The recording will not grow any more, or cannot be read."""
        self._problem = message.problem
        self._tell()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A failure nobody foresaw is still told in a sentence."""
        if event.state is WorkerState.ERROR:
            self._fail(f"reading stopped: {sentence(Exception(event.worker.error))}")

    def _fail(self, problem: str) -> None:
        self._stop.set()
        self._problem = problem
        self._tell()

    # The clock.

    def _wake(self) -> None:
        self._last = self._clock()
        self._timer.resume()

    def _second(self) -> None:
        """A live session's time runs on while nothing happens."""
        start = epoch(self.model.start.time) if self.model.start else None
        if self.model.state != LIVE or start is None or self._stop.stopped:
            return
        self.model.tape.extend(int((self._wall() - start) * 1000))
        if self.player.following:
            self.player.tick(0)
        self._tell()

    def _frame(self) -> None:
        """One thirtieth of a second: the position moves, the terminal is fed a slice, what changed is painted."""
        now = self._clock()
        passed, self._last = now - self._last, now
        self.player.tick(passed)
        self.player.feed(BUDGET)
        done = self.player.caught_up
        self._frames += 1
        if done or self._frames % PAINT_EVERY == 0:
            self.terminal.show(self.player.terminal)
        if self.player.playing and done and self.player.position >= self.model.tape.end_ms:
            self.player.playing = False
            if self.model.state == LIVE:
                self.player.follow()
            self.refresh_bindings()
        if self.player.playing or self.player.following:
            self._select(self.model.log.at(self.player.position))
        if done and not self.player.playing:
            self._timer.pause()
        self._tell_time()

    # What is shown.

    def _select(self, row: int) -> None:
        if row != self.table.cursor:
            self.table.move_to(row)
        if self.table.index != self._selected:
            self._show_detail()

    def _show_detail(self, *, keep: bool = False) -> None:
        self._selected = index = self.table.index
        if not self._detail:
            return
        if index < 0:
            self.query_one("#detail-title", Bar).show([("no event here", "dim")])
            self.panel.show([])
            return
        event = self.model.log.event(index)
        self.query_one("#detail-title", Bar).show([(title(event), "strong")], [("enter closes", "dim")])
        self.panel.show(details(event, self.model.processes), keep=keep)

    def _tell_time(self) -> None:
        long_way = self.player.distance > LONG_WAY
        busy = self.player.progress if long_way and not self.player.caught_up else None
        self.scrubber.show(
            Moment(
                int(self.player.position), self.model.tape.end_ms, status(self.player, self.model.state), busy
            )
        )

    def _tell(self) -> None:
        """Header, titles and problems."""
        self.query_one("#header", Bar).show(*header(self.model, self._summary))
        problem = self._problem or (self.model.problems[0] if self.model.problems else "")
        bar = self.query_one("#problem", Bar)
        bar.display = bool(problem)
        bar.show([(problem, "bad")])
        self.query_one("#events-title", Bar).show(*events_title(self.model, self.table.cursor))
        self._tell_terminal()
        self._tell_time()

    def _tell_terminal(self) -> None:
        shown = terminal_title(self.player.terminal, self.terminal.clip)
        self.query_one("#terminal-title", Bar).show(*shown)

    def on_terminal_pane_clipped(self) -> None:
        """Another part of the recorded screen is in view."""
        self._tell_terminal()
        self._arrange()

    # Layout.

    def on_resize(self, event: events.Resize) -> None:
        """Side by side, or stacked."""
        if self.is_mounted:
            self._arrange()

    def _arrange(self) -> None:
        width = self.size.width
        stacked = width < STACK_BELOW
        panes, left = self.query_one("#panes"), self.query_one("#left")
        panes.set_class(stacked, "-stacked")
        panes.set_class(self._detail, "-detail")
        panes.set_class(self._zoom == 1, "-terminal-only")
        panes.set_class(self._zoom == 2, "-events-only")
        if not stacked and self._zoom == 0:
            room = width - max(TABLE_LEAST, width * 2 // 5)
            left.styles.width = max(24, min(self.player.terminal.columns + GUTTER, room))
        else:
            left.styles.width = None
        focused = self.focused
        if focused is not None and not focused.display:
            self.table.focus()

    # Moving.

    def _seek(self, ms: float) -> None:
        """To a time: the selection follows."""
        self.player.seek(ms)
        self.terminal.follow_cursor()
        self._select(self.model.log.at(self.player.position))
        self._moved()

    def _moved(self) -> None:
        self._wake()
        self._frame()
        self._tell()
        self.refresh_bindings()

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """An event was highlighted: the terminal goes to its time."""
        self._to_event(message.row)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """The highlighted event was clicked."""
        self.action_detail()

    def _to_event(self, row: int) -> None:
        self.player.playing = False
        self.player.seek(self.model.log.rows[self.model.log.visible[row]].ms)
        self.terminal.follow_cursor()
        self._show_detail()
        self._moved()

    def on_scrubber_sought(self, message: Scrubber.Sought) -> None:
        """The time line was clicked."""
        self._seek(message.ms)

    def action_play(self) -> None:
        """Plays or pauses; at the end it plays from the start."""
        player = self.player
        if player.following:
            player.seek(player.position)
        elif player.playing:
            player.playing = False
        else:
            if player.position >= self.model.tape.end_ms and self.model.state != LIVE:
                player.seek(0)
            player.playing = True
        self._moved()

    def action_follow(self) -> None:
        """Stays at the end."""
        self.player.follow()
        self.terminal.follow_cursor()
        self._moved()

    def action_skip(self, seconds: float) -> None:
        """Goes back or ahead in time."""
        self._seek(self.player.position + seconds * 1000)

    def action_step(self, direction: int) -> None:
        """To the output before or after."""
        tape, position = self.model.tape, self.player.position
        at = tape.next_output(position) if direction > 0 else tape.previous_output(position)
        self.player.playing = False
        if at is not None:
            self._seek(at)

    def action_event(self, direction: int) -> None:
        """To the event before or after."""
        row = self.table.cursor + direction
        if 0 <= row < self.table.row_total():
            self.table.move_to(row)
            self._to_event(row)

    def action_ends(self, end: bool) -> None:
        """To the start or the end."""
        self.player.playing = False
        self._seek(self.model.tape.end_ms if end else 0)

    def action_speed(self, direction: int) -> None:
        """Faster or slower."""
        place = SPEEDS.index(self.player.speed) + direction
        self.player.speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]
        self._moved()

    # Panes, kinds, prompts.

    def action_detail(self) -> None:
        """Opens or closes the details."""
        self._detail = not self._detail
        if self._detail and self._zoom == 1:
            self._zoom = 0
        self._arrange()
        self._show_detail()
        self.call_after_refresh(self.table.show_row, self.table.cursor)

    def action_zoom(self) -> None:
        """Both panes, the terminal alone, the events alone."""
        self._zoom = (self._zoom + 1) % 3
        self._arrange()

    def action_kind(self, group: str) -> None:
        """Shows or hides a group of kinds."""
        if group == ALWAYS:
            self.notify("Gaps, escapes and the session's start and end are always shown.", markup=False)
            return
        index = self.table.index
        self.model.log.show(self.model.log.groups ^ {group})
        self._rows_selected(index)

    def action_all_kinds(self) -> None:
        """Shows every kind."""
        index = self.table.index
        self.model.log.show(frozenset(GROUPS))
        self._rows_selected(index)

    def _rows_selected(self, index: int) -> None:
        """Other rows are visible: the highlighted event stays, or the last one before it."""
        row = self.model.log.position(index) if index >= 0 else self.model.log.at(self.player.position)
        self.table.cursor = row
        self.table.rows_changed()
        self.table.show_row(row)
        self._show_detail(keep=True)
        self._tell()
        self.refresh_bindings()

    def action_filter(self) -> None:
        """Opens the filter bar."""
        self.query_one("#filter", Prompt).open()

    def action_goto(self) -> None:
        """Opens the go-to prompt."""
        self.query_one("#goto", Prompt).open("")

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """The filter works as it is typed."""
        if message.prompt.id != "filter":
            message.prompt.tell("")
            return
        try:
            narrowed = parse(message.text)
        except FilterError as error:
            message.prompt.tell(str(error))
            return
        index = self.table.index
        self.model.log.narrow(narrowed)
        self._rows_selected(index)
        shown = len(self.model.log.visible)
        message.prompt.tell("no event matches" if narrowed and not shown else "")

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        """Enter: the filter stays, or the time is sought."""
        if message.prompt.id == "goto":
            try:
                ms = parse_time(message.text, self.model.tape.end_ms)
            except TimeError as error:
                message.prompt.tell(str(error))
                return
            self._seek(ms)
        message.prompt.close()
        self.table.focus()

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Escape: typing to the filter is taken back."""
        if message.prompt.id == "filter":
            self._unfilter()
        self.table.focus()

    def _unfilter(self) -> None:
        index = self.table.index
        self.model.log.narrow(parse(""))
        self._rows_selected(index)

    def action_cancel(self) -> None:
        """Ends a long seek, or takes the filter away."""
        if not self.player.caught_up:
            self.player.cancel()
            self._moved()
        elif self.model.log.filter:
            self.query_one("#filter", Prompt).action_close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is possible now is offered."""
        if action == "cancel":
            return bool(self.model.log.filter) or not self.player.caught_up
        if action == "follow":
            return True if not self.player.following else None
        return True

    def action_back(self) -> None:
        """To the sessions."""
        self._stop.set()
        self.dismiss(None)
