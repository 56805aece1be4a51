"""The process tree of a typed line as a table."""

from __future__ import annotations

import signal
from collections.abc import Hashable, Sequence
from typing import ClassVar

from esr_tui.filtering.codes import UNJUDGED
from esr_tui.model.session import LINGERING, LIVE
from esr_tui.tui.marks import NOTABLE, ink
from esr_tui.tui.model import SessionModel
from esr_tui.tui.processes import Process
from esr_tui.tui.timefmt import stamp
from esr_tui.tui.tree import Tree
from esr_tui.tui.widgets.event_table import KINDLESS, SPACIOUS, mark_text
from esr_tui.tui.widgets.line_table import Cell, Column, LineTable

ROOMY = 64
"""Cells from which on there is room for the time."""
FORKED = "(forked)"


def ending(process: Process, *, live: bool) -> tuple[str, bool]:
    """How a process ended, in at most seven cells, and whether that is bad news."""
    if process.ended is None:
        return ("runs" if live else "?"), False
    if process.signal:
        try:
            return signal.Signals(process.signal).name[:7], True
        except ValueError:
            return f"sig {process.signal}"[:7], True
    return str(process.status), bool(process.status)


class ProcessTable(LineTable):
    """A row for each program that a process became: verdict, pid and arguments, exit status, files, connections."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "verdict--quiet",
        "verdict--info",
        "verdict--low",
        "verdict--medium",
        "verdict--high",
        "verdict--critical",
    }

    def __init__(self, model: SessionModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self.branches = Tree()
        self._trees = 0

    def show(self, tree: Tree) -> None:
        """Shows another tree."""
        self.branches = tree
        self._trees += 1
        self.rows_changed()

    def row_total(self) -> int:
        """Rows of the tree."""
        return len(self.branches)

    def _span(self, row: int) -> tuple[int, int, float]:
        """The pid of a row, and from when until when it was what the row shows."""
        process, number = self.branches[row]
        images = process.images
        since = images[number].ms if number > 0 else process.started
        if 0 <= number < len(images) - 1:
            return process.pid, since, images[number + 1].ms
        return process.pid, since, float("inf") if process.ended is None else process.ended + 1

    def row_key(self, row: int) -> Hashable:
        """All that the row's cells depend on."""
        process, number = self.branches[row]
        followers = len(self._model.log.marks.followers(*self._span(row)))
        state = (self._live, process.ended, len(process.images), self._code(process, number))
        return (self._trees, row, followers, *state)

    @property
    def _live(self) -> bool:
        return self._model.state in {LIVE, LINGERING}

    def _code(self, process: Process, number: int) -> int:
        return UNJUDGED if number < 0 else self._model.log.marks.judged(process.images[number].ei)

    def columns(self, width: int) -> Sequence[Column]:
        """Verdict, process, exit; files, connections and the time where there is room."""
        wide = width >= ROOMY
        columns = [Column("verdict", 12) if width >= SPACIOUS else Column("vd", 4), Column("process", 0)]
        columns = [*([Column("time", 9)] if wide else []), *columns]
        columns += [Column("exit", 7, right=True)]
        if width >= KINDLESS:
            columns += [Column("files", 5, right=True), Column("conns", 5, right=True)]
        room = width - sum(each.width + 1 for each in columns) + 1
        return [each._replace(width=max(8, room)) if each.heading == "process" else each for each in columns]

    def cells(self, row: int, columns: Sequence[Column]) -> Sequence[Cell]:
        """The cells of one row."""
        process, number = self.branches[row]
        code = self._code(process, number)
        colour = f"verdict--{ink(code)}" if code else ""
        width = next(each.width for each in columns if each.heading == "process")
        name = f"{process.pid} " if number <= 0 else "⇒ "
        label = self._model.lens.text(process.images[number].label) if number >= 0 else FORKED
        last = number < 0 or number == len(process.images) - 1
        end, bad = ending(process, live=self._live) if last else ("", False)
        files, connections = self._model.log.touched(*self._span(row))
        loud = colour if code in NOTABLE else "table--strong" if number >= 0 else "table--dim"
        cells: dict[str, Cell] = {
            "time": (stamp(process.images[number].ms if number >= 0 else process.started), "table--dim"),
            "vd": (mark_text(code, 4), colour),
            "verdict": (mark_text(code, 12), colour),
            "process": (f"{self.branches.stem(row, max(1, width // 6))}{name}{label}", loud),
            "exit": (end, "table--bad" if bad else "table--dim"),
            "files": (str(files or ""), "table--dim"),
            "conns": (str(connections or ""), "" if connections else "table--dim"),
        }
        return [cells[column.heading] for column in columns]
