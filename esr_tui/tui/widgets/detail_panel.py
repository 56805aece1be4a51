"""The panel with everything known of the highlighted event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from esr_tui.tui.details import Line

LABEL = 12
ROLES = {"title": "strong", "head": "heading", "bad": "bad", "dim": "dim", "here": "here"}


def wrapped(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` cells, cut anywhere: nothing is left out or moved."""
    pieces: list[str] = []
    start, length = 0, 0
    for index, character in enumerate(text):
        cells = cell_len(character)
        if length + cells > width:
            pieces.append(text[start:index])
            start, length = index, 0
        length += cells
    pieces.append(text[start:])
    return pieces


class DetailPanel(ScrollView, can_focus=True, inherit_bindings=False):
    """Labelled lines, wrapped and scrolled."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "detail--label",
        "detail--strong",
        "detail--heading",
        "detail--bad",
        "detail--dim",
        "detail--here",
    }

    DEFAULT_CSS = """
    DetailPanel { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Scroll up", show=False, id="detail.up", tooltip="Show the lines above"),
        Binding(
            "down", "scroll_down", "Scroll down", show=False, id="detail.down", tooltip="Show the lines below"
        ),
        Binding(
            "pageup", "page_up", "Page up", show=False, id="detail.page-up", tooltip="Go up by a screenful"
        ),
        Binding(
            "pagedown",
            "page_down",
            "Page down",
            show=False,
            id="detail.page-down",
            tooltip="Go down by a screenful",
        ),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: Sequence[Line] = ()
        self._lines: list[tuple[str, str, str]] = []

    def show(self, lines: Sequence[Line], *, keep: bool = False) -> None:
        """Shows these lines, from the top unless `keep`."""
        if keep and lines == self._source:
            return
        self._source = lines
        self._wrap()
        if not keep:
            self.scroll_to(y=0, animate=False, immediate=True)

    def on_resize(self) -> None:
        """Wraps anew."""
        self._wrap()

    def _wrap(self) -> None:
        width = max(8, self.scrollable_content_region.width - 1)
        self._lines = []
        for label, text, role in self._source:
            indent = LABEL if label else 0
            if role == "head":
                self._lines.append(("", "", ""))
            pieces = wrapped(text, max(4, width - indent))
            if not label and pieces and text.lstrip().startswith("└─") and len(pieces) > 1:
                pieces = [pieces[0][:-1] + "…"]  # a tree keeps its shape; the whole is in the event itself
            for number, piece in enumerate(pieces):
                self._lines.append((label if number == 0 else "", piece, role + ("+" if indent else "")))
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One wrapped line."""
        width, base = self.size.width, self.rich_style
        index = self.scroll_offset.y + y
        if index >= len(self._lines):
            return Strip.blank(width, base)
        label, text, role = self._lines[index]
        segments = [Segment(" ", base)]
        if role.endswith("+"):
            segments.append(Segment(f"{label[: LABEL - 1]:<{LABEL}}", base + self._ink("label")))
        segments.append(Segment(text, base + self._ink(ROLES.get(role.rstrip("+"), ""))))
        return Strip(segments).adjust_cell_length(width, base)

    def _ink(self, name: str) -> Style:
        if not name:
            return Style.null()
        full = self.get_component_rich_style(f"detail--{name}")
        return Style(color=full.color, bold=full.bold, underline=full.underline)
