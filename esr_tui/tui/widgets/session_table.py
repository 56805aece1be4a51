"""The table of sessions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from esr_tui.divergence.version import VERSION
from esr_tui.filtering import Filter
from esr_tui.filtering.documents import session_document
from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.session import ENDED, LINGERING, LIVE, SessionSummary
from esr_tui.model.text import printable
from esr_tui.model.verdict import SEVERITIES
from esr_tui.tui.timefmt import epoch, span, started
from esr_tui.tui.widgets.line_table import Cell, Column, LineTable

STATES = {"live": "● live", "lingering": "◐ linger", "ended": "○ ended", "cut": "✂ cut"}
PINNED = "◆"
"""In place of the state's sign: the store's budget never removes it."""
LAST = "last command"
_FIXED: tuple[Column, ...] = (
    Column("state", 8),
    Column("user", 10),
    Column("from", 21),
    Column("terminal", 8),
    Column("started", 11),
    Column("idle", 7, right=True),
    Column(LAST, 0),
    Column("cmds", 5, right=True),
    Column("conns", 5, right=True),
    Column("worst", 11),
    Column("lost", 5, right=True),
)
_NARROW_WIDTHS = {
    "user": 8,
    "from": 15,
    "terminal": 6,
    "started": 8,
    "idle": 6,
    "cmds": 4,
    "conns": 5,
    "worst": 8,
}
_SHORT = {"medium": "med", "critical": "crit"}


def outdated(session: SessionSummary) -> bool:
    """Whether the verdicts come from another version of the analysis than this one."""
    return session.judged_by is not None and session.judged_by != VERSION


def worst(session: SessionSummary, width: int) -> Cell:
    """The worst severity and how many divergences there are; a dash where that is not known."""
    if session.divergences is None and not session.worst:
        return "—", "table--dim"
    if not session.divergences and not session.worst:
        # A session of which something was lost is never called clean.
        whole = not session.lost and not session.joined_late and session.state == ENDED
        return ("—" if not whole else "↻none" if outdated(session) else "none"), "table--dim"
    severity = session.worst or ""
    old = "↻" if outdated(session) else ""
    name = _SHORT.get(severity, printable(severity, 16)) if width < 11 else printable(severity, 16)
    ink = f"severity--{severity}" if severity in SEVERITIES else "table--bad"
    return f"{old}{name} {session.divergences or ''}".rstrip(), ink


class SessionTable(LineTable):
    """Sessions in the order they were given, narrowed by a filter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"severity--{severity}" for severity in SEVERITIES}

    def __init__(self, lens: Lens = PLAIN, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lens = lens
        self.shown: list[SessionSummary] = []
        """The sessions that pass the filter, in the table's order."""
        self._now = 0.0

    def show(self, sessions: Sequence[SessionSummary], narrowed: Filter, now: float) -> None:
        """Shows those of `sessions` that pass a filter; `now` is Unix time, for the idle column.

        The cursor stays on its session, wherever that moves.
        """
        here = self.current
        self._now = now
        self.shown = [
            session for session in sessions if not narrowed or narrowed.matches(session_document(session))
        ]
        places = {session.sid: row for row, session in enumerate(self.shown)}
        cursor = places.get(here.sid, self.cursor) if here else 0
        self.cursor = max(0, min(cursor, len(self.shown) - 1)) if self.shown else -1
        self.rows_changed()
        self.show_row(self.cursor)

    def clock(self, now: float) -> None:
        """Lets the idle column move on."""
        self._now = now
        self.refresh()

    @property
    def current(self) -> SessionSummary | None:
        """The highlighted session."""
        return self.shown[self.cursor] if 0 <= self.cursor < len(self.shown) else None

    def row_total(self) -> int:
        """Sessions shown."""
        return len(self.shown)

    def row_key(self, row: int) -> Hashable:
        """All that the row's cells depend on."""
        each = self.shown[row]
        idle = self._idle(each)
        return (
            each.sid,
            each.state,
            each.pinned,
            idle,
            each.commands,
            each.network,
            each.last_command,
            len(each.lost),
            each.worst,
            each.divergences,
            each.judged_by,
        )

    def columns(self, width: int) -> Sequence[Column]:
        """Every column; the last command takes what room is left, some are shorter where it is narrow."""
        columns = list(_FIXED)
        if width < 118:
            columns = [each._replace(width=_NARROW_WIDTHS.get(each.heading, each.width)) for each in columns]
        if width < 92:
            columns = [each for each in columns if each.heading not in {"started", "terminal"}]
        room = width - sum(each.width + 1 for each in columns) + 1
        name = LAST if room >= len(LAST) else LAST.partition(" ")[0]
        return [
            each._replace(heading=name, width=max(8, room)) if each.heading == LAST else each
            for each in columns
        ]

    def _idle(self, session: SessionSummary) -> str:
        if session.state not in {LIVE, LINGERING}:
            return "—"
        at = epoch(session.last_activity)
        if at is None:
            return "—"
        seconds = max(0, int(self._now - at))
        return f"{seconds}s" if seconds < 60 else span(seconds * 1000)

    def cells(self, row: int, columns: Sequence[Column]) -> Sequence[Cell]:
        """The cells of one session."""
        each = self.shown[row]
        ink = {"live": "table--good", "lingering": "table--good", "cut": "table--bad"}.get(
            each.state, "table--dim"
        )
        lost = sum(each.lost.values())
        state = STATES.get(each.state, printable(each.state, 8))
        cells: dict[str, Cell] = {
            "state": (PINNED + state[1:] if each.pinned else state, ink),
            "user": (printable(each.user or each.login or "?", 64), "table--strong"),
            "from": (printable(self._lens.text(each.origin) or "?", 128), ""),
            "terminal": (printable(each.tty or "—", 64), "" if each.tty else "table--dim"),
            "started": (started(each.started, self._now), "table--dim"),
            "idle": (self._idle(each), "table--dim"),
            LAST: (
                printable(self._lens.text(each.last_command) or "—", 512),
                "" if each.last_command else "table--dim",
            ),
            "cmds": (str(each.commands), ""),
            "conns": (str(each.network), "" if each.network else "table--dim"),
            "worst": worst(each, next((c.width for c in columns if c.heading == "worst"), 0)),
            "lost": (str(lost) if each.lost else "—", "table--bad" if each.lost else "table--dim"),
        }
        cells["last"] = cells[LAST]
        return [cells[column.heading] for column in columns]
