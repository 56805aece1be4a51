"""What the session screen shows: titles, details, and the frames of its clock."""

from __future__ import annotations

from textual.message import Message

from esr_tui.model.session import LIVE
from esr_tui.tui.details import details, title
from esr_tui.tui.evidence import NOWHERE, rows_of
from esr_tui.tui.player import BUDGET, FRAME
from esr_tui.tui.ribbons import Marked
from esr_tui.tui.screens.layout import STACK_BELOW
from esr_tui.tui.screens.session_bars import events_title, header, status, terminal_title
from esr_tui.tui.screens.session_panes import SessionPanes
from esr_tui.tui.timefmt import epoch
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.detail_panel import DetailPanel
from esr_tui.tui.widgets.event_table import KINDLESS, EventTable
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.scrubber import Moment, Scrubber
from esr_tui.tui.widgets.terminal_pane import TerminalPane

BREATH = 0.001
"""Seconds between two slices of a seek."""
PAINT_EVERY = 6
"""Frames between two pictures while a long seek runs."""
LONG_WAY = 64 * 1024
"""Bytes to feed from which on a seek shows its progress."""


class SessionView(SessionPanes):
    """A session's model and player, drawn."""

    class Damaged(Message):
        """The timeline or the temporary file of the stream cannot be read; `why` is a sentence."""

        def __init__(self, screen: SessionView, why: str) -> None:
            super().__init__()
            self.screen = screen
            self.why = why

    def on_mount(self) -> None:
        """Finds the widgets and starts the clock."""
        self.terminal = self.query_one(TerminalPane)
        self.table = self.query_one(EventTable)
        self.scrubber = self.query_one(Scrubber)
        self.panel = self.query_one(DetailPanel)
        self.table.focus()
        self.player.next_event = self.model.log.next_ms
        self.terminal.show(self.player.terminal)
        self._timer = self.set_interval(FRAME, self._frame)
        self.set_interval(0.5, self._second)
        self._arrange()
        self._tell()

    # The clock.

    def _wake(self) -> None:
        if self._resting:
            self._resting = False
            self._last = self._clock()
            self._timer.resume()

    def _second(self) -> None:
        """A live session's time runs on while nothing happens; an index grows."""
        if self._keyframes is not None and self.model.loaded:
            self._tell()
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
        if self.player.trouble:
            self._damaged()
            return
        done = self.player.caught_up
        self._frames += 1
        if done or self._frames % PAINT_EVERY == 0:
            self.terminal.show(self.player.terminal)
            self._point()
        if self.player.playing and done and self.player.position >= self.model.tape.end_ms:
            self.player.playing = False
            if self.model.state == LIVE:
                self.player.follow()
            self.refresh_bindings()
        if self.player.playing or self.player.following:
            self._select(self.model.log.at(self.player.position))
        if not (done or self.player.playing or self._slicing):
            # A long way: slices follow each other, with room for keys and painting between them.
            self._slicing = True
            self.set_timer(BREATH, self._slice)
        if done and not self.player.playing:
            self._resting = True
            self._timer.pause()
        if self._lacks != self.model.lacks.at(self.player.position):
            self._tell_terminal()
        self._tell_time()

    def _damaged(self) -> None:
        """The tape cannot be read any more."""
        if not self._stop.stopped:
            self._stop.set()
            self.post_message(self.Damaged(self, self.player.trouble))

    def _slice(self) -> None:
        """One more slice of a long seek, between two frames."""
        self._slicing = False
        self._frame()

    # What is shown.

    def _select(self, row: int) -> None:
        if row != self.table.cursor:
            self.table.move_to(row)
            self._tell_events()
        if self.table.index != self._selected:
            self._show_detail()

    def _show_detail(self, *, keep: bool = False) -> None:
        self._selected = index = self.table.index
        self._verdict = self.model.verdict(index) if index >= 0 else None
        self._point()
        if not self._detail:
            return
        if index < 0:
            self.query_one("#detail-title", Bar).show([("no event here", "dim")])
            self.panel.show([])
            return
        event = self.model.log.event(index)
        self.query_one("#detail-title", Bar).show([(title(event), "strong")], [("enter closes", "dim")])
        found = details(event, self.model.processes, self._verdict, self._sources.lens)
        self.panel.show(found, keep=keep)

    def _point(self) -> None:
        """Highlights the typed line of the selected command where the screen shows it."""
        rows = NOWHERE
        if self._verdict is not None:
            evidence = self._verdict.evidence
            at_frame = int(self.player.position) == evidence.frame_ms and self.player.caught_up
            rows = rows_of(self.player.terminal, evidence, at_frame=at_frame)
        self.terminal.point(rows)

    def _mark(self) -> None:
        """The time line's marks."""
        model = self.model
        self.scrubber.mark(
            Marked(
                gaps=model.gaps,
                quiet=model.stretches(),
                alternate=model.ribbon.stretches(model.tape.end_ms),
                bookmarks=[each.ms for each in model.bookmarks],
            )
        )

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
        frames = self._keyframes
        self.model.indexed = frames.size / max(1, self.model.tape.size) if frames is not None else None
        wide = self.size.width >= STACK_BELOW
        self.query_one("#header", Bar).show(*header(self.model, self._summary, wide=wide))
        problem = self._problem or next(iter(self.model.problems), "") or self.model.verdicts.problem
        if not problem and self.model.state == LIVE:
            problem = self._notice  # what happens now may not be recorded
        bar = self.query_one("#problem", Bar)
        bar.display = bool(problem)
        bar.show([(problem, "bad")])
        self._tell_events()
        self._tell_terminal()
        self._tell_time()

    def note(self, notice: str) -> None:
        """Takes what ails the recorder; empty when nothing does."""
        if notice != self._notice:
            self._notice = notice
            if self.is_mounted:
                self._tell()

    def _arranged(self) -> None:
        """The highlighted row is in view, and what is too long for a title is short."""
        self.table.show_row(self.table.cursor)
        self._tell_events()

    def _tell_events(self) -> None:
        bar = self.query_one("#events-title", Bar)
        wide = bar.size.width >= KINDLESS
        bar.show(*events_title(self.model, self.table.cursor, wide=wide))

    def _tell_terminal(self) -> None:
        self._lacks = self.model.lacks.at(self.player.position)
        shown = terminal_title(
            self.player.terminal, self.terminal.clip, self._sources.lens, self.terminal.hidden, self._lacks
        )
        self.query_one("#terminal-title", Bar).show(*shown)

    def on_terminal_pane_clipped(self) -> None:
        """Another part of the recorded screen is in view."""
        self._tell_terminal()
        self._arrange()

    def lens_changed(self) -> None:
        """Secrets are shown now, or hidden again."""
        self.model.log.rows.forget()
        for table in self.query(LineTable):
            table.redraw()
        self.terminal.look_again()
        self._show_detail()
        self._tell()
