"""A screen with marks over secrets: as wide as what they hide, so that columns stay."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import MARK, Masker, Span
from esr_tui.terminal.cells import WIDTHS
from esr_tui.terminal.rows import Row, Run, Style
from esr_tui.terminal.terminal import Terminal

Cells = dict[int, list[Span]]
"""By row, the cells from start to end that are hidden."""


def veil(terminal: Terminal, masker: Masker) -> Cells:
    """What is to be hidden on a screen; rows that wrap into each other are one line."""
    cells: Cells = {}
    lines = logical(terminal)
    texts = ["".join(text for _, text in rows).rstrip() for rows in lines]
    for rows, spans in zip(lines, masker.lines(texts, screen=True), strict=True):
        for start, end in spans:
            for y, text in rows:
                first, last = max(0, start), min(len(text), end)
                if first < last:
                    cells.setdefault(y, []).append((width(text[:first]), width(text[:last])))
                start, end = start - len(text), end - len(text)  # noqa: PLW2901  (goes on in the next row)
    return cells


def logical(terminal: Terminal) -> list[list[tuple[int, str]]]:
    """The lines of a screen, each as its rows and their texts."""
    lines: list[list[tuple[int, str]]] = []
    joined = False
    for y in range(terminal.rows):
        (lines[-1].append if joined else lambda row: lines.append([row]))((y, terminal.plain(y)))
        joined = terminal.wrapped(y)
    return lines


def width(text: str) -> int:
    """The cells that a row's text takes."""
    return len(text) if text.isascii() else sum(WIDTHS[char] for char in text)


def veiled(row: Row, spans: Sequence[Span]) -> Row:
    """A row whose cells from start to end are marks."""
    if not spans:
        return row
    parts: list[tuple[Style, str]] = []
    x = 0
    over = False
    for run in row.runs:
        for char in run.text:
            cells = WIDTHS[char]
            over = any(start <= x < end for start, end in spans) if cells else over
            parts.append((run.style, MARK * cells if over else char))
            x += cells
    runs = tuple(
        Run("".join(text for _, text in group), style)
        for style, group in groupby(parts, key=lambda each: each[0])
    )
    return Row(runs, row.marked, "".join(run.text for run in runs))


def rows(terminal: Terminal, lens: Lens) -> tuple[Row, ...]:
    """All rows of a screen, seen through a lens."""
    shown = tuple(terminal.row(y) for y in range(terminal.rows))
    if lens.masker is None or not (cells := veil(terminal, lens.masker)):
        return shown
    lens.count += sum(map(len, cells.values()))
    return tuple(veiled(row, cells.get(y, ())) for y, row in enumerate(shown))
