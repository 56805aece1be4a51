"""The lines that were typed, from the terminal stream and the kernel's terminal modes.

The stream is rendered, and lines are read off the screen when they are accepted. When that is, is told by marks in
the stream itself (bracketed paste is on exactly while a line editor waits; OSC 133), else by the terminal's modes
(a line editor takes the terminal out of canonical mode), else by the echo after a prompt. The stream trails the
kernel by some milliseconds, so the modes are never taken for a place in the stream alone.
"""

from __future__ import annotations

from typing import Protocol

from esr_tui.divergence.edits import COOKED, MARKED, MODES, RESTED_NS, SETTLED_NS, Edit, Moment, Shown
from esr_tui.divergence.holding import Holding
from esr_tui.divergence.nested import FullScreen
from esr_tui.divergence.page import Page
from esr_tui.divergence.prompts import Prompts, promptlike
from esr_tui.divergence.readers import Reader, Readers
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command, Event, Exit, Fork, Resize, SessionStart, TerminalMode

__all__ = ["TypedLine", "TypedLines"]

_BRACKETED_PASTE = 2004
_ALTERNATE = frozenset({47, 1047, 1049})
_ABORTED = "^C"


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
    """

    def __init__(self) -> None:
        self._page = Page(self)
        self._readers = Readers()
        self._prompts = Prompts()
        self._holding = Holding()
        self._full_screen = FullScreen(self._page, self._readers)
        self._edit: Edit | None = None
        self._queue: list[Reader] = []
        """Readers whose turn has begun by the modes, while the line before is still to end in the stream."""
        self._now = Moment()
        self._before = Moment()
        """The last frame but one."""
        self._given_back: list[tuple[int | None, Moment]] = []
        """When editors gave the terminal back, as far as no line is known that ended then."""
        self._open_frame = False
        self._accepted_row = -1
        """The last row of the line that was accepted last."""

    # -- in and out

    def event(self, event: Event) -> None:
        """Take in an event; those that say nothing about lines are ignored."""
        now = Moment(event.ms, event.ktime)
        self._holding.tick(now.ns)
        match event:
            case TerminalMode():
                self._end_frame(now)
                self._mode(event, now)
            case Command():
                self._end_frame(now)
                self._command(event, now)
            case Fork():
                self._readers.fork(event)
            case Exit():
                self._exit(event)
            case SessionStart():
                self._readers.tty = event.tty
                self._resize(event.size)
            case Resize():
                self._end_frame(now)
                self._resize(event.size)

    def feed(self, output: Piece) -> None:
        """Take in a piece of the stream."""
        now = Moment(output.ms, output.ktime)
        self._holding.tick(now.ns)
        if now != self._now or not self._open_frame:
            self._end_frame(now)
            self._before, self._now = self._now, now
        self._open_frame = True
        self._page.terminal.feed(output.data)

    def take(self) -> list[TypedLine]:
        """The lines that were completed or given up since the last call."""
        return self._holding.take()

    @property
    def open(self) -> TypedLine | None:
        """The line that is being typed, so far; None when nothing waits for one."""
        edit = self._edit
        if edit is None or edit.closing or edit.left:
            return None
        shown = edit.read(self._page, self._prompts, self._page.last(self._page.row))
        return self._line(edit, shown, self._now, complete=False)

    # -- what the events say

    def _resize(self, size: str | None) -> None:
        columns, _, rows = (size or "").partition(":")
        if columns.isdigit() and rows.isdigit():
            self._page.terminal.resize(int(columns), int(rows))

    def _mode(self, event: TerminalMode, now: Moment) -> None:
        reader = self._readers.mode(event)
        if self._readers.inner(event):
            if self._full_screen.inner_mode(event, reader, now):
                self._holding.add_all(self._full_screen.take())
                return
            if self._readers.outer is None or (
                self._readers.current.pid != event.pid and not event.canonical
            ):
                return
        if event.canonical:
            self._given_back = [*self._given_back[-15:], (reader.pid, now)]
            self._gave_back(reader)
        elif reader.reads_lines:
            self._took_over(reader, now)

    def _took_over(self, reader: Reader, now: Moment) -> None:
        edit = self._edit
        if edit and edit.style == COOKED:
            edit = self._edit = None
        if edit is None:
            self._begin(reader, MODES, now)
        elif edit.style == MODES:
            if edit.closing:
                self._queue = [*self._queue[-7:], reader]
            elif edit.fed and self._fresh(edit):
                self._accept(edit.fed)
                self._begin(reader, MODES, now)

    def _gave_back(self, reader: Reader) -> None:
        edit = self._edit
        if not edit or edit.style != MODES or edit.reader.pid != reader.pid:
            return
        if edit.fed and self._fresh(edit):
            self._accept(edit.fed)
        else:
            edit.closing = True

    def _command(self, event: Command, now: Moment) -> None:
        self._readers.command(event)
        edit = self._edit
        if edit and edit.style == COOKED and edit.hidden and edit.reader.pid == event.ppid:
            self._accept(self._read(edit, edit.origin), now)
        self._holding.ran(event.ppid, now.ns)
        self._full_screen.command(event, now)
        self._holding.add_all(self._full_screen.take())

    def _exit(self, event: Exit) -> None:
        self._readers.exit(event)
        if self._edit and self._edit.style == MODES and self._edit.reader.pid == event.pid:
            self._edit = None

    # -- what the stream says, told by the terminal as it draws

    def line_feed(self) -> None:
        """The cursor is about to go down."""
        page, edit = self._page, self._edit
        if self._holding.expanding and page.row > self._accepted_row:
            self._holding.printed(page.text(page.logical(page.row), 0, page.row))
        if self._page.terminal.alternate:
            return
        if edit is None:
            return
        shown = self._read(edit, page.row)
        if edit.left:
            self._after_leaving(edit, shown)
        elif edit.closing:
            if edit.prompt is not None or shown.prompt:
                self._accept(shown)
        elif edit.style == COOKED:
            self._echoed(edit, shown)
        else:
            edit.fed = shown

    def private_mode(self, mode: int, on: bool) -> None:
        """A private mode was switched."""
        if mode in _ALTERNATE and on:
            if self._edit and not (
                self._edit.style == MARKED and self._edit.reader.shell and self._edit.reader.name
            ):
                self._edit = None
        elif mode == _BRACKETED_PASTE and not self._page.terminal.alternate:
            (self._mark_on if on else self._mark_off)()

    def shell_mark(self, mark: str) -> None:
        """OSC 133 was seen."""
        edit = self._edit
        if mark in ("A", "B") and edit is None:
            edit = self._begin(self._readers.current, MARKED, self._now)
        if mark == "B" and edit and not self._page.terminal.alternate:
            edit.exact = True
            edit.settle(self._page, self._prompts, RESTED_NS, self._now)
        elif mark == "C" and edit and edit.fed and self._fresh(edit):
            self._accept(edit.fed)

    def _mark_on(self) -> None:
        """An editor has begun to wait: bash says so before its prompt, zsh after it."""
        edit = self._edit
        if edit and edit.left:
            self._left_behind(edit)
            edit = self._edit
        reader = self._readers.current
        if reader.full_screen:
            return
        if edit is None or (edit.style == MARKED and edit.prompt is not None and not edit.exact):
            edit = self._begin(reader, MARKED, self._now)
        edit.style, edit.closing, edit.fed = MARKED, False, None
        if reader.pid is not None:
            edit.reader = reader
        self._queue.clear()
        if edit.reader.name == "zsh":
            edit.exact = True
            edit.settle(self._page, self._prompts, RESTED_NS, self._now)

    def _mark_off(self) -> None:
        """The editor has given the terminal back."""
        edit = self._edit
        if edit is None or edit.style == COOKED:
            self._missed()
            return
        if edit.fed and self._fresh(edit):
            self._accept(edit.fed)
        elif edit.prompt is None and not edit.painted and page_blank(self._page):
            self._edit = None  # it came and went without a prompt
        else:
            edit.left = self._read(edit, self._page.last(self._page.row))
            if edit.reader.name == "zsh":
                self._accept(edit.left)

    def _missed(self) -> None:
        """A line ended whose beginning is not on record: the recorder came late."""
        page = self._page
        if page.column or self._readers.current.nested or page.row <= page.top:
            return
        edit = Edit(self._readers.current, MARKED, self._now, page.row - 1, not self._readers.echo)
        shown = self._read(edit, page.row - 1)
        if shown.prompt:
            self._edit = edit
            self._accept(shown)

    # -- the course of a line

    def _begin(self, reader: Reader, style: str, now: Moment) -> Edit:
        self._edit = Edit(reader, style, now, self._page.row, not self._readers.echo)
        return self._edit

    def _read(self, edit: Edit, last: int) -> Shown:
        if edit.prompt is None and edit.drawn and self._now.ns - edit.drawn.ns >= SETTLED_NS:
            self._settle(edit, self._now)
        return edit.read(self._page, self._prompts, last)

    def _fresh(self, edit: Edit) -> bool:
        """Whether nothing was drawn since the line feed."""
        fed = edit.fed
        return fed is not None and self._page.column == 0 and self._page.row == fed.rows[1] + 1

    def _settle(self, edit: Edit, now: Moment) -> None:
        edit.settle(self._page, self._prompts, now.ns - self._now.ns, self._now)

    def _end_frame(self, now: Moment) -> None:
        """What was shown at the last moment is complete, and stood until `now`."""
        if not self._open_frame or (now == self._now):
            return
        self._open_frame = False
        page, edit = self._page, self._edit
        if page.terminal.alternate or (self._readers.outer is not None and self._readers.outer.nested):
            self._full_screen.frame(self._now, now)
            self._holding.add_all(self._full_screen.take())
        if page.terminal.alternate:
            return
        if edit is None:
            self._look_for_prompt(now)
        elif edit.left:
            if page.row > edit.left.rows[1] and page.column == 0:
                self._after_leaving(edit, self._read(edit, edit.left.rows[1]))
        elif edit.style == COOKED and edit.hidden:
            if (page.row, len(page.before_cursor())) != (edit.origin, len(edit.prompt or ())):
                self._accept(
                    Shown(
                        "", (edit.origin, edit.origin), _frame(page, edit.origin), "".join(edit.prompt or ())
                    )
                )
                self._look_for_prompt(now)
        elif edit.prompt is None:
            self._wait_for_prompt(edit, now)
        elif not edit.closing and not self._fresh(edit):
            edit.shown = edit.read(page, self._prompts, page.last(page.row))
            edit.shown_at = self._now

    def _wait_for_prompt(self, edit: Edit, now: Moment) -> None:
        text = "".join(self._page.before_cursor())
        if not text.strip() or edit.closing:
            return
        edit.drawn = self._now
        edit.painted = True
        if now.ns - self._now.ns >= SETTLED_NS or text in self._prompts:
            self._settle(edit, now)

    def _look_for_prompt(self, now: Moment) -> None:
        """A shell without a line editor prompts in canonical mode; the cursor rests after its prompt."""
        reader = self._readers.waiting()
        if reader is None:
            return
        page = self._page
        text = "".join(page.before_cursor())
        known = text in self._prompts
        if not known and (
            not promptlike(text) or self._readers.busy(reader) or now.ns - self._now.ns < SETTLED_NS
        ):
            known = not self._readers.echo and any(text.endswith(prompt) for prompt in self._prompts.newest())
            if not known:
                return
        if page.cells(page.row)[len(page.before_cursor()) :]:
            return
        edit = self._begin(reader, COOKED, self._now)
        edit.exact = True
        edit.settle(page, self._prompts, RESTED_NS, self._now)

    def _echoed(self, edit: Edit, shown: Shown) -> None:
        if shown.rows[0] != edit.origin:
            self._edit = None
            return
        self._accept(shown)

    def _after_leaving(self, edit: Edit, shown: Shown) -> None:
        """The cursor went down after the editor had left: the line is accepted if it still stands as it was."""
        left = edit.left
        assert left is not None
        if shown.text == left.text and not left.text.endswith(_ABORTED):
            self._accept(left)
        else:
            self._left_behind(edit)

    def _left_behind(self, edit: Edit) -> None:
        """The editor left and the line was not accepted: Ctrl-C or the end of input."""
        left = edit.left
        assert left is not None
        self._edit = None
        text = left.text
        if not text.endswith(_ABORTED):
            self._holding.flush()
            return
        shown = Shown(text.removesuffix(_ABORTED), left.rows, left.frame, left.prompt)
        self._holding.aborted(self._line(edit, shown, self._now, complete=False))

    def _accept(self, shown: Shown, ended: Moment | None = None) -> None:
        """The line is complete."""
        edit = self._edit
        assert edit is not None
        self._edit, self._accepted_row = None, shown.rows[1]
        if edit.style == COOKED and shown.text.endswith(_ABORTED):
            shown = Shown(shown.text.removesuffix(_ABORTED), shown.rows, shown.frame, shown.prompt)
            self._holding.aborted(self._line(edit, shown, self._now, complete=False))
        else:
            line = self._line(edit, shown, ended or self._ended(edit), complete=True)
            if edit.prompt is None:
                self._prompts.learn(shown.prompt)
            self._holding.accepted(line, shell=edit.reader.shell)
        if self._queue:
            self._begin(self._queue.pop(0), MODES, self._now)

    def _ended(self, edit: Edit) -> Moment:
        """When the line that ends at this place of the stream was accepted, by the modes if they tell."""
        for given in self._given_back:
            pid, moment = given
            if pid == edit.reader.pid and self._before.ns < moment.ns <= self._now.ns:
                self._given_back.remove(given)
                return moment
        return self._now

    def _line(self, edit: Edit, shown: Shown, ended: Moment, *, complete: bool) -> TypedLine:
        before = edit.shown
        whole = before is not None and edit.shown_at is not None and before.text == shown.text
        hidden = edit.hidden and not shown.text
        return TypedLine(
            text=shown.text,
            start_ms=(edit.ready or edit.began).ms,
            end_ms=ended.ms,
            end_ktime=ended.ktime,
            frame_ms=edit.shown_at.ms if whole and edit.shown_at else self._now.ms,
            rows=before.frame if whole and before else shown.frame,
            pid=edit.reader.pid,
            prompt=shown.prompt,
            echo=not hidden,
            nested=edit.reader.nested,
            complete=complete,
        )


def _frame(page: Page, row: int) -> tuple[int, int]:
    return (max(0, row - page.top),) * 2


def page_blank(page: Page) -> bool:
    """Whether nothing stands before the cursor."""
    return not "".join(page.before_cursor()).strip()
