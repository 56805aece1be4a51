"""Lines typed into shells inside tmux or screen, as far as the rows of the drawn screen show them.

The multiplexer draws what its shells print at times and in ways of its own, so neither marks nor line feeds of the
stream belong to a shell. When lines begin and end is told by the modes of the terminals inside; their text is what
stands after a prompt in the pane that has the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass

from esr_tui.divergence.edits import SETTLED_NS, Moment
from esr_tui.divergence.holding import TRAIL_NS, Holding
from esr_tui.divergence.page import Cells, Page
from esr_tui.divergence.prompts import Prompts
from esr_tui.divergence.readers import MULTIPLEXERS, Reader, Readers
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import TerminalMode

_BORDERS = "│┃|"
_MOST = 64


@dataclass(frozen=True)
class _Found:
    text: str
    rows: tuple[int, int]
    prompt: str


@dataclass
class _Inner:
    """A line of a shell inside."""

    reader: Reader
    began: Moment
    prompt: str | None = None
    found: _Found | None = None
    """What stood on it when it was looked at last."""
    ended: Moment | None = None


class Multiplexer:
    """Follows the lines of the shells inside a multiplexer."""

    def __init__(self, page: Page, readers: Readers, holding: Holding) -> None:
        self._page = page
        self._readers = readers
        self._prompts = Prompts()
        self._open: dict[int, _Inner] = {}
        self._ended: list[_Inner] = []
        self._last = ""
        self._holding = holding

    def mode(self, event: TerminalMode, reader: Reader, now: Moment) -> None:
        """A process inside has set the modes of its terminal."""
        if event.canonical:
            inner = self._open.pop(event.pid, None)
            if inner:
                inner.ended = now
                self._ended = [*self._ended[-_MOST:], inner]
        elif reader.shell and len(self._open) < _MOST:
            self._open[event.pid] = _Inner(reader, now)

    def frame(self, shown: Moment, until: Moment) -> None:
        """A frame was complete at `shown` and stood until `until`."""
        outer = self._readers.outer
        if outer is None or outer.name not in MULTIPLEXERS or not (self._ended or self._open):
            return
        waiting, self._ended = self._ended, []
        for inner in waiting:
            self._finish(inner, shown, outer.name)
        for inner in self._open.values():
            self._look(inner, until.ns - shown.ns)

    def _look(self, inner: _Inner, rested: int) -> None:
        """Where a line is being typed: its prompt, then its text."""
        left, _ = self._pane()
        before = "".join(self._page.before_cursor()[left:])
        if inner.prompt is None:
            if before.strip() and (before in self._prompts or rested >= SETTLED_NS):
                length = self._prompts.length(before, True)
                inner.prompt = before[:length]
                self._prompts.learn(inner.prompt)
        elif found := self._on_row(self._page.row, inner.prompt):
            inner.found = found

    def _finish(self, inner: _Inner, shown: Moment, name: str) -> None:
        """A line has ended: find it on the screen, now or a little later."""
        ended = inner.ended
        assert ended is not None
        prompts = [inner.prompt] if inner.prompt else list(self._prompts.newest())
        late = shown.ns - ended.ns > TRAIL_NS
        found = None if late else self._find(prompts)
        before = inner.found.text if inner.found else ""
        if found and not before and found.text == self._last:
            found = None  # the line before; this one is empty, or not yet drawn
        if found and found.rows[1] >= self._page.row:
            found = None  # the cursor is still on it: what was typed last may not be drawn yet
        if found is None or not found.text.startswith(before[:1]):
            if not late:
                self._ended.append(inner)
                return
            if inner.found is None or not before:
                return
            found = inner.found  # its row has gone before it was drawn whole
        self._last = found.text
        line = TypedLine(
            text=found.text,
            start_ms=inner.began.ms,
            end_ms=ended.ms,
            end_ktime=ended.ktime,
            frame_ms=shown.ms,
            rows=found.rows,
            pid=inner.reader.pid,
            prompt=found.prompt,
            nested=name,
        )
        self._holding.add(line)

    def _find(self, prompts: list[str]) -> _Found | None:
        """The lowest row at or above the cursor's that shows a prompt and something after it."""
        for row in range(self._page.row, self._page.top - 1, -1):
            for prompt in prompts:
                found = self._on_row(row, prompt)
                if found and found.text:
                    return found
        return None

    def _on_row(self, row: int, prompt: str) -> _Found | None:
        left, right = self._pane()
        text = "".join(self._cells(row, left, right))
        if not text.ljust(len(prompt)).startswith(prompt):
            return None
        last = row
        while last < self._page.row and self._continues(last, left, right):
            last += 1
            text = text.ljust((last - row) * (right - left)) + "".join(self._cells(last, left, right))
        return _Found(text[len(prompt) :].rstrip(), (row, last), prompt)

    def _continues(self, row: int, left: int, right: int) -> bool:
        if right - left == self._page.terminal.columns:
            return self._page.continues(row)
        return len(self._cells(row, left, right)) == right - left

    def _cells(self, row: int, left: int, right: int) -> Cells:
        """What of a row is in the pane."""
        cells = self._page.cells(row)[left:right]
        end = len(cells)
        while end and cells[end - 1] == " ":
            end -= 1
        return cells[:end]

    def _pane(self) -> tuple[int, int]:
        """First and past-the-last column of the pane that has the cursor: borders run through its rows."""
        page = self._page
        row, x = page.row, page.column
        near = [
            page.cells(each)
            for each in (row - 1, row, row + 1)
            if page.top <= each < page.top + page.terminal.rows
        ]

        def border(column: int) -> bool:
            return sum(len(cells) > column and cells[column] in _BORDERS for cells in near) >= 2

        left = next((at + 1 for at in range(min(x, page.terminal.columns) - 1, -1, -1) if border(at)), 0)
        right = next((at for at in range(x, page.terminal.columns) if border(at)), page.terminal.columns)
        return left, right
