"""Where an expression matches on a screen: pure."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

from esr_tui.terminal import Terminal

Spans = Callable[[str], list[tuple[int, int]]]
"""Where a line of text matches: (start, end) in characters."""

Cells = dict[int, list[tuple[int, int]]]
"""By row, the cells from start to end that are to be marked."""


def found(terminal: Terminal, spans: Spans) -> Cells:
    """The cells of the matches on the screen; rows that wrap into each other are one line."""
    cells: Cells = {}
    y = 0
    while y < terminal.rows:
        rows = [(y, terminal.plain(y))]
        while terminal.wrapped(y) and y + 1 < terminal.rows:
            y += 1
            rows.append((y, terminal.plain(y)))
        y += 1
        line = "".join(text for _, text in rows).rstrip()
        for start, end in spans(line) if line else ():
            _mark(cells, rows, start, end)
    return cells


def _mark(cells: Cells, rows: list[tuple[int, str]], start: int, end: int) -> None:
    """Marks the characters from `start` to `end` of rows that follow each other."""
    for y, text in rows:
        first, last = max(0, start), min(len(text), end)
        if first < last:
            cells.setdefault(y, []).append((cell_len(text[:first]), cell_len(text[:last])))
        start, end = start - len(text), end - len(text)
