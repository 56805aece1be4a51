"""The course of the lines: when an editor's turn begins, when its line is accepted or given up.

That is told by marks in the stream itself (bracketed paste is on exactly while a line editor waits; OSC 133), else
by the terminal's modes (a line editor takes the terminal out of canonical mode), else by the echo after a prompt.
The stream trails the kernel by some milliseconds, so the modes alone are never taken for a place in the stream.
"""

from __future__ import annotations

from esr_tui.divergence.echoed import nothing_typed, prompting
from esr_tui.divergence.edits import COOKED, MARKED, MODES, RESTED_NS, SETTLED_NS, Edit, Moment, Shown
from esr_tui.divergence.handovers import Handovers
from esr_tui.divergence.holding import TRAIL_NS, Holding
from esr_tui.divergence.nested import CommandRows
from esr_tui.divergence.page import Page
from esr_tui.divergence.prompts import Prompts, promptlike
from esr_tui.divergence.readers import Reader, Readers
from esr_tui.divergence.typedline import TypedLine
from esr_tui.divergence.unfinished import asks_for_text

_BRACKETED_PASTE = 2004
_ALTERNATE = frozenset({47, 1047, 1049})
_ABORTED = "^C"


class Turns:
    """Follows one line after another. It is the watcher of the page's terminal."""

    def __init__(self, readers: Readers, holding: Holding) -> None:
        self.page = Page(self)
        self._readers = readers
        self.prompts = Prompts()
        self._holding = holding
        self.command_rows = CommandRows(self.page, readers, holding)
        self.edit: Edit | None = None
        self._ahead = Handovers()
        self.now = Moment()
        """The time of the stream."""
        self._before = Moment()
        """The frame before it."""
        self._ended_ms = -1
        self._accepted_row = -1
        self._accepted: TypedLine | None = None
        self._marking: int | None = None
        """Who edited the line before, if marks told of it."""

    # -- what the kernel's events say

    def took_over(self, reader: Reader, now: Moment) -> None:
        """A line editor took the terminal out of canonical mode."""
        self._ahead.took_over(reader.pid, now)
        edit = self.edit
        if edit and edit.style == COOKED and not edit.closing:
            edit.closing = now
        if edit is None:
            self._begin(reader, MODES, now)
        elif edit.style == MARKED:  # the marks tell better, unless they end with this line
            self._ahead.append(reader, alone=True)
        elif edit.closing:
            self._ahead.append(reader, alone=False)

    def gave_back(self, reader: Reader, now: Moment) -> None:
        """A process put the terminal back into canonical mode: a line was accepted, if it was an editor."""
        edit = self.edit
        if self._ahead.gave_back(reader.pid, now, marked=edit is not None and edit.style == MARKED):
            return
        if edit and edit.doubtful and edit.prompt is None:
            self.edit = None
        elif edit and edit.style == MODES and edit.reader.pid == reader.pid:
            # Without a prompt it is output of the line before: the stream has not come to this turn yet.
            if edit.fed and self._fresh(edit) and (edit.prompt is not None or edit.fed.prompt):
                self._accept(edit.fed)
            else:
                edit.closing = now

    def executed(self, parent: int, now: Moment) -> None:
        """A process has executed something: without echo that is how one knows that a line was accepted."""
        edit = self.edit
        if edit and edit.style == COOKED and edit.hidden and edit.reader.pid == parent:
            self._accept(self._nothing(edit), now)

    def ended(self, pid: int) -> None:
        """A process has ended."""
        self._ahead.forget(pid)
        if self.edit and self.edit.style == MODES and self.edit.reader.pid == pid and not self.edit.closing:
            self.edit = None

    # -- what the stream says, told by the terminal as it draws

    def line_feed(self) -> None:
        """The cursor is about to go down."""
        page, edit = self.page, self.edit
        if self._holding.expanding and page.row > self._accepted_row:
            self._holding.printed(page.text(page.logical(page.row), 0, page.row))
        if page.terminal.alternate:
            self.command_rows.look(self.now)
            return
        if edit is None:
            return
        shown = edit.read(self.page, self.prompts, page.row)
        if edit.left and edit.reader.name == "zsh":
            self._accept(edit.read(page, self.prompts, edit.landed(page)))
        elif edit.left:
            self._went_down(edit, shown)
        elif edit.closing:
            if self.now.ns - edit.closing.ns > TRAIL_NS:
                self._late(edit)
            elif (edit.prompt is not None or shown.prompt) and not self._moves(edit):
                self._accept(shown)
        elif edit.style != COOKED:
            edit.fed = shown
        elif shown.rows[0] == edit.origin and not edit.hidden:
            self._accept(shown)
        elif not edit.hidden:
            self.edit = None

    def _late(self, edit: Edit | None) -> None:
        """A line feed long after a line: without echo there is none before that of a line that shows."""
        while edit and edit.closing and self.now.ns - edit.closing.ns > TRAIL_NS:
            self.edit = None
            self._next_turn(edit)
            edit = self.edit
        if edit and not edit.closing:
            edit.fed = edit.read(self.page, self.prompts, self.page.row)
        elif edit and (shown := edit.read(self.page, self.prompts, self.page.row)).prompt:
            self._accept(shown)

    def private_mode(self, mode: int, on: bool) -> None:
        """A private mode is about to be switched."""
        if mode in _ALTERNATE:
            self.command_rows.look(self.now)
            edit = self.edit
            of_shell = edit and edit.style == MARKED and edit.reader.shell and edit.reader.name
            if on and not of_shell:
                self.edit = None
        elif mode == _BRACKETED_PASTE and not self.page.terminal.alternate:
            (self._mark_on if on else self._mark_off)()

    def shell_mark(self, mark: str) -> None:
        """OSC 133 was seen."""
        edit = self.edit
        if self.page.terminal.alternate:
            return
        if mark in ("A", "B") and edit is None:
            edit = self._begin(self._readers.current, MARKED, self.now)
        if mark == "B" and edit:
            edit.exact = True
            edit.settle(self.page, self.prompts, RESTED_NS, self.now)
        elif mark == "C" and edit and edit.fed and self._fresh(edit):
            self._accept(edit.fed)

    def _mark_on(self) -> None:
        """An editor has begun to wait: bash says so before its prompt, zsh after it."""
        if self.edit and self.edit.left:
            if self.edit.reader.name == "zsh":
                self._accept(self.edit.left)
            else:
                self._left_behind(self.edit)
        reader = self._readers.current
        if reader.full_screen or self._forged():
            return
        edit = self.edit
        if edit is None or not (edit.exact and edit.origin == self.page.row):
            edit = self._begin(reader, MARKED, self.now)
        edit.style, edit.closing, edit.fed = MARKED, None, None
        self._ahead.marked(edit.reader.pid)
        if edit.reader.name == "zsh":
            edit.exact = True
            edit.settle(self.page, self.prompts, RESTED_NS, self.now)

    def _forged(self) -> bool:
        """Whether a mark comes from a program that only prints it: the kernel saw no editor take over."""
        return self._readers.seen and self._readers.outer is None and not self._ahead.due(self.now)

    def _mark_off(self) -> None:
        """The editor has given the terminal back."""
        edit = self.edit
        if edit is None or edit.style != MARKED:
            self._missed()
        elif edit.fed and self._fresh(edit):
            self._accept(edit.fed)
        elif edit.prompt is None and not "".join(self.page.before_cursor()).strip():
            self.edit = None  # it came and went without a prompt
        else:
            edit.leave(self.page, edit.read(self.page, self.prompts, self.page.last(self.page.row)))

    def _missed(self) -> None:
        """A line ended whose beginning is not on record: the recorder came late."""
        page, reader = self.page, self._readers.current
        if page.column or page.row <= page.top or reader.full_screen:
            return
        if self._readers.seen and not self._ahead.just_given_back(reader.pid, self.now):
            return
        edit = Edit(reader, MARKED, self.now, page.row - 1, 0, not self._readers.echo)
        shown = edit.read(self.page, self.prompts, page.row - 1)
        if shown.prompt:
            self.edit = edit
            self._accept(shown)

    # -- frames: what was shown at one moment, and stood there until the next

    def frame(self, until: Moment) -> None:
        """What was shown at `now` is complete, and stood until `until`."""
        page, edit = self.page, self.edit
        if page.terminal.alternate:
            return
        if edit is None:
            self._look_for_prompt(until)
        elif edit.left and edit.reader.name == "zsh":
            if page.row > edit.left_row:
                self._accept(edit.read(page, self.prompts, max(edit.left.rows[1], page.row - 1)))
        elif edit.left:
            if page.row > edit.left.rows[1] and page.column == 0:
                self._went_down(edit, edit.read(self.page, self.prompts, edit.left.rows[1]))
        elif edit.style == COOKED and edit.hidden:
            if (page.row, len(page.before_cursor())) != (edit.origin, len(edit.prompt or ())):
                self._accept(self._nothing(edit))
                self._look_for_prompt(until)
        elif edit.prompt is None:
            self._wait_for_prompt(edit, until)
        elif edit.style == COOKED and edit.origin == page.row and nothing_typed(page, self.prompts):
            edit.settle(page, self.prompts, RESTED_NS, self.now)
        elif not edit.closing and not self._fresh(edit):
            edit.shown = edit.read(page, self.prompts, page.last(page.row))
            edit.shown_at = self.now

    @property
    def idle(self) -> bool:
        """Whether what is shown now says nothing about a line until the next mark or event.

        The rest of the millisecond in which a line ended may still scroll it.
        """
        return (
            self.edit is None
            and self.now.ms != self._ended_ms
            and not self._ahead
            and not self._holding.expanding
        )

    def next_frame(self, now: Moment) -> None:
        """What follows is shown at `now`: what stood there until then may have been a prompt."""
        edit = self.edit
        if edit and edit.prompt is None and edit.drawn and now.ns - edit.drawn.ns >= SETTLED_NS:
            edit.settle(self.page, self.prompts, now.ns - edit.drawn.ns, edit.drawn)
        self._before, self.now = self.now, now

    def open(self) -> TypedLine | None:
        """The line that is being typed, so far."""
        edit = self.edit
        if edit is None or edit.closing or edit.left:
            return None
        shown = edit.read(self.page, self.prompts, self.page.last(self.page.row))
        return edit.line(shown, self.now, self.now, complete=False)

    def _wait_for_prompt(self, edit: Edit, until: Moment) -> None:
        text = "".join(self.page.before_cursor())
        rested = until.ns - self.now.ns
        if not text.strip():
            return
        if edit.closing:  # its line never came; this is a later turn's prompt
            if rested < RESTED_NS or not (text in self.prompts or promptlike(text)):
                return
            turn = self._ahead.last()
            edit = self._begin(turn.reader if turn else edit.reader, MODES, self.now)
        edit.drawn = self.now
        if rested >= SETTLED_NS or text in self.prompts:
            edit.settle(self.page, self.prompts, rested, self.now)

    def _look_for_prompt(self, until: Moment) -> None:
        rested = until.ns - self.now.ns >= SETTLED_NS
        if reader := prompting(self.page, self.prompts, self._readers, rested=rested):
            edit = self._begin(reader, COOKED, self.now)
            edit.exact = True
            edit.settle(self.page, self.prompts, RESTED_NS, self.now)

    # -- the course of one line

    def _begin(self, reader: Reader, style: str, now: Moment) -> Edit:
        column = self.page.column if style == MARKED else 0
        self.edit = Edit(reader, style, now, self.page.row, column, not self._readers.echo)
        self.edit.doubtful = style == MODES and reader.pid == self._marking
        return self.edit

    def _fresh(self, edit: Edit) -> bool:
        """Whether nothing was drawn since the line feed."""
        fed = edit.fed
        return fed is not None and self.page.column == 0 and self.page.row == fed.rows[1] + 1

    def _moves(self, edit: Edit) -> bool:
        """Whether a line feed only moves the cursor within the line, as fish does."""
        return edit.reader.name == "fish" and bool(self.page.cells(self.page.row + 1))

    def _nothing(self, edit: Edit) -> Shown:
        """A line of which nothing is shown."""
        return Shown("", (edit.origin, edit.origin), "".join(edit.prompt or ()))

    def _went_down(self, edit: Edit, shown: Shown) -> None:
        """The cursor went down after the editor had left: the line is accepted if it still stands as it was."""
        left = edit.left
        assert left is not None
        # bash goes down before it leaves, unless the terminal does not echo; else it is Ctrl-C or the end of input.
        may = edit.hidden or edit.reader.name not in ("bash", "rbash")
        if may and shown.text == left.text and not left.text.endswith(_ABORTED):
            self._accept(left)
        else:
            self._left_behind(edit)

    def _left_behind(self, edit: Edit) -> None:
        """The editor left and the line was not accepted: Ctrl-C or the end of input."""
        left = edit.left
        assert left is not None
        self.edit, self._ended_ms = None, self.now.ms
        if left.text.endswith(_ABORTED):
            self._abort(edit, left)
        else:
            self._holding.flush()
        self._next_turn(edit)

    def _abort(self, edit: Edit, shown: Shown) -> None:
        shown = Shown(shown.text.removesuffix(_ABORTED), shown.rows, shown.prompt)
        self._holding.aborted(edit.line(shown, self.now, self.now, complete=False))

    def _accept(self, shown: Shown, ended: Moment | None = None) -> None:
        """The line is complete."""
        edit = self.edit
        assert edit is not None
        self.edit, self._accepted_row, self._ended_ms = None, shown.rows[1], self.now.ms
        if edit.style != MARKED and shown.text.endswith(_ABORTED):
            self._abort(edit, shown)
        else:
            ended = ended or self._ahead.ended(edit.reader.pid, self._before, self.now)
            line = edit.line(shown, self.now, ended, complete=True, nested=self._asked(edit, shown))
            if edit.prompt is None:
                self.prompts.learn(shown.prompt)
            self._holding.accepted(line, shell=edit.reader.shell and not line.nested)
            self._accepted = line
        self._next_turn(edit)

    def _next_turn(self, before: Edit) -> None:
        self._marking = before.reader.pid if before.style == MARKED else None
        if turn := self._ahead.pop():
            edit = self._begin(turn.reader, MODES, self.now)
            edit.closing, edit.doubtful = turn.over, before.style == MARKED

    def _asked(self, edit: Edit, shown: Shown) -> str:
        """ "read" where the line before made the shell itself ask for text."""
        last = self._accepted
        if last is None or last.pid != edit.reader.pid or last.prompt == shown.prompt or last.nested:
            return ""
        return "read" if asks_for_text(last.text) else ""
