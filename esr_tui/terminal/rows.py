"""Rows as they are shown: runs of inert text in one style each."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby

import msgspec

from esr_tui.model.text import UNSAFE
from esr_tui.terminal.cells import MAX_SHARED, NOTHING, REPLACEMENT, WIDTHS, Cell, Line


class Style(msgspec.Struct, frozen=True, cache_hash=True):
    """How a run looks. Colours are None (the default), "#rrggbb" or an ANSI name like "red", "brightred"."""

    fg: str | None = None
    bg: str | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    blink: bool = False
    reverse: bool = False


class Run(msgspec.Struct, frozen=True, cache_hash=True):
    """Text of one style: no control, bidirectional or zero-width character but combining marks."""

    text: str
    style: Style


class Row(msgspec.Struct, frozen=True, cache_hash=True):
    """One row of the screen. Equal rows look the same, so a drawn row can be cached by it.

    Attributes:
        runs: from the first column on; neighbours differ in style; blanks at the end are left out.
        marked: the row holds zero-width, bidirectional, C1 or concealed characters, so that the user's own
            terminal may have shown it otherwise.
        text: the runs' texts together.
    """

    runs: tuple[Run, ...] = ()
    marked: bool = False
    text: str = ""


PLAIN = Style()
EMPTY = Row()


def _colour(name: str) -> str | None:
    """pyte's name of a colour as ours."""
    if name == "default":
        return None
    if name.endswith("brown"):
        return name.replace("brown", "yellow")
    if name == "bfightmagenta":
        return "brightmagenta"
    return f"#{name}" if len(name) == 6 and not set(name) - set("0123456789abcdef") else name


@lru_cache(MAX_SHARED)
def _style(cell: Cell, inverse: bool) -> Style:
    """The style of what is written with a pen; `inverse` is the whole screen's reverse video."""
    return Style(
        fg=_colour(cell.fg),
        bg=_colour(cell.bg),
        bold=cell.bold,
        faint=cell.faint or cell.conceal,
        italic=cell.italics,
        underline=cell.underscore,
        strike=cell.strikethrough,
        blink=cell.blink,
        reverse=cell.reverse != inverse,
    )


def _combining(char: str) -> bool:
    return not UNSAFE.match(char) and unicodedata.category(char) not in _CONTROL


@lru_cache(4 * MAX_SHARED)
def _shown(data: str) -> tuple[str, bool]:
    """A cell's text made inert, still as wide as it was, and whether anything of it had to go."""
    if data == "":
        return "", False
    base, marks = data[0], data[1:]
    kept = "".join([mark for mark in marks if _combining(mark)])
    odd = len(kept) != len(marks)
    # A skin tone on its own is two cells here, but would melt into the emoji before it where it is drawn.
    if UNSAFE.match(base) or "\U0001f3fb" <= base <= "\U0001f3ff":
        base, odd = REPLACEMENT + " " * (WIDTHS[base] - 1), True
    return base + kept, odd


def inert_cell(data: str) -> str:
    """What `plain` has of a cell's text."""
    return data if data.isascii() else _shown(data)[0]


_CONTROL = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})


def render(line: Line, columns: int, inverse: bool = False) -> Row:
    """A line as a Row of at most `columns` cells; `inverse` is the whole screen's reverse video (DECSCNM)."""
    cells, pens = line.text, line.pens
    if inverse and (lacking := columns - len(cells)) > 0:
        cells, pens = cells + [" "] * lacking, pens + [NOTHING] * lacking
    runs: list[Run] = []
    marked, at = False, 0
    for pen, group in groupby(pens):
        start, at = at, at + len(list(group))
        data, style = cells[start:at], _style(pen, inverse)
        text = "".join(data)
        if not text.isascii():
            shown = [_shown(each) for each in data]
            text = "".join([each for each, _ in shown])
            marked = marked or any(odd for _, odd in shown)
        if pen.conceal and text.strip():
            marked = True
        if runs and runs[-1].style == style:
            text = runs.pop().text + text
        runs.append(Run(text, style))
    _trim(runs)
    return Row(tuple(runs), marked, "".join([run.text for run in runs])) if runs else EMPTY


def plain(line: Line) -> str:
    """The text that `render` gives a line, without blanks at its end; where it goes on in the row below, with them."""
    text = "".join(line.text)
    if not text.isascii():
        text = "".join([_shown(each)[0] for each in line.text])
    return text if line.wrapped else text.rstrip(" ")


def _trim(runs: list[Run]) -> None:
    """Take away the blanks at the end that no attribute makes visible."""
    while runs:
        text, style = runs[-1].text, runs[-1].style
        if style.bg or style.reverse or style.underline or style.strike:
            return
        kept = text.rstrip(" ")
        if kept == text:
            return
        runs.pop()
        if kept:
            runs.append(Run(kept, style))
