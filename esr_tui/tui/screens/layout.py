"""Where the session screen's panes stand: a pure function of the sizes."""

from __future__ import annotations

from dataclasses import dataclass

STACK_BELOW = 110
"""Cells of width below which the panes stand one above the other."""
WIDE = 120
"""Cells of width from which on the details take the whole width, below both other panes."""
TABLE_LEAST = 52
"""Cells that the table keeps beside a terminal which is not shown whole either way."""
TABLE_NARROW = 38
"""Cells that the table makes do with where that shows all columns of the terminal: time, verdict, kind, and what."""
DETAIL_LEAST = 12
"""Rows that make room for the details below the recorded screen."""

BOTH, TERMINAL_ONLY, EVENTS_ONLY = 0, 1, 2


@dataclass(frozen=True)
class Layout:
    """A grid of the three panes: terminal, events, details."""

    terminal: bool
    events: bool
    columns: str
    rows: str
    terminal_span: int = 1
    events_span: int = 1
    below_span: int = 1
    side_by_side: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the grid."""
        return len(self.columns.split()), len(self.rows.split())


def room_for_details(width: int, height: int, rows: int) -> bool:
    """Whether the details fit below a recorded screen of `rows` rows without taking from anything."""
    return width >= STACK_BELOW and height - rows - 1 >= DETAIL_LEAST


def layout(width: int, height: int, recorded: tuple[int, int], zoom: int, detail: bool) -> Layout:
    """The grid for `width` × `height` cells and a recorded screen of so many columns and rows."""
    if zoom == TERMINAL_ONLY:
        return Layout(True, False, "1fr", "1fr")
    if zoom == EVENTS_ONLY:
        return Layout(False, True, "1fr", "1fr 1fr" if detail else "1fr")
    if width < STACK_BELOW:
        # The details take the terminal's place: the table must stay, it is what leads through them.
        return Layout(False, True, "1fr", "1fr 1fr") if detail else Layout(True, True, "1fr", "5fr 4fr")
    columns, rows = recorded
    room = width - max(TABLE_LEAST, width * 2 // 5)
    whole = columns + 1 <= width - TABLE_NARROW
    shape = f"{columns + 1 if whole else max(24, room)} 1fr"
    if not detail:
        return Layout(True, True, shape, "1fr", side_by_side=True)
    if width >= WIDE:
        lines = max(DETAIL_LEAST, height - rows - 1)
        return Layout(True, True, shape, f"1fr {lines}", below_span=2, side_by_side=True)
    if room_for_details(width, height, rows):
        return Layout(True, True, shape, f"{rows + 1} 1fr", events_span=2, side_by_side=True)
    return Layout(True, True, shape, "1fr 1fr", terminal_span=2, side_by_side=True)
