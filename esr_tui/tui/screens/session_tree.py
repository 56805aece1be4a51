"""The session screen's process tree: in the events' place, it shows what the typed line of the selection started."""

from __future__ import annotations

from textual.containers import Vertical

from esr_tui.model.text import printable
from esr_tui.tui.processes import Process
from esr_tui.tui.screens.layout import BOTH, TERMINAL_ONLY
from esr_tui.tui.screens.session_judging import SessionJudging
from esr_tui.tui.tree import NO_LINE, Tree, family, line_at
from esr_tui.tui.widgets.bars import Bar, Part
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.process_table import ProcessTable

OWN = frozenset({"command", "fork", "exit"})
"""Kinds of events that are about a process itself; others of a shell belong to what was typed into it."""
GROWN_EVERY = 0.25
"""Seconds between two looks at a tree that grows, and as many as making it took a tenth of."""


class SessionTree(SessionJudging):
    """The session screen with a process tree."""

    _tree: ProcessTable | None = None
    _tree_of: tuple[int, int, int] = (-1, -1, -1)
    """What the tree was made for: the event's index, and how much was known of processes and verdicts."""
    _led = -1
    """The event that the tree's own cursor has selected: it does not move the cursor."""
    _tree_made = float("-inf")
    _tree_cost = 0.0
    _line = ""

    def action_tree(self) -> None:
        """The tree in the events' place, or the events again."""
        if self._tree is None:
            self._tree = ProcessTable(self.model, id="tree")
            self._tree.display = False
            self.query_one("#right", Vertical).mount(self._tree)
        self._tree.display = not self._tree.display
        self.table.display = not self._tree.display
        if self._zoom == TERMINAL_ONLY:
            self._zoom = BOTH
            self._arrange()
        self._tree_of, self._led = (-1, -1, -1), -1
        self._tell_events()
        self.focus_table()

    def focus_table(self) -> None:
        """Keys go to the table that is shown."""
        (self._tree if self._tree is not None and self._tree.display else self.table).focus()

    @property
    def _tree_shown(self) -> bool:
        return self._tree is not None and self._tree.display

    # What it shows.

    def _tell_events(self) -> None:
        """With the tree in their place, the title is about that; it follows the selection here."""
        if not self._tree_shown:
            super()._tell_events()
            return
        self._follow_selection()
        self.query_one("#events-title", Bar).show(*self._tree_title())

    def _tree_title(self) -> tuple[list[Part], list[Part]]:
        assert self._tree is not None
        tree = self._tree.branches
        many = "1 process" if tree.processes == 1 else f"{tree.processes:,} processes"
        if tree.left_out:
            many += " and more, which are not shown"
        left: list[Part] = [("tree of ", "strong")]
        line = printable(self._sources.lens.text(self._line), 400)
        left.append((line, "") if line else ("no typed line", "dim"))
        return left, [(many if len(tree) else "no process belongs to this event", "dim")]

    def _follow_selection(self) -> None:
        """Shows the tree to which the selected event belongs, and where in it that is."""
        assert self._tree is not None
        index = self.table.index
        known = (index, self.model.processes.changes, len(self.model.verdicts))
        if index < 0 or known == self._tree_of:
            return
        if index == self._led and 0 <= self._tree.cursor < len(self._tree.branches):
            process, number = self._tree.branches[self._tree.cursor]
            ms, own = process.started, True
        else:
            row = self.model.log.rows[index]
            found = self.model.processes.host(row.pid, row.ms) if row.pid else None
            if found is None:
                return  # a gap, say: what is shown stays
            process, ms, own = found, row.ms, row.kind in OWN
            number = process.image_at(ms)
        other = index != self._tree_of[0]
        grown = known[1:] != self._tree_of[1:]
        now = self._clock()
        rested = now - self._tree_made >= max(GROWN_EVERY, 10 * self._tree_cost)
        if (other and self._tree.branches.place(process, number) is None) or (grown and rested):
            self._plant(process, ms, own=own)
            self._tree_made, self._tree_cost = now, self._clock() - now
            self._tree_of = known
        elif other:
            self._tree_of = (index, *self._tree_of[1:])
        if (place := self._tree.branches.place(process, number)) is not None:
            self._tree.move_to(place)

    def _plant(self, process: Process, ms: int, *, own: bool) -> None:
        """Makes the tree anew."""
        assert self._tree is not None
        line_of = self.model.verdicts.line_of
        roots = family(process, ms, line_of, own=own)
        if not roots:
            roots, own = [process], True
        self._tree.show(Tree(roots))
        self._line = ""
        for root in roots:
            if line_at(root, None, line_of) != NO_LINE:
                verdict = self.model.verdicts.of(root.images[0].ei)
                self._line = (verdict.evidence.typed or "(nothing showed)") if verdict else ""
                break

    # Its cursor.

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """A process was highlighted: its event, and its time."""
        if message.table is not self._tree:
            return
        message.prevent_default()
        process, number = self._tree.branches[message.row]
        image = process.images[number] if number >= 0 else None
        self.player.playing = False
        self.player.seek(image.ms if image else process.started)
        self.terminal.follow_cursor()
        log = self.model.log
        index = log.marks.row_of(image.ei) if image else None
        row = log.position(index) if index is not None else log.at(self.player.position)
        self._led = log.visible[row] if row >= 0 else -1
        self.table.move_to(row)
        self._show_detail()
        self._moved()
