"""Screens of a recording as SVG and text: what the terminal showed at chosen moments."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import msgspec

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.events import AnyEvent, Resize, SessionStart
from esr_tui.model.text import printable
from esr_tui.recording import Output
from esr_tui.terminal import Row, Style, Terminal
from esr_tui.terminal.cells import WIDTHS
from esr_tui.terminal.veil import rows

CELL_WIDTH, CELL_HEIGHT = 8, 17
"""Pixels of a cell."""
_BASELINE = 13
_FOREGROUND, _BACKGROUND = "#d8d8d8", "#141414"
_EVIDENCE, _EVIDENCE_EDGE = "#59411a", "#fea62b"
_ANSI = {
    "black": "#3b3b3b",
    "red": "#d1555f",
    "green": "#7fb26a",
    "yellow": "#d6b35c",
    "blue": "#6a9bd8",
    "magenta": "#b884c9",
    "cyan": "#63b7b7",
    "white": "#c8c8c8",
    "brightblack": "#7a7a7a",
    "brightred": "#f07178",
    "brightgreen": "#a6d189",
    "brightyellow": "#f2d27d",
    "brightblue": "#8fb8f0",
    "brightmagenta": "#d6a6e6",
    "brightcyan": "#8bd5d5",
    "brightwhite": "#ffffff",
}


class Shot(msgspec.Struct, frozen=True):
    """A screen at a moment: its size in cells and its rows."""

    ms: int
    columns: int
    rows: tuple[Row, ...]


class Camera:
    """Plays a recording once and keeps the screens of the wanted moments.

    Args:
        wanted: milliseconds since the session's start.
        lens: the screens are seen through it.
    """

    def __init__(self, wanted: Iterable[int], lens: Lens = PLAIN) -> None:
        self._lens = lens
        self._wanted = sorted(set(wanted), reverse=True)
        self._terminal = Terminal()
        self.shots: dict[int, Shot] = {}

    @property
    def done(self) -> bool:
        """Whether every wanted screen has been taken."""
        return not self._wanted

    def feed(self, events: Iterable[AnyEvent], output: Iterable[Output]) -> None:
        """Takes the next slice of the recording."""
        sizes = [(each.ms, each.ktime, 0, each) for each in events if isinstance(each, Resize | SessionStart)]
        stream = sorted(
            [*sizes, *((each.ms, each.ktime, 1, each) for each in output)], key=lambda each: each[:3]
        )
        for ms, _, _, each in stream:
            self._until(ms)
            if self.done:
                return
            if isinstance(each, Output):
                self._terminal.feed(each.data)
            else:
                self._resize(each.size)

    def finish(self) -> dict[int, Shot]:
        """The recording has ended: moments after its last output show that."""
        while self._wanted:
            self._take(self._wanted.pop())
        return self.shots

    def _until(self, ms: int) -> None:
        while self._wanted and self._wanted[-1] < ms:
            self._take(self._wanted.pop())

    def _take(self, ms: int) -> None:
        terminal = self._terminal
        self.shots[ms] = Shot(ms, terminal.columns, rows(terminal, self._lens))

    def _resize(self, size: str | None) -> None:
        columns, _, rows = (size or "").partition(":")
        if columns.isdecimal() and rows.isdecimal() and len(columns) < 5 and len(rows) < 5:
            self._terminal.resize(int(columns), int(rows))


def text(shot: Shot, evidence: range) -> str:
    """The screen as text; a `>` before the rows of the evidence. Empty rows at the end are left out."""
    last = max([y for y, row in enumerate(shot.rows) if row.text.strip()] + [*evidence], default=0)
    return "\n".join(
        f"{'>' if y in evidence else ' '} {printable(row.text, 2000).rstrip()}".rstrip()
        for y, row in enumerate(shot.rows[: last + 1])
    )


def svg(shot: Shot, evidence: range) -> str:
    """The screen as an SVG element that needs nothing from elsewhere; every text is escaped."""
    width, height = shot.columns * CELL_WIDTH + 16, len(shot.rows) * CELL_HEIGHT + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
        f' font-family="monospace" font-size="13.3" xml:space="preserve">'
        f'<rect width="{width}" height="{height}" rx="5" fill="{_BACKGROUND}"/>'
    ]
    for y, row in enumerate(shot.rows):
        top = 6 + y * CELL_HEIGHT
        if y in evidence:
            parts.append(
                f'<rect x="3" y="{top}" width="{width - 6}" height="{CELL_HEIGHT}" fill="{_EVIDENCE}"/>'
                f'<rect x="3" y="{top}" width="3" height="{CELL_HEIGHT}" fill="{_EVIDENCE_EDGE}"/>'
            )
        parts += _row(row, top)
    return "".join([*parts, "</svg>"])


def _row(row: Row, top: int) -> list[str]:
    parts, x = [], 0
    for run in row.runs:
        cells = sum(WIDTHS[character] for character in run.text)
        foreground, background = _colours(run.style)
        left, width = 8 + x * CELL_WIDTH, cells * CELL_WIDTH
        if background:
            parts.append(
                f'<rect x="{left}" y="{top}" width="{width}" height="{CELL_HEIGHT}" fill="{background}"/>'
            )
        if run.text.strip() and cells:
            parts.append(
                f'<text x="{left}" y="{top + _BASELINE}" fill="{foreground}" textLength="{width}"'
                f"{_attributes(run.style)}>{escape(printable(run.text))}</text>"
            )
        x += cells
    return parts


def _colours(style: Style) -> tuple[str, str | None]:
    """Foreground and, where it is not the screen's, background."""
    foreground, background = _colour(style.fg) or _FOREGROUND, _colour(style.bg)
    if style.reverse:
        return background or _BACKGROUND, foreground
    return foreground, background


def _colour(name: str | None) -> str | None:
    """A colour as `#rrggbb`; anything that is none is the default."""
    if name is None:
        return None
    if len(name) == 7 and name[0] == "#" and not set(name[1:]) - set("0123456789abcdefABCDEF"):
        return name
    return _ANSI.get(name)


def _attributes(style: Style) -> str:
    found = ' font-weight="bold"' if style.bold else ""
    found += ' font-style="italic"' if style.italic else ""
    found += ' opacity="0.6"' if style.faint else ""
    lines = [name for name, on in (("underline", style.underline), ("line-through", style.strike)) if on]
    return found + (f' text-decoration="{" ".join(lines)}"' if lines else "")
