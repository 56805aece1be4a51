"""One-line widgets: pane titles, the session's header, notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from esr_tui.model.text import printable
from esr_tui.tui.widgets.line_table import fit

TEXT_LIMIT = 600
"""Characters of a part: more than any terminal is wide."""

Part = tuple[str, str]
"""Text, and the component that colours it: strong, dim, good, bad, a severity, or empty."""


def _inert(parts: Sequence[Part]) -> list[Part]:
    return [(printable(text, TEXT_LIMIT), name) for text, name in parts]


class Bar(Widget):
    """Parts on the left, parts on the right; what does not fit is cut on the left's end."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bar--strong",
        "bar--dim",
        "bar--good",
        "bar--bad",
        "bar--info",
        "bar--low",
        "bar--medium",
        "bar--high",
        "bar--critical",
    }

    DEFAULT_CSS = """
    Bar { height: 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Shows these parts; whatever they hold is made inert here once more."""
        left, right = _inert(left), _inert(right)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def plain(self) -> str:
        """What the bar says, without colours."""
        return "".join(text for text, _ in (*self._left, *self._right))

    def render_line(self, y: int) -> Strip:
        """The line."""
        base, width = self.rich_style, self.size.width
        if y:
            return Strip.blank(width, base)
        right = [Segment(text, base + self._ink(name)) for text, name in self._right]
        room = max(0, width - sum(cell_len(text) for text, _ in self._right) - 3)
        segments = [Segment(" ", base)]
        for text, name in self._left:
            shown = text if cell_len(text) <= room else fit(text, room)
            room -= cell_len(shown)
            segments.append(Segment(shown, base + self._ink(name)))
        segments.append(Segment(" " * (room + 1), base))
        return Strip([*segments, *right, Segment(" ", base)]).adjust_cell_length(width, base)

    def _ink(self, name: str) -> Style:
        if not name:
            return Style.null()
        full = self.get_component_rich_style(f"bar--{name}")
        return Style(color=full.color, bold=full.bold)
