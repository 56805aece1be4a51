"""One line while it is typed: where its prompt ends, and what stands on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from esr_tui.divergence.page import Cells, Page
from esr_tui.divergence.prompts import Prompts, without_search
from esr_tui.divergence.readers import Reader
from esr_tui.divergence.typedline import TypedLine

MARKED, MODES, COOKED = "marked", "modes", "cooked"
"""How its beginning and end are known: from marks in the stream, from the terminal's modes, or from the echo alone."""

SETTLED_NS = 4_000_000
"""A prompt is complete when nothing followed it for so long; pieces of one come within microseconds of each other."""
RESTED_NS = 25_000_000
"""Nobody's first key comes sooner: what stood there for so long was the prompt alone."""
MAX_TEXT = 64 * 1024


@dataclass(frozen=True)
class Moment:
    """A time of the stream: milliseconds of the session and boot-clock nanoseconds."""

    ms: int = 0
    ktime: int = 0

    @property
    def ns(self) -> int:
        """For differences, where the boot clock may not be known."""
        return self.ktime or self.ms * 1_000_000


@dataclass(frozen=True)
class Shown:
    """A line as it stands on the screen.

    Attributes:
        rows: first and last row, counted as Page does.
    """

    text: str
    rows: tuple[int, int]
    prompt: str


@dataclass
class Edit:
    """A line editor's turn, from its prompt to the line's acceptance."""

    reader: Reader
    style: str
    began: Moment
    row: int
    column: int
    """Where the cursor was when it began: a prompt follows there, if it does not stand there already."""
    hidden: bool
    """The terminal did not echo when the editor took over."""
    ready: Moment | None = None
    """When the prompt was complete."""
    prompt: Cells | None = None
    """The last row of the prompt, as cells; None as long as it is not known."""
    origin: int = 0
    """The row on which the prompt was complete."""
    right: tuple[int, Cells] | None = None
    drawn: Moment | None = None
    """When something was drawn last."""
    exact: bool = False
    """A mark has told where the prompt ends."""
    shown: Shown | None = None
    """The line as the last frame showed it."""
    shown_at: Moment | None = None
    fed: Shown | None = None
    """The line as it was at the last line feed."""
    left: Shown | None = None
    """The line as it was when the editor gave the terminal back, without a line feed so far."""
    left_out: int = 0
    """Cells before the prompt in its row: output that ended without a line feed."""
    closing: Moment | None = None
    """When the editor gave the terminal back, if the line feed is still to come in the stream."""
    left_row: int = 0
    below: dict[int, Cells] = field(default_factory=dict)
    """When the editor gave the terminal back: the row of the cursor, and the rows from there on."""
    doubtful: bool = False
    """Its beginning is told by the modes, after an editor whose turns are told by marks."""

    def settle(self, page: Page, prompts: Prompts, rested: int, now: Moment) -> None:
        """What stands before the cursor is the prompt, as far as nothing was typed ahead.

        Args:
            rested: for how many ns the cursor has stood there.
            now: when it came there.
        """
        cells = page.before_cursor()
        self.left_out = self.column if self.row == page.row and self.column < len(cells) else 0
        text = "".join(cells[self.left_out :])
        length = len(text) if self.exact else prompts.length(text, rested >= SETTLED_NS)
        self.prompt = cells[: self.left_out + _columns(cells[self.left_out :], length)]
        self.origin, self.ready = page.row, now
        beyond = page.cells(page.row)
        if length == len(text) and len(beyond) > len(cells):
            start = next((x for x in range(len(cells), len(beyond)) if beyond[x].strip()), len(beyond))
            self.right = (start, beyond[start:])
        if self.exact or rested >= RESTED_NS or (text in prompts and rested >= SETTLED_NS):
            prompts.learn(text[:length])

    def read(self, page: Page, prompts: Prompts, last: int) -> Shown:
        """The line, which ends in row `last` or the rows that it wraps into."""
        first, column = self._start(page, prompts, last)
        last = max(first, last)
        text = page.text(first, column, last, self.right)[:MAX_TEXT]
        if self.reader.name == "fish":  # it indents the rows of one line to where the first one begins
            text = re.sub(rf"\n {{1,{max(1, column)}}}", "\n", text)
        prompt = self.prompt[self.left_out :] if self.prompt is not None else page.cells(first)[:column]
        return Shown(without_search(text), (first, last), "".join(prompt))

    def line(
        self, shown: Shown, now: Moment, ended: Moment, *, complete: bool, nested: str = ""
    ) -> TypedLine:
        """What is told of the line, its rows counted as Page does.

        Args:
            shown: it, as it stands on the screen at `now`.
            ended: when it was accepted.
            nested: what asked for it, if not the reader's own prompt.
        """
        before, at = self.shown, self.shown_at
        if before is None or at is None or before.text != shown.text:
            before, at = shown, now
        return TypedLine(
            text=shown.text,
            start_ms=min((self.ready or self.began).ms, ended.ms),
            end_ms=ended.ms,
            end_ktime=ended.ktime,
            frame_ms=at.ms,
            rows=before.rows,
            pid=self.reader.pid,
            prompt=shown.prompt,
            echo=not self.hidden or bool(shown.text),
            nested=self.reader.nested or nested,
            complete=complete,
        )

    def leave(self, page: Page, shown: Shown) -> None:
        """The editor gives the terminal back, and shows `shown`."""
        self.left, self.left_row = shown, page.row
        self.below = {row: page.cells(row) for row in range(page.row, page.top + page.terminal.rows)}

    def landed(self, page: Page) -> int:
        """The last row of a line that zsh has left, when it or what it runs goes down from the cursor's row.

        zsh leaves from where the cursor stands in the line, then moves below its last row.
        """
        assert self.left is not None
        as_it_was = page.cells(page.row) == self.below.get(page.row)
        return max(self.left.rows[1], page.row if as_it_was else page.row - 1)

    def _start(self, page: Page, prompts: Prompts, last: int) -> tuple[int, int]:
        """Row and column of the line's first cell."""
        if self.prompt is None:
            first = page.logical(last)
            for row in range(last, first - 1, -1):  # the rows of a prompt may be full to the edge
                column = self.column if row == self.row else 0
                cells = page.cells(row)[column:]
                if length := prompts.known_length("".join(cells) + " "):
                    return row, column + _columns(cells, length)
            return first, column + _known_columns(page.cells(first)[column:], prompts)
        lowest = max(page.top, self.origin if self.origin <= last else page.top)
        for prompt in (self.prompt, self.prompt[self.left_out :]):
            if "".join(prompt).strip():
                for row in range(last, lowest - 1, -1):
                    if _begins_with(page.cells(row), prompt):
                        return row, len(prompt)
        if not page.top <= self.origin <= last:
            first = page.logical(last)
            return first, _known_columns(page.cells(first), prompts)
        cells = page.cells(self.origin)
        if not _resembles(self.prompt, cells):  # replaced by a shorter one when the line was accepted
            return self.origin, _known_columns(cells, prompts)
        return self.origin, len(self.prompt)


def _known_columns(cells: Cells, prompts: Prompts) -> int:
    """How many cells of a row a prompt takes, going by what prompts look like."""
    return _columns(cells, prompts.length("".join(cells) + " ", False))


def _resembles(prompt: Cells, cells: Cells) -> bool:
    """Whether most of a prompt still stands at the beginning of a row, as when an editor shows its mode in it."""
    same = sum(a == b for a, b in zip(prompt, cells, strict=False))
    return same * 2 > len(prompt)


def _begins_with(cells: Cells, prompt: Cells) -> bool:
    have = cells[: len(prompt)]
    return have + (" ",) * (len(prompt) - len(have)) == prompt


def _columns(cells: Cells, length: int) -> int:
    """How many cells the first `length` characters of a row take."""
    taken, at = 0, 0
    while at < len(cells) and (taken < length or cells[at] == ""):
        taken += len(cells[at])
        at += 1
    return at
