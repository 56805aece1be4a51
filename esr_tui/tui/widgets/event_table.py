"""The table of kernel events beside the terminal."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from esr_tui.tui.eventlog import EventLog
from esr_tui.tui.marks import LETTERS, NOTABLE, SHOUTS, ink, severity_of, verdict_of
from esr_tui.tui.timefmt import stamp
from esr_tui.tui.widgets.line_table import Cell, Column, LineTable

SHORT_KINDS = {
    "command": "cmd",
    "network": "net",
    "terminal": "tty",
    "resize": "size",
    "escape": "esc!",
    "input": "in",
    "marker": "mark",
}
"""Kinds in five cells, for narrow tables."""
KINDLESS = 44
"""Cells below which kinds are told by their colour and the details alone, and times in tenths of a second."""
ROOMY = 72
SPACIOUS = 100
"""Cells from which on verdicts are written out."""


def mark_text(code: int, width: int, *, loud: bool = True) -> str:
    """A verdict for the table: a sign or, where there is room, the word; and how bad it is when `loud`."""
    if not code:
        return ""
    verdict, shout = verdict_of(code), SHOUTS[severity_of(code)] if loud else ""
    return f"{verdict:<8} {shout}" if width > 8 else f"{LETTERS[verdict]}{shout}"


class EventTable(LineTable):
    """The visible rows of an event log. A row's number is its place among the visible."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "event--command",
        "event--disk",
        "event--network",
        "event--fork",
        "event--exit",
        "event--terminal",
        "event--resize",
        "event--gap",
        "event--escape",
        "event--start",
        "event--end",
        "event--print",
        "event--input",
        "event--marker",
        "verdict--quiet",
        "verdict--info",
        "verdict--low",
        "verdict--medium",
        "verdict--high",
        "verdict--critical",
    }

    def __init__(self, log: EventLog, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log

    def row_total(self) -> int:
        """Visible rows."""
        return len(self._log.visible)

    def row_key(self, row: int) -> Hashable:
        """A row changes only by its verdict once it is in the log."""
        index = self._log.visible[row]
        return (index, self._log.marks.codes[index], self._hours)

    @property
    def _hours(self) -> bool:
        """Whether times need the hour."""
        return self._log.end_ms >= 3_600_000

    def columns(self, width: int) -> Sequence[Column]:
        """Time, verdict, kind, program, summary, pid; fewer and shorter where it is narrow."""
        kind = 8 if width >= ROOMY else 5 if width >= KINDLESS else 0
        exact = 9 if kind else 7
        program = 15 if width >= ROOMY + 24 else 10 if width >= 56 else 0
        fixed = [
            Column("time", exact + 3 if self._hours else exact, right=self._hours),
            Column("verdict", 12) if width >= SPACIOUS else Column("vd", 4),
        ]
        if kind:
            fixed.append(Column("kind", kind))
        if program:
            fixed.append(Column("program", program))
        pid = 7 if width >= 60 else 0
        room = width - sum(column.width + 1 for column in fixed) - (pid + 1 if pid else 0)
        fixed.append(Column("what", max(4, room)))
        if pid:
            fixed.append(Column("pid", pid, right=True))
        return fixed

    def cells(self, row: int, columns: Sequence[Column]) -> Sequence[Cell]:
        """The cells of one event."""
        index = self._log.visible[row]
        shown, code = self._log.rows[index], self._log.marks.codes[index]
        colour = f"event--{shown.kind}"
        named = columns[2] if columns[2].heading == "kind" else None
        own = shown.kind == "command"
        mark = (mark_text(code, columns[1].width, loud=own), "")
        if code:
            mark = (mark[0], f"verdict--{ink(code) if own or shown.kind == 'network' else 'quiet'}")
        time = stamp(shown.ms)
        cells: list[Cell] = [(time if named else time[:-2], "table--dim"), mark]
        if named:
            kind = SHORT_KINDS.get(shown.kind, shown.kind) if named.width < 8 else shown.kind
            cells.append((kind, colour))
        if any(column.heading == "program" for column in columns):
            cells.append((shown.program, "table--dim"))
        if code in NOTABLE and own:
            colour = f"verdict--{ink(code)}"
        elif shown.bad:
            colour = "table--bad"
        elif own:
            colour = "table--strong"
        cells.append((shown.summary, colour))
        if columns[-1].heading == "pid":
            cells.append((str(shown.pid or ""), "table--dim"))
        return cells

    @property
    def index(self) -> int:
        """The log's index of the highlighted event; -1 for none."""
        return self._log.visible[self.cursor] if 0 <= self.cursor < self.row_total() else -1
