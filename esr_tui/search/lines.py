"""The text that a terminal showed, line by line, each with when and where it was visible.

The stream is fed in portions that cannot scroll a line away unseen: after each, the rows that changed are read.
Rows that wrap into each other are one line. A line that grows (as it is typed, or printed piece by piece) is
told once, when it has its last text; so is one that only moves, by scrolling. What may be missed: text that a
program overwrites or erases by moving the cursor within one portion (at most one piece of output), and changes
beyond the budget, which are counted.
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterator

from esr_tui.search.entries import Line, Open
from esr_tui.terminal import Terminal

LINE_MOST = 4096
"""Characters of a line; what is longer is told in parts."""
SAME_MS = 10_000
"""A text that comes back to its row within this time, as in a list that is drawn again and again, is told once."""
_REMEMBERED = 4096
BUDGET_FLOOR, BUDGET_FACTOR = 4 << 20, 24
"""Characters of lines that may be told: so many, and so many for each byte of the stream."""

_ERASES = re.compile(rb"\x1b(?:\[[0-3]?J|c|\[\?(?:47|1047|1049)[hl])")
"""What takes many lines off the screen at once: the screen is read before it."""


class Collector:
    """Takes a stream in its order; gives lines.

    Attributes:
        terminal: the screen at the present place.
        offset: bytes taken.
        missed: lines that were not told, since too many changed too fast.
    """

    def __init__(
        self, terminal: Terminal | None = None, offset: int = 0, open_lines: list[Open] | None = None
    ) -> None:
        self.terminal = terminal or Terminal()
        self.offset = offset
        self.missed = 0
        self._open = open_lines or []
        self._texts: list[str] = []
        self._joins: list[bool] = []
        self._told: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._spent = 0
        self._lines: list[Line] = []
        self._look(range(self.terminal.rows))
        self.terminal.changed()

    @property
    def open_lines(self) -> list[Open]:
        """What is on the screen."""
        return self._open

    def resize(self, ms: int, columns: int, rows: int) -> None:
        """The terminal takes another size."""
        self.terminal.resize(columns, rows)
        self._sample(ms)

    def feed(self, ms: int, data: bytes) -> None:
        """The terminal takes output."""
        for portion in _portions(data, self.terminal.columns, self.terminal.rows):
            self.terminal.feed(portion)
            self.offset += len(portion)
            self._sample(ms)

    def take(self) -> list[Line]:
        """The lines that were told since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def flush(self) -> None:
        """Tells what is on the screen now, as far as it was not told yet."""
        for each in self._open:
            self._tell(each, -1)

    def _look(self, rows: range | set[int]) -> None:
        """Reads rows."""
        terminal = self.terminal
        if len(self._texts) != terminal.rows:
            self._texts, self._joins = [""] * terminal.rows, [False] * terminal.rows
            rows = range(terminal.rows)
        for y in rows:
            self._texts[y] = terminal.plain(y)
            self._joins[y] = terminal.wrapped(y)

    def _sample(self, ms: int) -> None:
        changed = self.terminal.changed()
        if not changed and len(self._texts) == self.terminal.rows:
            return
        self._look(changed)
        known: defaultdict[str, list[Open]] = defaultdict(list)
        for each in reversed(self._open):
            known[each.text].append(each)
        kept: list[Open] = []
        fresh: list[tuple[int, str]] = []
        for y, text in self._logical():
            if same := known.get(text):
                each = same.pop()
                each.y = y
                kept.append(each)
            else:
                fresh.append((y, text))
        gone = {each.y: each for rest in known.values() for each in rest}
        for y, text in fresh:
            before = gone.get(y)
            if before is not None and text.startswith(before.text):
                del gone[y]
                before.ms, before.offset, before.row, before.text = ms, self.offset, y, text
                kept.append(before)
            else:
                shrunk = before is not None and before.text.startswith(text)
                kept.append(Open(ms, self.offset, y, y, text, before.text if before and shrunk else ""))
        for each in gone.values():
            self._tell(each, ms)
        self._open = kept

    def _logical(self) -> Iterator[tuple[int, str]]:
        """The lines on the screen: rows that wrap into each other joined, empty ones left out."""
        texts, joins = self._texts, self._joins
        y = 0
        while y < len(texts):
            start, text = y, texts[y]
            if joins[y]:
                parts = [text]
                while joins[y] and y + 1 < len(texts) and sum(map(len, parts)) < LINE_MOST:
                    y += 1
                    parts.append(texts[y])
                text = "".join(parts)
            y += 1
            if text and (text := text.rstrip()):
                yield start, text

    def _tell(self, line: Open, until: int) -> None:
        if line.told.startswith(line.text):  # a part of what was told is found in that
            return
        key = (line.row, line.text)
        last = self._told.get(key)
        if last is not None and line.ms - last < SAME_MS:
            return
        self._spent += len(line.text)
        if self._spent > BUDGET_FLOOR + BUDGET_FACTOR * self.offset:
            self.missed += 1
            return
        line.told = line.text
        self._told[key] = line.ms
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        self._lines.append(
            Line(line.ms, until, line.offset, line.row, self.terminal.columns, line.text[: LINE_MOST * 2])
        )


def _portions(data: bytes, columns: int, rows: int) -> Iterator[bytes]:
    """`data` in parts that each scroll fewer rows than the screen has, cut before what erases much."""
    room = max(1, rows - 1)
    if len(data) // columns + data.count(b"\n") < room and b"\x1b" not in data:
        yield data
        return
    start = 0
    for match in _ERASES.finditer(data):
        yield from _scrolls(data, start, match.start(), columns, room)
        start = match.start()
    yield from _scrolls(data, start, len(data), columns, room)


def _scrolls(data: bytes, start: int, end: int, columns: int, room: int) -> Iterator[bytes]:
    while start < end:
        cut, used = start, 0
        while cut < end and used < room:
            newline = data.find(b"\n", cut, end)
            stop = end if newline < 0 else newline + 1
            wraps = (stop - cut) // columns
            if used + wraps >= room:
                cut += (room - used) * columns
                break
            used += wraps + 1
            cut = stop
        cut = min(cut, end)
        yield data[start:cut]
        start = cut
