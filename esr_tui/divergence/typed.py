"""The lines that were typed, from the terminal stream and the kernel's events.

The stream is rendered, and lines are read off the screen when they are accepted: prompt removed, wrapped rows joined.
"""

from __future__ import annotations

from typing import Protocol

from esr_tui.divergence.backlog import Backlog
from esr_tui.divergence.edits import Moment
from esr_tui.divergence.holding import Holding, on_screen
from esr_tui.divergence.likenesses import Likenesses
from esr_tui.divergence.multiplexer import Multiplexer
from esr_tui.divergence.readers import Readers
from esr_tui.divergence.turns import Turns
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command, Event, Exit, Fork, Resize, SessionStart, TerminalMode

__all__ = ["TypedLine", "TypedLines"]


class Piece(Protocol):
    """A piece of the terminal stream, as the recording's reader hands it out."""

    @property
    def ms(self) -> int: ...
    @property
    def ktime(self) -> int: ...
    @property
    def data(self) -> bytes: ...


class TypedLines:
    """Finds the lines that were typed. Feed it the stream and the events in the order of the clock.

    How the stream is cut into pieces makes no difference, nor how often lines are taken.

    Args:
        likenesses: which files are shells under another name.
    """

    def __init__(self, likenesses: Likenesses | None = None) -> None:
        self._readers = Readers(likenesses)
        self._holding = Holding()
        self._turns = Turns(self._readers, self._holding)
        self._multiplexer = Multiplexer(self._turns.page, self._readers, self._holding)
        self._backlog = Backlog(self._turns.page)
        self._frame_open = False

    def feed(self, output: Piece) -> None:
        """Take in a piece of the stream."""
        now = Moment(output.ms, output.ktime)
        if now != self._turns.now or not self._frame_open:
            self._end_frame(now)
            self._turns.next_frame(now)
        self._frame_open = True
        data = output.data
        if self._turns.idle and self._backlog.possible:
            data = self._backlog.add(data)
        if data:
            self._backlog.draw()
            self._turns.page.terminal.feed(data)

    def event(self, event: Event) -> None:
        """Take in an event; those that say nothing about lines are ignored."""
        now = Moment(event.ms, event.ktime)
        match event:
            case TerminalMode():
                self._end_frame(now)
                self._mode(event, now)
            case Command():
                self._end_frame(now)
                self._command(event, now)
            case Fork():
                self._end_frame(now)
                self._readers.fork(event)
            case Exit():
                self._end_frame(now)
                self._readers.exit(event)
                self._turns.ended(event.pid)
            case SessionStart():
                self._readers.tty = event.tty
                self._resize(event.size)
            case Resize():
                self._end_frame(now)
                self._resize(event.size)

    def take(self) -> list[TypedLine]:
        """The lines that were completed or given up since the last call.

        Their `rows` are right for the bytes fed so far: feed all of one millisecond before you take.
        """
        if self._frame_open:
            self._holding.showed(self._turns.now.ms, self._turns.page.top)
        return self._holding.take(self._turns.page.top)

    @property
    def open(self) -> TypedLine | None:
        """The line that is being typed, so far; None when nothing waits for one."""
        line = self._turns.open()
        return on_screen(line, self._turns.page.top) if line else None

    def _end_frame(self, now: Moment) -> None:
        """Time has gone on to `now`: what was shown before is complete."""
        self._holding.tick(now.ns)
        self._turns.command_rows.tick(now)
        if self._frame_open and now != self._turns.now:
            self._frame_open = False
            if self._backlog:
                if not self._readers.waiting() or not self._turns.prompts.possible(self._backlog.last_row):
                    return
                self._backlog.draw()
            self._turns.frame(now)
            self._holding.showed(self._turns.now.ms, self._turns.page.top)
            self._turns.command_rows.look(self._turns.now)
            self._multiplexer.frame(self._turns.now, now)

    def _resize(self, size: str | None) -> None:
        columns, _, rows = (size or "").partition(":")
        if columns.isdigit() and rows.isdigit():
            self._backlog.draw()
            self._turns.page.terminal.resize(int(columns), int(rows))

    def _mode(self, event: TerminalMode, now: Moment) -> None:
        self._backlog.draw()
        reader = self._readers.mode(event)
        if self._readers.inner(event):
            outer = self._readers.outer
            if outer is None or not outer.relay:
                self._multiplexer.mode(event, reader, now)
                return
        if event.canonical:
            self._turns.gave_back(reader, now)
        elif reader.reads_lines:
            self._turns.took_over(reader, now)

    def _command(self, event: Command, now: Moment) -> None:
        self._readers.command(event)
        self._turns.executed(event.ppid, now)
        self._holding.ran(event.ppid, now.ns)
        self._turns.command_rows.command(event, now)
