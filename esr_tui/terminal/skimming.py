"""Long plain output, of which only the last screenful can be seen: the lines before it are counted, not drawn.

What is left behind is the same as if each had been drawn: rows, pen, the count of rows that scrolled away.
"""

from __future__ import annotations

import re

from pyte.charsets import LAT1_MAP as ASCII

from esr_tui.terminal.cells import NARROW
from esr_tui.terminal.commands import COMMANDS
from esr_tui.terminal.grid import DECAWM, IRM
from esr_tui.terminal.screen import Screen

_STYLE = r"\x1b\[[0-9;:]*+m"
_STYLES = re.compile(_STYLE)
_PLAIN = re.compile(rf"(?:{NARROW.pattern[:-2]}++|\r\n|{_STYLE})*+")
_RESETS = ("\x1b[m", "\x1b[0m")


def _simple(screen: Screen) -> bool:
    """Whether text goes on from line to line down to the bottom, and all rows scroll."""
    charset = screen.g1_charset if screen.charset else screen.g0_charset
    return (
        charset == ASCII
        and screen.watcher is None  # wants to be told of each line
        and not (screen.margins or screen.sides or screen.unseen or IRM in screen.mode)
        and DECAWM in screen.mode
    )


def skim(screen: Screen, text: str, at: int) -> int:
    """Pass over the lines at `text[at]` that the lines behind them push off the screen. Returns what to draw from."""
    rows = screen.lines
    if text.count("\r\n", at) < 2 * rows or not _simple(screen):
        return at
    plain = _PLAIN.match(text, at)
    cut = plain.end() if plain else at
    for _ in range(rows):
        cut = text.rfind("\r\n", at, cut)
        if cut < 0:
            return at
    passed = text[at : cut + 2]
    if passed.count("\r\n") < rows:  # rows of before might still be in sight
        return at
    _pass(screen, passed)
    return cut + 2


def _pass(screen: Screen, passed: str) -> None:
    """Leave the screen at the beginning of the row below `passed`; what stands in the rows above is of no account."""
    reset = max(passed.rfind(each) for each in _RESETS)
    for style in _STYLES.findall(passed, max(0, reset)):
        function, arguments = COMMANDS[style]
        function(screen, *arguments)
    shown = _STYLES.sub("", passed) if "\x1b" in passed else passed
    lines = shown.split("\r\n")[:-1]
    sizes = [len(line) for line in lines]
    sizes[0] += screen.cursor.x
    moves = len(sizes)
    if max(sizes) > screen.columns:
        moves += sum((size - 1) // screen.columns for size in sizes if size)
    if not screen.alternate:
        screen.scrolled += moves - (screen.lines - 1 - screen.cursor.y) - 1
    screen.last = shown.rstrip("\r\n")[-1:] or screen.last
    screen.cursor.x, screen.cursor.y = 0, screen.lines - 1
    screen.index()
    screen.dirty.update(range(screen.lines))
