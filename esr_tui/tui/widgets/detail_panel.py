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

from esr_tui.tui.judgement import Flow, Line, Part
from esr_tui.tui.widgets.line_table import fit

LABEL = 12
ROLES = {"title": "strong", "head": "heading", "rule": "dim"}
"""Roles whose component is called otherwise."""
SIDE_BY_SIDE = 100
"""Cells of width from which on the stages of a command stand side by side."""
BETWEEN = " │ "

Span = tuple[str, str]
"""Text and its role."""


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
        "detail--info",
        "detail--low",
        "detail--medium",
        "detail--high",
        "detail--critical",
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
        self._source: Sequence[Part] = ()
        self._lines: list[list[Span]] = []

    def show(self, lines: Sequence[Part], *, keep: bool = False) -> None:
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
        wide = width >= SIDE_BY_SIDE
        self._lines = []
        for part in paired(self._source, width // 2) if wide else self._source:
            if isinstance(part, Flow):
                self._lines += beside(part, width) if wide else stacked(part, width)
            elif isinstance(part, Line):
                self._lines += labelled(part, width)
            else:
                left, right = (labelled(each, width // 2)[0] for each in part)
                room = width // 2 - sum(cell_len(text) for text, _ in left)
                self._lines.append([*left, (" " * room, ""), *right])
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One wrapped line."""
        width, base = self.size.width, self.rich_style
        index = self.scroll_offset.y + y
        if index >= len(self._lines):
            return Strip.blank(width, base)
        segments = [Segment(" ", base)]
        segments += [Segment(text, base + self._ink(role)) for text, role in self._lines[index]]
        return Strip(segments).adjust_cell_length(width, base)

    def _ink(self, role: str) -> Style:
        if not role:
            return Style.null()
        full = self.get_component_rich_style(f"detail--{ROLES.get(role, role)}")
        return Style(color=full.color, bold=full.bold, underline=full.underline)


def paired(parts: Sequence[Part], width: int) -> list[Part | tuple[Line, Line]]:
    """Neighbours that are short enough share a line of two columns, each of `width` cells."""
    found: list[Part | tuple[Line, Line]] = []
    held: Line | None = None
    for part in parts:
        short = isinstance(part, Line) and part.role in {"", "bad", "dim"} and part.label.strip("0123456789")
        if isinstance(part, Line) and short and cell_len(part.text) < width - LABEL - 1:
            if held is None:
                held = part
            else:
                found.append((held, part))
                held = None
            continue
        if held is not None:
            found.append(held)
            held = None
        found.append(part)
    return found if held is None else [*found, held]


def labelled(line: Line, width: int) -> list[list[Span]]:
    """A line wrapped to `width` cells, its label before the first piece."""
    label, text, role = line
    if role == "rule":
        return [[("─" * width, role)]]
    found: list[list[Span]] = [[]] if role == "head" else []
    pieces = wrapped(text, max(4, width - (LABEL if label else 0)))
    if not label and text.lstrip().startswith("└─") and len(pieces) > 1:
        pieces = [pieces[0][:-1] + "…"]  # a tree keeps its shape; the whole is in the event itself
    for number, piece in enumerate(pieces):
        margin = [(f"{label[: LABEL - 1] if number == 0 else '':<{LABEL}}", "label")] if label else []
        found.append([*margin, (piece, role)])
    return found


def stacked(flow: Flow, width: int) -> list[list[Span]]:
    """The stages one below the other."""
    found: list[list[Span]] = []
    for column in flow.columns:
        for step in column:
            found.append([(fit(f"▾ {step.name}", width), "head")])
            pieces = [piece for line in step.lines for piece in wrapped(line, width - 2)]
            found += [[("  ", ""), (piece, step.role)] for piece in pieces]
    return found


def beside(flow: Flow, width: int) -> list[list[Span]]:
    """The stages side by side."""
    count = len(flow.columns)
    room = (width - len(BETWEEN) * (count - 1)) // count
    columns: list[list[Span]] = []
    for number, column in enumerate(flow.columns):
        cells: list[Span] = []
        for step in column:
            arrow = "→ " if number or cells else ""
            cells.append((f"{arrow}{step.name}", "head"))
            cells += [(piece, step.role) for line in step.lines for piece in wrapped(line, room)]
        columns.append(cells)
    found: list[list[Span]] = []
    for row in range(max(map(len, columns))):
        spans: list[Span] = []
        for number, cells in enumerate(columns):
            text, role = cells[row] if row < len(cells) else ("", "")
            spans += [(BETWEEN, "dim")] if number else []
            spans.append((fit(text, room), role))
        found.append(spans)
    return [[], *found, []]
