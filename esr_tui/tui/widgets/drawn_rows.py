"""Rows of a recorded screen as lines of a widget."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import LRUCache
from textual.strip import Strip

from esr_tui.terminal import Row, Style
from esr_tui.tui.widgets.strips import over, rich_style

GUTTER = 1
"""Cells left of the recorded screen, where rows that may mislead are marked."""
CACHED_ROWS = 512
"""Drawn rows that are kept. Each is dozens of objects, which a look for garbage walks through."""
MARK = "▌"
POINTER = "▶"
"""Beside the rows that hold a command's typed line."""


class DrawnRows:
    """Draws rows, and keeps what it drew until the colours change.

    Args:
        component: the style of one of the pane's components, by name; of "" the pane's own.
    """

    def __init__(self, component: Callable[[str], RichStyle]) -> None:
        self._component = component
        self._inks: dict[str, RichStyle] = {}
        self._styles: dict[Style, RichStyle] = {}
        self._strips: LRUCache[tuple[Row, int], Strip] = LRUCache(CACHED_ROWS)
        self._bare: LRUCache[tuple[Row, int, int], Strip] = LRUCache(CACHED_ROWS)

    def clear(self) -> None:
        """Other colours: nothing drawn before holds."""
        self._inks.clear()
        self._strips.clear()
        self._bare.clear()

    def ink(self, name: str) -> RichStyle:
        """A component's style, kept: to work it out costs as much as to draw a row."""
        style = self._inks.get(name)
        if style is None:
            style = self._inks[name] = self._component(name)
        return style

    def sign(self, row: Row, pointed: bool) -> Segment:
        """What stands in the gutter."""
        if row.marked:
            return Segment(MARK, self.ink("mark"))
        return Segment(POINTER, self.ink("pointer")) if pointed else Segment(" ", self.ink(""))

    def bare(self, row: Row, columns: int, width: int) -> Strip:
        """A line of `width` cells: the gutter, and a row that fits whole, with nothing drawn over it. Most are."""
        key = (row, columns, width)
        strip = self._bare.get(key)
        if strip is None:
            length = cell_len(row.text)
            free = width - GUTTER - length
            inside = max(0, min(free, columns - length))
            segments = [self.sign(row, False), *self._segments(row)]
            for cells, name in ((inside, ""), (free - inside, "outside")):
                if cells:
                    segments.append(Segment(" " * cells, self.ink(name)))
            strip = self._bare[key] = Strip(segments, width)
        return strip

    def strip(self, row: Row, columns: int) -> Strip:
        """A row in all its columns, to be drawn over and cut."""
        key = (row, columns)
        strip = self._strips.get(key)
        if strip is None:
            strip = Strip(self._segments(row)).adjust_cell_length(columns, self.ink(""))
            self._strips[key] = strip
        return strip

    def with_cursor(self, strip: Strip, x: int, visible: bool) -> Strip:
        """The cursor in column `x`."""
        after = x + (2 if cell_len(strip.crop(x, x + 2).text[:1]) == 2 else 1)
        return over(strip, [(x, after)], self.ink("cursor" if visible else "cursor-hidden"))

    def marked(self, strip: Strip) -> Strip:
        """Without a gutter the mark is the first cell's colours; its text stays."""
        style = self.ink("mark") + RichStyle(reverse=True)
        first = [Segment(segment.text, style) for segment in strip.crop(0, 1)]
        return Strip([*first, *strip.crop(1)])

    def _segments(self, row: Row) -> list[Segment]:
        base = self.ink("")
        return [Segment(run.text, base + self._style(run.style)) for run in row.runs]

    def _style(self, style: Style) -> RichStyle:
        found = self._styles.get(style)
        if found is None:
            if len(self._styles) > CACHED_ROWS * 8:
                self._styles.clear()
            found = self._styles[style] = rich_style(style)
        return found
