"""A table that draws only the lines on screen, whatever its length."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

CACHED_STRIPS = 512
"""Drawn rows that are kept. Each is dozens of objects, which a look for garbage walks through."""
BASE = " "
"""Stands for the table's own colours among those of its components."""


class Column(NamedTuple):
    """A column's heading and width in cells; its text is cut to fit."""

    heading: str
    width: int
    right: bool = False


Cell = tuple[str, str]
"""Inert text and the name of the component class that colours it (empty: the table's colour)."""


def fit(text: str, width: int, right: bool = False) -> str:
    """`text` in exactly `width` cells, with an ellipsis where it is cut."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    blank = " " * (width - length)
    return blank + text if right else text + blank


class LineTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows by number, drawn on demand and cached as Strips. Subclasses say what a row holds."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--heading",
        "table--cursor",
        "table--cursor-blurred",
        "table--dim",
        "table--bad",
        "table--good",
        "table--strong",
    }

    DEFAULT_CSS = """
    LineTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Row up", show=False, id="table.up", tooltip="Highlight the row above"),
        Binding(
            "down,j", "move(1)", "Row down", show=False, id="table.down", tooltip="Highlight the row below"
        ),
        Binding(
            "pageup", "page(-1)", "Page up", show=False, id="table.page-up", tooltip="Go up by a screenful"
        ),
        Binding(
            "pagedown",
            "page(1)",
            "Page down",
            show=False,
            id="table.page-down",
            tooltip="Go down by a screenful",
        ),
    ]

    class Moved(Message):
        """The user moved the cursor to another row."""

        def __init__(self, table: LineTable, row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Chosen(Message):
        """The user clicked the row that was highlighted already, or pressed enter on it."""

        def __init__(self, table: LineTable, row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = -1
        """The highlighted row, -1 for none."""
        self._strips: LRUCache[Hashable, Strip] = LRUCache(CACHED_STRIPS)
        self._inks: dict[str, Style] = {}

    # What subclasses say.

    def row_total(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def columns(self, width: int) -> Sequence[Column]:
        """The columns for a table of `width` cells."""
        raise NotImplementedError

    def cells(self, row: int, columns: Sequence[Column]) -> Sequence[Cell]:
        """The row's cells, one for each column."""
        raise NotImplementedError

    def row_key(self, row: int) -> Hashable:
        """What the row's drawing depends on, beside width and colours."""
        raise NotImplementedError

    # Drawing.

    @property
    def _base(self) -> Style:
        """The table's own colours, kept until they change: to work them out costs as much as to draw a row."""
        style = self._inks.get(BASE)
        if style is None:
            style = self._inks[BASE] = self.rich_style
        return style

    def ink(self, name: str) -> Style:
        """A component's colour and weight, without its background."""
        if not name:
            return Style.null()
        style = self._inks.get(name)
        if style is None:
            full = self.get_component_rich_style(name)
            style = Style(
                color=full.color, bold=full.bold, dim=full.dim, italic=full.italic, underline=full.underline
            )
            self._inks[name] = style
        return style

    def notify_style_update(self) -> None:
        """The theme or the focus changed: nothing drawn before holds."""
        super().notify_style_update()
        self._strips.clear()
        self._inks.clear()

    def redraw(self) -> None:
        """What rows show has changed without their keys."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the view: the heading, a row, or nothing."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._heading(width)
        row = self.scroll_offset.y + y - 1
        if not 0 <= row < self.row_total():
            return Strip.blank(width, self.rich_style)
        here = row == self.cursor
        key = (self.row_key(row), width, here, here and self.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._draw(row, width, here)
            self._strips[key] = strip
        return strip

    def _heading(self, width: int) -> Strip:
        style = self.get_component_rich_style("table--heading")
        columns = self.columns(width - 1)
        text = " ".join(fit(each.heading, each.width, each.right) for each in columns)
        return Strip([Segment(fit(f" {text}", width), style)], width)

    def _draw(self, row: int, width: int, here: bool) -> Strip:
        base = self._base
        if here:
            name = "table--cursor" if self.has_focus else "table--cursor-blurred"
            base = base + self.get_component_rich_style(name)
        columns = self.columns(width - 1)
        segments, text, style = list[Segment](), "", base
        for column, (cell, name) in zip(columns, self.cells(row, columns), strict=True):
            shown = fit(cell, column.width, column.right)
            for part, own in ((" ", base), (shown, base + self.ink(name))):
                if own == style:
                    text += part
                    continue
                segments.append(Segment(text, style))
                text, style = part, own
        return Strip([*segments, Segment(text, style)]).adjust_cell_length(width, base)

    # Moving.

    def rows_changed(self, first: int | None = None) -> None:
        """The number of rows changed; those from `first` on (all when None) look different."""
        total = self.row_total()
        if self.cursor >= total:
            self.cursor = total - 1
        size = Size(self.scrollable_content_region.width, total + 1)
        if size != self.virtual_size:
            self._grow(size)
        if first is None:
            self.refresh()
            return
        top = first + 1 - self.scroll_offset.y
        if top < self.size.height:
            top = max(1, top)
            self.refresh(Region(0, top, self.size.width, self.size.height - top))

    def _grow(self, size: Size) -> None:
        """Takes another length without a layout of the whole screen, which an assignment would cause."""
        self.set_reactive(LineTable.virtual_size, size)
        if self.is_mounted and self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.refresh()
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def on_resize(self) -> None:
        """Keeps the cursor in view."""
        self.rows_changed()
        self.show_row(self.cursor)

    def move_to(self, row: int) -> None:
        """Highlights `row` without telling anyone, and scrolls it into view."""
        row = min(row, self.row_total() - 1)
        if row != self.cursor:
            old, self.cursor = self.cursor, row
            self.refresh_line(old + 1)
            self.refresh_line(row + 1)
        self.show_row(row)

    def show_row(self, row: int) -> None:
        """Scrolls no more than is needed to see `row`."""
        lines = self.size.height - 1
        if row < 0 or lines < 1:
            return
        top = self.scroll_offset.y
        if row < top:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= top + lines:
            self.scroll_to(y=row - lines + 1, animate=False, immediate=True, force=True)

    def _go(self, row: int) -> None:
        row = max(0, min(row, self.row_total() - 1))
        if self.row_total() and row != self.cursor:
            self.move_to(row)
            self.post_message(self.Moved(self, row))

    def action_move(self, rows: int) -> None:
        """Moves the cursor by `rows`."""
        self._go(self.cursor + rows)

    def action_page(self, direction: int) -> None:
        """Moves the cursor by a screenful."""
        self._go(self.cursor + direction * max(1, self.size.height - 2))

    def on_click(self, event: events.Click) -> None:
        """A click highlights a row; on the highlighted one it chooses it."""
        row = self.scroll_offset.y + event.y - 1
        if event.y < 1 or not 0 <= row < self.row_total():
            return
        if row == self.cursor:
            self.post_message(self.Chosen(self, row))
        else:
            self._go(row)

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor's colour says whether keys come here."""
        super().watch_has_focus(focused)
        self.refresh_line(self.cursor + 1)
